"""What can be wrong with a training run is told in one line, with exit code 2, and leaves no half-made adapter."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from clips import make_clip
from llm_runs import command, configuration, manifest

from emer.cli import main
from emer.training.llm import preparing
from emer.training.llm.joint_model import JointModel


def rewritten(path: Path, change: Any) -> None:
    """Every row of a manifest as `change` makes it; None leaves it out."""
    rows = [change(json.loads(line)) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows if row is not None))


def refused(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """The one line of an error; nothing that looks finished is left."""
    assert main(command(folder, *more)) == 2
    error = capsys.readouterr().err
    last = error.splitlines()[-1]
    assert last.startswith("emer: ")
    assert not (folder / "run" / "adapter").exists()
    return last


def test_an_empty_explanation_is_told_with_its_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configuration(tmp_path)
    rewritten(manifest(tmp_path), lambda row: row | {"explanation": " "} if row["id"] == "clip3" else row)
    error = refused(tmp_path, capsys)
    assert "explanation" in error
    assert "line 4" in error


def test_labels_that_reach_no_verdict_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configuration(tmp_path)

    def unknown(row: dict[str, Any]) -> dict[str, Any]:
        row.pop("explanation", None)
        return row | {"label": "xyzzy"}

    rewritten(manifest(tmp_path), unknown)
    error = refused(tmp_path, capsys)
    assert "no label of emer8 for xyzzy" in error
    assert "verdict.label_map.WORD=LABEL" in error


@pytest.mark.long
def test_clips_that_are_missing_are_left_out_and_the_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configuration(tmp_path, schedule={"most_steps": 2})
    rewritten(manifest(tmp_path), lambda row: row | {"path": "gone.wav"} if row["id"] == "clip2" else row)
    assert main(command(tmp_path)) == 0
    assert "left out: 1 clips (clip2), reasons in results.json" in capsys.readouterr().out
    assert "gone.wav" in json.loads((tmp_path / "run" / "results.json").read_text())["left_out"]["clip2"]


def test_a_recording_that_trains_and_validates_under_two_ids_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Hand count: each clip is a tone of its own, but for the last, which is the first again."""
    configuration(tmp_path)
    manifest(tmp_path, sound=True)
    rewritten(tmp_path / "clips.jsonl", lambda row: row | {"path": "tone0.wav"} if row["id"] == "clip9" else row)
    assert main(command(tmp_path, "--dry-run")) == 0
    assert "clips: 1 validation clips are training clips too: clip0 and clip9" in caplog.text
    capsys.readouterr()


def test_when_no_clip_is_left_the_reason_of_the_first_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configuration(tmp_path)
    rewritten(manifest(tmp_path), lambda row: row | {"path": "gone.wav"})
    error = refused(tmp_path, capsys)
    assert "gone.wav" in error


def test_a_clip_with_no_modality_left_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A silent file without words: a model of text alone is shown nothing of it."""
    configuration(tmp_path)
    make_clip(tmp_path / "silent.wav", 0.5, sound=lambda times: 0 * times)

    def silent(row: dict[str, Any]) -> dict[str, Any]:
        row.pop("text")
        return row | {"path": "silent.wav"}

    rewritten(manifest(tmp_path), silent)
    error = refused(tmp_path, capsys)
    assert "no clip is left for train and validation; clip0: the prompt explain would show nothing of the clip" in error


@pytest.mark.long
def test_a_prompt_longer_than_the_context_leaves_the_clip_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The tiny model has a context of 4,096 tokens. One clip trains, one validates."""
    configuration(tmp_path, schedule={"epochs": 1})
    long = ("clip1", "clip8")
    rewritten(manifest(tmp_path), lambda row: row | {"text": "word " * 9000} if row["id"] in long else row)
    assert main(command(tmp_path)) == 0
    assert "more than the model's context of 4,096" in caplog.text
    printed = capsys.readouterr().out
    assert "left out: 2 clips (clip" in printed
    assert set(json.loads((tmp_path / "run" / "results.json").read_text())["left_out"]) == set(long)


