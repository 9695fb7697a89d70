"""Qwen2.5-Omni 3B and 7B, the reference family (Xu et al. 2025, arXiv:2503.20215): the thinker alone, no talker.

Sound and video are two items of a message, never sound inside of video: positions then depend on each alone.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, final

import torch
from torch import Tensor

from emer.backbones.attached import Attached, Caps
from emer.backbones.backbone import Backbone
from emer.backbones.encoding import Medium
from emer.backbones.opening import Dtype, check_type, config_of, open_model, open_processor, with_adapter
from emer.backbones.qwen_media import hear, thinker_name, watch

TOLD_FPS = 2.0
"""Pictures a second, as the family's processor has it (see `watch`)."""


@final
class Qwen25Omni(Backbone):
    family: ClassVar[str] = "qwen2_5_omni"
    lora_targets: ClassVar[str] = r"model\.layers\.\d+\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)"
    caps: ClassVar[Caps] = Caps(multiple=28)

    @classmethod
    def load(
        cls,
        path_or_id: str | Path,
        *,
        device: torch.device | str = "cpu",
        dtype: Dtype = "auto",
        adapter: str | Path | None = None,
        **options: Any,
    ) -> "Qwen25Omni":
        check_type(config_of(path_or_id), path_or_id, ("qwen2_5_omni", "qwen2_5_omni_thinker"))
        model = open_model("Qwen2_5OmniThinkerForConditionalGeneration", path_or_id, device, dtype, **options)
        processor = open_processor(path_or_id, "Qwen2_5OmniProcessor")
        return cls(model if adapter is None else with_adapter(model, adapter), processor)

    def audio(self, attached: Attached) -> Medium:
        assert attached.samples is not None
        return hear(self.processor, attached.samples, audio_tokens, silence=True)

    def video(self, attached: Attached, index: int) -> Medium:
        return watch(self.processor, attached.videos[index], TOLD_FPS)

    def positions(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """None: the model derives its three-axis positions with its own get_rope_index, from ids, mask and grids."""
        return {}

    def vllm_name(self, name: str) -> str:
        return thinker_name(name)


def audio_tokens(frames: int) -> int:
    """Vectors that the encoder gives for so many log-mel frames: a convolution and a pooling, each of stride 2.

    >>> audio_tokens(100)
    25
    """
    return ((frames - 1) // 2 + 1 - 2) // 2 + 1
