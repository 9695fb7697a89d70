"""RAVDESS as its owners pack it, and as the shared clips are. Counts are those of Livingstone and Russo 2018."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from emer.data.dataset import about, open_dataset
from emer.errors import ConfigError


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_the_shared_recordings_are_1200_rows_with_parts_by_actor(real_data: Path) -> None:
    """60 utterances an actor; actors 1-12, 13-14, 15-16 and 17-20 as in contracts.md."""
    data = open_dataset("ravdess", real_data)
    assert data.missing == ()
    assert Counter(row.part for row in data.rows) == {"train": 720, "validation": 120, "calibration": 120, "test": 240}
    assert {row.speaker for row in data.part("calibration")} == {"actor15", "actor16"}


def test_labels_words_and_speakers_are_those_of_the_shared_manifest(real_data: Path) -> None:
    """The manifest was made by other hands than ours."""
    with (real_data / "clips" / "manifest.csv").open(newline="") as file:
        told = {Path(row["file"]).stem: row for row in csv.DictReader(file)}
    for row in open_dataset("ravdess", real_data).rows:
        line = told[row.id]
        assert (row.annotation.labels, row.speaker, row.clip.said) == ((line["label"],), line["speaker"], line["text"])


def test_the_audio_archive_has_1440_rows_and_names_what_is_missing(tmp_path: Path) -> None:
    put(tmp_path, "Actor_01/03-01-01-01-01-01-01.wav", "Actor_24/03-01-08-02-02-02-24.wav")
    data = open_dataset("ravdess", tmp_path)
    assert len(data.rows) == 1440
    assert len(data.missing) == 1438
    assert data.missing[0] == ("03-01-01-01-01-01-02", str(tmp_path / "Actor_02" / "03-01-01-01-01-01-02.wav"))
    last = data.rows[-1]
    assert (last.id, last.annotation.labels, last.speaker, last.part) == (
        "03-01-08-02-02-02-24", ("surprised",), "actor24", None
    )  # fmt: skip


def test_videos_come_before_sound_and_silent_videos_are_left_aside(tmp_path: Path) -> None:
    place = "Video_Speech_Actor_17/Actor_17"
    put(tmp_path, f"{place}/01-01-05-02-01-02-17.mp4", f"{place}/02-01-05-02-01-02-17.mp4")
    put(tmp_path, "Actor_17/03-01-05-02-01-02-17.wav")
    data = open_dataset("ravdess", tmp_path)
    (row,) = (row for row in data.rows if Path(row.clip.path).is_file())
    assert row.clip.path == str(tmp_path / place / "01-01-05-02-01-02-17.mp4")
    assert (row.annotation.labels, row.part, row.clip.said) == (("angry",), "test", "Kids are talking by the door")
    assert {row.id[:5] for row in data.rows} == {"01-01"}


def test_songs_are_no_speech_and_strangers_are_named(tmp_path: Path) -> None:
    put(tmp_path, "Actor_01/03-02-01-01-01-01-01.wav")
    with pytest.raises(ConfigError, match=r"has no Actor_01/03-01-….wav"):
        open_dataset("ravdess", tmp_path)
    put(tmp_path, "Actor_25/03-01-01-01-01-01-25.wav", "Actor_01/03-01-01-02-01-01-01.wav")
    with pytest.raises(ConfigError, match=r"03-01-01-01-01-01-25, 03-01-01-02-01-01-01 \(2 in all\)"):
        open_dataset("ravdess", tmp_path)


def test_ravdess_says_what_a_reader_of_numbers_must_know() -> None:
    said = about("ravdess")
    assert said.verified
    assert (said.label_set, said.language, said.licence) == ("emer8", "en", "CC BY-NC-SA 4.0")
