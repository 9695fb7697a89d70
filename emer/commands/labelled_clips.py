"""Labelled clips as a model is asked about them: rows of a manifest that training has not seen, with their targets."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from emer import media
from emer.commands.progress import Bar
from emer.data.manifest import read_manifest
from emer.data.rows import PARTS, Row, some
from emer.data.splits import Split
from emer.errors import ConfigError, MediaError, TranscriptError
from emer.evidence.rows import clip_row, seen_among
from emer.evidence.verdict_labels import LabelMap, targets


@dataclass(frozen=True)
class LabelledClips:
    """Rows of a manifest, and what people said of each over the verdict's labels."""

    rows: tuple[Row, ...]
    target: Float[np.ndarray, "row label"]
    unknown: tuple[str, ...]
    """Ids of rows that were left out because none of their labels reaches the set."""
    unmapped: Mapping[str, int]
    """Words that reach no label of the set, and in how many rows each stands."""


def labelled_clips(rows: Sequence[Row], words: LabelMap) -> LabelledClips:
    """The rows of which somebody's label is in the set. Raises ConfigError where there is none."""
    found = targets([row.annotation for row in rows], words)
    if not found.known.any():
        odd = f" ({some(found.unmapped)})" if found.unmapped else ""
        raise ConfigError(
            f"no label of these {len(rows)} rows reaches {words.spec.label_set}{odd}; give label_map.WORD=LABEL, or "
            f"rows with labels among {', '.join(words.spec.labels)}"
        )
    kept = np.flatnonzero(found.known)
    return LabelledClips(
        tuple(rows[int(place)] for place in kept),
        found.target[kept],
        tuple(row.id for row, known in zip(rows, found.known, strict=True) if not known),
        found.unmapped,
    )


def calibration_rows(manifest: str, split: Split | None) -> tuple[Row, ...]:
    """The rows of a manifest that are there to calibrate on: those of the split, else those that it marks itself, else
    all where it marks none.

    Raises ConfigError where there are none, and for a manifest that cannot be read.
    """
    rows = read_manifest(manifest)
    if split is not None:
        members = set(split.calibration)
        found = tuple(row for row in rows if (row.id if split.unit == "row" else row.speaker) in members)
        if not found:
            raise ConfigError(
                f"no row of {manifest} is in the calibration part of the split {split.name} "
                f"({split.unit}s {some(split.calibration) or 'none'}); give data of other clips, or another split"
            )
        return found
    if all(row.part is None for row in rows):
        return rows
    found = tuple(row for row in rows if row.part == "calibration")
    if not found:
        parts = [part for part in PARTS if any(row.part == part for row in rows)]
        raise ConfigError(
            f"{manifest} marks its rows as {', '.join(parts)}, and none as calibration; mark some, or give split=…"
        )
    return found


def known_clips(rows: Sequence[Row], seen: Collection[str], bar: Bar) -> dict[str, str]:
    """Row to the id of its clip's content, for all rows that can be opened; the others are told of.

    Raises ConfigError for clips that are among the hashes `seen` or stand there twice, and where none can be opened.
    """
    found: dict[str, str] = {}
    first: dict[str, str] = {}
    for row in rows:
        try:
            content = clip_row(media.open(row.clip).facts.sha256, row.clip.start, row.clip.end)
        except (MediaError, TranscriptError) as error:
            bar.say(f"row {row.id} is left out: {error}")
            continue
        if content in first:
            raise ConfigError(f"{first[content]} and {row.id} are the same recording; give each clip once")
        first[content] = row.id
        found[row.id] = content
    again = set(seen_among(found.values(), seen))
    if named := [row for row, content in found.items() if content in again]:
        raise ConfigError(
            f"{len(named)} of the recordings to calibrate on served in training, under whatever id ({some(named)}); "
            "take out what training has seen"
        )
    if not found:
        raise ConfigError(f"none of the {len(rows)} clips can be read; see the reasons above")
    return found


def speakers_of(rows: Sequence[Row]) -> tuple[str, ...] | None:
    """Who speaks in each row, where that is known of all."""
    named = tuple(row.speaker for row in rows if row.speaker is not None)
    return named if len(named) == len(rows) else None


def name_of_data(manifest: str) -> str:
    """What explanations call a manifest."""
    return Path(manifest).stem
