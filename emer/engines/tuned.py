"""An adapter beside its model: what is checked before it is believed, and what it says of fusion and confidence.

Loads torch: import it only where a model is asked.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from emer.adapters.base_hash import base_sha256
from emer.adapters.files import read_adapter, read_record
from emer.adapters.record import AdapterRecord, VerdictRecord, refuse_other_base
from emer.backbones.backbone import Backbone
from emer.backbones.loading import load
from emer.emotions import cluster_of
from emer.errors import ConfigError, ModelError
from emer.evidence.judgement import Heard
from emer.evidence.verdict import capped, opinions
from emer.evidence.verdict_labels import LabelMap
from emer.types import Opinion


@dataclass(frozen=True)
class Tuned:
    """A model that is loaded, with its adapter on it where it has one."""

    backbone: Backbone
    record: AdapterRecord | None = None

    @property
    def verdict(self) -> VerdictRecord | None:
        return None if self.record is None else self.record.verdict

    @property
    def rows(self) -> tuple[int, ...]:
        """The verdict's vocabulary rows; none without a verdict."""
        return () if self.verdict is None else self.verdict.rows

    @property
    def perceives_media(self) -> bool:
        """Whether sound or picture are any use to it."""
        return bool(self.backbone.perceives - {"text"})

    def opinion(self, logits: tuple[float, ...]) -> Opinion | None:
        """The verdict by the output layer's raw logits of `rows`. Raises OpinionError where they are not finite."""
        if self.verdict is None:
            return None
        raw = torch.tensor([logits], dtype=torch.float64)
        cap = self.backbone.softcap
        return opinions(raw if cap is None else capped(raw, cap), self.verdict.spec)[0]

    def cluster(self, label: str) -> str | None:
        """Where a free label stands in the label set of the opinions that its confidence comes from."""
        return cluster_of(label) if self.verdict is None else LabelMap(self.verdict.spec).of(label)


def tuned(model: str, adapter: str | None, device: str | None, dtype: str) -> Tuned:
    """The model with its adapter, loaded and checked.

    `device` None takes a GPU where there is one; `dtype` is `auto` or a name of torch's. Raises ModelError or
    ConfigError for a model that is not there, an adapter of another base, verdict rows that the tokenizer uses, files
    that were changed.
    """
    record = None if adapter is None else _checked(model, adapter)
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        backbone = load(model, device=place, dtype=_dtype(dtype), adapter=adapter)
    except torch.OutOfMemoryError as error:
        raise ModelError(f"{model} does not fit into the memory of {place}; take a smaller model") from error
    if record is not None and record.verdict is not None:
        backbone.check_verdict_rows(record.verdict.rows)
    return Tuned(backbone, record)


def _checked(model: str, adapter: str) -> AdapterRecord:
    """The adapter's record, its files whole. The base's hash is taken where the base lies in a folder of its own."""
    record = read_adapter(adapter).record
    if record.names == "vllm":
        raise ConfigError(f"{adapter} has vLLM's tensor names; give the folder that emer train wrote")
    if Path(model).is_dir():
        refuse_other_base(record, base_sha256(model))
    return record


def _dtype(name: str) -> Any:
    if name == "auto":
        return "auto"
    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise ConfigError(f"dtype {name!r} is not known; give auto, float32, bfloat16 or float16")
    return found


def heard_with(adapter: str, heard: Heard | None) -> Heard:
    """What trained heads said, with the fusion and the calibration of the adapter, which know of its verdict."""
    record = read_record(adapter)
    return replace(
        heard or Heard(),
        data=record.data or (heard.data if heard else ""),
        fusion=record.fusion.rule,
        reliabilities=record.fusion.reliabilities,
        calibration=record.calibration,
    )
