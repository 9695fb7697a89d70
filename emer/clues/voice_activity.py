"""Where someone speaks: silero-vad over the streamed sound, and how loud it is.

Silero Team (2024), "Silero VAD: pre-trained enterprise-grade voice activity detector" (MIT; its wheel holds the model).
The network keeps its state from one chunk of 512 samples to the next, so that the windows of decoding leave no seam.

The network learned from ordinary speech and misses shouts, screams and other very high voices, however loud: of the
1,466 recordings of RAVDESS and EmoDB it hears nothing in 14, all of them strong anger, fear or joy. So a second
listener, the same network, hears the sound half an octave lower and slower, where such voices lie among those it
knows. It finds 13 of the 14, and adds less than 0.05 s to 95 % of the others. How much lower was chosen on those 14
(0.9, 0.8, 0.7 and 0.6 of the pitch were tried, without looking at labels), so this is no figure for other recordings.
"""

import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from jaxtyping import Float32
from scipy.signal import resample_poly

from emer.clues.listening import VoiceActivity
from emer.types import SAMPLE_RATE, Media, Span, Track

CHUNK = 512
"""Samples the network hears at a time (32 ms at 16 kHz)."""
SLOWER = 10, 7
"""The second listener gets ten samples for seven: 6.2 semitones lower."""
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

Probabilities = Float32[np.ndarray, "_"]
"""One per chunk, 0 to 1; the two listeners have different numbers of chunks."""


def detect(media: Media) -> VoiceActivity:
    """Speech spans, loudness at 10 Hz and the probability curve, in one pass over the sound.

    A clip without sound gives no spans and empty curves.
    """
    plain, slowed, loudness, seconds = _listen(media)
    begin = media.facts.span.start
    found = _union(
        speech_spans(plain, seconds), speech_spans(slowed, seconds, CHUNK / SAMPLE_RATE * SLOWER[1] / SLOWER[0])
    )
    speech = tuple(Span(begin + a, begin + b) for a, b in found)
    return VoiceActivity(speech=speech, loudness=loudness, track=_track(_higher(plain, slowed), begin))


def _listen(media: Media) -> tuple[Probabilities, Probabilities, Float32[np.ndarray, "step"], float]:
    """What both listeners say per chunk of theirs, loudness per 0.1 s, and the seconds heard."""
    import torch

    step = round(LOUDNESS_STEP * SAMPLE_RATE)
    levels = [np.zeros(0, np.float32)]
    unmeasured = np.zeros(0, np.float32)
    heard = 0
    with _single_thread(), torch.inference_mode():
        plain, slowed = _Plain(_model(0)), _Slowed(_model(1))
        for window in media.windows(audio=True):
            heard += len(window.samples)
            plain.hear(window.samples)
            slowed.hear(window.samples)
            unmeasured = np.concatenate([unmeasured, window.samples])
            whole = len(unmeasured) // step * step
            levels.append(_decibels(unmeasured[:whole].reshape(-1, step)))
            unmeasured = unmeasured[whole:]
        probabilities = plain.end(), slowed.end()
    if len(unmeasured):
        levels.append(_decibels(unmeasured.reshape(1, -1)))
    return *probabilities, np.concatenate(levels), heard / SAMPLE_RATE


class _Plain:
    """One network that listens as the sound comes, chunk by chunk."""

    block = CHUNK
    """Samples that are worked on at a time."""
    context = 0
    """Samples before and after a block that are looked at besides."""

    def __init__(self, network: Any) -> None:
        self.network = network
        self.network.reset_states()
        self.probability: list[float] = []
        self.unheard = np.zeros(self.context, np.float32)

    def hear(self, samples: Float32[np.ndarray, "sample"]) -> None:
        """All whole blocks; the rest waits for more."""
        self.unheard = np.concatenate([self.unheard, samples])
        whole = max(0, len(self.unheard) - 2 * self.context) // self.block
        for i in range(whole):
            self._block(self.unheard[i * self.block : (i + 1) * self.block + 2 * self.context])
        self.unheard = self.unheard[whole * self.block :]

    def end(self) -> Probabilities:
        """The probability of every chunk, the last one filled up with silence."""
        left = len(self.unheard) - self.context
        if left > 0:
            self.hear(np.zeros(self.block + self.context - left, np.float32))
        return np.array(self.probability, np.float32)

    def _block(self, samples: Float32[np.ndarray, "sample"]) -> None:
        self.probability += [float(self.network(chunk, SAMPLE_RATE)) for chunk in _chunks(samples)]


