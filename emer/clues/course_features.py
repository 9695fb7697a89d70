"""How pitch and loudness move over a stretch: distribution, rises and falls, course in fifths, rhythm, modulation.

Pitch is in semitones above 100 Hz where it is a level, loudness in dB relative to the voice of the same stretch.
"""

import numpy as np
from jaxtyping import Bool, Float64, Int

from emer.clues.frames import STEP
from emer.clues.grid import runs
from emer.clues.prosody import Voice
from emer.clues.spectrum_features import relative_mel
from emer.clues.voice_features import semitones

FIFTHS = 5
STEEPEST = 200.0
"""Semitones per second beyond which a step of pitch is an error of the tracker and no movement."""
LONG_RUN = 8
"""Frames of unbroken voice (80 ms) in which a line of pitch can be seen."""
LEAST = 3
SHORT_GAP = 0.3
"""Seconds; a longer gap between voiced stretches is a pause."""
QUIETEST = -50.0
REGIONS = {"low": (0, 4), "midlow": (4, 9), "mid": (9, 15), "midhigh": (15, 20), "high": (20, 26)}
"""Mel bands of five regions: 50 to 390, 390 to 970, 970 to 2,080, 2,080 to 3,680, 3,680 to 8,000 Hz, about."""
RATES = {"1": (0.5, 1.5), "2": (1.5, 3), "4": (3, 5), "6": (5, 8), "10": (8, 12), "16": (12, 20), "28": (20, 35)}
"""Hz of modulation: words, stress, syllables, fast syllables, consonants, roughness."""

NAMES = (
    *(f"f0_p{p}_st" for p in (5, 10, 20, 80, 90, 95)),
    *("f0_mean_st", "f0_sd_st", "f0_skew"),
    *(f"f0_{way}_{kind}_st_s" for way in ("rise", "fall") for kind in ("mean", "sd")),
    *("f0_change_abs_st_s", "f0_rise_share", "f0_unsteady_st"),
    *("f0_run_slope_st_s", "f0_run_slope_abs_st_s", "f0_last_slope_st_s"),
    *("voiced_run_mean_s", "voiced_run_sd_s", "voiced_run_max_s", "voiced_run_rate", "gap_mean_s", "gap_sd_s"),
    *("speech_extent_log_s", "spoken_log_s"),
    *(f"loudness_p{p}_db" for p in (5, 10, 25, 50, 75, 90, 95)),
    "loudness_sd_db",
    *(f"loudness_{way}_{kind}_db_s" for way in ("rise", "fall") for kind in ("mean", "sd")),
    *("nucleus_mean_db", "nucleus_sd_db", "syllable_sd_s", "syllable_median_s"),
    *(f"{curve}_fifth{k}" for curve in ("f0_st", "f0_sd_st", "loudness_db", "tilt", "hnr_db") for k in range(1, 6)),
    *(f"mel_{region}_db_fifth{k}" for region in REGIONS for k in range(1, 6)),
    *(f"modulation_{curve}_{rate}hz_db" for curve in ("loudness", *REGIONS) for rate in RATES),
)


def course_features(voice: Voice) -> dict[str, float]:
    """Those of `NAMES` that could be measured. Needs voiced frames of speech."""
    voiced, spoken = voice.voiced, voice.spoken
    st = semitones(voice.curves.hz)
    level = voice.curves.intensity_db.astype(np.float64)
    loudness = level - 10 * np.log10(np.mean(10 ** (level[voiced] / 10)))
    at = np.flatnonzero(voice.speech)
    extent = slice(int(at[0]), int(at[-1]) + 1)
    mel = relative_mel(voice)
    regions = {name: mel[:, low:high].mean(axis=1).astype(np.float64) for name, (low, high) in REGIONS.items()}
    return (
        _pitch(st, voiced)
        | _lines(st, runs(voiced))
        | _runs(runs(voiced), float(spoken.sum()) * STEP, (extent.stop - extent.start) * STEP)
        | _loudness(loudness, spoken, extent)
        | _nuclei(loudness, voice.nucleus)
        | _fifths(_courses(voice, st, loudness, regions), voiced)
        | _modulation({"loudness": loudness} | regions, extent)
    )


