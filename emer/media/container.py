"""A container file, opened with FFmpeg through PyAV, and which of its streams are the clip's sound and picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from emer.errors import MediaError
from emer.media.checks import Limits, shown, why_unreadable

_NOT_CLIPS = {
    "tty": "it is a text file",
    "bin": "it is text art",
    "xbin": "it is text art",
    "idf": "it is text art",
    "adf": "it is text art",
    "hls": "it is a playlist; name the clip itself",
    "dash": "it is a playlist; name the clip itself",
    "concat": "it is a playlist; name the clip itself",
    "sdp": "it describes a network stream; save the stream to a file first",
}
"""Formats that FFmpeg would read, but which are other than recorded clips, or pull in further files."""

UNKNOWN = "unknown"
_NOT_THE_PICTURE = Disposition.attached_pic | Disposition.timed_thumbnails


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[InputContainer]:
    """The open container; closed on leaving. Raises MediaError when FFmpeg cannot make sense of the file.

    FFmpeg may open this file alone (no network, no numbered picture series), and its own look at the streams
    refuses pictures over the limit.
    """
    options = {"protocol_whitelist": "file", "pattern_type": "none", "max_pixels": str(limits.pixels)}
    name = shown(path.name)
    try:
        container = av.open(str(path), options=options, metadata_errors="replace")
    except av.FFmpegError as problem:
        if not path.exists():
            raise MediaError(f"{name} was there a moment ago and is gone; put it back") from problem
        raise MediaError(f"{name} cannot be read as a clip: {why_unreadable(path)}") from problem
    with container:
        formats = container.format.name.split(",")
        for kind, reason in _NOT_CLIPS.items():
            if kind in formats:
                raise MediaError(f"{name} cannot be read as a clip: {reason}")
        if len(container.streams) > limits.streams:
            raise MediaError(
                f"{name} holds {len(container.streams)} streams, more than the limit of {limits.streams}; "
                "keep the one picture and the one sound that matter"
            )
        yield container


def main_audio(container: InputContainer) -> AudioStream | None:
    """The sound that a player would choose."""
    best = container.streams.best("audio")
    return best if isinstance(best, AudioStream) else None


def main_video(container: InputContainer) -> VideoStream | None:
    """The picture that a player would choose; the cover of a music file is none."""
    pictures = [stream for stream in container.streams.video if not stream.disposition & _NOT_THE_PICTURE]
    best = container.streams.best("video")
    if isinstance(best, VideoStream) and any(stream.index == best.index for stream in pictures):
        return best
    return pictures[0] if pictures else None


def is_still(container: InputContainer, video: VideoStream | None) -> bool:
    """Is this a photograph rather than a film?"""
    if video is None or container.streams.audio:
        return False
    kind = container.format.name
    return kind == "image2" or kind.endswith("_pipe") or bool(video.disposition & Disposition.still_image)


def codec_name(stream: Stream | None) -> str | None:
    """FFmpeg's name of the codec; `unknown` where this FFmpeg has no decoder for the stream."""
    if stream is None:
        return None
    return stream.codec_context.name if stream.codec_context is not None else UNKNOWN


def read_only(container: InputContainer, *wanted: Stream) -> None:
    """Leave out every other stream, so that the demuxer need not even read its packets."""
    kept = {stream.index for stream in wanted}
    for stream in container.streams:
        if stream.index not in kept:
            stream.discard = Discard.all
