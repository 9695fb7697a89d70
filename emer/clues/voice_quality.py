"""Period by period: jitter and shimmer of the voice.

Periods are found by waveform matching (I. Titze and H. Liang (1993), "Comparison of F0 extraction methods for
high-precision voice perturbation measurements", J. Speech Hear. Res. 36, 1120-1133): the shift at which one period
looks most like the next. Marks one period apart come from the pitch curve first and from the matched periods then.
Exclusions follow P. Boersma and D. Weenink, Praat: consecutive periods may differ 1.3-fold, amplitudes 1.6-fold.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from emer.clues.frames import HOP
from emer.clues.grid import runs
from emer.types import SAMPLE_RATE

SHORTEST_SHIFT, LONGEST_SHIFT = 0.8, 1.25
"""Periods between which the match is looked for."""
LEAST_MATCH = 0.3
"""Correlation below which two periods are no match."""
PERIOD_FACTOR, AMPLITUDE_FACTOR = 1.3, 1.6
BEST_HNR_DB = 40.0
"""Ceiling of the harmonics-to-noise ratio: beyond it the window, not the voice, is measured."""


@dataclass(frozen=True, slots=True)
class Marks:
    """One mark per period of voice. Times and periods are in samples; `run` numbers the voiced stretches."""

    time: Float[np.ndarray, "mark"]
    expected: Float[np.ndarray, "mark"]
    """Period that the pitch curve says."""
    run: Int[np.ndarray, "mark"]


@dataclass(frozen=True, slots=True)
class Periods:
    """What was measured at each mark; NaN where the next period does not resemble this one."""

    length: Float[np.ndarray, "mark"]
    """Samples to the next period."""
    amplitude: Float[np.ndarray, "mark"]
    """Hann-weighted root mean square of the period."""


def harmonics_to_noise_db(strength: Float32[np.ndarray, "frame"]) -> Float32[np.ndarray, "frame"]:
    """10 log10(r / (1 - r)) of the autocorrelation r at the period (Boersma 1993, equation 4); NaN if unvoiced."""
    most = 1 / (1 + 10 ** (-BEST_HNR_DB / 10))
    r = np.clip(strength, 1e-3, most)
    return np.where(strength > 0, 10 * np.log10(r / (1 - r)), np.nan).astype(np.float32)


def jitter_and_shimmer(
    samples: Float32[np.ndarray, "sample"], hz: Float32[np.ndarray, "frame"]
) -> tuple[Float32[np.ndarray, "frame"], Float32[np.ndarray, "frame"]]:
    """Relative difference of consecutive periods and of their amplitudes, averaged within each frame.

    Both are shares (0.01 is one per cent); NaN in frames without two periods in a row.
    """
    marks = _marks_along(samples, hz)
    if len(marks.time) < 3:
        nothing = np.full(len(hz), np.nan, np.float32)
        return nothing, nothing.copy()
    marks = _rechain(samples, marks, _match(samples, marks))
    periods = _match(samples, marks)
    near = _alike(periods.length, PERIOD_FACTOR) & (marks.run[1:] == marks.run[:-1])
    near_too = near & _alike(periods.amplitude, AMPLITUDE_FACTOR)
    frame = (marks.time[1:] / HOP).astype(int)
    return (
        _frame_means(_relative_difference(periods.length), near, frame, len(hz)),
        _frame_means(_relative_difference(periods.amplitude), near_too, frame, len(hz)),
    )


def _marks_along(samples: Float32[np.ndarray, "sample"], hz: Float32[np.ndarray, "frame"]) -> Marks:
    """Marks where the phase of the pitch curve is whole, counted from each stretch's largest sample."""
    times, expected, numbers = [], [], []
    for number, (a, b) in enumerate(runs(hz > 0).tolist()):
        centre = (np.arange(a, b) + 0.5) * HOP
        time = np.concatenate([[a * HOP], centre, [b * HOP]])
        frequency = np.concatenate([hz[a : a + 1], hz[a:b], hz[b - 1 : b]]).astype(np.float64)
        phase = np.concatenate([[0], np.cumsum((frequency[1:] + frequency[:-1]) / 2 * np.diff(time) / SAMPLE_RATE)])
        largest = a * HOP + int(np.abs(samples[a * HOP : b * HOP]).argmax())
        whole = np.arange(np.interp(largest, time, phase) % 1, phase[-1], 1.0)
        at = np.interp(whole, phase, time)
        times.append(at)
        expected.append(SAMPLE_RATE / np.interp(at, time, frequency))
        numbers.append(np.full(len(at), number))
    if not times:
        return Marks(np.zeros(0), np.zeros(0), np.zeros(0, np.int64))
    return Marks(np.concatenate(times), np.concatenate(expected), np.concatenate(numbers))


