"""A user's manifest: what it may say, and that all mistakes come at once."""

import json
from pathlib import Path

import pytest

from emer.data import manifest
from emer.data.manifest import is_manifest, read_clips, read_manifest, read_rows
from emer.data.manifest_rows import KEYS
from emer.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.mp4", "b.wav", "c.wav", "a.srt"):
        (tmp_path / name).touch()
    return tmp_path


def jsonl(folder: Path, *rows: object) -> Path:
    path = folder / "clips.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def test_json_lines_become_clips_with_annotations(folder: Path) -> None:
    full = {
        "path": "a.mp4",
        "label": "sad",
        "speaker": "s1",
        "split": "train",
        "transcript": "a.srt",
        "start": 1,
        "end": 2.5,
    }
    rows = read_manifest(
        jsonl(
            folder,
            full | {"explanation": "The voice drops."},
            {"path": "b.wav", "labels": ["sad", "tired"], "split": "test", "id": "second"},
            "",
            {"path": "c.wav", "votes": {"sad": 3, "tired": 1}, "split": "test", "speaker": None},
        )
    )
    first, second, third = rows
    assert first.clip.path == str(folder / "a.mp4")
    assert first.clip.transcript == str(folder / "a.srt")
    assert (first.clip.start, first.clip.end) == (1, 2.5)
    assert (first.annotation.labels, first.annotation.explanation) == (("sad",), "The voice drops.")
    assert (first.id, first.speaker, first.part) == ("a.mp4#1-2.5", "s1", "train")
    assert (second.id, second.annotation.labels) == ("second", ("sad", "tired"))
    assert (third.annotation.votes, third.speaker) == ({"sad": 3, "tired": 1}, None)


def test_csv_and_json_lines_say_the_same(folder: Path) -> None:
    table = folder / "clips.csv"
    table.write_text('\ufeffpath,labels,speaker,start\na.mp4,"sad; tired",s1,1.5\nb.wav,,,\n', encoding="utf-8")
    lines = jsonl(
        folder, {"path": "a.mp4", "labels": ["sad", "tired"], "speaker": "s1", "start": 1.5}, {"path": "b.wav"}
    )
    assert read_manifest(table) == read_manifest(lines)


def test_what_was_said_and_what_is_known_of_a_clip_comes_with_it(folder: Path) -> None:
    told = {"text": "Geh weg.", "language": "de", "context": "A: Hallo.", "licence": "CC BY 4.0", "value": -0.5}
    (row,) = read_manifest(jsonl(folder, {"path": "a.mp4"} | told))
    assert (row.clip.said, row.language, row.context, row.licence) == ("Geh weg.", "de", "A: Hallo.", "CC BY 4.0")
    assert row.annotation.value == -0.5
    table = folder / "clips.csv"
    table.write_text("path,text,language,context,licence,value\na.mp4,Geh weg.,de,A: Hallo.,CC BY 4.0,-0.5\n")
    assert read_manifest(table) == (row,)


def test_languages_and_values_that_are_none_are_mistakes(folder: Path) -> None:
    wrong = [
        {"path": "a.mp4", "language": "German"},
        {"path": "b.wav", "value": True},
        {"path": "c.wav", "value": "low"},
    ]
    with pytest.raises(ConfigError) as caught:
        read_manifest(jsonl(folder, *wrong))
    for expected in (
        "line 1: language is 'German'; write its ISO 639-1 code, such as de",
        "line 2: value is True, not a number",
        "line 3: value is 'low', not a number",
    ):
        assert expected in str(caught.value)
    table = folder / "clips.csv"
    for cell in ("low", "nan"):
        table.write_text(f"path,value\na.mp4,{cell}\n")
        with pytest.raises(ConfigError, match=f"line 2: value is '?{cell}'?, not a number"):
            read_manifest(table)


def test_where_clips_alone_are_wanted_the_good_rows_are_read(folder: Path) -> None:
    rows = [{"path": "a.mp4", "split": "dev", "label": 3, "note": "x"}, "{", {"path": "gone.mp4"}, {"path": 7}]
    clips, bad = read_clips(jsonl(folder, *rows))
    assert [Path(clip.path).name for clip in clips] == ["a.mp4", "gone.mp4"]
    assert [(row.line, row.path) for row in bad] == [(2, None), (4, None)]


