"""CH-SIMS: sentiment of Chinese films, series and shows, rated as a whole and for words, voice and face alone.

Sources: Yu et al. 2020, "CH-SIMS: a Chinese multimodal sentiment analysis dataset with fine-grained annotations of
modality", ACL; Liu et al. 2022, "Make acoustic and visual cues matter: CH-SIMS v2.0", ICMI. Both for research.

Version 1 is `label.csv` with the columns video_id, clip_id, text, label, label_T, label_A, label_V, annotation, mode
(older copies have no line of names) and clips `Raw/video_0001/0001.mp4`: 1,368, 456 and 457 clips. Version 2 is
`meta.csv` with the same columns and clips `Raw/aqgy3_0001/00000.mp4`: 2,722, 647 and 1,034 clips, one more than the
paper counts. Its unlabelled part, v2(u), has no sentiment and is not read. All ratings are from -1 to 1.

The packed forms of MER-UniBench (`sims-process/`, `simsv2-process/`, see `unibench`) are read too; they have the same
names and the ratings of the whole alone.

The ratings of single modalities say where words, voice and face disagree: `modality_values` gives them. They are no
votes on an emotion, so they stand in no annotation.
"""

from collections.abc import Mapping
from pathlib import Path

from emer.data.cmu_sentiment import CORPORA, is_packed, packed_rows, sign, table_beside_pickles
from emer.data.dataset import About
from emer.data.released import PART_NAMES, Cells, first_file, number_of, read_csv, tell_counts
from emer.data.rows import Row, refuse
from emer.data.unibench import Packing
from emer.types import Annotation, Clip, Modality

COLUMNS = ("video_id", "clip_id", "text", "label", "mode")
OLD_HEADER = ("video_id", "clip_id", "text", "label", "label_T", "label_A", "label_V", "annotation", "mode")
RANGE = (-1.0, 1.0)
V1, V2 = "label.csv", "meta.csv"
PARTS_OF_V1 = {"train": 1_368, "validation": 456, "test": 457}
PARTS_OF_V2 = {"train": 2_722, "validation": 647, "test": 1_034}
PACKED_V1 = Packing("CH-SIMS", CORPORA, said="chinese", language="zh", videos=("video",))
PACKED_V2 = Packing("CH-SIMS v2", CORPORA, said="chinese", language="zh", videos=("video",))
RATED: Mapping[Modality, str] = {"audio": "label_A", "visual": "label_V", "text": "label_T"}
ABOUT = {
    "ch_sims": About(
        name="ch_sims",
        title="CH-SIMS, sentiment",
        source="Yu et al. 2020, ACL, https://github.com/thuiar/MMSA",
        licence="for research",
        metric="sentiment",
        label_set="sentiment3",
        language="zh",
        note="names and values of the test part are those of released gold labels; several people speak in a video",
    ),
    "ch_sims_v2": About(
        name="ch_sims_v2",
        title="CH-SIMS v2, the labelled part, sentiment",
        source="Liu et al. 2022, ICMI, https://github.com/thuiar/ch-sims-v2",
        licence="for research",
        metric="sentiment",
        label_set="sentiment3",
        language="zh",
        note="the table has 4,403 rows, the paper counts 4,402; several people speak in a video",
    ),
}


def read(folder: Path) -> tuple[Row, ...]:
    """The 2,281 clips of version 1, in the order of the table; ids are `video_0001_0001`."""
    rows = packed_rows(folder, PACKED_V1) if is_packed(folder, V1) else _rows(folder, V1, pad=4)
    tell_counts("ch_sims", rows, PARTS_OF_V1)
    return rows


def read_v2(folder: Path) -> tuple[Row, ...]:
    """The labelled clips of version 2, in the order of the table; ids are `aqgy3_0001_00000`, as the table has them."""
    rows = packed_rows(folder, PACKED_V2) if is_packed(folder, V2) else _rows(folder, V2, pad=0)
    tell_counts("ch_sims_v2", rows, PARTS_OF_V2)
    return rows


def modality_values(folder: Path) -> dict[str, dict[Modality, float]]:
    """Row id to the sentiment that people saw in one modality alone, from -1 to 1; unrated ones are absent.

    `folder` holds version 1 or 2. Raises ConfigError as `read`.
    """
    name, pad = (V1, 4) if (folder / V1).is_file() else (V2, 0)
    return {
        _id(cells, pad): {
            view: value for view, column in RATED.items() if (value := number_of(cells[column], *RANGE)) is not None
        }
        for _, cells in read_csv(table_beside_pickles(folder, name), (*COLUMNS, *RATED.values()), OLD_HEADER)
    }


def _rows(folder: Path, name: str, pad: int) -> tuple[Row, ...]:
    path = table_beside_pickles(folder, name)
    mistakes, rows = [], []
    for line, cells in read_csv(path, COLUMNS, OLD_HEADER):
        value = number_of(cells["label"], *RANGE)
        part = PART_NAMES.get(cells["mode"].lower())
        if value is None or part is None or not cells["video_id"] or not cells["clip_id"]:
            mistakes.append(f"line {line}: label {cells['label']!r}, mode {cells['mode']!r}")
            continue
        clip = Clip(str(_clip(folder, cells)), said=cells["text"] or None)
        rows.append(Row(_id(cells, pad), clip, Annotation((sign(value),), value=value), part=part, language="zh"))
    refuse(mistakes, f"{path} has lines without a video, a clip, a label from -1 to 1 and a known mode")
    return tuple(rows)


def _id(cells: Cells, pad: int) -> str:
    """`clip_id` lost its zeros in copies that went through a spreadsheet; version 1 always had four digits."""
    return f"{cells['video_id']}_{cells['clip_id'].zfill(pad)}"


def _clip(folder: Path, cells: Cells) -> Path:
    place = folder / "Raw" / cells["video_id"]
    return first_file(place / f"{cells['clip_id'].zfill(width)}.mp4" for width in (4, 5, 0))
