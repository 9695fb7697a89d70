"""The cells of a file, column by column: .csv, .tsv, .jsonl, .json, .parquet, .npz.

Only columns that are used are kept, and rows are not, so that a million of them fit. Nothing is ever unpickled.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

import msgspec
import numpy as np

from emer.data.rows import some
from emer.errors import ConfigError, MissingExtra
from emer.score.encodings import encoding_of, misread
from emer.score.headers import Header, Kind, read_header

LOOKED_AT = 1000
"""JSON rows of which the keys are looked at before columns are chosen."""
MOST_ROWS = 50_000_000
"""Of an archive: a small one can unpack to more than any memory holds."""
LONGEST_CELL = 1 << 30
"""Characters. The csv module stops at 131,072 unless told otherwise; labels of a runaway model are longer."""
SEPARATORS = {".tsv": "\t", ".csv": ","}


@dataclass(frozen=True, slots=True)
class Cells:
    """The columns that were found, by role (`name`, `labels`, …); all of one length, at least 1."""

    columns: Mapping[str, list[Any]]
    notes: tuple[str, ...]
    guessed: frozenset[str] = frozenset()
    """Roles whose column was guessed."""


def read_cells(path: Path, kind: Kind, encoding: str | None = None) -> Cells:
    """The cells of a file; its ending says how to read it.

    Raises ConfigError for everything that cannot be read, MissingExtra for .parquet without pyarrow.
    """
    readers: dict[str, Callable[[Path, Kind, str | None], Cells]] = {
        ".csv": _from_csv,
        ".tsv": _from_csv,
        ".jsonl": _from_jsonl,
        ".json": _from_json,
        ".parquet": _from_parquet,
        ".npz": _from_npz,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"{path} cannot be read as a table; give a file that ends in {', '.join(readers)}")
    cells = reader(path, kind, encoding)
    if not cells.columns["name"]:
        raise ConfigError(f"{path} has columns but no rows; check how it was written")
    return cells


# ---------------------------------------------------------------- csv


def _from_csv(path: Path, kind: Kind, encoding: str | None) -> Cells:
    chosen = encoding_of(path, encoding)
    limit = csv.field_size_limit(LONGEST_CELL)
    try:
        with path.open(newline="", encoding=chosen) as file:
            return _csv_cells(path, kind, file)
    except UnicodeError as error:
        raise misread(path, chosen) from error
    except csv.Error as error:
        raise ConfigError(f"{path} cannot be read as CSV: {error}; is a quotation mark missing?") from error
    finally:
        csv.field_size_limit(limit)


def _csv_cells(path: Path, kind: Kind, file: TextIO) -> Cells:
    first = next((line for line in file if line.strip()), "")
    separator = _separator(path, first)
    reader = csv.reader(chain([first], file), delimiter=separator, strict=True)
    names = next(reader, [])
    header = read_header(path, names, kind)
    where = {role: names.index(column) for role, column in header.columns.items()}
    columns = _csv_columns(path, reader, len(names), where)
    usual = SEPARATORS.get(path.suffix.lower(), ",")
    notes = () if separator == usual else (f"{path}: cells are separated by {separator!r}",)
    return Cells(columns, header.notes + notes, header.guessed)


def _csv_columns(path: Path, reader: Any, width: int, where: Mapping[str, int]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {role: [] for role in where}
    pairs = [(columns[role].append, place) for role, place in where.items()]
    ragged = []
    for row in reader:
        if len(row) != width:
            if row:  # an empty line is no row
                ragged.append(f"line {reader.line_num} has {len(row)}")
            continue
        for append, place in pairs:
            append(row[place])
    if ragged:
        raise ConfigError(
            f"{path} has {width} columns, but {some(ragged)}; put labels that hold commas in quotation marks"
        )
    return columns


def _separator(path: Path, header: str) -> str:
    usual = SEPARATORS.get(path.suffix.lower(), ",")
    return usual if usual in header else next((other for other in "\t;," if other in header), usual)


# ---------------------------------------------------------------- json


def _from_jsonl(path: Path, kind: Kind, encoding: str | None) -> Cells:
    chosen = encoding_of(path, encoding)
    try:
        with path.open(encoding=chosen) as file:
            rows = _json_lines(path, file)
            first = list(islice(rows, LOOKED_AT))
            return _of_rows(path, kind, first, chain(first, rows))
    except UnicodeError as error:
        raise misread(path, chosen) from error


def _json_lines(path: Path, file: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            row = _decoded(f"{path}, line {number}", line)
            if not isinstance(row, dict):
                raise ConfigError(f"{path}, line {number} is no JSON object; give one {{…}} a line")
            yield row


def _from_json(path: Path, kind: Kind, encoding: str | None) -> Cells:
    chosen = encoding_of(path, encoding)
    try:
        value = _decoded(str(path), path.read_text(encoding=chosen))
    except UnicodeError as error:
        raise misread(path, chosen) from error
    rows = _rows_of(path, value)
    return _of_rows(path, kind, rows[:LOOKED_AT], rows)


def _rows_of(path: Path, value: object) -> list[Mapping[str, Any]]:
    """Rows from a list of objects, from an object of columns, or from an object with one entry a clip."""
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return list(value)
    if isinstance(value, dict) and value:
        if isinstance(value.get("name"), list):
            lengths = {name: len(column) for name, column in value.items() if isinstance(column, list)}
            if len(set(lengths.values())) > 1:
                raise ConfigError(f"{path} has columns of different lengths ({lengths}); give one cell a row in each")
            return [dict(zip(lengths, row, strict=True)) for row in zip(*map(value.get, lengths), strict=True)]
        if all(isinstance(entry, dict) for entry in value.values()):
            return [{**entry, "name": name} for name, entry in value.items()]
        return [{"name": name, "labels": entry} for name, entry in value.items()]
    raise ConfigError(f"{path} holds no rows; give a list of objects with `name` and `labels`, or {{name: labels}}")


def _of_rows(path: Path, kind: Kind, sample: Sequence[Mapping[str, Any]], rows: Iterable[Mapping[str, Any]]) -> Cells:
    names = list(dict.fromkeys(name for row in sample for name in row))
    if not names:
        raise ConfigError(f"{path} has no rows; check how it was written")
    header = read_header(path, names, kind)
    columns: dict[str, list[Any]] = {role: [] for role in header.columns}
    pairs = [(columns[role].append, column) for role, column in header.columns.items()]
    for row in rows:
        for append, column in pairs:
            append(row.get(column))
    return Cells(columns, header.notes, header.guessed)


def _decoded(where: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        pass  # Python writes NaN into JSON, which msgspec rightly refuses: the slower reader knows it
    try:
        return _encodable(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where} is not JSON: {error}; mend it, or remove it") from error


def _encodable(value: Any) -> Any:
    """The value with `?` for half characters, which Python's reader lets through and no file can hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return value


