"""The command line as a user meets it: real processes where exit codes and streams count."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from bad_inputs import BadInput, make_bad_inputs

from emer import Explanation
from emer.cli import main
from emer.jsonio import loads

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads((ROOT / "emer" / "report" / "explanation.schema.json").read_text())


@pytest.fixture(scope="module")
def bad_inputs(tmp_path_factory: pytest.TempPathFactory) -> list[BadInput]:
    return make_bad_inputs(tmp_path_factory.mktemp("bad"))


def test_there_are_at_least_25_bad_inputs(bad_inputs: list[BadInput]) -> None:
    assert len({bad.name for bad in bad_inputs}) >= 25


def test_every_bad_input_is_one_clear_line_and_exit_code_2(
    bad_inputs: list[BadInput],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)  # where a report would be left behind
    wrong = []
    for bad in bad_inputs:
        code = main(["explain", str(bad.path), *bad.arguments, "--json", "--html"])
        stdout, stderr = capfd.readouterr()
        lines = stderr.splitlines()
        says = "--out DIR" if bad.name == "directory" else bad.says  # the command line takes folders, with --out
        fine = code == 2 and len(lines) == 1 and lines[0].startswith("emer: ") and says in lines[0]
        if not (fine and stdout == "" and list(tmp_path.iterdir()) == []):
            wrong.append((bad.name, code, stdout[:80], lines))
    assert not wrong


def test_an_explanation_is_text_on_stdout(example_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(example_clip)]) == 0
    out, err = capsys.readouterr()
    assert "[a" in out
    assert "[v" in out
    assert max(map(len, out.splitlines())) <= 80
    assert err == ""


def test_json_is_one_object_that_fits_the_schema_and_comes_back(
    example_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(example_clip), "--json"]) == 0
    out, _ = capsys.readouterr()
    (line,) = out.splitlines()
    jsonschema.validate(json.loads(line), SCHEMA)
    explanation = loads(line)
    assert isinstance(explanation, Explanation)
    assert explanation.confidence is None
    assert not explanation.calibrated
    assert {statement.status for statement in explanation.statements} <= {"grounded", "uncheckable"}


def test_out_takes_json_html_and_every_export(example_clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    assert main(["explain", str(example_clip), "--html", "--export", "TextGrid,eaf,csv,srt", "--out", str(out)]) == 0
    suffixes = (".json", ".html", ".TextGrid", ".eaf", ".csv", ".segments.csv", ".emer.srt")
    expected = {f"talking_face{suffix}" for suffix in suffixes}
    assert {path.name for path in out.iterdir()} == expected


def test_one_bad_clip_of_a_folder_is_named_and_stops_nothing(
    example_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "clips", tmp_path / "out"
    folder.mkdir()
    (folder / "a_bad.mp4").write_text("this is no clip")
    (folder / "b_good.mp4").write_bytes(example_clip.read_bytes())
    assert main(["explain", str(folder), "--out", str(out)]) == 1
    stdout, stderr = capsys.readouterr()
    assert stdout.startswith(f"{folder / 'b_good.mp4'}: ")
    assert "1 of 2 clips failed" in stderr
    (failed,) = map(json.loads, (out / "failed.jsonl").read_text().splitlines())
    assert failed["path"] == str(folder / "a_bad.mp4")
    assert (out / "b_good.json").exists()


def test_leaving_modalities_out_leaves_their_clues_out(example_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(example_clip), "--json", "--without", "visual", "--without", "text"]) == 0
    explanation = loads(capsys.readouterr().out)
    assert {clue.modality for clue in explanation.clues} == {"audio"}
    assert not explanation.opinions["visual"].present


def test_clues_prints_each_clue_with_its_time(example_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clues", str(example_clip)]) == 0
    assert "  a1  " in capsys.readouterr().out


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(options: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setitem(__import__("emer.cli", fromlist=["COMMANDS"]).COMMANDS, "doctor", broken)
    with pytest.raises(ZeroDivisionError):
        main(["doctor"])


def test_a_reader_that_goes_away_is_no_error(example_clip: Path) -> None:
    command = f"{sys.executable} -m emer.cli clues {example_clip} | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_the_help_in_the_readme_is_the_help() -> None:
    env = os.environ | {"COLUMNS": "80"}
    commands = ("explain", "train", "calibrate", "export", "score", "bench", "bench run")
    for arguments in (["--help"], *([*command.split(), "--help"] for command in commands)):
        done = subprocess.run(
            [sys.executable, "-m", "emer.cli", *arguments], capture_output=True, text=True, check=True, env=env
        )
        assert done.stdout.strip() in (ROOT / "README.md").read_text(), "run `make readme`"


def test_the_example_score_in_the_readme_is_what_is_printed() -> None:
    arguments = ["score", "examples/answers.csv", "examples/truth.csv", "--metric", "wheel_f1"]
    command = [sys.executable, "-m", "emer.cli", *arguments]
    env = os.environ | {"COLUMNS": "80"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env, cwd=ROOT)
    assert done.stdout.strip() in (ROOT / "README.md").read_text(), "run `make readme`"
