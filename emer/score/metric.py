"""What every metric gives: columns with one row a scored clip, of whose means the score is a function."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float64, Int64

from emer.metrics.open_vocabulary import Ragged
from emer.score.options import Options
from emer.score.pairs import Pairs
from emer.score.result import TablesRecord

OfMeans = Callable[[Float[np.ndarray, "*batch column"]], Float[np.ndarray, "*batch"]]
SHOWN = 10
"""Unknown words that a score lists."""
LONGEST = 80
"""Characters of a word that are shown: a runaway model's label may be a book."""


@dataclass(frozen=True)
class Unknown:
    """Predicted words that stand for nothing known."""

    share: float
    """Of all predicted words, each as often as it is said."""
    examples: Mapping[str, int]
    """The most frequent ones, and how often."""


@dataclass(frozen=True)
class Measured:
    """A metric on paired rows. `score = of_means(columns.mean(axis=0))`."""

    clips: Int64[np.ndarray, "scored"]
    """Places of the scored clips among the pairs."""
    columns: Float64[np.ndarray, "scored column"]
    of_means: OfMeans
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Reason to number of clips."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    unknown: Unknown | None = None
    tables: TablesRecord | None = None
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        """The score, a fraction; nan where no clip can be scored."""
        return float(self.of_means(self.columns.mean(axis=0))) if len(self.columns) else float("nan")


@runtime_checkable
class Metric(Protocol):
    """One name of `emer score --metric`."""

    def measure(self, pairs: Pairs, options: Options) -> Measured: ...

    def floors(self, pairs: Pairs, options: Options) -> Mapping[str, float]:
        """What constant answers get on this gold: name of the answer to score."""
        ...


def unknown_words(words: Sequence[str], predicted: Ragged, is_known: Callable[[str], bool]) -> Unknown:
    """The predicted words that are not known, counted as often as they are said."""
    times = np.bincount(predicted.ids, minlength=len(words))
    said = [(words[i], int(times[i])) for i in np.flatnonzero(times).tolist()]
    strangers: Counter[str] = Counter()
    for word, count in said:
        if not is_known(word):
            strangers[word[:LONGEST]] += count
    share = strangers.total() / len(predicted.ids) if len(predicted.ids) else 0.0
    return Unknown(share, dict(strangers.most_common(SHOWN)))


def most_frequent(words: Sequence[str], gold: Ragged, count: int) -> tuple[str, ...]:
    """The most frequent gold words, the first by alphabet where two are as frequent."""
    times = np.bincount(gold.ids, minlength=len(words))
    order = sorted(np.flatnonzero(times).tolist(), key=lambda i: (-times[i], words[i]))
    return tuple(words[i] for i in order[:count])


def gold_vocabulary(pairs: Pairs) -> tuple[list[str], Ragged]:
    """The words of gold alone, and gold as places among them."""
    words, gold, _ = pairs.vocabulary
    used = np.flatnonzero(np.bincount(gold.ids, minlength=len(words)))
    place = np.zeros(len(words), dtype=np.int64)
    place[used] = np.arange(len(used))
    return [words[i] for i in used.tolist()], Ragged(place[gold.ids], gold.starts)


def constants(words: Sequence[str], clips: int, answers: Sequence[Sequence[str]]) -> tuple[list[str], list[Ragged]]:
    """Answers that are the same for all clips, and the words with theirs.

    >>> words, (always,) = constants(["sad"], 2, [["angry", "sad"]])
    >>> words, always.ids, always.starts
    (['sad', 'angry'], array([1, 0, 1, 0]), array([0, 2, 4]))
    """
    every = list(dict.fromkeys([*words, *(word for answer in answers for word in answer)]))
    place = {word: i for i, word in enumerate(every)}
    return every, [
        Ragged(
            np.tile(np.array([place[word] for word in answer], dtype=np.int64), clips),
            np.arange(clips + 1) * len(answer),
        )
        for answer in answers
    ]


def named(answer: Sequence[str]) -> str:
    """How a constant answer is written: `[angry, sad, happy]`."""
    shown = ", ".join(word[:LONGEST] for word in answer[:9]) + (", …" if len(answer) > 9 else "")
    return f"[{shown}]"


def skipping(clips: int, reasons: Mapping[str, np.ndarray]) -> tuple[Int64[np.ndarray, "scored"], dict[str, int]]:
    """Places of the clips that no reason leaves out, and how many each reason does; the first that holds counts.

    >>> skipping(3, {"no gold": np.array([True, False, False])})
    (array([1, 2]), {'no gold': 1})
    """
    left = np.ones(clips, dtype=bool)
    counts = {}
    for reason, holds in reasons.items():
        if count := int(np.count_nonzero(left & holds)):
            counts[reason] = count
        left &= ~holds
    return np.flatnonzero(left), counts
