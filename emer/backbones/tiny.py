"""Tiny random models of every family, made in place: for tests, rehearsals and measurements without a download.

Same classes, processors and layout as the real ones, hence the same code paths, with about half a million parameters.
A folder loads in stock transformers; for the omni families it also carries the full configuration that vLLM reads.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from emer.backbones.opening import quietly, transformers
from emer.backbones.tiny_tokenizer import CHATML, GEMMA_TURNS, VOCABULARY, train_tokenizer
from emer.errors import ConfigError

HIDDEN = 128
HEADS = 2
"""Heads of 64 numbers: attention kernels of vLLM on a CPU refuse those below 32."""
LAYERS = 2
CONTEXT = 4096
INITIAL = 0.08
"""Spread of the random weights: at the usual .02 a net this narrow gives every token about the same chance."""

QWEN_TOKENS = {
    "image_token": "<|IMAGE|>",
    "audio_token": "<|AUDIO|>",
    "video_token": "<|VIDEO|>",
    "vision_bos_token": "<|vision_bos|>",
    "vision_eos_token": "<|vision_eos|>",
    "audio_bos_token": "<|audio_bos|>",
    "audio_eos_token": "<|audio_eos|>",
}
QWEN3_TOKENS = {
    **QWEN_TOKENS,
    "image_token": "<|image_pad|>",
    "audio_token": "<|audio_pad|>",
    "video_token": "<|video_pad|>",
    "vision_bos_token": "<|vision_start|>",
    "vision_eos_token": "<|vision_end|>",
    "audio_bos_token": "<|audio_start|>",
    "audio_eos_token": "<|audio_end|>",
}
GEMMA_TOKENS = {
    "image_token": "<|image|>",
    "audio_token": "<|audio|>",
    "boi_token": "<|image>",
    "eoi_token": "<image|>",
    "boa_token": "<|audio>",
    "eoa_token": "<audio|>",
}
TEXT = {
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "intermediate_size": 2 * HIDDEN,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": HEADS,
    "max_position_embeddings": CONTEXT,
    "initializer_range": INITIAL,
}
WHISPER_ENCODER = {
    "d_model": HIDDEN // 2,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": HIDDEN,
    "output_dim": HIDDEN,
    "initializer_range": INITIAL,
}
VISION_ENCODER = {
    "depth": 2,
    "hidden_size": HIDDEN // 2,
    "intermediate_size": HIDDEN,
    "num_heads": 2,
    "out_hidden_size": HIDDEN,
    "initializer_range": INITIAL,
}


def make_tiny(family: str, folder: str | Path, seed: int = 0, **text: object) -> Path:
    """Write a tiny random model of a family with its tokenizer and processors; the folder, ready to load.

    `text` overrides settings of the language model (`hidden_size=64`). The same seed gives the same weights.
    Raises ConfigError for a family without a recipe.
    """
    if family not in RECIPES:
        raise ConfigError(f"no tiny model of family {family!r}; choose one of {', '.join(RECIPES)}")
    import torch

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]), quietly():
        torch.manual_seed(seed)
        RECIPES[family](folder, text)
    return folder


def _qwen2_5_omni(folder: Path, text: Mapping[str, object]) -> None:
    package = transformers()
    processor = _qwen_processor("Qwen2_5OmniProcessor", QWEN_TOKENS, patch_size=14)
    ids = processor.tokenizer.get_vocab()
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [8, 12, 12]}
    config = package.Qwen2_5OmniThinkerConfig(
        text_config={**TEXT, "rope_parameters": rope, "tie_word_embeddings": False, **_ends(processor), **text},
        audio_config=WHISPER_ENCODER,
        vision_config={**VISION_ENCODER, "fullatt_block_indexes": [1]},
        audio_token_index=ids[QWEN_TOKENS["audio_token"]],
        image_token_index=ids[QWEN_TOKENS["image_token"]],
        video_token_index=ids[QWEN_TOKENS["video_token"]],
        **_qwen_ids(ids, QWEN_TOKENS),
    )
    model = package.Qwen2_5OmniThinkerForConditionalGeneration(config)
    whole = package.Qwen2_5OmniConfig(thinker_config=config.to_dict(), enable_audio_output=False)
    whole.architectures = ["Qwen2_5OmniForConditionalGeneration"]
    _save_thinker(folder, model, whole, processor)


def _qwen3_omni(folder: Path, text: Mapping[str, object]) -> None:
    package = transformers()
    processor = _qwen_processor("Qwen3OmniMoeProcessor", QWEN3_TOKENS, patch_size=16)
    ids = processor.tokenizer.get_vocab()
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [12, 10, 10], "mrope_interleaved": True}
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": HIDDEN // 2}
    config = package.Qwen3OmniMoeThinkerConfig(
        text_config={**TEXT, **experts, "head_dim": 64, "rope_parameters": rope, **_ends(processor), **text},
        audio_config={**WHISPER_ENCODER, "downsample_hidden_size": 16},
        vision_config={**VISION_ENCODER, "num_position_embeddings": 64, "deepstack_visual_indexes": [0]},
        audio_token_id=ids[QWEN3_TOKENS["audio_token"]],
        image_token_id=ids[QWEN3_TOKENS["image_token"]],
        video_token_id=ids[QWEN3_TOKENS["video_token"]],
        **_qwen_ids(ids, QWEN3_TOKENS),
    )
    model = package.Qwen3OmniMoeThinkerForConditionalGeneration(config)
    whole = package.Qwen3OmniMoeConfig(thinker_config=config.to_dict(), enable_audio_output=False)
    whole.architectures = ["Qwen3OmniMoeForConditionalGeneration"]
    _save_thinker(folder, model, whole, processor)


def _gemma4(folder: Path, text: Mapping[str, object]) -> None:
    package = transformers()
    tokenizer = train_tokenizer(GEMMA_TOKENS, GEMMA_TURNS, end="<turn|>", bos="<bos>", unused=80)
    processor = package.Gemma4Processor(
        feature_extractor=package.Gemma4AudioFeatureExtractor(),
        image_processor=package.Gemma4ImageProcessor(),
        video_processor=package.Gemma4VideoProcessor(),
        tokenizer=tokenizer,
        chat_template=GEMMA_TURNS,
    )
    ids = processor.tokenizer.get_vocab()
    own = {"head_dim": 64, "global_head_dim": 64, "layer_types": ["sliding_attention", "full_attention"]}
    own |= {"hidden_size_per_layer_input": 16, "vocab_size_per_layer_input": VOCABULARY}
    own |= {"final_logit_softcapping": 30.0}
    small = {"hidden_size": HIDDEN // 2, "num_hidden_layers": 2, "num_attention_heads": 2, "initializer_range": INITIAL}
    config = package.Gemma4Config(
        text_config={**TEXT, **own, **_ends(processor), **text},
        vision_config={
            **small,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "intermediate_size": HIDDEN,
            "position_embedding_size": 1024,
        },
        audio_config={**small, "subsampling_conv_channels": [128, 8], "output_proj_dims": HIDDEN // 2},
        image_token_id=ids[GEMMA_TOKENS["image_token"]],
        audio_token_id=ids[GEMMA_TOKENS["audio_token"]],
        video_token_id=ids["<|video|>"],
        boi_token_id=ids[GEMMA_TOKENS["boi_token"]],
        eoi_token_id=ids[GEMMA_TOKENS["eoi_token"]],
        boa_token_id=ids[GEMMA_TOKENS["boa_token"]],
        eoa_token_index=ids[GEMMA_TOKENS["eoa_token"]],
    )
    package.Gemma4ForConditionalGeneration(config).eval().save_pretrained(folder)
    processor.save_pretrained(folder)


def _text_clues(folder: Path, text: Mapping[str, object]) -> None:
    package = transformers()
    tokenizer = train_tokenizer({}, CHATML, end="<|im_end|>")
    config = package.Qwen2Config(**{**TEXT, **_ends(tokenizer), "tie_word_embeddings": True, **text})
    package.Qwen2ForCausalLM(config).eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


RECIPES: dict[str, Callable[[Path, Mapping[str, object]], None]] = {
    "qwen2_5_omni": _qwen2_5_omni,
    "qwen3_omni": _qwen3_omni,
    "gemma4": _gemma4,
    "text_clues": _text_clues,
}


def _qwen_processor(processor_class: str, tokens: Mapping[str, str], patch_size: int) -> Any:
    package = transformers()
    sides = {"patch_size": patch_size, "cap_pixels_per_frame": False, "do_sample_frames": False}
    return getattr(package, processor_class)(
        image_processor=package.Qwen2VLImageProcessor(patch_size=patch_size),
        video_processor=package.Qwen2VLVideoProcessor(**sides),
        feature_extractor=package.WhisperFeatureExtractor(feature_size=128),
        tokenizer=train_tokenizer(tokens, CHATML, end="<|im_end|>"),
        chat_template=CHATML.replace("AUDIO", _around(tokens, "audio")).replace("VIDEO", _around(tokens, "video")),
    )


def _around(tokens: Mapping[str, str], kind: str) -> str:
    """The placeholder of a medium between the tokens that open and close it."""
    side = "audio" if kind == "audio" else "vision"
    return tokens[f"{side}_bos_token"] + tokens[f"{kind}_token"] + tokens[f"{side}_eos_token"]


def _qwen_ids(ids: Mapping[str, int], tokens: Mapping[str, str]) -> dict[str, int]:
    """Ids by which the model finds where media begin."""
    return {
        "audio_start_token_id": ids[tokens["audio_bos_token"]],
        "audio_end_token_id": ids[tokens["audio_eos_token"]],
        "vision_start_token_id": ids[tokens["vision_bos_token"]],
        "vision_end_token_id": ids[tokens["vision_eos_token"]],
    }


def _ends(processor: Any) -> dict[str, int]:
    tokenizer = getattr(processor, "tokenizer", processor)
    return {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}


def _save_thinker(folder: Path, model: Any, whole: Any, processor: Any) -> None:
    """The full model's folder with the thinker's tensors alone, named as the full model names them.

    transformers writes them as released checkpoints have them (each expert by itself), then they get their prefix.
    """
    from safetensors.torch import load_file, save_file

    weights = folder / "model.safetensors"
    model.save_pretrained(folder)
    tensors = {f"thinker.{name}": tensor for name, tensor in load_file(weights).items()}
    save_file(tensors, weights, metadata={"format": "pt"})
    whole.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
    processor.save_pretrained(folder)
