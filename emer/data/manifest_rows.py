"""The rows of a manifest, one by one: two formats, one record, and every mistake with its line (see `manifest`)."""

import csv
import io
import json
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from emer.data.rows import PARTS, Row, some
from emer.errors import ConfigError
from emer.types import Annotation, Clip

FILE_KEYS = ("path", "transcript", "speaker_baseline")
CLIP_KEYS = (*FILE_KEYS, "text", "start", "end")
TEXT_KEYS = (*FILE_KEYS, "text", "label", "explanation", "speaker", "split", "language", "context", "licence", "id")
NUMBER_KEYS = ("start", "end", "value")
KEYS = (*TEXT_KEYS, *NUMBER_KEYS, "labels", "votes")
LANGUAGE = re.compile("[a-z]{2,3}")
Record = dict[str, Any]


@dataclass(slots=True)
class Reading:
    """What was read so far, and every mistake that was met."""

    manifest: Path
    labels: Collection[str] | None = None
    only_clips: bool = False
    """Clips alone are wanted: labels and files that are not there are of no concern."""
    missing_clips: bool = False
    """A clip that is not there is no mistake of the manifest: somebody lists it."""
    mistakes: list[tuple[int, str]] = field(default_factory=list)

    def say(self, line: int, mistake: str) -> None:
        self.mistakes.append((line, f"line {line}: {mistake}"))


def records_of(reading: Reading) -> list[tuple[int, Record]]:
    """Line numbers and records. Raises ConfigError for a file that is no manifest, cannot be read, or is empty."""
    path = reading.manifest
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(f"{path} is no manifest; give a file that ends in {' or '.join(FORMATS)}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the manifest {path} cannot be read: {error}; give a file of UTF-8 text") from error
    records = list(FORMATS[path.suffix.lower()](reading, text))
    if not records and not reading.mistakes:
        raise ConfigError(f"the manifest {path} has no rows; give one clip a line, with a path each")
    return records


# ---------------------------------------------------------------- two formats, one record


def _json_records(reading: Reading, text: str) -> Iterator[tuple[int, Record]]:
    for number, line in enumerate(text.split("\n"), start=1):  # splitlines() would cut at U+2028 inside a text
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a plain ValueError
            reading.say(number, f"this is not JSON ({error})")
            continue
        if not isinstance(record, dict):
            reading.say(number, 'this is not an object; write {"path": "clip.mp4"}')
            continue
        _check_names(reading, number, sorted(set(record) - set(KEYS)))
        yield number, _wanted(reading, {key: value for key, value in record.items() if value is not None})


def _csv_records(reading: Reading, text: str) -> Iterator[tuple[int, Record]]:
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_names(reading, 1, [name for name in header if name not in KEYS or name == "votes"])
        if again := sorted({name for name in header if header.count(name) > 1}):
            reading.say(1, f"columns come twice ({some(again)})")
        if "path" not in header:
            reading.say(1, "there is no column `path`")
            return
        for cells in reader:
            if len(cells) == len(header):
                record = _csv_record(reading, reader.line_num, dict(zip(header, cells, strict=True)))
                yield reader.line_num, _wanted(reading, record)
            elif cells:
                reading.say(reader.line_num, f"{len(cells)} cells stand below {len(header)} columns")
    except csv.Error as error:
        reading.say(reader.line_num, f"this is not CSV ({error}), and no line after it can be read")


FORMATS = {".jsonl": _json_records, ".csv": _csv_records}


def _csv_record(reading: Reading, line: int, cells: Mapping[str, str]) -> Record:
    record: Record = {key: cell.strip() for key, cell in cells.items() if cell.strip()}
    if "labels" in record:
        record["labels"] = [label.strip() for label in record["labels"].split(";") if label.strip()]
    for key in NUMBER_KEYS:
        if key in record:
            try:
                record[key] = float(record[key])
            except ValueError:
                unit = "" if key == "value" else " of seconds"
                reading.say(line, f"{key} is {record.pop(key)!r}, not a number{unit}")
    return record


