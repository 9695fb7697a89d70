"""nano's parts put together: stock classes of transformers, in the layout of the released models."""

from pathlib import Path
from typing import Any

from shape import EAR, EYES, ROPE, WORDS

from emer.backbones.loading import BASE
from emer.backbones.opening import quietly, transformers
from emer.backbones.tiny import QWEN_TOKENS
from emer.files import write_text
from emer.jsonio import dumps

SIDES = {"audio": ("audio_start_token_id", "audio_bos_token"), "vision": ("vision_start_token_id", "vision_bos_token")}


def make_model(processor: Any, seed: int = 0) -> Any:
    """The thinker of nano's shape with random weights."""
    import torch

    with torch.random.fork_rng(devices=[]), quietly():
        torch.manual_seed(seed)
        return transformers().Qwen2_5OmniThinkerForConditionalGeneration(thinker_config(processor)).eval()


def thinker_config(processor: Any) -> Any:
    """Its configuration, with the ids of the control tokens."""
    tokenizer = processor.tokenizer
    ids = {name: tokenizer.convert_tokens_to_ids(token) for name, token in QWEN_TOKENS.items()}
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
    return transformers().Qwen2_5OmniThinkerConfig(
        text_config={**WORDS, "rope_parameters": ROPE, **ends},
        audio_config=EAR,
        vision_config=EYES,
        tie_word_embeddings=WORDS["tie_word_embeddings"],
        audio_token_index=ids["audio_token"],
        image_token_index=ids["image_token"],
        video_token_index=ids["video_token"],
        audio_start_token_id=ids["audio_bos_token"],
        audio_end_token_id=ids["audio_eos_token"],
        vision_start_token_id=ids["vision_bos_token"],
        vision_end_token_id=ids["vision_eos_token"],
    )


def put_together(folder: Path, words: dict[str, Any], ear: Path, processor: Any) -> Path:
    """Write the base in bfloat16: language model and ear as they were taught, eyes as they were made.

    The folder has the full model's configuration and tensor names, as vLLM reads them; stock transformers load it too.
    """
    import torch
    from safetensors.torch import load_file

    model = make_model(processor)
    model.model.load_state_dict(words)
    model.audio_tower.load_state_dict(load_file(ear))
    folder.mkdir(parents=True, exist_ok=True)
    with quietly():
        whole = _whole(model.to(torch.bfloat16))
        whole.save_pretrained(folder)
        processor.save_pretrained(folder)
    write_text(folder / BASE, dumps({"perceives": ["audio", "text"]}) + "\n")
    return folder


def _whole(model: Any) -> Any:
    """The full model around the thinker; it has no voice."""
    import torch

    package = transformers()
    config = package.Qwen2_5OmniConfig(thinker_config=model.config.to_dict(), enable_audio_output=False)
    config.tie_word_embeddings = model.config.tie_word_embeddings
    config.dtype = model.dtype
    with torch.device("meta"):
        whole = package.Qwen2_5OmniForConditionalGeneration(config)
    whole.thinker = model
    whole.generation_config = model.generation_config
    return whole
