"""`emer bench run` as a user runs it: real clips, clips that fail, workers that die, folders taken up again."""

import json
import os
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from emer.bench.prediction_files import read_lines
from emer.bench.records import Prediction
from emer.cli import main, parsed
from emer.commands.bench_run import changes_of
from emer.files import cache_folder

WEIGHTS = Path(__file__).parents[2] / "weights" / "emer_weights"


def written(folder: Path, *, data: str = "{name: clips.jsonl}", system: str = "{name: one}", more: str = "") -> Path:
    """A configuration beside its clips; its results go to `out` there."""
    path = folder / "run.yaml"
    data = data.replace("clips.jsonl", str(folder / "clips.jsonl"))
    path.write_text(f"task: predict\ndata: [{data}]\nsystems: [{system}]\nout: {folder / 'out'}\n{more}")
    return path


def told(folder: Path, said: dict[str, str], label: str = "goldword") -> None:
    """A manifest of short quiet recordings; what is said in each is what the engine of the tests obeys."""
    lines = []
    for name, words in said.items():
        with wave.open(str(folder / f"{name}.wav"), "wb") as sound:
            sound.setparams((1, 2, 16_000, 0, "NONE", ""))
            sound.writeframes(np.full(1600, len(lines), "<i2").tobytes())
        (folder / f"{name}.txt").write_text(words)
        lines.append(json.dumps({"path": f"{name}.wav", "id": name, "label": label}))
    (folder / "clips.jsonl").write_text("\n".join(lines))


def answers(folder: Path, system: str = "one", data: str = "clips") -> dict[str, Prediction]:
    found = [prediction for _, prediction in read_lines(folder / f"out/predictions/{data}/{system}.jsonl")]
    assert None not in found
    return {prediction.name: prediction for prediction in found if prediction is not None}


OBEDIENT = "{name: one, engine: 'run_engines:Obedient', weights: none, without: [audio, visual]}"


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """A run over clips of which some kill their worker, raise, or never end: its folder, exit code and output."""
    folder = tmp_path_factory.mktemp("trouble")
    said = {"good": "all is well", "dead": "die", "torn": "break now", "long": "wait for ever", "fine": "still well"}
    told(folder, said)
    path = written(folder, system=OBEDIENT, more="timeout: 3\nworkers: 2\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMER_CACHE", str(folder / "cache"))
        code = main(["bench", "run", str(path)])
    return folder, code, (folder / "out" / "workers.log").read_text()


def test_a_worker_that_dies_or_hangs_fails_its_own_clip_and_no_other(trouble: tuple[Path, int, str]) -> None:
    folder, code, _ = trouble
    found = answers(folder)
    assert code == 1
    assert list(found) == ["good", "dead", "torn", "long", "fine"]  # the order of the manifest
    failures = {name: answer.error for name, answer in found.items() if answer.error is not None}
    assert {name: error.kind for name, error in failures.items()} == {
        "dead": "WorkerDied",
        "torn": "RuntimeError",
        "long": "TooSlow",
    }
    assert "was ended by SIGKILL (out of memory, perhaps)" in failures["dead"].reason
    assert failures["torn"].reason == "it broke in two lines"
    assert failures["long"].reason == "it took longer than the 3 s of timeout"
    assert [emotion.label for emotion in found["fine"].emotions] == ["happy"]


def test_a_bug_keeps_its_traceback_in_the_log(trouble: tuple[Path, int, str]) -> None:
    _, _, log = trouble
    assert "torn could not be explained" in log
    assert "RuntimeError: it broke" in log


def test_nothing_of_what_people_said_reaches_the_engine(trouble: tuple[Path, int, str]) -> None:
    """The engine writes down all that it was asked; the gold label is a word that stands nowhere else."""
    folder, _, _ = trouble
    assert "goldword" in (folder / "out/gold/clips.jsonl").read_text()
    for answer in answers(folder).values():
        assert "goldword" not in answer.explanation
        assert str(folder) not in answer.explanation
    assert "['all', 'is', 'well']" in answers(folder)["good"].explanation


