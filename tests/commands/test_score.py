"""`emer score` as people meet it: what it prints, and one line with exit code 2 for every bad file."""

import codecs
import csv
import json
import re
import subprocess
import sys
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


def written(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    return written(tmp_path / "answers.csv", ANSWERS), written(tmp_path / "gold.csv", GOLD)


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
