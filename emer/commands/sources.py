"""Which clips a PATH stands for: a file, all media files of a folder, or the rows of a manifest."""

import json
import os
from argparse import Namespace
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from emer.errors import ConfigError, MediaError
from emer.media.suffixes import PICTURE, SOUND, VIDEO, suffix
from emer.types import Clip

MANIFEST_KEYS = ("path", "start", "end", "transcript", "speaker_baseline")


def is_batch(path: str) -> bool:
    """Whether PATH stands for many clips."""
    return os.path.isdir(path) or path.endswith(".jsonl")  # Path.is_dir raises on a path that is too long


def clips_of(options: Namespace) -> list[Clip]:
    """The clips that the command line asks for, with its options applied to each."""
    path = Path(options.path)
    if os.path.isdir(options.path):
        return [_clip(options, str(file)) for file in _media_files(path)]
    if path.suffix == ".jsonl":
        return [_row_clip(options, path, number, line) for number, line in _lines(path)]
    return [_clip(options, options.path)]


def _clip(options: Namespace, path: str, **own: object) -> Clip:
    told = {key: getattr(options, key) for key in MANIFEST_KEYS[1:]} | own
    return Clip(path=path, without=frozenset(options.without), **told)


def _media_files(folder: Path) -> Sequence[Path]:
    files = sorted(f for f in folder.rglob("*") if suffix(f) in VIDEO | SOUND | PICTURE and f.is_file())
    if not files:
        raise MediaError(f"{folder} holds no media files; name a folder with clips such as .mp4 or .wav")
    return files


def _lines(manifest: Path) -> list[tuple[int, str]]:
    try:
        text = manifest.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the manifest {manifest} cannot be read: {error}; give a UTF-8 file of JSON lines"
        ) from error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        raise ConfigError(f"the manifest {manifest} is empty; write one JSON object a line, with a path each")
    return lines


def _row_clip(options: Namespace, manifest: Path, number: int, line: str) -> Clip:
    """One row; its relative paths are relative to the manifest."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{manifest}, line {number} is not JSON ({error}); write one object a line") from error
    if not isinstance(row, dict) or not isinstance(row.get("path"), str):
        raise ConfigError(f'{manifest}, line {number} has no path; write {{"path": "clip.mp4"}}')
    for key in row.keys() - set(MANIFEST_KEYS):
        if meant := get_close_matches(key, MANIFEST_KEYS, n=1, cutoff=0.8):  # other keys are the user's own notes
            raise ConfigError(f"{manifest}, line {number}: {key} is not known here; write {meant[0]}")
    own = {key: row[key] for key in MANIFEST_KEYS[1:] if row.get(key) is not None}
    for key in ("transcript", "speaker_baseline"):
        if key in own:
            own[key] = str(manifest.parent / str(own[key]))
    for key in ("start", "end"):
        if key in own and not isinstance(own[key], int | float):
            raise ConfigError(f"{manifest}, line {number}: {key} is {own[key]!r}, not a number of seconds")
    return _clip(options, str(manifest.parent / row["path"]), **own)
