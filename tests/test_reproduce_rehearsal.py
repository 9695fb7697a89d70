"""`make reproduce-7b`, rehearsed on a tiny random model of the 7B family, and its book-keeping with stages that only
pretend."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import reproduce_7b
from adapted_models import adapt
from clips import make_clip, tone
from safetensors.torch import load_file
from tiny_folders import tiny

from emer.adapters.files import read_adapter
from emer.backbones.tiny import make_tiny
from emer.evidence.verdict_spec import VerdictSpec

STAGES = ("train", "calibrate", "export", "explain", "score")
LABELS = ("happy", "sad", "angry", "afraid")
QUICK = (
    *("train.schedule.epochs=1", "train.schedule.learning_rate=1e-3", "train.lora.rank=4", "train.lora.alpha=8"),
    *("train.evaluation.generate=1", "train.evaluation.max_new_tokens=8", "train.evaluation.every=1"),
    *("calibrate.crossed=true", "calibrate.shown=[]", "engine.max_new_tokens=8", "engine.batch_size=4"),
    *("bench.bootstrap=50", "bench.reports.worst=1"),
)
Called = list[list[str]]


def manifest(folder: Path, *, cuts: int = 12) -> Path:
    """A dozen clips of twelve speakers, six to learn from; those to calibrate on are cut into many rows."""
    parts = ("train",) * 6 + ("validation",) + ("calibration",) * 4 + ("test",)
    rows: list[dict[str, Any]] = []
    for i, part in enumerate(parts):
        make_clip(folder / f"clip{i}.wav", 0.25 * cuts, sound=tone(120 + 30 * i), picture=None)
        row = {"path": f"clip{i}.wav", "speaker": f"s{i}", "split": part, "text": "We are here."}
        times = [(0.25 * k, 0.25 * (k + 1)) for k in range(cuts)] if part == "calibration" else [(0.0, 1.0), (1.0, 2.0)]
        for start, end in times:
            label = LABELS[len(rows) % len(LABELS)]
            rows.append({**row, "id": f"row{len(rows)}", "start": start, "end": end, "labels": [label]})
            if part == "train":
                rows[-1]["explanation"] = "They say that they are here, and leave it at that."
    path = folder / "clips.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


# ---------------------------------------------------------------- the rehearsal


@pytest.mark.long
def test_a_tiny_model_of_the_family_goes_through_every_stage_and_is_not_asked_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    base, out = make_tiny("qwen2_5_omni", tmp_path / "tiny-7b", max_position_embeddings=8192), tmp_path / "out"
    words = [str(base), str(manifest(tmp_path)), "--out", str(out), *QUICK]
    assert reproduce_7b.main(words) == 0, capsys.readouterr().err
    record = read_adapter(out / "train" / "adapter").record
    assert record.calibration is not None
    assert record.calibration.n == 48
    assert len(record.trained_rows) > 0
    assert all(".thinker." in name for name in load_file(out / "vllm" / "adapter_model.safetensors"))
    results = json.loads((out / "bench" / "results.json").read_text())
    (found,) = results["data"].values()
    assert set(found["systems"]) == {"tuned", "base", "composer"}
    assert all(system["n_answered"] == 2 for system in found["systems"].values())
    page = (out / "README.md").read_text()
    assert all(f"| {stage} | " in page for stage in STAGES)
    assert page.count("| wheel_f1 | ") == 3
    assert "tiny-7b, tuned on clips.jsonl" in page
    assert "48 of 48 clips gave a verdict" in page
    assert str(tmp_path) not in page

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("a stage that is done was run again")

    monkeypatch.setattr(reproduce_7b, "ran", asked)
    assert reproduce_7b.main(words) == 0
    assert (out / "README.md").read_text() == page


# ---------------------------------------------------------------- book-keeping


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Called]:
    """Every command of emer is noted and ends with a code of the test's choosing; nothing is run."""

    def make(**codes: int) -> Called:
        called: Called = []
        names = {"train": "train", "calibrate": "calibrate", "export": "export", "run": "explain", "report": "score"}

        def run(command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
            words = command[3:]
            name = names[words[1] if words[0] == "bench" else words[0]]
            called.append([name, *words])
            return subprocess.CompletedProcess(command, codes.get(name, 0), stdout=f"{name} was here\n")

        monkeypatch.setattr(reproduce_7b.subprocess, "run", run)
        monkeypatch.setattr(reproduce_7b, "page", lambda job: ["a page"])
        return called

    return make


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    return [str(tiny()), str(manifest(tmp_path, cuts=8)), "--out", str(tmp_path / "out")]


def test_stages_come_in_their_order_with_the_changes_that_are_theirs(
    words: list[str], pretend: Callable[..., Called]
) -> None:
    called = pretend()
    assert reproduce_7b.main([*words, "train.schedule.epochs=1", "engine.batch_size=2", "bench.limit=5"]) == 0
    assert tuple(name for name, *_ in called) == STAGES
    by_name = {name: rest for name, *rest in called}
    assert by_name["train"][-1] == "schedule.epochs=1"
    assert "engine.batch_size=2" in by_name["calibrate"]
    assert by_name["explain"][-1] == "limit=5"
    assert "--resume" not in by_name["train"]
    bench = reproduce_7b.yaml.safe_load((Path(words[3]) / "bench.yaml").read_text())
    assert [system["name"] for system in bench["systems"]] == ["tuned", "base", "composer"]
    assert bench["systems"][0]["settings"] == {"batch_size": 2}
    assert bench["data"][0]["part"] == "test"


def test_a_stage_that_fails_stops_the_rest_and_is_taken_up_again(
    words: list[str], pretend: Callable[..., Called], capsys: pytest.CaptureFixture[str]
) -> None:
    called, out = pretend(train=3), Path(words[3])
    assert reproduce_7b.main(words) == 3
    assert [name for name, *_ in called] == ["train"]
    assert "train ended with 3; the same command goes on from here" in capsys.readouterr().err
    assert not (out / "README.md").exists()
    called = pretend(export=2)
    assert reproduce_7b.main(words) == 2
    assert [name for name, *_ in called] == ["train", "calibrate", "export"]
    assert called[0][-1] == "--resume"
    called = pretend()
    assert reproduce_7b.main(words) == 0
    assert [name for name, *_ in called] == ["export", "explain", "score"]
    told = {stage: json.loads((out / "stages" / f"{stage}.json").read_text()) for stage in STAGES}
    assert {stage: one["resumed"] for stage, one in told.items()} == {
        **dict.fromkeys(STAGES, False),
        "train": True,
        "export": True,
    }
    assert (out / "logs" / "calibrate.txt").read_text() == "calibrate was here\n"


def test_clips_that_fail_do_not_stop_the_report(words: list[str], pretend: Callable[..., Called]) -> None:
    called = pretend(explain=1)
    assert reproduce_7b.main(words) == 0
    assert called[-1][0] == "score"
    assert json.loads((Path(words[3]) / "stages" / "explain.json").read_text())["exit"] == 1


def test_other_inputs_are_refused_and_named(
    words: list[str], pretend: Callable[..., Called], capsys: pytest.CaptureFixture[str]
) -> None:
    pretend()
    assert reproduce_7b.main(words) == 0
    assert reproduce_7b.main([*words, "train.lora.rank=8"]) == 2
    assert "was begun with other inputs (changes); name another with --out" in capsys.readouterr().err
    data = Path(words[1])
    data.write_text(data.read_text().replace("happy", "glad"))
    assert reproduce_7b.main(words) == 2
    assert "was begun with other inputs (data_sha256)" in capsys.readouterr().err
    words[0] = str(tiny("text_clues"))
    assert reproduce_7b.main(words) == 2
    assert "(base, base_sha256, data_sha256)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("epochs=1", "epochs=1: a change begins with train., calibrate., bench., engine., as in train.schedule.epochs"),
        ("explain.limit=1", "explain.limit=1: a change begins with train."),
    ],
)
def test_changes_for_nobody_are_refused(
    change: str, told: str, words: list[str], pretend: Callable[..., Called], capsys: pytest.CaptureFixture[str]
) -> None:
    called = pretend()
    assert reproduce_7b.main([*words, change]) == 2
    assert told in capsys.readouterr().err
    assert called == []