def test_a_csv_that_breaks_off_gives_the_rows_before_the_break(folder: Path) -> None:
    table = folder / "clips.csv"
    table.write_text('path\na.mp4\n"b.wav\nc.wav\n')
    clips, (bad,) = read_clips(table)
    assert [Path(clip.path).name for clip in clips] == ["a.mp4"]
    assert "and no line after it can be read" in bad.reason


def test_the_description_of_a_manifest_names_every_column() -> None:
    assert [key for key in KEYS if key not in str(manifest.__doc__)] == []


def test_every_mistake_of_a_file_is_told_with_its_line(folder: Path) -> None:
    path = jsonl(
        folder,
        {"path": "a.mp4", "label": "sad", "split": "train", "speaker": "s1"},
        "{not json",
        "[1]",
        {"label": "sad", "split": "test"},
        {"path": "gone.mp4", "split": "test"},
        {"path": "b.wav", "label": "glad", "split": "dev"},
        {"path": "b.wav", "lable": "sad", "split": "test"},
        {"path": "b.wav", "start": 3, "end": 2, "split": "test"},
        {"path": "b.wav", "start": "soon", "split": "test"},
        {"path": "b.wav", "label": "sad", "labels": ["sad"], "split": "test"},
        {"path": "b.wav", "votes": {"sad": -1}, "split": "test"},
        {"path": "a.mp4", "label": "sad", "split": "test", "speaker": "s1"},
        {"path": "c.wav"},
    )
    with pytest.raises(ConfigError) as caught:
        read_manifest(path, ["sad", "happy"])
    told = str(caught.value)
    for expected in (
        "clips.jsonl has 14 mistakes",
        "line 2: this is not JSON",
        "line 3: this is not an object",
        "line 4: it has no path",
        "line 5: there is no file gone.mp4 (path)",
        "line 6: split is 'dev'; choose one of train, validation, calibration, test",
        "line 6: the label 'glad' is not one of sad, happy",
        "line 7: 'lable' is not known here",
        "line 8: it ends at 2 s, before its start at 3 s",
        "line 9: start is 'soon', not a number of seconds",
        "line 10: it has label and labels; give one of them",
        "line 11: the votes {'sad': -1} are not counts",
        "line 12: 'a.mp4' stands in line 1 too",
        "line 12: speaker s1 is in test, and in train in line 1",
        "line 13: rows with and without a split are mixed (1 of 11 without)",
    ):
        assert expected in told
    assert "\n" not in told
    assert [told.index(f"line {n}:") for n in range(2, 14)] == sorted(told.index(f"line {n}:") for n in range(2, 14))


def test_mistakes_of_a_csv_have_lines_too(folder: Path) -> None:
    path = folder / "clips.csv"
    path.write_text("path,emotion,start,path\na.mp4,sad,1,x\nb.wav,sad\nb.wav,sad,later,y\n")
    with pytest.raises(ConfigError) as caught:
        read_manifest(path)
    for expected in (
        "line 1: 'emotion' is not known here",
        "line 1: columns come twice (path)",
        "line 3: 2 cells stand below 4 columns",
        "line 4: start is 'later', not a number of seconds",
    ):
        assert expected in str(caught.value)
    path.write_text("file,label\na.mp4,sad\n")
    with pytest.raises(ConfigError, match="there is no column `path`"):
        read_manifest(path)


def test_hundreds_of_mistakes_are_counted_and_fifty_told(folder: Path) -> None:
    path = jsonl(folder, *({"path": f"gone{i}.mp4"} for i in range(300)))
    with pytest.raises(ConfigError) as caught:
        read_manifest(path)
    assert "has 300 mistakes" in str(caught.value)
    assert str(caught.value).endswith("gone49.mp4 (path); and 250 more")


def test_what_is_no_manifest_is_refused_in_one_line(folder: Path) -> None:
    for name, content, expected in (
        ("clips.txt", b"a.mp4", r"ends in \.jsonl or \.csv"),
        ("empty.jsonl", b"\n\n", "has no rows"),
        ("header.csv", b"path,label\n", "has no rows"),
        ("latin.csv", b"path\n\xe9.mp4\n", "UTF-8"),
        ("odd.csv", b'path\n"a.mp4\n', "this is not CSV"),
        ("deep.jsonl", b"[" * 100_000, "this is not JSON"),
    ):
        (folder / name).write_bytes(content)
        with pytest.raises(ConfigError, match=expected):
            read_manifest(folder / name)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_manifest(folder / "absent.csv")


