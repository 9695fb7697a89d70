"""Cut a stream of sound and a stream of pictures into windows that follow each other."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32

from emer.types import SAMPLE_RATE, Frame, Span, Window


def cut(
    span: Span,
    seconds: float,
    sound: Iterator[Float32[np.ndarray, "sample"]] | None,
    pictures: Iterator[Frame],
) -> Iterator[Window]:
    """Windows of `seconds` over the span; without `sound` their samples are empty.

    Both streams are read to their end before the last window is handed out, so that what was counted is final.
    """
    total = round(span.duration * SAMPLE_RATE)
    step = max(1, round(seconds * SAMPLE_RATE))
    samples, frames = _Samples(sound), _Frames(pictures)
    for first in range(0, total, step):
        last = first + step >= total
        end = span.end if last else span.start + (first + step) / SAMPLE_RATE
        heard = samples.take(min(step, total - first), drain=last)
        yield Window(span.start + first / SAMPLE_RATE, end, heard, frames.until(np.inf if last else end))


class _Samples:
    """Blocks of any length in, runs of a wanted length out."""

    def __init__(self, blocks: Iterator[Float32[np.ndarray, "sample"]] | None) -> None:
        self._blocks = blocks
        self._left = np.zeros(0, np.float32)

    def take(self, count: int, *, drain: bool) -> Float32[np.ndarray, "sample"]:
        """The next `count` samples; with `drain`, the blocks are read to their end."""
        if self._blocks is None:
            return np.zeros(0, np.float32)
        taken = np.zeros(count, np.float32)
        filled = 0
        while filled < count:
            if not len(self._left):
                self._left = next(self._blocks)
            piece = self._left[: count - filled]
            taken[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._left = self._left[len(piece) :]
        for _ in self._blocks if drain else ():
            pass
        return taken


class _Frames:
    """Frames in time order; one that belongs to the next window waits."""

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames = frames
        self._waiting: Frame | None = None

    def until(self, end: float) -> tuple[Frame, ...]:
        """Those with `time < end` that were not given yet."""
        taken = []
        if self._waiting is None:
            self._waiting = next(self._frames, None)
        while self._waiting is not None and self._waiting.time < end:
            taken.append(self._waiting)
            self._waiting = next(self._frames, None)
        return tuple(taken)
