"""How the modalities agree or differ, how a clip moves, and what emotions that would fit."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emer.engines.labels import leaning
from emer.engines.salience import Told, telling
from emer.engines.wording import NAMES, noun, phrases, wording
from emer.evidence.hints import Reason, affect
from emer.evidence.opinion import belief
from emer.grounding import directions_of
from emer.types import MODALITIES, Clue, Clues, Emotion, Modality, Opinion, Segment, Span

SIDE = re.compile(
    r"\b(?:(high|fast|wide|lively|loud|bright|rising|raised|strong|much|many)"
    r"|(?:low|slow|narrow|flat|soft|quiet|dark|dull|falling|few|little))\b"
)
"""The side of a norm that a rule's title names."""
LEAST_WEIGHT = 0.4
"""Kinds of clue below this weight (a blink, a face in view) do not stand for a third of a clip."""
MOVED = 0.15
"""A change of arousal or valence (-1 to 1) between the first and the last third that is worth a sentence."""


@dataclass(frozen=True, slots=True)
class Lean:
    """Where one modality leans, and the clue that shows it best."""

    modality: Modality
    cluster: str
    clue: Clue
    belief: float

    @property
    def towards(self) -> str:
        return str(phrases()["emotions"].get(self.cluster, self.cluster))


def leans(told: Mapping[Modality, Told], opinions: Mapping[str, Opinion], reasons: Sequence[Reason]) -> list[Lean]:
    """The modalities that lean somewhere and have a clue to show for it.

    One that leans to two clusters alike is read in the light of the others: as the cluster that most of them share.
    """
    leaned = {m: leaning(opinions[m]) if m in opinions else () for m in MODALITIES}
    shared = Counter(cluster for clusters in leaned.values() for cluster in clusters)
    found = []
    for modality in MODALITIES:
        clusters = sorted(leaned[modality], key=lambda cluster: -shared[cluster])
        shown = ((cluster, shows(told[modality].clues, cluster, reasons)) for cluster in clusters)
        best = next(((cluster, clue) for cluster, clue in shown if clue is not None), None)
        if best is not None:
            opinion = opinions[modality]
            found.append(Lean(modality, *best, belief=float(belief(opinion)[opinion.labels.index(best[0])])))
    return found


def shows(clues: Sequence[Clue], cluster: str, reasons: Sequence[Reason]) -> Clue | None:
    """The clue that speaks most for the cluster, by the rules that it feeds; None when none of them does."""
    for_it = [reason for reason in reasons if cluster in reason.labels[:3]]
    fed = [clue for clue in clues if _named(clue) in (None, cluster) and any(_feeds(clue, reason) for reason in for_it)]
    return max(fed, key=lambda clue: (telling(clue, for_it), -clue.start), default=None)


def _feeds(clue: Clue, reason: Reason) -> bool:
    """Whether the clue shows what the rule is about: a voice above its median is no "low pitch"."""
    sides = {1 if match[1] else -1 for match in SIDE.finditer(reason.title)}
    known = directions_of(clue)
    return clue.kind in reason.kinds and not (sides and known and not sides & known)


def _named(clue: Clue) -> str | None:
    """The family that an emotion word's clue names: `the word "afraid" (fearful)`."""
    found = re.search(r"\((\w+)\)", clue.text) if clue.kind == "emotion_word" else None
    return found[1] if found else None


def agreement(found: Sequence[Lean]) -> str | None:
    """One sentence: do voice, face and words point the same way? None when none of them points anywhere."""
    if not found:
        return None
    if len(found) == 1:
        (only,) = found
        gives = "give" if only.modality == "text" else "gives"
        return f"Only the {NAMES[only.modality]} {gives} a hint: {noun(only.clue)} would fit {only.towards}."
    nouns = listed([noun(lean.clue) for lean in found])
    if len({lean.cluster for lean in found}) == 1:
        return f"{_capital(nouns)} point the same way, towards {found[0].towards}."
    first, *others = found
    fits = [f"{noun(first.clue)} would fit {first.towards}"]
    each = listed(fits + [f"{noun(lean.clue)} {lean.towards}" for lean in others])
    if len({_tone(lean.cluster) for lean in found}) == 1:
        return f"The hints are not the same but go together: {each}."
    return f"The {listed([NAMES[lean.modality] for lean in found])} point in different directions: {each}."


