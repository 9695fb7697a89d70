"""What is in a file: read from its header, from one pass over its packets, and from one decoded frame per stream."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from emer.errors import MediaError
from emer.media.checks import Limits, check_inside, check_length, shown
from emer.media.container import UNKNOWN, codec_name, is_still, main_audio, main_video, opened, read_only
from emer.media.decoding import Source, Tally, first_frame, packets
from emer.media.pixels import displayed_size, orientation_of
from emer.types import Clip, MediaFacts, Span

IMAGE_SPAN = 1.0
"""Seconds for which a photograph is said to be shown."""
SMALLEST = 16
"""Pixels of a picture's shorter side below which nothing can be seen in it."""
AGREEMENT = 0.1
"""Seconds by which the last packet may end beside the header's duration (padding, rounding) without being damage."""
HEADERLESS = ("aac", "ac3", "eac3")
"""Formats without any header: what FFmpeg gives as their duration is a guess from the first bit rate."""
JUMP = 10.0
"""Seconds between two packets of a stream from which the second alone is not believed."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A file's facts and its readable streams; `missing` says in words why a stream is not readable."""

    facts: MediaFacts
    origin: float
    """Seconds on the file's clock at which the first sound or picture is presented: 0 on the clip's clock."""
    audio: Source | None
    video: Source | None
    missing: tuple[str, ...]


@dataclass(slots=True)
class Extent:
    """Seconds on the file's clock between which a stream has packets, gathered packet by packet."""

    first: float
    last: float
    claimed: float
    """As `last`, counting also a jump that no second packet confirmed."""
    encrypted: bool = False
    _jumped: float | None = None

    def add(self, begin: float, end: float) -> None:
        """A jump ahead counts once the next packet has not gone back: it may be one damaged timestamp."""
        self.first = min(self.first, begin)
        self.claimed = max(self.claimed, end)
        if begin <= self.last + JUMP or (self._jumped is not None and begin >= self._jumped):
            self.last = max(self.last, end)
            self._jumped = None
        else:
            self._jumped = begin


@dataclass(frozen=True, slots=True)
class _Sound:
    source: Source | None
    codec: str | None
    trouble: str | None = None
    frame: AudioFrame | None = None


@dataclass(frozen=True, slots=True)
class _Picture:
    source: Source | None
    codec: str | None
    trouble: str | None = None
    width: int | None = None
    height: int | None = None
    rotation: int = 0
    rate: float | None = None


def survey(path: Path, clip: Clip, limits: Limits) -> Survey:
    """Raises MediaError where the file is over a limit or the wanted part lies outside of it."""
    name = shown(path.name)
    with opened(path, limits) as container:
        audio, video = main_audio(container), main_video(container)
        still = is_still(container, video)
        declared = None if still or container.format.name in HEADERLESS else _declared(container)
        if declared is not None:
            check_length(name, _span(name, clip, declared, still=still), limits)
        streams = tuple(stream for stream in (audio, video) if stream is not None)
        extents = _extents(container, streams)
        origin = _origin(streams, extents)
        sound = _sound(path, audio, extents, origin, limits)
        picture = _picture(path, video, extents, origin, limits)
    whole, stated = (IMAGE_SPAN, None) if still else _whole(declared, origin, extents)
    span = _span(name, clip, whole, still=still)
    if sound.source or picture.source:
        check_inside(name, span, whole)
        check_length(name, span, limits)
    return Survey(
        _facts(clip, path, span, stated, still, sound, picture),
        origin,
        sound.source,
        picture.source,
        tuple(trouble for trouble in (sound.trouble, picture.trouble) if trouble is not None),
    )


def _facts(
    clip: Clip, path: Path, span: Span, stated: float | None, still: bool, sound: _Sound, picture: _Picture
) -> MediaFacts:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return MediaFacts(
        path=clip.path,
        sha256=digest,
        span=span,
        container_duration=stated,
        has_audio=sound.source is not None,
        has_video=picture.source is not None,
        is_image=still,
        width=picture.width,
        height=picture.height,
        frame_rate=None if still else picture.rate,
        rotation=picture.rotation,
        sample_rate=sound.frame.sample_rate if sound.frame else None,
        channels=sound.frame.layout.nb_channels if sound.frame else None,
        audio_codec=sound.codec,
        video_codec=picture.codec,
    )


# ---------------------------------------------------------------- time


def _extents(container: InputContainer, streams: tuple[Stream, ...]) -> dict[int, Extent]:
    """Where each stream has packets, by index: the header may promise more than a cut-off file holds."""
    found: dict[int, Extent] = {}
    if not streams:
        return found
    read_only(container, *streams)
    for packet in packets(container, streams, Tally()):
        if packet.pts is None or packet.time_base is None or packet.is_discard:
            continue
        first = float(packet.pts * packet.time_base)
        last = first + float((packet.duration or 0) * packet.time_base)
        extent = found.setdefault(packet.stream_index, Extent(first, last, last))
        extent.add(first, last)
        extent.encrypted = extent.encrypted or packet.has_sidedata("encryption_info")
    return found


