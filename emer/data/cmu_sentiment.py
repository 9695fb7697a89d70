"""CMU-MOSI and CMU-MOSEI: what people on YouTube think of films and much else, sentence by sentence.

Sources: Zadeh et al. 2016, "MOSI", arXiv:1606.06259; Bagher Zadeh et al. 2018, "Multimodal language analysis in the
wild: CMU-MOSEI", ACL. Licence: for research; the videos belong to their makers.

**Sentiment** (`cmu_mosi`, `cmu_mosei`) is read as the MMSA collection (Yu et al., github.com/thuiar/MMSA) lays it out,
which the field's open-vocabulary benchmarks use: `label.csv` with the columns video_id, clip_id, text, label,
annotation, mode, and clips `Raw/VIDEO/CLIP.mp4`. `label` is sentiment from -3 to 3. Published parts: MOSI 1,284, 229,
686; MOSEI 16,326, 1,871, 4,659 sentences. The packed form of MER-UniBench (`cmumosi-process/`, see `unibench`) is
read too and has the same names.

**Emotions** (`cmu_mosei_emotions`) are read as the CMU Multimodal SDK gives them: `CMU_MOSEI_Labels.csd` (HDF5: per
video rows of sentiment, happy, sad, anger, surprise, disgust, fear, and their seconds), the SDK's
`cmu_mosei_std_folds.py` with the standard parts by video, and the videos `Raw/Videos/Full/Combined/VIDEO.mp4`. An
emotion holds where its value is above 0, as the SDK says; several may hold, or none.

The `.pkl` files of both releases are pickles, which can run code when they are opened. They are never loaded.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from emer.data.dataset import About
from emer.data.released import PART_NAMES, Cells, number_of, read_csv, tell_counts
from emer.data.rows import Part, Row, existing, refuse, some
from emer.data.unibench import Packing, read_packed
from emer.errors import ConfigError, MissingExtra
from emer.types import Annotation, Clip

TABLE, LABELS, FOLDS = "label.csv", "CMU_MOSEI_Labels.csd", "cmu_mosei_std_folds.py"
COLUMNS = ("video_id", "clip_id", "text", "label", "mode")
RANGE = (-3.0, 3.0)
PARTS_OF_MOSI = {"train": 1_284, "validation": 229, "test": 686}
PARTS_OF_MOSEI = {"train": 16_326, "validation": 1_871, "test": 4_659}
CORPORA: Mapping[str, Part | None] = {"train_corpus": "train", "val_corpus": "validation", "test_corpus": "test"}
PACKED_MOSI = Packing("CMU-MOSI", CORPORA)
PACKED_MOSEI = Packing("CMU-MOSEI", CORPORA)
EMOTIONS = ("happiness", "sadness", "anger", "surprise", "disgust", "fear")
"""In the order of the SDK's columns, with the names of `mosei6`."""
_SPEAKERS = "one person speaks in a video, so videos stand for speakers; some people made several (89 in MOSI's 93)"
ABOUT = {
    "cmu_mosi": About(
        name="cmu_mosi",
        title="CMU-MOSI, sentiment",
        source="Zadeh et al. 2016, arXiv:1606.06259, http://multicomp.cs.cmu.edu/resources/cmu-mosi-dataset",
        licence="for research",
        metric="sentiment",
        label_set="sentiment3",
        language="en",
        note=_SPEAKERS,
    ),
    "cmu_mosei": About(
        name="cmu_mosei",
        title="CMU-MOSEI, sentiment",
        source="Bagher Zadeh et al. 2018, ACL, http://multicomp.cs.cmu.edu/resources/cmu-mosei-dataset",
        licence="for research",
        metric="sentiment",
        label_set="sentiment3",
        language="en",
        note=_SPEAKERS,
    ),
    "cmu_mosei_emotions": About(
        name="cmu_mosei_emotions",
        title="CMU-MOSEI, six emotions of which several may hold",
        source="Bagher Zadeh et al. 2018, ACL, https://github.com/CMU-MultiComp-Lab/CMU-MultimodalSDK",
        licence="for research",
        metric="micro_f1",
        label_set="mosei6",
        language="en",
        note=f"an emotion holds where its mean rating is above 0; {_SPEAKERS}",
    ),
}


def read_mosi(folder: Path) -> tuple[Row, ...]:
    """The 2,199 sentences of MOSI, as `sentiment_rows`, or packed."""
    rows = packed_rows(folder, PACKED_MOSI) if is_packed(folder, TABLE) else sentiment_rows(folder)
    tell_counts("cmu_mosi", rows, PARTS_OF_MOSI)
    return rows


def read_mosei(folder: Path) -> tuple[Row, ...]:
    """The 22,856 sentences of MOSEI, as `sentiment_rows`, or packed."""
    rows = packed_rows(folder, PACKED_MOSEI) if is_packed(folder, TABLE) else sentiment_rows(folder)
    tell_counts("cmu_mosei", rows, PARTS_OF_MOSEI)
    return rows


def is_packed(folder: Path, table: str) -> bool:
    """Whether a folder holds the packed form and not the table of the release."""
    return (folder / "label.npz").is_file() and not (folder / table).is_file()


def packed_rows(folder: Path, packing: Packing) -> tuple[Row, ...]:
    """The rows of a packed set of sentiment, with the sign of the value as label. Raises ConfigError."""
    rows = read_packed(folder, packing)
    unrated = [row.id for row in rows if row.annotation.value is None]
    refuse([some(unrated)] if unrated else [], f"{folder} has clips without sentiment")
    return tuple(
        replace(row, annotation=replace(row.annotation, labels=(sign(row.annotation.value or 0.0),))) for row in rows
    )


