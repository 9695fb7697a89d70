"""Sounds whose pitch, periods and noise are known because they were put there, and a clip held in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emer.clues.listening import VoiceActivity
from emer.types import SAMPLE_RATE, Faults, Frame, MediaFacts, Span, Track, Transcript, Window

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Recording:
    """A clip of sound in memory, handed out in windows of `window` seconds."""

    samples: Samples
    begin: float = 0.0
    window: float = 30.0
    transcript: Transcript | None = None

    @property
    def faults(self) -> Faults:
        return Faults()

    @property
    def facts(self) -> MediaFacts:
        span = Span(self.begin, self.begin + len(self.samples) / SAMPLE_RATE)
        return MediaFacts("memory", "0" * 64, span, None, has_audio=True, has_video=False)

    def windows(
        self, *, seconds: float = 30.0, audio: bool = True, fps: float | None = None, max_width: int = 960
    ) -> Iterator[Window]:
        size = max(1, round(min(seconds, self.window) * SAMPLE_RATE))
        for i in range(0, len(self.samples), size):
            part = self.samples[i : i + size]
            start = self.begin + i / SAMPLE_RATE
            yield Window(start, start + len(part) / SAMPLE_RATE, part)

    def sample(self, n: int, *, max_width: int = 960) -> tuple[Frame, ...]:
        return ()


def heard(samples: Samples, *spans: tuple[float, float]) -> VoiceActivity:
    """Voice activity as if `spans` (default: everything) were speech: no network hears a tone as a voice."""
    steps = [samples[i : i + 1600] for i in range(0, len(samples), 1600)]
    loudness = [10 * np.log10(max(float(np.mean(s.astype(float) ** 2)), 1e-8)) for s in steps]
    whole = ((0.0, len(samples) / SAMPLE_RATE),)
    track = Track("speech probability", "audio", "probability", 0.0, 0.032, ())
    return VoiceActivity(tuple(Span(a, b) for a, b in spans or whole), np.array(loudness, np.float32), track)


def tone(hz: float, seconds: float, amplitude: float = 0.5) -> Samples:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * hz * time)).astype(np.float32)


def pulses(times: NDArray[np.float64], amplitudes: NDArray[np.float64], seconds: float) -> Samples:
    """A glottal-like pulse (a damped 500 Hz wave, band-limited) at each time, exact to a fraction of a sample."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    sound = np.zeros(len(time))
    for at, amplitude in zip(times, amplitudes, strict=True):
        near = slice(max(0, int((at - 0.002) * SAMPLE_RATE)), int((at + 0.02) * SAMPLE_RATE))
        since = time[near] - at
        rising = 1 / (1 + np.exp(-since / 0.00015))
        sound[near] += (
            amplitude * rising * np.exp(-np.maximum(since, -0.002) / 0.0015) * np.cos(2 * np.pi * 500 * since)
        )
    return (0.3 * sound).astype(np.float32)


def harmonic(hz: NDArray[np.float64], amplitude: NDArray[np.float64] | float = 0.1) -> Samples:
    """Six equal harmonics of a pitch given per sample."""
    phase = 2 * np.pi * np.cumsum(hz) / SAMPLE_RATE
    return (amplitude * np.sum([np.cos(k * phase) for k in range(1, 7)], axis=0) / 6).astype(np.float32)


def noise(seconds: float, level: float, seed: int = 0) -> Samples:
    return (level * np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))).astype(np.float32)
