"""Data sets as `datasets.Dataset` and back: the package itself says what was stored."""

import sys
from pathlib import Path
from typing import Any

import pytest

from emer.data.dataset import About, Data, open_dataset
from emer.data.hub import about_of, rows_of, to_datasets
from emer.data.rows import Row
from emer.errors import ConfigError, MissingExtra
from emer.types import Annotation, Clip

datasets: Any = pytest.importorskip("datasets", reason="the package datasets is absent")

ABOUT = About("made", "Made here", "nobody 2025", "CC0", "war_uar", label_set="emer8", language="de", note="ä")
ROWS = (
    Row("a", Clip("a.mp4", 0.5, 2.0, said="Geh weg.", speaker_baseline="n.wav"),
        Annotation(("angry", "sad"), "The voice rises.", {"angry": 3.0, "sad": 1.0}, -0.5),
        speaker="s1", part="calibration", language="de", context="A: Hallo.", licence="CC BY 4.0"),
    Row("b", Clip("b.wav", transcript="b.srt"), Annotation()),
)  # fmt: skip


def test_everything_that_a_row_says_comes_back(tmp_path: Path) -> None:
    made = to_datasets(Data(ABOUT, tmp_path, ROWS))
    assert rows_of(made) == ROWS
    made.save_to_disk(str(tmp_path / "kept"))
    assert rows_of(tmp_path / "kept") == ROWS
    assert about_of(datasets.load_from_disk(str(tmp_path / "kept"))) == ABOUT


def test_columns_are_typed_even_where_all_are_empty(tmp_path: Path) -> None:
    made = to_datasets(Data(ABOUT, tmp_path, ROWS[1:]))
    assert made.features["start"].dtype == "float64"
    assert made.features["speaker"].dtype == "string"
    assert made.features["labels"].feature.dtype == "string"
    assert made.features["votes"].feature["count"].dtype == "float64"
    assert (made.info.license, made.info.citation) == ("CC0", "nobody 2025")
    assert rows_of(to_datasets(Data(ABOUT, tmp_path, ()))) == ()


def test_the_shared_ravdess_goes_there_and_back(real_data: Path) -> None:
    data = open_dataset("ravdess", real_data)
    made = to_datasets(data)
    assert made.num_rows == 1200
    assert made.filter(lambda row: row["split"] == "test").num_rows == 240
    assert rows_of(made) == data.rows


def test_other_peoples_sets_need_id_and_path_and_may_have_more(tmp_path: Path) -> None:
    parts = datasets.DatasetDict(
        {
            name: datasets.Dataset.from_dict({"id": [name], "path": [f"{name}.wav"], "labels": [["sad"]], "likes": [3]})
            for name in ("train", "dev", "calibration", "other")
        }
    )
    rows = rows_of(parts)
    assert [row.part for row in rows] == ["train", "validation", "calibration", None]
    assert rows[0].annotation == Annotation(("sad",))
    parts.save_to_disk(str(tmp_path / "kept"))
    assert rows_of(str(tmp_path / "kept")) == rows
    assert about_of(parts["train"]) is None


def test_every_row_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    columns = {
        "id": ["a", "b", "", "d", "e"],
        "path": ["a.wav", None, "c.wav", "d.wav", "e.wav"],
        "split": ["train", "train", "train", "dev", None],
        "start": [None, None, None, None, float("nan")],
        "votes": [[{"label": "sad", "count": -1.0}], [], [], [], []],
    }
    with pytest.raises(ConfigError) as caught:
        rows_of(datasets.Dataset.from_dict(columns))
    for told in ("row 0: votes", "row 1: path", "row 2: id", "row 3: split", "row 4: start"):
        assert told in str(caught.value)
    with pytest.raises(ConfigError, match=r"it has no column path"):
        rows_of(datasets.Dataset.from_dict({"id": ["a"], "audio": ["a.wav"]}))
    with pytest.raises(ConfigError, match="ids that come twice: a"):
        rows_of(datasets.Dataset.from_dict({"id": ["a", "a"], "path": ["a.wav", "b.wav"]}))
    with pytest.raises(ConfigError, match="there is no folder"):
        rows_of(tmp_path / "absent")
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(ConfigError, match="is no data set that save_to_disk wrote"):
        rows_of(tmp_path)


def test_without_the_package_its_name_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtra, match=r"package datasets; .* pip install 'emer\[data\]'"):
        to_datasets(Data(ABOUT, tmp_path, ROWS))
