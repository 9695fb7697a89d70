"""Utterances told differently: by a larger or smaller speaker, faster or slower, through another microphone, in noise.

What changes a measurement is measured anew on the changed sound (`ear_targets.py`). Level alone is changed later, on
the log-mel frames, where its effect is exact.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32
from scipy.signal import resample_poly
from sounds import Samples, Sound

from emer.types import SAMPLE_RATE, Span

SIZE = 0.19
"""Half-width of log speed (3.3 semitones): pitch, formants and tempo together, as of a larger or smaller speaker."""
TEMPO = 0.17
"""Half-width of log tempo alone: pitch and formants stay."""
COLOUR_DB = 3.0
"""Standard deviation of the microphone's response at octaves."""
OCTAVES_HZ = (62.5, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
NOISE_DB = (18.0, 50.0)
"""Range of the speech level over that of added noise."""
SPEECH_MARGIN = 0.1
"""Seconds around the speech that are never cut away."""
FRAME, SEARCH = 480, 160
"""Samples of an overlap-add frame (30 ms) and of the search for its best place on either side (10 ms)."""


def retold(sound: Sound, rng: np.random.Generator) -> Sound:
    """The utterance with other margins, speaker size, tempo, microphone and noise."""
    told = faster(cropped(sound, rng), float(np.exp(rng.uniform(-SIZE, SIZE))))
    if rng.random() < 0.6:
        told = quicker(told, float(np.exp(rng.uniform(-TEMPO, TEMPO))))
    if rng.random() < 0.6:
        told = replace(told, samples=coloured(told.samples, rng.normal(0, COLOUR_DB, len(OCTAVES_HZ))))
    if rng.random() < 0.4:
        told = replace(told, samples=noisy(told, float(rng.uniform(*NOISE_DB)), rng))
    return told


def cropped(sound: Sound, rng: np.random.Generator) -> Sound:
    """Without a random share of the silence before the first speech and after the last."""
    seconds = len(sound.samples) / SAMPLE_RATE
    if not sound.speech:
        return sound
    first = max(0.0, sound.speech[0].start - SPEECH_MARGIN)
    last = min(seconds, sound.speech[-1].end + SPEECH_MARGIN)
    begin, end = first * rng.random(), last + (seconds - last) * rng.random()
    samples = sound.samples[round(begin * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
    return replace(sound, samples=samples, speech=_moved(sound.speech, begin, 1.0))


def faster(sound: Sound, factor: float) -> Sound:
    """Played `factor` times as fast: pitch and formants rise with the tempo."""
    up, down = 100, round(100 * factor)
    samples = np.asarray(resample_poly(sound.samples, up, down), np.float32)
    return replace(sound, samples=samples, speech=_moved(sound.speech, 0.0, down / up))


def quicker(sound: Sound, factor: float) -> Sound:
    """Told `factor` times as fast with unchanged pitch."""
    samples = overlapped(sound.samples, factor)
    return replace(sound, samples=samples, speech=_moved(sound.speech, 0.0, len(sound.samples) / len(samples)))


def overlapped(samples: Samples, factor: float) -> Samples:
    """Time-scale modification by overlap-add of frames where their waveforms fit best.

    W. Verhelst and M. Roelands (1993), "An overlap-add technique based on waveform similarity (WSOLA)", ICASSP.
    """
    half = FRAME // 2
    count = int(len(samples) / factor) // half
    padded = np.pad(samples, (SEARCH, FRAME + 2 * SEARCH + half))
    window = (0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(FRAME) + 0.5) / FRAME)).astype(np.float32)
    told = np.zeros((count + 1) * half, np.float32)
    at = SEARCH
    for i in range(count):
        if i:
            at = _best_place(padded, padded[at + half : at + half + FRAME], SEARCH + round(i * half * factor))
        told[i * half : i * half + FRAME] += window * padded[at : at + FRAME]
    return told


def _best_place(padded: Samples, wanted: Samples, near: int) -> int:
    """Where, within the search range of `near`, the sound is most like `wanted`."""
    region = padded[near - SEARCH : near + SEARCH + FRAME]
    likeness = np.correlate(region[: 2 * SEARCH + len(wanted) - 1], wanted, mode="valid")
    return int(near - SEARCH + np.argmax(likeness))


def coloured(samples: Samples, octave_db: np.ndarray) -> Samples:
    """Through a microphone with this response at `OCTAVES_HZ`, straight between them in log frequency."""
    points = 1 << (len(samples) - 1).bit_length()
    hz = np.fft.rfftfreq(points, 1 / SAMPLE_RATE)
    response = np.interp(np.log2(np.maximum(hz, 1.0)), np.log2(OCTAVES_HZ), octave_db)
    spectrum = np.fft.rfft(samples, points) * 10 ** (response / 20)
    return np.asarray(np.fft.irfft(spectrum, points)[: len(samples)], np.float32)


def noisy(sound: Sound, ratio_db: float, rng: np.random.Generator) -> Samples:
    """With noise between white and brown, `ratio_db` below the mean power of the whole sound."""
    white = np.fft.rfft(rng.normal(size=len(sound.samples)))
    shaped = white / np.maximum(np.arange(len(white)), 1) ** rng.uniform(0, 1)
    noise = np.fft.irfft(shaped, len(sound.samples))
    power = np.mean(sound.samples.astype(np.float64) ** 2) / np.mean(noise**2) / 10 ** (ratio_db / 10)
    return np.asarray(sound.samples + noise * np.sqrt(power), np.float32)


def _moved(speech: tuple[Span, ...], begin: float, factor: float) -> tuple[Span, ...]:
    return tuple(Span((span.start - begin) / factor, (span.end - begin) / factor) for span in speech)


# ---------------------------------------------------------------- on log-mel frames


@dataclass(frozen=True, slots=True)
class Masking:
    """How much of the log-mel frames is hidden (D. Park et al. 2019, SpecAugment): widths are upper limits."""

    bands: int = 16
    frames: int = 20
    count: int = 1


def masked(
    mel: Float32[np.ndarray, "bin=128 frame"], masking: Masking, rng: np.random.Generator
) -> Float32[np.ndarray, "bin=128 frame"]:
    """A copy in which stretches of bands and of frames hold the mean of the sound."""
    told, middle = mel.copy(), float(mel.mean())
    for _ in range(masking.count):
        width, length = rng.integers(0, masking.bands + 1), rng.integers(0, masking.frames + 1)
        low, begin = rng.integers(0, 128 - width + 1), rng.integers(0, max(1, mel.shape[1] - length + 1))
        told[low : low + width] = middle
        told[:, begin : begin + length] = middle
    return told
