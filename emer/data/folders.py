"""Where a data set lies: named, under EMER_DATA, in a YAML file of one's own, or among the shared test material.

    EMER_DATA=/data emer bench run …          # /data/ravdess, /data/meld, …
    EMER_DATASETS=data.yaml emer bench run …  # ravdess: /corpora/RAVDESS

The YAML file has one line a data set, its name and its folder; a relative folder is relative to the file.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from emer.data.rows import refuse
from emer.errors import ConfigError
from emer.registry import DATASETS
from emer.tables import parse

SHARED: dict[str, Callable[[Path], Path]] = {
    "ravdess": lambda shared: shared / "clips" / "ravdess_speech",
    "emodb": lambda shared: shared / "clips" / "emodb",
    "cremad": lambda shared: shared / "cremad",
    "cremad_voice": lambda shared: shared / "cremad",
}
"""What shows that a set is there; its readers are given the folder of all."""


def folder_of(name: str, named: str | Path | None = None) -> Path:
    """The folder of a data set: the given one, else the first of the places above that has it.

    Raises ConfigError, which lists where it was looked for, and for a YAML file that cannot be used.
    """
    if named is not None:
        if not Path(named).is_dir():
            raise ConfigError(f"there is no folder {named}; name the one that holds {name}")
        return Path(named)
    looked = []
    for place in _places(name):
        if place.is_dir():
            return place
        looked.append(str(place))
    raise ConfigError(
        f"{name} is not here (looked for {', '.join(looked) or 'nothing, since no place was named'}); name its folder, "
        "or set EMER_DATA to the folder of all data sets, or EMER_DATASETS to a YAML file of names and folders"
    )


def _places(name: str) -> Iterator[Path]:
    if everything := os.environ.get("EMER_DATA"):
        yield Path(everything) / name
    if listed := os.environ.get("EMER_DATASETS"):
        folders = listed_folders(listed)
        if name in folders:
            yield folders[name]
    if name in SHARED:
        shared = Path(os.environ.get("EMER_TEST_DATA", "../shared/data"))
        sign = SHARED[name](shared)
        yield shared if sign.is_dir() else sign


def listed_folders(path: str | Path) -> dict[str, Path]:
    """The folders that a YAML file names, whether they are there or not. Raises ConfigError with all its mistakes."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} (EMER_DATASETS) cannot be read: {error}; give a YAML file in UTF-8") from error
    found = parse(text, str(path))
    if not isinstance(found, dict):
        raise ConfigError(f"{path} (EMER_DATASETS) is no list of names and folders; write `ravdess: /data/RAVDESS`")
    mistakes = [f"{name!r} is no data set that emer knows" for name in found if name not in DATASETS]
    mistakes += [f"{name} has {folder!r} for a folder" for name, folder in found.items() if not isinstance(folder, str)]
    refuse(mistakes, f"{path} (EMER_DATASETS) cannot be used")
    return {name: Path(path).parent / Path(folder).expanduser() for name, folder in found.items()}
