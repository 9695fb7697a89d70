"""Any causal language model: of a clip it knows the clue sentences and the transcript, and neither hears nor sees."""

from pathlib import Path
from typing import Any, ClassVar, final

import torch

from emer.backbones.attached import Attached
from emer.backbones.backbone import Backbone
from emer.backbones.encoding import Medium
from emer.backbones.opening import Dtype, open_model, open_processor, with_adapter
from emer.types import Modality


@final
class TextClues(Backbone):
    family: ClassVar[str] = "text_clues"
    perceives: frozenset[Modality] = frozenset({"text"})
    lora_targets: ClassVar[str] = (
        r".*\.(([qkvo]|qkv|gate|up|down|gate_up|out)_proj|c_attn|c_proj|c_fc|query_key_value|dense|dense_\w+|fc\d)"
    )
    """The projections of attention and feed-forward layers, by the names that the common families give them."""

    @classmethod
    def load(
        cls,
        path_or_id: str | Path,
        *,
        device: torch.device | str = "cpu",
        dtype: Dtype = "auto",
        adapter: str | Path | None = None,
        **options: Any,
    ) -> "TextClues":
        model = open_model("AutoModelForCausalLM", path_or_id, device, dtype, **options)
        tokenizer = open_processor(path_or_id, "AutoTokenizer")
        return cls(model if adapter is None else with_adapter(model, adapter), tokenizer)

    def audio(self, attached: Attached) -> Medium:
        raise TypeError("a text model hears nothing; encode passes sound over")

    def video(self, attached: Attached, index: int) -> Medium:
        raise TypeError("a text model sees nothing; encode passes pictures over")
