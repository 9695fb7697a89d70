"""Lessons with sound: each recording, retold in several voices and rooms, as vectors of the ear beside what is told.

A recording teaches three ways. With its sound and its clue sentences: to explain by citing. With its sound alone: to
say in general words what is heard, and what that would fit. With its sentences alone: to read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from ear_model import make_tower
from ear_targets import Round, Targets
from jaxtyping import Float
from safetensors.torch import load_file
from teaching import PROMPT
from torch import Tensor
from words import Item

from emer.backbones.attached import Conversation
from emer.backbones.encoding import Medium
from emer.backbones.templates import Template
from emer.engines.asking import Shown
from emer.training.llm.configuration import LlmConfig, VerdictSettings
from emer.training.llm.dropout import lesson
from emer.training.llm.example import Example
from emer.training.llm.examples import Taught, read_examples
from emer.types import MODALITIES, Modality

PERCEIVES: frozenset[Modality] = frozenset({"audio", "text"})
AT_ONCE = 16
"""Sounds that go through the ear together."""
Vectors = Float[Tensor, "vector hidden"]


@dataclass(frozen=True, slots=True)
class Way:
    """How a recording is shown."""

    sound: bool
    sentences: bool

    @property
    def shown(self) -> Shown:
        return Shown(frozenset(MODALITIES), sentences=self.sentences, media=self.sound)


BOTH, HEARD, READ = Way(True, True), Way(True, False), Way(False, True)


def read_taught(manifest: Path) -> Taught:
    """Training and validation recordings with their explanations, as `emer train` reads them."""
    verdict = VerdictSettings(label_set="emer8", kind="dirichlet")
    return read_examples(LlmConfig(base="nano", data=str(manifest), prompt=PROMPT, verdict=verdict), jobs=1)


def load_ear(path: Path) -> Any:
    """The audio tower of a file that `ear.teach_ear` wrote."""
    tower = make_tower()
    tower.load_state_dict(load_file(path))
    return tower.eval()


@torch.no_grad()
def heard(tower: Any, sounds: Round) -> list[Vectors]:
    """What the ear gives for each sound, in half precision."""
    every: list[Targets] = list(sounds)
    found: list[Vectors] = []
    for first in range(0, len(every), AT_ONCE):
        some = every[first : first + AT_ONCE]
        frames = torch.tensor([sound.mel.shape[1] for sound in some])
        mel = torch.cat([torch.from_numpy(sound.mel.astype("float32")) for sound in some], dim=1)
        vectors = tower(mel, feature_lens=frames).last_hidden_state
        found += [part.half() for part in vectors.split([len(sound.curves) for sound in some])]
    return found


def items_of(
    examples: Sequence[Example], sounds: Mapping[str, Vectors], ways: Sequence[Way], template: Template, token: str
) -> Iterator[Item]:
    """A lesson for each recording and way; `token` is the placeholder of one vector."""
    for example in examples:
        for way in ways:
            told = lesson(example, way.shown, PROMPT, perceives=PERCEIVES)
            if told.answer is None or (way.sentences and not example.request.clues.items):
                continue
            sound = sounds[example.id] if way.sound else None
            media = [] if sound is None else [Medium("audio", token * len(sound), {})]
            counts = [len(media) if message.media else 0 for message in told.messages]
            counts = [max(counts[: place + 1]) for place in range(len(counts))]
            prompt = template.prompt(Conversation(told.messages), media, counts)
            yield Item(prompt, template.answer(told.answer), sound)
