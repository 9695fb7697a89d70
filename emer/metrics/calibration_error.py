"""Calibration: of the predictions made with confidence c, is the share c right?

Rows are put into bins by confidence; with n_b rows, mean confidence c_b and share right y_b in bin b of n rows:

    ECE            = sum_b n_b/n |y_b - c_b|
    debiased ECE   = sqrt(max(0, sum_b n_b/n [(y_b - c_b)^2 - s_b^2/n_b])), s_b^2 the sample variance of right in b

Bins are of equal width in [0, 1] (closed below; the last also above) or of equal mass. Equal-mass bins never part
rows of one confidence: all go where the middle one of them falls, so the order of the rows does not matter.

ECE is never 0 at finite n, also for a perfectly calibrated system: read it beside `perfect_band`, the values that
such a system shows. The debiased form (of the root mean square, not of the mean) has that floor taken off.

Right may be a share instead of yes or no: the share of people who chose the predicted label.

Sources: Naeini et al. 2015, Guo et al. 2017 (ECE); Nguyen & O'Connor 2015 (equal mass); Bröcker 2012 and
Kumar, Liang & Ma 2019, section 4 (debiased).
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float64, Int64, Real, Shaped

from emer.metrics import checks
from emer.metrics.errors import MetricError

Binning = Literal["mass", "width"]

CELLS = 1000
"""The band is drawn from cells this fine: rows whose confidence differs by less than 1/1000 share one.

