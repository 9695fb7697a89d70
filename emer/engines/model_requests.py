"""The questions that a model is asked about one clip: by stage, by modality, and once more for labels that are missing.

One stage asks with everything at once. Two stages are the way of EMER (Lian et al. 2023,
https://arxiv.org/abs/2306.15401): voice and face are described each by itself and without the words, then a second
question settles what they leave open in the light of what is said.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emer.engines.asking import STREAMS, Shown, attached, messages_of
from emer.engines.label_confidence import RATING
from emer.engines.model_answers import REPAIR
from emer.prompts import prompt
from emer.types import MODALITIES, Message, Modality, Request

EXPLAIN, MERGE = "explain", "merge"
DESCRIBE: Mapping[Modality, str] = {"audio": "describe_audio", "visual": "describe_visual"}
"""The prompts of the first stage."""
EVERY_STREAM = frozenset(STREAMS.values())
LETTERS_PER_TOKEN = 4.0
"""About that of English text; good enough to put questions of like length together."""
TOKENS_PER_SECOND = {"audio": 25.0, "video": 130.0}
"""About what sound and pictures take of a prompt (25 sound tokens a second; two small pictures of 65 tokens)."""


@dataclass(frozen=True, slots=True)
class Question:
    """One conversation that awaits an answer."""

    request: Request
    messages: tuple[Message, ...]

    @property
    def media(self) -> frozenset[str]:
        """Which of `audio` and `video` its messages name."""
        return frozenset(medium for message in self.messages for medium in message.media)

    @property
    def length(self) -> float:
        """About how many tokens it takes."""
        letters = sum(len(message.text) for message in self.messages)
        seconds = self.request.span.duration
        return letters / LETTERS_PER_TOKEN + sum(TOKENS_PER_SECOND[medium] * seconds for medium in self.media)

    def seed(self, seed: int, draw: int = 0) -> int:
        """A seed of its own, from what is asked about what: the same wherever it stands among other questions.

        `draw` tells apart several answers to one question.
        """
        media = self.request.media
        clip = media.facts.sha256 if media is not None else ""
        said = [(message.role, message.text, message.media) for message in self.messages]
        again = (draw,) if draw else ()
        told = repr((seed, clip, self.request.span.start, self.request.span.end, said, *again))
        return int.from_bytes(hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=7).digest(), "big")


def left_out(request: Request) -> frozenset[Modality]:
    """The modalities that the user left out of the clip."""
    named = request.settings.get("without", ())
    assert isinstance(named, frozenset | tuple | set)
    return frozenset(modality for modality in MODALITIES if modality in named)


def shown(request: Request, *, media: frozenset[str] = EVERY_STREAM) -> Shown:
    """What of a request may be put before the model; `media` are the streams that it takes."""
    return Shown(frozenset(MODALITIES) - left_out(request), media=bool(media), streams=media)


def modalities(request: Request, *, media: frozenset[str] = EVERY_STREAM) -> tuple[Modality, ...]:
    """The modalities of which a request has something to show: a stream, clues, or, for text, words."""
    left = shown(request, media=media).modalities
    return tuple(modality for modality in MODALITIES if modality in left and _has(request, modality, media))


def _has(request: Request, modality: Modality, media: frozenset[str]) -> bool:
    if any(clue.modality == modality for clue in request.clues.items):
        return True
    if modality == "text":
        return request.transcript is not None and bool(request.transcript.text.strip())
    return STREAMS[modality] in attached(request, Shown(frozenset({modality}), media=bool(media), streams=media))


# ---------------------------------------------------------------- questions


def explaining(request: Request, name: str, language: str, *, media: frozenset[str] = EVERY_STREAM) -> Question:
    """The question with everything at once. Messages that the request brings itself are asked as they are."""
    messages = request.messages or messages_of(request, name, language, shown=shown(request, media=media))
    return Question(request, messages)


def alone(
    request: Request, modality: Modality, name: str, language: str, *, media: frozenset[str] = EVERY_STREAM
) -> Question:
    """The same question with one modality alone: its stream, its clues, and the words only where it is text."""
    one = Shown(frozenset({modality}), media=bool(media), streams=media)
    return Question(request, messages_of(request, name, language, shown=one))


def describing(
    request: Request, modality: Modality, language: str, *, media: frozenset[str] = EVERY_STREAM
) -> Question:
    """The first of two stages: how the voice sounds, or what is seen."""
    return Question(request, messages_of(request, DESCRIBE[modality], language, shown=shown(request, media=media)))


def merging(request: Request, name: str, descriptions: Mapping[Modality, str], language: str) -> Question:
    """The second of two stages: the descriptions, settled in the light of what is said."""
    words = Shown(shown(request).modalities - {"audio", "visual"}, media=False)
    return Question(request, messages_of(request, name, language, shown=words, descriptions=descriptions))


def asking_again(request: Request, explanation: str, language: str) -> Question:
    """The labels of an explanation that came without a readable line of them."""
    return Question(request, prompt(REPAIR, language).messages(text=explanation))


def rating(question: Question, answer: str, labels: Sequence[str], language: str) -> Question:
    """How sure the model is of the labels of its answer to a question: the next turn of that conversation."""
    asked = prompt(RATING, language).messages(labels=json.dumps(list(labels), ensure_ascii=False))
    return Question(question.request, (*question.messages, Message("assistant", answer), *asked))
