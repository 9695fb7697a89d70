"""Measurements of speed and memory of language models, run at a tiny size; their arithmetic by hand and by scipy."""

import doctest
import json
from dataclasses import replace

import alongside_report
import gpu_llm
import llm_training
import numpy as np
import pytest
import torch
from random_omni import SEVEN_B, SMALL, Shape, multiplied, random_omni

TINY = replace(SMALL, hidden=64, inner=64, layers=1, heads=1, key_value_heads=1, vocabulary=1024)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert [doctest.testmod(module).failed for module in (gpu_llm, llm_training, alongside_report)] == [0, 0, 0]


def test_the_interval_of_a_median_holds_it_as_often_as_it_says() -> None:
    """Against 1,500 drawn samples of ten, whose median is known."""
    rng = np.random.default_rng(0)
    found = [llm_training.median_interval(rng.exponential(size=10).tolist()) for _ in range(1500)]
    held = np.mean([low <= np.log(2) <= high for _, low, high, _ in found])
    assert found[0][3] == pytest.approx(0.9785, abs=1e-4)
    assert held == pytest.approx(found[0][3], abs=0.015)


def test_few_runs_give_all_of_them_as_the_interval() -> None:
    """Two values hold the median between them half of the time (1/2: both above or both below otherwise)."""
    assert llm_training.median_interval([1.0, 2.0]) == (1.5, 1.0, 2.0, 0.5)


def test_a_token_is_multiplied_by_every_weight_of_the_language_model_once() -> None:
    """Against the model's own matrices."""
    backbone = random_omni(TINY)
    linear = {
        name: module.weight.numel()
        for name, module in backbone.model.named_modules()
        if isinstance(module, torch.nn.Linear) and not name.startswith(("audio_tower", "visual"))
    }
    output = linear.pop("lm_head")
    assert multiplied(TINY) == (sum(linear.values()), output)


def test_the_shape_of_7b_has_its_published_size() -> None:
    """7.6 billion weights, 6.5 of them outside the embeddings (Qwen2.5-7B's model card)."""
    layers, output = multiplied(SEVEN_B)
    assert layers / 1e9 == pytest.approx(6.53, abs=0.05)
    assert (layers + 2 * output) / 1e9 == pytest.approx(7.6, abs=0.05)


def test_without_a_gpu_the_table_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    gpu_llm.main()
    assert capsys.readouterr().out == "Not measured on a GPU: none was at hand.\n"


def test_the_measurements_of_a_gpu_run_on_a_processor_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_llm, "SECONDS", 0.5)
    monkeypatch.setattr(gpu_llm, "WORDS", 1)
    trained, written = gpu_llm.measured(TINY, torch.device("cpu"), torch.float32, pairs=2, batches=(1, 3), new_tokens=4)
    assert trained.tokens_per_s > 0
    assert trained.mfu is None
    assert trained.head[1] <= trained.head[0] <= trained.head[2]
    assert [each.batch for each in written] == [1, 3]
    table = "\n".join(gpu_llm.told("processor", trained, written))
    assert "| MFU | not known |" in table
    assert "| memory of the head | not known |" in table


def test_mfu_counts_a_step_as_hand_does() -> None:
    """One layer of hidden 4, inner 8, one head: 4 · 4 · 4 attention weights, 3 · 4 · 8 others; output 4 · 10."""
    shape = Shape(
        hidden=4, inner=8, layers=1, heads=1, key_value_heads=1, vocabulary=10, ear=1, ear_inner=1, ear_layers=1,
        ear_heads=1, mrope=(0, 0, 0),
    )  # fmt: skip
    by_hand = 4 * (64 + 96) * 5 + 4 * 40 * 2 + 3 * 2 * 4 * (2 * 2 + 3 * 3)
    assert gpu_llm.model_flops(shape, [2, 3], 2) == by_hand


def test_ratios_compare_run_by_run_and_become_a_table() -> None:
    runs = {
        "joint": [{"seconds": 2.0, "peak_mb": 10.0}, {"seconds": 3.0, "peak_mb": 10.0}],
        "sft": [{"seconds": 1.0, "peak_mb": 10.0}, {"seconds": 2.0, "peak_mb": 8.0}],
    }
    found = llm_training.ratios(runs, "joint", "sft")
    assert (found["seconds"]["median"], found["seconds"]["low"], found["seconds"]["high"]) == (1.75, 1.5, 2.0)
    lines = list(llm_training.table(runs, ("seconds", "peak_mb"), "joint", "sft"))
    assert lines[0] == "| | joint | sft | ratio | 50% | runs |"
    assert lines[2] == "| seconds a step | 2.5 | 1.5 | 1.750 | [1.500, 2.000] | 2 |"


def test_not_a_number_becomes_null() -> None:
    assert json.dumps(alongside_report.finite([float("nan"), float("inf"), 1.0])) == "[null, null, 1.0]"
