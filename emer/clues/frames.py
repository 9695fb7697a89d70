"""Sound in fixed blocks and 10 ms frames, the same whatever the windows it was decoded in."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import scipy.fft
from jaxtyping import Float32

from emer.types import SAMPLE_RATE, Media

STEP = 0.01
"""Seconds from one frame to the next; frame i is centred at (i + 0.5) STEP."""
HOP = round(STEP * SAMPLE_RATE)
FRAME = 640
"""Samples in a frame: 40 ms, three periods of the lowest pitch, 75 Hz (Boersma 1993, section 3)."""
FFT = 1024
"""Points of the transform: frame plus longest lag without wrapping round (640 + 214 <= 1024)."""
BLOCK = 3000
"""Frames measured at a time (30 s)."""
CONTEXT = 100
"""Frames measured on either side of a block and thrown away, so that a pitch path has settled (1 s)."""
FLOOR_DB = -100.0
"""Intensity of digital silence."""


@dataclass(frozen=True, slots=True)
class Block:
    """Sound of frames `first - before` up to `first + keep` and some after; the middle `keep` frames are wanted."""

    samples: Float32[np.ndarray, "sample"]
    first: int
    before: int
    keep: int


def blocks(media: Media, *, block: int = BLOCK, context: int = CONTEXT) -> Iterator[Block]:
    """Cut the sound at fixed places: block edges depend on the clip alone, not on the windows it comes in."""
    held = np.zeros(0, np.float32)
    held_from = 0
    first = 0
    for window in media.windows(audio=True):
        held = np.concatenate([held, window.samples])
        while held_from * HOP + len(held) >= (first + block + context) * HOP:
            yield _cut(held, held_from, first, block, context)
            first += block
            held = held[(max(first - context, 0) - held_from) * HOP :]
            held_from = max(first - context, 0)
    rest = held_from + len(held) // HOP - first
    while rest > 0:
        yield _cut(held, held_from, first, min(block, rest), context)
        first, rest = first + block, rest - block


def _cut(held: Float32[np.ndarray, "_"], held_from: int, first: int, keep: int, context: int) -> Block:
    begin = max(first - context, 0)
    samples = held[(begin - held_from) * HOP : (first + keep + context - held_from) * HOP]
    return Block(samples=samples, first=first, before=first - begin, keep=keep)


@cache
def hann() -> Float32[np.ndarray, "frame"]:
    """A Hann window without zeros at its ends."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(FRAME) + 0.5) / FRAME)).astype(np.float32)


def power_spectra(samples: Float32[np.ndarray, "sample"]) -> Float32[np.ndarray, "frame bin=513"]:
    """Power of each mean-free, Hann-windowed frame; sound beyond the ends is taken as silence."""
    count = len(samples) // HOP
    power = np.empty((count, FFT // 2 + 1), np.float32)
    margin = (FRAME - HOP) // 2
    padded = np.pad(samples, (margin, FRAME))
    windows = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP][:count]
    for start in range(0, count, 512):
        part = windows[start : start + 512]
        part = (part - part.mean(axis=1, keepdims=True)) * hann()
        spectrum = scipy.fft.rfft(part, FFT, axis=1)
        power[start : start + 512] = spectrum.real**2 + spectrum.imag**2
    return power


def intensity_db(power: Float32[np.ndarray, "frame bin"]) -> Float32[np.ndarray, "frame"]:
    """Mean square of each frame in dB relative to full scale (a full-scale sine: -3.01), by Parseval's theorem."""
    energy = 2 * power.sum(axis=1, dtype=np.float64) - power[:, 0] - power[:, -1]
    mean_square = energy / FFT / float((hann().astype(np.float64) ** 2).sum())
    return np.asarray(10 * np.log10(np.maximum(mean_square, 10 ** (FLOOR_DB / 10))), np.float32)


BANDS_PER_OCTAVE = 3
TILT_FROM, TILT_TO = 100.0, 5000.0
"""Hz between which the spectral tilt is fitted."""


@cache
def _tilt_bands() -> tuple[Float32[np.ndarray, "bin band"], Float32[np.ndarray, "band"]]:
    """Averaging matrix of third-octave bands, and the least-squares weights that turn band levels into a slope."""
    hz = np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT
    count = int(np.log2(TILT_TO / TILT_FROM) * BANDS_PER_OCTAVE)
    edges = TILT_FROM * 2 ** (np.arange(count + 1) / BANDS_PER_OCTAVE)
    matrix = np.stack([(hz >= low) & (hz < high) for low, high in pairwise(edges)], axis=1)
    octave = np.arange(count) / BANDS_PER_OCTAVE
    centred = octave - octave.mean()
    return (matrix / matrix.sum(axis=0)).astype(np.float32), (centred / (centred**2).sum()).astype(np.float32)


def tilt_db_per_octave(power: Float32[np.ndarray, "frame bin"]) -> Float32[np.ndarray, "frame"]:
    """Slope of the power density over log frequency, 100 Hz to 5 kHz (white noise 0, pink noise -3.01)."""
    matrix, weights = _tilt_bands()
    return np.asarray(10 * np.log10(power @ matrix + 1e-12) @ weights, np.float32)


def centroid_hz(power: Float32[np.ndarray, "frame bin"]) -> Float32[np.ndarray, "frame"]:
    """Centre of gravity of the power spectrum in Hz; 0 for silence."""
    hz = (np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT).astype(np.float32)
    return np.asarray((power @ hz) / np.maximum(power.sum(axis=1), 1e-12), np.float32)
