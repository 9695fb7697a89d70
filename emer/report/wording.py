"""Words that terminal, page and exports share: how a number, a time or a missing confidence is said."""

import re
from collections.abc import Sequence

from emer.evidence.judgement import NO_THRESHOLD
from emer.evidence.opinion import probability
from emer.grounding.sentences import LABEL_LINE
from emer.kinds import kinds
from emer.types import Conflict, Emotion, Explanation, Opinion

VIEW_TITLES: dict[str, str] = {
    "audio": "voice",
    "visual": "face",
    "text": "words",
    "joint": "all together",
    "verdict": "the model's verdict",
    "model_audio": "the model, sound alone",
    "model_visual": "the model, picture alone",
    "model_text": "the model, words alone",
}

CITATION = re.compile(r"\[([avt]\d+(?:[\s,;]+[avt]\d+)*)\]")
"""`[a3]`, also `[a3, v1]`."""

RESPONSIBLE_USE = (
    "These are measured behaviours and what they may mean, not a reading of anyone's mind. Ask for consent, base no "
    "decision about a person on them, and know that the law forbids some uses (in the EU, at work and in schools)."
)


def view_title(view: str) -> str:
    """`audio` is called voice; a view without a name of its own keeps its key.

    >>> view_title("audio"), view_title("verdict(audio+text)")
    ('voice', "the model's verdict on voice, words")
    """
    name, _, shown = view.partition("(")
    title = VIEW_TITLES.get(name, name)
    read = ", ".join(VIEW_TITLES.get(modality, modality) for modality in shown.rstrip(")").split("+"))
    return f"{title} on {read}" if shown else title


def kind_title(kind: str) -> str:
    """What a person reads for a kind of clue: `pitch_rise` is "pitch rises"."""
    known = kinds().get(kind)
    return known.title if known else kind.replace("_", " ")


def seconds(time: float) -> str:
    """A time as people say it: `3.2 s` below a minute, then `2:03.2`, then `1:02:03`.

    >>> seconds(3.21), seconds(123.25), seconds(59.97), seconds(3723)
    ('3.2 s', '2:03.2', '1:00.0', '1:02:03')
    """
    tenths = round(time * 10)
    if tenths < 600:
        return f"{tenths / 10:.1f} s"
    minutes, rest = divmod(tenths, 600)
    if minutes < 60:
        return f"{minutes}:{rest / 10:04.1f}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest // 10:02d}"


def label_list(emotions: Sequence[Emotion]) -> str:
    """Open-vocabulary labels, the most fitting first, or a plain word for none."""
    return ", ".join(emotion.label for emotion in emotions) or "no emotion named"


def confidence_line(explanation: Explanation) -> str:
    """The confidence with what it was calibrated on, or why there is none."""
    if explanation.confidence is None:
        if explanation.out_of_domain:
            return "no calibrated confidence: unlike the clips of training or calibration (out of domain)"
        trained = any(opinion.trained and opinion.present for opinion in explanation.opinions.values())
        return "no calibrated confidence" if trained else "no calibrated confidence: untrained"
    made_on = explanation.provenance.calibration
    told = f"confidence {explanation.confidence:.2f}{_told_of(explanation)}"
    if not explanation.calibrated or made_on is None:
        return f"{told}, not calibrated"
    views = " + ".join(view_title(view) for view in made_on.views)
    return f"{told}, calibrated on {made_on.data} (n = {made_on.n}, {views})"


def _told_of(explanation: Explanation) -> str:
    """Of which label the confidence is, where that is not the first one named: a model may write another emotion than
    its verdict and the heads speak for, and a reader would take the number for that."""
    sure = next((e for e in explanation.emotions if e.confidence == explanation.confidence), None)
    fused = explanation.fused
    strongest = sure.cluster if sure else fused.labels[int(probability(fused).argmax())]
    first = explanation.emotions[0] if explanation.emotions else None
    if first is not None and strongest in (first.label, first.cluster):
        return ""
    beside = "" if first is None or first.confidence is None else f", {first.confidence:.2f} in {first.label}"
    return f" in {strongest}{beside}"


def trust_line(explanation: Explanation) -> str | None:
    """Whether the confidence passes its threshold, and whether the clip is like those it was fitted on."""
    if explanation.out_of_domain:
        if explanation.confidence is None:
            return None
        return "not trusted: unlike the clips of training or calibration (out of domain)"
    if explanation.trusted is None:
        return None
    if any(notice.code == NO_THRESHOLD for notice in explanation.warnings):
        return "not trusted: calibration found no threshold"
    return "above the trust threshold" if explanation.trusted else "below the trust threshold"


def conflict_line(conflict: Conflict) -> str:
    """The conflict degree (0 none, 1 full) in words and as a number."""
    if conflict.degree is None:
        return "conflict not measured: no two trained views"
    between = " and ".join(view_title(view) for view in conflict.between)
    strength = "low" if conflict.degree < 0.1 else "some" if conflict.degree < 0.3 else "strong"
    return f"{strength} conflict {conflict.degree:.2f}" + (f" between {between}" if between else "")


def view_note(opinion: Opinion) -> str:
    """What a reader must know of a view before reading its bar."""
    if not opinion.present:
        return "missing"
    return "trained" if opinion.trained else "hint, untrained"


def fused_note(explanation: Explanation) -> str:
    """Which views the fused opinion was made of, where that is not all of them."""
    present = [opinion for opinion in explanation.opinions.values() if opinion.present]
    if not explanation.fused.present:
        return "missing"
    if not any(opinion.trained for opinion in present):
        return ""
    return "trained" if all(opinion.trained for opinion in present) else "trained views alone"


def prose(explanation: Explanation) -> str:
    """The explanation without its last line `Emotions: [...]`, which every output shows in its own way."""
    text, _, last = explanation.explanation.rstrip().rpartition("\n")
    return text.rstrip() if LABEL_LINE.match(last) else explanation.explanation.rstrip()


def without_citations(text: str) -> str:
    """The text as a subtitle shows it: no `[a3]`."""
    return re.sub(r"\s+([.,;:!?])", r"\1", CITATION.sub("", text)).strip()
