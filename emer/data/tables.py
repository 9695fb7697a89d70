"""Features of many clips, per view, with their targets: what heads are trained on. Checked when it is made."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Float32

from emer.data.rows import refuse, some
from emer.errors import ConfigError
from emer.evidence.targets import label_sets_target, label_target, vote_target
from emer.types import Features

Kind = Literal["single", "multi", "votes"]
TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class View:
    """Numbers of one view. Where `mask` is False nothing was measured and the value is 0.

    A row without a single True is a clip in which this view is absent.
    """

    names: tuple[str, ...]
    values: Float32[np.ndarray, "row feature"]
    mask: Bool[np.ndarray, "row feature"]

    def take(self, places: np.ndarray) -> "View":
        return View(self.names, self.values[places], self.mask[places])


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Rows with ids, a target over a label set, and features per view.

    `target[i]` is one-hot (`single`), 0 or 1 per label (`multi`), or shares of votes that sum to 1 (`votes`).
    Raises ConfigError, naming all that is wrong: ids twice, lengths that differ between views, values that are
    not finite, targets that do not fit their kind.
    """

    name: str
    rows: tuple[str, ...]
    labels: tuple[str, ...]
    kind: Kind
    target: Float[np.ndarray, "row label"]
    views: Mapping[str, View]
    speakers: tuple[str, ...] | None = None
    """None where nobody knows them."""
    source: str = "unknown"
    licence: str = "unknown"
    note: str = ""
    """What the reader of a result must know: rows left out, features that saw other data."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """View to the version of the extractor that measured it, where one of emer's did."""

    def __post_init__(self) -> None:
        refuse(list(_mistakes(self)), f"the feature table {self.name} cannot be used")

    @cached_property
    def sha256(self) -> str:
        """Hash of everything that a result can depend on: ids, speakers, labels, targets, features, masks."""
        digest = sha256()
        for text in (self.kind, *self.labels, *self.rows, *(self.speakers or ())):
            digest.update(text.encode() + b"\0")
        _add(digest, self.target.astype(np.float64))
        for view in sorted(self.views):
            for text in (view, *self.views[view].names):
                digest.update(text.encode() + b"\0")
            _add(digest, self.views[view].values)
            _add(digest, self.views[view].mask)
        return digest.hexdigest()

    def take(self, places: np.ndarray) -> "FeatureTable":
        """The rows at `places`, in that order; a place may come once."""
        picked = [int(place) for place in places]
        return FeatureTable(
            name=self.name,
            rows=tuple(self.rows[i] for i in picked),
            labels=self.labels,
            kind=self.kind,
            target=self.target[picked],
            views={name: view.take(np.array(picked, dtype=int)) for name, view in self.views.items()},
            speakers=None if self.speakers is None else tuple(self.speakers[i] for i in picked),
            source=self.source,
            licence=self.licence,
            note=self.note,
            versions=self.versions,
        )


def target_of(
    kind: Kind, given: Sequence[Any], labels: Sequence[str], name: str = "rows"
) -> Float[np.ndarray, "row label"]:
    """What people said as numbers: a label, a list of labels or a mapping of votes per row, according to `kind`.

    Raises ConfigError for an unknown kind and for labels outside the set.
    """
    makers: Mapping[str, Any] = {"single": label_target, "multi": label_sets_target, "votes": vote_target}
    if kind not in makers:
        raise ConfigError(f"{name}: the target kind {kind!r} is not known; choose one of {', '.join(makers)}")
    try:
        return np.asarray(makers[kind](given, labels))
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from error


def full_view(names: Sequence[str], values: np.ndarray) -> View:
    """A view in which every number was measured; any kind of number in, float32 out."""
    return View(tuple(names), values.astype(np.float32), np.ones(values.shape, dtype=bool))


def views_of(clips: Sequence[Mapping[str, Features]]) -> dict[str, View]:
    """Features of explained clips (`Clues.features`, one mapping a clip) as views.

    A clip that lacks a view has it fully masked. Raises ConfigError where one view has other feature names or
    another extractor version in different clips.
    """
    return {view: _stacked(view, clips) for view in dict.fromkeys(view for clip in clips for view in clip)}


