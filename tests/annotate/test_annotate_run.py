"""`emer annotate` as a user runs it: real clips, bad clips, kills, other settings; and what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_server import refused, serving

from emer.annotate.records import Journal, Line, read_lines
from emer.cli import main
from emer.data.manifest import read_manifest
from emer.errors import ConfigError, OutputError
from emer.grounding import check, claims

Talk = Callable[..., Path]
EMOTIONS = {"03": "happy", "04": "sad", "05": "angry", "06": "fearful"}


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def acted(real_data: Path, tmp_path: Path) -> Path:
    """A manifest of eight acted utterances, their labels from the names of the files."""
    clips = sorted((real_data / "clips/ravdess_speech").glob("03-01-0[3456]-02-01-01-0[12].flac"))
    rows = [
        {
            "path": str(c),
            "label": EMOTIONS[c.stem.split("-")[2]],
            "speaker": c.stem[-2:],
            "split": "train",
            "id": c.stem,
        }
        for c in clips
    ]
    (tmp_path / "acted.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert len(rows) == 8
    return tmp_path / "acted.jsonl"


def test_the_composer_teaches_real_clips_and_the_manifest_is_read_back(
    acted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "out"
    assert main(["annotate", str(acted), "--out", str(out), "--weights", "none"]) == 0
    assert "8 of 8 clips have an explanation to learn from: 0 rejected, 0 failed" in capsys.readouterr().out
    gold = {row.id: row for row in read_manifest(acted)}
    for row in read_manifest(out / "manifest.jsonl"):
        before = gold[row.id]
        assert row.annotation.labels[0] == before.annotation.labels[0]
        assert (row.speaker, row.part) == (before.speaker, "train")
        assert Path(row.clip.path).samefile(before.clip.path)
        text = row.annotation.explanation or ""
        assert "[a" in text
        assert "Emotions:" not in text
        assert "hint" not in text
    kept = read_lines(out / "done.jsonl")
    for line in kept:
        found = claims(check(line.explanation, line.clues, line.said))
        assert found
        assert all(claim.status == "grounded" for claim in found)
    stats = json.loads((out / "stats.json").read_text())
    assert (stats["clips"], stats["kept"], stats["splits"]) == (8, 8, {"train": 8})
    assert stats["claims_kept"] == sum(len(claims(line.statements)) for line in kept)
    assert (out / "review.html").stat().st_size > 1000


def test_a_blind_teacher_is_held_against_what_people_said(acted: Path, tmp_path: Path) -> None:
    """Without heads the composer's hints are mostly wrong; what it keeps is right by the labels in the names."""
    out = tmp_path / "out"
    assert main(["annotate", str(acted), "--out", str(out), "--blind", "--weights", "none"]) == 0
    rejected = lines_of(out / "rejected.jsonl")
    assert {row["reason"] for row in rejected} <= {"other_emotion", "no_label", "unknown_labels"}
    assert len(rejected) >= 3
    assert len(lines_of(out / "manifest.jsonl")) + len(rejected) == 8
    assert any(row["told"].startswith("the draft says ") for row in rejected)


def test_bad_clips_and_rows_stop_no_other_and_are_named(
    talk: Talk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[dict[str, object]] = [
        {"id": "good", "text": "I am so glad, this is wonderful!", "label": "happy"},
        {"id": "broken", "text": "I am glad", "label": "happy"},
        {"id": "odd", "label": "happy", "split": "nowhere"},
        {"id": "voted", "text": "I am furious about this.", "votes": {"angry": 3, "sad": 1}},
    ]
    out = tmp_path / "out"
    assert main(["annotate", str(talk(rows, broken=("broken",))), "--out", str(out), "--weights", "none"]) == 1
    said = capsys.readouterr()
    assert "1 unreadable, 1 unreadable_row" in said.out
    assert "emer: broken:" in said.err
    assert "line 3: split is 'nowhere'" in said.err
    good, voted = read_manifest(out / "manifest.jsonl")
    assert good.annotation.labels == ("happy", "glad")
    assert voted.annotation.votes == {"angry": 3, "sad": 1}
    assert voted.annotation.labels == ()
    assert "furious" in (voted.annotation.explanation or "")
    failed = {row.get("id") or row["line"]: row["outcome"] for row in lines_of(out / "rejected.jsonl")}
    assert failed == {"broken": "failed", 3: "failed"}


def test_a_killed_run_goes_on_where_it_was_and_gives_the_same(
    talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["I am glad.", "I am furious.", "I am sad and lonely.", "I am afraid of it."]
    manifest = talk([{"text": said} for said in words])
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    command = ["annotate", str(manifest), "--weights", "none", "--out"]
    assert main([*command, str(whole)]) == 0
    added = []

    def dies(self: Journal, line: Line, add: Any = Journal.add) -> None:
        if len(added) == 2:
            with open(self.path, "ab") as file:
                file.write(b'{"key": "half of a li')
            raise KeyboardInterrupt
        added.append(line.id)
        add(self, line)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "add", dies)
        assert main([*command, str(torn)]) == 130
    again: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "add", lambda self, line, add=Journal.add: (again.append(line.id), add(self, line)))
        assert main([*command, str(torn)]) == 0
    assert added + again == ["clip0", "clip1", "clip2", "clip3"]
    for name in ("manifest.jsonl", "rejected.jsonl", "done.jsonl", "stats.json", "review.html"):
        assert (torn / name).read_bytes() == (whole / name).read_bytes()


