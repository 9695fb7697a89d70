"""Methods against each other: mean and spread over seeds, and differences that other speakers would show too.

A difference between two methods is taken on the same test rows. A replicate draws speakers with replacement (rows
where nobody knows the speakers), scores each seed of both methods on the rows drawn, and takes the difference of
the means over seeds; the interval holds the middle 95 % (`emer.metrics.bootstrap`). It speaks about other people
with these trained seeds; what other seeds would give is seen in the spread beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64

from emer.bench.answers import Answers
from emer.bench.scoring import Scores, figures
from emer.errors import ConfigError
from emer.metrics.bootstrap import REPLICATES, Interval, difference_of_means, interval
from emer.metrics.selective import aurc

Measure = Literal["aurc", "accuracy", "nll", "brier"]
"""`accuracy` is 1 - risk: for label sets the sample F1."""
RISING: tuple[Measure, ...] = ("accuracy",)
"""Measures that are better when larger."""

Finding = Literal["better", "worse", "no difference shown"]


@dataclass(frozen=True, slots=True)
class Spread:
    """A score over seeds."""

    mean: float
    sd: float | None
    """Standard deviation of a sample (n - 1); None for a single seed."""
    seeds: int
    """Seeds in which the score is defined."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The mean score of one method less that of another, on the same rows."""

    measure: Measure
    difference: float
    low: float
    high: float
    finding: Finding
    """`better` or `worse` when the interval leaves out 0."""
    n: int
    groups: int
    resampled: Literal["groups", "rows"]
    """Speakers, or rows where nobody knows them."""
    replicates: int


def spreads(seeds: Sequence[Scores]) -> dict[str, Spread]:
    """Mean and standard deviation over seeds of every figure (`emer.bench.scoring.figures`) of a method."""
    told = [figures(scores) for scores in seeds]
    return {
        name: spread([each[name] for each in told if name in each])
        for name in dict.fromkeys(n for t in told for n in t)
    }


def spread(values: Sequence[float]) -> Spread:
    """Mean and standard deviation of one score over seeds.

    >>> spread([0.5, 1.0, 1.5])
    Spread(mean=1.0, sd=0.5, seeds=3)
    """
    array = np.array(values, dtype=np.float64)
    return Spread(float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else None, len(array))


