"""Who trains, validates, calibrates and tests: splits of speakers (or of rows, where nobody knows the speakers).

The splits of public data sets lie in `configs/splits/NAME.json`, made once by `python -m emer.data.making_splits`.
A file holds one main split and, where it has them, five folds for leave-speakers-out tables or two halves of the
test part for cross-fitting. Every file is checked when it is read: no speaker in two parts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Int64

from emer.config import SHIPPED
from emer.data.rows import PARTS, Part, refuse, some
from emer.errors import ConfigError
from emer.jsonio import loads

FOLDERS = tuple(folder / "splits" for folder in SHIPPED)

Unit = Literal["speaker", "row"]


@dataclass(frozen=True, slots=True)
class Split:
    """Members (speakers, or row ids) of each part, disjoint. A part may be empty."""

    name: str
    """`ravdess`, or `ravdess/fold2` (counted from 1)."""
    unit: Unit
    train: tuple[str, ...]
    validation: tuple[str, ...]
    calibration: tuple[str, ...]
    test: tuple[str, ...]

    def members(self, part: Part) -> tuple[str, ...]:
        if part not in PARTS:
            raise ConfigError(f"a split has no part {part!r}; choose one of {', '.join(PARTS)}")
        found: tuple[str, ...] = getattr(self, part)
        return found


@dataclass(frozen=True, slots=True)
class SplitFile:
    """What stands in a JSON file of splits, schema `emer.splits/1`."""

    name: str
    about: str
    made_by: str
    """The command, or the call, that wrote this file."""
    unit: Unit
    seed: int
    split: dict[str, tuple[str, ...]]
    folds: tuple[dict[str, tuple[str, ...]], ...] = ()
    halves: tuple[tuple[str, ...], ...] = ()
    """Two halves of the test part: one fits temperature and threshold, the other is scored, and in turn."""
    schema: str = field(default="emer.splits/1")


def split(name: str) -> Split:
    """The main split of a public data set, or of a .json file that `speaker_disjoint` wrote.

    Raises ConfigError for an unknown name, a damaged file, and members that stand in two parts.

    >>> split("ravdess").calibration
    ('actor15', 'actor16')
    """
    file = split_file(name)
    return _split(file.name, file.unit, file.split)


def folds(name: str) -> tuple[Split, ...]:
    """The splits whose tests together cover the data set; all scores of a table are taken over them.

    Five speaker-grouped folds; for `mosi` two, in which one half of the test part calibrates the other.
    Raises ConfigError where the file has neither.

    >>> [fold.test for fold in folds("emodb")]
    [('03',), ('09',), ('10', '08'), ('11', '13'), ('12', '14')]
    """
    file = split_file(name)
    if file.halves:
        crossed = [{"calibration": a, "test": b} for a, b in (file.halves, file.halves[::-1])]
        return tuple(_split(f"{file.name}/half{i}", file.unit, file.split | c) for i, c in enumerate(crossed, start=1))
    if not file.folds:
        raise ConfigError(f"the split {name} has no folds; use its one split")
    return tuple(_split(f"{file.name}/fold{i}", file.unit, fold) for i, fold in enumerate(file.folds, start=1))


def places(
    split: Split, rows: Sequence[str], speakers: Sequence[str] | None = None
) -> dict[Part, Int64[np.ndarray, "_"]]:
    """Where the rows of each part stand in a table with these ids (and speakers, if the split is by speaker).

    Raises ConfigError when a row belongs to no part, or when a part that has members finds none of their rows.

    >>> places(Split("s", "row", ("a", "c"), (), (), ("b",)), ["a", "b", "c"])["train"].tolist()
    [0, 2]
    """
    if split.unit == "speaker" and speakers is None:
        raise ConfigError(f"the split {split.name} is by speaker, but this table names no speakers; add them")
    keys = rows if split.unit == "row" or speakers is None else speakers
    if len(keys) != len(rows):
        raise ConfigError(f"{len(keys)} speakers stand beside {len(rows)} rows; give one a row")
    part_of = {member: part for part in PARTS for member in split.members(part)}
    strangers = sorted({key for key in keys if key not in part_of})
    mistakes = (
        [f"no part of it holds the {split.unit} {some(strangers)} ({len(strangers)} in all)"] if strangers else []
    )
    found = {
        part: np.array([i for i, key in enumerate(keys) if part_of.get(key) == part], dtype=np.int64) for part in PARTS
    }
    mistakes += [f"no row of its {part} part is here" for part in PARTS if split.members(part) and not len(found[part])]
    refuse(mistakes, f"the split {split.name} does not fit these rows")
    return found


def split_file(name: str) -> SplitFile:
    """The whole file, checked: parts disjoint, folds and halves covering what they must."""
    file = loads(_path(name).read_bytes(), SplitFile)
    refuse(list(_mistakes(file)), f"the splits of {name} cannot be used")
    return file


def _path(name: str) -> Path:
    if name.endswith(".json"):
        if Path(name).is_file():
            return Path(name)
        raise ConfigError(f"there is no file {name}; give the path of a split that was written")
    known = {path.stem: path for folder in FOLDERS if folder.is_dir() for path in sorted(folder.glob("*.json"))}
    if name not in known:
        raise ConfigError(
            f"no split is called {name!r}; choose one of {', '.join(sorted(known)) or 'none'}, or give a .json file"
        )
    return known[name]


def _split(name: str, unit: Unit, parts: dict[str, tuple[str, ...]]) -> Split:
    return Split(name, unit, **{part: tuple(parts.get(part, ())) for part in PARTS})


def _mistakes(file: SplitFile) -> list[str]:
    mistakes = [] if file.schema == "emer.splits/1" else [f"the schema is {file.schema!r}, not emer.splits/1"]
    everyone = {member for members in file.split.values() for member in members}
    for name, parts in [("the split", file.split), *((f"fold {i}", fold) for i, fold in enumerate(file.folds, 1))]:
        if odd := sorted(set(parts) - set(PARTS)):
            mistakes.append(f"{name} has unknown parts ({some(odd)})")
        members = Counter(member for part in parts.values() for member in part)
        if twice := sorted(member for member, times in members.items() if times > 1):
            mistakes.append(f"{name} has members twice or in two parts ({some(twice)})")
        if not parts.get("train") or not parts.get("test"):
            mistakes.append(f"{name} has no training or no test members")
        if set(members) != everyone:
            mistakes.append(f"{name} has other members than the split")
    if file.folds and Counter(m for fold in file.folds for m in fold.get("test", ())) != Counter(everyone):
        mistakes.append("the tests of the folds do not cover every member exactly once")
    if file.halves and Counter(m for half in file.halves for m in half) != Counter(file.split.get("test", ())):
        mistakes.append("the halves are not the test part, each member once")
    return mistakes
