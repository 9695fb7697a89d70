"""Splits: nobody in two parts, files as the design notes ask, and a user's rows."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from emer.data import cremad, emodb, handwritten, making_splits, mosi, ravdess
from emer.data.rows import PARTS
from emer.data.splits import Split, folds, places, split, split_file
from emer.errors import ConfigError

NAMES = ("ravdess", "emodb", "voices", "cremad", "mosi", "handwritten")
FOLDER = Path(__file__).parents[2] / "configs" / "splits"


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_what_their_command_writes(name: str, tmp_path: Path) -> None:
    making_splits.main([str(tmp_path), name])
    assert (tmp_path / f"{name}.json").read_text() == (FOLDER / f"{name}.json").read_text()
    assert split_file(name).made_by.endswith(f"configs/splits {name}")


def test_ravdess_is_split_as_the_contract_says() -> None:
    numbers = {part: [int(who[-2:]) for who in split("ravdess").members(part)] for part in PARTS}
    assert numbers == {
        "train": list(range(1, 13)), "validation": [13, 14], "calibration": [15, 16], "test": [17, 18, 19, 20]
    }  # fmt: skip


@pytest.mark.parametrize("name", ["ravdess", "emodb", "cremad"])
def test_nobody_is_in_two_parts_and_five_folds_test_everybody_once(name: str) -> None:
    tested: Counter[str] = Counter()
    for fold in folds(name):
        members = [who for part in PARTS for who in fold.members(part)]
        assert len(members) == len(set(members))
        assert all(fold.members(part) for part in PARTS)
        tested.update(fold.test)
    assert len(folds(name)) == 5
    assert set(tested.values()) == {1}
    assert len(tested) == {"ravdess": 20, "emodb": 8, "cremad": 91}[name]


def test_ravdess_and_the_larger_emodb_folds_test_as_many_women_as_men() -> None:
    """Even actors of RAVDESS are women; of EmoDB 08, 09, 13, 14 (Burkhardt et al. 2005)."""
    for fold in folds("ravdess"):
        assert sum(int(who[-2:]) % 2 == 0 for who in fold.test) == 2
    for fold in folds("emodb")[2:]:
        assert sum(who in {"08", "09", "13", "14"} for who in fold.test) == 1


def test_every_real_row_has_its_place(real_data: Path) -> None:
    for name, read in (("ravdess", ravdess.clips), ("emodb", emodb.clips)):
        rows = read(real_data)
        found = places(split(name), [row.id for row in rows], [str(row.speaker) for row in rows])
        assert sum(map(len, found.values())) == len(rows)
    table = cremad.table(real_data)
    fold = folds("cremad")[0]
    found = places(fold, table.rows, table.speakers)
    assert sum(map(len, found.values())) == 7022
    assert {table.rows[i][:4] for i in found["test"]} == set(fold.test)
    for name, table in (("mosi", mosi.table(real_data)), ("handwritten", handwritten.table(real_data))):
        assert sum(map(len, places(split(name), table.rows).values())) == len(table.rows)


def test_ravdess_parts_hold_the_emotions_in_the_same_shares(real_data: Path) -> None:
    """By design of the corpus an actor says 4 neutral utterances and 8 of each other emotion."""
    rows = ravdess.clips(real_data)
    found = places(split("ravdess"), [row.id for row in rows], [str(row.speaker) for row in rows])
    for part in PARTS:
        counts = Counter(rows[i].annotation.labels[0] for i in found[part])
        actors = len(split("ravdess").members(part))
        assert counts.pop("neutral") == 4 * actors
        assert set(counts.values()) == {8 * actors}


def test_mosi_validates_on_training_rows_alone_and_crosses_two_halves_of_test() -> None:
    one, two = folds("mosi")
    for fold in (one, two):
        assert all(row.startswith("train-") for row in (*fold.train, *fold.validation))
        assert all(row.startswith("test-") for row in (*fold.calibration, *fold.test))
        assert (len(fold.train), len(fold.validation)) == (1447 - 217, 217)
    assert (one.calibration, one.test) == (two.test, two.calibration)
    assert (len(one.test), len(two.test)) == (376, 376)
    assert set(one.test) | set(two.test) == set(split("mosi").test)


def test_mosi_validates_on_both_classes_and_mostly_on_speakers_of_its_own(real_data: Path) -> None:
    """Speakers are not named, but voices are alike: whose nearest other row (by sound) is also a validation row?

    By chance it would be 15 %.
    """
    table = mosi.table(real_data)
    found = places(split("mosi"), table.rows)
    for part in ("train", "validation", "test"):
        assert 0.45 < table.target[found[part], 1].mean() < 0.63, part
    train = np.sort(np.concatenate([found["train"], found["validation"]]))
    sound = table.views["audio"].values[train].astype(float)
    sound = (sound - sound.mean(axis=0)) / sound.std(axis=0)
    squares = (sound**2).sum(axis=1)
    distance = squares[:, None] + squares - 2 * sound @ sound.T
    np.fill_diagonal(distance, np.inf)
    validates = np.isin(train, found["validation"])
    assert validates[distance.argmin(axis=1)][validates].mean() > 0.75


def test_handwritten_validates_on_sixteen_of_each_digit(real_data: Path) -> None:
    table = handwritten.table(real_data)
    found = places(split("handwritten"), table.rows)
    for part, each in (("train", 128), ("validation", 16), ("calibration", 16), ("test", 40)):
        assert table.target[found[part]].sum(axis=0).tolist() == [each] * 10


def test_a_split_without_folds_says_so() -> None:
    with pytest.raises(ConfigError, match="handwritten has no folds"):
        folds("handwritten")


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'ravdes'; choose one of cremad, emodb, handwritten, mosi, ravdess, voices"):
        split("ravdes")
    with pytest.raises(ConfigError, match="there is no file"):
        split(str(tmp_path / "mine.json"))


def test_a_file_with_a_speaker_in_two_parts_is_refused(tmp_path: Path) -> None:
    told = json.loads((FOLDER / "emodb.json").read_text())
    told["split"]["test"].append("03")
    (tmp_path / "mine.json").write_text(json.dumps(told))
    with pytest.raises(ConfigError, match=r"the split has members twice or in two parts \(03\)"):
        split(str(tmp_path / "mine.json"))


def test_a_file_whose_folds_leave_somebody_out_is_refused(tmp_path: Path) -> None:
    told = json.loads((FOLDER / "emodb.json").read_text())
    told["folds"].pop()
    (tmp_path / "mine.json").write_text(json.dumps(told))
    with pytest.raises(ConfigError, match="do not cover every member exactly once"):
        folds(str(tmp_path / "mine.json"))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('{"name": 3}')
    with pytest.raises(ConfigError, match="this is not SplitFile JSON"):
        split(str(tmp_path / "mine.json"))


def test_rows_of_strangers_and_parts_without_rows_are_told(tmp_path: Path) -> None:
    small = Split("small", "speaker", ("a",), (), (), ("b",))
    with pytest.raises(
        ConfigError, match=r"no part of it holds the speaker z \(1 in all\); no row of its test part is here"
    ):
        places(small, ["r1", "r2"], ["a", "z"])
    with pytest.raises(ConfigError, match="this table names no speakers"):
        places(small, ["r1"])


def test_a_users_speakers_are_kept_apart_and_the_split_is_written_down(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    speakers = [f"s{n}" for n in rng.integers(0, 30, 1000)]
    rows = [f"clip{i}" for i in range(1000)]
    made = making_splits.speaker_disjoint(rows, speakers, 7, tmp_path / "mine.json")
    assert split(str(tmp_path / "mine.json")) == made
    sizes = {part: len(found) for part, found in places(made, rows, speakers).items()}
    for part, share in (("train", 600), ("validation", 100), ("calibration", 100), ("test", 200)):
        assert abs(sizes[part] - share) < 40, sizes
    again = making_splits.speaker_disjoint(rows[::-1], speakers[::-1], 7, tmp_path / "again.json")
    other = making_splits.speaker_disjoint(rows, speakers, 8, tmp_path / "other.json")
    assert again.test == made.test != other.test


def test_four_speakers_fill_four_parts_even_when_one_says_nearly_everything(tmp_path: Path) -> None:
    speakers = ["loud"] * 97 + ["a", "b", "c"]
    made = making_splits.speaker_disjoint([str(i) for i in range(100)], speakers, 0, tmp_path / "mine.json")
    assert {len(made.members(part)) for part in PARTS} == {1}
    assert made.train == ("loud",)


def test_three_speakers_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="3 speakers cannot fill train, validation, calibration, test"):
        making_splits.speaker_disjoint(["1", "2", "3"], ["a", "b", "c"], 0, tmp_path / "mine.json")
    assert not (tmp_path / "mine.json").exists()