class _Slowed(_Plain):
    """The same, ten chunks for every seven, with seven tenths of the pitch. The context spans the filter's length."""

    block = SLOWER[1] * CHUNK
    context = 2 * SLOWER[1]

    def _block(self, samples: Float32[np.ndarray, "sample"]) -> None:
        edge = self.context * SLOWER[0] // SLOWER[1]
        super()._block(np.asarray(resample_poly(samples, *SLOWER)[edge:-edge], np.float32))


def speech_spans(
    probability: Probabilities, seconds: float, chunk: float = CHUNK / SAMPLE_RATE
) -> list[tuple[float, float]]:
    """Spans (seconds from the start) where the probability rose over ONSET, until it fell below OFFSET.

    `chunk` is the time of the clip in seconds that each probability stands for.
    """
    found: list[tuple[float, float]] = []
    start: int | None = None
    for i, p in enumerate([*probability.tolist(), 0.0]):
        if start is None and p >= ONSET:
            start = i
        elif start is not None and p < OFFSET:
            found.append((start * chunk, min(i * chunk, seconds)))
            start = None
    long_enough = [(a, b) for a, b in _joined(found, SHORTEST_GAP) if b - a >= SHORTEST_SPEECH]
    return [(max(0.0, a - PAD), min(seconds, b + PAD)) for a, b in long_enough]


def _union(ours: Sequence[tuple[float, float]], theirs: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """What either of two listeners heard; gaps stay as long as in either alone."""
    return _joined(sorted([*ours, *theirs]), SHORTEST_GAP - 2 * PAD)


def _joined(spans: Sequence[tuple[float, float]], gap: float) -> list[tuple[float, float]]:
    """Spans in order, joined where they overlap or leave a gap that is shorter."""
    joined: list[tuple[float, float]] = []
    for begin, end in spans:
        if joined and begin - joined[-1][1] < gap:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def _higher(plain: Probabilities, slowed: Probabilities) -> Probabilities:
    """The probability of the more certain listener, on the chunks of the first."""
    if not len(plain):
        return plain
    middle = (np.arange(len(plain)) + 0.5) * SLOWER[0] / SLOWER[1]
    return np.asarray(np.maximum(plain, slowed[np.minimum(middle.astype(int), len(slowed) - 1)]))


def _chunks(samples: Float32[np.ndarray, "sample"]) -> Iterator[Any]:
    import torch

    # A copy, because decoded sound may lie in read-only memory, which torch does not accept.
    return iter(torch.from_numpy(samples.copy()).reshape(-1, CHUNK).unbind())


def _decibels(steps: Float32[np.ndarray, "step sample"]) -> Float32[np.ndarray, "step"]:
    mean_square = np.mean(steps.astype(np.float64) ** 2, axis=1)
    return np.asarray(10 * np.log10(np.maximum(mean_square, 10 ** (LOUDNESS_FLOOR / 10))), np.float32)


def _track(probability: Probabilities, begin: float) -> Track:
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


def _model(listener: int) -> Any:
    """One network per listener and thread, because it keeps state between chunks; loading takes 40 ms."""
    networks = _models.__dict__.setdefault("networks", {})
    if listener not in networks:
        from silero_vad import load_silero_vad

        with warnings.catch_warnings():
            # The wheel ships its network as TorchScript, which torch calls deprecated and still reads.
            warnings.filterwarnings("ignore", message=".*torch.jit.load.*", category=DeprecationWarning)
            networks[listener] = load_silero_vad()
    return networks[listener]


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