def compare(
    ours: Sequence[Answers],
    theirs: Sequence[Answers],
    measure: Measure,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Comparison:
    """Score of `ours` less that of `theirs`, one `Answers` a seed; the numbers of seeds may differ.

    Raises ConfigError when the test rows are not the same set.
    """
    if not ours or not theirs:
        raise ConfigError("there is nothing to compare; give the answers of at least one seed of both methods")
    rows, speakers = ours[0].rows, ours[0].speakers
    first, second = ([_in_order(each, rows) for each in seeds] for seeds in (ours, theirs))
    # One speaker alone shows no spread between speakers; then rows are all there is to draw.
    groups = None if speakers is None or len(set(speakers)) < 2 else list(speakers)
    if measure == "aurc":
        gap = _aurc_gap(first, second)
        found = interval(gap, np.arange(len(rows)), groups=groups, replicates=replicates, seed=seed)
    else:
        columns = [
            np.mean([_row_scores(each, measure) for each in seeds], axis=0)[:, None] for seeds in (first, second)
        ]
        found = difference_of_means(*columns, groups=groups, replicates=replicates, seed=seed)
    return _comparison(measure, found)


def best_method(methods: Mapping[str, Sequence[Answers]], measure: Measure) -> str:
    """The method with the best mean over seeds; of equals the first."""
    means = {name: mean_score(seeds, measure) for name, seeds in methods.items()}
    return max(means, key=lambda name: means[name] if measure in RISING else -means[name])


def beside_best(
    methods: Mapping[str, Sequence[Answers]], measure: Measure, *, replicates: int = REPLICATES, seed: int = 0
) -> dict[str, Comparison]:
    """Every other method against the best one of the table, by name; a table of one method has none."""
    best = best_method(methods, measure)
    return {
        name: compare(seeds, methods[best], measure, replicates=replicates, seed=seed)
        for name, seeds in methods.items()
        if name != best
    }


def mean_score(seeds: Sequence[Answers], measure: Measure) -> float:
    """The measure, averaged over seeds."""
    if measure == "aurc":
        return float(np.mean([aurc(each.confidence, each.risk) for each in seeds]))
    return float(np.mean([_row_scores(each, measure).mean() for each in seeds]))


# ---------------------------------------------------------------- arithmetic


def _in_order(given: Answers, rows: tuple[str, ...]) -> Answers:
    """The same rows in the order of the other method."""
    if given.rows == rows:
        return given
    if set(given.rows) != set(rows):
        raise ConfigError(
            f"the methods were tested on different rows ({len(set(given.rows) ^ set(rows))} stand in one table only); "
            "compare them on the same"
        )
    place = {row: i for i, row in enumerate(given.rows)}
    return given.take(np.array([place[row] for row in rows]))


def _row_scores(given: Answers, measure: Measure) -> Float64[np.ndarray, "row"]:
    if measure == "accuracy":
        return 1 - given.risk
    return given.nll_rows() if measure == "nll" else given.brier_rows()


def _aurc_gap(ours: Sequence[Answers], theirs: Sequence[Answers]) -> Callable[[Int64[np.ndarray, "drawn"]], float]:
    """Mean AURC of ours less that of theirs on drawn rows."""
    first, second = _aurc_of_draws(tuple(ours)), _aurc_of_draws(tuple(theirs))
    return lambda drawn: first(drawn) - second(drawn)


@lru_cache(maxsize=64)
def _aurc_of_draws(seeds: tuple[Answers, ...]) -> Callable[[Int64[np.ndarray, "drawn"]], float]:
    """Mean AURC over seeds on drawn rows: ranked once, and each draw scored once however often it comes back.

    Every comparison of a table draws the same rows, so that a method in many of them costs as much as in one.
    """
    ranked, n = [_ranked(each) for each in seeds], len(seeds[0].rows)
    harmonic, known = harmonic_numbers(2 * n), dict[bytes, float]()

    def mean(drawn: Int64[np.ndarray, "drawn"]) -> float:
        key = sha256(drawn.tobytes()).digest()
        if key not in known:
            numbers = harmonic if len(drawn) < len(harmonic) else harmonic_numbers(len(drawn))
            times = np.bincount(drawn, minlength=n)
            known[key] = float(np.mean([repeated_aurc(*each, times, numbers) for each in ranked]))
        return known[key]

    return mean


def _ranked(
    given: Answers,
) -> tuple[Int64[np.ndarray, "row"], Int64[np.ndarray, "step"], Float64[np.ndarray, "row"]]:
    """Rows from the most confident down, where each new confidence starts, and the risks in that order."""
    order = np.argsort(-given.confidence, kind="stable")
    sure = given.confidence[order]
    return order, np.flatnonzero(np.append(True, sure[1:] != sure[:-1])), given.risk[order]


def harmonic_numbers(most: int) -> Float64[np.ndarray, "number"]:
    """H(0) ... H(most), H(k) = 1 + 1/2 + ... + 1/k.

    >>> harmonic_numbers(3).round(4)
    array([0.    , 1.    , 1.5   , 1.8333])
    """
    return np.append(0.0, np.cumsum(1 / np.arange(1, most + 1)))


def repeated_aurc(
    order: Int64[np.ndarray, "row"],
    start: Int64[np.ndarray, "step"],
    risk: Float64[np.ndarray, "row"],
    times: Int64[np.ndarray, "row"],
    harmonic: Float64[np.ndarray, "number"],
) -> float:
    """`emer.metrics.selective.aurc` of ranked rows that come `times` each, in closed form over ties.

    In a tie of m rows with mean risk r after A rows of summed risk T, the summed risk at k is T + (k - A) r, so that
    sum_k (T + (k - A) r) / k = m r + (T - A r) (H(A + m) - H(A)).
    """
    drawn = times[order]
    size = np.add.reduceat(drawn, start)
    summed = np.add.reduceat(drawn * risk, start)
    size, summed = size[size > 0], summed[size > 0]
    mean, accepted, total = summed / size, np.cumsum(size), np.cumsum(summed)
    before, after = accepted - size, harmonic[accepted] - harmonic[accepted - size]
    return float((summed + (total - summed - before * mean) * after).sum() / accepted[-1])


def _comparison(measure: Measure, found: Interval) -> Comparison:
    finding: Finding = "no difference shown"
    if found.low > 0 or found.high < 0:
        finding = "better" if (found.low > 0) == (measure in RISING) else "worse"
    return Comparison(
        measure=measure,
        difference=found.score,
        low=found.low,
        high=found.high,
        finding=finding,
        n=found.n,
        groups=found.groups,
        resampled=found.resampled,
        replicates=found.replicates,
    )
