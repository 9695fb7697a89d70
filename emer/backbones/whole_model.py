"""The listening, seeing and writing part of an omni model as its released folder has it, and servers read it.

transformers loads the thinker alone, and would save it alone, with names and a configuration that vLLM does not take.
Here it gets its full model around it again, without the parts that speak.
"""

from pathlib import Path
from typing import Any

import torch

from emer.backbones.opening import config_of, quietly, transformers

FULL = {
    "Qwen2_5OmniThinkerForConditionalGeneration": "Qwen2_5OmniForConditionalGeneration",
    "Qwen3OmniMoeThinkerForConditionalGeneration": "Qwen3OmniMoeForConditionalGeneration",
}
"""Class of a thinker to the class of the full model."""


def whole_model(model: Any, base: str | Path) -> Any:
    """The full model around a thinker, ready to be saved; any other model as it is.

    `base` is where the thinker was loaded from: settings of the full model come from there, where it was one. Voice is
    turned off, since the talker's weights are not there; no weights are copied.
    """
    if (name := FULL.get(type(model).__name__)) is None:
        return model
    full = getattr(transformers(), name)
    with quietly(), torch.device("meta"):
        whole = full(_silent_config(full.config_class, model, base))
    whole.thinker = model
    whole.generation_config = model.generation_config
    return whole


def _silent_config(config_class: Any, model: Any, base: str | Path) -> Any:
    config = config_of(base)
    if not isinstance(config, config_class):
        config = config_class(thinker_config=model.config.to_dict())
    config.thinker_config = model.config
    model.config._name_or_path = ""  # else a path of this machine would be written into the folder
    config.enable_audio_output = False
    config.tie_word_embeddings = model.config.tie_word_embeddings
    config.dtype = model.dtype
    return config
