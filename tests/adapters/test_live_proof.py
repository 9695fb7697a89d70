"""An adapter without effect, or with another one, does not pass for the trainer's."""

from dataclasses import replace

import pytest
import torch
from small_models import MOOD, PROMPT, ROWS, Exported, last_logits, loaded, stock_peft, with_lora

from emer.adapters.proof import prove_in_transformers, prove_live
from emer.adapters.record import Probe
from emer.errors import ModelError

PROBE = Probe(text="p", tokens=(1, 2), logits=(2.0, -1.0, 0.0), base_logits=(0.5, 0.5, 0.5))


def test_a_live_adapter_is_proved_on_every_family(one: Exported) -> None:
    seen = prove_in_transformers(stock_peft(one), one.record)
    assert seen.error < 1e-4
    assert seen.change > 0.1
    assert seen.precision == "float32"


def test_the_probe_is_what_head_and_base_say(one: Exported) -> None:
    assert one.record.probe is not None
    assert one.record.probe.tokens == PROMPT
    base = last_logits(loaded(one.trained))[list(ROWS)]
    assert one.record.probe.base_logits == pytest.approx(base.tolist(), abs=1e-6)


def test_a_model_in_bfloat16_is_held_to_probabilities(exports: dict[str, Exported]) -> None:
    seen = prove_in_transformers(stock_peft(exports["plain"]).to(torch.bfloat16), exports["plain"].record)
    assert seen.precision == "bfloat16"
    assert 0 < seen.error <= 0.02


def test_an_adapter_without_effect_is_told() -> None:
    with pytest.raises(
        ModelError, match=r"the adapter has no effect: .*largest change 0, 1.5 in training.*tensor names"
    ):
        prove_live(PROBE, PROBE.base_logits, PROBE.base_logits, MOOD)


def test_lora_that_was_loaded_under_other_names_is_told(omni: Exported) -> None:
    fresh = with_lora(loaded(omni.trained))  # LoRA, but nobody's output layer
    with pytest.raises(ModelError, match=r"the adapter has no effect|the verdict differs from the trainer's"):
        prove_in_transformers(fresh, omni.record)


def test_an_adapter_that_is_loaded_in_part_is_told() -> None:
    with pytest.raises(ModelError, match=r"the verdict differs from the trainer's by 0.01, allowed 0.001 \(float32\)"):
        prove_live(PROBE, (2.0, -1.0, 0.01), PROBE.base_logits, MOOD)


def test_a_base_that_answers_with_the_adapter_is_told() -> None:
    # as on a server that gives requests without an adapter the last one's rows
    served = (2.0, -1.0, 0.0)
    leaking = (0.5, 0.5, 0.1)
    with pytest.raises(ModelError, match=r"the base without the adapter answers otherwise .*another request's adapter"):
        prove_live(PROBE, served, leaking, MOOD)


def test_bfloat16_may_differ_by_two_hundredths_of_probability_and_no_more() -> None:
    near, far = (2.02, -1.0, 0.0), (2.4, -1.0, 0.0)
    # by hand: e = softplus(z), p = (e + 1) / (sum e + 3): .5098 at 2, .5112 at 2.02, .5370 at 2.4
    assert prove_live(PROBE, near, PROBE.base_logits, MOOD, "bfloat16").error == pytest.approx(0.0014, abs=1e-4)
    with pytest.raises(ModelError, match=r"differs from the trainer's by 0.027, allowed 0.02 \(bfloat16\)"):
        prove_live(PROBE, far, PROBE.base_logits, MOOD, "bfloat16")


def test_a_probe_of_half_precision_is_held_to_probabilities_on_a_server_of_full_precision() -> None:
    rounded = replace(PROBE, precision="bfloat16")
    assert prove_live(rounded, (2.02, -1.0, 0.0), PROBE.base_logits, MOOD, "float32").precision == "bfloat16"
    with pytest.raises(ModelError, match=r"by 0.02, allowed 0.001 \(float32\)"):
        prove_live(PROBE, (2.02, -1.0, 0.0), PROBE.base_logits, MOOD, "float32")


def test_a_probe_without_a_difference_proves_nothing() -> None:
    with pytest.raises(ModelError, match="the probe shows no difference between adapter and base"):
        prove_live(replace(PROBE, logits=PROBE.base_logits), PROBE.base_logits, PROBE.base_logits, MOOD)


@pytest.mark.parametrize("wrong", [(1.0, 2.0), (1.0, 2.0, float("nan"))])
def test_logits_that_are_none_are_told(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ModelError, match=r"the served logits .* must be 3 finite numbers, one per verdict row"):
        prove_live(PROBE, wrong, PROBE.base_logits, MOOD)


def test_an_adapter_without_a_probe_cannot_be_proved(omni: Exported) -> None:
    with pytest.raises(ModelError, match="has no verdict with a probe, so nothing proves it live"):
        prove_in_transformers(stock_peft(omni), replace(omni.record, probe=None))