# ---------------------------------------------------------------- pitch


def _pitch(st: Float64[np.ndarray, "frame"], voiced: Bool[np.ndarray, "frame"]) -> dict[str, float]:
    known = st[voiced]
    shares = (5, 10, 20, 80, 90, 95)
    found = dict(zip((f"f0_p{p}_st" for p in shares), np.percentile(known, shares).tolist(), strict=True))
    mean, sd = known.mean(), known.std()
    found |= {
        "f0_mean_st": float(mean),
        "f0_sd_st": float(sd),
        "f0_skew": float(((known - mean) ** 3).mean() / (sd + 0.1) ** 3),
    }
    step = np.diff(np.where(voiced, st, np.nan)) / STEP
    step = step[np.abs(np.nan_to_num(step, nan=np.inf)) < STEEPEST]
    if len(step) < LEAST:
        return found
    return found | {
        **_rises_and_falls("f0", "st_s", step),
        "f0_change_abs_st_s": float(np.abs(step).mean()),
        "f0_rise_share": float((step > 0).mean()),
    }


def _rises_and_falls(curve: str, unit: str, step: Float64[np.ndarray, "step"]) -> dict[str, float]:
    """Mean and spread of the steps up and of those down; 0 where there is none."""
    found = {}
    for way, some in (("rise", step[step > 0]), ("fall", step[step < 0])):
        found[f"{curve}_{way}_mean_{unit}"] = float(some.mean()) if len(some) else 0.0
        found[f"{curve}_{way}_sd_{unit}"] = float(some.std()) if len(some) else 0.0
    return found


def _lines(st: Float64[np.ndarray, "frame"], stretches: Int[np.ndarray, "run two=2"]) -> dict[str, float]:
    """Slopes of unbroken voice, longer stretches weighing more, and what a parabola leaves of each."""
    kept = [st[begin:end] for begin, end in stretches if end - begin >= LONG_RUN]
    if not kept:
        return {}
    fitted = [_parabola(run) for run in kept]
    slope, rest = np.array([f[0] for f in fitted]), np.array([f[1] for f in fitted])
    length = np.array([len(run) for run in kept])
    return {
        "f0_unsteady_st": float(rest.mean()),
        "f0_run_slope_st_s": float(np.average(slope, weights=length)),
        "f0_run_slope_abs_st_s": float(np.average(np.abs(slope), weights=length)),
        "f0_last_slope_st_s": float(slope[-1]),
    }


def _parabola(run: Float64[np.ndarray, "frame"]) -> tuple[float, float]:
    """Slope per second of the line, and standard deviation about the parabola, both by least squares.

    On an even grid the line and the bend are orthogonal, so that each is found alone.
    """
    time = (np.arange(len(run)) - (len(run) - 1) / 2) * STEP
    bend = time**2 - (time**2).mean()
    slope = (time * run).sum() / (time**2).sum()
    rest = run - run.mean() - slope * time - bend * ((bend * run).sum() / (bend**2).sum())
    return float(slope), float(rest.std())


# ---------------------------------------------------------------- rhythm and loudness


def _runs(stretches: Int[np.ndarray, "run two=2"], spoken: float, extent: float) -> dict[str, float]:
    seconds = np.diff(stretches, axis=1)[:, 0] * STEP
    gaps = (stretches[1:, 0] - stretches[:-1, 1]) * STEP
    gaps = gaps[gaps < SHORT_GAP]
    return {
        "voiced_run_mean_s": float(seconds.mean()),
        "voiced_run_sd_s": float(seconds.std()),
        "voiced_run_max_s": float(seconds.max()),
        "voiced_run_rate": len(seconds) / spoken,
        "gap_mean_s": float(gaps.mean()) if len(gaps) else 0.0,
        "gap_sd_s": float(gaps.std()) if len(gaps) else 0.0,
        "speech_extent_log_s": float(np.log(extent)),
        "spoken_log_s": float(np.log(spoken)),
    }


