"""The public sets as they really are. Counts come from the README of the shared data and from the corpora's papers."""

import csv
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from emer.data import cremad, emodb, handwritten, mosi, ravdess
from emer.errors import ConfigError


@pytest.fixture(scope="module")
def manifest(real_data: Path) -> dict[str, dict[str, str]]:
    """What the shared manifest says of each clip: another reader's work than ours."""
    with (real_data / "clips" / "manifest.csv").open(newline="") as file:
        return {Path(row["file"]).stem: row for row in csv.DictReader(file)}


def test_ravdess_has_1200_utterances_with_the_labels_of_the_manifest(
    real_data: Path, manifest: dict[str, dict[str, str]]
) -> None:
    rows = ravdess.clips(real_data)
    assert len(rows) == 1200
    assert Counter(row.speaker for row in rows) == {f"actor{n:02d}": 60 for n in range(1, 21)}
    for row in rows:
        assert (row.annotation.labels[0], row.speaker) == (manifest[row.id]["label"], manifest[row.id]["speaker"])


def test_an_angry_utterance_of_ravdess_reads_as_its_name_says(real_data: Path) -> None:
    """03-01-05-02-01-01-12: speech, angry, strong, first sentence, first repetition, actor 12."""
    (row,) = (row for row in ravdess.clips(real_data) if row.id == "03-01-05-02-01-01-12")
    assert (row.annotation.labels, row.speaker) == (("angry",), "actor12")
    assert Path(row.clip.path).is_file()


def test_emodb_has_266_utterances_with_the_counts_of_the_file_names(
    real_data: Path, manifest: dict[str, dict[str, str]]
) -> None:
    """Counted in the shell: `ls | cut -c6 | sort | uniq -c`."""
    rows = emodb.clips(real_data)
    assert Counter(row.annotation.labels[0] for row in rows) == {
        "anger": 100, "neutral": 63, "happiness": 54, "sadness": 49
    }  # fmt: skip
    own_words = {"anger": "angry", "happiness": "happy", "sadness": "sad", "neutral": "neutral"}
    assert all(
        manifest[row.id]["label"] in (own_words[row.annotation.labels[0]], row.annotation.labels[0]) for row in rows
    )
    assert all(row.id.startswith(str(row.speaker)) for row in rows)


def test_cremad_has_three_votes_on_7442_clips_of_91_actors(real_data: Path) -> None:
    votes = cremad.votes(real_data)
    assert (len(votes.rows), len(set(votes.actors))) == (7442, 91)
    first = votes.rows.index("1001_IEO_HAP_LO")  # line of the file: A0 D0 F0 H3 N6 S0
    assert dict(zip(cremad.LABELS, votes.voice[first].tolist(), strict=True)) == {
        "neutral": 6, "happy": 3, "sad": 0, "anger": 0, "fear": 0, "disgust": 0
    }  # fmt: skip


def test_the_audio_visual_majority_is_that_of_the_released_summary(real_data: Path) -> None:
    """`summaryTable` names ties as `F:N`: 420 clips; the rest must be our single labels."""
    with (real_data / "cremad" / "cremad_summaryTable.csv").open(newline="") as file:
        released = {row["FileName"]: row["MultiModalVote"] for row in csv.DictReader(file)}
    table = cremad.table(real_data)
    words = {"A": "anger", "D": "disgust", "F": "fear", "H": "happy", "N": "neutral", "S": "sad"}
    ours = [table.labels[place] for place in table.target.argmax(axis=1)]
    assert dict(zip(table.rows, ours, strict=True)) == {k: words[v] for k, v in released.items() if len(v) == 1}
    assert "420 of 7442" in table.note


def test_labels_with_a_fifth_of_the_votes_hold_and_shares_sum_to_one(real_data: Path) -> None:
    multi, votes = cremad.table(real_data, "multi"), cremad.table(real_data, "votes")
    assert len(multi.rows) == len(votes.rows) == 7442
    both = cremad.votes(real_data).both
    by_hand = [[5 * n >= sum(row) for n in row] for row in both.tolist()]  # in whole numbers: 1 of 5 counts
    assert (multi.target == np.array(by_hand)).all()
    assert np.allclose(votes.target.sum(axis=1), 1)
    assert np.allclose(votes.views["face"].values.sum(axis=1), 1, atol=1e-6)


def test_voice_and_face_disagree_only_where_they_share_no_top_label(real_data: Path) -> None:
    """Checked with sets of labels, clip by clip, on the first 500."""
    votes = cremad.votes(real_data)
    for voice, face, disagree in zip(
        votes.voice[:500].tolist(), votes.face[:500].tolist(), votes.disagree, strict=False
    ):
        tops = [{i for i, n in enumerate(row) if n == max(row)} for row in (voice, face)]
        assert disagree == tops[0].isdisjoint(tops[1])


def test_mosi_has_three_views_of_1447_and_752_utterances_in_the_order_of_the_release(real_data: Path) -> None:
    table = mosi.table(real_data)
    released = np.load(real_data / "features" / "mosi.npz")
    assert {name: view.values.shape for name, view in table.views.items()} == {
        "audio": (2199, 73), "text": (2199, 100), "video": (2199, 100)
    }  # fmt: skip
    place = table.rows.index("test-0003")
    assert (table.views["text"].values[place] == released["text_test"][3]).all()
    assert table.labels[int(table.target[place].argmax())] == ("negative", "positive")[released["y_test"][3]]
    assert table.target.sum(axis=0).tolist() == [738 + 285, 709 + 467]
    assert table.speakers is None


