"""Decisions of a person, and the manifest after them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emer.annotate.decisions import SCHEMA, mark_of
from emer.annotate.records import read_lines
from emer.cli import main
from emer.data.manifest import read_manifest

Talk = Callable[..., Path]


@pytest.fixture
def drafts(talk: Talk, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A folder with three drafts that the filter keeps and one that it rejects; the mark of each."""
    rows: list[dict[str, object]] = [
        {"id": "one", "text": "I am so glad about it!", "label": "happy"},
        {"id": "two", "text": "I am furious about this.", "votes": {"angry": 3, "sad": 1}},
        {"id": "three", "text": "I am sad and lonely.", "label": "sad"},
        {"id": "four", "text": "I am sad and lonely today.", "label": "happy"},
    ]
    out = tmp_path / "out"
    assert main(["annotate", str(talk(rows)), "--out", str(out), "--weights", "none", "--blind"]) == 0
    lines = read_lines(out / "done.jsonl")
    assert [line.outcome for line in lines] == ["kept", "kept", "kept", "rejected"]
    return out, {line.id: mark_of(line) for line in lines}


def decided(path: Path, *decisions: dict[str, Any], schema: str = SCHEMA) -> str:
    path.write_text(json.dumps({"schema": schema, "decisions": decisions}), encoding="utf-8")
    return str(path)


def test_what_was_accepted_and_edited_becomes_the_reviewed_manifest(
    drafts: tuple[Path, dict[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, marks = drafts
    edit = {"explanation": " The voice trembles [a9]. ", "labels": ["irate"]}
    file = decided(
        tmp_path / "d.json",
        {"mark": marks["one"], "id": "one", "decision": "accept"},
        {"mark": marks["two"], "id": "two", "decision": "edit", **edit},
        {"mark": marks["four"], "id": "four", "decision": "accept"},
    )
    capsys.readouterr()
    assert main(["annotate", "--out", str(out), "--apply", file]) == 0
    said = capsys.readouterr()
    assert said.out == "2 accept, 1 edit, 1 undecided\n"
    assert "do not bear out the edit of two: The voice trembles [a9]. (unsupported)" in said.err
    before = {row.id: row for row in read_manifest(out / "manifest.jsonl")}
    one, two, four = read_manifest(out / "reviewed.jsonl")
    assert one == before["one"]
    assert (two.annotation.explanation, two.annotation.labels) == ("The voice trembles [a9].", ("irate",))
    assert two.annotation.votes == {}
    assert (four.id, four.annotation.labels) == ("four", ("lonely",)), "what the filter rejects, a person may accept"


def test_the_last_of_several_decisions_counts_and_rejected_drafts_stay_out(
    drafts: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    out, marks = drafts
    first = decided(tmp_path / "1.json", *({"mark": m, "id": i, "decision": "accept"} for i, m in marks.items()))
    second = decided(tmp_path / "2.json", {"mark": marks["one"], "id": "one", "decision": "reject"})
    assert main(["annotate", "--out", str(out), "--apply", first, second]) == 0
    assert [row.id for row in read_manifest(out / "reviewed.jsonl")] == ["two", "three", "four"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[1]", "holds no decisions of a review page"),
        ('{"decisions": [{"mark": "x", "id": "y", "decision": "perhaps"}]}', "holds no decisions of a review page"),
        ('{"decisions": [], "schema": "emer.decisions/9"}', "has the schema 'emer.decisions/9'"),
        ('{"decisions": [{"mark": "x", "id": "y", "decision": "accept"}]}', "the draft of y is not in this folder"),
        ('{"decisions": [{"mark": "ONE", "id": "one", "decision": "edit", "explanation": " "}]}', "no explanation"),
        ('{"decisions": [{"mark": "ONE", "id": "one", "decision": "edit", "labels": []}]}', "leaves no label"),
        (None, "cannot be read"),
    ],
)
def test_decisions_that_cannot_be_used_change_nothing(
    content: str | None, words: str, drafts: tuple[Path, dict[str, str]], tmp_path: Path, capsys: Any
) -> None:
    out, marks = drafts
    file = tmp_path / "d.json"
    if content is not None:
        file.write_text(content.replace("ONE", marks["one"]), encoding="utf-8")
    assert main(["annotate", "--out", str(out), "--apply", str(file)]) == 2
    assert words in capsys.readouterr().err
    assert not (out / "reviewed.jsonl").exists()
