"""CREMA-D and EmoDB as data sets of clips: the real tables and files, and small trees of the released layouts."""

import csv
import shutil
from collections import Counter
from pathlib import Path

import pytest

from emer.data import cremad
from emer.data.dataset import open_dataset
from emer.errors import ConfigError


@pytest.fixture(scope="module")
def repository(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The votes where the owners' repository has them, and two of its clips."""
    folder = tmp_path_factory.mktemp("CREMA-D")
    for name in ("VideoFlash/1001_IEO_HAP_LO.flv", "AudioWAV/1001_IEO_HAP_LO.wav"):
        (folder / name).parent.mkdir()
        (folder / name).touch()
    (folder / "processedResults").mkdir()
    shutil.copyfile(real_data / cremad.FILE, folder / cremad.OFFICIAL)
    return folder


def test_cremad_is_7442_videos_of_which_missing_ones_are_listed(repository: Path) -> None:
    data = open_dataset("cremad", repository)
    assert (len(data.rows), len(data.missing)) == (7442, 7441)
    assert data.missing[0] == ("1001_DFA_ANG_XX", str(repository / "VideoFlash" / "1001_DFA_ANG_XX.flv"))
    parts = {row.part for row in data.rows}
    assert parts == {"train", "validation", "calibration", "test"}
    assert {row.speaker for row in data.part("test")}.isdisjoint(row.speaker for row in data.part("train"))


def test_the_label_is_the_majority_of_the_released_summary_and_none_in_a_tie(real_data: Path) -> None:
    """`summaryTable` writes a tie as `F:N`; both halves of the test are other people's counting."""
    with (real_data / "cremad" / "cremad_summaryTable.csv").open(newline="") as file:
        released = {line["FileName"]: line for line in csv.DictReader(file)}
    words = {"A": "anger", "D": "disgust", "F": "fear", "H": "happy", "N": "neutral", "S": "sad"}
    for name, column in (("cremad", "MultiModalVote"), ("cremad_voice", "VoiceVote")):
        for row in open_dataset(name, real_data).rows:
            told = released[row.id][column]
            assert row.annotation.labels == ((words[told],) if len(told) == 1 else ()), (name, row.id)


def test_votes_are_soft_labels_counted_by_hand_in_the_table(repository: Path) -> None:
    """Line of the file for the voice of 1001_IEO_HAP_LO: A0 D0 F0 H3 N6 S0."""
    rows = {row.id: row for row in open_dataset("cremad_voice", repository).rows}
    row = rows["1001_IEO_HAP_LO"]
    assert row.annotation.votes == {"neutral": 6, "happy": 3}
    assert (row.clip.said, row.speaker, row.language) == ("It's eleven o'clock.", "1001", "en")
    assert Path(row.clip.path) == repository / "AudioWAV" / "1001_IEO_HAP_LO.wav"


def test_every_sentence_of_cremad_has_its_words(real_data: Path) -> None:
    said = Counter(row.clip.said for row in open_dataset("cremad", real_data).rows)
    assert len(said) == 12
    assert None not in said


def test_emodb_of_the_shared_clips_has_the_labels_of_their_manifest(real_data: Path) -> None:
    with (real_data / "clips" / "manifest.csv").open(newline="") as file:
        told = {Path(line["file"]).stem: line for line in csv.DictReader(file)}
    words = {"anger": "angry", "happiness": "happy", "sadness": "sad", "neutral": "neutral"}
    rows = open_dataset("emodb", real_data).rows
    assert len(rows) == 266
    for row in rows:
        assert told[row.id]["label"] in (words[row.annotation.labels[0]], row.annotation.labels[0])
    assert {row.part for row in rows if row.speaker == "13"} == {"calibration"}


def test_the_release_of_emodb_has_seven_emotions_and_a_count_that_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "wav").mkdir()
    for name in ("03a01Fa", "15b10La", "16a07Eb", "08a02Ac"):
        (tmp_path / "wav" / f"{name}.wav").touch()
    rows = {row.id: row for row in open_dataset("emodb", tmp_path).rows}
    found = {name: row.annotation.labels[0] for name, row in rows.items()}
    assert found == {"03a01Fa": "happiness", "15b10La": "boredom", "16a07Eb": "disgust", "08a02Ac": "fear"}
    assert (rows["15b10La"].part, rows["03a01Fa"].part) == (None, "train")
    assert rows["03a01Fa"].clip.said == "Der Lappen liegt auf dem Eisschrank."
    assert "4 utterances of EmoDB instead of 535" in caplog.text


def test_other_recordings_among_emodb_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no recordings such as 03a01Fa\.wav"):
        open_dataset("emodb", tmp_path)
    for name in ("03a01Fa", "99a01Fa", "noise"):
        (tmp_path / f"{name}.wav").touch()
    with pytest.raises(ConfigError, match=r"2 names have no known speaker.*99a01Fa, noise"):
        open_dataset("emodb", tmp_path)
