"""Labelled clips as heads read them: from a manifest, a feature table, or the calibration part of a public data set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float

from emer import media
from emer.clues.cache import Cache
from emer.clues.extract import extract
from emer.commands.progress import progress_bar
from emer.data.manifest import read_manifest
from emer.data.rows import Row, some
from emer.data.tables import FeatureTable, target_of
from emer.emotions.label_sets import mapping, name_of
from emer.errors import ConfigError, MediaError, TranscriptError
from emer.evidence.head_files import HeadRecord
from emer.evidence.rows import clip_row
from emer.evidence.trained import read_by
from emer.files import cache_folder
from emer.training.sources import SOURCES, open_data, table_named
from emer.types import MODALITIES, Features


@dataclass(frozen=True)
class Labelled:
    """Rows with features and targets over the labels of the heads."""

    name: str
    ids: tuple[str, ...]
    features: tuple[Mapping[str, Features], ...]
    target: Float[np.ndarray, "row label"]
    speakers: tuple[str, ...] | None
    contents: tuple[str, ...] = ()
    """Ids by content (`emer.evidence.rows.clip_row`), where the rows are clips."""

    @property
    def known_as(self) -> tuple[str, ...]:
        """Every id of every row: its own, and that of its content."""
        return (*self.ids, *self.contents)

    def take(self, places: np.ndarray) -> "Labelled":
        picked = [int(place) for place in places]
        return Labelled(
            name=self.name,
            ids=tuple(self.ids[i] for i in picked),
            features=tuple(self.features[i] for i in picked),
            target=self.target[picked],
            speakers=None if self.speakers is None else tuple(self.speakers[i] for i in picked),
            contents=tuple(self.contents[i] for i in picked) if self.contents else (),
        )

    def and_(self, other: "Labelled") -> "Labelled":
        """These rows, then the others of the same data."""
        speakers = None if self.speakers is None or other.speakers is None else self.speakers + other.speakers
        return Labelled(
            name=self.name,
            ids=self.ids + other.ids,
            features=self.features + other.features,
            target=np.concatenate([self.target, other.target]),
            speakers=speakers,
            contents=self.contents + other.contents,
        )


def labelled(data: str, record: HeadRecord, folder: str | None = None) -> Labelled:
    """What `data` names. Raises ConfigError for unknown labels, clips that stand there twice, and other features."""
    if data.endswith(".jsonl"):
        return _clips(data, record)
    if data in SOURCES:
        source = open_data(data, folder=folder)
        if "calibration" not in source.parts:
            raise ConfigError(f"the split {source.split.name} has no calibration rows; name a table or a manifest")
        return rows_of(source.parts["calibration"], record)
    labels = None if data.endswith(".npz") else record.spec.labels
    return rows_of(table_named(data, folder, labels), record)


# ---------------------------------------------------------------- a table


def rows_of(table: FeatureTable, record: HeadRecord) -> Labelled:
    spec = record.spec
    if (table.kind == "multi") != (spec.kind == "beta"):
        wanted = "0 or 1 per label" if spec.kind == "beta" else "one label or shares of votes"
        raise ConfigError(f"{table.name} has targets of the kind {table.kind}, and these heads want {wanted}")
    if not set(spec.views) & set(table.views):
        raise ConfigError(f"{table.name} has the views {', '.join(table.views)}, the heads {', '.join(spec.views)}")
    versions = {view: table.versions.get(view) or spec.versions.get(view, "") for view in table.views}
    rows = [
        {
            name: Features(
                name, view.names, tuple(view.values[i].tolist()), tuple(view.mask[i].tolist()), versions[name]
            )
            for name, view in table.views.items()
            if name in spec.views
        }
        for i in range(len(table.rows))
    ]
    return Labelled(table.name, table.rows, tuple(rows), _target(table, spec.labels, spec.label_set), table.speakers)


def _target(table: FeatureTable, labels: Sequence[str], label_set: str) -> Float[np.ndarray, "row label"]:
    """The target over the heads' labels; labels of another named set go through the written mapping."""
    theirs = _mapped(table.labels, labels, label_set)
    unknown = [label for label in table.labels if label not in theirs]
    used = [label for label in unknown if table.target[:, table.labels.index(label)].any()]
    if used:
        raise ConfigError(
            f"{table.name} has labels that the heads do not know: {some(used)}; they know {', '.join(labels)}"
        )
    found = np.zeros((len(table.rows), len(labels)))
    for place, label in enumerate(table.labels):
        if label in theirs:
            found[:, list(labels).index(theirs[label])] += table.target[:, place]
    return found


