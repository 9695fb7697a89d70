"""Tiny random models, made once a run, and a tiny model that was taught what to say."""

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch

from emer.backbones.attached import Conversation
from emer.backbones.loading import load
from emer.backbones.tiny import make_tiny
from emer.types import Message

KNOWN = 0.01
"""Loss in nats a token below which every answer is known by heart."""


@cache
def _root() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tiny-models-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def tiny(family: str = "qwen2_5_omni") -> Path:
    """The folder of a family's tiny random model; it is not to be changed."""
    return make_tiny(family, _root() / family)


def taught(folder: Path, answers: Mapping[tuple[Message, ...], str], most: int = 200) -> Path:
    """A text model that has learned these answers by heart."""
    torch.manual_seed(0)
    backbone = load(tiny("text_clues"), dtype=torch.float32)
    backbone.model.train()
    batch = backbone.encode([Conversation(messages) for messages in answers], list(answers.values()))
    optimizer = torch.optim.AdamW(backbone.model.parameters(), lr=3e-3)
    for _ in range(most):
        optimizer.zero_grad()
        loss = backbone.model(**batch.inputs, labels=batch.labels).loss
        if loss.item() < KNOWN:
            break
        loss.backward()
        optimizer.step()
    shutil.copytree(tiny("text_clues"), folder)
    backbone.model.eval().save_pretrained(folder)
    return folder
