"""The MER challenges and what was built on them: small trees of the layouts their owners describe, and real gold."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emer.data.dataset import about, open_dataset
from emer.emotions.parsing import published
from emer.errors import ConfigError
from emer.registry import DATASETS


def put(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def pack(path: Path, **corpora: dict[str, Any]) -> None:
    """A label file as MERBench's scripts write it."""
    np.savez_compressed(path, **corpora)  # type: ignore[arg-type]


# ---------------------------------------------------------------- MER2023, MER2024


@pytest.fixture
def packed_2023(tmp_path: Path) -> Path:
    pack(
        tmp_path / "label-6way.npz",
        train_corpus={"sample_1": {"emo": "happy", "val": 2.5}, "sample_2": {"emo": "worried", "val": -1.25}},
        test1_corpus={"sample_3": {"emo": "sad", "val": -3.0}},
        test2_corpus={"sample_4": {"emo": "angry", "val": ""}},
        test3_corpus={"sample_5": {"emo": "neutral", "val": -10}},
    )
    put(tmp_path / "transcription-engchi-polish.csv", "name,chinese,english", "sample_1,你好,Hello", "sample_3,,")
    put(tmp_path / "video" / "sample_1.avi")
    put(tmp_path / "video" / "sample_3.mp4")
    return tmp_path


