"""What is measured on validation rows, and which state is kept."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from joint_runs import CONFIG, tiny_joint
from llm_runs import manifest
from sklearn.metrics import accuracy_score, log_loss

from emer.errors import ConfigError
from emer.evidence.verdict_spec import VerdictSpec
from emer.training.llm.collating import Collator, Draw
from emer.training.llm.configuration import Evaluation, LlmConfig
from emer.training.llm.example import Example
from emer.training.llm.examples import read_examples
from emer.training.llm.joint_model import JointModel
from emer.training.llm.validation import (
    Course,
    Processes,
    Validation,
    as_served,
    ring_of,
    verdict_figures,
    written_figures,
)

# ---------------------------------------------------------------- which state is kept


def log_of(*figures: float, name: str = "nll") -> list[dict[str, float]]:
    lines: list[dict[str, float]] = []
    for step, figure in enumerate(figures, start=1):
        lines += [{"step": step, "loss": 1.0}, {"step": step, f"eval_{name}": figure, "eval_loss": 9.0}]
    return lines


def test_the_best_evaluation_is_the_first_of_the_smallest() -> None:
    course = Course.of(log_of(3.0, 1.0, 2.0, 1.0), "nll", 5)
    assert (course.best, course.newest_is_best, course.is_over) == (1, False, False)


def test_of_accuracy_and_f1_the_largest_is_the_best() -> None:
    for name in ("accuracy", "wheel_f1"):
        assert Course.of(log_of(0.2, 0.9, 0.4, name=name), name, None).best == 1


def test_training_is_over_after_patience_evaluations_without_a_better_one() -> None:
    ends = [Course.of(log_of(*([1.0] + [2.0] * n)), "nll", 2).is_over for n in range(4)]
    assert ends == [False, False, True, True]
    assert not Course.of(log_of(1.0, 2.0, 2.0, 2.0), "nll", None).is_over


def test_the_first_evaluation_is_the_best_so_far_and_no_evaluation_is_none() -> None:
    assert Course.of(log_of(7.0), "nll", 1).newest_is_best
    assert not Course.of([{"loss": 1.0}], "nll", 1).newest_is_best


def test_a_figure_that_cannot_be_measured_is_not_chosen_by() -> None:
    with pytest.raises(
        ConfigError, match="nll cannot be measured on these validation rows, which give loss, text_loss"
    ):
        Course.of([{"eval_text_loss": 1.0, "eval_loss": 2.0}], "nll", 1)


# ---------------------------------------------------------------- figures of verdicts

MOODS = VerdictSpec(label_set="mood", labels=("good", "bad", "flat"), prior_weight=3.0)


def test_figures_of_a_dirichlet_verdict_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(4)
    logits, gold = generator.normal(size=(30, 3)), generator.integers(0, 3, 30)
    figures = verdict_figures(logits, np.eye(3)[gold], MOODS)
    alpha = np.log1p(np.exp(logits)) + 1.0
    p = alpha / alpha.sum(1, keepdims=True)
    assert figures["nll"] == pytest.approx(log_loss(gold, p), rel=1e-5)
    assert figures["accuracy"] == pytest.approx(accuracy_score(gold, p.argmax(1)))


def test_aurc_by_hand() -> None:
    """Confidences fall from row to row; the second of three is wrong: (0 + 1/2 + 1/3) / 3."""
    logits = np.array([[9.0, -9.0, -9.0], [6.0, -9.0, -9.0], [3.0, -9.0, -9.0]])
    figures = verdict_figures(logits, np.eye(3)[[0, 1, 0]], MOODS)
    assert figures["aurc"] == pytest.approx(5 / 18)


def test_figures_of_a_beta_verdict_by_hand() -> None:
    """Softplus is nearly the identity at 30 and nearly 0 at -30: (31, 1) / 32 for a label that is held, with W = 2. Of
    the second clip the strongest label does not hold."""
    spec = VerdictSpec(label_set="mood", labels=("good", "bad"), kind="beta")
    logits = np.array([[30.0, -30.0, -30.0, 30.0], [30.0, -30.0, -30.0, 30.0]])
    figures = verdict_figures(logits, np.array([[1.0, 0.0], [0.0, 0.0]]), spec)
    right, wrong = -np.log(31 / 32), -np.log(1 / 32)
    assert figures["nll"] == pytest.approx((right + right + wrong + right) / 4, rel=1e-5)
    assert figures["accuracy"] == 0.5


# ---------------------------------------------------------------- answers


def test_wheel_f1_and_form_of_written_answers_by_hand() -> None:
    """Two of three keep the form. On Plutchik's inner ring: joy is right; sadness and anger against sadness is half of
    the precision; fear against joy is wrong. Precision (1 + 1/2 + 0) / 3, recall (1 + 1 + 0) / 3."""
    answers = [
        'He smiles.\n\nEmotions: ["happy"]',
        'She sighs.\n\nEmotions: ["sad", "angry"]',
        "Emotions: fearful, that is what I would say",
    ]
    figures = written_figures(answers, [("happy",), ("sad",), ("happy",)], ring_of(Evaluation()))
    precision, recall = 0.5, 2 / 3
    assert figures["in_form"] == pytest.approx(2 / 3)
    assert figures["wheel_f1"] == pytest.approx(2 * precision * recall / (precision + recall))


def test_without_answers_or_labels_nothing_is_said_of_them() -> None:
    assert written_figures([], [], ring_of(Evaluation())) == {}
    assert set(written_figures(["He smiles."], [()], ring_of(Evaluation()))) == {"in_form"}


# ---------------------------------------------------------------- whole validations


@pytest.fixture
def taught(tmp_path: Path) -> tuple[JointModel, LlmConfig, tuple[Example, ...]]:
    manifest(tmp_path, training=1, validation=5)
    config = replace(
        CONFIG,
        data=str(tmp_path / "clips.jsonl"),
        evaluation=Evaluation(generate=3, max_new_tokens=4),
        schedule=replace(CONFIG.schedule, batch_size=2),
    )
    examples = read_examples(config, jobs=1).parts["validation"]
    return tiny_joint(config), config, examples


def test_text_loss_and_verdict_are_those_of_all_examples_one_by_one(
    taught: tuple[JointModel, LlmConfig, tuple[Example, ...]],
) -> None:
    """Oracle: each example by itself, weighed by its tokens; what is dropped in training is not dropped here."""
    joint, config, examples = taught
    collator = Collator(joint.backbone, config)
    joint.train()
    figures = Validation(joint, config, collator, examples, joint.backbone.verdict_rows(8))()
    assert joint.training
    total = tokens = known = 0
    opinions = 0.0
    with as_served(joint), torch.no_grad():
        for example in examples:
            alone = joint(collator([Draw(example, training=False)]))
            total += float(alone.text) * int(alone.tokens)
            tokens += int(alone.tokens)
            opinions += float(alone.verdict)
            known += int(alone.known)
    assert 0 < known < len(examples)
    assert figures["text_loss"] == pytest.approx(total / tokens, rel=1e-4)
    assert figures["loss"] == pytest.approx(total / tokens + opinions / known, rel=1e-4)
    assert {"nll", "accuracy", "aurc", "in_form"} <= figures.keys()


def test_a_clip_that_cannot_be_shown_counts_in_no_figure_and_is_told(
    taught: tuple[JointModel, LlmConfig, tuple[Example, ...]], caplog: pytest.LogCaptureFixture
) -> None:
    """Oracle: the figures of the other clips alone. The tiny model has a context of 4,096 tokens."""
    joint, config, examples = taught
    config = replace(config, evaluation=replace(config.evaluation, generate=0))
    collator, rows = Collator(joint.backbone, config), joint.backbone.verdict_rows(8)
    asked = examples[1].request
    assert asked.transcript is not None
    long = replace(asked, transcript=replace(asked.transcript, text="word " * 9000, utterances=()))
    validation = Validation(joint, config, collator, [examples[0], replace(examples[1], request=long)], rows)
    assert validation() == Validation(joint, config, collator, examples[:1], rows)()
    assert "1 of 2 validation clips count in no figure: clip2 (" in caplog.text
    assert "context" in validation.left_out["clip2"]


def test_several_processes_measure_what_one_does(taught: tuple[JointModel, LlmConfig, tuple[Example, ...]]) -> None:
    """What two processes measure, laid together, against one alone; three batches are measured and two written."""
    joint, config, examples = taught
    collator, rows = Collator(joint.backbone, config), joint.backbone.verdict_rows(8)

    def measured(rank: int, count: int, whole: list[list[Any]]) -> list[list[Any]]:
        lists: list[list[Any]] = []

        def gather(own: list[Any]) -> list[Any]:
            lists.append(own)
            return whole[len(lists) - 1] if whole else own

        Validation(joint, config, collator, examples, rows, Processes(rank, count, gather))()
        return lists

    alone = measured(0, 1, [])
    first, second = (measured(rank, 2, alone) for rank in (0, 1))
    assert [len(each) for each in alone] == [3, 2]
    assert [len(each) for each in first] == [len(each) for each in second] == [2, 1]
    for whole, one, other in zip(alone, first, second, strict=True):
        assert dict(one) | dict(other) == dict(whole)
