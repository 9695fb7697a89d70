"""Pictures chosen by time: at a rate, or at single moments."""

from collections.abc import Iterator

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from emer.media.decoding import Source, Tally, decoded
from emer.media.pixels import render
from emer.types import Frame, Span

NEAR = 0.0005
"""Seconds: half the step of containers that round times to milliseconds."""


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
        if time > due - NEAR:
            yield _picture(frame, time, source, max_width, scaler)
            due = span.start + float(np.floor((time + NEAR - span.start) * fps) + 1) / fps
    if on_screen is not None:
        yield _picture(on_screen, span.start, source, max_width, scaler)
    tally.complete = True


def _picture(frame: VideoFrame, time: float, source: Source, max_width: int, scaler: VideoReformatter) -> Frame:
    return Frame(float(time), render(frame, source.aspect, max_width, scaler), corrupt=bool(frame.is_corrupt))


def pictures_at(source: Source, span: Span, times: list[float], max_width: int, tally: Tally) -> Iterator[Frame]:
    """The picture on the screen at each of some times, reached by seeking."""
    for time in times:
        frames = pictures(source, Span(time, span.end), 1.0, max_width, tally, exact=False)
        found = next(frames, None)
        if found is not None:
            yield found
