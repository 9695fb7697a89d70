"""Small synthetic clips, made when a test asks for them: `from clips import make_clip, tone, grey`."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from av.subtitles.subtitle import SubtitleSet

Picture = Callable[[float], np.ndarray]
"""Time in seconds to RGB pixels (height, width, 3), uint8."""
Sound = Callable[[np.ndarray], np.ndarray]
"""Times in seconds to samples in [-1, 1], shape (sample) or (channel, sample)."""
Cue = tuple[float, float, str]

CODECS = {
    ".wav": (None, "pcm_s16le"),
    ".flac": (None, "flac"),
    ".mp3": (None, "libmp3lame"),
    ".ogg": (None, "libopus"),
    ".m4a": (None, "aac"),
    ".webm": ("libvpx", "libopus"),
    ".avi": ("mpeg4", "libmp3lame"),
    ".gif": ("gif", None),
    ".png": ("png", None),
    ".jpg": ("mjpeg", None),
    ".webp": ("libwebp", None),
}
"""Encoders by suffix, where they are other than H.264 and AAC."""
FORMATS = {".gif": "rgb8", ".png": "rgb24", ".jpg": "yuvj420p"}
"""Pixel formats by suffix, where they are other than the usual 4:2:0."""
CUE_CODECS = {".mp4": "mov_text", ".mov": "mov_text", ".mkv": "subrip", ".webm": "webvtt"}
ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def grey(width: int = 64, height: int = 48) -> Picture:
    """A picture that brightens by 10 grey levels a second, so that its time can be read off."""
    return lambda time: np.full((height, width, 3), min(255, round(20 + 10 * time)), np.uint8)


def time_shown(pixels: np.ndarray) -> float:
    """The time at which `grey` looks like this."""
    return (float(pixels.mean()) - 20) / 10


def corners(width: int = 64, height: int = 48) -> Picture:
    """Red, green, blue and white quarters (top left, top right, bottom left, bottom right)."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2, 0] = 255
    pixels[: height // 2, width // 2 :, 1] = 255
    pixels[height // 2 :, : width // 2, 2] = 255
    pixels[height // 2 :, width // 2 :] = 255
    return lambda time: pixels


def tone(frequency: float = 220.0, amplitude: float = 0.5) -> Sound:
    return lambda times: amplitude * np.sin(2 * np.pi * frequency * times)


GREY, TONE = grey(), tone()


def make_clip(
    path: Path,
    seconds: float = 2.0,
    *,
    picture: Picture | None = GREY,
    sound: Sound | None = TONE,
    fps: int = 25,
    times: Sequence[float] | None = None,
    rate: int = 16_000,
    layout: str = "mono",
    start: float = 0.0,
    sound_start: float = 0.0,
    holes: Sequence[tuple[float, float]] = (),
    rotation: float | None = None,
    mirrored: bool = False,
    aspect: Fraction | None = None,
    pixel_format: str = "yuv420p",
    video_codec: str | None = None,
    audio_codec: str | None = None,
    gop: int = 25,
    cues: Sequence[Cue] = (),
    language: str = "eng",
    options: dict[str, str] | None = None,
) -> Path:
    """Write a clip and give its path back; the suffix chooses the container.

    Args:
        times: of the frames, in seconds (variable frame rate); by default every 1 / `fps`.
        start: seconds added to all timestamps.
        sound_start: seconds added to those of the sound alone.
        holes: stretches of sound that are left out of the file.
        rotation: display matrix, degrees counter-clockwise.
        aspect: width of a pixel relative to its height.
    """
    pair = CODECS.get(path.suffix, ("libx264", "aac"))
    picture, sound = picture if pair[0] else None, sound if pair[1] else None
    with av.open(str(path), "w", options=options or {}) as container:
        video = audio = None
        if picture is not None:
            height, width = picture(0.0).shape[:2]
            video = container.add_stream(video_codec or pair[0], rate=fps)
            video.width, video.height, video.pix_fmt = width, height, FORMATS.get(path.suffix, pixel_format)
            ticks = 12_000 if path.suffix in (".mp4", ".mov", ".mkv", ".webm", ".ts") else fps
            video.codec_context.time_base = Fraction(1, ticks)
            video.codec_context.gop_size = gop
            video.codec_context.thread_count = 1
            if rotation is not None or mirrored:
                video.set_display_rotation(rotation or 0, hflip=mirrored)
            if aspect is not None:
                video.codec_context.sample_aspect_ratio = aspect
        if sound is not None:
            audio = container.add_stream(audio_codec or pair[1], rate=rate, layout=layout)
        if cues:
            _mux_cues(container, cues, CUE_CODECS[path.suffix], language, start)
        frame_times = np.arange(round(seconds * fps)) / fps if times is None else np.asarray(times)
        for second in range(int(np.ceil(seconds))):
            stop = min(second + 1, seconds)
            if video is not None:
                within = frame_times[(frame_times >= second) & (frame_times < stop)]
                for packet in _encoded_pictures(video, picture, within, start):
                    container.mux(packet)
            if audio is not None:
                for packet in _encoded_sound(audio, sound, second, stop, start + sound_start, holes):
                    container.mux(packet)
        for stream in (video, audio):
            if stream is not None:
                container.mux(stream.encode(None))
    return path


def _encoded_pictures(video, picture: Picture, times: Iterable[float], start: float) -> list[av.Packet]:
    packets = []
    for time in times:
        frame = av.VideoFrame.from_ndarray(picture(float(time)), format="rgb24")
        base = video.codec_context.time_base
        frame.pts, frame.time_base = round((time + start) / base), base
        packets += video.encode(frame)
    return packets


def _encoded_sound(audio, sound: Sound, first: float, last: float, start: float, holes) -> list[av.Packet]:
    packets = []
    rate = audio.codec_context.sample_rate
    channels = audio.codec_context.layout.nb_channels
    edges = sorted({first, last, *(edge for hole in holes for edge in hole if first < edge < last)})
    for begin, end in pairwise(edges):
        if any(hole[0] <= begin < hole[1] for hole in holes):
            continue
        index = np.arange(round(begin * rate), round(end * rate))
        samples = np.atleast_2d(sound(index / rate)).astype(np.float32)
        samples = np.ascontiguousarray(np.broadcast_to(samples, (channels, len(index))))
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=audio.codec_context.layout.name)
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = round(start * rate) + int(index[0])
        packets += audio.encode(frame)
    return packets


def _mux_cues(container, cues: Sequence[Cue], codec: str, language: str, start: float) -> None:
    """Subtitles go in first: the muxer waits for no sparse stream then."""
    stream = container.add_stream(codec)
    stream.metadata["language"] = language
    stream.codec_context.subtitle_header = ASS_HEADER
    packets = []
    for number, (begin, end, text) in enumerate(cues):
        line = f"{number},0,Default,,0,0,0,,{text}".encode()
        packet = stream.codec_context.encode_subtitle(SubtitleSet.create(line, 0, round((end - begin) * 1000)))
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        packet.pts = packet.dts = round((begin + start) * 1000)
        packet.duration = round((end - begin) * 1000)
        packets.append(packet)
    for packet in packets:
        container.mux(packet)
