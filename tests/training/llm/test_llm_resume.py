"""A run that was killed goes on as if it had not been; a checkpoint is whole or not there."""

import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from joint_runs import CONFIG, logged, tiny_joint, trainer_of
from llm_runs import command, configuration, launched, losses, manifest

from emer.cli import main
from emer.errors import ModelError, OutputError
from emer.training.llm import trainer
from emer.training.llm.checkpoints import (
    BEST,
    STATE,
    WEIGHTS,
    checkpoints,
    keep_last,
    last_whole,
    load_trained,
    read_weights,
    trained_tensors,
    whole_checkpoint,
    write_weights,
)
from emer.training.llm.configuration import Evaluation, LoraSettings, Schedule

SCHEDULE = Schedule(epochs=3, batch_size=1, accumulation=2, checkpointing=False, learning_rate=1e-3)
DROPPING = replace(
    CONFIG,
    lora=LoraSettings(rank=4, alpha=8, dropout=0.3),
    schedule=SCHEDULE,
    evaluation=Evaluation(every=0.5, generate=0, patience=None, keep=9),
)
"""Dropout draws random numbers, so that a resumed run shows whether it goes on with the same ones."""


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_run_taken_up_from_any_checkpoint_has_the_losses_of_an_unbroken_one(tmp_path: Path, at: int) -> None:
    """In the middle of an epoch (1, 3) and at its end (2): two steps an epoch."""
    trainer_of(tmp_path / "whole", DROPPING).train()
    trainer = trainer_of(tmp_path / "again", DROPPING, tiny_joint(DROPPING))
    torch.manual_seed(99)
    trainer.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoints" / f"checkpoint-{at}"))
    expected, found = logged(tmp_path / "whole"), logged(tmp_path / "again")
    assert len(found) == len(expected) == 6
    for one, other in zip(found, expected, strict=True):
        for part in ("step", "loss", "text", "verdict", "grad_norm", "learning_rate", "evidence_weight"):
            assert one[part] == pytest.approx(other[part], abs=1e-6), part


def test_a_run_that_validation_had_stopped_takes_no_further_step_when_it_is_taken_up(tmp_path: Path) -> None:
    """Its export failed, say: what is exported then is what the unbroken run would have given."""
    config = replace(DROPPING, evaluation=Evaluation(every=1.0, patience=1))
    figures = iter([2.0, 2.5, 1.0])
    trainer_of(tmp_path, config, validate=lambda: {"nll": next(figures)}).train()
    best, log = (tmp_path / "best.safetensors").read_bytes(), logged(tmp_path)
    again = trainer_of(tmp_path, config, validate=lambda: {"nll": next(figures)})
    again.train(resume_from_checkpoint=str(last_whole(tmp_path / "checkpoints")))
    assert again.state.global_step == 4
    assert (tmp_path / "best.safetensors").read_bytes() == best
    assert logged(tmp_path) == log
    assert next(figures) == 1.0  # nothing was measured again


@pytest.mark.parametrize("killed", ["before the checkpoint", "behind the checkpoint"])
def test_the_state_that_is_kept_is_the_one_that_the_log_calls_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    """A run dies around its second checkpoint, whose state is the best. Taken up, it measures other figures, as another
    device may: kept is then the state of the checkpoint that the log calls best."""
    config = replace(DROPPING, evaluation=Evaluation(every=1.0, patience=None, keep=9))
    first, second = iter([2.0, 1.0]), iter([3.0, 4.0])
    run = trainer_of(tmp_path, config, validate=lambda: {"nll": next(first)})
    name = "whole_checkpoint" if killed == "before the checkpoint" else "keep_last"

    def dies(whole: Any) -> Any:
        def once(folder: Path, *given: Any, **named: Any) -> Any:
            if run.state.global_step == 4:
                raise KeyboardInterrupt
            return whole(folder, *given, **named)

        return once

    with monkeypatch.context() as patch:
        patch.setattr(trainer, name, dies(getattr(trainer, name)))
        with pytest.raises(KeyboardInterrupt):
            run.train()
    last = last_whole(tmp_path / "checkpoints")
    assert last is not None
    again = trainer_of(tmp_path, config, validate=lambda: {"nll": next(second)})
    again.train(resume_from_checkpoint=str(last))
    best = [line["step"] for line in logged(tmp_path) if "eval_nll" in line][again.course.best]
    assert best == (2 if killed == "before the checkpoint" else 4)
    kept, of_log = (
        read_weights(tmp_path / BEST),
        read_weights(tmp_path / "checkpoints" / f"checkpoint-{best}" / WEIGHTS),
    )
    assert all(torch.equal(kept[name], of_log[name]) for name in of_log)


def test_a_best_state_that_a_kill_kept_from_being_written_is_written_when_the_run_is_taken_up(tmp_path: Path) -> None:
    config = replace(DROPPING, evaluation=Evaluation(every=1.0, patience=None, keep=9))
    trainer_of(tmp_path, config, validate=lambda: {"nll": 1.0}).train()
    (tmp_path / BEST).unlink()
    trainer_of(tmp_path, config).train(resume_from_checkpoint=str(tmp_path / "checkpoints" / "checkpoint-2"))
    kept = read_weights(tmp_path / BEST)
    assert all(
        torch.equal(kept[n], w) for n, w in read_weights(tmp_path / "checkpoints/checkpoint-2" / WEIGHTS).items()
    )