def _mapped(given: Sequence[str], labels: Sequence[str], label_set: str) -> dict[str, str]:
    if set(given) <= set(labels):
        return {label: label for label in given}
    named = name_of(given)
    try:
        found = mapping(named, label_set) if named else {}
    except ConfigError:  # no mapping is written down: the labels that both have are all there is
        found = {}
    known = {label: other for label, other in found.items() if other in labels}
    return known or {label: label for label in given if label in labels}


# ---------------------------------------------------------------- clips


def _clips(manifest: str, record: HeadRecord) -> Labelled:
    spec = record.spec
    rows = read_manifest(manifest, spec.labels)
    if any(row.part == "calibration" for row in rows):
        rows = tuple(row for row in rows if row.part == "calibration")
    _given(manifest, rows, record)  # what people said is looked at before an hour of measuring
    rows, measured, contents = _readable(manifest, rows, record)
    kind, given = _given(manifest, rows, record)
    _refuse_twice(rows, contents)
    return Labelled(
        name=Path(manifest).stem,
        ids=tuple(row.id for row in rows),
        features=tuple(measured),
        target=target_of(kind, given, spec.labels, manifest),
        speakers=_speakers(rows),
        contents=tuple(contents),
    )


def _readable(
    manifest: str, rows: Sequence[Row], record: HeadRecord
) -> tuple[tuple[Row, ...], list[dict[str, Features]], list[str]]:
    """The rows that can be measured, their features, their ids by content. A clip that cannot be read is told of and
    left out; the others go on. Raises ConfigError when none is left."""
    kept, measured, contents = [], [], []
    with progress_bar(len(rows)) as bar:
        for row in rows:
            try:
                features, content = _measured(row, record)
            except (MediaError, TranscriptError) as error:
                bar.say(f"row {row.id} is left out: {error}")
                continue
            finally:
                bar.next()
            kept.append(row)
            measured.append(features)
            contents.append(content)
    if not kept:
        raise ConfigError(f"none of the {len(rows)} clips of {manifest} can be read; see the reasons above")
    return tuple(kept), measured, contents


def _given(
    manifest: str, rows: Sequence[Row], record: HeadRecord
) -> tuple[Literal["single", "multi", "votes"], list[object]]:
    """What people said, in the form that the kind of heads asks for."""
    said = [row.annotation for row in rows]
    if record.spec.kind == "beta":
        return "multi", [one.labels or tuple(one.votes) for one in said]
    if all(one.votes for one in said):
        return "votes", [one.votes for one in said]
    if wrong := [row.id for row, one in zip(rows, said, strict=True) if len(one.labels) != 1]:
        raise ConfigError(f"{len(wrong)} rows of {manifest} have not just one label ({some(wrong)}); give each one")
    return "single", [one.labels[0] for one in said]


def _measured(row: Row, record: HeadRecord) -> tuple[dict[str, Features], str]:
    """The features of a clip as the heads read them, and its id by content. Raises MediaError and TranscriptError for
    a clip that cannot be read, ConfigError that names the row for one that these heads cannot read."""
    clip = row.clip
    opened = media.open(clip)
    unread = frozenset(m for m in MODALITIES if m not in record.spec.views)
    clues = extract(replace(clip, without=unread), opened, cache=Cache(cache_folder()))
    content = clip_row(opened.facts.sha256, clip.start, clip.end)
    try:
        return read_by(record, clues.features, clues.baseline), content
    except ConfigError as error:
        raise ConfigError(f"row {row.id}: {error}") from error


def _speakers(rows: Sequence[Row]) -> tuple[str, ...] | None:
    named = tuple(row.speaker for row in rows if row.speaker is not None)
    return named if len(named) == len(rows) else None


def _refuse_twice(rows: Sequence[Row], contents: Sequence[str]) -> None:
    first: dict[str, str] = {}
    for row, content in zip(rows, contents, strict=True):
        if content in first:
            raise ConfigError(f"{first[content]} and {row.id} are the same recording; give each clip once")
        first[content] = row.id
