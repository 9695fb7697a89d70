"""Sheets of words, from .csv and .xlsx, with errors that name file, row and column."""

import csv
import io
import warnings
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from emer.errors import ConfigError

MOST_ROWS = 200_000
"""Released tables have up to some ten thousand rows; what unpacks to more than this is something else."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The first sheet of a file, with its names of columns in the first row."""

    source: str
    """File, and sheet where it has one; for errors."""
    stem: str
    header: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    @property
    def columns(self) -> str:
        return ", ".join(name for name in self.header if name) or "none"

    def column(self, name: str) -> list[str]:
        """The cells of a column, '' where one is empty.

        Raises ConfigError where there is no such column, and where a cell holds something else than text.
        """
        if name not in self.header:
            raise ConfigError(f"{self.source} has no column {name}; its columns are {self.columns}")
        place = self.header.index(name)
        cells = [row[place] if place < len(row) else None for row in self.rows]
        for number, cell in enumerate(cells, start=2):
            if not (cell is None or isinstance(cell, str)):
                raise ConfigError(f"{self.source}, row {number}, {name}: {cell!r} is no word; write text there")
        return [cell if isinstance(cell, str) else "" for cell in cells]


def read_sheet(path: Path) -> Sheet:
    """The sheet of a .csv (UTF-8) or .xlsx file. Raises ConfigError where it cannot be read or a cell is no text."""
    source, rows = (str(path), _csv_rows(path)) if path.suffix == ".csv" else _xlsx_rows(path)
    header, *rest = rows or [()]
    return Sheet(source, path.stem, tuple(str(name or "").strip().lower() for name in header), tuple(rest))


def _csv_rows(path: Path) -> list[tuple[object, ...]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return [tuple(cells) for cells in csv.reader(io.StringIO(text, newline=""), strict=True)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read as UTF-8 CSV ({error}); get the file anew") from error


def _xlsx_rows(path: Path) -> tuple[str, list[tuple[object, ...]]]:
    """What to call the sheet in errors, and its rows."""
    import openpyxl  # a third of a second: only where the cache has no copy

    try:
        with warnings.catch_warnings(), io.BytesIO(path.read_bytes()) as file:
            # Extensions, missing styles, openpyxl's own age: words know nothing of them.
            warnings.simplefilter("ignore")
            sheet = openpyxl.load_workbook(file, read_only=True, data_only=True).worksheets[0]
            sheet.reset_dimensions()
            rows: list[tuple[object, ...]] = list(islice(sheet.iter_rows(values_only=True), MOST_ROWS + 1))
    except Exception as error:  # a damaged file fails anywhere in zip, XML and openpyxl, each with errors of its own
        raise ConfigError(f"{path} cannot be read as an Excel sheet ({_in_short(error)}); get the file anew") from error
    if len(rows) > MOST_ROWS:
        raise ConfigError(f"{path} has more than {MOST_ROWS:,} rows; save it as CSV, which emer reads at any length")
    return f"{path}, sheet {sheet.title}", rows


def _in_short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