@pytest.mark.long
def test_after_a_kill_the_same_command_with_resume_gives_the_losses_of_an_unbroken_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The unbroken run is one process, the killed one another, which dies by SIGKILL after its first checkpoint."""
    manifest(tmp_path)
    configuration(tmp_path, schedule={"epochs": 4}, lora={"dropout": 0.2})
    assert main(command(tmp_path, out="whole")) == 0
    process = launched(command(tmp_path, out="killed"), tmp_path)
    folder = tmp_path / "killed" / "checkpoints"
    until = time.monotonic() + 120
    while process.poll() is None and last_whole(folder) is None and time.monotonic() < until:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it ended before it was killed"
    capsys.readouterr()
    assert main(command(tmp_path, "--resume", out="killed")) == 0
    expected, found = losses(tmp_path, "whole"), losses(tmp_path, "killed")
    assert expected.keys() == found.keys()
    assert len(expected) == 16
    for step, line in expected.items():
        assert found[step]["loss"] == pytest.approx(line["loss"], abs=1e-5)
    assert (
        read_weights(tmp_path / "whole/best.safetensors").keys()
        == read_weights(tmp_path / "killed/best.safetensors").keys()
    )


# ---------------------------------------------------------------- whole or not at all


def test_a_checkpoint_appears_when_it_is_whole_and_not_before(tmp_path: Path) -> None:
    with whole_checkpoint(tmp_path, 7, main=True, wait=lambda: None) as draft:
        (draft / STATE).write_text("{}")
        write_weights(draft / WEIGHTS, {"a": torch.ones(2)})
        assert last_whole(tmp_path) is None
    assert last_whole(tmp_path) == tmp_path / "checkpoint-7"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-7"]


def test_the_last_whole_checkpoint_is_by_number_and_half_ones_do_not_count(tmp_path: Path) -> None:
    for step in (9, 10, 2):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / STATE).write_text("{}")
        (tmp_path / f"checkpoint-{step}" / WEIGHTS).write_bytes(b"")
    (tmp_path / "checkpoint-11").mkdir()
    assert [path.name for path in checkpoints(tmp_path)] == ["checkpoint-2", "checkpoint-9", "checkpoint-10"]
    keep_last(tmp_path, 2)
    assert [path.name for path in checkpoints(tmp_path)] == ["checkpoint-9", "checkpoint-10"]


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [10_000, 120_000])
def test_a_full_disk_leaves_the_older_checkpoint_and_says_which(tmp_path: Path, size: int) -> None:
    """The weights alone take more than the first size; the optimizer's state, two numbers a weight, more than the
    second."""
    trainer = trainer_of(tmp_path, DROPPING)
    trainer.train()
    before = sorted(path.name for path in checkpoints(tmp_path / "checkpoints"))
    assert (tmp_path / "checkpoints" / before[0] / WEIGHTS).stat().st_size > 10_000
    assert (tmp_path / "checkpoints" / before[0] / "optimizer.pt").stat().st_size > 120_000
    trainer.state.global_step = 77
    told = (
        r"the checkpoint of step 77 cannot be written .*checkpoint-6 is whole: make room, then continue with --resume"
    )
    with full_disk(size), pytest.raises(OutputError, match=told):
        trainer._save_checkpoint(trainer.joint, None)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == before


def test_weights_that_are_no_numbers_are_saved_nowhere(tmp_path: Path) -> None:
    joint = tiny_joint()
    assert joint.head is not None
    with torch.no_grad():
        joint.head.linear.weight[0, 0] = torch.nan
    with pytest.raises(ModelError, match=r"1 trained tensors are not finite \(first head.linear.weight\)"):
        trained_tensors(joint)


def test_weights_of_another_configuration_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    tensors = trained_tensors(tiny_joint())
    other = tiny_joint(replace(CONFIG, lora=LoraSettings(rank=8, alpha=16)))
    with pytest.raises(ModelError, match=r"c9 is of another model or configuration \(\d+ tensors differ, first "):
        load_trained(other, tensors, "c9")
    (tmp_path / WEIGHTS).write_bytes(b"half a file")
    with pytest.raises(ModelError, match=r"cannot be read .*; delete that checkpoint and resume again"):
        read_weights(tmp_path / WEIGHTS)


def test_nothing_in_a_checkpoint_needs_to_be_unpickled(tmp_path: Path) -> None:
    """torch refuses, under weights_only, whatever would run code."""
    trainer_of(tmp_path, replace(DROPPING, schedule=replace(SCHEDULE, most_steps=1))).train()
    folder = last_whole(tmp_path / "checkpoints")
    assert folder is not None
    names = {path.name for path in folder.iterdir()}
    assert names == {WEIGHTS, STATE, "optimizer.pt", "scheduler.pt", "rng_state.pth"}
    for name in ("optimizer.pt", "scheduler.pt"):
        assert torch.load(folder / name, weights_only=True)
