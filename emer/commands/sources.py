"""Which clips a PATH stands for: a file, all media files of a folder, or the rows of a manifest."""

import os
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from emer.data.manifest import is_manifest, read_clips
from emer.errors import ConfigError, MediaError
from emer.media.suffixes import PICTURE, SOUND, VIDEO, suffix
from emer.types import Clip

OPTIONS = ("start", "end", "transcript", "speaker_baseline")


@dataclass(frozen=True, slots=True)
class Sources:
    """The clips that are asked for, and the rows of a manifest that cannot be read, each with its reason."""

    clips: list[Clip]
    unread: tuple[tuple[str, ConfigError], ...] = ()


def is_batch(path: str) -> bool:
    """Whether PATH stands for many clips."""
    return os.path.isdir(path) or is_manifest(path)  # Path.is_dir raises on a path that is too long


def clips_of(options: Namespace) -> list[Clip]:
    """The clips that the command line asks for, with its options applied to each."""
    return sources_of(options).clips


def sources_of(options: Namespace) -> Sources:
    """The clips, and what could not be read. Raises ConfigError for a manifest of which no row can be read."""
    path = Path(options.path)
    if os.path.isdir(options.path):
        return Sources([_with_options(options, Clip(str(file))) for file in _media_files(path)])
    if not is_manifest(path):
        return Sources([_with_options(options, Clip(options.path))])
    clips, bad = read_clips(path)
    unread = tuple(
        (str(path.parent / row.path) if row.path else f"{path}, line {row.line}", ConfigError(f"{path}, {row.reason}"))
        for row in bad
    )
    return Sources([_with_options(options, clip) for clip in clips], unread)


def _with_options(options: Namespace, clip: Clip) -> Clip:
    """The clip as the options have it; what the clip says itself comes first."""
    own = {field.name: getattr(clip, field.name) for field in fields(clip)}
    told: dict[str, Any] = {key: getattr(options, key) for key in OPTIONS}
    told |= {key: value for key, value in own.items() if value is not None}
    return Clip(**(told | {"without": frozenset(options.without)}))


def _media_files(folder: Path) -> Sequence[Path]:
    files = sorted(f for f in folder.rglob("*") if suffix(f) in VIDEO | SOUND | PICTURE and f.is_file())
    if not files:
        raise MediaError(f"{folder} holds no media files; name a folder with clips such as .mp4 or .wav")
    return files