def _declared(container: InputContainer) -> float | None:
    """Seconds that the header promises."""
    return float(container.duration / av.time_base) if container.duration else None


def _origin(streams: tuple[Stream, ...], extents: dict[int, Extent]) -> float:
    """The first presentable instant. FFmpeg's start times count edit lists and an encoder's priming samples in."""
    starts = [
        float(stream.start_time * stream.time_base)
        if stream.start_time is not None and stream.time_base is not None
        else extents[stream.index].first
        for stream in streams
        if stream.index in extents
    ]
    return min(starts, default=0.0)


def _whole(declared: float | None, origin: float, extents: dict[int, Extent]) -> tuple[float, float | None]:
    """Seconds to the end of the clip, and the duration that the header states, both on the clip's clock.

    The header is believed where the packets bear it out; Matroska counts it from its own zero instead of the first
    presentable instant.
    """
    last = max((extent.last for extent in extents.values()), default=origin) - origin
    claimed = max((extent.claimed for extent in extents.values()), default=origin) - origin
    for stated in () if declared is None else (declared, declared - origin):
        if min(abs(last - stated), abs(claimed - stated)) <= AGREEMENT:
            return stated, stated
    return last, declared


def _span(name: str, clip: Clip, whole: float, *, still: bool) -> Span:
    """The part to read, cut to the clip."""
    if still and (clip.start is not None or clip.end is not None):
        raise MediaError(f"{name} is a still image, which has no times; leave --start and --end out")
    start = clip.start or 0.0
    end = whole if clip.end is None else min(clip.end, whole)
    return Span(start, max(start, end))


# ---------------------------------------------------------------- streams


def _source(
    path: Path, stream: Stream, noun: str, extents: dict[int, Extent], origin: float, limits: Limits
) -> Source | str:
    """How to read a stream, or in words why it cannot be."""
    if codec_name(stream) == UNKNOWN:
        return f"its {noun} is in a format that cannot be decoded here"
    extent = extents.get(stream.index)
    if extent is None:
        return f"its {noun} has no content"
    if extent.encrypted:
        # Encrypted sound can decode, to noise.
        return f"its {noun} is encrypted"
    aspect = float(stream.sample_aspect_ratio or 1) if isinstance(stream, VideoStream) else 1.0
    return Source(path, stream.index, origin, extent.first - origin, limits, aspect if 0.1 < aspect < 10 else 1.0)


def _sound(path: Path, stream: AudioStream | None, extents: dict[int, Extent], origin: float, limits: Limits) -> _Sound:
    if stream is None:
        return _Sound(None, None)
    codec = codec_name(stream)
    source = _source(path, stream, "sound", extents, origin, limits)
    if isinstance(source, str):
        return _Sound(None, codec, source)
    frame = first_frame(source)
    if not isinstance(frame, AudioFrame):
        return _Sound(None, codec, f"its sound ({codec}) cannot be decoded: it is damaged")
    return _Sound(source, codec, None, frame)


def _picture(
    path: Path, stream: VideoStream | None, extents: dict[int, Extent], origin: float, limits: Limits
) -> _Picture:
    if stream is None:
        return _Picture(None, None)
    codec = codec_name(stream)
    source = _source(path, stream, "picture", extents, origin, limits)
    if isinstance(source, str):
        return _Picture(None, codec, source)
    size = f"{stream.codec_context.width}×{stream.codec_context.height}"
    frame = first_frame(source)
    if stream.codec_context.width * stream.codec_context.height > limits.pixels or isinstance(frame, av.ArgumentError):
        # FFmpeg refuses a picture over the limit as an invalid argument, and then states no size.
        size = "too many" if size == "0×0" else size
        raise MediaError(
            f"{shown(path.name)} has frames of {size} pixels, more than the limit of {limits.pixels:,}; "
            "make a smaller copy"
        )
    if not isinstance(frame, VideoFrame):
        return _Picture(None, codec, f"its picture ({codec}) cannot be decoded: it is damaged")
    orientation = orientation_of(frame)
    width, height = displayed_size(frame, source.aspect, orientation)
    trouble = None
    if min(width, height) < SMALLEST:
        trouble = f"its picture is {width}×{height} pixels; at least {SMALLEST}×{SMALLEST} are needed to see anything"
    rate = float(stream.average_rate) if stream.average_rate else None
    return _Picture(None if trouble else source, codec, trouble, width, height, orientation.degrees, rate)