The variance of their sum is off by the variance of confidence within a cell: below 1e-7 a row, against c (1 - c).
"""


@dataclass(frozen=True, slots=True)
class Reliability:
    """The reliability diagram: one entry for each bin that holds rows, in order of confidence."""

    count: Int64[np.ndarray, "bin"]
    confidence: Float64[np.ndarray, "bin"]
    """Mean confidence."""
    right: Float64[np.ndarray, "bin"]
    """Share right."""
    variance: Float64[np.ndarray, "bin"]
    """Estimated variance of `right`: s^2 / n; 0 for a bin of one row, which shows none."""


@dataclass(frozen=True, slots=True)
class Band:
    """The ECE that a perfectly calibrated system with these confidences shows at this n."""

    mean: float
    upper: float
    """Its quantile at `level`: an ECE at or below it is no evidence against calibration."""
    level: float
    simulations: int
    n: int


def reliability(
    confidence: Real[np.ndarray, "row"],
    right: Shaped[np.ndarray, "row"],
    *,
    bins: int = 15,
    binning: Binning = "mass",
) -> Reliability:
    """Confidence and share right, bin by bin.

    >>> r = reliability(np.array([0.9, 0.7, 0.3, 0.1]), np.array([1, 1, 1, 0]), bins=2)
    >>> r.count, r.confidence, r.right
    (array([2, 2]), array([0.2, 0.8]), array([0.5, 1. ]))
    """
    checks.same_length(confidence=confidence, right=right)
    sure, correct = checks.fractions("confidence", confidence), checks.fractions("right", right)
    which = bin_numbers(sure, bins, binning)
    count = np.bincount(which, minlength=bins)
    held = count > 0
    count = count[held]
    mean, share, squares = (
        np.bincount(which, weights=values, minlength=bins)[held] / count for values in (sure, correct, correct**2)
    )
    variance = np.maximum(squares - share**2, 0.0) / np.maximum(count - 1, 1)
    return Reliability(count, mean, share, variance)


def ece(
    confidence: Real[np.ndarray, "row"],
    right: Shaped[np.ndarray, "row"],
    *,
    bins: int = 15,
    binning: Binning = "mass",
) -> float:
    """Expected calibration error, in [0, 1]; 0 is perfect and out of reach (see `perfect_band`).

    Two bins: confidence .2 with 1/2 right and .8 with 2/2 right: (2/4) .3 + (2/4) .2 = .25.

    >>> round(ece(np.array([0.9, 0.7, 0.3, 0.1]), np.array([1, 1, 1, 0]), bins=2), 4)
    0.25
    """
    r = reliability(confidence, right, bins=bins, binning=binning)
    return float(np.sum(r.count * np.abs(r.right - r.confidence)) / r.count.sum())


def debiased_ece(
    confidence: Real[np.ndarray, "row"],
    right: Shaped[np.ndarray, "row"],
    *,
    bins: int = 15,
    binning: Binning = "mass",
) -> float:
    """Root mean square calibration error without what chance alone adds; 0 where nothing else is left.

    The bins above: [(.3^2 - .25/1) + (.2^2 - 0)] / 2 is below 0, so two rows a bin show no miscalibration.
    Fifty copies of each row: s^2/n = .25/99, and [.09 - .00253 + .04] / 2 = .06374 has the root .2525.

    >>> confidence, right = np.array([0.9, 0.7, 0.3, 0.1]), np.array([1, 1, 1, 0])
    >>> debiased_ece(confidence, right, bins=2)
    0.0
    >>> round(debiased_ece(np.tile(confidence, 50), np.tile(right, 50), bins=2), 4)
    0.2525
    """
    r = reliability(confidence, right, bins=bins, binning=binning)
    squared = np.sum(r.count * ((r.right - r.confidence) ** 2 - r.variance)) / r.count.sum()
    return float(np.sqrt(max(0.0, squared)))


def perfect_band(
    confidence: Real[np.ndarray, "row"],
    *,
    bins: int = 15,
    binning: Binning = "mass",
    simulations: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Band:
    """The ECE of `simulations` answer sets in which each row is right with just the probability it states.

    For shares of people it is an upper bound: the mean of several votes varies less than one yes or no.

    One row of confidence .5 has an ECE of .5, whichever way it falls:

    >>> perfect_band(np.array([0.5]), simulations=100)
    Band(mean=0.5, upper=0.5, level=0.95, simulations=100, n=1)
    """
    sure = checks.fractions("confidence", confidence)
    checks.positive("simulations", simulations)
    cells, bin_of_cell, expected = _cells(sure, bin_numbers(sure, bins, binning))
    rng = np.random.default_rng(seed)
    right = rng.binomial(cells[:, None], np.clip(expected / cells, 0, 1)[:, None], size=(len(cells), simulations))
    first = np.flatnonzero(np.diff(bin_of_cell, prepend=-1))
    gaps = np.add.reduceat(right - expected[:, None], first, axis=0)
    drawn = np.abs(gaps).sum(axis=0) / len(sure)
    upper = np.quantile(drawn, checks.fraction("level", level))
    return Band(float(drawn.mean()), float(upper), level, simulations, len(sure))


# ---------------------------------------------------------------- bins


def bin_numbers(confidence: Float64[np.ndarray, "row"], bins: int, binning: Binning) -> Int64[np.ndarray, "row"]:
    """Which bin each row falls into, 0 to bins - 1.

    >>> confidence = np.array([0.1, 0.4, 0.4, 0.9])
    >>> bin_numbers(confidence, 2, "width"), bin_numbers(confidence, 2, "mass")
    (array([0, 0, 0, 1]), array([0, 0, 0, 1]))
    """
    checks.positive("bins", bins)
    if binning not in get_args(Binning):
        raise MetricError(f"there is no binning {binning!r}; choose one of {', '.join(get_args(Binning))}")
    if binning == "width":
        inner = np.linspace(0, 1, bins + 1)[1:-1]
        return np.searchsorted(inner, confidence, side="right")
    return _equal_mass(confidence, bins)


def _equal_mass(confidence: Float64[np.ndarray, "row"], bins: int) -> Int64[np.ndarray, "row"]:
    """The first n mod bins bins hold one row more than the others, but for ties."""
    n = len(confidence)
    order = np.argsort(confidence, kind="stable")
    ranked = confidence[order]
    first = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    size = np.diff(first, append=n)
    ends = np.cumsum(n // bins + (np.arange(bins) < n % bins))
    numbers = np.empty(n, dtype=np.int64)
    numbers[order] = np.repeat(np.searchsorted(ends, first + (size - 1) / 2, side="right"), size)
    return numbers


def _cells(
    confidence: Float64[np.ndarray, "row"], bin_of_row: Int64[np.ndarray, "row"]
) -> tuple[Int64[np.ndarray, "cell"], Int64[np.ndarray, "cell"], Float64[np.ndarray, "cell"]]:
    """Rows of one bin and nearly one confidence together: their number, their bin (rising), their summed confidence."""
    key = bin_of_row * (CELLS + 1) + (confidence * CELLS).astype(np.int64)
    count = np.bincount(key)
    held = np.flatnonzero(count)
    return count[held], held // (CELLS + 1), np.bincount(key, weights=confidence)[held]
