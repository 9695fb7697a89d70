"""Moments at which the voice leaves its usual course: rises, falls, bursts, tremor, pauses, changes of tempo."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.ndimage import binary_closing, median_filter

from emer.clues.events import Event
from emer.clues.frames import STEP
from emer.clues.grid import runs
from emer.clues.prosody import Voice
from emer.clues.tempo import smoothed
from emer.clues.voice_features import semitones, syllable_rate

LEAST_VOICED = 50
"""Voiced frames (0.5 s) below which a clip has no usual course to leave."""
LEAST_SEMITONES = 3.0
"""Smallest rise or fall: only more than 3 semitones matter between people ('t Hart (1981), JASA 69, 811-821)."""
LEAST_DECIBELS = 6.0
SPREADS = 1.5
"""Standard deviations that a rise, fall or burst must exceed besides."""
SHORTEST = 0.1
LONGEST_GAP = 0.15
"""Seconds of unvoiced sound inside one rise, fall or burst."""
NOTED_PAUSE = 0.4
"""Seconds; shorter pauses count in the features and are no event."""
TEMPO_WINDOW = 2.0
TEMPO_HOP = 0.25
TEMPO_FACTOR = 1.3
"""A stretch is fast or slow when its rate leaves the reference by this factor."""
LEAST_SPOKEN = 5.0
"""Seconds of speech below which tempo cannot change noticeably."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What events are measured against; None where there is too little voice to tell."""

    semitones: float | None
    decibels: float | None
    syllable_rate: float | None


def usual_course(voice: Voice) -> Usual:
    """This clip's own medians."""
    if voice.voiced.sum() < LEAST_VOICED:
        return Usual(None, None, None)
    st = semitones(voice.curves.hz)[voice.voiced]
    level = smoothed(voice.curves.intensity_db)[voice.voiced]
    return Usual(float(np.median(st)), float(np.median(level)), syllable_rate(voice, voice.spoken))


def find_events(voice: Voice, usual: Usual) -> list[Event]:
    """All events, unbounded, in time order. The value of rises, falls, bursts and tempo is the distance from usual."""
    found = [*_pauses(voice), *_tempo_changes(voice, usual)]
    if voice.voiced.sum() >= LEAST_VOICED:
        found += [*_pitch_moves(voice, usual), *_bursts(voice, usual), *_tremors(voice)]
    return sorted(found, key=lambda e: (e.start, e.end, e.kind))


def _pitch_moves(voice: Voice, usual: Usual) -> Iterable[Event]:
    if usual.semitones is None:
        return
    at = np.flatnonzero(voice.voiced)
    away = np.full(len(voice.speech), np.nan)
    # A median over 50 ms of voice takes out single octave errors and leaves the slopes.
    away[at] = median_filter(semitones(voice.curves.hz)[at], 5, mode="nearest") - usual.semitones
    least = max(LEAST_SEMITONES, SPREADS * _spread(away[at]))
    for kind, sign in (("pitch_rise", 1.0), ("pitch_fall", -1.0)):
        for a, b in _stretches(sign * away >= least):
            value = float(np.nanmedian(np.where(sign * away[a:b] >= least, away[a:b], np.nan)))
            yield Event(kind, a * STEP, b * STEP, value, abs(value) / least)


def _bursts(voice: Voice, usual: Usual) -> Iterable[Event]:
    if usual.decibels is None:
        return
    away = np.where(voice.speech, smoothed(voice.curves.intensity_db) - usual.decibels, np.nan).astype(np.float64)
    least = max(LEAST_DECIBELS, SPREADS * _spread(away[voice.voiced]))
    for a, b in _stretches(away >= least):
        value = float(np.nanmax(away[a:b]))
        yield Event("loudness_burst", a * STEP, b * STEP, value, value / least)


def _spread(values: Float64[np.ndarray, "value"]) -> float:
    """Standard deviation from the quartiles: 1.349 of them lie between the quartiles of a normal distribution."""
    quarter, three_quarters = np.percentile(values, [25, 75])
    return float(three_quarters - quarter) / 1.349


def _stretches(away: Bool[np.ndarray, "frame"]) -> list[tuple[int, int]]:
    """Stretches of True of at least 0.1 s, gaps of up to 0.15 s closed."""
    gap = round(LONGEST_GAP / STEP)
    closed = binary_closing(np.pad(away, gap), np.ones(gap + 1))[gap:-gap]
    return [(a, b) for a, b in runs(closed).tolist() if away[a:b].sum() * STEP >= SHORTEST]


def _pauses(voice: Voice) -> Iterable[Event]:
    for a, b in runs(voice.paused).tolist():
        if (b - a) * STEP >= NOTED_PAUSE:
            yield Event("pause", a * STEP, b * STEP, (b - a) * STEP, (b - a) * STEP / NOTED_PAUSE)


def _tempo_changes(voice: Voice, usual: Usual) -> Iterable[Event]:
    """Stretches whose rate over 2 s of clip leaves the usual one by a factor of 1.3."""
    if not usual.syllable_rate or voice.spoken.sum() * STEP < LEAST_SPOKEN:
        return
    spoken = np.concatenate([[0], np.cumsum(voice.spoken)]) * STEP
    syllables = np.concatenate([[0], np.cumsum(voice.nucleus & voice.spoken)])
    width, hop = round(TEMPO_WINDOW / STEP), round(TEMPO_HOP / STEP)
    begin = np.arange(0, len(voice.speech) - width + 1, hop)
    seconds = spoken[begin + width] - spoken[begin]
    heard = seconds >= 0.6 * TEMPO_WINDOW
    rate = np.where(heard, (syllables[begin + width] - syllables[begin]) / np.maximum(seconds, STEP), np.nan)
    for kind, away in (
        ("speed_up", rate >= TEMPO_FACTOR * usual.syllable_rate),
        ("slow_down", rate <= usual.syllable_rate / TEMPO_FACTOR),
    ):
        for a, b in runs(away).tolist():
            start, end = int(begin[a]), int(begin[b - 1]) + width
            own = (syllables[end] - syllables[start]) / max(spoken[end] - spoken[start], STEP)
            value = float(own - usual.syllable_rate)
            factor = max(own, STEP) / usual.syllable_rate
            yield Event(kind, start * STEP, end * STEP, value, max(factor, 1 / factor) / TEMPO_FACTOR)


# ---------------------------------------------------------------- tremor

TREMOR_HZ = (4.0, 12.0)
AMPLITUDE_TREMOR_FROM = 8.0
"""Hz. Syllables move the intensity up to 8 times a second; below that only pitch can tell tremor from talking."""
TREMOR_WINDOW = 75
"""Frames of unbroken voice (0.75 s): three cycles of the slowest tremor. Shorter stretches cannot show one."""
TREMOR_SEMITONES, TREMOR_DECIBELS = (0.25, 2.0), (1.0, 6.0)
"""Least and largest root-mean-square modulation: 1.5 to 12 % in frequency; beyond it, it is intonation."""
TREMOR_PERIODICITY = 0.7
"""Least autocorrelation of the modulation at its period."""


def _tremors(voice: Voice) -> Iterable[Event]:
    """Regular modulation of pitch or amplitude at 4 to 12 Hz, within unbroken voice.

    Rates after J. Brown and J. Simonson (1963), Neurology 13, 520-525, and C. Dromey et al. (2002), J. Speech Lang.
    Hear. Res. 45, 879-890. Deliberately strict: intonation moves pitch too, but not three times alike.
    """
    pitch_curve = semitones(voice.curves.hz)
    level = voice.curves.intensity_db.astype(np.float64)
    for a, b in runs(voice.voiced).tolist():
        if b - a < TREMOR_WINDOW:
            continue
        ways = [
            _modulation(pitch_curve[a:b], TREMOR_HZ[0], TREMOR_SEMITONES),
            _modulation(level[a:b], AMPLITUDE_TREMOR_FROM, TREMOR_DECIBELS),
        ]
        found = [way for way in ways if way is not None]
        if found:
            first, last, hz, periodicity = max(found, key=lambda way: way[3])
            yield Event("tremor", (a + first) * STEP, (a + last) * STEP, hz, periodicity / TREMOR_PERIODICITY)


def _modulation(
    curve: Float64[np.ndarray, "frame"], slowest_hz: float, size: tuple[float, float]
) -> tuple[int, int, float, float] | None:
    """First and last frame, rate in Hz and periodicity of a regular modulation; None when there is none."""
    windows = np.lib.stride_tricks.sliding_window_view(curve, TREMOR_WINDOW)[::5]
    place = np.linspace(-1, 1, TREMOR_WINDOW)
    basis, _ = np.linalg.qr(np.stack([np.ones_like(place), place, place**2, place**3], axis=1))
    moving = windows - (windows @ basis) @ basis.T
    lags = np.arange(round(1 / TREMOR_HZ[1] / STEP), round(1 / slowest_hz / STEP) + 2)
    likeness = np.stack([_likeness(moving, int(lag)) for lag in lags], axis=1)
    best = np.clip(likeness.argmax(axis=1), 1, len(lags) - 2)
    rows = np.arange(len(windows))
    peak = likeness[rows, best]
    # A true period is a peak among the lags, not the slope of a slow movement; half of it is its opposite, and what
    # comes after two is alike again.
    is_peak = (peak >= likeness[rows, best - 1]) & (peak >= likeness[rows, best + 1])
    opposite, again = (
        np.array([_likeness(moving[i : i + 1], int(factor * lags[best[i]]))[0] for i in rows]) for factor in (0.5, 2)
    )
    extent = moving.std(axis=1)
    fits = (extent >= size[0]) & (extent <= size[1])
    steady = is_peak & (np.minimum(peak, again) >= TREMOR_PERIODICITY) & (opposite < 0) & fits
    if not steady.any():
        return None
    chosen = np.flatnonzero(steady)
    strongest_one = int(chosen[peak[chosen].argmax()])
    hz = 1 / (float(lags[best[strongest_one]]) * STEP)
    return int(chosen[0]) * 5, int(chosen[-1]) * 5 + TREMOR_WINDOW, hz, float(peak[strongest_one])


def _likeness(moving: Float64[np.ndarray, "window frame"], lag: int) -> Float64[np.ndarray, "window"]:
    """Normalised autocorrelation at one lag."""
    a, b = moving[:, :-lag], moving[:, lag:]
    power = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / np.maximum(power, 1e-12))
