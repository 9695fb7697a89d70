"""The re-openable handle on a clip."""

from collections.abc import Iterator
from dataclasses import replace
from typing import final

from emer.errors import MediaError
from emer.media import transcript
from emer.media.checks import Limits, check_file, check_request, shown
from emer.media.decoding import Tally
from emer.media.pictures import pictures, pictures_at
from emer.media.sound import sound
from emer.media.survey import Survey, survey
from emer.media.windowing import cut
from emer.types import Clip, Faults, Frame, MediaFacts, Span, Transcript, Window

DEFAULT_LIMITS = Limits()
FAR = 5.0
"""Seconds between wanted pictures from which seeking to each is cheaper than decoding all in between: about the
distance of two pictures from which a decoder can start."""


def open(clip: Clip, limits: Limits = DEFAULT_LIMITS) -> "MediaFile":
    """Check a clip and survey it; nothing but the first frame of each stream is decoded.

    Raises MediaError (nothing to decode, over a limit, a part that is not there) and TranscriptError (a transcript
    was named and cannot be read), each with one line that says what to do.
    """
    check_request(clip)
    path = check_file(clip.path)
    found = survey(path, clip, limits)
    words = None
    if "text" not in clip.without:
        words, notices = transcript.find(clip, path, found.facts.span, found.origin, limits)
        found = replace(found, facts=replace(found.facts, notices=notices))
    _check_content(shown(path.name), clip, found, words)
    return MediaFile(found, words)


def _check_content(name: str, clip: Clip, found: Survey, words: Transcript | None) -> None:
    """Raises MediaError when nothing that is wanted can be read."""
    facts = found.facts
    if words is not None and (facts.has_audio or facts.has_video):
        return
    if (facts.has_audio and "audio" not in clip.without) or (facts.has_video and "visual" not in clip.without):
        return
    if facts.has_audio or facts.has_video:
        there = "sound" if facts.has_audio else "a picture"
        raise MediaError(f"{name} has only {there}, and that is left out; drop --without for it")
    if found.missing:
        raise MediaError(f"{name} has nothing to see or hear: {'; '.join(found.missing)}; check that it plays")
    raise MediaError(f"{name} has neither sound nor picture; name a clip that has one of them")


@final
class MediaFile:
    """A clip that can be decoded as often as wanted; `emer.types.Media` states what the methods give.

    Nothing stays open between calls, and what a pass holds is one window, whatever the clip's length.
    Where `facts.has_audio` is False (or `audio=False`), windows have empty `samples`; otherwise the samples of a
    window are always `round((end - start) * 16000)`, with silence where the clip has no sound.
    Where `facts.has_video` is False, windows have no frames. A photograph is one frame at time 0 of a span of 1 s.
    """

    __slots__ = ("_audio", "_facts", "_heard", "_seen", "_transcript", "_video")

    def __init__(self, found: Survey, words: Transcript | None) -> None:
        self._facts = found.facts
        self._audio, self._video = found.audio, found.video
        self._transcript = words
        self._heard, self._seen = Tally(), Tally()

    @property
    def facts(self) -> MediaFacts:
        return self._facts

    @property
    def transcript(self) -> Transcript | None:
        """What is said in the part that is read; cues that lie outside of it are left out, times are cut to it."""
        return self._transcript

    @property
    def faults(self) -> Faults:
        """Damage met so far: per stream that of the worst pass, so that reading twice does not count twice.

        To see whether a clip is cut off, compare the longer of `decoded_audio` and `decoded_video` with
        `facts.container_duration`: one of the two may rightly be shorter.
        """
        heard, seen = self._heard, self._seen
        return Faults(
            bad_packets=heard.bad_packets + seen.bad_packets,
            corrupt_frames=heard.corrupt_frames + seen.corrupt_frames,
            decoded_audio=heard.seconds if heard.complete else None,
            decoded_video=seen.seconds if seen.complete else None,
        )

    def windows(
        self, *, seconds: float = 30.0, audio: bool = True, fps: float | None = None, max_width: int = 960
    ) -> Iterator[Window]:
        """Stream the clip in windows of `seconds` (the last may be shorter); together they cover `facts.span`.

        With `fps`, each frame is the first at or after its due time on a grid from the span's start, and none is
        given twice, so a slower clip gives all its frames. The picture on the screen at the span's start bears that
        time. A window with frames needs `seconds * fps * width * height * 3` bytes: ask for short ones.
        """
        if seconds <= 0 or max_width < 1 or (fps is not None and fps <= 0):
            raise ValueError(f"seconds {seconds}, fps {fps} and max_width {max_width} must be positive")
        heard, seen = Tally(), Tally()
        span = self._facts.span
        samples = sound(self._audio, span, heard) if audio and self._audio else None
        frames = pictures(self._video, span, fps, max_width, seen) if fps and self._video else iter(())
        try:
            yield from cut(span, seconds, samples, frames)
        finally:
            self._heard.merge(heard)
            self._seen.merge(seen)

    def sample(self, n: int, *, max_width: int = 960) -> tuple[Frame, ...]:
        """The pictures on the screen at the middles of `n` equal parts, fewer where the clip has fewer.

        Reached by seeking where they lie far apart, so that a long clip is not decoded as a whole.
        """
        if n < 1 or max_width < 1:
            raise ValueError(f"n {n} and max_width {max_width} must be positive")
        if self._video is None:
            return ()
        span = self._facts.span
        apart = span.duration / n
        middles = [span.start + (k + 0.5) * apart for k in range(n)]
        if self._facts.is_image:
            middles = [span.start]
        seen = Tally()
        if apart < FAR:
            rest = Span(middles[0], span.end)
            frames = tuple(pictures(self._video, rest, 1 / apart, max_width, seen))[:n]
        else:
            frames = tuple(pictures_at(self._video, span, middles, max_width, seen))
        seen.complete = False
        self._seen.merge(seen)
        return frames
