"""Random Qwen2.5-Omni thinkers of any shape in memory, for measurements of speed and memory; nothing is downloaded."""

import tempfile
from dataclasses import dataclass
from typing import Any

import torch

from emer.backbones.opening import quietly, transformers
from emer.backbones.qwen2_5_omni import Qwen25Omni
from emer.backbones.tiny import make_tiny


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Of the language model; the ear is in proportion, and pictures are never fed."""

    hidden: int
    inner: int
    """Width of the feed-forward layers."""
    layers: int
    heads: int
    key_value_heads: int
    vocabulary: int
    ear: int
    """Width of the audio tower."""
    ear_inner: int
    ear_layers: int
    ear_heads: int
    mrope: tuple[int, int, int]
    """Half the size of a head in three parts, one a position axis."""
    context: int = 32_768


SMALL = Shape(
    hidden=256, inner=1024, layers=4, heads=4, key_value_heads=2, vocabulary=16_384,
    ear=64, ear_inner=128, ear_layers=2, ear_heads=2, mrope=(8, 12, 12), context=4096,
)  # fmt: skip
"""For processors: steps of about a second."""
SEVEN_B = Shape(
    hidden=3584, inner=18_944, layers=28, heads=28, key_value_heads=4, vocabulary=152_064,
    ear=1280, ear_inner=5120, ear_layers=32, ear_heads=20, mrope=(16, 24, 24),
)  # fmt: skip
"""Qwen2.5-Omni-7B's thinker (Xu et al. 2025, arXiv:2503.20215, and its released configuration)."""


def random_omni(
    shape: Shape, *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32, seed: int = 0
) -> Qwen25Omni:
    """A thinker of random numbers with the processors of the tiny models, whose tokenizer knows 640 tokens."""
    package = transformers()
    with tempfile.TemporaryDirectory() as folder, quietly():
        made = make_tiny("qwen2_5_omni", folder)
        processor = package.Qwen2_5OmniProcessor.from_pretrained(str(made))
        config = package.AutoConfig.from_pretrained(str(made)).thinker_config
    _reshape(config, shape)
    with torch.random.fork_rng(), torch.device(device), quietly():
        torch.manual_seed(seed)
        model = package.Qwen2_5OmniThinkerForConditionalGeneration._from_config(config, dtype=dtype)
    return Qwen25Omni(model.eval(), processor)


def _reshape(config: Any, shape: Shape) -> None:
    text, ear, eyes = config.text_config, config.audio_config, config.vision_config
    text.hidden_size, text.intermediate_size, text.num_hidden_layers = shape.hidden, shape.inner, shape.layers
    text.num_attention_heads, text.num_key_value_heads = shape.heads, shape.key_value_heads
    text.vocab_size, text.max_position_embeddings = shape.vocabulary, shape.context
    text.layer_types = ["full_attention"] * shape.layers
    text.rope_parameters = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": list(shape.mrope)}
    text.initializer_range = 0.02
    ear.d_model, ear.encoder_ffn_dim, ear.output_dim = shape.ear, shape.ear_inner, shape.hidden
    ear.encoder_layers, ear.encoder_attention_heads = shape.ear_layers, shape.ear_heads
    ear.num_hidden_layers = shape.ear_layers
    eyes.out_hidden_size = shape.hidden


def multiplied(shape: Shape) -> tuple[int, int]:
    """Weights that one token is multiplied by in the language model: in its layers, and in the output layer."""
    size = shape.hidden // shape.heads
    attention = shape.hidden * size * (2 * shape.heads + 2 * shape.key_value_heads)
    return shape.layers * (attention + 3 * shape.hidden * shape.inner), shape.hidden * shape.vocabulary
