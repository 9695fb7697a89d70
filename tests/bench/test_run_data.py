"""What a run asks about: how clips are drawn, what of a clip is in its hash, and what is hashed again."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from emer.bench.run_configuration import RunConfig, RunData, RunSystem
from emer.bench.run_data import Asked, Beside, ClipFile, asked, clip_files, content_of
from emer.data.manifest import read_manifest
from emer.media.transcript import sidecars
from emer.types import Clip


def manifest(folder: Path, count: int = 20) -> RunData:
    for number in range(count):
        (folder / f"{number}.wav").write_bytes(bytes([number]) * 100)
    rows = [json.dumps({"path": f"{n}.wav", "id": f"row{n}", "label": "sad", "value": 0}) for n in range(count)]
    (folder / "clips.jsonl").write_text("\n".join(rows))
    return RunData(name=str(folder / "clips.jsonl"))


def ask(folder: Path, **settings: object) -> Asked:
    data = manifest(folder)
    config = RunConfig(data=(data,), systems=(RunSystem(name="x"),), out=str(folder / "out"), **settings)
    return asked(config, data, None, print)


def test_a_larger_limit_asks_for_the_same_clips_and_more_and_another_seed_for_others(tmp_path: Path) -> None:
    drawn = {limit: [row.id for row in ask(tmp_path, limit=limit).rows] for limit in (3, 7, 20, 50)}
    assert [len(ids) for ids in drawn.values()] == [3, 7, 20, 20]
    assert set(drawn[3]) < set(drawn[7])
    assert drawn[20] == [f"row{n}" for n in range(20)]  # in the order of the manifest
    assert [row.id for row in ask(tmp_path, limit=7, seed=1).rows] != drawn[7]


def test_gold_and_record_say_what_was_asked(tmp_path: Path) -> None:
    found = ask(tmp_path, limit=2)
    gold = [json.loads(line) for line in (tmp_path / "out/gold/clips.jsonl").read_text().splitlines()]
    assert gold == [{"name": row.id, "labels": ["sad"], "value": 0.0} for row in found.rows]
    record = json.loads((tmp_path / "out/data/clips.json").read_text())
    assert (record["n_rows"], record["n_asked"], record["n_missing"], record["metric"]) == (20, 2, 0, "wheel_f1")
    assert str(tmp_path) not in (tmp_path / "out/gold/clips.jsonl").read_text()


def test_contents_are_hashed_again_only_where_size_or_time_differ(tmp_path: Path) -> None:
    """A wrong hash in the earlier file shows whether it was believed."""
    manifest(tmp_path, 2)
    rows = read_manifest(tmp_path / "clips.jsonl")
    first = list(clip_files(rows, tmp_path / "none"))
    known = tmp_path / "known.jsonl"
    known.write_text("\n".join(json.dumps({**_dict(file), "sha256": "believed"}) for file in first))
    assert [file.sha256 for file in clip_files(rows, known)] == ["believed", "believed"]
    os.utime(rows[1].clip.path, ns=(1, 1))
    assert [file.sha256 for file in clip_files(rows, known)] == ["believed", first[1].sha256]
    known.write_text("damaged")
    assert [file.sha256 for file in clip_files(rows, known)] == [file.sha256 for file in first]


def _dict(file: ClipFile) -> dict[str, object]:
    return {name: getattr(file, name) for name in ("name", "path", "start", "end", "size", "modified")}


@pytest.mark.parametrize(
    "change",
    [
        {"start": 1.0},
        {"end": 2.0},
        {"said": "words"},
        {"without": frozenset({"audio"})},
        {"transcript": "other.txt"},
        {"speaker_baseline": "neutral"},
    ],
)
def test_every_part_of_a_clip_that_matters_is_in_its_hash(tmp_path: Path, change: dict[str, object]) -> None:
    (tmp_path / "other.txt").write_text("what is said")
    (tmp_path / "neutral").mkdir()
    (tmp_path / "neutral" / "calm.wav").write_bytes(b"calm")
    here = {
        key: str(tmp_path / value) if isinstance(value, str) and key != "said" else value
        for key, value in change.items()
    }
    clip, file = Clip(str(tmp_path / "a.wav")), ClipFile("a", "a.wav", None, None, 1, 1, "hash")
    assert content_of(replace(clip, **here), file, Beside()) != content_of(clip, file, Beside())
    assert content_of(clip, replace(file, sha256="other"), Beside()) != content_of(clip, file, Beside())
    assert content_of(clip, replace(file, name="b", path="b.wav"), Beside()) == content_of(clip, file, Beside())


def test_a_transcript_beside_a_clip_is_found_as_the_reader_of_clips_finds_it(tmp_path: Path) -> None:
    names = ("a.srt", "a.en.srt", "a.b.txt", "a.b.de.vtt", "ab.srt", "a.mp4", ".txt", "a.xyz")
    for name in names:
        (tmp_path / name).write_text(name)
    beside = Beside()
    for stem in ("a", "a.b", "ab", "c"):
        wanted = {str(path) for path, _ in sidecars(tmp_path / f"{stem}.mp4")}
        assert wanted <= set(beside.clip(tmp_path / f"{stem}.mp4"))
    assert beside.clip(tmp_path / "c.mp4") == []
    assert str(tmp_path / "a.xyz") not in beside.clip(tmp_path / "a.mp4")


def test_rows_that_are_missing_are_told_apart_from_those_that_are_there(tmp_path: Path) -> None:
    data = manifest(tmp_path, 3)
    with Path(data.name).open("a") as file:
        file.write('\n{"id": "gone", "path": "gone.wav", "label": "sad"}\n')
    config = RunConfig(data=(data,), systems=(RunSystem(name="x"),), out=str(tmp_path / "out"))
    found = asked(config, data, None, print)
    assert [row.id for row in found.missing] == ["gone"]
    assert (tmp_path / "out/missing/clips.txt").read_text() == f"gone\t{tmp_path / 'gone.wav'}\n"
    assert "gone" not in (tmp_path / "out/gold/clips.jsonl").read_text()
