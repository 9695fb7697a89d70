"""Clips that a system's heads have met before: a score on them is no test, and run and report say so.

Heads record the rows that trained them and those that their confidence was calibrated on, as hashes of ids and of
contents (`emer.evidence.rows`), so that a clip is known again in another folder and under another name.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emer.bench.run_data import ClipFile
from emer.errors import ConfigError
from emer.evidence.rows import clip_row, seen_among
from emer.evidence.weights import Weights

RECORDS: Mapping[str, tuple[str, str]] = {
    "training": ("heads.json", "trained_rows"),
    "calibration": ("calibration.json", "rows"),
}
"""What rows were for, and where heads say which they were."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How many of the clips that a system is asked about its heads have met."""

    training: int = 0
    calibration: int = 0


def seen(weights: Weights | None, files: Sequence[ClipFile]) -> Seen:
    """Counts over the clips of one data set; none without heads. Raises ConfigError for a record that is damaged."""
    if weights is None:
        return Seen()
    folders = [folder for folder in (weights.plain, weights.baseline) if folder is not None]
    counts = {}
    for use, (name, key) in RECORDS.items():
        hashes = frozenset(row for folder in folders for row in _rows(folder / name, key))
        counts[use] = sum(_met(file, hashes) for file in files)
    return Seen(**counts)


def met_before(found: Seen, system: str, n: int) -> str:
    """In words, or nothing.

    >>> met_before(Seen(training=84, calibration=12), "heads", 120)
    'heads: its heads were trained on 84 of these 120 clips and calibrated on 12, so its scores here are no clean test'
    """
    parts = [f"trained on {found.training:,} of these {n:,} clips"] if found.training else []
    if found.calibration:
        parts.append(f"calibrated on {found.calibration:,}" + ("" if parts else f" of these {n:,} clips"))
    return f"{system}: its heads were {' and '.join(parts)}, so its scores here are no clean test" if parts else ""


def _met(file: ClipFile, hashes: Collection[str]) -> bool:
    ids = [file.name]
    if file.sha256 is not None:
        ids.append(clip_row(file.sha256, file.start, file.end))
    return bool(seen_among(ids, hashes))


def _rows(path: Path, key: str) -> Iterator[str]:
    """The hashes of a record; none where heads have none, as those without a calibration."""
    if not path.is_file():
        return
    try:
        rows = json.loads(path.read_text(encoding="utf-8")).get(key, [])
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}); take the heads from their owners again") from error
    yield from (str(row) for row in rows)
