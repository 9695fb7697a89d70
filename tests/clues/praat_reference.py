"""One file measured by emer and by Praat (through parselmouth), both with a pitch range of 75 to 600 Hz."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import parselmouth
from parselmouth.praat import call
from scipy.stats import spearmanr

from emer import media
from emer.clues.prosody import Voice, listen
from emer.clues.voice_activity import detect
from emer.clues.voice_features import features_of
from emer.types import SAMPLE_RATE, Clip, Features

FLOOR, CEILING = 75.0, 600.0


@dataclass(frozen=True)
class Compared:
    """One file measured twice. `ours` and `praats`: jitter, shimmer, HNR, intensity."""

    both_voiced: int
    gross_errors: int
    frames: int
    voicing_differs: int
    ours: tuple[float | None, ...]
    praats: tuple[float, ...]


def compare(file: Path) -> Compared:
    opened = media.open(Clip(str(file)))
    activity = detect(opened)
    voice = listen(opened, activity)
    features = features_of(voice, "test")
    sound = parselmouth.Sound(np.concatenate([w.samples for w in opened.windows()]).astype(float), SAMPLE_RATE)
    pitch = sound.to_pitch_ac(time_step=0.01, pitch_floor=FLOOR, pitch_ceiling=CEILING)
    return Compared(*_frames(voice, pitch), _named(features), _praats(sound, pitch))


def _frames(voice: Voice, pitch: parselmouth.Pitch) -> tuple[int, int, int, int]:
    """Frame by frame, each of ours with the nearest of Praat's (at most 5 ms away)."""
    theirs = pitch.selected_array["frequency"]
    at = np.round(((np.arange(len(voice.speech)) + 0.5) * 0.01 - pitch.x1) / pitch.dx).astype(int)
    inside = (at >= 0) & (at < len(theirs))
    a, b = voice.curves.hz[inside], theirs[at[inside]]
    both = (a > 0) & (b > 0)
    gross = np.abs(a[both] - b[both]) > 0.2 * b[both]
    return int(both.sum()), int(gross.sum()), len(a), int(((a > 0) != (b > 0)).sum())


def _named(features: Features) -> tuple[float | None, ...]:
    return tuple(features.get(n) for n in ("jitter_local", "shimmer_local", "hnr_db", "intensity_mean_db"))


def _praats(sound: parselmouth.Sound, pitch: parselmouth.Pitch) -> tuple[float, ...]:
    points = call(sound, "To PointProcess (periodic, cc)", FLOOR, CEILING)
    jitter = call(points, "Get jitter (local)", 0, 0, 0.0001, 0.02, 1.3)
    shimmer = call([sound, points], "Get shimmer (local)", 0, 0, 0.0001, 0.02, 1.3, 1.6)
    harmonicity = sound.to_harmonicity_cc(0.01, FLOOR, 0.1, 1.0).values
    intensity = sound.to_intensity(FLOOR, 0.01)
    voiced = [intensity.get_value(t) for t, hz in zip(pitch.xs(), pitch.selected_array["frequency"], strict=True) if hz]
    return jitter, shimmer, float(harmonicity[harmonicity > -199].mean()), float(np.nanmean(voiced))


@dataclass(frozen=True)
class Agreement:
    """Over many files: shares of frames, and rank correlations across files."""

    files: int
    unmeasured: int
    """Files for which emer gives no number (too little voice)."""
    gross_errors: float
    voicing_differs: float
    jitter: float
    shimmer: float
    hnr: float
    intensity: float


def agreement(compared: list[Compared]) -> Agreement:
    measured = [c for c in compared if None not in c.ours]
    ours, praats = np.array([c.ours for c in measured], float), np.array([c.praats for c in measured])
    ranks = [float(spearmanr(ours[:, i], praats[:, i]).statistic) for i in range(4)]
    return Agreement(
        len(compared),
        len(compared) - len(measured),
        sum(c.gross_errors for c in compared) / sum(c.both_voiced for c in compared),
        sum(c.voicing_differs for c in compared) / sum(c.frames for c in compared),
        *ranks,
    )


def compare_all(files: list[Path], processes: int = 2) -> list[Compared]:
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(compare, files, chunksize=40))


def files_of(real_data: Path) -> list[Path]:
    clips = real_data / "clips"
    return sorted((clips / "ravdess_speech").glob("*.flac")) + sorted((clips / "emodb").glob("*.flac"))
