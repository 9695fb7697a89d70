"""The one demultiplexing loop, and the generators on it: sound on the sample clock, pictures chosen by time.

Sound and picture are read through containers of their own. A file that stores all sound before all pictures then
costs no more memory than a well interleaved one, and a stream that nobody asked for is not even read.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from jaxtyping import Float32

from emer.media.checks import Limits
from emer.media.container import opened, read_only
from emer.media.pixels import render
from emer.types import SAMPLE_RATE, Frame, Span

THREADS = 2
"""Decoder threads for pictures; several clips may be read at once, so it stays small."""
PREROLL = 0.5
"""Seconds to seek ahead of the wanted time: decoders of sound need some packets to settle (Opus asks for 80 ms)."""
TOLERANCE = 0.02
"""Seconds by which timestamps of sound may jitter (containers round them to 1 ms or worse) before it is a hole."""
PATIENCE = 50
"""Read errors on end before the rest of a file is given up."""
LATE = 30
"""Frames beyond the end before reading stops; a single wrong timestamp must not end a clip."""
SILENCE = np.zeros(SAMPLE_RATE, np.float32)


@dataclass(frozen=True, slots=True)
class Source:
    """One stream of a file, and how its clock relates to the clip's."""

    path: Path
    index: int
    origin: float
    """Seconds on the file's clock that are 0 on the clip's."""
    first: float
    """Seconds on the clip's clock at which the stream begins."""
    limits: Limits
    aspect: float = 1.0
    """Width of a pixel relative to its height."""


@dataclass(slots=True)
class Tally:
    """What one pass over a stream met."""

    bad_packets: int = 0
    corrupt_frames: int = 0
    seconds: float = 0.0
    """Sound or picture actually decoded."""
    complete: bool = False
    """Was the stream read to the end of the span?"""

    def merge(self, other: "Tally") -> None:
        """Take in another pass over the same stream: what is damaged stays damaged, and is counted once."""
        self.bad_packets = max(self.bad_packets, other.bad_packets)
        self.corrupt_frames = max(self.corrupt_frames, other.corrupt_frames)
        if other.complete:
            self.complete, self.seconds = True, other.seconds


def packets(container: InputContainer, streams: tuple[Stream, ...], tally: Tally) -> Iterator[Any]:
    """Every packet (av.Packet) of some streams in file order. Damage is counted and read past."""
    failures = 0
    while failures < PATIENCE:
        try:
            for packet in container.demux(*streams):
                failures = 0
                yield packet
            return
        except av.FFmpegError:
            failures += 1
            tally.bad_packets += 1
        except IndexError:
            # PyAV 18, at the end of a damaged file that announced further streams on its way: all is read by then.
            tally.bad_packets += 1
            return


def decoded(source: Source, span: Span, tally: Tally, *, exact: bool = True) -> Iterator[tuple[float, Any]]:
    """Frames with their times, from shortly before `span.start` to its end.

    Where seeking led past the start (formats without an index), reading begins anew at the beginning of the file;
    without `exact` what was found is taken.
    """
    frames = _decoded(source, span, tally, seek=span.start - PREROLL > source.first)
    if span.start - PREROLL > source.first:
        found = next(frames, None)
        if exact and (found is None or found[0] > span.start):
            tally.bad_packets = tally.corrupt_frames = 0
            frames = _decoded(source, span, tally, seek=False)
        elif found is not None:
            frames = chain([found], frames)
    yield from frames


def _decoded(source: Source, span: Span, tally: Tally, *, seek: bool) -> Iterator[tuple[float, Any]]:
    with opened(source.path, source.limits) as container:
        stream = container.streams[source.index]
        read_only(container, stream)
        _prepare(stream, source.limits)
        if seek:
            _seek(container, stream, span.start - PREROLL + source.origin)
        following, late = source.first, 0
        for frame in _frames(container, stream, span.start + source.origin, tally):
            time = following if frame.time is None else frame.time - source.origin
            following = time + length_of(frame, stream)
            if frame.is_corrupt and time >= span.start:
                tally.corrupt_frames += 1
            late = late + 1 if time >= span.end else 0
            if late >= LATE:
                return
            if not late:
                yield time, frame


