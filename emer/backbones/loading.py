"""The one way to open a model when its family is not known beforehand."""

import json
from pathlib import Path
from typing import Any

import torch

from emer.backbones.backbone import Backbone
from emer.backbones.opening import Dtype, config_of
from emer.errors import ModelError
from emer.registry import BACKBONES
from emer.registry import load as look_up
from emer.shipped import located
from emer.types import MODALITIES, Modality

BASE = "emer_base.json"
"""What emer must know of a base model that its configuration does not say."""

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
    backbone.perceives &= perceived(path_or_id)
    return backbone


def perceived(path_or_id: str | Path) -> frozenset[Modality]:
    """What a model takes by its own `emer_base.json` ({"perceives": ["audio", "text"]}); everything without one.

    A model whose picture encoder was never trained is spared the pictures. Raises ModelError for a file of other form.
    """
    path = Path(located(path_or_id)) / BASE
    if not path.is_file():
        return frozenset(MODALITIES)
    try:
        named = json.loads(path.read_bytes())["perceives"]
        found = frozenset(modality for modality in MODALITIES if modality in named)
        if len(found) != len(named) or "text" not in found:
            raise ValueError(f"{named} is not text and some of {', '.join(MODALITIES)}")
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} does not say what the model perceives ({error}); copy the model again") from error
    return found


def family_of(path_or_id: str | Path) -> str:
    """The family by the model's own configuration. Raises ModelError when there is none."""
    return FAMILIES.get(config_of(path_or_id).model_type, "text_clues")
