"""A user's own clips: a manifest of JSON lines (.jsonl) or CSV, one clip a row.

    path              the clip; relative paths are relative to the manifest          (needed)
    label             one label, or
    labels            several: a list, or in CSV `sad; tired`, or
    votes             how many people said what, JSON only: {"sad": 3, "tired": 1}
    value             sentiment on a scale of your own, below 0 negative
    explanation       what people wrote about the clip
    speaker           who speaks
    split             train, validation, calibration or test: for every row or for none
    text              what is said; used where no transcript file is named
    transcript, speaker_baseline, start, end       as in `emer.types.Clip`
    language          of what is said: its ISO 639-1 code, such as de
    context           what came before: the lines of a dialogue, a scene
    licence           of this clip
    id                a name for the row; without it the path as written (and the seconds, if a part is meant)

Conversations about clips, as ms-swift and LLaMA-Factory keep them, are read in its place (`emer.data.conversations`).
All mistakes of a file are told at once, with their line numbers. Where clips are only explained, `read_clips` reads
what can be read and tells the rest; columns of the user's own are let be there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emer.data.conversations import is_conversations, read_conversations
from emer.data.manifest_rows import FORMATS, Reading, Record, records_of, row_of
from emer.data.rows import Row, refuse, some
from emer.types import Clip


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read, and all that is wrong with it."""

    line: int
    path: str | None
    """The clip as written, where that much can be read."""
    reason: str


def read_manifest(
    path: str | Path, labels: Collection[str] | None = None, *, missing_clips: bool = False
) -> tuple[Row, ...]:
    """The rows of a manifest, in its order. With `labels`, a label outside them is a mistake; with `missing_clips`, a
    clip that is not there is none. A file of conversations (`emer.data.conversations`) is read as one too.

    Raises ConfigError that lists every mistake of the file.
    """
    if is_conversations(path):
        return _from_conversations(path, labels, missing_clips)
    reading = Reading(Path(path), labels, missing_clips=missing_clips)
    records = records_of(reading)
    rows = [(line, row) for line, record in records if (row := row_of(reading, line, record)) is not None]
    _check_together(reading, rows, dict(records))
    _refuse(reading)
    return tuple(row for _, row in rows)


def read_clips(path: str | Path) -> tuple[tuple[Clip, ...], tuple[BadRow, ...]]:
    """The clips that a manifest names, and the rows that cannot be read; whether the files are there is not asked.

    Raises ConfigError where no row can be read, and for wrong columns of a CSV file, which are wrong in every row.
    """
    reading = Reading(Path(path), only_clips=True)
    records = records_of(reading)
    rows = {line: row for line, record in records if (row := row_of(reading, line, record)) is not None}
    good, bad = _good_and_bad(reading, records, rows)
    return tuple(row.clip for row in good), bad


def read_rows(path: str | Path) -> tuple[tuple[Row, ...], tuple[BadRow, ...]]:
    """The rows of a manifest that can be used, and the others with all that is wrong with them: for work that one bad
    row must not stop.

    Raises ConfigError where no row can be used, for wrong columns of a CSV file, and where rows with and without a
    split are mixed.
    """
    reading = Reading(Path(path))
    records = records_of(reading)
    rows = {line: row for line, record in records if (row := row_of(reading, line, record)) is not None}
    if 0 < sum(row.part is None for row in rows.values()) < len(rows):
        _check_together(reading, list(rows.items()), dict(records))
        _refuse(reading)
    _check_together(reading, list(rows.items()), {line: record for line, record in records if line in rows})
    return _good_and_bad(reading, records, rows)


def _good_and_bad(
    reading: Reading, records: Sequence[tuple[int, Record]], rows: Mapping[int, Row]
) -> tuple[tuple[Row, ...], tuple[BadRow, ...]]:
    """The rows without a mistake, and the others. Raises ConfigError where there is none of the first."""
    told: dict[int, list[str]] = {}
    for line, mistake in sorted(reading.mistakes, key=lambda item: item[0]):
        told.setdefault(line, []).append(mistake)
    good = tuple(row for line, row in rows.items() if line not in told)
    if not good or (1 in told and reading.manifest.suffix.lower() == ".csv"):
        _refuse(reading)
    named = {line: record["path"] for line, record in records if isinstance(record.get("path"), str)}
    return good, tuple(BadRow(line, named.get(line), "; ".join(mistakes)) for line, mistakes in told.items())


def _from_conversations(path: str | Path, labels: Collection[str] | None, missing_clips: bool) -> tuple[Row, ...]:
    rows = read_conversations(path)
    mistakes = [
        f"{row.id}: there is no file {row.clip.path}"
        for row in rows
        if not missing_clips and not Path(row.clip.path).is_file()
    ]
    mistakes += [
        f"{row.id}: the label {some(map(repr, odd))} is not one of {', '.join(labels)}"
        for row in rows
        if labels is not None and (odd := [label for label in row.annotation.labels if label not in labels])
    ]
    refuse(mistakes, f"{path} cannot be read as a manifest")
    return rows


def is_manifest(path: str | Path) -> bool:
    """Whether a path has the ending of a manifest, .jsonl or .csv (.json where it holds conversations)."""
    return str(path).lower().endswith(tuple(FORMATS)) or is_conversations(path)


def _refuse(reading: Reading) -> None:
    count = len(reading.mistakes)
    told = [mistake for _, mistake in sorted(reading.mistakes, key=lambda item: item[0])]
    refuse(told, f"the manifest {reading.manifest} has {count} {'mistake' if count == 1 else 'mistakes'}")


# ---------------------------------------------------------------- rows together


def _check_together(reading: Reading, rows: Sequence[tuple[int, Row]], records: Mapping[int, Record]) -> None:
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
