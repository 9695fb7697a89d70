"""Qwen3-Omni 30B-A3B (Xu et al. 2025, arXiv:2509.17765): the thinker, a mixture of experts.

LoRA goes on attention alone: transformers keeps the experts of a layer in one tensor, which no LoRA layer wraps.
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

TYPES = ("qwen3_omni_moe", "qwen3_omni_moe_thinker")

TOLD_FPS = 1.0
"""Pictures a second, as the family's processor has it (see `watch`)."""


@final
class Qwen3Omni(Backbone):
    family: ClassVar[str] = "qwen3_omni"
    lora_targets: ClassVar[str] = r"model\.layers\.\d+\.self_attn\.[qkvo]_proj"
    caps: ClassVar[Caps] = Caps(multiple=32, pixels=128 * 32 * 32)

    @classmethod
    def load(
        cls,
        path_or_id: str | Path,
        *,
        device: torch.device | str = "cpu",
        dtype: Dtype = "auto",
        adapter: str | Path | None = None,
        **options: Any,
    ) -> "Qwen3Omni":
        check_type(config_of(path_or_id), path_or_id, TYPES)
        model = open_model("Qwen3OmniMoeThinkerForConditionalGeneration", path_or_id, device, dtype, **options)
        processor = open_processor(path_or_id, "Qwen3OmniMoeProcessor")
        return cls(model if adapter is None else with_adapter(model, adapter), processor)

    def audio(self, attached: Attached) -> Medium:
        assert attached.samples is not None
        chunk = 2 * int(self.model.config.audio_config.n_window)
        return hear(self.processor, attached.samples, lambda frames: audio_tokens(frames, chunk), silence=False)

    def video(self, attached: Attached, index: int) -> Medium:
        return watch(self.processor, attached.videos[index], TOLD_FPS)

    def positions(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """None: the model derives its three-axis positions with its own get_rope_index, from ids, mask and grids."""
        return {}

    def vllm_name(self, name: str) -> str:
        return thinker_name(name)


def audio_tokens(frames: int, chunk: int = 100) -> int:
    """Vectors that the encoder gives for so many log-mel frames: three halvings, rounded up, chunk by chunk.

    >>> audio_tokens(100), audio_tokens(130)
    (13, 17)
    """
    full, rest = divmod(frames, chunk)
    return full * _eighth(chunk) + _eighth(rest)


def _eighth(frames: int) -> int:
    for _ in range(3):
        frames = (frames + 1) // 2
    return frames
