"""The one demultiplexing loop, and decoded frames with their times. `sound.py` and `pictures.py` build on it.

Sound and picture are read through containers of their own. A file that stores all sound before all pictures then
costs no more memory than a well interleaved one, and a stream that nobody asked for is not even read.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame

from emer.media.checks import Limits
from emer.media.container import opened, read_only
from emer.types import Span

THREADS = 2
"""Decoder threads for pictures; several clips may be read at once, so it stays small."""
PREROLL = 0.5
"""Seconds to seek ahead of the wanted time: decoders of sound need some packets to settle (Opus asks for 80 ms)."""
PATIENCE = 50
"""Read errors on end before the rest of a file is given up."""
JUMP = 1.0
"""Seconds between two frames from which the second's time needs to be borne out by a third."""
LATE = 30
"""Frames beyond the end before reading stops; a single wrong timestamp must not end a clip."""


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
    yield from steady(frames)


def steady(frames: Iterable[tuple[float, Any]]) -> Iterator[tuple[float, Any]]:
    """Frames without those whose time is damaged: one that jumps ahead waits until its successor does not go back."""
    waiting: tuple[float, Any] | None = None
    last = math.inf
    for time, frame in frames:
        if waiting is not None and time >= waiting[0]:
            yield waiting
            last = waiting[0]
        waiting = None
        if time > last + JUMP:
            waiting = time, frame
        else:
            yield time, frame
            last = time
    if waiting is not None:
        yield waiting


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