# ---------------------------------------------------------------- parquet, npz


def _from_parquet(path: Path, kind: Kind, encoding: str | None) -> Cells:
    try:
        parquet = import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise MissingExtra(f"{path} needs the package pyarrow: pip install pyarrow, or save it as .csv") from error
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path} is no regular file; name one, or save it to a file first")
    try:
        header = read_header(path, list(parquet.read_schema(path).names), kind)
        table = parquet.read_table(path, columns=list(header.columns.values()))
    except FileNotFoundError as error:
        raise ConfigError(f"there is no file {path}; check the spelling") from error
    except (OSError, ValueError, NotImplementedError) as error:  # pyarrow's own errors derive from these
        raise ConfigError(f"{path} cannot be read as parquet: {' '.join(str(error).split())}") from error
    return Cells(
        {role: table.column(name).to_pylist() for role, name in header.columns.items()}, header.notes, header.guessed
    )


def _from_npz(path: Path, kind: Kind, encoding: str | None) -> Cells:
    from emer.data.table_files import read_arrays

    if not path.is_file():
        raise ConfigError(f"there is no file {path}; check the spelling")
    arrays = read_arrays(path)
    header: Header = read_header(path, list(arrays), kind)
    columns = {role: _listed(path, name, arrays[name]) for role, name in header.columns.items()}
    if len({len(column) if isinstance(column, list) else -1 for column in columns.values()} | {-1}) > 2:
        raise ConfigError(f"{path} has arrays of different lengths; give one entry a clip in each")
    flat = next((name for role, name in header.columns.items() if not isinstance(columns[role], list)), None)
    if flat is not None:
        raise ConfigError(f"{path}: {flat} is one value and no list; give one entry a clip")
    return Cells(columns, header.notes, header.guessed)


def _listed(path: Path, name: str, array: np.ndarray) -> Any:
    """The cells of an array; texts may be kept as bytes, which must be UTF-8."""
    if array.ndim and len(array) > MOST_ROWS:
        raise ConfigError(f"{path}: {name} has {len(array):,} entries, more than {MOST_ROWS:,}; cut the file in parts")
    try:
        return (np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array).tolist()
    except UnicodeError as error:
        raise ConfigError(f"{path}: {name} holds bytes that are no UTF-8 ({error}); save texts, not bytes") from error
