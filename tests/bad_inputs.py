"""A table of inputs that must give one clear line and nothing else, made when a test asks for it."""

import os
import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from clips import grey, make_clip, tone

KEY = "00112233445566778899aabbccddeeff"


@dataclass(frozen=True)
class BadInput:
    """One call of `emer explain PATH ARGUMENTS`, and a piece of the line that it must print."""

    name: str
    path: str
    arguments: tuple[str, ...]
    says: str


def make_bad_inputs(folder: Path) -> list[BadInput]:
    """Write the files below `folder` and list the calls. A file without read permission is left out for root,
    who can read it all the same."""
    folder.mkdir(parents=True, exist_ok=True)
    good = make_clip(folder / "good.mp4", 2.0)
    rows = [*_no_files(folder), *_other_files(folder), *_broken_clips(folder), *_too_large(folder)]
    rows += [*_bad_times(folder, good), *_bad_transcripts(folder, good), *_left_out(folder, good)]
    return [BadInput(name, str(path), tuple(arguments), says) for name, path, arguments, says in rows]


Row = tuple[str, Path | str, list[str], str]


def _no_files(folder: Path) -> Iterator[Row]:
    yield "missing", folder / "missing.mp4", [], "does not exist"
    yield "below a file", folder / "good.mp4" / "clip.mp4", [], "does not exist"
    yield "directory", folder, [], "is a directory"
    yield "device", "/dev/zero", [], "is a device"
    yield "name too long", folder / ("a" * 300 + ".mp4"), [], "too long"
    os.mkfifo(folder / "pipe.mp4")
    yield "pipe", folder / "pipe.mp4", [], "is a pipe"
    (folder / "loop.mp4").symlink_to(folder / "loop.mp4")
    yield "symlink loop", folder / "loop.mp4", [], "leads back to itself"
    (folder / "dangling.mp4").symlink_to(folder / "nowhere.mp4")
    yield "dangling symlink", folder / "dangling.mp4", [], "does not exist"
    secret = folder / "secret.mp4"
    secret.write_bytes(b"secret")
    secret.chmod(0)
    if not os.access(secret, os.R_OK):
        yield "unreadable", secret, [], "may not be read"


