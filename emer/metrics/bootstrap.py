"""How far a score can be believed: percentile intervals from resampled speakers, or rows where none are known.

A replicate draws as many groups as there are, with replacement, and scores their rows together; the interval holds
the middle 95 % of the replicates. Rows of one speaker resemble each other, so resampling rows would promise too much.
Two systems are compared on the same draws of the same rows: what they share cancels out.

Two ways in, one result:

* `interval(metric, confidence, right)` takes any metric and calls it once a replicate.
* `interval_of_means(columns, score)` takes scores that are functions of column means (accuracy, Brier, UAR, micro F1,
  trusted scores at a threshold, ...): all replicates are one product of matrices. For it, more than `MOST_UNITS` rows
  without groups are first dealt at random into that many bags, which are resampled instead: the spread is the same
  (bags are as independent as rows), known to 1 part in 100.

Source: Efron & Tibshirani 1993, chapters 13 (percentile interval) and 8 (resampling whole units).
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64, Int64, Real, Shaped

from emer.metrics import checks
from emer.metrics.errors import MetricError

Groups = Collection[str] | Collection[int] | Shaped[np.ndarray, "row"]
Column = Shaped[np.ndarray, "row ..."]
Metric = Callable[..., float]
Score = Callable[[Float[np.ndarray, "*batch column"]], Float[np.ndarray, "*batch"]]

MOST_UNITS = 5000
REPLICATES = 1000
AT_ONCE = 100_000
"""Draws that are counted at once: so many stay in the processor's cache, which makes them four times as fast."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A score and where it would probably fall with other speakers (or rows) like these."""

    score: float
    low: float
    high: float
    level: float
    n: int
    """Rows."""
    groups: int
    """Speakers, or rows where no speakers are known. Under about ten, intervals are too narrow."""
    resampled: Literal["groups", "rows"]
    replicates: int
    """Replicates in which the metric is defined: one that is nan (one class alone, say) is left out."""


# ---------------------------------------------------------------- any metric


