"""The 21 numbers of a voice that sentences and rule tables read, for a clip or a stretch of it."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float32, Float64

from emer.clues.frames import STEP
from emer.clues.grid import runs
from emer.clues.prosody import Voice
from emer.types import Features

NAMES = (
    "f0_median_st",
    "f0_iqr_st",
    "f0_range_st",
    "f0_slope_st_s",
    "f0_change_st",
    "voiced_ratio",
    "intensity_mean_db",
    "intensity_sd_db",
    "intensity_range_db",
    "intensity_change_db",
    "jitter_local",
    "shimmer_local",
    "hnr_db",
    "spectral_tilt_db_oct",
    "spectral_centroid_hz",
    "pause_ratio",
    "pause_rate",
    "pause_mean_s",
    "syllable_rate",
    "syllable_rate_change",
    "speech_ratio",
)
SEMITONE_ZERO = 100.0
"""Hz that is 0 semitones."""
LEAST_VOICED = 20
"""Voiced frames (0.2 s) below which pitch, intensity and voice quality are not measured."""
LEAST_SPOKEN = 50
"""Frames of speech (0.5 s) below which there is no syllable rate."""


def semitones(hz: Float32[np.ndarray, "frame"]) -> Float64[np.ndarray, "frame"]:
    """Semitones above 100 Hz; NaN where `hz` is 0 (unvoiced).

    >>> semitones(np.array([100, 200, 0], np.float32)).tolist()
    [0.0, 12.0, nan]
    """
    return np.asarray(12 * np.log2(np.where(hz > 0, hz, np.nan).astype(np.float64) / SEMITONE_ZERO))


def features_of(voice: Voice, version: str) -> Features:
    """All 21 numbers. Percentiles bound every range (5 to 95), so that one octave error does not set it.

    Pitch, intensity, voice quality and spectrum are taken over voiced frames of speech. `pause_ratio` is the share of
    the time from the first to the last speech, `pause_rate` is pauses per second of it, `syllable_rate` is syllables
    per second of speech without pauses, `speech_ratio` the share of the whole stretch. Jitter and shimmer are shares.
    """
    measured: dict[str, float] = {"speech_ratio": float(voice.speech.mean()) if len(voice.speech) else 0.0}
    extent = np.flatnonzero(voice.speech)
    if len(extent):
        first, last = int(extent[0]), int(extent[-1]) + 1
        early = np.arange(len(voice.speech)) < (first + last) / 2
        measured |= _tempo(voice, first, last, early)
        measured["voiced_ratio"] = float(voice.voiced[voice.speech].mean())
        if voice.voiced.sum() >= LEAST_VOICED:
            measured |= _pitch(voice, early) | _intensity(voice, early) | _quality(voice)
    return named(measured, NAMES, version)


def named(measured: Mapping[str, float], names: tuple[str, ...], version: str) -> Features:
    """Audio features in the order of `names`; what is missing or not finite is masked."""
    known = {name: value for name, value in measured.items() if np.isfinite(value)}
    return Features(
        view="audio",
        names=names,
        values=tuple(known.get(name, 0.0) for name in names),
        mask=tuple(name in known for name in names),
        version=version,
    )


def _pitch(voice: Voice, early: Bool[np.ndarray, "frame"]) -> dict[str, float]:
    at = np.flatnonzero(voice.voiced)
    st = semitones(voice.curves.hz)[at]
    low, quarter, middle, three_quarters, high = np.percentile(st, [5, 25, 50, 75, 95])
    seconds = at * STEP - (at * STEP).mean()
    found = {
        "f0_median_st": float(middle),
        "f0_iqr_st": float(three_quarters - quarter),
        "f0_range_st": float(high - low),
        "f0_slope_st_s": float((seconds * st).sum() / (seconds**2).sum()),
    }
    if (change := _change(st, early[at])) is not None:
        found["f0_change_st"] = change
    return found


def _intensity(voice: Voice, early: Bool[np.ndarray, "frame"]) -> dict[str, float]:
    level = voice.curves.intensity_db[voice.voiced].astype(np.float64)
    low, high = np.percentile(level, [5, 95])
    found = {
        "intensity_mean_db": float(level.mean()),
        "intensity_sd_db": float(level.std()),
        "intensity_range_db": float(high - low),
    }
    if (change := _change(level, early[voice.voiced])) is not None:
        found["intensity_change_db"] = change
    return found


def _change(values: Float64[np.ndarray, "value"], early: Bool[np.ndarray, "value"]) -> float | None:
    """Median of the second half minus median of the first; None when a half has too little voice."""
    if min(early.sum(), (~early).sum()) < LEAST_VOICED:
        return None
    return float(np.median(values[~early]) - np.median(values[early]))


def _quality(voice: Voice) -> dict[str, float]:
    voiced, curves = voice.voiced, voice.curves
    found = {
        "hnr_db": float(curves.hnr_db[voiced].mean()),
        "spectral_tilt_db_oct": float(curves.tilt[voiced].mean()),
        "spectral_centroid_hz": float(curves.centroid_hz[voiced].mean()),
    }
    # Shimmer is a mean difference over a mean amplitude, so loud periods weigh more; jitter is one of periods.
    loud = 10 ** (curves.intensity_db.astype(np.float64) / 20)
    for name, curve, weight in (
        ("jitter_local", curves.jitter, np.ones(len(loud))),
        ("shimmer_local", curves.shimmer, loud),
    ):
        known = voiced & np.isfinite(curve)
        if known.sum() >= LEAST_VOICED // 2:
            found[name] = float(np.average(curve[known], weights=weight[known]))
    return found


def _tempo(voice: Voice, first: int, last: int, early: Bool[np.ndarray, "frame"]) -> dict[str, float]:
    pauses = runs(voice.paused[first:last])
    seconds = (last - first) * STEP
    found = {
        "pause_ratio": float(voice.paused[first:last].mean()),
        "pause_rate": len(pauses) / seconds,
    }
    if len(pauses):
        found["pause_mean_s"] = float(np.diff(pauses, axis=1).mean()) * STEP
    spoken = voice.spoken
    if (rate := syllable_rate(voice, spoken)) is not None:
        found["syllable_rate"] = rate
    before, after = syllable_rate(voice, spoken & early), syllable_rate(voice, spoken & ~early)
    if before is not None and after is not None:
        found["syllable_rate_change"] = after - before
    return found


def syllable_rate(voice: Voice, frames: Bool[np.ndarray, "frame"]) -> float | None:
    """Syllables per second in the chosen frames; None for less than 0.5 s."""
    if frames.sum() < LEAST_SPOKEN:
        return None
    return float((voice.nucleus & frames).sum() / (frames.sum() * STEP))
