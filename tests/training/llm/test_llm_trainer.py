"""The loop: losses over whole steps, two learning rates, what is logged, what stops it."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from joint_runs import CONFIG, batch_of, logged, tiny_joint, trainer_of

from emer.errors import ModelError
from emer.training.llm.checkpoints import read_weights
from emer.training.llm.configuration import Evaluation, Schedule
from emer.training.llm.example import JointBatch

SCHEDULE = Schedule(
    epochs=2, batch_size=2, accumulation=1, checkpointing=False, warm_up=0.25, learning_rate=1e-3, seed=3
)
SHORT = replace(CONFIG, schedule=SCHEDULE)


def test_accumulated_batches_take_the_same_steps_as_large_ones(tmp_path: Path) -> None:
    """Four clips a step in two ways; the verdict's warm-up and both learning rates are those of the step."""
    large = replace(SHORT, schedule=replace(SCHEDULE, epochs=3, batch_size=4))
    small = replace(SHORT, schedule=replace(SCHEDULE, epochs=3, batch_size=1, accumulation=4))
    runs = []
    for name, config in (("large", large), ("small", small)):
        trainer_of(tmp_path / name, config).train()
        runs.append(logged(tmp_path / name))
    assert len(runs[0]) == len(runs[1]) == 3
    for one, other in zip(*runs, strict=True):
        for part in ("loss", "text", "verdict", "grad_norm", "learning_rate", "evidence_weight"):
            assert one[part] == pytest.approx(other[part], abs=2e-5), part


def test_the_first_step_is_the_one_that_plain_torch_takes(tmp_path: Path) -> None:
    """Oracle: the same model, torch's own AdamW with two groups, clipped gradients, no Trainer."""
    config = replace(SHORT, schedule=replace(SCHEDULE, warm_up=0.0, most_steps=1, batch_size=4))
    verdict = replace(config.verdict, warm_up=0.0)  # type: ignore[type-var]
    config = replace(config, verdict=verdict)
    joint, seen = tiny_joint(config), []

    def make(places: list[int]) -> JointBatch:
        seen.append(places)
        return batch_of(joint, places)

    trainer_of(tmp_path, config, joint, make=make).train()
    plain = tiny_joint(config)
    lora = [p for n, p in plain.named_parameters() if p.requires_grad and "lora_" in n]
    assert plain.head is not None
    optimizer = torch.optim.AdamW(
        [{"params": lora, "lr": 1e-3}, {"params": plain.head.parameters(), "lr": 1e-3}], weight_decay=0.0
    )
    plain.train()
    plain(batch_of(plain, seen[0]), 1.0).loss.backward()
    torch.nn.utils.clip_grad_norm_([*lora, *plain.head.parameters()], 1.0)
    optimizer.step()
    expected = {name: p for name, p in plain.named_parameters() if p.requires_grad}
    for name, weight in joint.named_parameters():
        if weight.requires_grad:
            assert torch.allclose(weight, expected[name], atol=1e-6), name


def test_lora_and_head_have_learning_rates_of_their_own_on_one_cosine(tmp_path: Path) -> None:
    """By hand: four steps of which one warms up, so the rates are 0, 1, .75 and .25 times the largest."""
    config = replace(SHORT, schedule=replace(SCHEDULE, head_learning_rate=1e-2))
    trainer = trainer_of(tmp_path, config)
    rates: list[list[float]] = []
    trainer.watch = lambda *_: rates.append([group["lr"] for group in trainer.optimizer.param_groups])
    trainer.train()
    # what the optimizer holds after a step is the rate of the next one
    share = [0.5 * (1 + math.cos(math.pi * step / 3)) for step in range(4)]
    assert rates == [pytest.approx([1e-3 * each, 1e-2 * each], abs=1e-12) for each in share]
    assert [line["learning_rate"] for line in logged(tmp_path)] == pytest.approx([0.0, *[1e-3 * s for s in share[:3]]])


def test_every_step_is_one_line_of_the_log(tmp_path: Path) -> None:
    trainer_of(tmp_path, SHORT).train()
    lines = logged(tmp_path)
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert [line["epoch"] for line in lines] == [0.5, 1.0, 1.5, 2.0]
    weights = [line["evidence_weight"] for line in lines]
    assert weights == pytest.approx([0.0, 1.0, 1.0, 1.0])  # a tenth of four steps is less than one
    for line, weight in zip(lines, weights, strict=True):
        assert line["loss"] == pytest.approx(line["text"] + weight * line["verdict"], abs=1e-5)