def test_the_same_command_repeats_no_clip_and_retry_asks_about_failures_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(tmp_path, {"good": "well", "bad": f"once {tmp_path / 'seen'}"})
    path = written(tmp_path, system=OBEDIENT)
    assert main(["bench", "run", str(path)]) == 1
    assert "2 of 2 answers" in (out := capsys.readouterr()).out
    assert "1 failed (--retry-failed asks again)" in out.out
    assert "clips, one: bad failed: the worker process was ended by SIGKILL" in out.err
    before = (tmp_path / "out/timings/clips/one.jsonl").read_bytes()
    assert main(["bench", "run", str(path)]) == 1
    assert (tmp_path / "out/timings/clips/one.jsonl").read_bytes() == before
    assert main(["bench", "run", str(path), "--retry-failed"]) == 0
    again = (tmp_path / "out/timings/clips/one.jsonl").read_text().splitlines()
    assert [json.loads(line)["name"] for line in again[2:]] == ["bad"]
    assert all(answer.error is None for answer in answers(tmp_path).values())
    assert list(answers(tmp_path)) == ["good", "bad"]


def test_a_clip_or_its_words_that_changed_are_explained_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(tmp_path, {"a": "first", "b": "second", "c": "third"})
    path = written(tmp_path, system=OBEDIENT)
    assert main(["bench", "run", str(path)]) == 0
    before = answers(tmp_path)
    (tmp_path / "b.txt").write_text("changed")
    with open(tmp_path / "c.wav", "r+b") as sound:
        sound.seek(-1, os.SEEK_END)
        sound.write(b"\1")
    os.utime(tmp_path / "a.wav")  # touched and not changed
    assert main(["bench", "run", str(path)]) == 0
    after = answers(tmp_path)
    assert after["a"] == before["a"]
    assert "['changed']" in after["b"].explanation
    assert after["c"].clip_sha256 != before["c"].clip_sha256
    assert "2 clips have changed since they were explained" in capsys.readouterr().err
    assert [json.loads(x)["name"] for x in (tmp_path / "out/timings/clips/one.jsonl").read_text().splitlines()[3:]] == [
        "b",
        "c",
    ]


@pytest.mark.parametrize(
    ("word", "letter"),
    [
        ("settings", "emer: a setting is wrong; mend it"),
        ("full", "(No space left on device); make room and run the same command again: every answer so far is kept"),
    ],
)
def test_what_is_no_clips_fault_ends_the_run_and_blames_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str, letter: str
) -> None:
    told(tmp_path, {"a": "fine", "b": word})
    assert main(["bench", "run", str(written(tmp_path, system=OBEDIENT))]) == 2
    assert capsys.readouterr().err.strip().endswith(letter)
    assert list(answers(tmp_path)) == ["a"]


