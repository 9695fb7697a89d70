"""Data sets as `datasets.Dataset`, the form of the Hugging Face hub, and back; typed columns, paths instead of media.

    to_datasets(open_dataset("ravdess", folder)).save_to_disk("ravdess")
    rows_of("ravdess")

The package `datasets` is loaded when it is needed. Columns are those of a manifest (`emer.data.manifest`), with votes
as a list of labels and counts. What is known of the set (`About`) travels in the description that the package keeps.
Nothing is downloaded, and no script of a data set is run.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

from emer.data.dataset import About, Data
from emer.data.released import PART_NAMES
from emer.data.rows import Part, Row, refuse, some
from emer.errors import ConfigError, MissingExtra
from emer.types import Annotation, Clip

TEXTS = (
    *("id", "path", "transcript", "text", "speaker_baseline", "explanation"),
    *("speaker", "split", "language", "context", "licence"),
)
NUMBERS = ("start", "end", "value")
COLUMNS = (*TEXTS, *NUMBERS, "labels", "votes")
NEEDED = ("id", "path")
SPLITS: Mapping[str, Part] = {**PART_NAMES, "calibration": "calibration"}


def to_datasets(data: Data) -> Any:
    """The rows as a `datasets.Dataset`, in their order. Raises MissingExtra without the package."""
    datasets = _package()
    text, number = datasets.Value("string"), datasets.Value("float64")
    features = datasets.Features(
        dict.fromkeys(TEXTS, text)
        | dict.fromkeys(NUMBERS, number)
        | {"labels": [text], "votes": [{"label": text, "count": number}]}
    )
    info = datasets.DatasetInfo(
        description=json.dumps({"about": asdict(data.about)}, ensure_ascii=False),
        citation=data.about.source,
        license=data.about.licence,
        features=features,
    )
    records = [_record(row) for row in data.rows]
    columns = {name: [record[name] for record in records] for name in COLUMNS}
    return datasets.Dataset.from_dict(columns, features=features, info=info)


def rows_of(source: Any) -> tuple[Row, ...]:
    """The rows of a `datasets.Dataset`, of a dictionary of them by part, or of a folder that `save_to_disk` wrote.

    Columns that a row does not have are let be; `id` and `path` are needed. Raises ConfigError that names all that is
    wrong, MissingExtra without the package.
    """
    loaded = _loaded(source) if isinstance(source, str | Path) else source
    if isinstance(loaded, Mapping):
        rows = [row for name, part in loaded.items() for row in _rows(part, SPLITS.get(str(name).lower()))]
    else:
        rows = _rows(loaded, None)
    again = sorted(name for name, times in Counter(row.id for row in rows).items() if times > 1)
    refuse([f"ids that come twice: {some(again)}"] if again else [], "the data set cannot be read")
    return tuple(rows)


def about_of(dataset: Any) -> About | None:
    """What is known of a data set that `to_datasets` made; None of any other."""
    try:
        return About(**json.loads(dataset.info.description)["about"])
    except (ValueError, TypeError, KeyError):
        return None


# ---------------------------------------------------------------- rows to records


def _record(row: Row) -> dict[str, Any]:
    clip, said = row.clip, row.annotation
    return {
        "id": row.id,
        "path": clip.path,
        "transcript": clip.transcript,
        "text": clip.said,
        "speaker_baseline": clip.speaker_baseline,
        "explanation": said.explanation,
        "speaker": row.speaker,
        "split": row.part,
        "language": row.language,
        "context": row.context,
        "licence": row.licence,
        "start": clip.start,
        "end": clip.end,
        "value": said.value,
        "labels": list(said.labels),
        "votes": [{"label": label, "count": float(count)} for label, count in said.votes.items()],
    }


# ---------------------------------------------------------------- and back


def _rows(dataset: Any, part: Part | None) -> list[Row]:
    """The rows of one `Dataset`; `part` where its own column says nothing."""
    names = list(getattr(dataset, "column_names", None) or [])
    missing = [name for name in NEEDED if name not in names]
    refuse([f"it has no column {name}" for name in missing], f"the data set cannot be read (columns: {some(names)})")
    kept = dataset.select_columns([name for name in names if name in COLUMNS])
    mistakes: list[str] = []
    rows = [row for place, record in enumerate(kept) if (row := _row(place, record, part, mistakes)) is not None]
    refuse(mistakes, "the data set cannot be read")
    return rows


def _row(place: int, record: Mapping[str, Any], part: Part | None, mistakes: list[str]) -> Row | None:
    before = len(mistakes)
    texts = {name: record.get(name) for name in TEXTS}
    numbers = {name: record.get(name) for name in NUMBERS}
    wrong = [name for name, value in texts.items() if not isinstance(value, str | None)]
    wrong += [name for name, value in numbers.items() if not _is_number(value)]
    wrong += [name for name in NEEDED if not texts[name]]
    own = texts["split"] or part
    wrong += [] if own is None or own in get_args(Part) else ["split"]
    labels, votes = record.get("labels") or [], _votes(record.get("votes"))
    wrong += [] if isinstance(labels, list) and all(isinstance(label, str) for label in labels) else ["labels"]
    wrong += [] if votes is not None else ["votes"]
    if wrong:
        mistakes.append(f"row {place}: {', '.join(dict.fromkeys(wrong))} cannot be used")
    if len(mistakes) > before:
        return None
    clip = Clip(
        str(texts["path"]),
        numbers["start"],
        numbers["end"],
        transcript=texts["transcript"],
        said=texts["text"],
        speaker_baseline=texts["speaker_baseline"],
    )
    said = Annotation(tuple(labels), texts["explanation"], votes or {}, numbers["value"])
    rest = {name: texts[name] for name in ("speaker", "language", "context", "licence")}
    return Row(str(texts["id"]), clip, said, part=own, **rest)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value))


def _votes(given: object) -> dict[str, float] | None:
    """Label to count; None where the list is none of labels and counts from 0 up."""
    votes = {}
    for one in given if isinstance(given, list) else [] if given is None else [given]:
        label, count = (one.get("label"), one.get("count")) if isinstance(one, dict) else (None, None)
        if not isinstance(label, str) or count is None or not _is_number(count) or count < 0:
            return None
        votes[label] = float(count)
    return votes


def _loaded(folder: str | Path) -> Any:
    load: Callable[[str], Any] = _package().load_from_disk
    if not Path(folder).is_dir():
        raise ConfigError(f"there is no folder {folder}; name one that save_to_disk wrote")
    try:
        return load(str(folder))
    except (OSError, ValueError, KeyError, TypeError) as error:
        told = " ".join(str(error).split())
        raise ConfigError(f"{folder} is no data set that save_to_disk wrote, or is damaged: {told}") from error


def _package() -> Any:
    try:
        return import_module("datasets")
    except ModuleNotFoundError as error:
        raise MissingExtra("this needs the package datasets; install it with: pip install 'emer[data]'") from error
