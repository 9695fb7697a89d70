"""The tables that the field released, as tables of emer.

2025 (AffectGPT, Lian et al. 2025), a folder:

    format.csv          name, format: a word and its inflected forms, parted by commas
    synonym.xlsx        word_run1, synonym_run1, word_run2, ...: eight times a wheel word and its synonyms
    wheel1 ... 5.xlsx   level1, level2, level3: a cell that is empty has the word above it

`.csv` files of the same columns are read as well. 2026 (MER2026 challenge), one JSON file `wheel_mapping.json` of three
maps: `format_mapping` (F), `raw_mapping` (S) and `wheel_map_whole` (wheel, level, word, cluster). See `wheels.py` for F
and S. What the maps mean was settled by numbers: both give the scores that the released scorers give.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from emer.emotions.parsing import published
from emer.emotions.wheel_sheets import Sheet, read_sheet
from emer.emotions.wheels import Wheel
from emer.errors import ConfigError

WHEELS = 5
"""The field's scores are means over five wheels: a folder with fewer is not whole."""
LEVELS = ("level1", "level2", "level3")
MAPS = "wheel_mapping.json"

Lists = dict[str, tuple[str, ...]]
Parts = tuple[Lists, Lists, tuple[Wheel, ...]]
"""Forms, synonyms and wheels."""


def is_folder_of_2025(folder: Path) -> bool:
    """Whether a folder has any file of the 2025 layout."""
    return any(_present(folder, stem) for stem in _stems())


def files_of_2025(folder: Path) -> tuple[Path, ...]:
    """The seven files. Raises ConfigError that names those that are missing or stand there twice."""
    found = {stem: _present(folder, stem) for stem in _stems()}
    missing = [f"{stem}.csv" if stem == "format" else f"{stem}.xlsx" for stem in found if not found[stem]]
    if missing:
        raise ConfigError(f"{folder} lacks {', '.join(missing)}; copy the whole folder of the released tables")
    if twice := [" and ".join(path.name for path in paths) for paths in found.values() if len(paths) > 1]:
        raise ConfigError(f"{folder} has {'; '.join(twice)}; keep one of each")
    return tuple(paths[0] for paths in found.values())


def read_2025(files: Sequence[Path]) -> Parts:
    """The tables of a folder, from `files_of_2025`."""
    formats, synonyms, *wheels = (read_sheet(path) for path in files)
    return _forms(formats), _synonyms(synonyms), tuple(_wheel(sheet) for sheet in wheels)


def _stems() -> tuple[str, ...]:
    return ("format", "synonym", *(f"wheel{number}" for number in range(1, WHEELS + 1)))


def _present(folder: Path, stem: str) -> list[Path]:
    return [path for kind in ("csv", "xlsx") if (path := folder / f"{stem}.{kind}").is_file()]


# ---------------------------------------------------------------- the sheets of 2025


def _forms(sheet: Sheet) -> Lists:
    """F: each form to the words that list it; each word is a form of itself."""
    names, formats = sheet.column("name"), sheet.column("format")
    pairs = [
        (form, word)
        for name, listed in zip(names, formats, strict=True)
        for word in published(name)
        for form in (word, *published(listed))
    ]
    return _gathered(pairs, sheet)


def _synonyms(sheet: Sheet) -> Lists:
    """S: each synonym to the words that it was given for, over all runs; each word is a synonym of itself."""
    runs = [name.removeprefix("word_") for name in sheet.header if name.startswith("word_")]
    if not runs:
        raise ConfigError(f"{sheet.source} has no columns word_run1, synonym_run1; its columns are {sheet.columns}")
    pairs = []
    for run in runs:
        for name, listed in zip(sheet.column(f"word_{run}"), sheet.column(f"synonym_{run}"), strict=True):
            word = name.strip().lower()
            pairs += [(other, word) for other in (word, *published(listed))] if word else []
    return _gathered(pairs, sheet)


def _gathered(pairs: Iterable[tuple[str, str]], sheet: Sheet) -> Lists:
    found: dict[str, set[str]] = {}
    for word, target in pairs:
        found.setdefault(word, set()).add(target)
    if not found:
        raise ConfigError(f"{sheet.source} has no words; get the file anew")
    return {word: tuple(sorted(targets)) for word, targets in found.items()}


def _wheel(sheet: Sheet) -> Wheel:
    """Both rings of a wheel; of a word that stands in two places the last counts."""
    tree: dict[str, dict[str, list[str]]] = {}
    for inner, middle, outer in _filled(sheet):
        tree.setdefault(inner, {}).setdefault(middle, []).append(outer)
    if not tree:
        raise ConfigError(f"{sheet.source} has no words; get the file anew")
    ring1: dict[str, str] = {}
    ring2: dict[str, str] = {}
    for inner, middles in tree.items():
        ring1[inner], ring2[inner] = inner, min(middles)
        for middle, outers in middles.items():
            for word in (middle, *outers):
                ring1[word], ring2[word] = inner, middle
    return Wheel(sheet.stem, (ring1, ring2))


def _filled(sheet: Sheet) -> Iterator[tuple[str, str, str]]:
    """The rows with empty cells filled from above. Raises ConfigError where there is nothing above."""
    above = ["", "", ""]
    for number, cells in enumerate(zip(*(sheet.column(level) for level in LEVELS), strict=True), start=2):
        above = [cell.strip().lower() or before for cell, before in zip(cells, above, strict=True)]
        if not any(cells):
            continue
        if empty := [level for level, word in zip(LEVELS, above, strict=True) if not word]:
            raise ConfigError(
                f"{sheet.source}, row {number}: {' and '.join(empty)} empty, and nothing above; fill the cell"
            )
        yield above[0], above[1], above[2]


# ---------------------------------------------------------------- the maps of 2026


class _Maps(msgspec.Struct):
    format_mapping: dict[str, list[str]]
    raw_mapping: dict[str, list[str]]
    wheel_map_whole: dict[str, dict[str, dict[str, str]]]


def read_2026(path: Path, data: bytes) -> Parts:
    """The tables of a `wheel_mapping.json`, given its bytes."""
    try:
        maps = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Maps)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        keys = ", ".join(_Maps.__struct_fields__)
        raise ConfigError(f"{path} is no JSON of emotion tables ({error}); it must hold {keys}") from error
    empty = [name for name in _Maps.__struct_fields__ if not getattr(maps, name)]
    if empty:
        raise ConfigError(f"{path}: {', '.join(empty)} empty; get the file anew")
    wheels = tuple(_mapped(path, name, maps.wheel_map_whole[name]) for name in sorted(maps.wheel_map_whole))
    return _sorted(maps.format_mapping), _sorted(maps.raw_mapping), wheels


def _sorted(lists: Mapping[str, Iterable[str]]) -> Lists:
    return {word: tuple(sorted(set(targets))) for word, targets in lists.items()}


def _mapped(path: Path, name: str, levels: Mapping[str, dict[str, str]]) -> Wheel:
    for level in LEVELS[:2]:
        if not levels.get(level):
            raise ConfigError(f"{path}: {name} has no {level}, or an empty one; get the file anew")
        if blank := [word for word, cluster in levels[level].items() if not cluster]:
            raise ConfigError(f"{path}: {name}, {level}: {blank[0]!r} has an empty cluster; name one, or take it out")
    return Wheel(name, (levels["level1"], levels["level2"]))