def test_an_engine_that_cannot_be_imported_is_told_before_any_clip(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(tmp_path, {"a": "fine"})
    assert main(["bench", "run", str(written(tmp_path, system="{name: one, engine: 'run_engines:Nobody'}"))]) == 2
    assert "the module run_engines has no Nobody" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- public data


def test_test_actors_of_ravdess_are_explained_by_two_systems_and_a_larger_limit_asks_for_more(
    tmp_path: Path, real_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    systems = f"{{name: heads, weights: {WEIGHTS}}}, {{name: hints, weights: none}}"
    path = written(tmp_path, data="{name: ravdess, part: test}, {name: meld}", system=systems)
    command = ["bench", "run", str(path), f"folders.ravdess={real_data}", "--workers", "1"]
    assert main([*command, "--limit", "2"]) == 0
    shown = capsys.readouterr()
    assert "meld is skipped: meld is not here" in shown.err
    assert "folders.meld=DIR" in shown.err
    assert "ravdess, heads: 2 answers\nravdess, hints: 2 answers\n4 of 4 answers" in shown.out
    heads, hints = answers(tmp_path, "heads", "ravdess"), answers(tmp_path, "hints", "ravdess")
    assert list(heads) == list(hints)
    assert all(answer.confidence is not None for answer in heads.values())
    assert all(answer.confidence is None for answer in hints.values())
    assert main([*command, "--limit", "3"]) == 0
    assert set(answers(tmp_path, "heads", "ravdess")) > set(heads)
    assert len((tmp_path / "out/timings/ravdess/heads.jsonl").read_text().splitlines()) == 3
    gold = [json.loads(line) for line in (tmp_path / "out/gold/ravdess.jsonl").read_text().splitlines()]
    assert [row["name"] for row in gold] == list(answers(tmp_path, "heads", "ravdess"))
    assert {row["speaker"] for row in gold} <= {f"actor{number}" for number in (17, 18, 19, 20)}
    assert cache_folder().is_dir()  # workers keep clues where the command does


def test_of_the_nine_sets_those_that_are_there_are_run_and_the_others_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder laid out as MER-UniBench packs OV-MERD+, with one of its two clips."""
    place = tmp_path / "sets" / "ovmerdplus-process"
    (place / "video").mkdir(parents=True)
    (place / "ovlabel.csv").write_text("name,openset\nclip_1,\"['glad', 'calm']\"\nclip_2,['sad']\n")
    (place / "subtitle_eng.csv").write_text("name,sentence\nclip_1,How good that is!\nclip_2,No.\n")
    shutil.copy(Path(__file__).parents[2] / "examples" / "talking_face.mp4", place / "video" / "clip_1.mp4")
    monkeypatch.delenv("EMER_DATA", raising=False)
    command = ["bench", "run", "mer_unibench", f"data_folder={tmp_path / 'sets'}", f"out={tmp_path / 'out'}"]
    assert main([*command, "systems=[{name: one, weights: none, without: [audio, visual]}]"]) == 0
    shown = capsys.readouterr()
    for name in ("mer2023", "mer2024", "meld", "iemocap4", "cmu_mosi", "cmu_mosei", "ch_sims", "ch_sims_v2"):
        assert f"{name} is skipped: there is no folder {tmp_path / 'sets'}" in shown.err
    assert f"ovmerd_plus: 1 of 2 clips are missing; {tmp_path / 'out/missing/ovmerd_plus.txt'} names them" in shown.err
    assert (tmp_path / "out/missing/ovmerd_plus.txt").read_text().startswith("clip_2\t")
    assert "ovmerd_plus, one: 1 answers; 1 clips are missing" in shown.out
    assert list(answers(tmp_path, "one", "ovmerd_plus")) == ["clip_1"]
    assert len((tmp_path / "out/skipped.jsonl").read_text().splitlines()) == 8
    gold = json.loads((tmp_path / "out/gold/ovmerd_plus.jsonl").read_text())
    assert (gold["name"], gold["labels"]) == ("clip_1", ["glad", "calm"])


def test_a_system_that_has_changed_under_its_name_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(tmp_path, {"a": "fine"})
    assert main(["bench", "run", str(written(tmp_path, system=OBEDIENT))]) == 0
    assert main(["bench", "run", str(written(tmp_path, system="{name: one, weights: none}"))]) == 2
    err = capsys.readouterr().err
    assert "holds a run with another configuration (engine was 'run_engines:Obedient' and is 'composer'" in err
    assert main(["bench", "run", str(written(tmp_path, system=OBEDIENT)), "--seed", "1"]) == 2
    assert "seed was 0 and is 1" in capsys.readouterr().err


def test_changes_may_stand_before_and_after_options() -> None:
    for words in (
        ["out=x", "seed=1", "--limit", "3"],
        ["--limit", "3", "out=x", "seed=1"],
        ["out=x", "--limit=3", "seed=1"],
    ):
        options = parsed(["bench", "run", "mer_unibench", *words])
        assert changes_of(options) == ["out=x", "seed=1", "limit=3"]
    for words in (["--limit", "3", "--wat", "out=x"], ["--limit", "3", "--out=x"]):
        with pytest.raises(SystemExit):
            parsed(["bench", "run", "mer_unibench", *words])


def test_unknown_sets_and_sets_without_a_folder_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "run", str(written(tmp_path, data="{name: ravdes}, {name: cremat}"))]) == 2
    err = capsys.readouterr().err
    assert "'ravdes' is not known here" in err
    assert "'cremat' is not known here" in err
    assert main(["bench", "run", str(written(tmp_path, data="{name: ravdess, folder: nowhere}"))]) == 2
    assert "there is nothing to explain: ravdess is skipped: there is no folder nowhere" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_report_is_made_of_a_folder_or_of_the_configuration_that_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(tmp_path, {"a": "fine", "b": "well"}, label="happy")
    (tmp_path / "clips.jsonl").rename(tmp_path / "meine Clips 片.jsonl")
    path = written(tmp_path, data=f"{{name: {tmp_path / 'meine Clips 片.jsonl'}}}", system=OBEDIENT)
    assert main(["bench", "run", str(path)]) == 0
    capsys.readouterr()
    for named in (path, tmp_path / "out"):
        assert main(["bench", "report", str(named)]) == 0
        assert capsys.readouterr().out.splitlines() == [
            str(tmp_path / "out" / name) for name in ("results.json", "report.md", "report.html")
        ]
    assert "meine Clips 片" in (tmp_path / "out/report.md").read_text()
    assert main(["bench", "report", str(tmp_path / "nowhere")]) == 2
    assert "nowhere is no folder of a run, and no configuration of one" in capsys.readouterr().err
