"""Feature tables on disk: .npz, .csv and .parquet in, .npz out. Nothing is ever unpickled.

A **.npz** holds `rows` (ids), `labels` (the label set), the target, and per view `x_VIEW` (row, feature).
The target is `label` (one text a row) or `target` (row, label) with `kind` (`single`, `multi`, `votes`).
It may hold `speakers`, `names_VIEW`, `mask_VIEW`, `version_VIEW`, `name`, `source`, `licence`, `note`, and `rows_VIEW`
where a view has its rows in another order.

A **.csv** or **.parquet** has one line a row: columns `row`, `label` (or `labels`, separated by `;`, or one column
`votes.LABEL` per label), `speaker` if known, and one column `VIEW.FEATURE` per feature. An empty cell (null)
was not measured; a cell `nan` is a mistake.
"""

import csv
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from emer.data.rows import refuse, some
from emer.data.tables import FeatureTable, Kind, View, target_of
from emer.errors import ConfigError, MissingExtra
from emer.files import replacing

TEXTS = ("name", "source", "licence", "note")


def read_table(path: str | Path, labels: Sequence[str] | None = None) -> FeatureTable:
    """The feature table in a file; its ending says how to read it.

    `labels` is the label set in order; a .npz may hold its own, the other formats cannot.
    Raises ConfigError for everything that does not fit, MissingExtra for .parquet without pyarrow.
    """
    readers = {".npz": _from_npz, ".csv": _from_csv, ".parquet": _from_parquet}
    reader = readers.get(Path(path).suffix.lower())
    if reader is None:
        raise ConfigError(f"{path} is no feature table; give a file that ends in {', '.join(readers)}")
    if not Path(path).is_file():
        raise ConfigError(f"there is no file {path}; name a feature table that exists")
    return reader(Path(path), labels)


