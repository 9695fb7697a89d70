"""The clip inside the report: embedded while it is small, linked when it is large."""

import base64
import mimetypes
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from emer.media.suffixes import PICTURE, SOUND, suffix

EMBED_LIMIT = 30_000_000
"""Bytes. Larger clips are linked: browsers slow down and mail refuses the page."""

MIME = {
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "mov": "video/mp4",  # the same container; browsers refuse the name video/quicktime
    "mkv": "video/webm",  # likewise
    "webm": "video/webm",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "webp": "image/webp",
    "avif": "image/avif",
}


@dataclass(frozen=True, slots=True)
class Player:
    """What shows the clip. `source` is a data URI, or a URI relative to the report; empty for kind `none`."""

    kind: Literal["video", "audio", "image", "none"]
    source: str = ""
    linked: bool = False
    note: str = ""


def player(media: Path | None, beside: Path | None = None, limit: int = EMBED_LIMIT) -> Player:
    """The player of `media` in a report that will lie at `beside`; a note where the clip is not inside the page."""
    if media is None:
        return Player("none")
    try:
        if media.stat().st_size > limit:
            size = f"{media.stat().st_size / 1e6:.0f} MB"
            note = f"The clip ({size}) is not inside this page but linked: keep both together."
            return Player(kind_of(media), _link(media, beside), linked=True, note=note)
        data = base64.b64encode(media.read_bytes()).decode()
    except OSError as error:
        return Player("none", note=f"The clip could not be read ({error.strerror}); the timeline works without it.")
    return Player(kind_of(media), f"data:{_mime(media)};base64,{data}")


def kind_of(media: Path) -> Literal["video", "audio", "image"]:
    """By suffix; what is unknown is handed to the video element, which plays sound as well."""
    kind = suffix(media)
    # Browsers play a moving .gif in the element for pictures alone.
    return "audio" if kind in SOUND else "image" if kind in PICTURE or kind == "gif" else "video"


def _mime(media: Path) -> str:
    kind = suffix(media)
    return MIME.get(kind) or mimetypes.guess_type(f"x.{kind}")[0] or f"{kind_of(media)}/mp4"


def _link(media: Path, beside: Path | None) -> str:
    """A relative URI where the report's place is known, else a file URI."""
    if beside is None:
        return media.resolve().as_uri()
    return "./" + quote(os.path.relpath(media.resolve(), beside.resolve().parent).replace(os.sep, "/"))