def test_packed_mer2023_has_labels_valence_and_the_words_that_are_spoken(
    packed_2023: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = open_dataset("mer2023", packed_2023)
    first, second, third = data.rows
    assert (first.id, first.part, first.annotation.labels, first.annotation.value) == (
        "sample_1",
        "train",
        ("happy",),
        2.5,
    )
    assert (first.clip.said, first.language, first.clip.path) == ("你好", "zh", str(packed_2023 / "video/sample_1.avi"))
    assert (second.clip.said, third.clip.said, third.part, third.annotation.value) == (None, None, "test", -3.0)
    assert data.missing == (("sample_2", str(packed_2023 / "video" / "sample_2.mp4")),)
    assert "mer2023 has other counts than were published: train 2 instead of 3373, test 1 instead of 411" in caplog.text


@pytest.mark.parametrize(
    ("name", "row", "label"), [("mer2023_noise", "sample_4", "angry"), ("mer2023_semi", "sample_5", "neutral")]
)
def test_the_other_tests_of_mer2023_are_data_sets_of_their_own(
    packed_2023: Path, name: str, row: str, label: str
) -> None:
    (test,) = open_dataset(name, packed_2023).part("test")
    assert (test.id, test.annotation.labels, test.annotation.value) == (row, (label,), None)


def test_raw_and_packed_mer2023_give_the_same_labels(packed_2023: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    put(raw / "train-label.csv", "name,discrete,valence", "sample_1,happy,2.5", "sample_2,worried,-1.25")
    put(raw / "test1-label.csv", "name,discrete,valence", "sample_3,sad,-3.0")
    put(raw / "test3-label.csv", "name,discrete", "sample_5,neutral")
    put(raw / "train" / "sample_2.mp4")
    for name in ("mer2023", "mer2023_semi"):
        told = [
            [(row.id, row.annotation, row.part, row.language) for row in open_dataset(name, folder).rows]
            for folder in (packed_2023, raw)
        ]
        assert told[0] == told[1]
    assert [name for name, _ in open_dataset("mer2023", raw).missing] == ["sample_1", "sample_3"]
    with pytest.raises(ConfigError, match=r"raw has no test2-label.csv; put the labels of MER2023 there"):
        open_dataset("mer2023_noise", raw)


def test_what_is_wrong_with_a_packed_set_is_told_together(packed_2023: Path) -> None:
    pack(
        packed_2023 / "label-6way.npz",
        train_corpus={"a": {"emo": "glad"}, "b": ["sad"], "c": {"emo": 9}, "d": {"emo": "sad", "val": "low"}},
        test3_corpus={},
    )
    with pytest.raises(ConfigError) as caught:
        open_dataset("mer2023", packed_2023)
    for told in (
        "a in train_corpus has the label 'glad', which is not one of neutral, happy, sad, angry, worried, surprise",
        "b in train_corpus is not a dictionary",
        "c in train_corpus has the label 9",
        "d in train_corpus has the valence 'low'",
        "it has no test1_corpus; it has train_corpus, test3_corpus",
    ):
        assert told in str(caught.value)


def test_a_folder_that_holds_something_else_is_told_what_should_lie_there(tmp_path: Path) -> None:
    for name, told in (
        ("mer2023", "has none of label-6way.npz, train-label.csv; put the labels of MER2023 there"),
        ("mer2024", "has none of label-6way.npz, label-disdim.csv; put the labels of MER2024 there"),
        ("mer2024_ov", "has none of ov_store/check-openset.csv, check-openset.csv"),
        ("mer2025", "has no subtitle_chieng.csv; put the subtitles of MER2025 there"),
        ("ovmerd", "has no track2_train_ovmerd.csv"),
        ("ovmerd_plus", "has no subtitle_eng.csv"),
        ("mercaption_plus", "has no track2_train_mercaptionplus.csv"),
        ("emer_v1", "has none of dataset-v1/gt-eng.csv"),
        ("emer_v2", "has none of dataset-v2/final-EMER-reason.csv"),
        ("merr_coarse", "has no MERR_coarse_grained.json"),
    ):
        with pytest.raises(ConfigError, match=told):
            open_dataset(name, tmp_path)


def test_a_wrong_column_an_unknown_emotion_and_a_doubled_name_are_told(tmp_path: Path) -> None:
    put(tmp_path / "label-disdim.csv", "name,emotion,valence", "sample_1,happy,1")
    with pytest.raises(ConfigError, match=r"label-disdim.csv lacks columns: 'discrete'"):
        open_dataset("mer2024", tmp_path)
    put(tmp_path / "label-disdim.csv", "name,discrete", "sample_1,happy", "sample_2,glad", "sample_3,")
    with pytest.raises(ConfigError, match=r"line 3: 'glad' is not one of .*; line 4: '' is not one of"):
        open_dataset("mer2024", tmp_path)
    put(tmp_path / "label-disdim.csv", "name,discrete", "sample_1,happy", "sample_1,sad")
    with pytest.raises(ConfigError, match=r"'sample_1' stands in lines 2 and 3"):
        open_dataset("mer2024", tmp_path)


def test_mer2024_has_a_training_part_and_where_packed_two_tests(tmp_path: Path) -> None:
    put(tmp_path / "label-disdim.csv", "name,discrete,valence", "samplenew_1,surprise,0.5")
    put(tmp_path / "video-labeled" / "samplenew_1.mp4")
    (row,) = open_dataset("mer2024", tmp_path).rows
    assert (row.part, row.annotation.labels, row.annotation.value) == ("train", ("surprise",), 0.5)
    pack(
        tmp_path / "label-6way.npz",
        train_corpus={"samplenew_1": {"emo": "surprise"}},
        test1_corpus={"samplenew_2": {"emo": "sad"}},
        test2_corpus={"samplenew_3": {"emo": "happy"}},
    )
    put(tmp_path / "transcription_merge.csv", "name,chinese", "samplenew_2,走吧")
    (semi,) = open_dataset("mer2024", tmp_path).part("test")
    assert (semi.id, semi.clip.said, semi.annotation.value) == ("samplenew_2", "走吧", None)
    assert [row.id for row in open_dataset("mer2024_noise", tmp_path).part("test")] == ["samplenew_3"]


def test_a_new_cut_of_a_packed_clip_goes_before_the_old_one(packed_2023: Path) -> None:
    put(packed_2023 / "video_new" / "sample_3.mp4")
    paths = {row.id: row.clip.path for row in open_dataset("mer2023", packed_2023).rows}
    assert paths["sample_3"] == str(packed_2023 / "video_new" / "sample_3.mp4")
    assert paths["sample_2"] == str(packed_2023 / "video" / "sample_2.mp4")


# ---------------------------------------------------------------- the release of MER2025


@pytest.fixture
def release_2025(tmp_path: Path) -> Path:
    put(tmp_path / "subtitle_chieng.csv", "name,chinese,english", "a,真的？,Really?", "b,好,Good", "c,,")
    put(tmp_path / "track1_train_disdim.csv", "name,discrete,valence", "a,surprise,1.5")
    put(tmp_path / "track_all_candidates.csv", "name", "b", "c")
    for stem in ("ovmerd", "mercaptionplus"):
        put(tmp_path / f"track2_train_{stem}.csv", "name,openset", "a,\"['Surprised', 'in doubt']\"", "b,[]")
        put(tmp_path / f"track3_train_{stem}.csv", "name,reason", 'b,"He nods, calmly."', "a,Her brows rise.")
    put(tmp_path / "video" / "a.mp4")
    return tmp_path


def test_track_1_of_mer2025_trains_on_labels_and_lists_candidates(release_2025: Path) -> None:
    data = open_dataset("mer2025", release_2025)
    assert [(row.id, row.part, row.annotation.labels) for row in data.rows] == [
        ("a", "train", ("surprise",)),
        ("b", "test", ()),
        ("c", "test", ()),
    ]
    assert [row.clip.said for row in data.rows] == ["真的？", "好", None]
    put(release_2025 / "track1_test_dis.csv", "name,discrete", "c,sad")
    (test,) = open_dataset("mer2025", release_2025).part("test")
    assert (test.id, test.annotation.labels) == ("c", ("sad",))


def test_track_2_of_mer2025_has_open_labels_where_its_owner_has_them(release_2025: Path) -> None:
    assert {row.annotation.labels for row in open_dataset("mer2025_ov", release_2025).rows} == {()}
    put(release_2025 / "track2_test.csv", "name,openset", "c,\"['at ease', 'glad']\"")
    (test,) = open_dataset("mer2025_ov", release_2025).rows
    assert test.annotation.labels == ("at ease", "glad")


@pytest.mark.parametrize(("name", "part"), [("ovmerd", None), ("mercaption_plus", "train")])
def test_open_labels_and_explanations_meet_by_name_and_no_label_is_neutral(
    release_2025: Path, name: str, part: str | None
) -> None:
    first, second = open_dataset(name, release_2025).rows
    assert (first.annotation.labels, first.annotation.explanation) == (("surprised", "in doubt"), "Her brows rise.")
    assert (second.annotation.labels, second.annotation.explanation) == (("neutral",), "He nods, calmly.")
    assert (first.part, first.clip.said, second.language) == (part, "真的？", "zh")


def test_tracks_about_other_clips_are_refused(release_2025: Path) -> None:
    put(release_2025 / "track3_train_ovmerd.csv", "name,reason", "a,x", "z,y")
    with pytest.raises(ConfigError, match=r"track3_train_ovmerd.csv differ: 2 clips are in one only \(b, z\)"):
        open_dataset("ovmerd", release_2025)


def test_ovmerd_plus_reads_its_own_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path / "ovlabel.csv", "name,openset", "samplenew3_1,\"['care', 'Worry']\"", "samplenew3_2,")
    put(tmp_path / "subtitle_eng.csv", "name,sentence", "samplenew3_1,Wait for me.", "samplenew3_2,")
    first, second = open_dataset("ovmerd_plus", tmp_path).rows
    assert (first.annotation.labels, first.clip.said, first.part) == (("care", "worry"), "Wait for me.", "test")
    assert (second.annotation.labels, second.clip.said) == (("neutral",), None)
    assert "ovmerd_plus has other counts than were published: test 2 instead of 532" in caplog.text


@pytest.mark.parametrize(
    ("name", "gold", "files"),
    [
        ("ovmerd_plus", "ovmerdplus.gold.csv", {"ovlabel.csv": "openset", "subtitle_eng.csv": "sentence"}),
        ("mer2024_ov", "ovmerd.gold.csv", {"check-openset.csv": "openset"}),
        (
            "ovmerd",
            "ovmerd.gold.csv",
            {
                "track2_train_ovmerd.csv": "openset",
                "track3_train_ovmerd.csv": "reason",
                "subtitle_chieng.csv": "chinese",
            },
        ),
    ],
)
def test_real_gold_in_the_layout_of_the_release_reads_as_the_scorers_form_has_it(
    real_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, gold: str, files: dict[str, str]
) -> None:
    with (real_data / "parity" / gold).open(newline="", encoding="utf-8") as file:
        cells = {line["name"]: line["label"] for line in csv.DictReader(file)}
    for path, column in files.items():
        with (tmp_path / path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerows(
                [("name", column), *((clip, cell if column == "openset" else "x") for clip, cell in cells.items())]
            )
    rows = open_dataset(name, tmp_path).rows
    assert {row.id: list(row.annotation.labels) for row in rows} == {
        clip: published(cell) for clip, cell in cells.items()
    }
    assert "other counts" not in caplog.text  # 532 and 332, as published
    assert len(open_dataset(name, tmp_path).missing) == len(rows)


# ---------------------------------------------------------------- EMER and MERR


def test_emer_v1_explains_in_english_what_was_said_in_chinese(tmp_path: Path) -> None:
    columns = "names,emotions,subtitles,reasons"
    put(
        tmp_path / "dataset-v1/gt-eng.csv",
        columns,
        'sample_1,happy,Thanks.,"She smiles, ""at last""."',
        "sample_2,sad,Oh.,",
    )
    put(tmp_path / "test3" / "sample_2.avi")
    assert open_dataset("emer_v1", tmp_path).rows[0].clip.said == "Thanks."
    put(tmp_path / "dataset-v1/gt-chi.csv", columns, "sample_1,happy,谢谢。,她笑了。", "sample_2,sad,,")
    data = open_dataset("emer_v1", tmp_path)
    first, second = data.rows
    assert (first.clip.said, first.annotation.labels) == ("谢谢。", ("happy",))
    assert (first.annotation.explanation, second.annotation.explanation) == ('She smiles, "at last".', None)
    assert [name for name, _ in data.missing] == ["sample_1"]
    put(tmp_path / "dataset-v1/gt-eng.csv", columns, "sample_1,merry,Thanks.,x")
    with pytest.raises(ConfigError, match=r"line 2: 'merry' is not one of"):
        open_dataset("emer_v1", tmp_path)


@pytest.mark.parametrize("key", ["name", "names"])
def test_emer_v2_reads_both_spellings_and_open_labels_that_lie_beside(tmp_path: Path, key: str) -> None:
    put(tmp_path / "final-EMER-reason.csv", f"{key},chinese,english", "sample_1,她笑了。,She smiles.")
    (row,) = open_dataset("emer_v2", tmp_path).rows
    assert (row.annotation.labels, row.annotation.explanation, row.part) == ((), "She smiles.", None)
    put(tmp_path / "final-openset-english.csv", "name,openset", "sample_1,\"['pleased']\"")
    (row,) = open_dataset("emer_v2", tmp_path).rows
    assert row.annotation.labels == ("pleased",)


def test_merr_takes_labels_from_its_list_and_texts_from_its_json(tmp_path: Path) -> None:
    coarse = {
        "a": {"pseu_emotion": "happy", "caption": "Lip corners rise."},
        "b": {"pseu_emotion": "doubt", "caption": "x"},
    }
    put(tmp_path / "MERR_coarse_grained.json", json.dumps(coarse))
    put(
        tmp_path / "MERR_fine_grained.json",
        json.dumps({"a": {"pseu_emotion": "happy", "text": "Hi.", "smp_reason_caption": "y"}}),
    )
    first, second = open_dataset("merr_coarse", tmp_path).rows
    assert (first.annotation.labels, first.annotation.explanation, first.clip.said) == (
        ("happy",),
        "Lip corners rise.",
        None,
    )
    assert second.annotation.labels == ("doubt",)
    (fine,) = open_dataset("merr_fine", tmp_path).rows
    assert (fine.annotation.explanation, fine.clip.said) == ("y", "Hi.")
    put(tmp_path / "MERR_coarse_grained.txt", "a 35 angry -1.17", "b sad")
    put(tmp_path / "transcription_en_all.csv", "name,sentence", "a,Hello there.")
    first, second = open_dataset("merr_coarse", tmp_path).rows
    assert (first.annotation.labels, second.annotation.labels, first.clip.said) == (
        ("angry",),
        ("sad",),
        "Hello there.",
    )


def test_every_wrong_entry_of_merr_is_named(tmp_path: Path) -> None:
    put(
        tmp_path / "MERR_coarse_grained.json",
        json.dumps({"a": {"pseu_emotion": "disgust", "caption": "x"}, "b": {"pseu_emotion": "sad"}}),
    )
    with pytest.raises(
        ConfigError, match=r"a has the emotion 'disgust', which is not one of .*; b has no text 'caption'"
    ):
        open_dataset("merr_coarse", tmp_path)


# ---------------------------------------------------------------- all of them


def test_every_name_of_the_registry_is_known_by_that_name_with_a_source() -> None:
    for name in DATASETS:
        known = about(name)
        assert known.name == name
        assert "http" in known.source or "doi" in known.source, name
    assert Counter(about(name).metric for name in ("mer2023", "mer2024", "meld", "iemocap4")) == {"hit_rate": 4}
    assert about("ovmerd_plus").metric == "wheel_f1"
