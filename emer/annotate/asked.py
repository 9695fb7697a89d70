"""A chat model as a teacher: it is told clues, words and, where people gave some, labels; never sound or picture.

In two stages it first describes the voice and the face alone, each from its own clues, and then settles both in the
light of the words (Lian et al. 2023, https://arxiv.org/abs/2306.15401).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from emer.annotate.lessons import Draft, Lesson
from emer.endpoint import Endpoint, Reply
from emer.engines.asking import Shown, language_of, messages_of
from emer.engines.reading_answers import read_answer
from emer.prompts import prompt
from emer.types import Modality

Language = Literal["en", "zh", "said"]
DESCRIBED: dict[Modality, str] = {"audio": "describe_audio", "visual": "describe_visual"}
TOGETHER = 8
"""Lessons for each request under way: while they are answered none is measured, so that few would leave both idle."""


@dataclass(frozen=True, slots=True)
class Description:
    """What the model says of one modality of a lesson (by its place), or why it says nothing."""

    lesson: int
    modality: Modality
    reply: Reply


@dataclass(frozen=True, slots=True)
class AskedTeacher:
    """A model at an endpoint."""

    endpoint: Endpoint
    stages: Literal[1, 2] = 1
    language: Language = "en"
    """`said`: Chinese where Chinese is spoken, else English."""

    @property
    def at_once(self) -> int:
        return TOGETHER * self.endpoint.concurrency

    def drafts(self, lessons: Sequence[Lesson]) -> Iterator[Draft]:
        """One draft a lesson, in order. Raises EndpointError where no request can succeed."""
        described = self._descriptions(lessons) if self.stages == 2 else []
        mute = {d.lesson: d.reply.error for d in described if d.reply.error}
        told: list[dict[Modality, str]] = [{} for _ in lessons]
        for one in described:
            told[one.lesson][one.modality] = read_answer(one.reply.text or "").explanation  # without its thoughts
        asked = [place for place in range(len(lessons)) if place not in mute]
        replies = self.endpoint.ask_all(
            [
                messages_of(
                    lessons[i].request,
                    "annotate",
                    self._language(lessons[i]),
                    descriptions=told[i],
                    known=lessons[i].gold,
                )
                for i in asked
            ]
        )
        for place in range(len(lessons)):
            yield Draft(error=mute[place]) if place in mute else _draft(next(replies))

    def record(self) -> Mapping[str, object]:
        """Model, seed and settings, and each prompt with its hash."""
        names = ["annotate", *(DESCRIBED.values() if self.stages == 2 else ())]
        languages = ["en", "zh"] if self.language == "said" else [self.language]
        prompts = [prompt(name, language).record for name in names for language in languages]
        hashes = {record.name: record.sha256 for record in prompts}
        return {"by": "endpoint", **self.endpoint.record(), "stages": self.stages, "prompts": hashes}

    def _descriptions(self, lessons: Sequence[Lesson]) -> list[Description]:
        """Voice and face of each lesson, described alone, as far as something was measured of them."""
        wanted = [
            (place, modality)
            for place, lesson in enumerate(lessons)
            for modality in DESCRIBED
            if any(clue.modality == modality for clue in lesson.request.clues.items)
        ]
        replies = self.endpoint.ask_all(
            [
                messages_of(lessons[i].request, DESCRIBED[m], self._language(lessons[i]), shown=Shown(media=False))
                for i, m in wanted
            ]
        )
        return [Description(*place, reply) for place, reply in zip(wanted, replies, strict=True)]

    def _language(self, lesson: Lesson) -> str:
        return language_of(lesson.request.transcript) if self.language == "said" else self.language


def _draft(reply: Reply) -> Draft:
    if reply.text is None:
        return Draft(error=reply.error)
    read = read_answer(reply.text)
    return Draft(read.explanation, read.labels, read.strayed)
