"""MELD and IEMOCAP: small trees of the layouts their owners describe, with lines made up here, and MELD's real gold."""

import csv
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emer.data.dataset import open_dataset
from emer.data.iemocap import fold
from emer.errors import ConfigError

COLUMNS = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime"


def put(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def line(utterance: str, speaker: str, emotion: str, sentiment: str, place: str) -> str:
    dialogue, number = place.split("/")
    return f'1,"{utterance}",{speaker},{emotion},{sentiment},{dialogue},{number},1,2,"00:01:02,003","00:01:03,004"'


# ---------------------------------------------------------------- MELD


@pytest.fixture
def meld(tmp_path: Path) -> Path:
    put(
        tmp_path / "train" / "train_sent_emo.csv",
        COLUMNS,
        line("It\x92s late, go home.", "Ada", "sadness", "negative", "0/0"),
        line("No way!", "Ben", "surprise", "positive", "0/1"),
        line("Fine.", "Ada", "neutral", "neutral", "0/3"),
        line("Next day.", "Cy", "joy", "positive", "1/0"),
    )
    put(tmp_path / "dev_sent_emo.csv", COLUMNS, line("Out!", "Ada", "anger", "negative", "0/0"))
    put(tmp_path / "test_sent_emo.csv", COLUMNS, line("A bug.", "Di", "disgust", "negative", "0/0"))
    put(tmp_path / "train" / "train_splits" / "dia0_utt1.mp4")
    put(tmp_path / "test" / "output_repeated_splits_test" / "dia0_utt0.mp4")
    return tmp_path


def test_an_utterance_of_meld_has_words_speaker_sentiment_and_what_came_before(meld: Path) -> None:
    data = open_dataset("meld", meld)
    first, second, third, other, dev, test = data.rows
    assert (first.id, first.clip.said, first.speaker, first.context) == (
        "train_dia0_utt0",
        "It’s late, go home.",
        "Ada",
        None,
    )
    assert [row.annotation.value for row in data.rows] == [-1, 1, 0, 1, -1, -1]
    assert third.context == "Ada: It’s late, go home.\nBen: No way!"
    assert (other.id, other.context, other.annotation.labels) == ("train_dia1_utt0", None, ("joy",))
    assert [(row.id, row.part) for row in (dev, test)] == [("val_dia0_utt0", "validation"), ("test_dia0_utt0", "test")]
    assert second.clip.path == str(meld / "train" / "train_splits" / "dia0_utt1.mp4")
    assert [name for name, _ in data.missing] == [
        "train_dia0_utt0",
        "train_dia0_utt3",
        "train_dia1_utt0",
        "val_dia0_utt0",
    ]
    assert dict(data.missing)["val_dia0_utt0"] == str(meld / "dev" / "dev_splits_complete" / "dia0_utt0.mp4")


def test_what_is_wrong_with_meld_is_told_line_by_line(meld: Path) -> None:
    put(
        meld / "dev_sent_emo.csv",
        COLUMNS,
        line("a", "Ada", "rage", "negative", "0/0"),
        line("b", "Ada", "anger", "bad", "0/1"),
        line("c", "Ada", "anger", "negative", "0/x"),
        line("d", "Ada", "anger", "negative", "0/4"),
        line("e", "Ada", "anger", "negative", "0/4"),
    )
    with pytest.raises(ConfigError) as caught:
        open_dataset("meld", meld)
    for told in (
        "line 2: 'rage' is not one of neutral, anger, disgust, fear, joy, sadness, surprise",
        "line 3: 'bad' is not one of negative, neutral, positive",
        "line 4: Utterance_ID is 'x', not a number",
        "line 6: dia0_utt4 comes twice",
    ):
        assert told in str(caught.value)
    put(meld / "dev_sent_emo.csv", COLUMNS.replace("Emotion", "Feeling"), line("a", "Ada", "anger", "negative", "0/0"))
    with pytest.raises(ConfigError, match=r"dev_sent_emo.csv lacks columns: 'Emotion'"):
        open_dataset("meld", meld)
    (meld / "dev_sent_emo.csv").unlink()
    with pytest.raises(ConfigError, match=r"has none of dev_sent_emo.csv, dev/dev_sent_emo.csv"):
        open_dataset("meld", meld)


def test_packed_meld_gives_the_same_ids_labels_and_words(meld: Path, tmp_path: Path) -> None:
    """Numbers of emotions as MERBench's script writes them: anger joy sadness neutral disgust fear surprise."""
    packed = tmp_path / "meld-process"
    packed.mkdir()
    corpora: dict[str, Any] = {
        "train_corpus": {"train_dia0_utt0": 2, "train_dia0_utt1": 6, "train_dia0_utt3": 3, "train_dia1_utt0": 1},
        "val_corpus": {"val_dia0_utt0": 0},
        "test_corpus": {"test_dia0_utt0": 4},
    }
    np.savez_compressed(
        packed / "label.npz",
        **{key: {name: {"emo": emo, "val": -10} for name, emo in corpus.items()} for key, corpus in corpora.items()},  # type: ignore[arg-type]
    )
    said = [f'{row.id},x,"{row.clip.said}"' for row in open_dataset("meld", meld).rows]
    put(packed / "transcription-engchi-polish.csv", "name,chinese,english", *said)
    rows = open_dataset("meld", packed).rows
    assert [(row.id, row.annotation.labels, row.clip.said, row.part) for row in rows] == [
        (row.id, row.annotation.labels, row.clip.said, row.part) for row in open_dataset("meld", meld).rows
    ]
    assert rows[2].context == "It’s late, go home.\nNo way!"
    assert rows[0].clip.path == str(packed / "subvideo" / "train_dia0_utt0.mp4")


def test_the_real_gold_of_meld_reads_back_from_the_layout_of_the_release(
    real_data: Path, meld: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Distribution of the test part from the README of MELD."""
    with (real_data / "parity" / "meld.gold.csv").open(newline="", encoding="utf-8") as file:
        gold = {cells["name"]: cells["label"] for cells in csv.DictReader(file)}
    lines = []
    for name, emotion in gold.items():
        dialogue, number = re.findall(r"\d+", name)
        lines.append(line("x", "y", emotion, "neutral", f"{dialogue}/{number}"))
    put(meld / "test_sent_emo.csv", COLUMNS, *lines)
    test = open_dataset("meld", meld).part("test")
    assert {row.id: row.annotation.labels[0] for row in test} == gold
    assert Counter(gold.values()) == {
        "neutral": 1256, "joy": 402, "anger": 345, "surprise": 281, "sadness": 208, "disgust": 68, "fear": 50,
    }  # fmt: skip
    assert "train 4 instead of 9989, validation 1 instead of 1109" in caplog.text
    assert "test" not in caplog.text.split("meld has")[-1]


# ---------------------------------------------------------------- IEMOCAP


def block(start: float, end: float, name: str, code: str, *judged: str) -> str:
    told = [f"C-E{number}:\t{words}\t()" for number, words in enumerate(judged, start=1)]
    own = ["C-F1:\tFear;\t(self)", "A-E3:\tval 3; act 2; dom  2;\t()"]
    return "\n".join([f"[{start:.4f} - {end:.4f}]\t{name}\t{code}\t[2.5000, 2.5000, 2.5000]", *told, *own, ""])


@pytest.fixture
def iemocap(tmp_path: Path) -> Path:
    for session in range(1, 6):
        dialogue, dialog = f"Ses0{session}F_impro01", tmp_path / f"Session{session}" / "dialog"
        put(
            dialog / "EmoEvaluation" / f"{dialogue}.txt",
            "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n",
            block(3, 4.5, f"{dialogue}_M000", "exc", "Excited;", "Happiness; Excited;", "Surprise;"),
            block(1, 2.25, f"{dialogue}_F000", "neu", "Neutral;", "Neutral state;", "Frustration;"),
            block(5, 6, f"{dialogue}_F001", "fru", "Frustration;", "Frustration;", "Anger;"),
            block(7, 8, f"{dialogue}_F002", "xxx", "Sadness;", "Anger;", "Other;"),
            block(9, 9.5, f"{dialogue}_M001", "hap", "Happiness;", "Happiness;", "Happiness;"),
        )
        put(
            dialog / "transcriptions" / f"{dialogue}.txt",
            f"{dialogue}_F000 [001.0000-002.2500]: Is it far?",
            f"{dialogue}_M000 [003.0000-004.5000]: We are there!",
            f"{dialogue}_F001 [005.0000-006.0000]: You said that before.",
        )
        put(dialog / "avi" / "DivX" / f"{dialogue}.avi")
    (tmp_path / "Session2" / "dialog" / "avi" / "DivX" / "Ses02F_impro01.avi").unlink()
    return tmp_path


def test_four_way_iemocap_calls_excited_happy_and_keeps_votes_words_and_times(iemocap: Path) -> None:
    data = open_dataset("iemocap4", iemocap)
    assert Counter(row.annotation.labels for row in data.rows) == {("neutral",): 5, ("happy",): 10}
    first, second = data.rows[:2]
    assert (first.id, first.speaker, first.clip.start, first.clip.end) == ("Ses01F_impro01_F000", "Ses01F", 1.0, 2.25)
    assert (first.clip.said, first.context, first.language) == ("Is it far?", None, "en")
    assert first.annotation.votes == {"neutral": 2, "frustrated": 1}
    assert (second.speaker, second.context) == ("Ses01M", "Ses01F: Is it far?")
    assert second.annotation.votes == {"excited": 2, "happy": 1, "surprise": 1}
    assert first.clip.path == str(iemocap / "Session1" / "dialog" / "avi" / "DivX" / "Ses01F_impro01.avi")
    assert {name[:5] for name, _ in data.missing} == {"Ses02"}


def test_six_way_iemocap_keeps_excited_and_frustrated(iemocap: Path) -> None:
    rows = open_dataset("iemocap6", iemocap).rows
    assert [row.annotation.labels[0] for row in rows[:4]] == ["neutral", "excited", "frustrated", "happy"]
    assert rows[3].context == "Ses01F: Is it far?\nSes01M: We are there!\nSes01F: You said that before."


def test_the_folds_of_iemocap_leave_a_session_out_and_share_no_speaker(iemocap: Path) -> None:
    rows = open_dataset("iemocap4", iemocap).rows
    assert {row.id[:5] for row in rows if row.part == "test"} == {"Ses05"}
    for session in range(1, 6):
        folded = fold(rows, session)
        speakers = {part: {row.speaker for row in folded if row.part == part} for part in ("train", "test")}
        assert speakers["test"] == {f"Ses0{session}F", f"Ses0{session}M"}
        assert len(speakers["train"]) == 8
        assert not speakers["train"] & speakers["test"]
    with pytest.raises(ConfigError, match="IEMOCAP has no session 6; choose one of 1 to 5"):
        fold(rows, 6)


def test_missing_sessions_and_unknown_codes_are_named(iemocap: Path) -> None:
    path = iemocap / "Session3" / "dialog" / "EmoEvaluation" / "Ses03F_impro01.txt"
    put(path, block(1, 2, "Ses03F_impro01_F000", "bored", "Neutral;"), block(4, 3, "Ses03F_impro01_F001", "neu"))
    with pytest.raises(
        ConfigError, match=r"F000 has the label 'bored' from 1.0 to 2.0 s; Ses03F_impro01_F001 .* 4.0 to 3.0"
    ):
        open_dataset("iemocap4", iemocap)
    path.unlink()
    path.parent.rmdir()
    with pytest.raises(ConfigError, match=r"lacks dialog/EmoEvaluation of: Session3"):
        open_dataset("iemocap4", iemocap)


def test_packed_iemocap_tests_on_session_5(tmp_path: Path) -> None:
    corpus = {"Ses01F_impro01_F000": {"emo": 3, "val": -10}, "Ses05M_script02_1_M003": {"emo": 0, "val": -10}}
    np.savez_compressed(tmp_path / "label_4way.npz", whole_corpus=corpus)  # type: ignore[arg-type]
    put(tmp_path / "transcription-engchi-polish.csv", "name,chinese,english", "Ses01F_impro01_F000,x,Stop it!")
    put(tmp_path / "subvideo-tgt" / "Ses05M_script02_1_M003.avi")
    first, second = open_dataset("iemocap4", tmp_path).rows
    assert (first.annotation.labels, first.clip.said, first.part, first.speaker) == (
        ("angry",),
        "Stop it!",
        "train",
        "Ses01F",
    )
    assert (second.annotation.labels, second.part, second.speaker) == (("happy",), "test", "Ses05M")
    assert Path(second.clip.path).is_file()
    np.savez_compressed(tmp_path / "label_4way.npz", whole_corpus={"clip_1": {"emo": 0}})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"label_4way.npz has names that are not IEMOCAP's: 'clip_1'"):
        open_dataset("iemocap4", tmp_path)
