"""What `data=…` can name: a public data set, a feature table, or a manifest of the user's own clips."""

import hashlib
import logging
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from jaxtyping import Bool

from emer.data import cremad
from emer.data.making_splits import speaker_disjoint
from emer.data.manifest import read_manifest
from emer.data.rows import Part, Row, some
from emer.data.splits import Split, folds, places, split
from emer.data.table_files import read_table
from emer.data.tables import FeatureTable
from emer.errors import ConfigError
from emer.evidence.rows import clip_row
from emer.registry import load
from emer.types import Clip

logger = logging.getLogger("emer")


@dataclass(frozen=True, slots=True)
class Source:
    """A public data set: who reads it, and whose splits it has."""

    reader: str
    """`module:function`, called with the data folder."""
    split: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


SOURCES: dict[str, Source] = {
    "handwritten": Source("emer.data.handwritten:table", "handwritten"),
    "mosi": Source("emer.data.mosi:table", "mosi"),
    "cremad": Source("emer.data.cremad:table", "cremad"),
    "cremad_votes": Source("emer.data.cremad:table", "cremad", {"kind": "votes"}),
    "cremad_multi": Source("emer.data.cremad:table", "cremad", {"kind": "multi"}),
    "ravdess": Source("emer.training.voices:ravdess", "ravdess", {"variant": "plain"}),
    "ravdess_z": Source("emer.training.voices:ravdess", "ravdess", {"variant": "speaker_z"}),
    "ravdess_baseline": Source("emer.training.voices:ravdess", "ravdess", {"variant": "baseline"}),
    "emodb": Source("emer.training.voices:emodb", "emodb", {"variant": "plain"}),
    "emodb_z": Source("emer.training.voices:emodb", "emodb", {"variant": "speaker_z"}),
    "emodb_baseline": Source("emer.training.voices:emodb", "emodb", {"variant": "baseline"}),
    "voices": Source("emer.training.voices:voices", "voices", {"variant": "plain"}),
    "voices_baseline": Source("emer.training.voices:voices", "voices", {"variant": "baseline"}),
    "noise": Source("emer.training.strange:table", "", {"what": "noise"}),
    "music": Source("emer.training.strange:table", "", {"what": "music"}),
}

Parts = Mapping[Part, FeatureTable]


@dataclass(frozen=True)
class Data:
    """A feature table and who trains, validates, calibrates and tests on it."""

    table: FeatureTable
    split: Split

    @property
    def parts(self) -> dict[Part, FeatureTable]:
        """The parts that have rows, each a table."""
        return parts_of(self.table, self.split)


def parts_of(table: FeatureTable, split: Split) -> dict[Part, FeatureTable]:
    """The table of each part that has rows. Raises ConfigError when the split does not fit the table's rows."""
    found = places(split, table.rows, table.speakers)
    return {part: table.take(where) for part, where in found.items() if len(where)}


def data_folder(named: str | None = None) -> Path:
    """Where public data sets lie: as named, else EMER_TEST_DATA, else ../shared/data. Raises ConfigError."""
    folder = Path(named or os.environ.get("EMER_TEST_DATA", "../shared/data"))
    if not folder.is_dir():
        raise ConfigError(f"there is no data folder {folder}; name it with data_folder=… or EMER_TEST_DATA")
    return folder


def table_named(name: str, folder: str | None = None, labels: tuple[str, ...] | None = None) -> FeatureTable:
    """The feature table of a public data set, of a file (.npz, .csv, .parquet), or of the clips of a manifest (.jsonl).

    Raises ConfigError for a name that is none of these, and as the readers do.
    """
    if name in SOURCES:
        source = SOURCES[name]
        return cast(FeatureTable, load(source.reader, {})(data_folder(folder), **source.arguments))
    if name.endswith(".jsonl"):
        return _measured(name, labels)
    if Path(name).suffix:
        return read_table(name, labels)
    raise ConfigError(
        f"data {name!r} is not known; choose one of {', '.join(SOURCES)}, a table (.npz, .csv, .parquet) or a "
        "manifest (.jsonl)"
    )