def _other_files(folder: Path) -> Iterator[Row]:
    noise = random.Random(0)
    for name, content, says in (
        ("empty.mp4", b"", "is empty (0 bytes)"),
        ("text.mp4", b"This is no film.\n" * 40, "it is a text file"),
        ("notes.txt", b"This is no film.\n" * 40, "it is a text file"),
        ("page.mp4", b"<!DOCTYPE html><html><body>404</body></html>\n", "it is a web page"),
        ("archive.mp4", b"PK\x03\x04" + noise.randbytes(2000), "it is a zip archive"),
        ("paper.mov", b"%PDF-1.7\n" + noise.randbytes(2000), "it is a PDF"),
        ("zeros.mp4", bytes(5000), "nothing but zeros"),
        ("noise.wav", noise.randbytes(5000), "no known format"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:2,\ngood.mp4\n#EXT-X-ENDLIST\n", "it is a playlist"),
        ("list.ffconcat", b"ffconcat version 1.0\nfile good.mp4\n", "it is a playlist"),
    ):
        (folder / name).write_bytes(content)
        yield name, folder / name, [], says


def _broken_clips(folder: Path) -> Iterator[Row]:
    whole = (folder / "good.mp4").read_bytes()
    yield from _written(folder, "header.mp4", whole[:40], "index (moov) is missing")
    front = make_clip(folder / "front.mp4", 2.0, options={"movflags": "faststart"}).read_bytes()
    yield from _written(folder, "index_alone.mp4", front[: front.index(b"mdat") + 4], "has no content")
    silent = make_clip(folder / "wave.wav", 1.0).read_bytes()
    none = silent[: silent.index(b"data")] + b"data" + bytes(4)
    yield from _written(folder, "no_samples.wav", none, "has no content")
    three = silent[: silent.index(b"data")] + b"data" + struct.pack("<I", 6) + bytes(6)
    yield from _written(folder, "three_samples.wav", three, "0.2 ms to read")
    yield from _written(folder, "no_frames.gif", b"GIF89a\x10\x00\x10\x00\x00\x00\x00;", "nothing to see or hear")
    picture = make_clip(folder / "photo.jpg", 0.04, sound=None, picture=grey(320, 240)).read_bytes()
    yield from _written(folder, "corrupt.jpg", picture[:4] + bytes(len(picture)), "cannot be decoded")
    mute = make_clip(folder / "mute.mp4", 1.0, sound=None).read_bytes()
    yield from _written(folder, "odd_codec.mp4", mute.replace(b"avc1", b"xyz1"), "cannot be decoded here")
    protection = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": KEY, "encryption_kid": KEY}
    yield "encrypted", make_clip(folder / "encrypted.mp4", 1.0, options=protection), [], "its picture is encrypted"
    dot = make_clip(folder / "dot.mkv", 1.0, sound=None, picture=grey(1, 1), video_codec="ffv1", pixel_format="yuv444p")
    yield "1x1 video", dot, [], "1×1 pixels"
    words = make_clip(folder / "words.mkv", 1.0, sound=None, picture=None, cues=[(0.0, 1.0, "Hello")])
    yield "subtitles alone", words, [], "neither sound nor picture"


def _written(folder: Path, name: str, content: bytes, says: str) -> Iterator[Row]:
    (folder / name).write_bytes(content)
    yield name, folder / name, [], says


def _too_large(folder: Path) -> Iterator[Row]:
    yield "ten hours", make_clip(folder / "ten_hours.mp4", 36_001, sound=None, times=[0, 36_000]), [], "10:00:00"
    with av.open(str(folder / "streams.mkv"), "w") as container:
        for _ in range(65):
            container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        for stream in container.streams.audio:
            container.mux(stream.encode(frame))
    yield "too many streams", folder / "streams.mkv", [], "65 streams"
    (folder / "poster.png").write_bytes(_white_png(12_000, 6_000))
    yield "too many pixels", folder / "poster.png", [], "more than the limit of 67,108,864"


def _white_png(width: int, height: int) -> bytes:
    """A white one-bit picture, written by hand since encoders are slow at this size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = zlib.compress((b"\0" + b"\xff" * (width // 8)) * height, 1)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _bad_times(folder: Path, good: Path) -> Iterator[Row]:
    yield "start beyond end", good, ["--start", "1.5", "--end", "0.5"], "leave nothing to read"
    yield "start at end", good, ["--start", "1", "--end", "1"], "leave nothing to read"
    yield "start after the clip", good, ["--start", "30"], "nothing lies at --start 30"
    yield "negative start", good, ["--start=-1"], "before the clip begins"
    yield "start not a number", good, ["--start", "nan"], "is no time"
    yield "endless end", good, ["--end", "inf"], "is no time"
    yield "end at zero", good, ["--end", "0"], "leaves nothing to read"
    yield "part of a photo", folder / "photo.jpg", ["--start", "0.1"], "is a still image"


def _bad_transcripts(folder: Path, good: Path) -> Iterator[Row]:
    for name, content, says in (
        ("binary.srt", bytes(range(256)) * 8, "is not text"),
        ("empty.srt", b"", "is empty (0 bytes)"),
        ("no_cues.srt", b"Hello there\n", "has no cues"),
        ("blank.txt", b" \n\n", "holds no words"),
    ):
        (folder / f"transcript_{name}").write_bytes(content)
        yield f"transcript {name}", good, ["--transcript", str(folder / f"transcript_{name}")], says
    yield "transcript missing", good, ["--transcript", str(folder / "missing.srt")], "does not exist"
    yield "transcript is a directory", good, ["--transcript", str(folder)], "is a directory"
    yield "transcript is a pipe", good, ["--transcript", str(folder / "pipe.mp4")], "is a pipe"


def _left_out(folder: Path, good: Path) -> Iterator[Row]:
    everything = ["--without", "audio", "--without", "visual", "--without", "text"]
    yield "everything left out", good, everything, "all left out"
    alone = make_clip(folder / "alone.wav", 1.0, sound=tone())
    yield "only sound, left out", alone, ["--without", "audio"], "has only sound"
