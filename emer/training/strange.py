"""Sounds in which nobody speaks, made by arithmetic: what heads for voices must not be sure about.

No recording of music can be shipped, so the music is synthetic: chords of decaying harmonics with a bass and a beat.
What is found on it holds for such sounds, and for real music only as far as that resembles them.
"""

import wave
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
from jaxtyping import Float64

from emer.data.rows import Row
from emer.data.tables import FeatureTable
from emer.training.voices import clip_table
from emer.types import SAMPLE_RATE, Annotation, Clip

LABELS = ("noise", "music")
CLIPS = 60
SECONDS = 4.0

Sound = Float64[np.ndarray, "sample"]


def table(folder: str | Path, what: Literal["noise", "music"]) -> FeatureTable:
    """Audio features of 60 generated clips of 4 s; the label says what they are. `folder` is not needed."""
    make = {"noise": noise, "music": music}[what]
    with TemporaryDirectory() as place:
        rows = [_written(Path(place), f"{what}-{number:02d}", what, partial(make, number)) for number in range(CLIPS)]
        return clip_table(rows, name=what, labels=LABELS)


def noise(seed: int) -> Sound:
    """Noise with a spectrum of 1 / f^slope, slope 0 to 2, whose loudness may swell up to six times a second."""
    rng = np.random.default_rng([seed, 1])
    count = int(SECONDS * SAMPLE_RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 20.0)
    sound = np.fft.irfft(spectrum / frequency ** (rng.uniform(0, 2) / 2), count)
    time = np.arange(count) / SAMPLE_RATE
    swell = 1 + rng.uniform(0, 0.9) * np.sin(2 * np.pi * rng.uniform(0.5, 6) * time)
    return _level(sound * swell, rng.uniform(-35, -12))


def music(seed: int) -> Sound:
    """A melody over chords and a bass, two to four notes a second, in a key and a tempo by chance."""
    rng = np.random.default_rng([seed, 2])
    sound = np.zeros(int(SECONDS * SAMPLE_RATE))
    scale = rng.choice([[0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10]])
    key, beat = rng.uniform(48, 60), 1 / rng.uniform(2, 4)
    for place in np.arange(0, SECONDS, beat):
        step = int(rng.integers(0, 7))
        _add(sound, place, _note(key + 12 + scale[step], 2 * beat, 1.0, rng))
        _add(sound, place, _note(key - 12 + scale[0], 2 * beat, 0.6, rng))
        if rng.random() < 0.5:
            for third in (0, 2, 4):
                _add(sound, place, _note(key + scale[third], 4 * beat, 0.4, rng))
        _add(sound, place, 0.3 * rng.standard_normal(800) * np.exp(-np.arange(800) / 150))
    return _level(sound, rng.uniform(-30, -12))


def _note(semitone: float, seconds: float, loudness: float, rng: np.random.Generator) -> Float64[np.ndarray, "some"]:
    """A plucked tone of ten harmonics, of which the higher ones die sooner; `semitone` as in MIDI (69 is 440 Hz)."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    base = 440 * 2 ** ((semitone - 69) / 12)
    harmonics = [n for n in range(1, 11) if n * base < SAMPLE_RATE / 2]
    tone = sum(np.sin(2 * np.pi * n * base * time + rng.uniform(0, 6)) / n * np.exp(-time * (2 + n)) for n in harmonics)
    return np.asarray(loudness * tone)


def _add(sound: Sound, at: float, tone: Float64[np.ndarray, "some"]) -> None:
    begin = int(at * SAMPLE_RATE)
    end = min(len(sound), begin + len(tone))
    sound[begin:end] += tone[: end - begin]


def _level(sound: Sound, decibel: float) -> Sound:
    """The sound at a root mean square of so many dB below full scale, cut where it would be above that."""
    scaled = sound / np.sqrt(np.mean(sound**2)) * 10 ** (decibel / 20)
    return np.asarray(scaled.clip(-1, 1))


def _written(folder: Path, name: str, label: str, make: Callable[[], Sound]) -> Row:
    path = folder / f"{name}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((make() * 32767).astype("<i2").tobytes())
    return Row(name, Clip(str(path)), Annotation((label,)))
