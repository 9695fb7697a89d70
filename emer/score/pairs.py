"""Answers beside the truth, clip by clip in the order of gold; what does not match is told, never dropped quietly."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from emer.data.rows import some
from emer.errors import ConfigError
from emer.metrics.open_vocabulary import Ragged, words_of
from emer.score.options import Missing
from emer.score.result import Column
from emer.types import Emotion

T = TypeVar("T")
Labels = Sequence[str]


@dataclass(frozen=True)
class Pairs:
    """Gold and answers of the same clips; every sequence has one entry a clip."""

    names: Sequence[str]
    gold: Column
    labels: Sequence[Labels]
    """Predicted labels; none where a clip has no answer."""
    sentiment: Sequence[str | None] | None
    emotions: Sequence[Sequence[Emotion]] | None
    confidence: Sequence[float | None] | None
    texts: Sequence[str | None] | None
    answered: int
    """Clips with an answer, be it an empty one."""
    source: str
    notes: tuple[str, ...] = ()

    @cached_property
    def vocabulary(self) -> tuple[list[str], Ragged, Ragged]:
        """Every word once, then gold and predicted labels as places among them."""
        words, (gold, predicted) = words_of(self.gold.labels, self.labels)
        return words, gold, predicted

    def always(self, answer: Labels) -> "Pairs":
        """The same clips, all answered with the same labels."""
        alike = [answer] * len(self.names)
        return replace(self, labels=alike, sentiment=None, emotions=None, confidence=None, texts=None)


def pairs(predicted: Column, gold: Column, missing: Missing = "error") -> Pairs:
    """Answers in the order of gold.

    Raises ConfigError, naming the first few, for doubled clips, and, unless `missing` is `empty`, for clips of gold
    without an answer and for answers to clips that gold does not have.
    """
    _refuse_doubled(predicted)
    _refuse_doubled(gold)
    place = {name: row for row, name in enumerate(predicted.names)}
    rows = [place.get(name) for name in gold.names]
    absent = [name for name, row in zip(gold.names, rows, strict=True) if row is None]
    known = set(gold.names) if len(place) > len(rows) - len(absent) else frozenset()
    foreign = [name for name in predicted.names if name not in known] if known else []
    if absent or foreign:
        _refuse_unmatched(predicted, gold, absent, foreign, missing)
    return Pairs(
        names=gold.names,
        gold=gold,
        labels=_in_order(predicted.labels, rows, ()),
        sentiment=None if predicted.sentiment is None else _in_order(predicted.sentiment, rows, None),
        emotions=None if predicted.emotions is None else _in_order(predicted.emotions, rows, ()),
        confidence=None if predicted.confidence is None else _in_order(predicted.confidence, rows, None),
        texts=None if predicted.texts is None else _in_order(predicted.texts, rows, None),
        answered=len(rows) - len(absent),
        source=predicted.source,
        notes=(*predicted.notes, *gold.notes, *_told(absent, foreign)),
    )


def _in_order(column: Sequence[T], rows: Sequence[int | None], empty: T) -> list[T]:
    return [empty if row is None else column[row] for row in rows]


def _told(absent: Sequence[str], foreign: Sequence[str]) -> list[str]:
    told = [f"{len(absent)} clips have no answer and count as empty ({some(absent)})"] if absent else []
    return told + (
        [f"{len(foreign)} answers are to clips that gold does not have, left out ({some(foreign)})"] if foreign else []
    )


def _refuse_doubled(column: Column) -> None:
    if len(set(column.names)) == len(column.names):
        return
    doubled = [name for name, count in Counter(column.names).items() if count > 1]
    raise ConfigError(
        f"{column.source} has {len(doubled)} clips more than once ({some(doubled)}); keep one row of each"
    )


def _refuse_unmatched(
    predicted: Column, gold: Column, absent: Sequence[str], foreign: Sequence[str], missing: Missing
) -> None:
    matching = {_stem(name) for name in foreign} & {_stem(name) for name in absent}
    if matching:
        example = min(matching)
        here, there = (next(n for n in names if _stem(n) == example) for names in (foreign, absent))
        raise ConfigError(
            f"{len(matching)} clips have other names in {predicted.source} ({here!r}) than in {gold.source} "
            f"({there!r}): name them alike, with the same folder and ending"
        )
    if len(absent) == len(gold.names):
        raise ConfigError(
            f"{predicted.source} and {gold.source} have no clip in common ({some(foreign)} against {some(absent)}); "
            "are they of the same data set?"
        )
    if missing == "empty":
        return
    parts = [f"{len(absent)} of {len(gold.names)} clips have no answer in {predicted.source} ({some(absent)})"]
    parts = parts if absent else []
    parts += (
        [f"{len(foreign)} answers are to clips that {gold.source} does not have ({some(foreign)})"] if foreign else []
    )
    raise ConfigError(
        f"{'; '.join(parts)}; complete the files, or add --missing empty (no answer counts as an empty one)"
    )


def _stem(name: str) -> str:
    """A name without folder and ending, in lower case."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1].lower()
    stem, dot, ending = base.rpartition(".")
    return stem if dot and ending.isalnum() and len(ending) <= 5 and not ending.isdigit() else base
