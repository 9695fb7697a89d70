"""Sound and pictures as the Qwen omni families take them: log-mel frames, and patches of pairs of pictures."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from emer.backbones.attached import Pictures
from emer.backbones.encoding import Medium
from emer.types import SAMPLE_RATE

THINKER = "thinker."
PEFT_PREFIX = "base_model.model."
ANY_SIZE = {"shortest_edge": 1, "longest_edge": 2**30}
"""Pictures come in their final size: the processor is to leave it."""


def hear(
    processor: Any, samples: Float32[np.ndarray, "sample"], tokens: Callable[[int], int], *, silence: bool
) -> Medium:
    """Log-mel frames of one sound, and as many placeholders as the encoder gives vectors.

    With `silence`, silence follows the sound before the transform, as the processor of Qwen2.5-Omni fills it up to its
    longest sound; a window's length of it gives the same frames as minutes.
    """
    extractor = processor.feature_extractor
    longest = len(samples) + (extractor.n_fft + extractor.hop_length if silence else 0)
    found = extractor(
        samples,
        sampling_rate=SAMPLE_RATE,
        padding="max_length" if silence else True,
        max_length=longest if silence else None,
        truncation=False,
        return_attention_mask=True,
        return_tensors="pt",
    )
    length = int(found["attention_mask"].sum())
    inputs = {
        "input_features": found["input_features"][:, :, :length],
        "feature_attention_mask": found["attention_mask"][:, :length],
    }
    return Medium("audio", processor.audio_token * tokens(length), inputs)


def watch(processor: Any, pictures: Pictures, told_fps: float) -> Medium:
    """Patches of one video, and as many placeholders as the encoder gives vectors after merging.

    The model is told one rate for all videos, from which it derives positions in time: the rate that its own processor
    states when it is told none. A server knows one rate for all requests, and both are to give the same answer.
    """
    video_processor = processor.video_processor
    found = video_processor(
        videos=[torch.from_numpy(pictures).permute(0, 3, 1, 2)],
        size=ANY_SIZE,
        cap_pixels_per_frame=False,
        do_sample_frames=False,
        return_tensors="pt",
    )
    grid = found["video_grid_thw"]
    inputs = {
        "pixel_values_videos": found["pixel_values_videos"],
        "video_grid_thw": grid,
        "video_second_per_grid": torch.tensor([video_processor.temporal_patch_size / told_fps]),
    }
    return Medium("video", processor.video_token * (int(grid.prod()) // video_processor.merge_size**2), inputs)


def thinker_name(name: str) -> str:
    """A tensor of the thinker class as the full model, and hence vLLM, calls it.

    >>> thinker_name("base_model.model.model.layers.0.mlp.up_proj.lora_A.weight")
    'base_model.model.thinker.model.layers.0.mlp.up_proj.lora_A.weight'
    >>> thinker_name("lm_head.weight")
    'thinker.lm_head.weight'
    """
    prefix = PEFT_PREFIX if name.startswith(PEFT_PREFIX) else ""
    bare = name.removeprefix(prefix)
    return name if bare.startswith(THINKER) else f"{prefix}{THINKER}{bare}"
