"""Pairs of descriptions in small trees of the two layouts that their owners describe."""

import logging
from pathlib import Path

import numpy as np
import pytest

from emer.data.dataset import about, open_dataset
from emer.data.emoprefer import PAIRS, pairs
from emer.errors import ConfigError
from emer.metrics.preferences import agreement

HEAD = "name,a1,a2,preference"
LINES = (
    'clip_7,"She smiles, and is glad.",She is sad.,a1',
    "clip_9,He shouts.,He is angry.,a2",
    "clip_7,She is calm.,She is at ease.,same",
)


@pytest.fixture(autouse=True)
def quiet_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small trees hold three pairs, one preferred in two of them."""
    monkeypatch.setattr("emer.data.emoprefer.PAIRS", dict.fromkeys(PAIRS, (3, 2)))


def put(path: Path, *lines: str, start: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(start + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    put(tmp_path / "dataset" / "preference_emoprefer.csv", HEAD, *LINES)
    put(tmp_path / "dataset" / "video" / "clip_7.mp4")
    return tmp_path


def test_pairs_are_read_with_what_people_prefer(repository: Path) -> None:
    first, second, third = pairs(repository)
    assert (first.clip, first.a, first.b, first.preferred) == ("clip_7", "She smiles, and is glad.", "She is sad.", "a")
    assert (second.preferred, second.better, second.models) == ("b", "He is angry.", None)
    assert (third.preferred, third.better) == ("same", None)


def test_clips_are_rows_once_each_with_the_preferred_description_and_missing_ones_are_listed(repository: Path) -> None:
    data = open_dataset("emoprefer", repository)
    assert [(row.id, row.annotation.explanation) for row in data.rows] == [
        ("clip_7", "She smiles, and is glad."),
        ("clip_9", "He is angry."),
    ]
    assert data.missing == (("clip_9", str(repository / "dataset" / "video" / "clip_9.mp4")),)
    assert not data.about.verified


def test_who_wrote_them_is_read_where_the_release_says_so(repository: Path) -> None:
    told = [f"{line},model x,model y" for line in LINES]
    put(repository / "dataset" / "preference_emoprefer_with_modelnames.csv", f"{HEAD},model1,model2", *told)
    assert {pair.models for pair in pairs(repository)} == {("model x", "model y")}


def test_the_layout_of_mer2026_has_subtitles_and_nested_folders_of_clips(tmp_path: Path) -> None:
    put(tmp_path / "track3_emopreferv2.csv", HEAD, *LINES, start="\ufeff")
    put(tmp_path / "subtitle_chieng.csv", "name,chinese,english", "clip_7,你好,Hello", "clip_9,,")
    put(tmp_path / "video" / "video_track3_emopreferv2" / "video" / "clip_9.mp4")
    first, second = open_dataset("emoprefer_v2", tmp_path).rows
    assert (first.clip.said, second.clip.said, first.language) == ("你好", None, "zh")
    assert second.clip.path.endswith("video/clip_9.mp4")


def test_pairs_can_be_agreed_with(repository: Path) -> None:
    """The length of the text agrees with both preferences."""
    found = pairs(repository)
    lengths = [np.array([len(text) for text in side]) for side in ([p.a for p in found], [p.b for p in found])]
    measured = agreement(*lengths, [pair.preferred for pair in found], clips=[p.clip for p in found], replicates=20)
    assert (measured.accuracy.score, measured.n, measured.same) == (1.0, 2, 1)


def test_other_counts_than_the_published_ones_are_told(
    repository: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("emer.data.emoprefer.PAIRS", PAIRS)
    with caplog.at_level(logging.WARNING, "emer"):
        pairs(repository)
    assert "emoprefer has 3 pairs, one preferred in 2 of them, instead of 574 and 563" in caplog.text


def test_all_that_is_wrong_with_a_file_is_said_at_once(tmp_path: Path) -> None:
    put(tmp_path / "preference_emoprefer.csv", HEAD, "clip_1,One.,Two.,both", "clip_2,,Two.,a1")
    with pytest.raises(ConfigError, match="line 2 prefers 'both', not a1, a2 or same; line 3 has no a1"):
        pairs(tmp_path)


def test_a_folder_without_pairs_says_what_should_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none of preference_emoprefer_with_modelnames\.csv, dataset/"):
        open_dataset("emoprefer", tmp_path)


def test_what_is_known_is_said_without_reading() -> None:
    assert about("emoprefer_v2").title == "EmoPrefer-Data-V2"
