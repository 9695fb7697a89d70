"""Which LoRA can hold a verdict's rows, and with what numbers."""

import pytest
import torch

from emer.adapters.rows import (
    rank_for,
    rows_as_lora,
    rows_of_lora,
    scaling_of,
    with_output_lora,
)
from emer.errors import ConfigError

PLAIN = {"peft_type": "LORA", "r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"]}


def test_the_product_is_exactly_one_in_each_verdict_row_and_zero_elsewhere() -> None:
    # every power of two is exact in bfloat16 and float32 alike
    for scaling in (0.125, 0.5, 1.0, 2.0, 16.0):
        lora = rows_as_lora(torch.ones(3, 4), torch.zeros(3, 4), [7, 2, 5], 9, scaling)
        scaled = (lora.alpha / lora.rank) * lora.b.to(torch.bfloat16)
        assert lora.alpha / lora.rank == scaling
        assert [tuple(place) for place in scaled.nonzero().tolist()] == [(2, 1), (5, 2), (7, 0)]
        assert set(scaled[scaled != 0].tolist()) == {1.0}


def test_padding_is_zero_and_the_difference_is_to_the_base() -> None:
    lora = rows_as_lora(torch.full((3, 2), 5.0), torch.full((3, 2), 2.0), [0, 1, 2], 3, 1.0)
    assert lora.a.tolist() == [[3.0, 3.0]] * 3 + [[0.0, 0.0]]


@pytest.mark.parametrize(
    ("rows", "scaling", "rank"), [(1, 1.0, 1), (8, 2.0, 8), (9, 2.0, 16), (16, 0.5, 16), (3, 1 / 64, 64)]
)
def test_the_rank_is_a_power_of_two_with_a_whole_alpha(rows: int, scaling: float, rank: int) -> None:
    assert rank_for(rows, scaling) == rank


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lora_alpha": 12}, r"lora_alpha 12 / r 8 is no power of two"),
        ({"lora_alpha": 0}, r"lora_alpha 0 / r 8 is no power of two"),
        ({"use_rslora": True}, r"use_rslora scales by the root of the rank"),
        ({"use_dora": True}, r"use_dora rescales whole rows"),
        ({"fan_in_fan_out": True}, r"fan_in_fan_out is for transposed weights"),
        ({"bias": "all"}, r"trained biases would add to the rows"),
        ({"lora_bias": True}, r"trained biases would add to the rows"),
        ({"modules_to_save": ["embed_tokens"]}, r"save base weights, which vLLM refuses"),
        ({"layers_to_transform": [0]}, r"layers_to_transform shuts out the output layer"),
        ({"init_lora_weights": "pissa_niter_4"}, r"'pissa_niter_4' changes the base's weights"),
        ({"peft_type": "IA3"}, r"the adapter is of type IA3; train LoRA"),
        ({"use_bdlora": {"nblocks": 2}}, r"use_bdlora make other than plain LoRA"),
    ],
)
def test_lora_that_cannot_hold_rows_is_refused_with_the_reason(change: dict[str, object], reason: str) -> None:
    assert scaling_of(PLAIN) == 2.0
    with pytest.raises(ConfigError, match=f"the verdict's rows cannot ride in this LoRA: .*{reason}"):
        scaling_of({**PLAIN, **change})


def test_all_reasons_are_told_at_once() -> None:
    with pytest.raises(ConfigError, match=r"use_rslora.*use_dora.*fan_in_fan_out"):
        scaling_of({**PLAIN, "use_rslora": True, "use_dora": True, "fan_in_fan_out": True})


@pytest.mark.parametrize("targets", [["q_proj", "lm_head"], r".*(q_proj|lm_head)"])
def test_an_output_layer_with_lora_of_its_own_is_refused(targets: object) -> None:
    lora = rows_as_lora(torch.ones(1, 2), torch.zeros(1, 2), [0], 3, 2.0)
    with pytest.raises(ConfigError, match=r"take in lm_head, whose LoRA holds the verdict's rows; leave it out"):
        with_output_lora({**PLAIN, "target_modules": targets}, "lm_head", lora)


def test_an_output_layer_that_is_excluded_is_told() -> None:
    lora = rows_as_lora(torch.ones(1, 2), torch.zeros(1, 2), [0], 3, 2.0)
    with pytest.raises(ConfigError, match="exclude_modules takes out lm_head"):
        with_output_lora({**PLAIN, "exclude_modules": ["lm_head"]}, "lm_head", lora)


def test_rows_that_are_not_there_or_stand_twice_are_refused() -> None:
    for ids in ([1, 1], [1, 9], [-1, 2], [1]):
        with pytest.raises(ConfigError, match="the verdict needs 2 different rows below 9"):
            rows_as_lora(torch.ones(2, 2), torch.zeros(2, 2), ids, 9, 1.0)


def test_rows_of_a_training_that_diverged_are_not_exported() -> None:
    with pytest.raises(ConfigError, match="the verdict's rows are not finite: training diverged"):
        rows_as_lora(torch.full((1, 2), torch.nan), torch.zeros(1, 2), [0], 3, 1.0)


def test_lora_that_adds_to_other_rows_is_no_verdict() -> None:
    lora = rows_as_lora(torch.ones(1, 2), torch.zeros(1, 2), [0], 3, 1.0)
    lora.b[2, 0] = 0.5
    with pytest.raises(ConfigError, match=r"does not hold just the 1 verdict rows \[0\]"):
        rows_of_lora(lora, torch.zeros(1, 2), [0])