@pytest.mark.long
def test_a_loss_that_is_no_number_stops_the_run_and_names_step_and_clips(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration(tmp_path)
    manifest(tmp_path)
    forward = JointModel.forward
    calls = iter(range(100))

    def broken(self: JointModel, *given: Any, **named: Any) -> Any:
        found = forward(self, *given, **named)
        return found._replace(loss=found.loss * torch.nan) if self.training and next(calls) == 2 else found

    monkeypatch.setattr(JointModel, "forward", broken)
    error = refused(tmp_path, capsys)
    assert "the loss of step 3 is nan (clips clip" in error
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["checkpoint-2"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (["lora.alpha=12"], "is no power of two"),
        (["lora.rnk=8"], "lora.rnk is not known (did you mean rank?)"),
        (["lora.targets=nothing"], "suit no module of this model"),
        (["verdict.label_set=emer9"], "emer9"),
        (["evaluation.wheel=water"], "evaluation.wheel 'water' is not known; choose one of plutchik"),
        (["base=no_such_model"], "no_such_model"),
        (["data=''"], "data missing; add for example"),
        (["views=[visual]"], "no training clip has features of the view visual"),
        (["prompt=nothing"], "there is no prompt nothing.en"),
    ],
)
def test_settings_that_cannot_be_used_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: list[str], told: str
) -> None:
    manifest(tmp_path)
    configuration(tmp_path)
    assert told in refused(tmp_path, capsys, *changes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (["lora.alpha=12"], "is no power of two"),
        (["prompt=nothing"], "there is no prompt nothing.en"),
        (["evaluation.wheel=water"], "evaluation.wheel 'water' is not known"),
        (["verdict=null"], "evaluation.choose_by=nll is a figure of the verdict, and there is none"),
        (["verdict=null", "views=[audio]"], "views need a verdict to be fused with"),
        (["evaluation.choose_by=wheel_f1"], "wheel_f1 scores labels that are generated, and generate is 0"),
        (["schedule.accumulation=0", "schedule.most_steps=0"], "most_steps 0 begins at 1, accumulation 0 begins at 1"),
        (["schedule.epochs=0"], "epochs 0 lies above 0"),
        (["schedule.learning_rate=-1"], "learning_rate -1 begins at 0"),
        (["evaluation.every=0", "evaluation.patience=0"], "patience 0 begins at 1, every 0 lies above 0"),
    ],
)
def test_what_settings_alone_show_to_be_wrong_is_told_before_clips_are_measured(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    changes: list[str],
    told: str,
) -> None:
    """Measuring may take hours."""

    def measured(*_: object, **__: object) -> None:
        raise AssertionError("clips are measured")

    monkeypatch.setattr(preparing, "read_examples", measured)
    manifest(tmp_path)
    configuration(tmp_path)
    assert told in refused(tmp_path, capsys, *changes)


@pytest.mark.parametrize(
    ("missing", "choose_by", "told"),
    [
        ("label", "nll", "nll cannot be measured: none of the 2 validation clips has a label of the verdict"),
        ("explanation", "text_loss", "text_loss cannot be measured: none of the 2 validation clips has an explanation"),
    ],
)
def test_validation_clips_that_cannot_choose_a_state_are_told_before_anything_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], missing: str, choose_by: str, told: str
) -> None:
    configuration(tmp_path)
    whole = {"label": "happy", "explanation": "They say that they are here."}

    def without(row: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in (row | whole).items() if key != missing or row["split"] == "train"}

    rewritten(manifest(tmp_path), without)
    assert told in refused(tmp_path, capsys, f"evaluation.choose_by={choose_by}")
    assert not (tmp_path / "run" / "log.jsonl").exists()


def test_four_bits_without_bitsandbytes_say_what_to_install(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if importlib.util.find_spec("bitsandbytes"):
        pytest.skip("bitsandbytes is installed")
    manifest(tmp_path)
    configuration(tmp_path)
    assert "pip install bitsandbytes" in refused(tmp_path, capsys, "lora.quantised=true")


def test_heads_have_neither_a_dry_run_nor_resume(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "tmc", "data=mosi", "--dry-run"]) == 2
    assert "--resume and --dry-run are for language models" in capsys.readouterr().err


def test_an_unknown_name_lists_models_beside_heads(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "qwen_9b"]) == 2
    error = capsys.readouterr().err
    assert "there is no configuration qwen_9b" in error
    assert "qwen2.5-omni-7b_lora" in error
