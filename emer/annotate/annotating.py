"""Clip after clip: measured, explained by a teacher, filtered, written down. One bad clip stops no other.

annotate(rows, Annotating(teacher, explainer, journal))
write(folder, lines)                                        # emer.annotate.outputs
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from emer import media
from emer.annotate.filtering import filtered
from emer.annotate.lessons import Draft, Lesson, Teacher, gold_of, key_of, record_of
from emer.annotate.records import Journal, Line
from emer.data.rows import Row
from emer.errors import ConfigError, EmerError, MissingExtra, OutputError
from emer.explain import Explainer
from emer.types import Request

logger = logging.getLogger("emer")

OF_THE_RUN = (ConfigError, MissingExtra, OutputError)
"""What is wrong with a setting or with the machine is no clip's fault, and ends the run."""


@runtime_checkable
class Watching(Protocol):
    """Who is told of progress; a progress bar keeps this."""

    def next(self) -> None: ...
    def say(self, line: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Annotating:
    """How clips become teaching data."""

    teacher: Teacher
    explainer: Explainer
    journal: Journal
    least_grounded: float = 0.6
    blind: bool = False
    """Whether the teacher is left in the dark about what people said; its draft is held against it all the same."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A row on its way: with a request, or with why there is none."""

    row: Row
    key: str
    gold: tuple[str, ...]
    request: Request | None = None
    error: EmerError | None = None

    @property
    def lesson(self) -> Request | None:
        """The request, where something was measured at all: of nothing, nothing can be told that could be checked."""
        return self.request if self.request is not None and self.request.clues.items else None


def annotate(rows: Sequence[Row], how: Annotating, watching: Watching) -> None:
    """Every row that is not done yet becomes a line of the journal.

    Raises what concerns the whole run: settings, a disk that is full, an endpoint that is not there.
    """
    waiting = list(_to_do(rows, how))
    for _ in range(len(rows) - len(waiting)):
        watching.next()
    for start in range(0, len(waiting), how.teacher.at_once):
        some = [_measured(row, key, how.explainer) for row, key in waiting[start : start + how.teacher.at_once]]
        for line in _taught(some, how):
            if line.outcome == "failed":
                watching.say(f"emer: {line.id}: {line.told}")
            how.journal.add(line)
            watching.next()


def _to_do(rows: Sequence[Row], how: Annotating) -> Iterator[tuple[Row, str]]:
    for row in rows:
        key = key_of(record_of(row, how.journal.folder))
        if not how.journal.is_done(key):
            yield row, key


def _measured(row: Row, key: str, explainer: Explainer) -> Measured:
    """What the teacher may know of the clip. A clip that cannot be read says why."""
    gold = gold_of(row.annotation)
    try:
        opened = media.open(row.clip, explainer.limits)
        request = explainer.request(opened, explainer.clues(row.clip, opened))
    except OF_THE_RUN:
        raise
    except EmerError as error:
        return Measured(row, key, gold, error=error)
    return Measured(row, key, gold, request)


def _taught(some: Sequence[Measured], how: Annotating) -> Iterator[Line]:
    """A line for each row, in order. Clips of which nothing is known are not asked about."""
    lessons = [Lesson(one.lesson, () if how.blind else one.gold) for one in some if one.lesson is not None]
    drafts = how.teacher.drafts(lessons) if lessons else iter(())
    for one in some:
        if one.error is not None:
            yield _line(one, how, reason="unreadable", told=" ".join(str(one.error).split()))
        elif one.lesson is None:
            yield _line(one, how, outcome="rejected", reason="no_clue", told="nothing was measured in the clip")
        else:
            yield _judged(one, next(drafts), how)


def _judged(one: Measured, draft: Draft, how: Annotating) -> Line:
    """The draft, held against the clues and against what people said."""
    assert one.request is not None
    if draft.error is not None:
        return _line(one, how, reason="unanswered", told=draft.error)
    clues = one.request.clues.items
    said = one.request.transcript.text if one.request.transcript else ""
    found = filtered(draft, clues, said, one.gold, how.least_grounded)
    return _line(
        one,
        how,
        outcome="rejected" if found.reason else "kept",
        reason=found.reason,
        told=found.told,
        explanation=found.explanation,
        labels=found.labels,
        statements=found.statements,
        dropped=found.dropped,
        claims=found.claims,
        grounded=found.grounded,
        strayed=draft.strayed,
        clues=clues,
        said=said,
    )


def _line(one: Measured, how: Annotating, **rest: object) -> Line:
    record = record_of(one.row, how.journal.folder)
    return Line(one.key, one.row.id, record=record, gold=one.gold, **({"outcome": "failed"} | rest))  # type: ignore[arg-type]
