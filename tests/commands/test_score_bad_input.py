"""Every bad file and every senseless call of `emer score`: one line on stderr, exit code 2, nothing on stdout."""

import io
import json
import os
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from emer.cli import main

GOLD = "name,label\na,\"['sad', 'angry']\"\nb,happy\n"
ANSWERS = 'name,openset\na,"[sad, angry]"\nb,[glad]\n'


@dataclass(frozen=True)
class Bad:
    name: str
    arguments: list[str]
    says: str


def written(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    return written(tmp_path / "answers.csv", ANSWERS), written(tmp_path / "gold.csv", GOLD)


# ---------------------------------------------------------------- what goes wrong


def bad_files(folder: Path) -> Iterator[tuple[str, str, bytes, str]]:
    """Name, ending, content of an answers file, and a piece of the letter that it must get."""
    chinese = "name,openset\na,[难过]\nb,[高兴]\n"
    yield "empty", ".csv", b"", "is empty (0 bytes)"
    yield "only a header", ".csv", b"name,openset\n", "has columns but no rows"
    yield "gb18030", ".csv", chinese.encode("gb18030"), "add --encoding gb18030"
    yield "latin-1", ".csv", "name,openset\na,[fiancé]\nb,[naïve]\n".encode("latin-1"), "line 2, byte"
    yield "utf-16 without mark", ".csv", ANSWERS.encode("utf-16-le"), "add --encoding utf-16-le"
    yield "zero bytes", ".csv", b"name,openset\na,[sad\0]\n", "holds zero bytes"
    yield "spreadsheet", ".csv", b"PK\x03\x04" + bytes(100), "it is a zip archive or spreadsheet"
    yield "unknown ending", ".xlsx", b"PK\x03\x04", "give a file that ends in .csv"
    yield "unquoted list", ".csv", b"name,openset\na,[sad, angry]\nb,[happy]\n", "line 2 has 3"
    yield "open quote", ".csv", b'name,openset\na,"[sad]\nb,[happy]\n', "quotation mark"
    yield "no names", ".csv", b"who,openset\na,[sad]\n", "no column with the names of clips"
    yield "no labels", ".csv", b"name,colour\na,red\n", "no column to score"
    yield "column twice", ".csv", b"name,openset,openset\na,x,y\n", "twice"
    yield "row without name", ".csv", b"name,openset\na,[sad]\n,[happy]\n", "1 rows without a name"
    yield "doubled clip", ".csv", b"name,openset\na,[sad]\nb,[happy]\na,[angry]\n", "1 clips more than once (a)"
    yield "missing clip", ".csv", b"name,openset\na,[sad]\n", "1 of 2 clips have no answer"
    yield "answer without gold", ".csv", ANSWERS.encode() + b"c,[sad]\n", "1 answers are to clips that"
    yield "other clips", ".csv", b"name,openset\nx,[sad]\ny,[sad]\n", "no clip in common"
    yield "names with endings", ".csv", b"name,openset\na.mp4,[sad]\nb.mp4,[sad]\n", "'a.mp4'"
    yield "no json", ".jsonl", b'{"name": "a", "openset": ["sad"]}\n{"name": "b", "ope\n', "line 2 is not JSON"
    yield "no object", ".jsonl", b'{"name": "a", "openset": ["sad"]}\n["b"]\n', "line 2 is no JSON object"
    yield "empty json", ".json", b"[]", "has no rows"
    yield "json of numbers", ".json", b"7", "holds no rows"
    yield "columns of json", ".json", b'{"name": ["a", "b"], "labels": [["sad"]]}', "different lengths"
    yield "no parquet", ".parquet", b"PAR1" + bytes(40), "cannot be read as parquet"
    yield "no npz", ".npz", b"PK\x03\x04", "no .npz archive"
    yield "bad confidence", ".jsonl", _lines({"label": "sad", "confidence": 2}), "cannot be read"
    yield "object without label", ".jsonl", _lines({"word": "sad"}), "cannot be read"
    pickled = folder / "pickled.npz"
    np.savez(pickled, name=np.array(["a", "b"]), labels=np.array([["sad"], None], dtype=object))
    yield "pickled npz", ".npz", pickled.read_bytes(), "pickled Python objects, which emer never loads"
    yield "brackets without end", ".json", b"[" * 100_000, "is not JSON"
    yield "many columns", ".csv", b"name,openset" + b",x" * 10**5 + b"\na,b\n", "has 100002 columns"
    yield "archive of terabytes", ".npz", _archive_of(10**9, "<U1000"), "unpacks to more than memory holds"
    yield "bytes of no text", ".npz", _saved(name=[b"a", b"b"], labels=[b"\xff", b"sad"]), "bytes that are no UTF-8"
    buffer = io.BytesIO()
    np.savez(buffer, name=np.array(["a", "b"]), labels=np.array(["sad"]))
    yield "uneven npz", ".npz", buffer.getvalue(), "different lengths"


def _saved(**columns: list[bytes]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{name: np.array(column) for name, column in columns.items()})  # type: ignore[arg-type]
    return buffer.getvalue()


def _archive_of(entries: int, kind: str) -> bytes:
    """An archive of a few hundred bytes whose array says that it has so many entries."""
    head, buffer = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": kind, "fortran_order": False, "shape": (entries,)})
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("name.npy", head.getvalue())
    return buffer.getvalue()


def _lines(*emotions: dict[str, object]) -> bytes:
    rows = [{"name": name, "emotions": list(emotions)} for name in ("a", "b")]
    return "\n".join(map(json.dumps, rows)).encode()


def bad_inputs(folder: Path) -> Iterator[Bad]:
    gold = written(folder / "gold.csv", GOLD)
    answers = written(folder / "answers.csv", ANSWERS)
    wheel = ["--metric", "wheel_f1"]
    for number, (name, ending, content, says) in enumerate(bad_files(folder)):
        path = written(folder / f"answers_{number}{ending}", content)
        yield Bad(name, [path, gold, *wheel], says)
    yield Bad("no such file", [str(folder / "none.csv"), gold, *wheel], "there is no file")
    yield Bad("a folder", [str(folder), gold, *wheel], "cannot be read as a table")
    (folder / "folder.csv").mkdir()
    yield Bad("a folder with an ending", [str(folder / "folder.csv"), gold, *wheel], "is a folder")
    yield Bad("unknown encoding", [answers, gold, *wheel, "--encoding", "klingon"], "no encoding is called")
    for name in ("hex", "undefined"):  # codecs, but of no text
        yield Bad(name, [answers, gold, *wheel, "--encoding", name], f"no encoding is called '{name}'")
    yield Bad("other encoding", [answers, gold, *wheel, "--encoding", "utf-16"], "can be read as UTF-8; leave --enc")
    os.mkfifo(folder / "pipe.csv")
    yield Bad("a pipe", [str(folder / "pipe.csv"), gold, *wheel], "is no regular file")
    yield Bad("endless bootstrap", [answers, gold, *wheel, "--bootstrap", "1000000000"], "give 0 to 100,000")
    yield Bad("unknown metric", [answers, gold, "--metric", "vibes"], "there is no metric 'vibes'")
    yield Bad("no metric there", [answers, gold, "--metric", "emer.types:Span"], "is no metric")
    yield Bad("negative bootstrap", [answers, gold, *wheel, "--bootstrap=-1"], "bootstrap is -1")
    yield Bad("threshold above 1", [answers, gold, *wheel, "--threshold", "7"], "threshold is 7")
    yield Bad("no confidences", [answers, gold, "--metric", "trusted", "--threshold", "0.5"], "how sure it is")
    yield Bad("several gold labels", [answers, gold, "--metric", "hit_rate"], "several (a: sad, angry)")
    yield Bad("no values", [answers, gold, "--metric", "sentiment"], "no sentiment to score against")
    yield Bad("no label set", [answers, gold, "--metric", "jaccard", "--label-set", "moods"], "no label set is called")
    yield Bad("no groups", [answers, gold, "--metric", "mer2024_ov", "--groups", "none.json"], "groups none.json")
    odd = written(folder / "groups.json", '{"sad": 7}')
    yield Bad("groups of numbers", [answers, gold, "--metric", "mer2024_ov", "--groups", odd], "neither")
    deep = written(folder / "deep.json", "[" * 100_000)
    yield Bad("groups without end", [answers, gold, "--metric", "mer2024_ov", "--groups", deep], "cannot be read")
    pipe = str(folder / "pipe.csv")
    yield Bad("a pipe of groups", [answers, gold, "--metric", "mer2024_ov", "--groups", pipe], "no regular file")
    os.mkfifo(folder / "pipe.parquet")
    yield Bad("a pipe of parquet", [str(folder / "pipe.parquet"), gold, *wheel], "is no regular file")
    yield Bad("url alone", [answers, gold, *wheel, "--url", "http://localhost:1/v1"], "--url and --model")
    yield Bad("no tables", [answers, gold, *wheel, "--wheels", str(folder / "none")], "none")
    (folder / "tables").mkdir()
    written(folder / "tables" / "format.csv", "a,b\n")
    yield Bad("tables with a missing file", [answers, gold, *wheel, "--wheels", str(folder / "tables")], "synonym")
    empty = written(folder / "empty_gold.csv", "name,label\na,\nb,\n")
    yield Bad("gold without labels", [answers, empty, *wheel], "no clip of")
    doubled = written(folder / "doubled_gold.csv", GOLD + "a,sad\n")
    yield Bad("doubled gold", [answers, doubled, *wheel], "doubled_gold.csv has 1 clips more than once (a)")
    longer = written(folder / "longer_gold.csv", GOLD + "c,sad\n")
    yield Bad("gold without an answer", [answers, longer, *wheel], "1 of 3 clips have no answer")
    words = written(folder / "words.csv", "name,value\na,-1\nb,plenty\n")
    yield Bad("value in words", [answers, words, "--metric", "sentiment"], "the value of b is 'plenty'")


def test_every_bad_input_is_one_clear_line_and_exit_code_2(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    wrong = []
    for bad in bad_inputs(tmp_path):
        code = main(["score", *bad.arguments])
        out, err = capfd.readouterr()
        lines = err.splitlines()
        if not (code == 2 and out == "" and len(lines) == 1 and lines[0].startswith("emer: ") and bad.says in lines[0]):
            wrong.append((bad.name, code, out, lines))
    assert not wrong


@pytest.mark.parametrize(
    ("redirected", "says"), [(">&-", "standard output is closed"), (">/dev/full", "No space left")]
)
def test_a_result_that_cannot_be_printed_is_one_clear_line(redirected: str, says: str, files: tuple[str, str]) -> None:
    call = shlex.join([sys.executable, "-m", "emer.cli", "score", *files, "--metric", "wheel_f1", "--bootstrap", "0"])
    ended = subprocess.run(["sh", "-c", f"{call} {redirected}"], stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert says in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["score"], "required: PRED, GOLD, --metric"),
        (["score", "a.csv", "b.csv", "--metric", "m1", "--ring", "3"], "argument --ring: invalid choice: 3"),
        (["score", "a.csv", "b.csv", "--metric", "m1", "--bootstrap", "many"], "invalid int value: 'many'"),
        (["score", "a.csv", "b.csv", "--metric", "m1", "--wheel", "x", "--nonsense"], "unrecognized arguments"),
        (["scores"], "invalid choice: 'scores'"),
        ([], "required: COMMAND"),
    ],
)
def test_a_call_that_makes_no_sense_is_one_clear_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    shown = capsys.readouterr()
    (line,) = shown.err.splitlines()
    assert line.startswith("emer: ")
    assert says in line
    assert "--help" in line
    assert shown.out == ""


def test_labels_do_not_command_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = written(tmp_path / "answers.csv", "name,openset\na,\x1b[31mred\x07\n")
    gold = written(tmp_path / "gold.csv", "name,label\na,sad\n")
    assert main(["score", answers, gold, "--metric", "wheel_f1"]) == 0
    shown = capsys.readouterr().out
    assert "[31mred" in shown
    assert all(letter == "\n" or letter.isprintable() for letter in shown)


def test_the_letter_for_a_list_of_names_holds_a_few_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold = written(tmp_path / "gold.csv", "name,label\n" + "".join(f"clip{i},sad\n" for i in range(40)))
    answers = written(tmp_path / "answers.csv", "name,openset\nclip0,sad\n")
    assert main(["score", answers, gold, "--metric", "wheel_f1"]) == 2
    assert "39 of 40 clips have no answer" in (letter := capsys.readouterr().err)
    assert "clip1, clip2, clip3, clip4, clip5, …" in letter
    assert "clip6" not in letter