def test_training_lowers_both_losses(tmp_path: Path) -> None:
    trainer_of(tmp_path, replace(SHORT, schedule=replace(SCHEDULE, epochs=15, learning_rate=5e-3))).train()
    lines = logged(tmp_path)
    assert lines[-1]["text"] < 0.7 * lines[0]["text"]
    assert lines[-1]["verdict"] < 0.7 * lines[0]["verdict"]


def test_a_loss_that_is_no_number_names_step_and_clips_and_leaves_no_checkpoint_of_it(tmp_path: Path) -> None:
    joint = tiny_joint(SHORT)

    def make(places: list[int]) -> JointBatch:
        batch = batch_of(joint, places)
        return replace(batch, target=batch.target * math.nan) if 2 in places else batch

    trainer = trainer_of(tmp_path, SHORT, joint, make=make)
    with pytest.raises(ModelError, match=r"the loss of step \d is nan \(clips .*clip2.*\).*begin anew with a smaller"):
        trainer.train()
    assert all(weight.isfinite().all() for weight in joint.parameters())
    assert not list((tmp_path / "checkpoints").glob("*checkpoint*"))


def test_a_gradient_that_is_no_number_never_reaches_the_weights(tmp_path: Path) -> None:
    joint = tiny_joint(SHORT)
    assert joint.head is not None
    joint.head.linear.weight.register_hook(lambda gradient: gradient * math.inf)
    with pytest.raises(ModelError, match=r"the gradient of step 1 is (nan|inf) \(clips clip"):
        trainer_of(tmp_path, SHORT, joint).train()
    assert all(weight.isfinite().all() for weight in joint.parameters())


def test_clips_that_could_not_be_decoded_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    joint = tiny_joint(SHORT)

    def make(places: list[int]) -> JointBatch:
        return replace(batch_of(joint, places), left_out={"clip9": "it has gone"})

    trainer = trainer_of(tmp_path, SHORT, joint, make=make)
    trainer.train()
    assert trainer.left_out == {"clip9": "it has gone"}
    assert "clip9 is left out of step 1: it has gone" in caplog.text


# ---------------------------------------------------------------- validation decides


def test_the_best_state_is_kept_and_training_stops_when_nothing_gets_better(tmp_path: Path) -> None:
    """Figures by hand: the second evaluation is the best, and after two more without a better one it is over."""
    config = replace(
        SHORT,
        schedule=replace(SCHEDULE, epochs=10),
        evaluation=Evaluation(every=0.5, choose_by="nll", patience=2, generate=0, keep=1),
    )
    figures = iter([{"nll": 2.0}, {"nll": 1.0}, {"nll": 1.5}, {"nll": 1.0}, {"nll": 0.1}])
    trainer = trainer_of(tmp_path, config, validate=dict)
    states = []

    def validate() -> dict[str, float]:
        states.append({n: p.detach().clone() for n, p in trainer.joint.named_parameters() if p.requires_grad})
        return next(figures)

    trainer.validate = validate
    trainer.train()
    assert trainer.state.global_step == 4
    kept = read_weights(tmp_path / "best.safetensors")
    assert all(torch.equal(kept[name], states[1][name]) for name in kept)
    assert any(not torch.equal(kept[name], states[3][name]) for name in kept)
    assert [line["eval_nll"] for line in logged(tmp_path) if "eval_nll" in line] == [2.0, 1.0, 1.5, 1.0]
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["checkpoint-4"]


def test_the_last_state_is_measured_wherever_it_falls(tmp_path: Path) -> None:
    config = replace(SHORT, schedule=replace(SCHEDULE, most_steps=3), evaluation=Evaluation(every=1.0))
    trainer = trainer_of(tmp_path, config, validate=lambda: {"nll": 1.0})
    trainer.train()
    assert [line["step"] for line in logged(tmp_path) if "eval_nll" in line] == [2, 3]


def test_more_steps_than_the_epochs_have_are_not_taken(tmp_path: Path) -> None:
    """Hand count: four clips, two a step, one epoch: two steps, as `--dry-run` tells."""
    config = replace(SHORT, schedule=replace(SCHEDULE, batch_size=2, epochs=1, most_steps=9))
    trainer = trainer_of(tmp_path, config)
    trainer.train()
    assert [line["step"] for line in logged(tmp_path)] == [1, 2]
    assert trainer.lr_scheduler.get_last_lr()[0] == 0  # the cosine ends where training does


def test_what_is_printed_goes_nowhere_near_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trainer_of(tmp_path, SHORT, validate=lambda: {"nll": 1.0}).train()
    assert capsys.readouterr().out == ""
    assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0])["step"] == 1
