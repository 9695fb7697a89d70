"""Sound on the sample clock: 16 kHz mono, sample i at `start + i / 16000`, whatever the file does."""

from collections.abc import Iterator
from itertools import chain

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from jaxtyping import Float32

from emer.media.decoding import Source, Tally, decoded
from emer.types import SAMPLE_RATE, Span

TOLERANCE = 0.02
"""Seconds by which timestamps of sound may jitter (containers round them to 1 ms or worse) before it is a hole."""
SILENCE = np.zeros(SAMPLE_RATE, np.float32)


def sound(source: Source, span: Span, tally: Tally) -> Iterator[Float32[np.ndarray, "sample"]]:
    """The span's sound in blocks, mono at 16 kHz: exactly `round(duration * 16000)` samples in all.

    Sample i is heard at `span.start + i / 16000`: holes are filled with silence, overlaps are trimmed.
    """
    total = round(span.duration * SAMPLE_RATE)
    done = heard = 0
    for position, block in _placed(source, span, tally):
        for gap in _silence(min(position, total) - done):
            done += len(gap)
            yield gap
        piece = block[max(0, done - position) : max(0, total - position)]
        if len(piece):
            done += len(piece)
            heard += len(piece)
            tally.seconds = heard / SAMPLE_RATE
            yield piece
    yield from _silence(total - done)
    tally.complete = True


def _silence(count: int) -> Iterator[Float32[np.ndarray, "sample"]]:
    """`count` zeros, a second at a time."""
    while count > 0:
        yield SILENCE[: min(count, SAMPLE_RATE)]
        count -= SAMPLE_RATE


def _placed(source: Source, span: Span, tally: Tally) -> Iterator[tuple[int, Float32[np.ndarray, "sample"]]]:
    """Resampled blocks, each with the index of its first sample. Samples are counted on from the last hole, because
    timestamps are coarser than samples."""
    resampler: AudioResampler | None = None
    shape: tuple[str, str, int] | None = None
    expected, position = 0.0, 0
    for time, frame in chain(decoded(source, span, tally), [(span.end, None)]):
        fresh = frame is None or shape != _shape(frame) or abs(time - expected) > TOLERANCE
        if resampler is not None and fresh:
            for block in _resampled(resampler, None, tally):
                yield position, block
                position += len(block)
        if frame is None:
            return
        if resampler is None or fresh:
            resampler = AudioResampler("s32", "mono", SAMPLE_RATE)
            shape, expected = _shape(frame), time
            position = round((time - span.start) * SAMPLE_RATE)
        expected += frame.samples / frame.sample_rate
        for block in _resampled(resampler, frame, tally):
            yield position, block
            position += len(block)


def _shape(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _resampled(
    resampler: AudioResampler, frame: AudioFrame | None, tally: Tally
) -> Iterator[Float32[np.ndarray, "sample"]]:
    """Blocks in [-1, 1]. Through 32-bit integers, since FFmpeg keeps a downmix within full scale only for those."""
    try:
        blocks = resampler.resample(frame)
    except av.FFmpegError:
        tally.bad_packets += 1
        return
    for block in blocks:
        if block is not None and block.samples:
            yield block.to_ndarray()[0].astype(np.float32) * np.float32(2.0**-31)
