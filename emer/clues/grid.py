"""Curves on a regular grid of time: spans laid on it, stretches of it, fewer points to look at."""

from collections.abc import Callable, Sequence
from math import ceil

import numpy as np
from jaxtyping import Bool, Float, Int

from emer.types import Modality, Span, Track

POINTS = 2000
"""Most points of a curve that people look at (`emer.types.Track`)."""


def covered(spans: Sequence[Span], start: float, step: float, count: int) -> Bool[np.ndarray, "step"]:
    """True for each of `count` steps from `start` on whose middle lies in a span.

    >>> covered([Span(0.3, 0.5)], 0.0, 0.2, 4).tolist()
    [False, True, False, False]
    """
    inside = np.zeros(count, bool)
    for span in spans:
        first, end = (max(0, ceil(round((time - start) / step - 0.5, 6))) for time in (span.start, span.end))
        inside[first:end] = True
    return inside


def runs(mask: Bool[np.ndarray, "step"]) -> Int[np.ndarray, "run two=2"]:
    """First step and one past the last of each stretch of True.

    >>> runs(np.array([True, False, True, True])).tolist()
    [[0, 1], [2, 4]]
    """
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)], axis=1)


def to_look_at(
    name: str,
    modality: Modality,
    unit: str,
    values: Float[np.ndarray, "step"],
    start: float,
    step: float,
    summary: Callable[[Float[np.ndarray, "known"]], np.floating] = np.mean,
    digits: int = 3,
) -> Track:
    """The curve with at most 2,000 points, each the `summary` of a few neighbours, at the middle of their times.

    `start` is the time of the first value; NaN is unknown and becomes None where no neighbour is known.

    >>> to_look_at("pitch", "audio", "Hz", np.array([1.0, np.nan]), 5.0, 0.1).values
    (1.0, None)
    """
    fold = max(1, -(-len(values) // POINTS))
    points: list[float | None] = []
    for first in range(0, len(values), fold):
        part = values[first : first + fold]
        known = part[np.isfinite(part)]
        points.append(round(float(summary(known)), digits) if len(known) else None)
    return Track(name, modality, unit, start + (fold - 1) * step / 2, step * fold, tuple(points))