def sentiment_rows(folder: Path) -> tuple[Row, ...]:
    """The rows of `label.csv` in its order: sentiment from -3 to 3, its sign as label, what was said, the parts.

    Ids are `VIDEO_CLIP`. Raises ConfigError that names all lines that do not fit, and says so where there are only
    pickles.
    """
    path = table_beside_pickles(folder, TABLE)
    mistakes, rows = [], []
    for line, cells in read_csv(path, COLUMNS):
        value = number_of(cells["label"], *RANGE)
        part = PART_NAMES.get(cells["mode"].lower())
        if value is None or part is None or not cells["video_id"] or not cells["clip_id"]:
            mistakes.append(f"line {line}: label {cells['label']!r}, mode {cells['mode']!r}")
            continue
        rows.append(_sentence(folder, cells, value, part))
    refuse(mistakes, f"{path} has lines without a video, a clip, a label from -3 to 3 and a known mode")
    return tuple(rows)


def _sentence(folder: Path, cells: Cells, value: float, part: Part) -> Row:
    clip = folder / "Raw" / cells["video_id"] / f"{cells['clip_id']}.mp4"
    return Row(
        f"{cells['video_id']}_{cells['clip_id']}",
        Clip(str(clip), said=cells["text"] or None),
        Annotation((sign(value),), value=value),
        speaker=cells["video_id"],
        part=part,
        language="en",
    )


def sign(value: float) -> str:
    """Sentiment as a label of `sentiment3`.

    >>> sign(-0.2), sign(0.0), sign(3.0)
    ('negative', 'neutral', 'positive')
    """
    return "negative" if value < 0 else "positive" if value > 0 else "neutral"


def table_beside_pickles(folder: Path, name: str) -> Path:
    """The path of a table. Raises ConfigError, which names the pickles of the release where only they are there."""
    pickles = sorted(path.name for ending in ("*.pkl", "*.pickle") for path in folder.rglob(ending))
    if (folder / name).is_file() or not pickles:
        return existing(folder, name, f"the table of labels, {name},")
    raise ConfigError(
        f"{folder} has no {name}, only {some(pickles)}: a pickle can run code when it is opened, so emer never loads "
        f"one; put {name} of the same download beside it, or write it from the pickle where you trust that"
    )


# ---------------------------------------------------------------- emotions


def read_emotions(folder: Path) -> tuple[Row, ...]:
    """The labelled stretches of MOSEI's videos, sorted by video and time: labels of `mosei6`, sentiment as value.

    Ids are the SDK's, `VIDEO[3]`. A video that stands in no fold has no part. Raises ConfigError for what does not
    fit, MissingExtra without h5py, which opens the SDK's files.
    """
    folds = standard_folds(existing(folder, FOLDS, "the standard folds of the CMU Multimodal SDK"))
    rows = list(_stretches(existing(folder, LABELS, "the labels of the CMU Multimodal SDK"), folder, folds))
    if not rows:
        raise ConfigError(f"{folder / LABELS} has no labels; fetch the file again")
    return tuple(rows)


def standard_folds(path: Path) -> dict[str, Part]:
    """Video to part, from the SDK's Python file, of which only the three lists are read and nothing is run."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, SyntaxError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not the SDK's file of folds: {error}") from error
    lists = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    parts: dict[str, Part] = {}
    for name in ("train", "valid", "test"):
        for video in _texts(path, f"standard_{name}_fold", lists):
            if parts.setdefault(video, PART_NAMES[name]) != PART_NAMES[name]:
                raise ConfigError(f"{path} has the video {video} in two folds; fetch the file again")
    return parts


def _texts(path: Path, name: str, lists: Mapping[str, ast.expr]) -> list[str]:
    value = lists.get(name)
    items = value.elts if isinstance(value, ast.List | ast.Tuple) else []
    texts = [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    if not texts or len(texts) < len(items):
        raise ConfigError(f"{path} has no list {name} of video names; take the file from the CMU Multimodal SDK")
    return texts


def _stretches(path: Path, folder: Path, folds: Mapping[str, Part]) -> Iterator[Row]:
    for video, values, seconds in _hdf5(path):
        if values.shape[1:] != (7,) or seconds.shape != (len(values), 2):
            raise ConfigError(f"{path}: {video} has {values.shape} labels and {seconds.shape} seconds; fetch it again")
        if not (np.isfinite(values).all() and np.isfinite(seconds).all()):
            raise ConfigError(f"{path}: {video} has labels or seconds that are no numbers; fetch it again")
        for place in sorted(range(len(values)), key=lambda i: float(seconds[i, 0])):
            sentiment, *ratings = (float(value) for value in values[place])
            labels = tuple(name for name, rating in zip(EMOTIONS, ratings, strict=True) if rating > 0)
            start, end = (float(second) for second in seconds[place])
            clip = folder / "Raw" / "Videos" / "Full" / "Combined" / f"{video}.mp4"
            yield Row(
                f"{video}[{place}]",
                Clip(str(clip), start, end),
                Annotation(labels, value=sentiment),
                speaker=video,
                part=folds.get(video),
                language="en",
            )


def _hdf5(path: Path) -> Iterator[tuple[str, Any, Any]]:
    """Video, labels (stretch, 7) and seconds (stretch, 2), by name of the video."""
    try:
        h5py = import_module("h5py")
    except ModuleNotFoundError as error:
        raise MissingExtra(f"{path} needs the package h5py; install it with: pip install 'emer[data]'") from error
    try:
        with h5py.File(path, "r") as file:
            videos = file["All Labels"]["data"]
            for video in sorted(videos):
                yield video, videos[video]["features"][:], videos[video]["intervals"][:]
    except (OSError, KeyError) as error:
        raise ConfigError(f"{path} is not the SDK's file of labels: {error}; fetch it again") from error
