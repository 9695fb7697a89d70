"""DFEW and MAFW: small trees of the layouts their owners describe, folds, votes and sentences made up here."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from emer.data import dfew, mafw
from emer.data.dataset import about, open_dataset
from emer.errors import ConfigError
from emer.score.options import Options
from emer.score.result import Column
from emer.score.scoring import score


def put(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def sheet(path: Path, header: Sequence[str], *rows: Sequence[object]) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    for row in (header, *rows):
        book.active.append(list(row))
    book.save(path)
    return path


# ---------------------------------------------------------------- DFEW

HEADER = ("1happy", "2sad", "3neutral", "4angry", "5surprise", "6disgust", "7fear", "order", "label")


@pytest.fixture
def dfew_release(tmp_path: Path) -> Path:
    sheet(
        tmp_path / "Annotation" / "annotation.xlsx",
        HEADER,
        (8, 0, 2, 0, 0, 0, 0, 1, 1),
        (0, 4, 1, 0, 0, 0, 5, 2, 0),
        (0, 0, 0, 0, 0, 0, 10, 3, 7),
    )
    for fold in range(1, 6):
        put(tmp_path / f"EmoLabel_DataSplit/train(single-labeled)/set_{fold}.csv", "video_name,label", "1,1")
        put(tmp_path / f"EmoLabel_DataSplit/test(single-labeled)/set_{fold}.csv", "video_name,label", "00003,7")
    put(tmp_path / "Clip" / "original" / "part_1" / "1.mp4")
    put(tmp_path / "Clip" / "original" / "00002.mp4")
    return tmp_path


def test_all_clips_of_dfew_have_votes_and_a_label_where_most_agree(
    dfew_release: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = open_dataset("dfew", dfew_release)
    assert [(row.id, row.annotation.labels) for row in data.rows] == [
        ("00001", ("happy",)),
        ("00002", ()),
        ("00003", ("fear",)),
    ]
    assert [row.annotation.votes for row in data.rows] == [
        {"happy": 8, "neutral": 2},
        {"sad": 4, "neutral": 1, "fear": 5},
        {"fear": 10},
    ]
    assert data.missing == (("00003", str(dfew_release / "Clip" / "original" / "00003.mp4")),)
    assert "dfew has other counts than were published: all 3 instead of 16372" in caplog.text


@pytest.mark.parametrize("fold", range(1, 6))
def test_the_folds_of_dfew_are_the_official_ones(dfew_release: Path, fold: int) -> None:
    train, test = open_dataset(f"dfew_fd{fold}", dfew_release).rows
    assert (train.id, train.part, train.annotation.labels) == ("00001", "train", ("happy",))
    assert (test.id, test.part, test.annotation.votes) == ("00003", "test", {"fear": 10})


def test_published_counts_of_the_folds_sum_to_the_clips_with_a_face() -> None:
    """11,697 single-labelled clips, from the README of DFEW; 9,172 and 8,996 of MAFW."""
    assert {sum(dfew.COUNTS[f"dfew_fd{fold}"].values()) for fold in range(1, 6)} == {11_697}
    assert {sum(mafw.COUNTS[f"mafw_set{fold}"]) for fold in range(1, 6)} == {9_172}
    assert {sum(mafw.COUNTS[f"mafw_compound_set{fold}"]) for fold in range(1, 6)} == {8_996}


def test_without_the_annotation_a_fold_has_labels_and_no_votes(dfew_release: Path) -> None:
    (dfew_release / "Annotation" / "annotation.xlsx").unlink()
    train, _ = open_dataset("dfew_fd1", dfew_release).rows
    assert (train.annotation.labels, train.annotation.votes) == (("happy",), {})
    with pytest.raises(ConfigError, match=r"has none of Annotation/annotation.xlsx, annotation.xlsx"):
        open_dataset("dfew", dfew_release)


def test_a_bad_split_and_a_label_against_the_votes_are_told(dfew_release: Path) -> None:
    split = dfew_release / "EmoLabel_DataSplit" / "train(single-labeled)" / "set_1.csv"
    put(split, "video_name,label", "1,2", "3,8", "9,1")
    with pytest.raises(
        ConfigError, match=r"line 2: 00001 is sad here and happy in annotation.xlsx; line 3: the label '8' is not"
    ):
        open_dataset("dfew_fd1", dfew_release)
    put(split, "video_name,label", "1,1", "1,1")
    with pytest.raises(ConfigError, match=r"'1' stands in lines 2 and 3"):
        open_dataset("dfew_fd1", dfew_release)
    sheet(
        dfew_release / "Annotation" / "annotation.xlsx",
        HEADER,
        (1, 9, 0, 0, 0, 0, 0, 1, 1),
        (10, 0, 0, 0, 0, 0, 0, 2, 1),
        (10, 0, 0, 0, 0, 0, 0, 2, 1),
        (10, 0, 0, 0, None, 0, 0, 4, 1),
        (10, 0, 0, 0, 0, 0, 0, 5, 9),
    )
    with pytest.raises(ConfigError) as caught:
        open_dataset("dfew", dfew_release)
    for told in (
        "row 2: the label 1 has not the most votes",
        "row 4: 00002 comes twice",
        "row 5 is not seven votes, a clip and a label",
        "row 6: the label 9 is not a number from 0 to 7",
    ):
        assert told in str(caught.value)


def test_a_few_labels_against_the_votes_are_warned_of_and_read(
    dfew_release: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [(10, 0, 0, 0, 0, 0, 0, clip, 1) for clip in range(1, 101)]
    rows[4] = (0, 10, 0, 0, 0, 0, 0, 5, 1)
    sheet(dfew_release / "Annotation" / "annotation.xlsx", HEADER, *rows)
    read = {row.id: row for row in open_dataset("dfew", dfew_release).rows}
    assert read["00005"].annotation.labels == ("happy",)
    assert read["00005"].annotation.votes == {"sad": 10.0}
    assert "contradicts itself in 1 of 100 rows: row 6: the label 1 has not the most votes" in caplog.text


# ---------------------------------------------------------------- MAFW


@pytest.fixture
def mafw_release(tmp_path: Path) -> Path:
    for kind, second in (("single", "helplessness"), ("compound", "sadness_helplessness")):
        for fold in range(1, 6):
            place = tmp_path / "Train & Test Set" / kind
            put(place / "no_caption" / f"set_{fold}" / "train.txt", "00001.mp4 neutral", f"00002.mp4 {second}")
            put(place / "no_caption" / f"set_{fold}" / "test.txt", "00003.mp4 anger")
            told = f"00002.mp4\t{second}\t<br>他低头。\t<br>He looks down."
            put(place / "with_caption" / f"set_{fold}" / "train.txt", told, encoding="gb18030")
    header = ("clip", "invalid", *mafw.WORDS)
    weights = {"neutral": 1.0}, {"sadness": 0.6, "helplessness": 0.4}
    rows = [(f"0000{n}.mp4", 0, *(told.get(word, 0) for word in mafw.WORDS)) for n, told in enumerate(weights, start=1)]
    sheet(tmp_path / "Labels" / "annotation.xlsx", header, *rows)
    put(tmp_path / "data" / "clips" / "00001.mp4")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "labels"), [("mafw_set2", ("helplessness",)), ("mafw_compound_set5", ("sadness", "helplessness"))]
)
def test_a_fold_of_mafw_has_labels_weights_and_a_sentence(
    mafw_release: Path, name: str, labels: tuple[str, ...]
) -> None:
    data = open_dataset(name, mafw_release)
    first, second, third = data.rows
    assert (second.id, second.annotation.labels, second.part) == ("00002", labels, "train")
    assert (second.annotation.explanation, second.annotation.votes) == (
        "He looks down.",
        {"sadness": 0.6, "helplessness": 0.4},
    )
    assert (first.annotation.explanation, first.annotation.votes) == (None, {"neutral": 1.0})
    assert (third.part, third.annotation.votes) == ("test", {})
    assert [clip for clip, _ in data.missing] == ["00002", "00003"]


@pytest.mark.parametrize("name", ["mafw_set2", "mafw_compound_set5"])
def test_the_metric_of_a_fold_of_mafw_can_be_computed_on_its_labels(mafw_release: Path, name: str) -> None:
    """The gold itself as answer is all right under every metric."""
    rows = open_dataset(name, mafw_release).rows
    gold = Column("gold", [row.id for row in rows], [row.annotation.labels for row in rows])
    found = score(about(name).metric, gold, gold, Options(bootstrap=0, label_set=about(name).label_set))
    assert (found.score, found.n_scored) == (1.0, len(rows))


def test_what_is_wrong_with_a_fold_of_mafw_is_told_together(mafw_release: Path) -> None:
    split = mafw_release / "Train & Test Set" / "single" / "no_caption" / "set_1" / "train.txt"
    put(split, "00001.mp4 neutral", "00002.mp4 boredom", "00001.mp4 anger", "00004.mp4")
    with pytest.raises(ConfigError, match=r"line 2: 'boredom' is not one of .*; line 3: 00001 comes twice; line 4: ''"):
        open_dataset("mafw_set1", mafw_release)
    split.unlink()
    with pytest.raises(ConfigError, match=r"train.txt cannot be read \(No such file or directory\); fetch the folds"):
        open_dataset("mafw_set1", mafw_release)
    put(mafw_release / "Train & Test Set/single/with_caption/set_2/train.txt", "00002.mp4 anger He shouts.")
    with pytest.raises(ConfigError, match=r"line 1 is not a clip, a label and two sentences"):
        open_dataset("mafw_set2", mafw_release)
    sheet(mafw_release / "Labels" / "annotation.xlsx", ("clip", "anger"), ("00001.mp4", 1))
    with pytest.raises(ConfigError, match=r"annotation.xlsx has no column disgust, .*; its columns are clip, anger"):
        open_dataset("mafw_set3", mafw_release)


def test_text_in_no_known_encoding_is_refused(mafw_release: Path) -> None:
    path = mafw_release / "Train & Test Set" / "single" / "with_caption" / "set_1" / "train.txt"
    path.write_bytes(b"\xff\xff\x00")
    with pytest.raises(ConfigError, match="is text neither in utf-8-sig nor in gb18030"):
        open_dataset("mafw_set1", mafw_release)