def test_a_path_that_no_disk_can_hold_is_a_mistake_and_no_crash(folder: Path) -> None:
    path = jsonl(folder, {"path": "x" * 5000}, {"path": "nul\0.wav"}, {"path": "b.wav", "start": True})
    with pytest.raises(ConfigError, match="has 3 mistakes"):
        read_manifest(path)


def test_numbers_beyond_any_float_are_mistakes_and_no_crash(folder: Path) -> None:
    lines = [
        f'{{"path": "a.mp4", "{key}": {number}}}' for key in ("start", "value") for number in ("9" * 400, "9" * 5000)
    ]
    with pytest.raises(ConfigError) as caught:
        read_manifest(jsonl(folder, *lines, {"path": "a.mp4", "votes": {"sad": 10**400}}))
    told = str(caught.value)
    assert [f"line {number}: " in told for number in range(1, 6)] == [True] * 5
    assert told.count("this is not JSON") == 2


def test_the_shared_clips_read_through_a_manifest(real_data: Path, tmp_path: Path) -> None:
    """Absolute paths stay as they are; labels of the shared table are those of the file."""
    file = "ravdess_speech/03-01-05-02-01-01-12.flac"
    path = tmp_path / "clips.csv"
    path.write_text(f"path,label,speaker\n{real_data / 'clips' / file},angry,actor12\n")
    (row,) = read_manifest(path, ["angry", "sad"])
    assert Path(row.clip.path) == real_data / "clips" / file


def test_a_clip_that_is_not_there_is_no_mistake_where_missing_clips_are_listed(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text('{"path": "gone.mp4", "label": "sad"}\n')
    (row,) = read_manifest(tmp_path / "m.jsonl", missing_clips=True)
    assert (row.id, row.annotation.labels) == ("gone.mp4", ("sad",))
    with pytest.raises(ConfigError, match=r"there is no file gone.mp4 \(path\)"):
        read_manifest(tmp_path / "m.jsonl")


@pytest.mark.parametrize("name", ["talks.jsonl", "talks.json"])
def test_conversations_are_read_in_place_of_a_manifest(tmp_path: Path, name: str) -> None:
    turns = [{"from": "human", "value": "<video>What?"}, {"from": "gpt", "value": 'It drops. Emotions: ["sad"]'}]
    record = json.dumps({"conversations": turns, "videos": ["a.mp4"]})
    (tmp_path / name).write_text(f"[{record}]" if name.endswith(".json") else record)
    assert is_manifest(tmp_path / name)
    (row,) = read_manifest(tmp_path / name, missing_clips=True)
    assert (row.annotation.explanation, row.annotation.labels) == ("It drops.", ("sad",))
    with pytest.raises(ConfigError, match="there is no file"):
        read_manifest(tmp_path / name)
    with pytest.raises(ConfigError, match=r"a.mp4: the label 'sad' is not one of glad, mad"):
        read_manifest(tmp_path / name, ["glad", "mad"], missing_clips=True)


def test_rows_that_can_be_used_are_read_beside_those_that_cannot(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    lines = [
        {"path": "a.wav", "label": "sad", "id": "1"},
        {"path": "gone.wav", "label": "sad", "id": "2"},
        {"path": "a.wav", "labels": "sad", "id": "3"},
        {"path": "a.wav", "label": "happy", "id": "1"},
    ]
    (tmp_path / "m.jsonl").write_text("\n".join(json.dumps(line) for line in lines) + "\n{", encoding="utf-8")
    rows, bad = read_rows(tmp_path / "m.jsonl")
    assert [(row.id, row.annotation.labels) for row in rows] == [("1", ("sad",))]
    assert [(row.line, row.path) for row in bad] == [(2, "gone.wav"), (3, "a.wav"), (4, "a.wav"), (5, None)]
    assert "there is no file gone.wav" in bad[0].reason
    assert "stands in line 1 too" in bad[2].reason


def test_no_usable_row_and_mixed_splits_are_refused_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    (tmp_path / "none.jsonl").write_text('{"path": "gone.wav"}', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"none\.jsonl has 1 mistake: line 1: there is no file gone\.wav"):
        read_rows(tmp_path / "none.jsonl")
    mixed = '{"path": "a.wav", "id": "1", "split": "train"}\n{"path": "a.wav", "id": "2"}'
    (tmp_path / "mixed.jsonl").write_text(mixed, encoding="utf-8")
    with pytest.raises(ConfigError, match="rows with and without a split are mixed"):
        read_rows(tmp_path / "mixed.jsonl")
