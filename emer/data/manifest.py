"""A user's own clips: a manifest of JSON lines (.jsonl) or CSV, one clip a row.

    path              the clip; relative paths are relative to the manifest          (needed)
    label             one label, or
    labels            several: a list, or in CSV `sad; tired`, or
    votes             how many people said what, JSON only: {"sad": 3, "tired": 1}
    explanation       what people wrote about the clip
    speaker           who speaks
    split             train, validation, calibration or test: for every row or for none
    transcript, speaker_baseline, start, end       as in `emer.types.Clip`
    id                a name for the row; without it the path as written (and the seconds, if a part is meant)

All mistakes of a file are told at once, with their line numbers.
"""

import csv
import io
import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emer.data.rows import PARTS, Row, refuse, some
from emer.errors import ConfigError
from emer.types import Annotation, Clip

TEXT_KEYS = ("path", "label", "explanation", "speaker", "split", "transcript", "speaker_baseline", "id")
KEYS = (*TEXT_KEYS, "labels", "votes", "start", "end")
Record = dict[str, Any]


@dataclass(slots=True)
class _Reading:
    """What was read so far, and every mistake that was met."""

    manifest: Path
    labels: Collection[str] | None
    mistakes: list[tuple[int, str]] = field(default_factory=list)

    def say(self, line: int, mistake: str) -> None:
        self.mistakes.append((line, f"line {line}: {mistake}"))


def read_manifest(path: str | Path, labels: Collection[str] | None = None) -> tuple[Row, ...]:
    """The rows of a manifest, in its order. With `labels`, a label outside them is a mistake.

    Raises ConfigError that lists every mistake of the file.
    """
    manifest = Path(path)
    readers = {".jsonl": _json_records, ".csv": _csv_records}
    if manifest.suffix.lower() not in readers:
        raise ConfigError(f"{path} is no manifest; give a file that ends in {' or '.join(readers)}")
    try:
        text = manifest.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the manifest {path} cannot be read: {error}; give a file of UTF-8 text") from error
    reading = _Reading(manifest, labels)
    records = list(readers[manifest.suffix.lower()](reading, text))
    if not records and not reading.mistakes:
        raise ConfigError(f"the manifest {path} has no rows; give one clip a line, with a path each")
    rows = [(line, row) for line, record in records if (row := _row(reading, line, record)) is not None]
    _check_together(reading, rows, dict(records))
    count = len(reading.mistakes)
    told = [mistake for _, mistake in sorted(reading.mistakes, key=lambda item: item[0])]
    refuse(told, f"the manifest {path} has {count} {'mistake' if count == 1 else 'mistakes'}")
    return tuple(row for _, row in rows)


# ---------------------------------------------------------------- two formats, one record


def _json_records(reading: _Reading, text: str) -> Iterator[tuple[int, Record]]:
    for number, line in enumerate(text.split("\n"), start=1):  # splitlines() would cut at U+2028 inside a text
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            reading.say(number, f"this is not JSON ({error})")
            continue
        if not isinstance(record, dict):
            reading.say(number, 'this is not an object; write {"path": "clip.mp4"}')
            continue
        if unknown := sorted(set(record) - set(KEYS)):
            reading.say(number, _unknown(unknown))
        yield number, {key: value for key, value in record.items() if value is not None}


def _csv_records(reading: _Reading, text: str) -> Iterator[tuple[int, Record]]:
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if unknown := [name for name in header if name not in KEYS or name == "votes"]:
            reading.say(1, _unknown(unknown))
        if again := sorted({name for name in header if header.count(name) > 1}):
            reading.say(1, f"columns come twice ({some(again)})")
        if "path" not in header:
            reading.say(1, "there is no column `path`")
            return
        for cells in reader:
            if len(cells) == len(header):
                yield reader.line_num, _csv_record(reading, reader.line_num, dict(zip(header, cells, strict=True)))
            elif cells:
                reading.say(reader.line_num, f"{len(cells)} cells stand below {len(header)} columns")
    except csv.Error as error:
        reading.say(reader.line_num, f"this is not CSV ({error})")


def _csv_record(reading: _Reading, line: int, cells: Mapping[str, str]) -> Record:
    record: Record = {key: cell.strip() for key, cell in cells.items() if cell.strip()}
    if "labels" in record:
        record["labels"] = [label.strip() for label in record["labels"].split(";") if label.strip()]
    for key in ("start", "end"):
        if key in record:
            try:
                record[key] = float(record[key])
            except ValueError:
                reading.say(line, f"{key} is {record.pop(key)!r}, not a number of seconds")
    return record