def test_handwritten_digits_are_the_digits_that_they_look_like(real_data: Path) -> None:
    """Pixel counts of 15 × 16 cells: a nought is hollow in its middle, a one is not (seen by eye as well)."""
    table = handwritten.table(real_data)
    assert len(table.rows) == 2000
    assert table.target.sum(axis=0).tolist() == [200] * 10
    assert [view.values.shape[1] for view in table.views.values()] == [240, 76, 216, 47, 64, 6]
    pictures = table.views["pixels"].values.reshape(-1, 16, 15)
    middles = {digit: pictures[table.target[:, digit] == 1][:, 6:10, 6:9].mean() for digit in (0, 1)}
    assert middles[0] < 1 < 4 < middles[1]


def test_every_set_names_its_source_and_licence(real_data: Path) -> None:
    for table in (cremad.table(real_data), mosi.table(real_data), handwritten.table(real_data)):
        assert "unknown" not in (table.source, table.licence)


@pytest.mark.parametrize("read", [ravdess.clips, emodb.clips, cremad.votes, mosi.table, handwritten.table])
def test_an_empty_folder_is_told_what_it_should_hold(read: object, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no (clips|cremad|features)/.*; put .* there"):
        read(tmp_path)  # type: ignore[operator]


def test_missing_and_strange_recordings_are_named(tmp_path: Path) -> None:
    place = tmp_path / "clips" / "ravdess_speech"
    place.mkdir(parents=True)
    for name in [*ravdess.names()[1:], "03-01-01-01-01-01-24"]:
        (place / f"{name}.wav").touch()
    with pytest.raises(ConfigError, match=r"1 of 1200 .* missing \(03-01-01-01-01-01-01\); 1 are not .*-24\)"):
        ravdess.clips(tmp_path)


def test_a_speaker_with_too_few_utterances_is_named(tmp_path: Path) -> None:
    place = tmp_path / "clips" / "emodb"
    place.mkdir(parents=True)
    (place / "03a01Fa.wav").touch()
    (place / "15a01Fa.wav").touch()
    with pytest.raises(ConfigError, match=r"15a01Fa.*speaker 03 has 1 utterances instead of 39"):
        emodb.clips(tmp_path)


def test_a_vote_table_that_was_cut_or_altered_is_refused(real_data: Path, tmp_path: Path) -> None:
    path = tmp_path / cremad.FILE
    path.parent.mkdir()
    lines = (real_data / cremad.FILE).read_text().splitlines()
    path.write_text("\n".join(lines[:-7443]))
    with pytest.raises(ConfigError, match="7442 clips lack votes"):
        cremad.votes(tmp_path)
    path.write_text("\n".join([lines[0], lines[1].replace(",10,", ",9,"), *lines[2:]]))
    with pytest.raises(ConfigError, match=r"line 2 \(1001_IEO_NEU_XX\) has .*wrong counts"):
        cremad.votes(tmp_path)
    path.write_text("\n".join([*lines, lines[1]]))
    with pytest.raises(ConfigError, match=r"line 22328 \(1001_IEO_NEU_XX\) has .*comes twice"):
        cremad.votes(tmp_path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match=r"lacks columns.*'fileName'"):
        cremad.votes(tmp_path)


def test_pickled_or_misshapen_arrays_are_refused(tmp_path: Path) -> None:
    (tmp_path / "features").mkdir()
    np.savez(tmp_path / mosi.FILE, y_train=np.array([{}], dtype=object))
    with pytest.raises(ConfigError, match="pickled Python objects, which emer never loads"):
        mosi.table(tmp_path)
    np.savez(tmp_path / mosi.FILE, y_train=np.zeros(3))
    with pytest.raises(
        ConfigError, match=r"y_train has the shape \(3,\) instead of \(1447,\); y_test has .* of nothing"
    ):
        mosi.table(tmp_path)


def test_mosi_in_another_order_is_refused(real_data: Path, tmp_path: Path) -> None:
    arrays = dict(np.load(real_data / mosi.FILE))
    (tmp_path / "features").mkdir()
    np.savez(tmp_path / mosi.FILE, **(arrays | {"y_train": arrays["y_train"][::-1]}))
    with pytest.raises(ConfigError, match="y_train does not have 709 ones and then zeros"):
        mosi.table(tmp_path)


def test_a_damaged_matlab_file_is_refused(real_data: Path, tmp_path: Path) -> None:
    path = tmp_path / handwritten.FILE
    path.parent.mkdir()
    path.write_bytes(b"not MATLAB at all" * 20)
    with pytest.raises(ConfigError, match="cannot be read as a MATLAB file"):
        handwritten.table(tmp_path)
    shutil.copyfile(real_data / handwritten.FILE, path)
    with path.open("r+b") as file:
        file.truncate(1_000_000)
    with pytest.raises(ConfigError, match=r"MATLAB file|is not the released set"):
        handwritten.table(tmp_path)
