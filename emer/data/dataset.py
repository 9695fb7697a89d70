"""What every public data set is to emer: a name, what is known of it, and rows with the files that are missing.

    data = open_dataset("meld", folder)
    data.rows                    # every row of the release, whether its clip is there or not
    data.missing                 # ids of the rows whose clip is not there, with the place where it was looked for

A reader is one file in `emer/data/` with an `ABOUT` and a function `read(folder) -> tuple[Row, ...]`; `DATASETS` in
`emer/registry.py` names it. It reads the release as its owners lay it out; where rows are kept apart from clips (an
archive not unpacked, a licence that forbids to pass clips on), the rows are read all the same.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from emer.data.rows import Part, Row, refuse, some
from emer.errors import ConfigError
from emer.registry import DATASETS, load


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a data set, printed wherever a number on it is."""

    name: str
    """As `emer bench` calls it: `ovmerd_plus`."""
    title: str
    source: str
    """Citation, with the address of the release."""
    licence: str
    metric: str
    """The score that the field reports on it; a name of `emer score --metric`."""
    label_set: str | None = None
    """A set of `emotions/label_sets.yaml`, where its labels are closed."""
    language: str | None = None
    """ISO 639-1 code; None where several are spoken or nobody speaks."""
    verified: bool = False
    """Whether layout and counts were held against the release itself, not only against its description."""
    note: str = ""
    """What the reader of a number on it must know."""


@dataclass(frozen=True)
class Data:
    """The rows of a data set, and what is missing of it."""

    about: About
    folder: Path
    rows: tuple[Row, ...]

    @property
    def missing(self) -> tuple[tuple[str, str], ...]:
        """Id and path of every row whose clip is not there."""
        return tuple((row.id, row.clip.path) for row in self.rows if not Path(row.clip.path).is_file())

    def part(self, part: Part | None) -> tuple[Row, ...]:
        """The rows of one official part, all of them for None. Raises ConfigError where the set has no such part."""
        rows = tuple(row for row in self.rows if part is None or row.part == part)
        if not rows:
            parts = some(sorted({str(row.part) for row in self.rows}))
            raise ConfigError(f"{self.about.name} has no part {part}; its rows are in {parts}")
        return rows


def open_dataset(name: str, folder: str | Path) -> Data:
    """Read a data set from the folder of its release.

    Raises ConfigError for an unknown name, and for a folder that does not hold what the release should, naming all
    that is wrong. A missing clip is no error here: it is listed in `Data.missing`.
    """
    read: Callable[[Path], tuple[Row, ...]] = load(name, DATASETS)
    if not Path(folder).is_dir():
        raise ConfigError(f"there is no folder {folder}; name the one that holds {about(name).title}")
    rows = read(Path(folder))
    again = sorted(row for row, times in Counter(row.id for row in rows).items() if times > 1)
    refuse([f"ids that come twice: {some(again)}"] if again else [], f"{folder} cannot be read as {name}")
    return Data(about(name), Path(folder), rows)


def about(name: str) -> About:
    """What is known of a data set, without reading it."""
    module = import_module(load(name, DATASETS).__module__)
    found = module.ABOUT
    if isinstance(found, About):
        return found
    known: About = found[name]  # one file may read several releases of a family
    return known
