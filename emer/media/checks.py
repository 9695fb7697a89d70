"""What can be wrong with a request or a file, said in one line before anything is decoded."""

import errno
import math
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from emer.errors import EmerError, MediaError
from emer.types import MODALITIES, Clip, Span

SHORTEST = 0.02
"""Seconds. Nothing can be measured in less: it is under one frame and under one pitch period of a low voice."""

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
_REASONS = {
    errno.ELOOP: "is a symbolic link that leads back to itself; name the clip itself",
    errno.ENAMETOOLONG: "is too long for a file name; check what was given",
    errno.EACCES: "may not be read; ask for permission to read its folder",
    errno.ENOENT: "does not exist; check the spelling",
    errno.ENOTDIR: "does not exist: part of the path is a file; check the spelling",
}
_SIGNATURES = (
    (b"PK\x03\x04", "it is a zip archive; unpack it first"),
    (b"\x1f\x8b", "it is a gzip archive; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive; unpack it first"),
    (b"%PDF", "it is a PDF document"),
    (b"#EXTM3U", "it is a playlist; name the clip itself"),
    (b"ffconcat", "it is a playlist; name the clip itself"),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a clip may be. Larger ones are refused before anything is decoded."""

    duration: float = 4 * 3600.0
    """Seconds of the part that is read."""
    pixels: int = 8192 * 8192
    """Pixels of one frame."""
    streams: int = 64
    """Streams in the file (pictures, sounds, subtitles, data)."""


def shown(path: str) -> str:
    """A path as it can stand in a one-line message: the last 80 characters, nothing unprintable.

    >>> shown("clip\\n.mp4")
    'clip\\\\n.mp4'
    """
    text = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in path)
    return text if len(text) <= 80 else f"…{text[-79:]}"


def clock(seconds: float) -> str:
    """Seconds as people write them.

    >>> clock(7.25), clock(36_000)
    ('7.25 s', '10:00:00')
    """
    if seconds < 600:
        return f"{seconds:g} s" if seconds == round(seconds, 2) else f"{seconds:.2f} s"
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def check_request(clip: Clip) -> None:
    """Raises MediaError when the request itself makes no sense, whatever the file holds."""
    for option, value in (("--start", clip.start), ("--end", clip.end)):
        if value is not None and not math.isfinite(value):
            raise MediaError(f"{option} is {value}, which is no time; give seconds from the start of the clip")
        if value is not None and value < 0:
            raise MediaError(f"{option} is {value:g}, before the clip begins; give seconds from 0 on")
    if clip.start is not None and clip.end is not None and clip.end - clip.start < SHORTEST:
        raise MediaError(
            f"--start {clip.start:g} and --end {clip.end:g} leave nothing to read; "
            f"--end must be at least {SHORTEST} s later than --start"
        )
    if clip.end is not None and clip.end < SHORTEST:
        raise MediaError(f"--end {clip.end:g} leaves nothing to read; give at least {SHORTEST} s")
    if set(MODALITIES) <= clip.without:
        raise MediaError("audio, visual and text are all left out, so nothing remains; use --without for two at most")


def check_file(path: str, error: type[EmerError] = MediaError, noun: str = "clip") -> Path:
    """The absolute path of a regular, readable file with content; anything else is never opened.

    Raises `error`. A pipe or a device is told by its kind alone, because opening it could block for ever.
    """
    name = shown(path) or "the empty path"
    try:
        facts = os.stat(path)
    except ValueError as problem:
        raise error(f"{name} is no path ({problem}); check what was given") from problem
    except OSError as problem:
        reason = _REASONS.get(problem.errno or 0, f"cannot be read ({problem.strerror}); check the path")
        raise error(f"{name} {reason}") from problem
    for is_kind, kind in _KINDS:
        if is_kind(facts.st_mode):
            raise error(f"{name} is {kind}, not a {noun}; name one ordinary file")
    if not os.access(path, os.R_OK):
        raise error(f"{name} may not be read; ask for permission (chmod u+r) or copy it")
    if facts.st_size == 0:
        raise error(f"{name} is empty (0 bytes); copy or download it again")
    return Path(path).absolute()


def why_unreadable(path: Path) -> str:
    """What a file that FFmpeg cannot read seems to be, from its first bytes."""
    with path.open("rb") as file:
        head = file.read(4096)
    for signature, reason in _SIGNATURES:
        if head.startswith(signature):
            return reason
    if not head.strip(b"\0"):
        return "it begins with nothing but zeros; copy or download it again"
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return "its index (moov) is missing or broken, as in a recording that was cut off; copy or download it again"
    try:
        text = head.decode("utf-8").lstrip("\ufeff \r\n\t").lower()
    except UnicodeDecodeError:
        return "no known format, or its header is damaged; check that it plays, or copy it again"
    if text.startswith(("<!doctype html", "<html")):
        return "it is a web page: the download gave an error page instead of the clip"
    return "it is a text file"


def check_inside(name: str, span: Span, whole: float) -> None:
    """Raises MediaError when the part to read lies beyond a clip of `whole` seconds, or is too short to measure."""
    if span.start >= whole > 0:
        raise MediaError(
            f"{name} lasts {clock(whole)}, so nothing lies at --start {span.start:g}; choose an earlier time"
        )
    if span.duration < SHORTEST:
        raise MediaError(
            f"{name}: only {span.duration * 1000:.1f} ms to read; at least {SHORTEST * 1000:.0f} ms are needed"
        )


def check_length(name: str, span: Span, limits: Limits) -> None:
    """Raises MediaError when the part to read is over the limit."""
    if span.duration > limits.duration:
        raise MediaError(
            f"{name}: {clock(span.duration)} to read, more than the limit of {clock(limits.duration)}; "
            "read a part of it with --start and --end"
        )
