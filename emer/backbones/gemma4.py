"""Gemma 4, the second family (Google 2026): sound and pictures in one model, tied embeddings, capped logits.

vLLM refuses LoRA on logits of more than 258,048 rows and Gemma has 262,144, so an adapter with verdict rows is served
merged into a checkpoint of its own.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, final

import torch
from torch import Tensor

from emer.backbones.attached import Attached, Caps
from emer.backbones.backbone import Backbone, Export
from emer.backbones.encoding import Medium
from emer.backbones.opening import Dtype, check_type, config_of, open_model, open_processor, with_adapter
from emer.types import SAMPLE_RATE

VIDEO_TYPE, AUDIO_TYPE = 2, 3
"""How the processor marks tokens of media in `mm_token_type_ids`; text is 0, still pictures are 1."""
VIDEO_INPUTS = ("pixel_values_videos", "video_position_ids", "num_frames_per_video")


@final
class Gemma4(Backbone):
    family: ClassVar[str] = "gemma4"
    exports: ClassVar[tuple[Export, ...]] = ("merged",)
    lora_targets: ClassVar[str] = (
        r"model\.language_model\.layers\.\d+\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)"
    )
    caps: ClassVar[Caps] = Caps(multiple=48, pixels=70 * 48 * 48, face_side=240)
    """70 vectors a picture, the processor's own number, each of 48 by 48 pixels."""
    reserved: ClassVar[re.Pattern[str] | None] = re.compile(r"<unused\d+>")

    @classmethod
    def load(
        cls,
        path_or_id: str | Path,
        *,
        device: torch.device | str = "cpu",
        dtype: Dtype = "auto",
        adapter: str | Path | None = None,
        **options: Any,
    ) -> "Gemma4":
        check_type(config_of(path_or_id), path_or_id, ("gemma4",))
        model = open_model("Gemma4ForConditionalGeneration", path_or_id, device, dtype, **options)
        processor = open_processor(path_or_id, "Gemma4Processor")
        model.model.register_forward_pre_hook(encode_videos, with_kwargs=True)
        return cls(model if adapter is None else with_adapter(model, adapter), processor)

    def audio(self, attached: Attached) -> Medium:
        """Log-mel frames; the encoder halves their number twice."""
        assert attached.samples is not None
        extractor = self.processor.feature_extractor
        found = extractor([attached.samples], sampling_rate=SAMPLE_RATE, return_tensors="pt")
        inputs = {name: found[name] for name in ("input_features", "input_features_mask")}
        count = int(found["input_features_mask"][0, ::2][::2].sum())
        text = f"{self.processor.boa_token}{self.processor.audio_token * count}{self.processor.eoa_token}"
        return Medium("audio", text, inputs)

    def video(self, attached: Attached, index: int) -> Medium:
        """Patches of each picture, and the minute and second of each before its placeholders."""
        pictures = attached.videos[index]
        found = self.processor.video_processor(
            videos=[torch.from_numpy(pictures).permute(0, 3, 1, 2)], do_sample_frames=False, return_tensors="pt"
        )
        found["num_frames_per_video"] = torch.as_tensor(found["num_frames_per_video"])
        inputs = {name: found[name] for name in VIDEO_INPUTS}
        count = int(found["num_soft_tokens_per_video"][0])
        p = self.processor
        seconds = [int(i / attached.fps) for i in range(len(pictures))]
        one = f"{p.boi_token}{p.video_token * count}{p.eoi_token}"
        return Medium("video", " ".join(f"{s // 60:02d}:{s % 60:02d} {one}" for s in seconds), inputs)

    def extra_inputs(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Which tokens stand for which medium: larger Gemma models attend in both directions within a picture."""
        config, ids = self.model.config, inputs["input_ids"]
        kinds = torch.zeros_like(ids)
        kinds[ids == config.video_token_id] = VIDEO_TYPE
        kinds[ids == config.audio_token_id] = AUDIO_TYPE
        return {"mm_token_type_ids": kinds}


def encode_videos(model: Any, arguments: tuple[Any, ...], inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Run the picture encoder before the model's own pass does; a forward pre-hook with keyword arguments.

    transformers 5.19 asks for the number of frames of each video in there, and does not hand it down. The numbers only
    split what is joined again in the next step, so one number for all frames gives the same vectors.
    """
    pixels = inputs.get("pixel_values_videos")
    if pixels is None or inputs.get("mm_encoder_outputs"):
        return arguments, inputs
    found = model.get_video_features(
        pixels,
        inputs.get("video_position_ids"),
        num_frames_per_video=torch.tensor([len(pixels)]),
        return_dict=True,
    )
    return arguments, {**inputs, "pixel_values_videos": None, "mm_encoder_outputs": {"video": found}}
