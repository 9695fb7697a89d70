"""Open-vocabulary labels from an opinion, arousal, valence, and the emotion words that were said."""

import re
from collections.abc import Sequence

from emer.emotions import lexicon
from emer.engines.wording import phrases
from emer.evidence.opinion import belief
from emer.grounding import check, claims
from emer.types import Clue, Emotion, Opinion

LEAST = 0.01
"""Belief below which an opinion leans nowhere: a single rule that barely holds gives about this much."""
CLOSE = 0.75
"""A cluster with at least this share of the leading belief counts as much as the leading one."""
MOST = 2
"""More clusters that count alike than this are no lean: an opinion that fits all of them tells none apart."""
SLIGHT = 0.1
"""Arousal or valence nearer to 0 than this was not moved by anything; it does not make a word milder."""


def leaning(opinion: Opinion) -> tuple[str, ...]:
    """The one or two clusters that an opinion leans to, strongest first; empty when it singles none out."""
    close = ranked(opinion)
    return close if len(close) <= MOST else ()


def spread(opinion: Opinion) -> tuple[str, ...]:
    """The three or more clusters between which an opinion does not tell, strongest first; else empty."""
    close = ranked(opinion)
    return close if len(close) > MOST else ()


def singled_out(opinion: Opinion, leans: Sequence[str]) -> tuple[str, ...]:
    """The clusters to name: the one on which two or more views agree, if it is among the strongest; else the lean.

    `leans` is the cluster of each view that points somewhere. Averaging does not sharpen what views have in common.
    """
    agreed = set(leans)
    if len(leans) > 1 and len(agreed) == 1 and agreed <= set(ranked(opinion)):
        return tuple(agreed)
    return leaning(opinion)


def ranked(opinion: Opinion) -> tuple[str, ...]:
    """The strongest cluster, then all that are about as strong; empty when evidence is next to nil."""
    if not opinion.present or opinion.kind != "dirichlet":
        return ()
    by_label = dict(zip(opinion.labels, (float(b) for b in belief(opinion)), strict=True))
    order = sorted(by_label, key=lambda label: (-by_label[label], opinion.labels.index(label)))
    top = by_label[order[0]]
    return tuple(label for label in order if by_label[label] >= CLOSE * top) if top >= LEAST else ()


def labels(
    clusters: Sequence[str], valence: float | None, arousal: float | None, clues: Sequence[Clue] = ()
) -> tuple[Emotion, ...]:
    """For each cluster the word that was said for it, else the lexicon's word for the measured point.

    Valence and arousal are -1 to 1, None where nothing tells of them. Rules tell little, so the point lies half-way
    between the cluster's plain word and what was measured. Only words for bare states are chosen so (`states` in
    phrases.yaml): "guilty", "disappointed" or "proud" also say what the state is about, which pitch and brows do not
    show (Ortony, Clore & Foss 1987, The referential structure of the affective lexicon, Cogn Sci 11:341-364). They
    are used where the speaker says them. Nothing is "neutral" unless the opinion says so: that nothing was found is
    not a finding. `confidence` is None: hints are not calibrated.
    """
    found: dict[str, Emotion] = {}
    for cluster in clusters:
        label = _said(cluster, clues) or _word(cluster, valence, arousal)
        found.setdefault(label, Emotion(label, cluster, None))
    return tuple(found.values())


def _said(cluster: str, clues: Sequence[Clue]) -> str | None:
    """The label of the strongest English emotion word of the cluster that was said and not denied.

    Words that name a behaviour as well ("tearful") are passed over: they would claim what nobody measured.
    """
    said = [
        (abs(clue.value or 0.0), match.entry.label)
        for clue in clues
        if clue.kind == "emotion_word" and " denied by " not in clue.text
        for quote in re.findall(r"[\"“](.+?)[\"”]", clue.text)[:1]
        for match in lexicon("en").find(quote)
        if match.entry.cluster == cluster and not claims(check(match.entry.label, ()))
    ]
    return max(said, key=lambda pair: pair[0])[1] if said else None


def _word(cluster: str, valence: float | None, arousal: float | None) -> str:
    """The word for a bare state of the cluster nearest to the measured point; its plain word when nothing moved."""
    states = phrases()["states"].get(cluster, [])
    by_label = {entry.label: entry for entry in reversed(lexicon("en").entries) if entry.cluster == cluster}
    if not states:
        return cluster
    plain = by_label[states[0]]
    v = plain.valence if valence is None or abs(valence) < SLIGHT else (plain.valence + valence) / 2
    a = plain.arousal if arousal is None or abs(arousal) < SLIGHT else (plain.arousal + arousal) / 2
    nearest = min(states, key=lambda label: (by_label[label].valence - v) ** 2 + (by_label[label].arousal - a) ** 2)
    return str(nearest)
