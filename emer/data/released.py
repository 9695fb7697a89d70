"""What readers of official releases share: tables in text files, names of parts, and counts held against the paper."""

import csv
import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from emer.data.rows import Part, Row, refuse, some
from emer.data.splits import split
from emer.errors import ConfigError

logger = logging.getLogger("emer")

PART_NAMES: Mapping[str, Part] = {
    "train": "train",
    "valid": "validation",
    "val": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
}
"""The parts of a release, as different owners write them."""

Cells = dict[str, str]


def read_csv(path: Path, needed: Sequence[str], header: Sequence[str] | None = None) -> list[tuple[int, Cells]]:
    """The lines of a CSV file with their numbers, cells by column. UTF-8, with or without a byte-order mark.

    `header` names the columns of a file that has no line of names; it is used where the first line holds none of the
    `needed` ones. Raises ConfigError for another encoding, broken quotes, missing columns, and lines of another length.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read as CSV in UTF-8: {error}; fetch the file again") from error
    named = bool(lines) and bool(set(needed) & {cell.strip() for cell in lines[0][1]})
    names = [cell.strip() for cell in lines[0][1]] if named else list(header or ())
    missing = [name for name in needed if name not in names]
    refuse([repr(name) for name in missing], f"{path} lacks columns")
    rows = lines[1:] if named else lines
    ragged = [number for number, cells in rows if len(cells) != len(names)]
    refuse([f"lines {some(ragged)}"] if ragged else [], f"{path} has {len(names)} columns, but not in all lines")
    if not rows:
        raise ConfigError(f"{path} has no rows; fetch the file again")
    return [(number, dict(zip(names, (cell.strip() for cell in cells), strict=True))) for number, cells in rows]


def number_of(text: str, low: float, high: float) -> float | None:
    """The number that a cell holds, when it is one from `low` to `high`; None otherwise.

    >>> number_of("-0.8", -1, 1), number_of("3", -1, 1), number_of("nan", -1, 1)
    (-0.8, None, None)
    """
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and low <= value <= high else None


def first_file(places: Iterable[Path]) -> Path:
    """The first place that holds a file; the first of all where none does, so that a message can name it."""
    listed = list(places)
    return next((place for place in listed if place.is_file()), listed[0])


def parts_by_speaker(name: str) -> Mapping[str, Part]:
    """Speaker to part, from emer's own split of a data set that has no official one."""
    ours = split(name)
    parts: tuple[Part, ...] = ("train", "validation", "calibration", "test")
    return {speaker: part for part in parts for speaker in ours.members(part)}


def tell_counts(name: str, rows: Sequence[Row], published: Mapping[str, int]) -> None:
    """Warn where the parts have other sizes than were published: a part of a release is read, but not in silence.

    Rows in no part are counted as `all`.
    """
    found = Counter(str(row.part or "all") for row in rows)
    other = [f"{part} {found[part]} instead of {count}" for part, count in published.items() if found[part] != count]
    if other:
        logger.warning("%s has other counts than were published: %s", name, ", ".join(other))