def _check_names(reading: Reading, line: int, unknown: Sequence[str]) -> None:
    """Unknown names are mistakes; where only clips are wanted they are the user's own notes, unless one is a slip."""
    if not reading.only_clips:
        names = some(repr(name) for name in unknown)
        if unknown:
            reading.say(line, f"{names} is not known here; a row may have {', '.join(KEYS)}")
        return
    for name in unknown:
        if name not in KEYS and (meant := get_close_matches(name, CLIP_KEYS, n=1, cutoff=0.8)):
            reading.say(line, f"{name} is not known here; write {meant[0]}")


def _wanted(reading: Reading, record: Record) -> Record:
    return {key: record[key] for key in CLIP_KEYS if key in record} if reading.only_clips else record


# ---------------------------------------------------------------- one record


def row_of(reading: Reading, line: int, record: Record) -> Row | None:
    """The row, or None after its mistakes were said."""
    before = len(reading.mistakes)
    for key in TEXT_KEYS:
        if key in record and not (isinstance(record[key], str) and record[key].strip()):
            reading.say(line, f"{key} is {record[key]!r}, not a text")
    if "path" not in record:
        reading.say(line, 'it has no path; write {"path": "clip.mp4"}')
    if "split" in record and record["split"] not in PARTS:
        reading.say(line, f"split is {record['split']!r}; choose one of {', '.join(PARTS)}")
    if "language" in record and not LANGUAGE.fullmatch(str(record["language"])):
        reading.say(line, f"language is {record['language']!r}; write its ISO 639-1 code, such as de")
    _check_seconds(reading, line, record)
    annotation = _annotation(reading, line, record)
    if len(reading.mistakes) > before or annotation is None:
        return None
    clip = _clip(reading, line, record)
    seconds = f"#{record.get('start', 0)}-{record.get('end', '')}" if {"start", "end"} & set(record) else ""
    name = record.get("id", record["path"] + seconds)
    own = {key: record.get(key) for key in ("speaker", "language", "context", "licence")}
    return Row(name, clip, annotation, part=record.get("split"), **own)


def _check_seconds(reading: Reading, line: int, record: Record) -> None:
    numbers = {key: record[key] for key in ("start", "end") if key in record}
    for key, value in numbers.items():
        if not _is_finite(value) or value < 0:
            reading.say(line, f"{key} is {value!r}, not a number of seconds from 0 up")
            return
    if len(numbers) == 2 and numbers["end"] <= numbers["start"]:
        reading.say(line, f"it ends at {numbers['end']} s, before its start at {numbers['start']} s")


def _annotation(reading: Reading, line: int, record: Record) -> Annotation | None:
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
    value = record.get("value")
    if value is not None and not _is_finite(value):
        reading.say(line, f"value is {value!r}, not a number")
        return None
    return Annotation(tuple(labels), record.get("explanation"), votes, value)


def _are_votes(votes: Any) -> bool:
    numbers: list[Any] = list(votes.values()) if isinstance(votes, dict) else [None]
    return all(_is_finite(n) and n >= 0 for n in numbers) and (not numbers or sum(numbers) > 0)


def _is_finite(value: Any) -> bool:
    """Whether this is a number that a float can hold; JSON has integers of any length."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _clip(reading: Reading, line: int, record: Record) -> Clip:
    folder = reading.manifest.parent
    paths: dict[str, Any] = {key: str(folder / record[key]) for key in FILE_KEYS if key in record}
    for key, path in paths.items():
        wanted = not reading.only_clips and not (reading.missing_clips and key == "path")
        if wanted and not _exists(path):
            reading.say(line, f"there is no file {record[key]} ({key})")
    return Clip(start=record.get("start"), end=record.get("end"), said=record.get("text"), **paths)


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # a name too long, or with a NUL
        return False
