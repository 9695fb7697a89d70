"""Hand-made batches of joint training, and a joint model on a tiny backbone."""

from dataclasses import replace

import torch
from tiny_folders import tiny

from emer.backbones.attached import Conversation
from emer.backbones.backbone import Backbone
from emer.backbones.loading import load
from emer.evidence.heads import MultiViewHeads
from emer.training.llm.configuration import LlmConfig, LoraSettings, Schedule, VerdictSettings
from emer.training.llm.example import JointBatch
from emer.training.llm.joint_model import JointModel, make_joint_model
from emer.types import Message

SAID = (
    ("A voice rises.", 'The voice rises.\n\nEmotions: ["happy"]'),
    ("She is silent, and looks away for a long while.", 'She is silent.\n\nEmotions: ["sad", "tired"]'),
    ("He shouts.", 'He shouts, and does not stop.\n\nEmotions: ["angry"]'),
    ("Nobody speaks.", 'Nothing is heard.\n\nEmotions: ["neutral"]'),
)
CONFIG = LlmConfig(
    lora=LoraSettings(rank=4, alpha=8, dropout=0.0),
    verdict=VerdictSettings(label_set="emer8", kind="dirichlet"),
    schedule=Schedule(checkpointing=False),
)


def tiny_backbone(family: str = "text_clues") -> Backbone:
    return load(tiny(family), dtype=torch.float32)


def tiny_joint(
    config: LlmConfig = CONFIG, views: MultiViewHeads | None = None, family: str = "text_clues"
) -> JointModel:
    """LoRA, head and heads with numbers that do something, as after some steps."""
    joint = make_joint_model(config, tiny_backbone(family), views)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, weight in joint.named_parameters():
            if "lora_B" in name or name.startswith("head."):
                weight.normal_(std=0.1, generator=generator)
    return joint


def asking(place: int) -> Conversation:
    return Conversation((Message("user", SAID[place][0]),))


def batch_of(joint: JointModel, places: list[int], *, taught: bool = True, known: bool = True) -> JointBatch:
    """Some of `SAID`, each with a label of its own; without `taught` no text, without `known` no label is learned."""
    encoded = joint.backbone.encode([asking(i) for i in places], [SAID[i][1] for i in places], side="right")
    if not taught:
        assert encoded.labels is not None
        encoded = replace(encoded, labels=torch.full_like(encoded.labels, -100))
    target = torch.zeros(len(places), 8)
    target[range(len(places)), places] = 1.0
    return JointBatch(
        batch=encoded,
        target=target,
        known=torch.full((len(places),), known),
        ids=tuple(f"clip{i}" for i in places),
    )