def write_npz(table: FeatureTable, path: str | Path) -> None:
    """Write the table whole or not at all; `read_table` gives it back. Raises OutputError."""
    arrays: dict[str, np.ndarray] = {key: np.array(getattr(table, key)) for key in (*TEXTS, "kind", "rows", "labels")}
    arrays["target"] = table.target
    if table.speakers is not None:
        arrays["speakers"] = np.array(table.speakers)
    for name, view in table.views.items():
        arrays |= {f"x_{name}": view.values, f"mask_{name}": view.mask, f"names_{name}": np.array(view.names)}
    arrays |= {f"version_{name}": np.array(version) for name, version in table.versions.items()}
    with replacing(path) as draft, draft.open("xb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """All arrays of a .npz. Raises ConfigError when it is damaged or holds Python objects (pickles)."""
    if not zipfile.is_zipfile(path):
        raise ConfigError(f"{path} is no .npz archive, or was cut short; save plain arrays with numpy.savez")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except MemoryError as error:
        raise ConfigError(f"{path} unpacks to more than memory holds ({error}); save only what is needed") from error
    except (ValueError, OSError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        pickled = "it holds pickled Python objects, which emer never loads" if "pickle" in str(error) else str(error)
        raise ConfigError(f"{path} cannot be read as .npz: {pickled}; save plain arrays with numpy.savez") from error


# ---------------------------------------------------------------- npz


def _from_npz(path: Path, labels: Sequence[str] | None) -> FeatureTable:
    arrays = read_arrays(path)
    missing = [key for key in ("rows",) if key not in arrays]
    missing += [] if {"label", "target"} & set(arrays) else ["label or target"]
    missing += [] if labels or "labels" in arrays else ["labels"]
    missing += [] if any(key.startswith("x_") for key in arrays) else ["x_VIEW"]
    refuse(missing, f"{path} lacks arrays; add")
    rows = _texts(arrays["rows"])
    known = _known_labels(path, arrays, labels)
    kind: Any = str(arrays.get("kind", "single"))
    target = target_of("single", _texts(arrays["label"]), known, str(path)) if "label" in arrays else arrays["target"]
    return FeatureTable(
        rows=rows,
        labels=known,
        kind=kind,
        target=_numbers(path, "target", target, np.float64),
        views={key[2:]: _npz_view(path, key[2:], arrays, rows) for key in arrays if key.startswith("x_")},
        speakers=_texts(arrays["speakers"]) if "speakers" in arrays else None,
        versions={key[8:]: str(arrays[key]) for key in arrays if key.startswith("version_")},
        **{"name": path.stem} | {key: str(arrays[key]) for key in TEXTS if key in arrays},
    )


def _known_labels(path: Path, arrays: dict[str, np.ndarray], labels: Sequence[str] | None) -> tuple[str, ...]:
    inside = _texts(arrays["labels"]) if "labels" in arrays else None
    if labels and inside and tuple(labels) != inside:
        raise ConfigError(
            f"{path} has the labels {', '.join(inside)}, asked for were {', '.join(labels)}; give one set"
        )
    return tuple(labels or inside or ())


def _npz_view(path: Path, view: str, arrays: dict[str, np.ndarray], rows: tuple[str, ...]) -> View:
    values = _numbers(path, f"x_{view}", arrays[f"x_{view}"], np.float32)
    mask = np.atleast_1d(arrays.get(f"mask_{view}", np.ones(values.shape, dtype=bool))).astype(bool)
    names = arrays.get(f"names_{view}", np.array([f"{view}_{i}" for i in range(values.shape[1])]))
    if f"rows_{view}" in arrays:
        own = _texts(arrays[f"rows_{view}"])
        if not len(values) == len(mask) == len(own):
            counts = f"{len(values)}, {len(mask)} and {len(own)} rows"
            raise ConfigError(f"{path}: x_{view}, mask_{view} and rows_{view} have {counts}; give as many of each")
        order = _order(path, view, own, rows)
        values, mask = values[order], mask[order]
    return View(_texts(names), values, mask)


def _order(path: Path, view: str, own: tuple[str, ...], rows: tuple[str, ...]) -> np.ndarray:
    """Where each row of the table stands in a view that has its own order."""
    here, known = set(own), set(rows)
    absent, unknown = [row for row in rows if row not in here], [row for row in own if row not in known]
    mistakes = [f"{len(absent)} rows are missing ({some(absent)})"] if absent else []
    mistakes += [f"{len(unknown)} rows are unknown to the table ({some(unknown)})"] if unknown else []
    mistakes += ["some rows come more than once"] if len(here) < len(own) else []
    refuse(mistakes, f"{path}, view {view}: its rows must be those of the table, masked where nothing was measured")
    places = {row: place for place, row in enumerate(own)}
    return np.array([places[row] for row in rows], dtype=int)


def _numbers(path: Path, name: str, array: np.ndarray, kind: type[np.floating[Any]]) -> np.ndarray:
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        shape = f"{array.ndim} axes of {array.dtype}"
        raise ConfigError(f"{path}: {name} has {shape}; give numbers, one line a row and one column a name")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which the table refuses
        return array.astype(kind)


def _texts(array: np.ndarray) -> tuple[str, ...]:
    return tuple(str(item) for item in np.atleast_1d(array))


# ---------------------------------------------------------------- csv and parquet


@dataclass(frozen=True)
class _Columns:
    path: Path
    names: tuple[str, ...]
    get: Callable[[str], list[Any]]
    """The cells of a column; None where a cell is empty."""


def _from_csv(path: Path, labels: Sequence[str] | None) -> FeatureTable:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            names, *lines = list(csv.reader(file, strict=True)) or [[]]
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise ConfigError(f"{path} cannot be read as UTF-8 CSV: {error}") from error
    ragged = [str(number) for number, line in enumerate(lines, start=2) if len(line) != len(names)]
    if ragged:
        raise ConfigError(f"{path} has {len(names)} columns, but not in lines {some(ragged)}; mend those lines")
    cells = {name: [line[i].strip() or None for line in lines] for i, name in enumerate(names)}
    return _from_columns(_Columns(path, tuple(names), cells.__getitem__), labels)


def _from_parquet(path: Path, labels: Sequence[str] | None) -> FeatureTable:
    try:
        parquet = import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise MissingExtra(f"{path} needs the package pyarrow: pip install pyarrow, or save it as .csv") from error
    try:
        table = parquet.read_table(path)
    except (OSError, ValueError, NotImplementedError) as error:  # pyarrow's own errors derive from these
        raise ConfigError(f"{path} cannot be read as parquet: {' '.join(str(error).split())}") from error
    return _from_columns(
        _Columns(path, tuple(table.column_names), lambda name: list(table.column(name).to_pylist())), labels
    )


def _from_columns(columns: _Columns, labels: Sequence[str] | None) -> FeatureTable:
    kinds: list[str] = [key for key in ("label", "labels") if key in columns.names]
    kinds += ["votes"] if any(name.startswith("votes.") for name in columns.names) else []
    odd = [name for name in columns.names if "." not in name and name not in ("row", "speaker", "label", "labels")]
    mistakes = [] if "row" in columns.names else ["no column `row` with ids"]
    mistakes += [] if len(kinds) == 1 else ["one of `label`, `labels` or `votes.LABEL` is needed, and only one"]
    mistakes += [] if len(set(columns.names)) == len(columns.names) else ["column names come twice"]
    mistakes += [f"columns {some(odd)} are unknown: features are called VIEW.FEATURE"] if odd else []
    refuse(mistakes, f"{columns.path} does not have the columns of a feature table")
    for name in ("row", "speaker"):
        if name in columns.names and None in columns.get(name):
            raise ConfigError(f"{columns.path}: {columns.get(name).count(None)} cells of `{name}` are empty; fill them")
    kind, given, known = _given(columns, kinds[0], labels)
    return FeatureTable(
        name=columns.path.stem,
        rows=tuple(str(row) for row in columns.get("row")),
        labels=known,
        kind=kind,
        target=target_of(kind, given, known, str(columns.path)),
        views=_column_views(columns),
        speakers=tuple(str(who) for who in columns.get("speaker")) if "speaker" in columns.names else None,
    )


def _given(columns: _Columns, key: str, labels: Sequence[str] | None) -> tuple[Kind, list[Any], tuple[str, ...]]:
    if key == "votes":
        voted = tuple(name.removeprefix("votes.") for name in columns.names if name.startswith("votes."))
        shares = [_floats(columns, f"votes.{label}")[0] for label in voted]
        rows = [dict(zip(voted, map(float, row), strict=True)) for row in zip(*shares, strict=True)]
        return "votes", rows, tuple(labels or voted)
    cells = ["" if cell is None else cell for cell in columns.get(key)]
    lists = [_label_list(cell) for cell in cells]
    if not labels:
        seen = some(sorted({label for row in lists for label in row}))
        raise ConfigError(f"{columns.path} does not say which labels there are (seen: {seen}); give the label set")
    return (
        ("single", [str(cell) for cell in cells], tuple(labels)) if key == "label" else ("multi", lists, tuple(labels))
    )


def _label_list(cell: Any) -> list[str]:
    parts = cell if isinstance(cell, list | tuple) else str(cell).split(";")
    return [str(part).strip() for part in parts if str(part).strip()]


def _column_views(columns: _Columns) -> dict[str, View]:
    features: dict[str, list[str]] = {}
    for name in columns.names:
        view, dot, feature = name.partition(".")
        if dot and view != "votes":
            features.setdefault(view, []).append(feature)
    views = {}
    for view, names in features.items():
        numbers = [_floats(columns, f"{view}.{name}") for name in names]
        values, mask = (np.stack(arrays, axis=1) for arrays in zip(*numbers, strict=True))
        views[view] = View(tuple(names), values, mask)
    return views


def _floats(columns: _Columns, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A column as float32, 0 where a cell is empty, and where it is not."""
    cells = columns.get(name)
    try:
        with np.errstate(over="ignore"):
            values = np.array([0.0 if cell is None else float(cell) for cell in cells], dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{columns.path}, column {name}: {error}; give numbers, and nothing where none is") from error
    return values, np.array([cell is not None for cell in cells], dtype=bool)
