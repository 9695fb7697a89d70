"""CMU-MOSI, CMU-MOSEI and CH-SIMS: small trees of the layouts that their owners describe, and real gold labels."""

import csv
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from emer.data.ch_sims import modality_values
from emer.data.cmu_sentiment import standard_folds
from emer.data.dataset import open_dataset
from emer.errors import ConfigError, MissingExtra

HEADER = "video_id,clip_id,text,label,label_T,label_A,label_V,annotation,mode"


def put(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def mosi(tmp_path: Path) -> Path:
    put(
        tmp_path / "label.csv",
        HEADER,
        'abc,1,"WELL, I LIKED IT",2.4,,,,Positive,train',
        "abc,10,IT WAS BAD,-1.0,,,,Negative,train",
        "xyz,3,A FILM,0.0,,,,Neutral,valid",
        "uvw,2,YES,0.2,,,,Positive,test",
    )
    put(tmp_path / "Raw" / "abc" / "10.mp4")
    return tmp_path


def test_mosi_has_sentiment_its_sign_the_words_and_the_official_parts(
    mosi: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = open_dataset("cmu_mosi", mosi)
    first, second, third, fourth = data.rows
    assert (first.id, first.annotation.value, first.annotation.labels) == ("abc_1", 2.4, ("positive",))
    assert (first.clip.said, first.speaker, first.language) == ("WELL, I LIKED IT", "abc", "en")
    assert (second.annotation.labels, third.annotation.labels) == (("negative",), ("neutral",))
    assert [row.part for row in (first, third, fourth)] == ["train", "validation", "test"]
    assert data.missing == tuple(
        (name, str(mosi / "Raw" / place))
        for name, place in (("abc_1", "abc/1.mp4"), ("xyz_3", "xyz/3.mp4"), ("uvw_2", "uvw/2.mp4"))
    )
    assert "cmu_mosi has other counts than were published: train 2 instead of 1284" in caplog.text


def test_a_folder_with_pickles_alone_is_told_why_they_are_not_loaded(tmp_path: Path) -> None:
    put(tmp_path / "Processed" / "aligned_50.pkl", "x")
    for name in ("cmu_mosi", "cmu_mosei", "ch_sims", "ch_sims_v2"):
        with pytest.raises(ConfigError, match=r"only aligned_50\.pkl: a pickle can run code .* never loads"):
            open_dataset(name, tmp_path)


def test_every_wrong_line_of_a_table_is_named(mosi: Path) -> None:
    path = put(
        mosi / "label.csv",
        HEADER,
        "a,1,x,3.2,,,,P,train",
        "a,2,x,nan,,,,P,train",
        "a,3,x,1,,,,P,extra",
        ",4,x,1,,,,P,train",
    )
    with pytest.raises(ConfigError) as caught:
        open_dataset("cmu_mosei", mosi)
    for line, told in ((2, "label '3.2'"), (3, "label 'nan'"), (4, "mode 'extra'"), (5, "label '1'")):
        assert f"line {line}: " in str(caught.value)
        assert told in str(caught.value)
    put(path, "video,text", "a,b")
    with pytest.raises(ConfigError, match=r"lacks columns: 'video_id'; 'clip_id'; 'label'; 'mode'"):
        open_dataset("cmu_mosi", mosi)
    put(path, HEADER, "a,1,x,1,P,train")
    with pytest.raises(ConfigError, match=r"has 9 columns, but not in all lines: lines 2"):
        open_dataset("cmu_mosi", mosi)
    put(path, HEADER, *["a,1,x,1,,,,P,train"] * 2)
    with pytest.raises(ConfigError, match="ids that come twice: a_1"):
        open_dataset("cmu_mosi", mosi)
    path.write_bytes((HEADER + "\na,1,\xe9,1,,,,P,train\n").encode("latin-1"))
    with pytest.raises(ConfigError, match="cannot be read as CSV in UTF-8"):
        open_dataset("cmu_mosi", mosi)


def test_ids_and_values_of_ch_sims_are_those_of_the_released_gold_labels(real_data: Path, tmp_path: Path) -> None:
    """The 457 gold labels in the scorer's form, written back as a table that lost the zeros of its clips."""
    with (real_data / "parity" / "sims.gold.csv").open(newline="", encoding="utf-8-sig") as file:
        gold = {line["name"]: float(line["label"]) for line in csv.DictReader(file)}
    lines = [
        f"{name.rpartition('_')[0]},{int(name.rpartition('_')[2])},,{value},,,,,test" for name, value in gold.items()
    ]
    put(tmp_path / "label.csv", HEADER, *lines)
    rows = open_dataset("ch_sims", tmp_path).part("test")
    assert {row.id: row.annotation.value for row in rows} == gold
    assert len(rows) == 457
    assert Counter(row.annotation.labels[0] for row in rows)["negative"] == sum(value < 0 for value in gold.values())


def test_an_old_ch_sims_table_without_names_of_columns_reads_the_same(tmp_path: Path) -> None:
    line = "video_0001,0002,我们明天再说,-0.6,-0.4,0.2,-1.0,Negative,valid"
    put(tmp_path / "label.csv", line)
    (row,) = open_dataset("ch_sims", tmp_path).rows
    put(tmp_path / "label.csv", HEADER, line)
    assert (row,) == open_dataset("ch_sims", tmp_path).rows
    assert (row.id, row.clip.said, row.part, row.language) == (
        "video_0001_0002", "我们明天再说", "validation", "zh"
    )  # fmt: skip
    assert modality_values(tmp_path) == {"video_0001_0002": {"text": -0.4, "audio": 0.2, "visual": -1.0}}


def test_ch_sims_v2_finds_its_clips_with_five_digits(tmp_path: Path) -> None:
    put(tmp_path / "meta.csv", HEADER, "aqgy3_0001,00000,好,1.0,1.0,1.0,0.8,Positive,train", "b,7,不,-0.2,,,,N,test")
    put(tmp_path / "Raw" / "aqgy3_0001" / "00000.mp4")
    data = open_dataset("ch_sims_v2", tmp_path)
    assert [row.id for row in data.rows] == ["aqgy3_0001_00000", "b_7"]
    assert data.missing == (("b_7", str(tmp_path / "Raw" / "b" / "0007.mp4")),)
    assert modality_values(tmp_path)["b_7"] == {}


def test_the_packed_form_of_a_sentiment_set_is_read_too(tmp_path: Path) -> None:
    """Archives as MERBench writes them: a dictionary by part, {emo: 0, val: sentiment} by name."""
    corpora: dict[str, Any] = {
        "train_corpus": {"abc_1": {"emo": 0, "val": 2.4}},
        "val_corpus": {"abc_2": {"emo": 0, "val": -0.2}},
        "test_corpus": {"xyz_1": {"emo": 0, "val": 0.0}},
    }
    np.savez_compressed(tmp_path / "label.npz", **corpora)
    put(tmp_path / "transcription-engchi-polish.csv", "name,chinese,english", "abc_1,好,GOOD", "abc_2,坏,BAD")
    for place, names in (("subvideo", ("abc_1", "abc_2")), ("video", ("xyz_1",))):
        for name in names:
            put(tmp_path / place / f"{name}.mp4")
    mosi, sims = open_dataset("cmu_mosi", tmp_path), open_dataset("ch_sims", tmp_path)
    assert [row.annotation.labels for row in mosi.rows] == [("positive",), ("negative",), ("neutral",)]
    assert [row.part for row in mosi.rows] == ["train", "validation", "test"]
    assert (mosi.rows[1].clip.said, sims.rows[1].clip.said) == ("BAD", "坏")
    assert ([name for name, _ in mosi.missing], [name for name, _ in sims.missing]) == (["xyz_1"], ["abc_1", "abc_2"])
    corpora["test_corpus"]["xyz_1"]["val"] = -10
    np.savez_compressed(tmp_path / "label.npz", **corpora)
    with pytest.raises(ConfigError, match="has clips without sentiment: xyz_1"):
        open_dataset("ch_sims_v2", tmp_path)


FOLDS = 'standard_train_fold=["abc"]\nstandard_valid_fold=["xyz"]\nstandard_test_fold=["uvw", "rst"]\n'


def test_the_folds_of_the_sdk_are_read_and_nothing_in_their_file_is_run(tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    path = put(tmp_path / "cmu_mosei_std_folds.py", FOLDS + f"open({str(trap)!r}, 'w').close()")
    assert standard_folds(path) == {"abc": "train", "xyz": "validation", "uvw": "test", "rst": "test"}
    assert not trap.exists()
    for text, says in (
        (FOLDS.replace("uvw", "abc"), "abc in two folds"),
        (FOLDS.replace('["xyz"]', "load()"), "no list standard_valid_fold"),
        ("not python (", "is not the SDK's file of folds"),
    ):
        put(path, text)
        with pytest.raises(ConfigError, match=says):
            standard_folds(path)


def test_emotions_of_mosei_hold_where_they_are_above_nought(tmp_path: Path) -> None:
    """Columns as in the SDK's description: sentiment, happy, sad, anger, surprise, disgust, fear."""
    put(tmp_path / "cmu_mosei_std_folds.py", FOLDS)
    with h5py.File(tmp_path / "CMU_MOSEI_Labels.csd", "w") as file:
        video = file.create_group("All Labels/data/abc")
        video["features"] = np.array([[-1, 0, 2 / 3, 0, 0, 1, 0], [2, 1, 0, 0, 0, 0, 1 / 3]], dtype=np.float32)
        video["intervals"] = np.array([[7.5, 9.0], [0.25, 7.5]], dtype=np.float32)
        video = file.create_group("All Labels/data/unheard")
        video["features"], video["intervals"] = np.zeros((1, 7)), np.array([[0.0, 1.0]])
    first, second, third = open_dataset("cmu_mosei_emotions", tmp_path).rows
    assert (first.id, first.clip.start, first.clip.end) == ("abc[1]", 0.25, 7.5)
    assert (first.annotation.labels, first.annotation.value, first.part) == (("happiness", "fear"), 2.0, "train")
    assert second.annotation.labels == ("sadness", "disgust")
    assert first.clip.path == str(tmp_path / "Raw" / "Videos" / "Full" / "Combined" / "abc.mp4")
    assert (third.annotation.labels, third.part) == ((), None)
    (tmp_path / "CMU_MOSEI_Labels.csd").write_bytes(b"not HDF5")
    with pytest.raises(ConfigError, match="is not the SDK's file of labels"):
        open_dataset("cmu_mosei_emotions", tmp_path)


def test_without_h5py_its_extra_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "cmu_mosei_std_folds.py", FOLDS)
    put(tmp_path / "CMU_MOSEI_Labels.csd", "x")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtra, match=r"package h5py; .* pip install 'emer\[data\]'"):
        open_dataset("cmu_mosei_emotions", tmp_path)
