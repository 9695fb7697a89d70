"""Tiny models with an adapter on them, as training would leave them: `from adapted_models import adapt`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from emer.adapters.base_hash import base_sha256
from emer.adapters.export import base_record, export_adapter
from emer.adapters.record import AdapterRecord, VerdictRecord
from emer.backbones.loading import load
from emer.evidence.calibration import Calibration
from emer.evidence.verdict import VerdictHead
from emer.evidence.verdict_spec import VerdictSpec
from emer.types import PromptRecord


@dataclass(frozen=True)
class Adapted:
    """A base model, its adapter, and the head as its trainer knew it."""

    model: Path
    adapter: Path
    head: VerdictHead
    rows: tuple[int, ...]


def adapt(
    model: Path,
    folder: Path,
    spec: VerdictSpec,
    *,
    prompt: PromptRecord | None = None,
    calibration: Calibration | None = None,
    probe: Sequence[int] | None = None,
) -> Adapted:
    """An adapter of random numbers: LoRA that moves the states, and verdict rows of the size that training gives."""
    import peft

    backbone = load(model, dtype=torch.float32)
    rows = backbone.verdict_rows(spec.rows)
    base = base_record(backbone.model, model.name, base_sha256(model))
    record = AdapterRecord(
        base=base,
        verdict=VerdictRecord(spec=spec, rows=rows),
        prompt=prompt,
        calibration=calibration,
        data="random numbers",
    )
    torch.manual_seed(5)
    config = peft.LoraConfig(r=4, lora_alpha=8, target_modules=backbone.lora_layers())
    adapted = peft.get_peft_model(backbone.model, config)
    head = VerdictHead(backbone.hidden_size, spec, softcap=backbone.softcap)
    with torch.no_grad():
        head.linear.weight.normal_(std=0.1)
        for name, each in adapted.named_parameters():
            if "lora_B" in name:
                each.normal_(std=0.05)
    asked = None if probe is None else ("a clip of someone", probe)
    export_adapter(folder, adapted.eval(), record, head, probe=asked)
    return Adapted(model, folder, head, rows)