def interval(
    metric: Metric,
    *columns: Column,
    groups: Groups | None = None,
    replicates: int = REPLICATES,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The score of `metric(*columns)` with its interval; `columns` are arrays with one entry a row.

    >>> right = np.array([1, 1, 1, 1, 0, 0])
    >>> found = interval(np.mean, right, groups=["ann", "ann", "bo", "bo", "cy", "cy"])
    >>> round(found.score, 4), found.low, found.high, found.n, found.groups
    (0.6667, 0.0, 1.0, 6, 3)
    """
    return _compared(
        lambda rows: float(metric(*(c[rows] for c in columns))), _rows(columns), groups, replicates, level, seed
    )


def difference(
    metric: Metric,
    first: tuple[Column, ...],
    second: tuple[Column, ...],
    *,
    groups: Groups | None = None,
    replicates: int = REPLICATES,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """`metric(*first) - metric(*second)` for two systems on the same rows; an interval without 0 tells them apart.

    >>> ours, theirs = np.array([1, 1, 1, 0]), np.array([1, 1, 0, 0])
    >>> found = difference(np.mean, (ours,), (theirs,))
    >>> found.score, found.low, found.high
    (0.25, 0.0, 0.75)
    """
    n = _rows([*first, *second])

    def gap(rows: Int64[np.ndarray, "drawn"]) -> float:
        return float(metric(*(c[rows] for c in first))) - float(metric(*(c[rows] for c in second)))

    return _compared(gap, n, groups, replicates, level, seed)


def _compared(
    score: Callable[[Int64[np.ndarray, "drawn"]], float],
    n: int,
    groups: Groups | None,
    replicates: int,
    level: float,
    seed: int,
) -> Interval:
    unit, units = _units(n, groups)
    order = np.argsort(unit, kind="stable")
    first = np.searchsorted(unit[order], np.arange(units + 1))
    size = np.diff(first)
    drawn = [
        score(order[_joined(first[picks], size[picks])]) for some in _draws(units, replicates, seed) for picks in some
    ]
    return _percentiles(score(np.arange(n)), np.array(drawn), level, n, units, groups)


def _joined(first: Int64[np.ndarray, "picked"], size: Int64[np.ndarray, "picked"]) -> Int64[np.ndarray, "drawn"]:
    """The ranges first, first + 1, ..., first + size - 1, one after the other."""
    begins = np.cumsum(size) - size
    return np.asarray(np.arange(size.sum()) + np.repeat(first - begins, size))


# ---------------------------------------------------------------- functions of means


def first_mean(means: Float[np.ndarray, "*batch column"]) -> Float[np.ndarray, "*batch"]:
    """The score of a single column: its mean."""
    return np.asarray(means[..., 0])


def interval_of_means(
    columns: Real[np.ndarray, "row column"],
    score: Score = first_mean,
    *,
    groups: Groups | None = None,
    replicates: int = REPLICATES,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The interval of `score(column means)`; `score` takes all replicates at once, over its last axis.

    For accuracy, one column that is 1 where a row is right. For trusted F1 at a threshold, the columns trusted,
    right, and both: `lambda m: 2 * m[..., 2] / (m[..., 0] + m[..., 1])`.

    >>> found = interval_of_means(np.array([[1], [1], [1], [0]]), seed=1)
    >>> found.score, found.low, found.high, found.resampled
    (0.75, 0.25, 1.0, 'rows')
    """
    return _of_means(columns, score, groups, replicates, level, seed)


def difference_of_means(
    first: Real[np.ndarray, "row column"],
    second: Real[np.ndarray, "row column"],
    score: Score = first_mean,
    *,
    groups: Groups | None = None,
    replicates: int = REPLICATES,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The interval of `score(means of first) - score(means of second)`, drawn together.

    >>> found = difference_of_means(np.array([[1], [1], [0]]), np.array([[1], [0], [0]]))
    >>> round(found.score, 4), found.low
    (0.3333, 0.0)
    """
    checks.same_length(first=first, second=second)
    split = first.shape[1]

    def gap(means: Float[np.ndarray, "*batch column"]) -> Float[np.ndarray, "*batch"]:
        return np.asarray(score(means[..., :split]) - score(means[..., split:]))

    return _of_means(np.concatenate([first, second], axis=1), gap, groups, replicates, level, seed)


def interval_of_counts(
    codes: Int64[np.ndarray, "row"],
    cells: int,
    score: Score,
    *,
    groups: Groups | None = None,
    replicates: int = REPLICATES,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The same for rows that each fall into one of `cells` cells; `score` sees the share of rows in each cell.

    >>> from emer.metrics.classification import confusion_codes, uar
    >>> codes, labels = confusion_codes(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]))
    >>> found = interval_of_counts(codes, labels**2, lambda m: uar(m.reshape(*m.shape[:-1], labels, labels)))
    >>> round(found.score, 4)
    0.8333
    """
    where = checks.label_ids("codes", codes, cells)
    unit, units = _bags(len(where), groups, seed)
    sums = np.bincount(unit * cells + where, minlength=units * cells).reshape(units, cells)
    return _replicated(sums.astype(np.float64), unit, score, groups, replicates, level, seed)


def _of_means(
    columns: Real[np.ndarray, "row column"],
    score: Score,
    groups: Groups | None,
    replicates: int,
    level: float,
    seed: int,
) -> Interval:
    table = checks.numbers("columns", columns)
    unit, units = _bags(len(table), groups, seed)
    sums = np.stack([np.bincount(unit, weights=column, minlength=units) for column in table.T], axis=1)
    return _replicated(sums, unit, score, groups, replicates, level, seed)


def _replicated(
    sums: Float64[np.ndarray, "unit column"],
    unit: Int64[np.ndarray, "row"],
    score: Score,
    groups: Groups | None,
    replicates: int,
    level: float,
    seed: int,
) -> Interval:
    """Scores of all replicates from the sums of each unit."""
    units = len(sums)
    size = np.bincount(unit, minlength=units)
    drawn = []
    for picks in _draws(units, replicates, seed):
        offsets = np.arange(len(picks))[:, None] * units
        times = np.bincount((picks + offsets).ravel(), minlength=picks.shape[0] * units).reshape(-1, units)
        drawn.append(score(times @ sums / (times @ size)[:, None]))
    known = units if groups is not None else len(unit)
    whole = float(score(sums.sum(axis=0) / len(unit)))
    return _percentiles(whole, np.concatenate(drawn), level, len(unit), known, groups)


# ---------------------------------------------------------------- drawing


def _rows(columns: Collection[Column]) -> int:
    if not columns:
        raise MetricError("there is nothing to resample; give the arrays that the metric takes")
    checks.same_length(**{f"column {i}": column for i, column in enumerate(columns)})
    return len(next(iter(columns)))


def _units(n: int, groups: Groups | None) -> tuple[Int64[np.ndarray, "row"], int]:
    """The number of the group that each row belongs to, and how many groups there are."""
    if n == 0:
        raise MetricError("there are no rows: nothing can be resampled")
    if groups is None:
        return np.arange(n), n
    names = checks.row_ids("groups", groups)
    checks.same_length(rows=range(n), groups=names)
    known, unit = np.unique(np.asarray(names), return_inverse=True)
    if len(known) < 2:
        raise MetricError(
            f"all {n} rows belong to one group ({known[0]}): resampling it shows no spread; leave groups out"
        )
    return unit.astype(np.int64), len(known)


def _bags(n: int, groups: Groups | None, seed: int) -> tuple[Int64[np.ndarray, "row"], int]:
    """As `_units`, but many single rows are dealt into bags of nearly equal size."""
    if groups is not None or n <= MOST_UNITS:
        return _units(n, groups)
    return np.random.default_rng(seed).permutation(n) % MOST_UNITS, MOST_UNITS


def _draws(units: int, replicates: int, seed: int) -> Iterator[Int64[np.ndarray, "replicate unit"]]:
    """Which units each replicate draws, some replicates at a time; how many changes nothing in what is drawn."""
    checks.positive("replicates", replicates)
    rng = np.random.default_rng([seed, units])
    some = max(1, min(replicates, AT_ONCE // units))
    for begin in range(0, replicates, some):
        yield rng.integers(0, units, size=(min(some, replicates - begin), units))


def _percentiles(
    score: float, drawn: Float64[np.ndarray, "replicate"], level: float, n: int, units: int, groups: Groups | None
) -> Interval:
    outside = (1 - checks.fraction("level", level)) / 2
    defined = drawn[~np.isnan(drawn)]
    low, high = np.quantile(defined, [outside, 1 - outside]) if defined.size else (np.nan, np.nan)
    resampled: Literal["groups", "rows"] = "rows" if groups is None else "groups"
    return Interval(score, float(low), float(high), level, n, units, resampled, len(defined))
