"""The engine without a model: an explanation composed of measured clues alone.

Voice, face, words, then how they agree or differ, then the emotions. Every clause cites its clue, and the composed
text goes through the grounding check like any other; for the composer that is a self-test, not a result.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from emer.emotions.lexicon import TABLES
from emer.engines.labels import labels, singled_out, spread
from emer.engines.reading_answers import label_line
from emer.engines.salience import Told, choose
from emer.engines.together import agreement, emotions, leans, trajectory
from emer.engines.trained import beside, caution, decided, hints, spoken_views, verdict
from emer.engines.wording import NAMES, cite, clause, repeated
from emer.evidence.hints import Reason, affect, reasons
from emer.grounding import check
from emer.types import MODALITIES, Answer, Clue, Features, Media, Modality, Request

logger = logging.getLogger("emer")

HINTS_ONLY = (
    "These are hints from published rules, not findings; without trained heads there is no calibrated confidence."
)
UNASKED = "These are hints from published rules, not findings, and there is no calibrated confidence."
HINTS_ONLY_BRIEF = "These are hints, not findings."
STREAMS = {"audio": "sound", "visual": "picture"}


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes explanations without any model. Deterministic: the same request gives the same answer."""

    name: str = "composer"
    most: int = 4
    """Clues told per modality; the rest is counted."""
    most_brief: int = 2
    """The same for one utterance of a longer clip."""

    def answer(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """One answer per request, in order. What goes wrong stays with its request, by the name of its exception."""
        for request in requests:
            try:
                yield self.compose(request)
            except Exception as error:
                logger.warning("an explanation could not be composed", exc_info=True)
                yield Answer("", error=f"{type(error).__name__}: {error}")

    def compose(self, request: Request) -> Answer:
        """The explanation of one clip or utterance. Its text ends with the line `Emotions: […]`."""
        clues = clues_of(request)
        why = reasons_of(request)
        brief = _is_part(request)
        told = told_of(request, self.most_brief if brief else self.most)
        paragraphs = [_paragraph(request, modality, told[modality], brief) for modality in MODALITIES]
        pointing = leans(told, hints(request), why)
        feeling = affect(request.clues.features, _baselines(request))
        trained = bool(spoken_views(request))
        clusters = decided(request.prior) if trained else singled_out(request.prior, [p.cluster for p in pointing])
        found = labels(clusters, feeling.valence, feeling.arousal, clues)
        moving = trajectory(request.clues, request.span, why) if request.clues.segments else None
        if trained:
            last = [verdict(request, told, why), caution(request, brief), beside(request, pointing, brief), moving]
        else:
            together = emotions(pointing, found, spread(request.prior), feeling.arousal)
            hint = UNASKED if caution(request, brief) else HINTS_ONLY
            last = [agreement(pointing), moving, together, caution(request, brief), HINTS_ONLY_BRIEF if brief else hint]
        paragraphs.append(" ".join(filter(None, last)))
        text = "\n\n".join([*filter(None, paragraphs), label_line([emotion.label for emotion in found])])
        spoken = request.transcript.text if request.transcript else ""
        return Answer(text, found, check(text, clues, spoken))


# ---------------------------------------------------------------- what is told


def clues_of(request: Request) -> tuple[Clue, ...]:
    """The clues of the clip or utterance that the request is about."""
    return tuple(clue for clue in request.clues.items if _within(clue, request))


def told_of(request: Request, most: int) -> dict[Modality, Told]:
    """The clues that are told of each modality, at most `most`, and those that are left."""
    clues, why = clues_of(request), reasons_of(request)
    return {modality: _choose(clues, modality, why, most) for modality in MODALITIES}


def _within(clue: Clue, request: Request) -> bool:
    """Clues that touch the span; an event without extent at its very edge is one of them."""
    return clue.start <= request.span.end and clue.end >= request.span.start


def _is_part(request: Request) -> bool:
    """Whether the request is about one utterance of a longer clip."""
    return request.media is not None and request.span.duration < request.media.facts.span.duration - 0.05


def _baselines(request: Request) -> Mapping[str, Features] | None:
    return {"audio": request.clues.baseline} if request.clues.baseline else None


def reasons_of(request: Request) -> tuple[Reason, ...]:
    """The published rules that the measured features touch."""
    baseline = request.clues.baseline
    features = request.clues.features
    return tuple(r for view in features for r in reasons(features[view], baseline if view == "audio" else None))


def _choose(clues: Sequence[Clue], modality: Modality, why: Sequence[Reason], most: int) -> Told:
    mine = [clue for clue in clues if clue.modality == modality and not _nothing_there(clue)]
    return choose(mine, [reason for reason in why if reason.view == modality], most)


def _nothing_there(clue: Clue) -> bool:
    """A face seen for none of the time is no clue to tell but the absence of a face."""
    return clue.kind in ("face_presence", "face_count") and not clue.value


# ---------------------------------------------------------------- how it is told


def _paragraph(request: Request, modality: Modality, told: Told, brief: bool) -> str | None:
    if not told.items and (brief or not told.rest):
        return _silence(request, modality, brief)
    sentences = measured(request, told)
    if not told.items:
        sentences.append(f"Nothing about the {NAMES[modality]} stands out.")
    if told.rest and not brief:
        n = len(told.rest)
        clues = ("clue" if n == 1 else "clues") + f" of the {NAMES[modality]}"
        sentences.append(f"{'A further ' if told.items else ''}{n} {clues} can be read in the list {cite(told.rest)}.")
    return _once(" ".join(sentences), " of the eye distance")


def measured(request: Request, told: Told) -> list[str]:
    """The sentences about what is told of one modality, each with its citations."""
    doubtful = len(told.items) > 1 and all(clue.quality for clue in told.clues)
    clauses = [clause(item[0], request.span, not doubtful) if len(item) == 1 else repeated(item) for item in told.items]
    sentences = [_sentence(pair, i) for i, pair in enumerate(_pairs(clauses))]
    return [*sentences, "All of this is to be taken with care."] if doubtful else sentences


def _once(text: str, phrase: str) -> str:
    """A unit that is explained once need not be explained again."""
    first, found, rest = text.partition(phrase)
    return first + found + rest.replace(phrase, "")


def _pairs(clauses: Sequence[str]) -> list[Sequence[str]]:
    return [clauses[i : i + 2] for i in range(0, len(clauses), 2)]


def _sentence(clauses: Sequence[str], position: int) -> str:
    opening = ("", "Besides, ", "Also, ")[min(position, 2)]
    sentence = opening + ", and ".join(clauses)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _silence(request: Request, modality: Modality, brief: bool) -> str | None:
    """Why a modality says nothing, in plain words."""
    if any(failure.extractor == modality for failure in request.clues.failed):
        return f"The {NAMES[modality]} could not be measured and so {_says(modality)} nothing."
    if modality == "text":
        return _no_words(request, brief)
    zero = [clue for clue in request.clues.items if clue.modality == modality and _nothing_there(clue)]
    if zero:
        return f"No face was seen {cite(zero)}, so the face says nothing."
    if modality == "audio" and modality in request.clues.features and _unheard(request.clues.features[modality]):
        return "No voice was heard, so the voice says nothing."
    if modality in request.clues.features:
        return None if brief else f"Nothing about the {NAMES[modality]} stands out."
    if _left_out(request, modality):
        return None if brief else f"The {NAMES[modality]} was left out."
    if request.media is not None and not _has(request.media, modality):
        return None if brief else f"The clip has no {STREAMS[modality]}, so the {NAMES[modality]} says nothing."
    if modality == "visual":
        return "No face was seen, so the face says nothing."
    return "No voice was heard, so the voice says nothing."


def _unheard(features: Features) -> bool:
    return features.get("speech_ratio") == 0


def _no_words(request: Request, brief: bool) -> str | None:
    if request.transcript is None:
        return None if brief else "No transcript: the words were not read."
    if "text" in request.clues.features:
        return None if brief else "Nothing about the words stands out."
    if request.transcript.language in TABLES:
        return None if brief else "The words were left out."
    return f"The words say nothing here: their language ({request.transcript.language or 'unknown'}) has no clues yet."


def _left_out(request: Request, modality: Modality) -> bool:
    """Whether the clip has the stream and nobody measured it."""
    return request.media is not None and _has(request.media, modality)


def _has(media: Media, modality: Modality) -> bool:
    return media.facts.has_audio if modality == "audio" else media.facts.has_video


def _says(modality: Modality) -> str:
    return "say" if modality == "text" else "says"