def _stacked(view: str, clips: Sequence[Mapping[str, Features]]) -> View:
    given = [clip.get(view) for clip in clips]
    layouts = {(features.names, features.version) for features in given if features is not None}
    if len(layouts) > 1:
        versions = some(sorted({version for _, version in layouts}))
        raise ConfigError(
            f"the {view} features of these clips differ in names or version ({versions}); measure all with one emer"
        )
    ((names, _),) = layouts
    values = np.zeros((len(clips), len(names)), dtype=np.float32)
    mask = np.zeros((len(clips), len(names)), dtype=bool)
    for place, features in enumerate(given):
        if features is not None:
            values[place], mask[place] = features.values, features.mask
    return View(names, values, mask)


# ---------------------------------------------------------------- checks


def _mistakes(table: FeatureTable) -> Iterator[str]:
    count = len(table.rows)
    if not count:
        yield "it has no rows"
    if again := [row for row, times in Counter(table.rows).items() if times > 1]:
        yield f"{len(again)} row ids come more than once ({some(again)}); give each row an id of its own"
    if len(set(table.labels)) < max(2, len(table.labels)):
        yield f"its labels are {some(table.labels) or 'none'}; give at least two, each once"
    if table.speakers is not None and len(table.speakers) != count:
        yield f"{len(table.speakers)} speakers stand beside {count} rows; give one a row"
    if not table.views:
        yield "it has no view; give at least one with features"
    yield from _target_mistakes(table)
    for name, view in table.views.items():
        yield from _view_mistakes(name, view, table.rows)


def _target_mistakes(table: FeatureTable) -> Iterator[str]:
    if table.kind not in get_args(Kind):
        yield f"the target kind {table.kind!r} is not known; choose one of {', '.join(get_args(Kind))}"
        return
    shape = (len(table.rows), len(table.labels))
    if table.target.shape != shape:
        yield f"the target has the shape {table.target.shape}; {shape[0]} rows and {shape[1]} labels need {shape}"
        return
    binary = ((table.target == 0) | (table.target == 1)).all(axis=1)
    sums_to_one = (table.target >= 0).all(axis=1) & (np.abs(table.target.sum(axis=1) - 1) < TOLERANCE)
    fits = {"single": binary & sums_to_one, "multi": binary, "votes": sums_to_one}[table.kind]
    if not fits.all():
        rule = {
            "single": "each row needs one 1 and zeros",
            "multi": "each label of a row is 0 or 1",
            "votes": "the shares of a row are at least 0 and sum to 1",
        }[table.kind]
        names = some(table.rows[i] for i in np.flatnonzero(~fits))
        yield f"{int((~fits).sum())} targets are wrong (rows {names}); {rule}"


def _view_mistakes(name: str, view: View, rows: tuple[str, ...]) -> Iterator[str]:
    if len(view.values) != len(rows):
        yield f"the view {name} has {len(view.values)} rows, the table {len(rows)}; give every view the same rows"
        return
    if view.mask.shape != view.values.shape or view.values.shape[1:] != (len(view.names),):
        shapes = f"{view.values.shape} values, {view.mask.shape} masks and {len(view.names)} names"
        yield f"the view {name} has {shapes}; give one of each per feature"
        return
    if again := [feature for feature, times in Counter(view.names).items() if times > 1]:
        yield f"the view {name} has features of the same name ({some(again)}); rename them"
    if not len(view.names):
        yield f"the view {name} has no features; leave it out"
    wrong = ~np.isfinite(view.values)
    if wrong.any():
        where = some(f"{name}.{view.names[j]} in row {rows[i]}" for i, j in np.argwhere(wrong))
        yield f"{int(wrong.sum())} features are not finite ({where}); mask them or leave their rows out"
    if (view.values[~view.mask & ~wrong] != 0).any():
        yield f"the view {name} has masked features that are not 0; write 0 where nothing was measured"


def _add(digest: Any, array: np.ndarray) -> None:
    digest.update(str((array.shape, array.dtype.str)).encode())
    digest.update(np.ascontiguousarray(array).tobytes())
