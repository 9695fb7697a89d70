"""Numbers that the field has published, each with its source, its protocol and the form in which it was read.

    published("ovmerd_plus")     # rows for one data set
    means("mer_unibench")        # rows of means over a benchmark, only those that a source prints

The table is `published.yaml`. A number without its protocol misleads: a row that took the best checkpoint of each test
set stands above one that kept a single checkpoint for all, whatever the systems are worth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from emer.errors import ConfigError
from emer.tables import table


@dataclass(frozen=True, slots=True)
class Source:
    """Where a number was printed."""

    citation: str
    table: str
    seen_in: str
    """In which form it was read: the paper, or what somebody wrote of it."""


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One number that somebody published."""

    system: str
    inputs: str
    """`A+V+T`: audio, video, text."""
    metric: str
    """A name of `emer score --metric`, or words where emer has no such metric."""
    score: float
    """As printed: percent, unless `metric` says of how much."""
    checkpoint: str
    """`best per test set`, `one`, or `not stated`."""
    protocol: str
    """The same at length: which checkpoint, chosen on what."""
    source: Source
    note: str = ""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Data sets whose scores are averaged to one number."""

    name: str
    title: str
    sets: Mapping[str, str]
    """Data set to metric."""
    clips: Mapping[str, int]
    """Data set to the number of its test clips."""
    tables: str
    """The emotion tables of its scores, as `emer.emotions.wheel_files` names them."""
    note: str


@cache
def benchmark(name: str = "mer_unibench") -> Benchmark:
    """A named benchmark. Raises ConfigError.

    >>> len(benchmark().sets), benchmark().sets["meld"]
    (9, 'hit_rate')
    """
    known = _file()["benchmarks"]
    if name not in known:
        raise ConfigError(f"no benchmark is named {name!r}; choose one of {', '.join(known)}")
    return Benchmark(name=name, note=note(name), **known[name])


@cache
def published(data: str) -> tuple[PublishedRow, ...]:
    """Every published number on a data set, empty where none is known; with any metric, so compare like with like.

    >>> [row.score for row in published("meld") if row.system == "Qwen-Audio"]
    [49.09]
    """
    sets = list(benchmark().sets)
    wide = [
        _row(row, benchmark().sets[data], row["scores"][sets.index(data)])
        for row in _file()["mer_unibench"]
        if data in sets
    ]
    return (*wide, *(_row(row, row["metric"], row["score"]) for row in _file()["single"] if row["set"] == data))


@cache
def means() -> tuple[PublishedRow, ...]:
    """The means over MER-UniBench as their sources print them, in order of size.

    >>> means()[-1].system, means()[-1].score
    ('AffectGPT-R1', 79.48)
    """
    rows = [_row(row, "mean", row["mean"]) for row in (*_file()["mer_unibench"], *_file()["means"])]
    return tuple(sorted(rows, key=lambda row: row.score))


def note(name: str) -> str:
    """What a reader of the rows of a data set or benchmark must know; empty where nothing is noted."""
    return str(_file()["notes"].get(name, "")).strip()


def _row(row: Mapping[str, Any], metric: str, score: float) -> PublishedRow:
    protocol = _file()["protocols"][row["protocol"]]
    return PublishedRow(
        system=row["system"],
        inputs=row["inputs"],
        metric=metric,
        score=float(score),
        checkpoint=protocol["checkpoint"],
        protocol=protocol["means"],
        source=Source(**_file()["sources"][row["source"]]),
        note=row.get("note", ""),
    )


def _file() -> Mapping[str, Any]:
    found: Mapping[str, Any] = table("emer.bench", "published.yaml")
    return found