def test_rows_that_say_something_else_are_annotated_anew_and_failures_are_tried_again(
    talk: Talk, tmp_path: Path
) -> None:
    out, rows = tmp_path / "out", [{"text": "I am glad.", "label": "happy"}, {"text": "I am sad.", "label": "sad"}]
    command = ["annotate", "--weights", "none", "--out", str(out)]
    assert main([*command, str(talk(rows, broken=("clip1",)))]) == 1
    rows[0]["label"] = "calm"
    assert main([*command, str(talk(rows))]) == 0
    labels = {row.id: row.annotation.labels[0] for row in read_manifest(out / "manifest.jsonl")}
    assert labels == {"clip0": "calm", "clip1": "sad"}


def test_a_folder_of_clips_needs_no_labels(talk: Talk, tmp_path: Path) -> None:
    talk([{"id": "one"}])
    (tmp_path / "one.txt").write_text("I am so glad, this is wonderful!")
    (tmp_path / "clips.jsonl").unlink()
    assert main(["annotate", str(tmp_path), "--out", str(tmp_path / "out"), "--weights", "none"]) == 0
    (row,) = read_manifest(tmp_path / "out" / "manifest.jsonl")
    assert (row.id, row.annotation.labels) == ("one.wav", ("glad",))


def test_clips_are_found_from_a_folder_that_is_reached_through_a_link(talk: Talk, tmp_path: Path) -> None:
    manifest = talk([{"text": "I am so glad!"}])
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    assert main(["annotate", str(manifest), "--out", str(tmp_path / "link"), "--weights", "none"]) == 0
    (row,) = read_manifest(tmp_path / "link" / "manifest.jsonl")
    assert Path(row.clip.path).samefile(tmp_path / "clip0.wav")


@pytest.mark.long
def test_a_run_that_is_killed_ends_like_one_that_was_not(real_data: Path, tmp_path: Path) -> None:
    """SIGKILL, twice, in the midst of 60 real clips."""
    clips = sorted((real_data / "clips/ravdess_speech").glob("*.flac"))[:60]
    (tmp_path / "m.jsonl").write_text("\n".join(json.dumps({"path": str(c), "id": c.stem}) for c in clips))
    environment = {**os.environ, "EMER_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}

    def start(out: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "emer.cli", "annotate", str(tmp_path / "m.jsonl"), "--weights", "none"]
        return subprocess.Popen([*command, "--out", str(tmp_path / out)], env=environment, stdout=subprocess.DEVNULL)

    done = tmp_path / "torn" / "done.jsonl"
    for wanted in (5, 25):
        process = start("torn")
        while process.poll() is None and (not done.exists() or done.read_bytes().count(b"\n") < wanted):
            time.sleep(0.005)
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it was killed before its end"
    assert start("torn").wait() == start("whole").wait() == 0
    for name in ("done.jsonl", "manifest.jsonl", "rejected.jsonl", "stats.json"):
        assert (tmp_path / "torn" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_folder_refuses_other_settings_but_mistakes_may_be_mended(
    talk: Talk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, out = str(talk([{"text": "I am glad."}])), str(tmp_path / "out")
    with serving(lambda body: refused(404, "no such model")) as server:
        wrong = ["--by", "endpoint", "--url", server.url, "--model", "smal"]
        assert main(["annotate", manifest, "--out", out, *wrong]) == 2
    assert "serves no model 'smal'" in capsys.readouterr().err
    assert main(["annotate", manifest, "--out", out, "--weights", "none"]) == 0
    assert main(["annotate", manifest, "--out", out, "--weights", "none", "--blind"]) == 2
    assert "blind was False and is True" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["clips.jsonl"], "with --out DIR"),
        (["--out", "o"], "name the clips"),
        (["clips.jsonl", "--out", "o", "--by", "endpoint"], "both --url and --model"),
        (["clips.jsonl", "--out", "o", "--stages", "2"], "for --by endpoint"),
        (["clips.jsonl", "--out", "o", "--language", "zh"], "the composer writes English"),
        (["clips.jsonl", "--out", "o", "--least-grounded", "60"], "a share from 0 to 1"),
        (["gone.jsonl", "--out", "o"], "cannot be read"),
        (["--out", "o", "--apply", "d.json"], "holds no drafts"),
    ],
)
def test_mistakes_are_told_in_one_line(
    options: list[str], words: str, talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    talk([{"text": "I am glad."}])
    monkeypatch.chdir(tmp_path)
    assert main(["annotate", *options]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1
    assert not (tmp_path / "o" / "done.jsonl").exists()


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    (tmp_path / "done.jsonl").write_text('{"key": 3}\n')
    with pytest.raises(ConfigError, match=r"done\.jsonl is damaged"):
        Journal(tmp_path)


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    journal.add(Line("k1", "one", "kept", {"path": "a"}))
    before = (tmp_path / "done.jsonl").read_bytes()

    def full(file: int, data: memoryview) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("emer.annotate.records.os.write", full)
        with pytest.raises(OutputError, match="No space left on device"):
            journal.add(Line("k2", "two", "kept", {"path": "b"}))
    assert (tmp_path / "done.jsonl").read_bytes() == before
    assert set(Journal(tmp_path).lines) == {"k1"}
