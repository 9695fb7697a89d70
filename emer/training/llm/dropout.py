"""Who sees what in one step, and what is then right to say.

A modality that is dropped takes its media, clue sentences, transcript and features with it. Independently, clue
sentences alone and media alone are withheld, so that a model listens without being told and reads without hearing.

What is not shown cannot be cited: a sentence that cites a clue that is not there, or tells of a modality that is not
there, goes from the answer. Otherwise training would teach to invent.
"""

import hashlib
import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from emer.engines.asking import LIMITS, STREAMS, Shown, attached, language_of, messages_of, streams_of
from emer.engines.heard_words import heard, nothing, spoken_of
from emer.engines.model_requests import left_out
from emer.engines.reading_answers import whole_answer
from emer.training.llm.configuration import DropoutSettings
from emer.training.llm.example import Example
from emer.types import MODALITIES, Annotation, Message, Modality, Request, Statement

PERCEIVES_ALL: frozenset[Modality] = frozenset(MODALITIES)
WORDS: frozenset[Modality] = frozenset({"text"})


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is said to the model and what it is to answer."""

    messages: tuple[Message, ...]
    answer: str | None
    """None where nobody explained the clip: its labels teach the verdict alone."""
    stops: bool = True
    """Whether the answer is whole. One without labels lacks its last line and does not teach to end there."""

    @property
    def media(self) -> frozenset[str]:
        """Which of `audio` and `video` the messages name as attached."""
        return frozenset(stream for message in self.messages for stream in message.media)


# ---------------------------------------------------------------- who sees what


def everything(request: Request, perceives: Collection[Modality] = PERCEIVES_ALL) -> Shown:
    """All that may be shown of a clip, as at validation and when the model is asked."""
    streams = streams_of(perceives)
    return Shown(frozenset(MODALITIES) - left_out(request), media=bool(streams), streams=streams)


def shown(
    example: Example,
    settings: DropoutSettings,
    *,
    seed: int,
    epoch: int,
    perceives: Collection[Modality] = PERCEIVES_ALL,
) -> Shown:
    """What of an example is shown in one epoch: the same for the same seed, epoch and id, wherever it is drawn.

    One modality that the clip has always stays, and something of it is always shown: where both sentences and media
    were withheld of all that is left, one of the two, by chance, comes back.
    """
    draw = random.Random(_seed(seed, epoch, example.id))
    whole = everything(example.request, perceives)
    there = [modality for modality in MODALITIES if modality in visible(example.request, whole)]
    kept = frozenset(modality for modality in there if draw.random() >= settings.modality)
    sentences, media = draw.random() >= settings.sentences, draw.random() >= settings.media
    kept = kept or frozenset({draw.choice(there)})
    ways = _ways(replace(whole, modalities=kept), sentences, media and whole.media, draw.random() < 0.5)
    return next((what for what in ways if visible(example.request, what)), whole)


def _ways(whole: Shown, sentences: bool, media: bool, told_first: bool) -> Iterator[Shown]:
    """As drawn, then with one more of sentences and media, then with both."""
    drawn = replace(whole, sentences=sentences, media=media)
    more = [replace(drawn, sentences=True), replace(drawn, media=whole.media)]
    yield from (drawn, *(more if told_first else more[::-1]), whole)


def visible(request: Request, what: Shown) -> frozenset[Modality]:
    """The modalities of which a model is shown something: a stream that it takes, clue sentences, or the words."""
    streams = attached(request, what)
    found = {modality for modality, stream in STREAMS.items() if stream in streams}
    if what.sentences:
        found |= {clue.modality for clue in request.clues.items}
    if request.transcript is not None and request.transcript.text.strip():
        found.add("text")
    return frozenset(found) & what.modalities


def _seed(seed: int, epoch: int, name: str) -> int:
    """Of Python's own generator, whose sequence is documented to stay; not `hash`, which differs between processes."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{epoch}/{name}".encode(), digest_size=8).digest(), "big")


# ---------------------------------------------------------------- what is right to say


def lesson(
    example: Example,
    what: Shown,
    prompt: str = "explain",
    language: str = "en",
    *,
    perceives: Collection[Modality] = PERCEIVES_ALL,
) -> Lesson:
    """The conversation about an example of which so much is shown, and its answer; `language` may be `clip`.

    Raises ConfigError for an unknown prompt, and where nothing of the clip is left to be shown.
    """
    request = example.request
    tongue = language_of(request.transcript) if language == "clip" else language
    what = _limited(what, prompt, perceives)
    messages = messages_of(request, prompt, tongue, shown=what)
    if example.annotation.explanation is None:
        return Lesson(messages, None)
    said = explanation(example, what, tongue)
    labels = spoken_labels(example.annotation)
    return Lesson(messages, whole_answer(said, labels), True) if labels else Lesson(messages, said, False)


def _limited(what: Shown, prompt: str, perceives: Collection[Modality]) -> Shown:
    """As far as the prompt and the model allow."""
    limit = LIMITS.get(prompt, Shown())
    return Shown(
        what.modalities & limit.modalities,
        what.sentences and limit.sentences,
        what.media and limit.media,
        what.streams & limit.streams & streams_of(perceives),
    )


def spoken_labels(annotation: Annotation) -> tuple[str, ...]:
    """The labels of the answer's last line, in lower case: those that people gave, or those with the most votes.

    >>> spoken_labels(Annotation(votes={"Sad": 3, "tired": 3, "happy": 1}))
    ('sad', 'tired')
    """
    most = max(annotation.votes.values(), default=0.0)
    voted = [label for label, count in annotation.votes.items() if count == most and most > 0]
    return tuple(dict.fromkeys(" ".join(label.lower().split()) for label in annotation.labels or voted))


def explanation(example: Example, what: Shown, language: str) -> str:
    """The explanation without what the model cannot know here.

    Where no sentence with a citation is left of those that there were, or nothing at all, general words on what is
    shown come in their place, and sentences without citations follow.
    """
    there = visible(example.request, what)
    # Who hears the voice hears the words.
    knows = there | WORDS if "audio" in attached(example.request, what) else there
    cited = {clue.id for clue in example.request.clues.items if what.sentences and clue.modality in there}
    stay = [_stays(statement, cited, knows) for statement in example.statements]
    kept = [statement for statement, stays in zip(example.statements, stay, strict=True) if stays]
    whole = (example.annotation.explanation or "").strip()
    if all(stay):
        return whole
    lost = any(statement.clue_ids for statement in example.statements)
    if kept and (not lost or any(statement.clue_ids for statement in kept)):
        return _joined(whole, example.statements, stay, language)
    general = [heard(example.request, modality, language) for modality in MODALITIES if modality in there]
    parts = [*filter(None, general), _joined(whole, example.statements, stay, language)]
    first = next(modality for modality in MODALITIES if modality in there)
    return "\n\n".join(filter(None, parts)) or nothing(first, language)


def _stays(statement: Statement, cited: Collection[str], knows: frozenset[Modality]) -> bool:
    return all(name in cited for name in statement.clue_ids) and spoken_of(statement.text) <= knows


def _joined(whole: str, statements: Collection[Statement], stay: Collection[bool], language: str) -> str:
    """The sentences that stay, with the paragraphs that they stood in."""
    text, at, apart = "", 0, False
    for statement, stays in zip(statements, stay, strict=True):
        place = whole.find(statement.text, at)
        apart = apart or "\n" in whole[at : max(at, place)]
        at = place + len(statement.text) if place >= 0 else at
        if stays:
            between = "\n\n" if apart else "" if language == "zh" else " "
            text, apart = f"{text}{between}{statement.text}" if text else statement.text, False
    return text
