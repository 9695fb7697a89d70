"""The one way to open a model when its family is not known beforehand."""

from pathlib import Path
from typing import Any

import torch

from emer.backbones.backbone import Backbone
from emer.backbones.opening import Dtype, config_of
from emer.registry import BACKBONES
from emer.registry import load as look_up

FAMILIES = {
    "qwen2_5_omni": "qwen2_5_omni",
    "qwen2_5_omni_thinker": "qwen2_5_omni",
    "qwen3_omni_moe": "qwen3_omni",
    "qwen3_omni_moe_thinker": "qwen3_omni",
    "gemma4": "gemma4",
}
"""`model_type` in a model's config.json to the backbone that takes it; every other one is a text model."""


def load(
    path_or_id: str | Path,
    *,
    family: str | None = None,
    device: torch.device | str = "cpu",
    dtype: Dtype = "auto",
    adapter: str | Path | None = None,
    **options: Any,
) -> Backbone:
    """The backbone of a folder or hub id; `family` is a name of `emer.registry.BACKBONES` or `package.module:Class`;
    `options` go to transformers' `from_pretrained` as they are.

    Raises ModelError when nothing is there or an adapter does not fit, ConfigError for an unknown family.
    """
    name = family or family_of(path_or_id)
    backbone = look_up(name, BACKBONES).load(path_or_id, device=device, dtype=dtype, adapter=adapter, **options)
    assert isinstance(backbone, Backbone)
    return backbone


def family_of(path_or_id: str | Path) -> str:
    """The family by the model's own configuration. Raises ModelError when there is none."""
    return FAMILIES.get(config_of(path_or_id).model_type, "text_clues")
