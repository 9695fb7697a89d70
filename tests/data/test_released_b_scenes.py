"""M3ED and the music videos: small trees of the layouts that their owners describe."""

import json
from pathlib import Path
from typing import Any

import pytest

from emer.data.dataset import open_dataset
from emer.emotions import label_set
from emer.errors import ConfigError


def utterance(text: str, who: str, main: str, blended: str, *annotators: str) -> dict[str, Any]:
    said = {f"EmoAnnotator{place}": words for place, words in enumerate(annotators, start=1)}
    times = {"StartTime": "00:00:00:01", "EndTime": "00:00:01:04"}
    emotion = said | {"final_mul_emo": blended, "final_main_emo": main}
    return times | {"Text": text, "Speaker": who, "EmoAnnotation": emotion}


def m3ed(folder: Path, dialog: dict[str, Any]) -> Path:
    people = {"A": {"Name": "小王", "Age": "young", "Gender": "female", "OtherName": []}}
    table = {"anjia": {"anjia_1": {"SpeakerInfo": people, "Dialog": dialog}}}
    (folder / "annotation.json").write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")
    (folder / "splitInfo").mkdir(exist_ok=True)
    for name, series in (("train", "other\n"), ("val", ""), ("test", "anjia\nwoju\n")):
        (folder / "splitInfo" / f"movie_list_{name}.txt").write_text(series)
    return folder


def test_m3ed_blends_emotions_and_knows_what_was_said_before(tmp_path: Path) -> None:
    m3ed(
        tmp_path,
        {
            "anjia_1_10": utterance("你走", "A", "Anger", "Disgust,Anger", "Anger", "Anger,Disgust", "Disgust,Bored"),
            "anjia_1_9": utterance("今天很冷", "B", "Neutral", "Neutral", "Neutral", "Neutral", "Happy"),
        },
    )
    (tmp_path / "modality_speech").mkdir()
    (tmp_path / "modality_speech" / "A_anjia_1_10.wav").touch()
    data = open_dataset("m3ed", tmp_path)
    first, second = data.rows
    assert [first.id, second.id] == ["anjia_1_9", "anjia_1_10"]
    assert second.annotation.labels == ("anger", "disgust")
    assert second.annotation.votes == {"anger": 2, "disgust": 2}
    assert first.annotation.votes == {"neutral": 2, "joy": 1}
    assert (second.context, first.context) == ("B: 今天很冷", None)
    assert (second.speaker, first.speaker, second.part) == ("anjia/小王", "anjia/anjia_1/B", "test")
    assert data.missing == (("anjia_1_9", str(tmp_path / "modality_speech" / "B_anjia_1_9.wav")),)
    assert set(second.annotation.labels) <= set(label_set("ekman7"))


def test_utterances_of_m3ed_that_do_not_fit_are_named(tmp_path: Path) -> None:
    wrong = {
        "anjia_1_1": utterance("好", "A", "Joyful", "Happy"),
        "anjia_1_2": {"Text": "好", "Speaker": "A"},
        "anjia_1_3": utterance("好", "A", "Happy", ""),
    }
    with pytest.raises(ConfigError) as caught:
        open_dataset("m3ed", m3ed(tmp_path, wrong))
    assert [name in str(caught.value) for name in wrong] == [True] * 3
    (tmp_path / "splitInfo" / "movie_list_test.txt").write_text("woju")
    with pytest.raises(ConfigError, match=r"has no part for series of annotation\.json: anjia"):
        open_dataset("m3ed", tmp_path)
    (tmp_path / "splitInfo" / "movie_list_val.txt").write_text("woju")
    with pytest.raises(ConfigError, match="the series woju stands in two lists"):
        open_dataset("m3ed", tmp_path)
    (tmp_path / "splitInfo" / "movie_list_val.txt").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"movie_list_val\.txt cannot be read"):
        open_dataset("m3ed", tmp_path)
    for text in ('{"anjia": {"anjia_1": {}}}', "[]", "{"):
        (tmp_path / "annotation.json").write_text(text)
        with pytest.raises(ConfigError, match="fetch"):
            open_dataset("m3ed", tmp_path)


def test_music_videos_are_read_by_part_and_category(tmp_path: Path) -> None:
    for name in ("Train/Excited/video/37.mp4", "Train/Excited/audio/37.wav", "Train/Excited/audio/9.wav",
                 "Validation/Sad/video/DEAP_DB_SADD(16).mp4", "Test/Tension/video/1.mp4"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    data = open_dataset("music_video", tmp_path)
    assert {row.id: (row.annotation.labels[0], row.part) for row in data.rows} == {
        "Train/Excited/37": ("excited", "train"),
        "Train/Excited/9": ("excited", "train"),
        "Validation/Sad/DEAP_DB_SADD(16)": ("sad", "validation"),
        "Test/Tension/1": ("tension", "test"),
    }
    assert data.missing == (("Train/Excited/9", str(tmp_path / "Train" / "Excited" / "video" / "9.mp4")),)
    (tmp_path / "Test" / "Bored").mkdir()
    with pytest.raises(ConfigError, match=r"none of excited, .*: Test/Bored"):
        open_dataset("music_video", tmp_path)


def test_the_first_release_of_music_videos_has_categories_without_parts(tmp_path: Path) -> None:
    (tmp_path / "Display").mkdir()
    with pytest.raises(ConfigError, match=r"has no Train/Excited/video"):
        open_dataset("music_video", tmp_path)
    (tmp_path / "Exciting").mkdir()
    (tmp_path / "Exciting" / "Happy_001.mp4").touch()
    (row,) = open_dataset("music_video", tmp_path).rows
    assert (row.id, row.annotation.labels, row.part) == ("Exciting/Happy_001", ("excited",), None)
