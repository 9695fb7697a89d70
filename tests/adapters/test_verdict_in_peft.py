"""The verdict comes out of the output layer: stock PEFT, merged models and the trainer's head agree."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_models import (
    HIDDEN,
    PROMPT,
    ROWS,
    VOCABULARY,
    Exported,
    exported,
    last_logits,
    loaded,
    omni_thinker,
    qwen2,
    stock_peft,
    trained,
)

from emer.adapters.files import read_adapter
from emer.adapters.merging import merge, save_merged
from emer.adapters.proof import last_state
from emer.adapters.rows import rows_of_lora
from emer.backbones.opening import transformers
from emer.errors import ConfigError, ModelError
from emer.evidence.verdict import VerdictSpec

OTHERS = [row for row in range(VOCABULARY) if row not in ROWS]
OTHER_PROMPT = (3, 71, 8)
SCRIPT = """
import json, sys
sys.modules["emer"] = None  # importing emer fails
sys.modules["torchvision"] = None  # of no use here, and not everywhere fit to be imported
import torch, transformers
from peft import PeftModel
for base, adapter, kind, rows, prompt in json.loads(sys.argv[1]):
    model = getattr(transformers, kind).from_pretrained(base)
    model = PeftModel.from_pretrained(model, adapter).eval()
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([prompt])).logits[0, -1]
    print(json.dumps(logits[rows].tolist()))
try:
    import emer
except ImportError:
    print("without emer")