def _unknown(names: Sequence[str]) -> str:
    return f"{some(repr(name) for name in names)} is not known here; a row may have {', '.join(KEYS)}"


# ---------------------------------------------------------------- one record


def _row(reading: _Reading, line: int, record: Record) -> Row | None:
    """The row, or None after its mistakes were said."""
    before = len(reading.mistakes)
    for key in TEXT_KEYS:
        if key in record and not (isinstance(record[key], str) and record[key].strip()):
            reading.say(line, f"{key} is {record[key]!r}, not a text")
    if "path" not in record:
        reading.say(line, 'it has no path; write {"path": "clip.mp4"}')
    if "split" in record and record["split"] not in PARTS:
        reading.say(line, f"split is {record['split']!r}; choose one of {', '.join(PARTS)}")
    _check_seconds(reading, line, record)
    annotation = _annotation(reading, line, record)
    if len(reading.mistakes) > before or annotation is None:
        return None
    clip = _clip(reading, line, record)
    seconds = f"#{record.get('start', 0)}-{record.get('end', '')}" if {"start", "end"} & set(record) else ""
    name = record.get("id", record["path"] + seconds)
    return Row(name, clip, annotation, record.get("speaker"), record.get("split"))


def _check_seconds(reading: _Reading, line: int, record: Record) -> None:
    numbers = {key: record[key] for key in ("start", "end") if key in record}
    for key, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value >= 0):
            reading.say(line, f"{key} is {value!r}, not a number of seconds from 0 up")
            return
    if len(numbers) == 2 and numbers["end"] <= numbers["start"]:
        reading.say(line, f"it ends at {numbers['end']} s, before its start at {numbers['start']} s")


def _annotation(reading: _Reading, line: int, record: Record) -> Annotation | None:
    if len(given := [key for key in ("label", "labels", "votes") if key in record]) > 1:
        reading.say(line, f"it has {' and '.join(given)}; give one of them")
        return None
    labels = [record["label"]] if "label" in record else record.get("labels", [])
    votes = record.get("votes", {})
    if not isinstance(labels, list) or not all(isinstance(label, str) and label.strip() for label in labels):
        reading.say(line, f"the labels {labels!r} are not a list of texts")
        return None
    if not _are_votes(votes):
        reading.say(line, f'the votes {votes!r} are not counts from 0 up, such as {{"sad": 3}}')
        return None
    if reading.labels is not None and (odd := [x for x in [*labels, *votes] if x not in reading.labels]):
        reading.say(line, f"the label {some(map(repr, odd))} is not one of {', '.join(reading.labels)}")
        return None
    return Annotation(tuple(labels), record.get("explanation"), votes)


def _are_votes(votes: Any) -> bool:
    numbers: list[Any] = list(votes.values()) if isinstance(votes, dict) else [None]
    fit = all(isinstance(n, int | float) and not isinstance(n, bool) and 0 <= n < math.inf for n in numbers)
    return fit and (not numbers or sum(numbers) > 0)


def _clip(reading: _Reading, line: int, record: Record) -> Clip:
    folder = reading.manifest.parent
    paths: dict[str, Any] = {
        key: str(folder / record[key]) for key in ("path", "transcript", "speaker_baseline") if key in record
    }
    for key, path in paths.items():
        if not _exists(path):
            reading.say(line, f"there is no file {record[key]} ({key})")
    return Clip(start=record.get("start"), end=record.get("end"), **paths)


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # a name too long, or with a NUL
        return False


# ---------------------------------------------------------------- rows together


def _check_together(reading: _Reading, rows: Sequence[tuple[int, Row]], records: Mapping[int, Record]) -> None:
    first: dict[str, int] = {}
    for line, row in rows:
        if row.id in first:
            reading.say(line, f"{row.id!r} stands in line {first[row.id]} too; name each row once, or give ids")
        first.setdefault(row.id, line)
    without = [line for line, record in records.items() if "split" not in record]
    if without and len(without) < len(records):
        mixed = f"{len(without)} of {len(records)} without"
        reading.say(without[0], f"rows with and without a split are mixed ({mixed}); give all of them one, or none")
    home: dict[str, tuple[str, int]] = {}
    for line, row in rows:
        if row.speaker is not None and row.part is not None:
            part, earlier = home.setdefault(row.speaker, (row.part, line))
            if part != row.part:
                reading.say(line, f"speaker {row.speaker} is in {row.part}, and in {part} in line {earlier}")