def _prepare(stream: Stream, limits: Limits) -> None:
    """Settings that a decoder takes before its first packet."""
    context = stream.codec_context
    context.options = {"max_pixels": str(limits.pixels)}
    if stream.type == "video":
        context.thread_type = "AUTO"
        context.thread_count = THREADS
    else:
        context.thread_count = 1


def _seek(container: InputContainer, stream: Stream, time: float) -> None:
    if stream.time_base is None:
        return
    # A format that cannot seek stays at its beginning: slower, and just as right.
    with suppress(av.FFmpegError):
        container.seek(int(time / stream.time_base), stream=stream)


def _frames(container: InputContainer, stream: Stream, start: float, tally: Tally) -> Iterator[Any]:
    """Decoded frames; a packet that cannot be decoded is counted, unless it lies before `start` (after a seek,
    references to what was skipped are missing)."""
    for packet in packets(container, (stream,), tally):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            if packet.pts is None or packet.time_base is None or packet.pts * packet.time_base >= start:
                tally.bad_packets += 1
            continue
        yield from frames


def first_frame(source: Source) -> VideoFrame | AudioFrame | av.FFmpegError | None:
    """The first frame that can be decoded; else the error of the last packet, None where none was given."""
    trouble: av.FFmpegError | None = None
    with opened(source.path, source.limits) as container:
        stream = container.streams[source.index]
        read_only(container, stream)
        _prepare(stream, source.limits)
        for packet in packets(container, (stream,), Tally()):
            try:
                for frame in packet.decode():
                    return frame  # type: ignore[no-any-return]
            except av.FFmpegError as problem:
                trouble = problem
    return trouble


def length_of(frame: VideoFrame | AudioFrame, stream: Stream) -> float:
    """Seconds that a frame lasts; for pictures what the file states, else what its rate implies."""
    if isinstance(frame, AudioFrame):
        return frame.samples / frame.sample_rate
    if frame.duration and frame.time_base:
        return float(frame.duration * frame.time_base)
    return float(1 / stream.average_rate) if stream.average_rate else 0.04


# ---------------------------------------------------------------- sound


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


# ---------------------------------------------------------------- pictures


def pictures(
    source: Source, span: Span, fps: float, max_width: int, tally: Tally, *, exact: bool = True
) -> Iterator[Frame]:
    """At most `fps` frames a second, each the first at or after its due time; none twice, so possibly fewer.

    The picture that is on the screen at `span.start` is given that time, also when it was shown earlier.
    """
    due, last = span.start, -np.inf
    begun: float | None = None
    scaler = VideoReformatter()
    on_screen: VideoFrame | None = None
    for time, frame in decoded(source, span, tally, exact=exact):
        if time <= last:
            continue
        last = time
        begun = max(time, span.start) if begun is None or time <= span.start else begun
        stated = float(frame.duration * frame.time_base) if frame.duration else 0.0
        tally.seconds = max(0.0, min(span.end, time + stated) - begun)
        if time <= span.start:
            on_screen = frame
            continue
        if on_screen is not None:
            yield _picture(on_screen, span.start, source, max_width, scaler)
            on_screen, due = None, span.start + 1 / fps
        if time > due - _NEAR:
            yield _picture(frame, time, source, max_width, scaler)
            due = span.start + float(np.floor((time + _NEAR - span.start) * fps) + 1) / fps
    if on_screen is not None:
        yield _picture(on_screen, span.start, source, max_width, scaler)
    tally.complete = True


_NEAR = 0.0005
"""Seconds: half the step of containers that round times to milliseconds."""


def _picture(frame: VideoFrame, time: float, source: Source, max_width: int, scaler: VideoReformatter) -> Frame:
    return Frame(float(time), render(frame, source.aspect, max_width, scaler), corrupt=bool(frame.is_corrupt))


def pictures_at(source: Source, span: Span, times: list[float], max_width: int, tally: Tally) -> Iterator[Frame]:
    """The picture on the screen at each of some times, reached by seeking."""
    for time in times:
        frames = pictures(source, Span(time, span.end), 1.0, max_width, tally, exact=False)
        found = next(frames, None)
        if found is not None:
            yield found
