"""An adapter is PEFT's: transformers and peft alone, where emer cannot be imported, read the trainer's verdict from it.

The prompts are as in training, with sound and pictures; expected is what the trainer's own head reads from the model
that is still in its memory.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import peft
import pytest
import torch
from safetensors.torch import save_file
from small_models import MOOD, head_for, with_lora
from tiny_folders import tiny

from emer.adapters.base_hash import base_sha256
from emer.adapters.export import base_record, export_adapter
from emer.adapters.record import AdapterRecord, VerdictRecord
from emer.backbones.attached import Attached, Conversation
from emer.backbones.backbone import Backbone, Batch
from emer.backbones.loading import load
from emer.errors import ConfigError
from emer.types import Message

FAMILIES = {
    "qwen2_5_omni": ("audio", "video"),
    "qwen3_omni": ("audio", "video"),
    "gemma4": ("audio",),
    "text_clues": (),
}
"""With pictures, Gemma 4 needs a mend of transformers 5.19 that `emer.backbones.gemma4` brings."""
SCRIPT = """
import json, sys
sys.modules["emer"] = None  # importing emer fails
sys.modules["torchvision"] = None  # of no use here, and not everywhere fit to be imported
import torch, transformers
from peft import PeftModel
from safetensors.torch import load_file
torch.set_num_threads(1)
for case in json.loads(sys.argv[1]):
    base = getattr(transformers, case["kind"]).from_pretrained(case["base"], dtype=torch.float32)
    model = PeftModel.from_pretrained(base, case["adapter"]).eval()
    with torch.no_grad():
        logits = model(**load_file(case["inputs"])).logits[0, -1]
    print(json.dumps(logits[case["rows"]].tolist()))
try:
    import emer
except ImportError:
    print("without emer")
"""
pytestmark = pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`:UserWarning")


@dataclass(frozen=True)
class Case:
    """What the other process is told, and what it is to find."""

    told: dict[str, object]
    verdict: list[float]


def prompt_of(backbone: Backbone, media: tuple[str, ...]) -> Batch:
    """A question about a second of noise and two pictures, as far as the family takes them."""
    draw = np.random.default_rng(0)
    side = 2 * backbone.caps.multiple
    attached = Attached(
        samples=draw.normal(0, 0.1, 16_000).astype(np.float32) if "audio" in media else None,
        frames=draw.integers(0, 256, (2, side, side, 3), np.uint8) if "video" in media else None,
        fps=2.0,
    )
    return backbone.encode([Conversation((Message("user", "What do you hear and see?", media),), attached)])


def case_of(family: str, media: tuple[str, ...], folder: Path) -> Case:
    """A trained model's adapter and a prompt on disk, and the verdict while the model is still in memory."""
    folder.mkdir()
    backbone = load(tiny(family), dtype=torch.float32)
    rows = backbone.verdict_rows(MOOD.rows)
    base = base_record(backbone.model, f"me/{family}", base_sha256(tiny(family)))
    record = AdapterRecord(base=base, verdict=VerdictRecord(spec=MOOD, rows=rows))
    head = head_for(backbone.model, MOOD, backbone.hidden_size)
    backbone.model = with_lora(backbone.model, target_modules=backbone.lora_layers())
    export_adapter(folder / "adapter", backbone.model, record, head)
    batch = prompt_of(backbone, media)
    # a family's own positions go along: the models themselves derive the same from ids and mask
    save_file({name: each.contiguous() for name, each in batch.inputs.items()}, folder / "inputs.safetensors")
    with torch.no_grad():
        verdict = head(backbone.hidden_at(batch, batch.last_prompt))[0]
    told = {
        "kind": base.model_class,
        "base": str(tiny(family)),
        "adapter": str(folder / "adapter"),
        "inputs": str(folder / "inputs.safetensors"),
        "rows": rows,
    }
    return Case(told, verdict.tolist())


@pytest.mark.parametrize(
    "families",
    [("qwen2_5_omni", "text_clues"), pytest.param(("qwen3_omni", "gemma4"), marks=pytest.mark.long)],
    ids=" and ".join,
)
def test_transformers_and_peft_alone_read_the_trainer_s_verdict_at_the_end_of_a_prompt_with_media(
    families: tuple[str, ...], tmp_path: Path
) -> None:
    cases = [case_of(family, FAMILIES[family], tmp_path / family) for family in families]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps([case.told for case in cases])],
        cwd=tmp_path,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *served, last = done.stdout.strip().splitlines()
    assert last == "without emer"
    for case, line in zip(cases, served, strict=True):
        assert json.loads(line) == pytest.approx(case.verdict, abs=1e-4), case.told["kind"]


def test_lora_by_names_stays_off_encoders_where_peft_would_widen_an_expression() -> None:
    """PEFT 0.21 keeps of an expression for a mixture of experts the last words of what it matches; encoders of sound
    have layers of these names. Hand count: two layers with four projections each."""
    by_name, by_expression = (load(tiny("qwen3_omni"), dtype=torch.float32) for _ in range(2))
    layers = by_name.lora_layers()
    assert len(layers) == 8
    named = peft.get_peft_model(by_name.model, peft.LoraConfig(target_modules=layers))
    widened = peft.get_peft_model(by_expression.model, peft.LoraConfig(target_modules=by_expression.lora_targets))
    assert set(named.targeted_module_names) == set(layers)
    assert any(name.startswith("audio_tower.") for name in widened.targeted_module_names)


def test_layers_may_be_named_by_an_expression_of_one_s_own() -> None:
    backbone = load(tiny("text_clues"))
    assert backbone.lora_layers(r"model\.layers\.1\..*\.q_proj") == ["model.layers.1.self_attn.q_proj"]
    assert backbone.lora_layers("nothing") == []
    with pytest.raises(
        ConfigError, match=r"'\(q_proj' is no regular expression \(missing \), .*\); write lora.targets"
    ):
        backbone.lora_layers("(q_proj")
