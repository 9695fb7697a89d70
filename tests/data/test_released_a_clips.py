"""Tables by name, clips by name, and labels in archives of Python objects that must not run anything."""

import json
import os
import pickle
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emer.data.object_arrays import read_objects
from emer.data.released_clips import Clips, by_name, column_of, one_of, records, spoken
from emer.errors import ConfigError


class Trap:
    """What an attacker would put in a label file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.target),)


def labels() -> dict[str, dict[str, Any]]:
    """As the scripts of MER-UniBench write them, numpy's own texts and numbers among them."""
    return {
        "clip_1": {"emo": "happy", "val": -10},
        str(np.str_("clip_2")): {"emo": np.str_("sad"), "val": np.float64(-1.25)},
        "clip_3": {"emo": np.int64(3), "val": ""},
    }


def test_labels_read_as_numpy_itself_would_read_them(tmp_path: Path) -> None:
    path = tmp_path / "label.npz"
    np.savez_compressed(path, train_corpus=labels(), names=np.array(["a", "é"]), x=np.asfortranarray([[1, 2], [3, 4]]))  # type: ignore[arg-type]
    with np.load(path, allow_pickle=True) as archive:
        expected = {name: archive[name].tolist() for name in archive.files}
    assert read_objects(path) == expected
    assert type(read_objects(path)["train_corpus"]["clip_2"]["val"]) is float


def test_arrays_of_objects_and_arrays_inside_objects_become_lists(tmp_path: Path) -> None:
    path = tmp_path / "label.npz"
    inside = {
        "votes": np.array([[1, 2], [3, 4]]),
        "order": np.asfortranarray([[1.5, 2], [3, 4]]),
        "big": np.arange(2, dtype=">i4"),
    }
    np.savez(path, names=np.array(["a", None, 3], dtype=object), whole=inside)  # type: ignore[arg-type]
    assert read_objects(path) == {
        "names": ["a", None, 3],
        "whole": {"votes": [[1, 2], [3, 4]], "order": [[1.5, 2.0], [3.0, 4.0]], "big": [0, 1]},
    }


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_an_archive_that_would_run_something_is_refused_and_runs_nothing(tmp_path: Path, protocol: int) -> None:
    header = np.array(None, dtype=object)
    plain = tmp_path / "plain.npz"
    np.savez(plain, train_corpus=header)
    with zipfile.ZipFile(plain) as archive:
        start = archive.read("train_corpus.npy").split(b"\n")[0] + b"\n"
    path, made = tmp_path / "trap.npz", tmp_path / "made_by_the_trap"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train_corpus.npy", start + pickle.dumps({"clip": Trap(made)}, protocol))
    with pytest.raises(ConfigError, match=r"trap.npz is not read: it asks to run \w+\.mkdir, which no label needs"):
        read_objects(path)
    assert not made.exists()


def test_damaged_archives_are_told_in_one_line_whatever_the_damage(tmp_path: Path) -> None:
    """300 archives with a few bytes changed or cut, in the pickle itself, where the checksum cannot tell."""
    plain = tmp_path / "plain.npz"
    np.savez(plain, train_corpus=labels())  # type: ignore[arg-type]
    with zipfile.ZipFile(plain) as archive:
        member = archive.read("train_corpus.npy")
    rng = random.Random(0)
    refused = []
    for _ in range(300):
        data = bytearray(member)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path = tmp_path / "damaged.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("train_corpus.npy", bytes(data[: rng.choice((len(data), rng.randrange(len(data))))]))
        try:
            read_objects(path)
        except ConfigError as error:
            refused.append(str(error))
    assert len(refused) > 150
    assert not [told for told in refused if "\n" in told]


def test_files_that_are_no_archives_and_values_that_no_label_has_are_refused(tmp_path: Path) -> None:
    (tmp_path / "label.npz").write_bytes(b"nothing of the kind")
    with pytest.raises(ConfigError, match=r"label.npz is no .npz archive of labels .*; fetch it again"):
        read_objects(tmp_path / "label.npz")
    np.savez(tmp_path / "label.npz", x=np.array([["a", 1], ["b", None]], dtype=object))
    with pytest.raises(ConfigError, match="it holds objects in 2 dimensions"):
        read_objects(tmp_path / "label.npz")
    np.savez(tmp_path / "label.npz", when={"clip": np.datetime64("2020-01-01")})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"an array of type <M8, which is neither numbers nor texts"):
        read_objects(tmp_path / "label.npz")


def test_clips_are_found_in_folders_within_and_the_first_place_and_ending_goes(tmp_path: Path) -> None:
    for place in ("video/part_1/a.MP4", "video/b.avi", "video/b.mp4", "more/b.mp4", "more/c.avi", "video/d.txt"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    clips = Clips.below(tmp_path, "video", "more", "absent")
    assert {name: Path(clips.path(name)).relative_to(tmp_path).as_posix() for name in "abcd"} == {
        "a": "video/part_1/a.MP4",
        "b": "video/b.mp4",
        "c": "more/c.avi",
        "d": "video/d.mp4",
    }


def test_names_that_are_empty_or_come_twice_are_told_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("name,openset\na,happy\n,sad\nb,glad\na,\n")
    with pytest.raises(ConfigError, match=r"line 3 has no name; 'a' stands in lines 2 and 5"):
        by_name(path, ("name", "openset"))
    path.write_text("name,openset,extra\na,happy,1\nb,,2\n")
    assert column_of(path, "name", "openset") == {"a": "happy", "b": ""}


def test_subtitles_may_come_twice_and_the_last_text_counts(tmp_path: Path) -> None:
    path = tmp_path / "subtitles.csv"
    path.write_text("name,english\na,One.\nb,\na,Two.\na,\n")
    assert spoken(path, "name", "english") == {"a": "Two."}


def test_json_that_is_no_object_of_objects_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "told.json"
    path.write_text('{"a": {"x": 1}, "b": {}}', encoding="utf-8-sig")
    assert records(path) == {"a": {"x": 1}, "b": {}}
    for text, told in (
        ('{"a": {"x": 1}, "a": {"x": 2}}', "'a' comes twice"),
        (json.dumps([1]), "not a JSON object with one object a clip"),
        (json.dumps({"a": 1}), "not a JSON object with one object a clip"),
        ("{", "cannot be read as JSON in UTF-8"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=told):
            records(path)


def test_where_none_of_several_files_is_there_all_are_named(tmp_path: Path) -> None:
    (tmp_path / "second").touch()
    assert one_of(tmp_path, ("first", "second"), "the labels") == tmp_path / "second"
    with pytest.raises(ConfigError, match=r"has none of first, third; put the labels there, or name the folder"):
        one_of(tmp_path, ("first", "third"), "the labels")
