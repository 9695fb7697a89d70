"""`emer score` as people meet it: what it prints, and one line with exit code 2 for every bad file."""

import codecs
import csv
import io
import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from chat_server import said, serving

from emer.cli import SCORES, main
from emer.commands.score import EMBEDDED, JUDGED
from emer.score.scoring import METRICS

GOLD = "name,label\na,\"['sad', 'angry']\"\nb,happy\n"
ANSWERS = 'name,openset\na,"[sad, angry]"\nb,[glad]\n'
KEYS = [
    *("metric", "score", "interval", "unit", "n_scored", "n_skipped", "skipped", "unknown_share", "floors", "tables"),
    "detail",
]
"""The JSON of `emer score`, as documented."""


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


# ---------------------------------------------------------------- what comes out


def scored(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict:
    assert main(["score", *arguments, "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def test_json_has_the_documented_keys_in_their_order(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = scored([*files, "--metric", "wheel_f1"], capsys)
    assert list(found) == KEYS
    assert found["unit"] == "fraction"
    assert found["score"] == 1.0  # glad and happy are one cluster on each wheel, the rest is equal
    assert found["n_scored"] == 2
    assert found["tables"]["name"] == "emer 1"
    assert re.fullmatch("[0-9a-f]{64}", found["tables"]["sha256"])
    low, high = found["interval"]
    assert low <= found["score"] <= high


def test_without_bootstrap_there_is_no_interval(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert scored([*files, "--metric", "wheel_f1", "--bootstrap", "0"], capsys)["interval"] is None


def test_the_table_says_percent_fraction_floors_and_tables(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", *files, "--metric", "wheel_f1", "--detail"]) == 0
    text = capsys.readouterr().out
    assert "100.00 %" in text
    assert "(1.0000, 95 % interval from resampled clips)" in text
    assert "[angry, sad, happy]" in text
    assert "emer 1, sha256" in text
    assert "wheel 5, ring 1" in text
    assert max(map(len, text.splitlines()[1:])) <= 88


def test_missing_clips_count_as_empty_where_that_is_asked(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of two clips is answered, and rightly: precision and recall are 1/2."""
    one = written(tmp_path / "one.csv", 'name,openset\na,"[sad, angry]"\n')
    found = scored([one, files[1], "--metric", "wheel_f1", "--missing", "empty"], capsys)
    assert found["score"] == 0.5
    assert found["detail"]["notes"] == ["1 clips have no answer and count as empty (b)"]


def test_two_files_are_compared_on_the_same_clips(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worse = written(tmp_path / "worse.csv", "name,openset\na,[happy]\nb,[glad]\n")
    found = scored([*files, "--metric", "wheel_f1", "--against", worse], capsys)
    assert found["score"] == 0.5
    assert found["detail"]["first"]["score"] == 1.0
    assert found["detail"]["second"]["score"] == 0.5
    assert main(["score", *files, "--metric", "wheel_f1", "--against", worse]) == 0
    assert "do not tell the two apart" in capsys.readouterr().out
    assert scored([*files, "--metric", "wheel_f1", "--against", files[0]], capsys)["score"] == 0.0


@pytest.mark.parametrize(
    ("encoding", "mark", "asked"),
    [
        ("utf-8", codecs.BOM_UTF8, []),
        ("utf-16-le", codecs.BOM_UTF16_LE, []),
        ("utf-16-be", codecs.BOM_UTF16_BE, []),
        ("utf-32-le", codecs.BOM_UTF32_LE, []),
        ("gb18030", b"", ["--encoding", "gb18030"]),
    ],
)
def test_a_mark_or_an_option_says_the_encoding(
    encoding: str, mark: bytes, asked: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = written(tmp_path / "answers.csv", mark + "名称,标签\na,难过\n".encode(encoding))
    gold = written(tmp_path / "gold.csv", mark + "名称,情感\na,难过\n".encode(encoding))
    found = scored([answers, gold, "--metric", "micro_f1", *asked], capsys)
    assert found["score"] == 1.0
    assert f"{answers}: column '名称' is read as name" in found["detail"]["notes"]
    assert f"{gold}: column '情感' is read as labels" in found["detail"]["notes"]


def test_labels_of_100_000_characters_are_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    endless = "very " * 40_000 + "sad"
    answers = written(tmp_path / "answers.csv", f'name,openset\na,"[{endless}, sad]"\n')
    gold = written(tmp_path / "gold.csv", "name,label\na,sad\n")
    limit = csv.field_size_limit()
    found = scored([answers, gold, "--metric", "wheel_f1"], capsys)
    assert found["score"] == 1.0
    assert found["unknown_share"] == 0.5
    assert all(len(word) <= 80 for word in found["detail"]["unknown"])
    assert csv.field_size_limit() == limit


def test_a_model_groups_labels_where_it_is_asked_to(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """A model that puts glad and happy together makes both clips right; without one they are strangers."""
    chat_server = pytest.importorskip("chat_server")

    def answer(body: dict) -> object:
        words = ("sad", "angry", "happy", "glad")
        asked = [word for word in words if f'"{word}"' in chat_server.last(body)]
        groups = [[word] for word in asked if word not in ("happy", "glad")]
        return chat_server.said(json.dumps(groups + ([["happy", "glad"]] if "glad" in asked else [])))

    with chat_server.serving(answer) as server:
        found = scored([*files, "--metric", "mer2024_ov", "--url", server.url, "--model", "small"], capsys)
    assert found["score"] == 1.0
    assert "small (prompt group_labels" in found["detail"]["groups"]
    assert found["floors"] == {}


def test_help_names_every_metric() -> None:
    assert SCORES.split(", ") == [*METRICS, *EMBEDDED, *JUDGED]


# ---------------------------------------------------------------- what it costs


BLOCK = """
import sys
import zipfile
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "pandas", "scipy", "pyarrow", "rich", "matplotlib"}:
            raise ImportError(f"{name} was imported")
sys.meta_path.insert(0, Block())
from emer.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_scoring_loads_nothing_heavy(files: tuple[str, str]) -> None:
    command = [sys.executable, "-c", BLOCK, "score", *files, "--metric", "wheel_f1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def gigabytes_of(command: list[str]) -> float:
    """Peak memory of a command in a process of its own, by the kernel's mark for that program alone (what getrusage
    tells may be its parent's)."""
    code = (
        "import re, sys\nfrom emer.cli import main\ncode = main(sys.argv[1:])\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())[1]\n"
        "print(peak, file=sys.stderr)\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.splitlines()[-1]) / 1e6


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell a program's peak memory")
def test_a_million_clips_fit_into_one_and_a_half_gigabytes(tmp_path: Path) -> None:
    """How long they take is measured in benchmarks/score.py."""
    draw = np.random.default_rng(0)
    words = np.array(["happy", "sad", "angry", "worried", "calm", "proud", "joyful", "bored", "curious", "hurt"])
    for name, column in (("answers.csv", "openset"), ("gold.csv", "label")):
        picks = words[draw.integers(0, len(words), size=(1_000_000, 4))]
        rows = "".join(f'clip{i:07d},"[{", ".join(row)}]"\n' for i, row in enumerate(picks.tolist()))
        written(tmp_path / name, f"name,{column}\n{rows}")
    paths = [str(tmp_path / "answers.csv"), str(tmp_path / "gold.csv")]
    assert 0.1 < gigabytes_of(["score", *paths, "--metric", "wheel_f1"]) < 1.5


def test_a_judge_is_a_model_that_must_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [written(tmp_path / "a.csv", ANSWERS), written(tmp_path / "g.csv", GOLD)]
    assert main(["score", *paths, "--metric", "label_overlap"]) == 2
    assert "label_overlap is judged by a model; say which with --url and --model" in capsys.readouterr().err
    with serving(lambda body: said('{"score": 7, "reason": "close"}')) as server:
        asked = ["--metric", "label_overlap", "--url", server.url, "--model", "small"]
        assert main(["score", *paths, *asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["score"], found["n_scored"], found["detail"]["prompt"]["name"]) == (0.7, 2, "judge_label_overlap.en")


def test_metrics_of_embeddings_want_an_encoder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [written(tmp_path / "a.csv", ANSWERS), written(tmp_path / "g.csv", GOLD)]
    assert main(["score", *paths, "--metric", "bertscore"]) == 2
    assert "name the folder of a text encoder with --encoder" in capsys.readouterr().err
    assert main(["score", *paths, "--metric", "embedding", "--encoder", str(tmp_path)]) == 2
    assert "holds no model: there is no config.json" in capsys.readouterr().err


def test_confidences_in_words_stop_only_the_scores_that_read_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = written(tmp_path / "a.csv", 'name,openset,confidence\na,"[sad]",high\nb,[glad],low\n')
    gold = written(tmp_path / "g.csv", GOLD)
    assert main(["score", answers, gold, "--metric", "wheel_f1"]) == 0
    capsys.readouterr()
    assert main(["score", answers, gold, "--metric", "trusted", "--threshold", "0.5"]) == 2
    assert "confidence" in capsys.readouterr().err
