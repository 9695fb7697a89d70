"""Clips of a release found by their names, and what its tables say of them by name.

All mistakes of a file come in one error. A clip that is not there is no mistake: its row says where it should lie.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emer.data.released import Cells, read_csv
from emer.data.rows import refuse
from emer.errors import ConfigError

VIDEO = (".mp4", ".avi", ".mkv", ".mov", ".flv")


@dataclass(frozen=True)
class Clips:
    """Where the clips of a set lie; listed once, as a set may have a hundred thousand."""

    folder: Path
    ending: str
    """Of a clip that is not there."""
    files: Mapping[str, str]

    @classmethod
    def below(cls, folder: Path, *inside: str, endings: Sequence[str] = VIDEO) -> "Clips":
        """The clips in the folders `inside`, and in folders in them; where a name comes twice, the first folder and
        then the first ending goes."""
        files: dict[str, str] = {}
        for place in inside:
            listed = sorted((base, name) for base, _, names in os.walk(folder / place) for name in names)
            for ending in endings:
                for base, name in listed:
                    stem, suffix = os.path.splitext(name)
                    if suffix.lower() == ending:
                        files.setdefault(stem, os.path.join(base, name))
        return cls(folder / inside[0], endings[0], files)

    def path(self, name: str) -> str:
        """The clip of that name, or the place where it should lie."""
        return self.files.get(name, str(self.folder / f"{name}{self.ending}"))


def by_name(path: Path, needed: Sequence[str]) -> dict[str, tuple[int, Cells]]:
    """The lines of a CSV file by the first of the columns `needed`, with their numbers.

    Raises ConfigError as `read_csv` does, and for names that are empty or come twice.
    """
    found: dict[str, tuple[int, Cells]] = {}
    mistakes = []
    for number, cells in read_csv(path, needed):
        name = cells[needed[0]]
        if not name:
            mistakes.append(f"line {number} has no {needed[0]}")
        elif name in found:
            mistakes.append(f"{name!r} stands in lines {found[name][0]} and {number}")
        found.setdefault(name, (number, cells))
    refuse(mistakes, f"{path} cannot be read")
    return found


def column_of(path: Path, key: str, column: str) -> dict[str, str]:
    """One column of a CSV file by the names in another. Raises ConfigError as `by_name` does."""
    return {name: cells[column] for name, (_, cells) in by_name(path, (key, column)).items()}


def spoken(path: Path, key: str, column: str) -> dict[str, str]:
    """What is said, by name, without the empty texts. Raises ConfigError as `read_csv` does.

    Subtitles were often made for more clips than the labels and by machine; where a name comes twice, the last text
    counts, as in the code of their owners.
    """
    return {cells[key]: cells[column] for _, cells in read_csv(path, (key, column)) if cells[column]}


def records(path: Path) -> dict[str, dict[str, Any]]:
    """A JSON object of objects, by name. Raises ConfigError when it is something else, or holds a name twice."""
    doubled: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            doubled.extend(sorted({name for name in names if names.count(name) > 1}))
        return found

    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=once)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read as JSON in UTF-8: {error}; fetch the file again") from error
    refuse([f"{name!r} comes twice" for name in doubled], f"{path} cannot be read")
    if not isinstance(found, dict) or not all(isinstance(value, dict) for value in found.values()):
        raise ConfigError(f"{path} is not a JSON object with one object a clip; fetch the file again")
    return found


def one_of(folder: Path, candidates: Sequence[str], what: str) -> Path:
    """The first of some names that exists in a folder. Raises ConfigError that names them all."""
    for candidate in candidates:
        if (folder / candidate).exists():
            return folder / candidate
    raise ConfigError(
        f"{folder} has none of {', '.join(candidates)}; put {what} there, or name the folder that holds it"
    )