def open_data(
    name: str,
    *,
    folder: str | None = None,
    split_name: str | None = None,
    labels: tuple[str, ...] | None = None,
    out: Path | None = None,
) -> Data:
    """A table with its split: the named one, that of the public data set, that of the manifest, or a new one.

    A new split is disjoint in speakers and is written to `out`. Raises ConfigError where none can be had.
    """
    table = table_named(name, folder, labels)
    if split_name or name in SOURCES:
        return Data(table, split(split_name or SOURCES[name].split))
    if name.endswith(".jsonl") and (own := _own_split(name, table)) is not None:
        return Data(table, own)
    if table.speakers is None:
        raise ConfigError(f"{name} names no speakers, so no split can be made; give split=FILE.json, or speakers")
    if out is None:
        raise ConfigError(f"{name} has no split and there is no folder to write a new one to; give split=FILE.json")
    return Data(table, speaker_disjoint(table.rows, table.speakers, 0, out / "split.json"))


def contents(name: str, rows: Collection[str]) -> tuple[str, ...]:
    """Ids by content (`emer.evidence.rows.clip_row`) of these rows of a manifest; none where data are no clips."""
    if not name.endswith(".jsonl"):
        return ()
    return clip_contents(row.clip for row in read_manifest(name) if row.id in rows)


def clip_contents(clips: Iterable[Clip]) -> tuple[str, ...]:
    """The id of each clip by its content, so that a copy under another name is known again."""
    return tuple(clip_row(_digest(clip.path), clip.start, clip.end) for clip in clips)


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def disagreeing(name: str, folder: Path) -> Bool[np.ndarray, "row"] | None:
    """The rows of a data set whose voice and face people read differently; None where nobody asked them."""
    if not name.startswith("cremad"):
        return None
    said = cremad.votes(folder)
    kept = ~said.tied if SOURCES[name].arguments.get("kind", "single") == "single" else np.ones(len(said.rows), bool)
    return np.asarray(said.disagree[kept])


def folds_of(name: str) -> tuple[Split, ...]:
    """The splits over which a public data set is tested: its folds, its halves, or its one split."""
    if name not in SOURCES:
        raise ConfigError(f"data {name!r} has no folds; choose one of {', '.join(SOURCES)}")
    source = SOURCES[name].split
    return (split(source),) if source in ("handwritten", "voices") else folds(source)


def _measured(manifest: str, labels: tuple[str, ...] | None) -> FeatureTable:
    """The features of a manifest's clips, measured as `emer explain` measures them."""
    from emer.training.voices import clip_table

    rows = read_manifest(manifest, labels)
    if unlabelled := [row.id for row in rows if not (row.annotation.labels or row.annotation.votes)]:
        raise ConfigError(f"{len(unlabelled)} rows of {manifest} have no label ({some(unlabelled)}); give each one")
    said = {label for row in rows for label in (*row.annotation.labels, *row.annotation.votes)}
    known = labels or tuple(sorted(said))
    return clip_table(rows, name=Path(manifest).stem, labels=known)


def _own_split(manifest: str, table: FeatureTable) -> Split | None:
    """The split that a manifest brings in its column `split`, for the rows that could be measured; None without."""
    rows: dict[str, Row] = {row.id: row for row in read_manifest(manifest)}
    if any(row.part is None for row in rows.values()):
        return None
    members: dict[str, list[str]] = {"train": [], "validation": [], "calibration": [], "test": []}
    parts: dict[str, set[str]] = {}
    for row in table.rows:
        members[str(rows[row].part)].append(row)
        if (speaker := rows[row].speaker) is not None:
            parts.setdefault(speaker, set()).add(str(rows[row].part))
    if torn := sorted(speaker for speaker, where in parts.items() if len(where) > 1):
        told = "%s: %d speakers stand in more than one part (%s), so that scores say nothing of new people"
        logger.warning(told, manifest, len(torn), some(torn))
    return Split(Path(manifest).stem, "row", **{part: tuple(names) for part, names in members.items()})
