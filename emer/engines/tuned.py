"""An adapter beside its model: what is checked before it is believed, and what it says of fusion and confidence.

Loads torch: import it only where a model is asked.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch

from emer.adapters.base_hash import base_sha256
from emer.adapters.files import read_adapter, read_record
from emer.adapters.record import AdapterRecord, VerdictRecord, refuse_other_base
from emer.backbones.backbone import Backbone
from emer.backbones.loading import load
from emer.emotions import cluster_of
from emer.engines.asking import streams_of
from emer.engines.engine import record_folder
from emer.errors import ConfigError, ModelError
from emer.evidence.judgement import Heard
from emer.evidence.verdict import capped, opinions
from emer.evidence.verdict_labels import LabelMap
from emer.shipped import located, shipped_adapter
from emer.types import Caps, Opinion


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
    def streams(self) -> frozenset[str]:
        """Those of `audio` and `video` that are any use to it."""
        return streams_of(self.backbone.perceives)

    def opinion(self, logits: tuple[float, ...]) -> Opinion | None:
        """The verdict by the output layer's raw logits of `rows`. Raises OpinionError where they are not finite."""
        if self.verdict is None:
            return None
        raw = torch.tensor([logits], dtype=torch.float64)
        cap = self.backbone.softcap
        return opinions(raw if cap is None else capped(raw, cap), self.verdict.spec)[0]

    def cluster(self, label: str) -> str | None:
        """Where a free label stands in the label set of the opinions that its confidence comes from."""
        return cluster_of(label) if self.words is None else self.words.of(label)

    @cached_property
    def words(self) -> LabelMap | None:
        """How free labels reach those of the verdict, by the map that it was trained with; None without a verdict."""
        return None if self.verdict is None else LabelMap(self.verdict.spec, self.verdict.label_map)

    @property
    def caps(self) -> Caps:
        """The most that it hears and sees of a clip: as it was trained, else as suits its family."""
        return self.backbone.caps if self.record is None or self.record.shown is None else self.record.shown.caps

    @property
    def frames(self) -> Literal["full", "face", "both"]:
        """Whether it sees whole pictures, faces, or both: as it was trained, else whole ones."""
        return "full" if self.record is None or self.record.shown is None else self.record.shown.frames


def tuned(model: str, adapter: str | None, device: str | None, dtype: str) -> Tuned:
    """The model with its adapter, loaded and checked.

    `device` None takes a GPU where there is one; `dtype` is `auto` or a name of torch's. Raises ModelError or
    ConfigError for a model that is not there, an adapter of another base, verdict rows that the tokenizer uses, files
    that were changed.
    """
    adapter = adapter or shipped_adapter(model)
    folder = record_folder(model, adapter)
    record = None if folder is None else _checked(model, folder, merged=adapter is None)
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        backbone = load(model, device=place, dtype=_dtype(dtype), adapter=adapter)
    except torch.OutOfMemoryError as error:
        raise ModelError(f"{model} does not fit into the memory of {place}; take a smaller model") from error
    if record is not None and record.verdict is not None:
        backbone.check_verdict_rows(record.verdict.rows)
    return Tuned(backbone, record)


def _checked(model: str, folder: str, *, merged: bool) -> AdapterRecord:
    """What the adapter, or the merged model, says about itself, after its files and its base were looked at."""
    if merged:
        record = read_record(folder)
        if record.names != "merged":
            raise ModelError(f"{folder} is an adapter and no model; give it as --adapter, and its base as --model")
        return record
    record = read_adapter(folder).record
    if record.names == "vllm":
        raise ModelError(f"{folder} has vLLM's tensor names; give the folder that emer train wrote")
    if (base := _base_folder(model)) is not None:
        refuse_other_base(record, base_sha256(base))
    return record


def _base_folder(model: str) -> Path | None:
    """Where the base's weights lie: its folder, or the hub's cache; None before it was ever downloaded."""
    if Path(located(model)).is_dir():
        return Path(located(model))
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model, "config.json")
    return Path(found).parent if isinstance(found, str) else None


def _dtype(name: str) -> Any:
    if name == "auto":
        return "auto"
    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise ConfigError(f"dtype {name!r} is not known; give auto, float32, bfloat16 or float16")
    return found


def heard_with(folder: str, heard: Heard | None) -> Heard:
    """What trained heads said, with the fusion and the calibration of the adapter, which know of its verdict.

    `folder` is that of `emer.json`.
    """
    record = read_record(folder)
    return replace(
        heard or Heard(),
        data=record.data or (heard.data if heard else ""),
        fusion=record.fusion.rule,
        reliabilities=record.fusion.reliabilities,
        calibration=record.calibration,
    )
