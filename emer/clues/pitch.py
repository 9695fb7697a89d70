"""Pitch of the voice: autocorrelation candidates and the cheapest path through them.

P. Boersma (1993), "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
sampled sound", Proc. Institute of Phonetic Sciences Amsterdam 17, 97-110. The autocorrelation of a windowed frame is
divided by that of the window, so that its peak at the period is the share of periodic power.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.fft
from jaxtyping import Float32, Int64

from emer.clues.frames import FFT, hann
from emer.types import SAMPLE_RATE

UPSAMPLE = 2
"""Autocorrelation points per sample: a short period's peak is too narrow for a parabola through whole samples."""


@dataclass(frozen=True, slots=True)
class PitchSettings:
    """Range and costs of the path. Costs are those of the program Praat, which moved on from the paper's."""

    floor: float = 75.0
    """Hz; below it frames would need to be longer than 40 ms."""
    ceiling: float = 600.0
    candidates: int = 6
    """Voiced candidates kept per frame."""
    voicing: float = 0.45
    """Strength of the unvoiced candidate in a loud frame."""
    silence: float = 0.03
    """Amplitude relative to the loudest speech below which a frame is silent."""
    octave: float = 0.01
    """What a candidate gains per octave: prefers the higher of two equal peaks."""
    jump: float = 0.35
    """Cost of a jump by one octave between frames."""
    switch: float = 0.14
    """Cost of voice setting in or breaking off."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Voiced candidates of each frame; strength is -inf where a frame has fewer."""

    hz: Float32[np.ndarray, "frame candidate"]
    strength: Float32[np.ndarray, "frame candidate"]


@dataclass(frozen=True, slots=True)
class Pitch:
    """One value per frame; both are 0 where the voice is silent or unvoiced."""

    hz: Float32[np.ndarray, "frame"]
    strength: Float32[np.ndarray, "frame"]
    """Autocorrelation at the period: share of periodic power, 0 to 1."""


def track(
    power: Float32[np.ndarray, "frame bin"],
    relative_db: Float32[np.ndarray, "frame"],
    settings: PitchSettings = PitchSettings(),
) -> Pitch:
    """Pitch from power spectra; `relative_db` is each frame's level against the loudest speech around it."""
    found = candidates(power, settings)
    amplitude = 10 ** (np.minimum(relative_db, 0.0) / 20)
    unvoiced = settings.voicing + np.maximum(0.0, 2 - amplitude * (1 + settings.voicing) / settings.silence)
    choice = _cheapest_path(found, unvoiced.astype(np.float32), settings)
    rows = np.arange(len(choice))
    voiced = choice > 0
    column = np.maximum(choice - 1, 0)
    return Pitch(
        hz=np.where(voiced, found.hz[rows, column], 0).astype(np.float32),
        strength=np.where(voiced, found.strength[rows, column], 0).astype(np.float32),
    )


def candidates(power: Float32[np.ndarray, "frame bin"], settings: PitchSettings) -> Candidates:
    """The highest autocorrelation peaks of each frame between floor and ceiling."""
    low = int(UPSAMPLE * SAMPLE_RATE / settings.ceiling) - 1
    high = int(UPSAMPLE * SAMPLE_RATE / settings.floor) + 2
    shape = (len(power), settings.candidates)
    hz, strength = np.ones(shape, np.float32), np.full(shape, -np.inf, np.float32)
    for start in range(0, len(power), 512):
        rows = slice(start, start + 512)
        ratio = _normalised_autocorrelation(power[rows])[:, low : high + 1]
        hz[rows], strength[rows] = _highest_peaks(ratio, low, settings)
    return Candidates(hz, strength)


def _normalised_autocorrelation(power: Float32[np.ndarray, "frame bin"]) -> Float32[np.ndarray, "frame lag"]:
    """r_x(tau) = r_a(tau) / r_w(tau), equation 9 of the paper; a silent frame has 0 everywhere."""
    lags = UPSAMPLE * (FFT // 4)
    own = scipy.fft.irfft(power, UPSAMPLE * FFT, axis=1)[:, :lags]
    energy = own[:, :1]
    ratio = np.where(energy > 1e-10, own / np.maximum(energy, 1e-10), 0)
    return np.asarray(ratio / _window_autocorrelation(), np.float32)


@cache
def _window_autocorrelation() -> Float32[np.ndarray, "lag"]:
    spectrum = np.abs(scipy.fft.rfft(hann().astype(np.float64), FFT)) ** 2
    own = scipy.fft.irfft(spectrum, UPSAMPLE * FFT)[: UPSAMPLE * (FFT // 4)]
    return np.asarray(own / own[0], np.float32)


def _highest_peaks(
    ratio: Float32[np.ndarray, "frame lag"], first_lag: int, settings: PitchSettings
) -> tuple[Float32[np.ndarray, "frame candidate"], Float32[np.ndarray, "frame candidate"]]:
    """Frequency and height of the best peaks, both from a parabola through three points."""
    left, middle, right = ratio[:, :-2], ratio[:, 1:-1], ratio[:, 2:]
    lag = np.arange(first_lag + 1, first_lag + 1 + middle.shape[1], dtype=np.float32)
    peak = (middle > left) & (middle >= right) & (middle > 0.5 * settings.voicing)
    worth = np.where(peak, middle - settings.octave * np.log2(lag / lag[0]), -np.inf)
    best = np.argpartition(-worth, settings.candidates, axis=1)[:, : settings.candidates]
    rows = np.arange(len(ratio))[:, None]
    y0, y1, y2 = left[rows, best], middle[rows, best], right[rows, best]
    is_peak = peak[rows, best]
    slope, bend = 0.5 * (y2 - y0), np.where(is_peak, 2 * y1 - y0 - y2, 1)
    shift = slope / bend
    height = y1 + 0.5 * slope * shift
    hz = UPSAMPLE * SAMPLE_RATE / (lag[best] + shift)
    inside = is_peak & (hz >= settings.floor) & (hz <= settings.ceiling)
    # Noise in a short frame can push the quotient over one; its inverse says "less than perfect" again.
    height = np.where(height > 1, 1 / np.maximum(height, 1), height)
    return np.where(inside, hz, 1).astype(np.float32), np.where(inside, height, -np.inf).astype(np.float32)


def _cheapest_path(
    found: Candidates, unvoiced: Float32[np.ndarray, "frame"], settings: PitchSettings
) -> Int64[np.ndarray, "frame"]:
    """Viterbi path over state 0 (unvoiced) and the candidates 1..K; costs as in the paper's last step."""
    octaves = np.log2(found.hz)
    worth = found.strength + settings.octave * (octaves - np.log2(settings.ceiling))
    local = np.concatenate([unvoiced[:, None], worth], axis=1).astype(np.float32)
    count, states = local.shape
    if count == 0:
        return np.zeros(0, np.int64)
    jump = np.full((count - 1, states, states), settings.switch, np.float32)
    jump[:, 0, 0] = 0
    jump[:, 1:, 1:] = settings.jump * np.abs(octaves[:-1, :, None] - octaves[1:, None, :])
    total = local[0]
    back = np.zeros((count, states), np.int64)
    columns = np.arange(states)
    for i in range(1, count):
        reach = total[:, None] - jump[i - 1]
        back[i] = reach.argmax(axis=0)
        total = reach[back[i], columns] + local[i]
    path = np.zeros(count, np.int64)
    path[-1] = total.argmax()
    for i in range(count - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    return path