def emotions(
    found: Sequence[Lean], labels: Sequence[Emotion], spread: Sequence[str] = (), arousal: float | None = None
) -> str:
    """What all that would fit, in hints' language; `spread` are the clusters between which the hints do not tell."""
    if not labels:
        return _undecided(spread, arousal)
    if [label.label for label in labels] == ["neutral"]:
        return "Taken together, this would fit a neutral state."
    plain = [label.label for label in labels if label.label != "neutral"]
    words = listed(plain + ["in a neutral state"] * (len(plain) < len(labels)), "or")
    for_it = [lean for lean in found if lean.cluster == labels[0].cluster]
    best = max(for_it, key=lambda lean: lean.belief, default=None)
    because = f", most of all because of {noun(best.clue)}" if best else ""
    return f"Taken together, this would fit someone who is {words}{because}."


def _undecided(spread: Sequence[str], arousal: float | None) -> str:
    """No emotion stands out: nothing speaks for any, or several fit about alike, which may share their arousal."""
    if not spread:
        return "Taken together, nothing here speaks for any emotion in particular."
    several = listed([str(phrases()["emotions"].get(cluster, cluster)) for cluster in spread])
    told = f"Taken together, {several} would fit about alike, so that no emotion is named"
    if arousal is None or abs(arousal) < MOVED:
        return f"{told}."
    side = "more" if arousal > 0 else "less"
    return f"{told}; what the hints share is that they speak for {side} excitement than usual."


def trajectory(clues: Clues, span: Span, reasons: Sequence[Reason]) -> str | None:
    """How the hints move from the first to the last third of a clip with several utterances, if they do."""
    third = span.duration / 3
    early = [s for s in clues.segments if (s.span.start + s.span.end) / 2 < span.start + third]
    late = [s for s in clues.segments if (s.span.start + s.span.end) / 2 > span.end - third]
    if not early or not late:
        return None
    shown = [
        _foremost(clues.items, Span(span.start, span.start + third), reasons),
        _foremost(clues.items, Span(span.end - third, span.end), reasons),
    ]
    if shown[0] is None or shown[1] is None:
        return None
    move = _move(clues, early, late)
    ends = f"{noun(shown[0])} early on, {noun(shown[1])} towards the end"
    return f"From the first third of the clip to the last, {move}: {ends}."


def _foremost(clues: Sequence[Clue], within: Span, reasons: Sequence[Reason]) -> Clue | None:
    """The most telling clue whose middle lies in a stretch, if it tells of feeling at all."""
    there = [c for c in clues if within.start <= (c.start + c.end) / 2 <= within.end]
    short = [c for c in there if c.span.duration <= 2 * within.duration and wording(c.kind).weight >= LEAST_WEIGHT]
    return max(short, key=lambda clue: (telling(clue, reasons), -clue.start), default=None)


def _move(clues: Clues, early: Sequence[Segment], late: Sequence[Segment]) -> str:
    baselines = {"audio": clues.baseline} if clues.baseline else None

    def mean(segments: Sequence[Segment], name: str) -> float | None:
        known = [getattr(affect(s.features, baselines), name) for s in segments]
        numbers = [value for value in known if value is not None]
        return sum(numbers) / len(numbers) if numbers else None

    moves = []
    for name, more, less in (
        ("arousal", "more excitement", "less excitement"),
        ("valence", "a more pleasant side", "a less pleasant side"),
    ):
        before, after = mean(early, name), mean(late, name)
        if before is not None and after is not None and abs(after - before) >= MOVED:
            moves.append(more if after > before else less)
    return f"the hints move towards {listed(moves)}" if moves else "the hints stay much the same"


def _tone(cluster: str) -> str:
    for tone in ("pleasant", "unpleasant"):
        if cluster in phrases()[tone]:
            return tone
    return cluster


def listed(parts: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
