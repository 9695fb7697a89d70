"""Hand-made batches of joint training, and a joint model on a tiny backbone."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tiny_folders import tiny
from torch.utils.data import DataLoader, Dataset

from emer.backbones.attached import Conversation
from emer.backbones.backbone import Backbone
from emer.backbones.loading import load
from emer.evidence.heads import MultiViewHeads
from emer.training.llm.configuration import LlmConfig, LoraSettings, Schedule, VerdictSettings
from emer.training.llm.example import JointBatch
from emer.training.llm.grouping import LengthGroupedBatches
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


class Places(Dataset):
    """Places in `SAID`, and the epochs that were asked for."""

    def __init__(self, count: int = len(SAID)) -> None:
        self.count, self.epochs = count, []

    def set_epoch(self, epoch: int) -> None:
        self.epochs.append(epoch)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> int:
        return place


def trainer_of(folder: Path, config: LlmConfig, joint: JointModel | None = None, **options: Any) -> Any:
    """A trainer on `SAID` without any file; `make` makes a batch of places."""
    from emer.training.llm.trainer import JointTrainer

    joint = joint or tiny_joint(config)
    make = options.pop("make", partial(batch_of, joint))
    schedule = config.schedule
    sampler = LengthGroupedBatches((1,) * len(SAID), schedule.batch_size, seed=schedule.seed, rank=0, grouped=False)
    generator = torch.Generator().manual_seed(0)
    loader = DataLoader(Places(), batch_sampler=sampler, collate_fn=make, generator=generator)
    folder.mkdir(parents=True, exist_ok=True)
    return JointTrainer(joint, config, loader, folder, **options)


def logged(folder: Path) -> list[dict[str, float]]:
    """The lines of a run's log."""
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