def test_data_that_leave_a_part_out_are_refused(
    words: list[str], pretend: Callable[..., Called], capsys: pytest.CaptureFixture[str]
) -> None:
    data = Path(words[1])
    data.write_text("".join(line + "\n" for line in data.read_text().splitlines() if '"calibration"' not in line))
    called = pretend()
    assert reproduce_7b.main(words) == 2
    assert "has no rows with split calibration; name the part of each row" in capsys.readouterr().err
    assert called == []


# ---------------------------------------------------------------- the page


def test_the_page_tells_stages_figures_and_scores_and_no_path(tmp_path: Path) -> None:
    """Hand-made results of every stage."""
    out = tmp_path / "out"
    adapt(tiny("text_clues"), out / "train" / "adapter", VerdictSpec(label_set="mood", labels=("good", "bad")))
    score = {"score": 0.5, "interval": [0.25, 0.75], "n_scored": 8, "floors": {"first": 0.3, "second": 0.4}}
    plain = {"score": 0.125, "interval": None, "n_scored": 7, "floors": {}}
    systems = {"tuned": {"scores": {"wheel_f1": score}}, "base": {"scores": {"wheel_f1": plain}}}
    values = {
        "inputs.json": {"base": "me/7b", "base_sha256": "ab12", "data": "clips.jsonl", "data_sha256": "cd34"},
        "train/results.json": {"validation": {"text_loss": 1.25}},
        "bench/results.json": {"data": {"clips": {"systems": systems}}},
    }
    for stage in STAGES:
        resumed, code = stage == "train", 1 if stage == "explain" else 0
        values[f"stages/{stage}.json"] = {"seconds": 1234.5, "resumed": resumed, "exit": code}
    for name, value in values.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(json.dumps(value))
    (out / "logs").mkdir()
    (out / "logs" / "calibrate.txt").write_text(f"temperature 1.5\nwrote {out}/train/adapter/emer.json\n")
    job = reproduce_7b.Job("me/7b", tmp_path / "clips.jsonl", out, reproduce_7b.sorted_changes([]))
    page = "\n".join(reproduce_7b.page(job))
    assert "| train | 1,234.5 | taken up again: its last part alone |" in page
    assert "| explain | 1,234.5 | some clips failed |" in page
    assert "| text loss | 1.250 |" in page
    assert "```text\ntemperature 1.5\n```" in page
    assert "| tuned | wheel_f1 | 0.500 | 0.250 to 0.750 | 8 | 0.400 |" in page
    assert "| base | wheel_f1 | 0.125 |  | 7 |  |" in page
    assert str(tmp_path) not in page