def _match(samples: Float32[np.ndarray, "sample"], marks: Marks) -> Periods:
    """Match the period at every mark with the next one, marks of like period at a time."""
    length, amplitude = np.full(len(marks.time), np.nan), np.zeros(len(marks.time))
    padded = np.pad(samples, SAMPLE_RATE // 20)
    at = np.round(marks.time).astype(np.int64) + SAMPLE_RATE // 20
    group = np.floor(np.log(marks.expected) / np.log(LONGEST_SHIFT)).astype(int)
    for number in np.unique(group):
        own = np.flatnonzero(group == number)
        length[own], amplitude[own] = _match_group(padded, at[own], marks.expected[own])
    return Periods(length, amplitude)


def _match_group(
    samples: Float32[np.ndarray, "sample"], at: Int[np.ndarray, "mark"], expected: Float[np.ndarray, "mark"]
) -> tuple[Float[np.ndarray, "mark"], Float[np.ndarray, "mark"]]:
    """Lag of the highest normalised cross-correlation (parabola through three lags), and the amplitude."""
    width = int(np.ceil(expected.max()))
    first = int(SHORTEST_SHIFT * expected.min()) - 1
    last = int(np.ceil(LONGEST_SHIFT * expected.max())) + 1
    start = at[:, None] - width // 2
    here = samples[start + np.arange(width)]
    there = samples[start + first + np.arange(width + last - first)]
    product = np.einsum("mlw,mw->ml", np.lib.stride_tricks.sliding_window_view(there, width, axis=1), here)
    power = np.pad(np.cumsum(there.astype(np.float64) ** 2, axis=1), ((0, 0), (1, 0)))
    own_power = (here.astype(np.float64) ** 2).sum(axis=1, keepdims=True)
    match = product / np.sqrt(np.maximum((power[:, width:] - power[:, :-width]) * own_power, 1e-20))
    lag = first + np.arange(match.shape[1])
    allowed = (lag >= SHORTEST_SHIFT * expected[:, None]) & (lag <= LONGEST_SHIFT * expected[:, None])
    best = np.clip(np.where(allowed, match, -2).argmax(axis=1), 1, len(lag) - 2)
    rows = np.arange(len(at))
    y0, y1, y2 = match[rows, best - 1], match[rows, best], match[rows, best + 1]
    is_peak = (y1 >= y0) & (y1 >= y2) & (2 * y1 > y0 + y2) & (y1 > LEAST_MATCH)
    shift = 0.5 * (y2 - y0) / np.where(is_peak, 2 * y1 - y0 - y2, 1)
    weight = np.hanning(width + 2)[1:-1]
    amplitude = np.sqrt((here.astype(np.float64) ** 2 @ weight) / weight.sum())
    return np.where(is_peak, lag[best] + shift, np.nan), amplitude


def _rechain(samples: Float32[np.ndarray, "sample"], marks: Marks, periods: Periods) -> Marks:
    """Marks set one matched period after the other, so that each lies at the same place of its cycle."""
    time = marks.time.copy()
    step = np.where(np.isfinite(periods.length), periods.length, marks.expected)
    level = np.abs(samples[np.clip(np.round(time).astype(np.int64), 0, len(samples) - 1)])
    starts = np.flatnonzero(np.diff(marks.run, prepend=-1))
    for a, b in zip(starts, np.append(starts[1:], len(time)), strict=True):
        chain = np.concatenate([[0], np.cumsum(step[a : b - 1])])
        anchor = int(level[a:b].argmax())
        time[a:b] = chain - chain[anchor] + time[a + anchor]
    return replace(marks, time=np.clip(time, 0, len(samples) - 1))


def _alike(values: Float[np.ndarray, "mark"], factor: float) -> Bool[np.ndarray, "pair"]:
    """Pairs of neighbours within `factor` of each other; False where one is NaN."""
    a, b = values[:-1], values[1:]
    return np.asarray((np.maximum(a, b) < factor * np.minimum(a, b)) & (np.minimum(a, b) > 0))


def _relative_difference(values: Float[np.ndarray, "mark"]) -> Float[np.ndarray, "pair"]:
    a, b = values[:-1], values[1:]
    return np.asarray(2 * np.abs(a - b) / np.maximum(a + b, 1e-12))


def _frame_means(
    values: Float[np.ndarray, "pair"], wanted: Bool[np.ndarray, "pair"], frame: Int[np.ndarray, "pair"], frames: int
) -> Float32[np.ndarray, "frame"]:
    at = np.clip(frame[wanted], 0, frames - 1)
    count = np.bincount(at, minlength=frames)
    total = np.bincount(at, weights=values[wanted], minlength=frames)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