"""


def verdict(one: Exported, prompt: tuple[int, ...] = PROMPT) -> list[float]:
    """What the trainer's own head reads from the trained model's states."""
    logits: list[float] = one.trained.head(last_state(one.trained.model, prompt)).tolist()
    return logits


# ---------------------------------------------------------------- stock PEFT


@pytest.mark.parametrize("prompt", [PROMPT, OTHER_PROMPT])
def test_stock_peft_gives_the_verdict_of_the_trained_head(one: Exported, prompt: tuple[int, ...]) -> None:
    served = last_logits(stock_peft(one), prompt)[list(ROWS)]
    assert served.tolist() == pytest.approx(verdict(one, prompt), abs=1e-4)


def test_all_other_rows_are_as_in_training(one: Exported) -> None:
    # In training the output layer had no LoRA: adding nothing to a row must leave every bit of it.
    assert torch.equal(last_logits(stock_peft(one))[OTHERS], last_logits(one.trained.model)[OTHERS])


def test_the_base_has_numbers_of_its_own_in_the_verdict_rows(one: Exported) -> None:
    base = loaded(one.trained)
    assert base.get_output_embeddings().weight[list(ROWS)].abs().min() > 0
    assert (last_logits(base)[list(ROWS)] - torch.tensor(verdict(one))).abs().max() > 0.1


def test_the_soft_cap_of_the_model_is_in_the_verdict(exports: dict[str, Exported]) -> None:
    one = exports["softcap"]
    state = last_state(one.trained.model, PROMPT)
    plain = one.trained.head.linear(state)
    assert one.record.base.softcap == 1.5
    assert plain.abs().max() > 1.5
    assert last_logits(stock_peft(one))[list(ROWS)].abs().max() < 1.5


def test_tied_embeddings_stay_as_they_are(exports: dict[str, Exported]) -> None:
    one = exports["tied"]
    model, base = stock_peft(one), loaded(one.trained)
    assert torch.equal(model.get_input_embeddings().weight, base.get_input_embeddings().weight)


def test_ordinary_lora_rides_beside_the_verdict(one: Exported) -> None:
    adapter = read_adapter(one.folder)
    kinds = {module.rpartition(".")[2] for module in adapter.pairs}
    assert kinds == {"q_proj", "v_proj", "lm_head"}
    assert adapter.config["r"] == 4
    assert adapter.pairs["lm_head"][0].shape == (4, HIDDEN)


def test_the_file_holds_no_weights_of_the_base(one: Exported) -> None:
    # PEFT would store the whole output layer beside an adapter that targets it.
    numbers = sum(each.numel() for each in read_adapter(one.folder).tensors.values())
    lora = sum(each.numel() for name, each in one.trained.model.named_parameters() if "lora_" in name)
    assert numbers == lora + 4 * HIDDEN + VOCABULARY * 4


def test_the_rows_come_back_out_of_the_adapter(one: Exported) -> None:
    adapter = read_adapter(one.folder)
    base = loaded(one.trained).get_output_embeddings().weight[list(ROWS)].detach()
    rows = rows_of_lora(adapter.output_lora, base, ROWS)
    assert torch.allclose(rows, one.trained.head.rows, atol=1e-6)


def test_more_rows_than_the_rank_take_a_rank_of_their_own(tmp_path: Path) -> None:
    labels = tuple(f"label {i}" for i in range(5))
    spec = VerdictSpec(label_set="many", labels=labels, kind="beta")
    run = trained(tmp_path / "base", qwen2(), spec, tuple(range(95, 85, -1)), r=8, lora_alpha=4)
    made = exported(tmp_path / "adapter", run)
    config = read_adapter(made.folder).config
    assert config["rank_pattern"] == {"lm_head": 16}
    assert config["alpha_pattern"] == {"lm_head": 8}
    served = last_logits(stock_peft(made))[list(range(95, 85, -1))]
    assert served.tolist() == pytest.approx(verdict(made), abs=1e-4)


def test_stock_peft_needs_no_emer(exports: dict[str, Exported], tmp_path: Path) -> None:
    chosen = [exports["plain"], exports["omni"]]
    asked = [(str(one.trained.base), str(one.folder), one.record.base.model_class, ROWS, PROMPT) for one in chosen]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(asked)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *served, last = done.stdout.strip().splitlines()
    assert last == "without emer"
    for one, line in zip(chosen, served, strict=True):
        assert json.loads(line) == pytest.approx(verdict(one), abs=1e-4)


def test_a_model_in_bfloat16_keeps_probabilities_within_two_hundredths(exports: dict[str, Exported]) -> None:
    from emer.evidence.opinion import probability
    from emer.evidence.verdict import opinions

    one = exports["plain"]
    served = last_logits(stock_peft(one).to(torch.bfloat16))[list(ROWS)].float()
    spec = one.trained.head.spec
    ours, theirs = opinions(torch.stack([served, torch.tensor(verdict(one))]), spec)
    assert probability(ours).tolist() == pytest.approx(probability(theirs).tolist(), abs=0.02)


# ---------------------------------------------------------------- merged


def test_a_merged_model_answers_as_the_adapter_does(one: Exported, tmp_path: Path) -> None:
    merged = merge(loaded(one.trained), read_adapter(one.folder))
    save_merged(tmp_path / "merged", merged, one.record)
    kind = getattr(transformers(), one.record.base.model_class)
    again = kind.from_pretrained(tmp_path / "merged").eval()
    logits = last_logits(again)
    assert logits[list(ROWS)].tolist() == pytest.approx(verdict(one), abs=1e-4)
    assert torch.allclose(logits, last_logits(stock_peft(one)), atol=1e-4)
    assert again.generation_config.suppress_tokens == list(ROWS)


def test_a_merged_model_holds_the_rows_themselves_and_keeps_its_embedding(exports: dict[str, Exported]) -> None:
    one = exports["tied"]
    merged, base = merge(loaded(one.trained), read_adapter(one.folder)), loaded(one.trained)
    assert torch.allclose(merged.get_output_embeddings().weight[list(ROWS)], one.trained.head.rows, atol=1e-6)
    assert torch.equal(merged.get_input_embeddings().weight, base.get_input_embeddings().weight)


def test_a_merged_model_never_says_a_verdict_row(exports: dict[str, Exported]) -> None:
    one = exports["plain"]
    merged = merge(loaded(one.trained), read_adapter(one.folder))
    torch.manual_seed(0)
    options = {"max_new_tokens": 100, "do_sample": True, "top_k": 0, "temperature": 5.0, "num_return_sequences": 4}
    said = merged.generate(torch.tensor([PROMPT]), attention_mask=torch.ones(1, len(PROMPT)), **options)
    assert not set(said.flatten().tolist()) & set(ROWS)
    merged.generation_config.suppress_tokens = None
    free = merged.generate(torch.tensor([PROMPT]), attention_mask=torch.ones(1, len(PROMPT)), **options)
    assert set(free.flatten().tolist()) & set(ROWS)


def test_merging_agrees_with_peft_s_own(exports: dict[str, Exported]) -> None:
    one = exports["omni"]
    ours = merge(loaded(one.trained), read_adapter(one.folder)).state_dict()
    theirs = stock_peft(one).merge_and_unload().state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-6) for name in ours)


def test_an_adapter_is_not_merged_into_another_model(exports: dict[str, Exported]) -> None:
    with pytest.raises(ModelError, match=r"is for a layer lm_head, and Qwen2Model has none; give its base"):
        merge(loaded(exports["plain"].trained).model, read_adapter(exports["plain"].folder))
    with pytest.raises(ModelError, match=r"is for Qwen2ForCausalLM, and the model is Qwen2_5OmniThinkerFor"):
        merge(omni_thinker(), read_adapter(exports["plain"].folder))


def test_the_rows_of_a_changed_adapter_are_not_read(exports: dict[str, Exported]) -> None:
    adapter = read_adapter(exports["plain"].folder)
    adapter.tensors["base_model.model.lm_head.lora_B.weight"][0, 0] = 1.0
    with pytest.raises(ConfigError, match=r"does not hold just the 3 verdict rows \[90, 93, 91\]"):
        merge(loaded(exports["plain"].trained), adapter)
