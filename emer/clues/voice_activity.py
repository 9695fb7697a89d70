"""Where someone speaks: silero-vad over the streamed sound, and how loud it is.

Silero Team (2024), "Silero VAD: pre-trained enterprise-grade voice activity detector" (MIT; its wheel holds the model).
The network keeps its state from one chunk of 512 samples to the next, so that the windows of decoding leave no seam.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from jaxtyping import Float32

from emer.clues.listening import VoiceActivity
from emer.types import SAMPLE_RATE, Media, Span, Track

CHUNK = 512
"""Samples the network hears at a time (32 ms at 16 kHz)."""
LOUDNESS_STEP = 0.1
LOUDNESS_FLOOR = -80.0
TRACK_POINTS = 2000

ONSET, OFFSET = 0.5, 0.35
"""Speech begins at the first probability and ends below the second (the model's published defaults)."""
SHORTEST_SPEECH = 0.25
SHORTEST_GAP = 0.15
"""Seconds. Shorter speech is dropped; speech on both sides of a shorter gap is one span."""
PAD = 0.03
"""Seconds added at both ends of a span, because the network answers a little late."""

_models = threading.local()


def detect(media: Media) -> VoiceActivity:
    """Speech spans, loudness at 10 Hz and the probability curve, in one pass over the sound.

    A clip without sound gives no spans and empty curves.
    """
    probability, loudness, seconds = _listen(media)
    begin = media.facts.span.start
    speech = tuple(Span(begin + a, begin + b) for a, b in speech_spans(probability, seconds))
    return VoiceActivity(speech=speech, loudness=loudness, track=_track(probability, begin))


def _listen(media: Media) -> tuple[Float32[np.ndarray, "chunk"], Float32[np.ndarray, "step"], float]:
    """Speech probability per chunk, loudness per 0.1 s, and the seconds heard."""
    import torch

    step = round(LOUDNESS_STEP * SAMPLE_RATE)
    probability: list[float] = []
    levels = [np.zeros(0, np.float32)]
    unheard = unmeasured = np.zeros(0, np.float32)
    heard = 0
    with _single_thread(), torch.inference_mode():
        model = _model()
        model.reset_states()
        for window in media.windows(audio=True):
            heard += len(window.samples)
            unheard = np.concatenate([unheard, window.samples])
            whole = len(unheard) // CHUNK * CHUNK
            probability += [float(model(chunk, SAMPLE_RATE)) for chunk in _chunks(unheard[:whole])]
            unheard = unheard[whole:]
            unmeasured = np.concatenate([unmeasured, window.samples])
            whole = len(unmeasured) // step * step
            levels.append(_decibels(unmeasured[:whole].reshape(-1, step)))
            unmeasured = unmeasured[whole:]
        if len(unheard):
            last = np.pad(unheard, (0, CHUNK - len(unheard)))
            probability += [float(model(chunk, SAMPLE_RATE)) for chunk in _chunks(last)]
    if len(unmeasured):
        levels.append(_decibels(unmeasured.reshape(1, -1)))
    return np.array(probability, np.float32), np.concatenate(levels), heard / SAMPLE_RATE


def speech_spans(probability: Float32[np.ndarray, "chunk"], seconds: float) -> list[tuple[float, float]]:
    """Spans (seconds from the start) where the probability rose over ONSET, until it fell below OFFSET."""
    found: list[tuple[float, float]] = []
    start: int | None = None
    for i, p in enumerate([*probability.tolist(), 0.0]):
        if start is None and p >= ONSET:
            start = i
        elif start is not None and p < OFFSET:
            found.append((start * CHUNK / SAMPLE_RATE, min(i * CHUNK / SAMPLE_RATE, seconds)))
            start = None
    merged: list[tuple[float, float]] = []
    for begin, end in found:
        if merged and begin - merged[-1][1] < SHORTEST_GAP:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((begin, end))
    long_enough = [(a, b) for a, b in merged if b - a >= SHORTEST_SPEECH]
    return [(max(0.0, a - PAD), min(seconds, b + PAD)) for a, b in long_enough]


def _chunks(samples: Float32[np.ndarray, "sample"]) -> Iterator[Any]:
    import torch

    # A copy, because decoded sound may lie in read-only memory, which torch does not accept.
    return iter(torch.from_numpy(samples.copy()).reshape(-1, CHUNK).unbind())


def _decibels(steps: Float32[np.ndarray, "step sample"]) -> Float32[np.ndarray, "step"]:
    mean_square = np.mean(steps.astype(np.float64) ** 2, axis=1)
    return np.asarray(10 * np.log10(np.maximum(mean_square, 10 ** (LOUDNESS_FLOOR / 10))), np.float32)


def _track(probability: Float32[np.ndarray, "chunk"], begin: float) -> Track:
    """The highest probability of every few chunks: at most 2,000 points."""
    every = max(1, -(-len(probability) // TRACK_POINTS))
    padded = np.pad(probability, (0, -len(probability) % every))
    highest = padded.reshape(-1, every).max(axis=1) if len(padded) else padded
    return Track(
        name="speech probability",
        modality="audio",
        unit="probability",
        start=begin,
        step=every * CHUNK / SAMPLE_RATE,
        values=tuple(round(float(p), 3) for p in highest),
    )


def _model() -> Any:
    """One network per thread, because it keeps state between chunks; loading takes 40 ms."""
    if not hasattr(_models, "network"):
        from silero_vad import load_silero_vad

        with warnings.catch_warnings():
            # The wheel ships its network as TorchScript, which torch calls deprecated and still reads.
            warnings.filterwarnings("ignore", message=".*torch.jit.load.*", category=DeprecationWarning)
            _models.network = load_silero_vad()
    return _models.network


@contextmanager
def _single_thread() -> Iterator[None]:
    """One torch thread: chunks are tiny, and waiting threads slow them down many times.

    The number is put back afterwards, because importing silero-vad sets it for the whole process.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
