"""Clips as a feature table: measured as `emer explain` measures them, in several processes, once.

    table = voices.ravdess(folder, "speaker_z")

Variants of a table of voices: `plain`; `speaker_z`, each feature relative to all recordings of its speaker, which
only a table can know; `baseline`, relative to the speaker's neutral recordings, which `emer explain
--speaker-baseline` repeats for a single clip.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from emer import media
from emer.clues.cache import Cache, key_of
from emer.clues.extract import VOICE_ACTIVITY_VERSION, Progress, extract
from emer.data import emodb as emodb_clips
from emer.data import ravdess as ravdess_clips
from emer.data.rows import Row, some
from emer.data.table_files import read_table, write_npz
from emer.data.tables import FeatureTable, Kind, View, target_of, views_of
from emer.emotions import label_set, mapping
from emer.errors import ConfigError, EmerError
from emer.files import cache_folder
from emer.registry import EXTRACTORS, load
from emer.training.processes import in_processes
from emer.types import MODALITIES, Clip, Features, Modality

logger = logging.getLogger("emer")

Variant = Literal["plain", "speaker_z", "baseline"]
SHORT = {"speaker_z": "z", "baseline": "baseline"}
NEUTRAL = "neutral"
FORMAT = "1"
"""Changes when tables of the same clips would."""


def ravdess(folder: str | Path, variant: Variant = "plain", *, cache: Cache | None = None) -> FeatureTable:
    """1,200 utterances of 20 actors over `emer8`. Raises ConfigError as `emer.data.ravdess.clips`."""
    rows = ravdess_clips.clips(folder)
    source = ravdess_clips.SOURCE, ravdess_clips.LICENCE
    return varied(clip_table(rows, name="ravdess", labels=label_set("emer8"), source=source, cache=cache), variant)


def emodb(folder: str | Path, variant: Variant = "plain", *, cache: Cache | None = None) -> FeatureTable:
    """266 utterances of 8 speakers over `emodb4`. Raises ConfigError as `emer.data.emodb.clips`."""
    rows = emodb_clips.clips(folder)
    source = emodb_clips.SOURCE, emodb_clips.LICENCE
    return varied(clip_table(rows, name="emodb", labels=label_set("emodb4"), source=source, cache=cache), variant)


def voices(folder: str | Path, variant: Variant = "plain", *, cache: Cache | None = None) -> FeatureTable:
    """Both sets over `emer8`, 1,466 utterances of 28 speakers in two languages: what the heads that ship learn from.

    EmoDB's four labels are mapped (`emer.emotions.mapping`). Raises ConfigError as the two readers do.
    """
    english, german = ravdess(folder, cache=cache), emodb(folder, cache=cache)
    counterpart, places = mapping("emodb4", "emer8"), np.eye(len(english.labels))
    columns = np.stack([places[english.labels.index(counterpart[label])] for label in german.labels])
    first, second = english.views["audio"], german.views["audio"]
    together = FeatureTable(
        name="voices",
        rows=(*english.rows, *german.rows),
        labels=english.labels,
        kind="single",
        target=np.concatenate([english.target, german.target @ columns]),
        views={
            "audio": View(
                first.names, np.concatenate([first.values, second.values]), np.concatenate([first.mask, second.mask])
            )
        },
        speakers=(*(english.speakers or ()), *(german.speakers or ())),
        source=f"{english.source}; {german.source}",
        licence=f"{english.licence}; {german.licence}",
        versions=english.versions,
    )
    return varied(together, variant)


def clip_table(
    rows: Sequence[Row],
    *,
    name: str,
    labels: Sequence[str],
    kind: Kind | None = None,
    source: tuple[str, str] = ("unknown", "unknown"),
    views: Sequence[Modality] = ("audio",),
    cache: Cache | None = None,
    progress: Progress | None = None,
    jobs: int | None = None,
) -> FeatureTable:
    """Features of all clips that can be measured, with their targets.

    `kind` follows from the annotations where it is not given; `source` is a description and a licence. A clip that
    cannot be measured is named in a warning and in the table's note, and left out. Clues and table are kept in
    `cache` (the user's by default); a table is found again by the content of its clips. `jobs` is the number of
    processes, one per core by default. Raises ConfigError when no clip is left, or labels are not in the set.
    """
    if not rows:
        raise ConfigError(f"{name} has no clips; give at least one")
    kind = kind or _kind_of(rows)
    targets = [_said(row, kind) for row in rows]
    target_of(kind, targets, labels, name)
    cache = Cache(cache_folder()) if cache is None else cache
    place = _place(rows, name, (*labels, kind, *source), views, cache)
    if place is not None and place.is_file():
        return read_table(place)
    measured = _measured(rows, views, cache, progress or (lambda stage, share: None), jobs)
    kept = [i for i, found in enumerate(measured) if found.features]
    note = _left_out(rows, measured, name)
    if not kept:
        raise ConfigError(f"no clip of {name} could be measured: {note}")
    speakers = [rows[i].speaker for i in kept]
    features = [measured[i].features for i in kept]
    table = FeatureTable(
        name=name,
        rows=tuple(rows[i].id for i in kept),
        labels=tuple(labels),
        kind=kind,
        target=target_of(kind, [targets[i] for i in kept], labels, name),
        views=views_of(features),
        speakers=tuple(s for s in speakers if s is not None) if all(speakers) else None,
        source=source[0],
        licence=source[1],
        note=note,
        versions={view: found.version for clip in features for view, found in clip.items()},
    )
    if place is not None:
        write_npz(table, place)
    return table


# ---------------------------------------------------------------- measuring


@dataclass(frozen=True, slots=True)
class Measured:
    """What a clip gave: features of the wanted views, or why there are none."""

    features: Mapping[str, Features]
    reason: str = ""


def measure(clip: Clip, views: Sequence[Modality], cache: Cache) -> Measured:
    """The features of one clip, from the cache where it was measured before."""
    alone = replace(clip, speaker_baseline=None, without=frozenset(MODALITIES) - set(views))
    try:
        clues = extract(alone, media.open(alone), cache=cache)
    except EmerError as error:
        return Measured({}, str(error))
    if clues.failed:
        return Measured({}, "; ".join(f"{f.extractor}: {f.reason}" for f in clues.failed))
    heard = {view: features for view, features in clues.features.items() if any(features.mask)}
    return Measured(heard, "" if heard else f"{clip.path}: has nothing to measure in {', '.join(views)}")


def _measured(
    rows: Sequence[Row], views: Sequence[Modality], cache: Cache, progress: Progress, jobs: int | None
) -> list[Measured]:
    work = partial(measure, views=tuple(views), cache=cache)
    clips = [row.clip for row in rows]
    found = []
    for one in in_processes(work, clips, jobs):
        found.append(one)
        progress("clips", len(found) / len(rows))
    return found


def _left_out(rows: Sequence[Row], measured: Sequence[Measured], name: str) -> str:
    """Which clips are missing from the table, each with its reason; also as a warning."""
    missing = [f"{row.id} ({found.reason})" for row, found in zip(rows, measured, strict=True) if not found.features]
    if not missing:
        return ""
    note = f"{len(missing)} of {len(rows)} clips could not be measured and are left out: {some(missing)}"
    logger.warning("%s: %s", name, note)
    return note


def _kind_of(rows: Sequence[Row]) -> Kind:
    if any(row.annotation.votes for row in rows):
        return "votes"
    return "multi" if any(len(row.annotation.labels) != 1 for row in rows) else "single"


def _said(row: Row, kind: Kind) -> object:
    """The annotation of a row as `target_of` wants it."""
    if kind == "votes":
        return row.annotation.votes or dict.fromkeys(row.annotation.labels, 1.0)
    return row.annotation.labels if kind == "multi" else next(iter(row.annotation.labels), "")


def _place(
    rows: Sequence[Row], name: str, about: Sequence[str], views: Sequence[Modality], cache: Cache
) -> Path | None:
    """Where the finished table is kept; None without a cache, and where a clip cannot be read."""
    if cache.folder is None:
        return None
    versions = [load(view, EXTRACTORS).version for view in views]
    try:
        clips = [
            (row.id, row.speaker, row.clip.start, row.clip.end, _said(row, "multi"), row.annotation.votes, _hash(row))
            for row in rows
        ]
    except OSError:
        return None
    key = key_of(FORMAT, name, tuple(about), tuple(views), versions, VOICE_ACTIVITY_VERSION, clips)
    return cache.folder / "tables" / f"{key}.npz"


def _hash(row: Row) -> str:
    """The content of a clip, and of its transcript where it names one."""
    digests = []
    for path in (row.clip.path, row.clip.transcript):
        if path is not None:
            with open(path, "rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return " ".join(digests)


# ---------------------------------------------------------------- variants


def varied(table: FeatureTable, variant: Variant) -> FeatureTable:
    """The table with voices relative to their speakers. Raises ConfigError without speakers or neutral recordings.

    `speaker_z`: minus the mean, over the standard deviation, of all recordings of the speaker, without their labels;
    0 where a feature never varies. `baseline`: minus the median of the speaker's neutral recordings, a neutral clip
    itself left out of them. What cannot be compared is masked.
    """
    if variant == "plain":
        return table
    if table.speakers is None:
        raise ConfigError(f"{table.name} names no speakers, so its variant {variant} cannot be made; add them")
    speaker = np.array(table.speakers)
    if variant == "speaker_z":
        view, said = _standardised(table.views["audio"], speaker), SPEAKER_Z
    else:
        view, said = _relative(table.views["audio"], speaker, _neutral(table)), BASELINE
    note = "; ".join(part for part in (table.note, said) if part)
    return replace(table, name=f"{table.name}_{SHORT[variant]}", views={**table.views, "audio": view}, note=note)


SPEAKER_Z = (
    "audio features are z-scores over all recordings of each speaker, test speakers included, without labels "
    "(transductive: a single clip cannot be read so)"
)
BASELINE = (
    "audio features are differences from the median of the speaker's neutral recordings, which says which recordings "
    "of a test speaker are neutral; a neutral clip is left out of its own median"
)


def _standardised(view: View, speaker: np.ndarray) -> View:
    values = _only_known(view)
    for name in np.unique(speaker):
        own = speaker == name
        spread = values[own].std(axis=0)
        spread[spread == 0] = 1.0
        values[own] = (values[own] - values[own].mean(axis=0)) / spread
    return _view(view, values)


def _neutral(table: FeatureTable) -> np.ndarray:
    if NEUTRAL not in table.labels or table.kind == "multi":
        raise ConfigError(f"{table.name} has no label {NEUTRAL!r}, so no neutral recordings are known; use speaker_z")
    return np.asarray(table.target.argmax(axis=1) == table.labels.index(NEUTRAL))


def _relative(view: View, speaker: np.ndarray, neutral: np.ndarray) -> View:
    values = _only_known(view)
    changed = values.copy()
    for name in np.unique(speaker):
        own, usual = np.flatnonzero(speaker == name), np.flatnonzero((speaker == name) & neutral)
        changed[own] = values[own] - _median(values[usual])
        for row in usual:
            others = usual[usual != row]
            changed[row] = values[row] - _median(values[others]) if len(others) else np.ma.masked
        if not len(usual):
            raise ConfigError(f"the speaker {name} has no neutral recording; use the variant speaker_z, or add one")
    return _view(view, changed)


def _median(values: np.ma.MaskedArray) -> np.ma.MaskedArray:
    """Of each column; masked where nothing is known."""
    found: np.ma.MaskedArray = np.ma.median(values, axis=0)  # type: ignore[no-untyped-call]
    return found


def _only_known(view: View) -> np.ma.MaskedArray:
    return np.ma.MaskedArray(view.values.astype(np.float64), mask=~view.mask)


def _view(view: View, values: np.ma.MaskedArray) -> View:
    mask = ~np.ma.getmaskarray(values)
    return View(view.names, values.filled(0.0).astype(np.float32), mask)