def _loudness(
    loudness: Float64[np.ndarray, "frame"], spoken: Bool[np.ndarray, "frame"], extent: slice
) -> dict[str, float]:
    shares = (5, 10, 25, 50, 75, 90, 95)
    levels = np.percentile(loudness[spoken], shares).tolist()
    found = dict(zip((f"loudness_p{p}_db" for p in shares), levels, strict=True))
    found["loudness_sd_db"] = float(loudness[spoken].std())
    smooth = np.convolve(np.pad(loudness[extent], 2, mode="edge"), np.full(5, 0.2), mode="valid")
    return found | _rises_and_falls("loudness", "db_s", np.diff(smooth) / STEP)


def _nuclei(loudness: Float64[np.ndarray, "frame"], nucleus: Bool[np.ndarray, "frame"]) -> dict[str, float]:
    at = np.flatnonzero(nucleus)
    if len(at) < LEAST:
        return {}
    between = np.diff(at) * STEP
    return {
        "nucleus_mean_db": float(loudness[at].mean()),
        "nucleus_sd_db": float(loudness[at].std()),
        "syllable_sd_s": float(between.std()),
        "syllable_median_s": float(np.median(between)),
    }


# ---------------------------------------------------------------- course and modulation


def _courses(
    voice: Voice,
    st: Float64[np.ndarray, "frame"],
    loudness: Float64[np.ndarray, "frame"],
    regions: dict[str, Float64[np.ndarray, "frame"]],
) -> dict[str, Float64[np.ndarray, "frame"]]:
    middle = np.median(st[voice.voiced])
    curves = {"f0_st": st - middle, "loudness_db": loudness}
    curves |= {"tilt": voice.curves.tilt.astype(np.float64), "hnr_db": voice.curves.hnr_db.astype(np.float64)}
    return curves | {f"mel_{name}_db": curve for name, curve in regions.items()}


def _fifths(curves: dict[str, Float64[np.ndarray, "frame"]], voiced: Bool[np.ndarray, "frame"]) -> dict[str, float]:
    """Means over the voiced frames of each fifth of the time from first to last voice; of pitch also the spread."""
    at = np.flatnonzero(voiced)
    edges = np.linspace(at[0], at[-1] + 1, FIFTHS + 1)
    fifth = np.clip(np.searchsorted(edges, at, side="right"), 1, FIFTHS)
    found: dict[str, float] = {}
    for k in range(1, FIFTHS + 1):
        frames = at[fifth == k]
        if len(frames) < LEAST:
            continue
        found |= {f"{name}_fifth{k}": float(curve[frames].mean()) for name, curve in curves.items()}
        found[f"f0_sd_st_fifth{k}"] = float(curves["f0_st"][frames].std())
    return found


def _modulation(curves: dict[str, Float64[np.ndarray, "frame"]], extent: slice) -> dict[str, float]:
    """Power density of each curve per band of modulation rate, in dB; curves are cut at -50 dB."""
    names = list(curves)
    course = np.stack([np.maximum(curves[name][extent], QUIETEST) for name in names])
    count = course.shape[1]
    course = (course - course.mean(axis=1, keepdims=True)) * np.hanning(count + 2)[1:-1]
    points = max(1024, 1 << (count - 1).bit_length())
    density = np.abs(np.fft.rfft(course, points, axis=1)) ** 2 / count
    hz = np.fft.rfftfreq(points, STEP)
    found: dict[str, float] = {}
    for rate, (low, high) in RATES.items():
        level = 10 * np.log10(density[:, (hz >= low) & (hz < high)].mean(axis=1) + 1e-3)
        found |= {f"modulation_{n}_{rate}hz_db": float(v) for n, v in zip(names, level, strict=True)}
    return found
