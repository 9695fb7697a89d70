"""Examples become the tensors of one step: media decoded, conversations encoded, targets and features laid beside them.

Works in the processes of a DataLoader, which are given neither the model nor its weights. A clip that cannot be decoded
now, or does not fit into the model's context, is left out and told; nothing is ever cut off inside of a sound or video.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from emer.backbones.attached import Attached, Conversation
from emer.backbones.attaching import attach
from emer.backbones.backbone import Backbone
from emer.backbones.encoding import IGNORED, Row
from emer.backbones.opening import transformers
from emer.engines.asking import STREAMS, Shown
from emer.engines.model_requests import left_out
from emer.errors import EmerError, MediaError
from emer.training.llm.configuration import LlmConfig
from emer.training.llm.dropout import Lesson, everything, lesson, shown
from emer.training.llm.example import Example, JointBatch
from emer.types import Features, Message

NOBODY = (Message("user", "."),)
"""Stands in a batch of which every clip failed, so that it has every tensor and every process does the same work."""


@dataclass(frozen=True, slots=True)
class Draw:
    """An example as it is taken in one epoch."""

    example: Example
    epoch: int = 0
    training: bool = True
    """Whether something of it may be withheld; at validation nothing is."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One draw as ids and media, with what of it is shown."""

    row: Row
    lesson: Lesson
    shown: Shown


class Ready:
    """Travels to another process ahead of the processors, and makes transformers ready for them there: without the
    operators that are declared then, their modules cannot be imported (see `emer.backbones.opening`)."""

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return transformers, ()


class Collator:
    """Makes batches for one backbone. `features` are the names of each view's measured numbers, in their order.

    Sent to another process, it takes the processors and the configuration of the model along, not its weights.
    """

    def __init__(
        self, backbone: Backbone, config: LlmConfig, features: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.backbone = without_weights(backbone)
        self.config = config
        self.features = {view: tuple(names) for view, names in (features or {}).items()}
        self.labels = 0 if config.verdict is None else len(config.verdict.spec.labels)

    def __getstate__(self) -> dict[str, Any]:
        return {"ready": Ready(), **self.__dict__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({name: value for name, value in state.items() if name != "ready"})

    def __call__(self, draws: Sequence[Draw]) -> JointBatch:
        """One row a draw, padded on the right, without the clips of `left_out`."""
        good: list[tuple[Draw, Encoded]] = []
        bad: dict[str, str] = {}
        for draw in draws:
            try:
                good.append((draw, self.encoded(draw)))
            except (EmerError, OSError) as error:  # OSError: the file went away, or its disk did
                bad[draw.example.id] = " ".join(str(error).split())
        rows = [encoded.row for _, encoded in good] or [self.backbone.row(Conversation(NOBODY))]
        batch = self.backbone.batch(rows, side="right", answered=True)
        assert batch.labels is not None
        for place, (_, encoded) in enumerate(good):
            if not encoded.lesson.stops and encoded.row.answer:
                batch.labels[place, len(encoded.row.prompt) + len(encoded.row.answer) - 1] = IGNORED
        views = {view: self._measured(view, good) for view in self.features}
        target, known = self._targets(good)
        return JointBatch(
            batch=batch,
            target=target,
            known=known,
            features={view: values for view, (values, _) in views.items()},
            measured={view: mask for view, (_, mask) in views.items()},
            ids=tuple(draw.example.id for draw, _ in good),
            left_out=bad,
            lengths=torch.tensor([len(row.prompt) + len(row.answer) for row in rows]),
        )

    def encoded(self, draw: Draw) -> Encoded:
        """One draw by itself.

        Raises MediaError where what is to be heard or seen cannot be decoded, and ModelError where prompt and answer
        are longer than the model's context.
        """
        example, config, perceives = draw.example, self.config, self.backbone.perceives
        if draw.training:
            seed = config.schedule.seed
            what = shown(example, config.dropout, seed=seed, epoch=draw.epoch, perceives=perceives)
        else:
            what = everything(example.request, perceives)
        taught = lesson(example, what, config.prompt, config.language, perceives=perceives)
        conversation = Conversation(taught.messages, self._attached(example, taught))
        return Encoded(self.backbone.row(conversation, taught.answer), taught, what)

    # ------------------------------------------------------------ the parts of a batch

    def _attached(self, example: Example, taught: Lesson) -> Attached:
        """What the messages name of the clip. Raises MediaError where a stream that they name gives nothing."""
        request = example.request
        wanted = {m for m, stream in STREAMS.items() if stream in taught.media and m in self.backbone.perceives}
        if request.media is None or not wanted:
            return Attached()
        without = (set(STREAMS) - wanted) | left_out(request)
        caps = self.config.caps or self.backbone.caps
        found = attach(request.media, request.span, caps, frames=self.config.frames, without=without)
        given = {"audio": found.samples is not None, "visual": bool(found.videos)}
        if empty := [STREAMS[modality] for modality in sorted(wanted) if not given[modality]]:
            raise MediaError(f"nothing can be decoded of its {' and '.join(empty)}; check that the clip plays")
        return found

    def _targets(
        self, good: Sequence[tuple[Draw, Encoded]]
    ) -> tuple[Float[Tensor, "batch label"], Bool[Tensor, "batch"]]:
        target = np.zeros((max(1, len(good)), self.labels), np.float32)
        known = np.zeros(len(target), bool)
        for place, (draw, _) in enumerate(good):
            if self.labels and draw.example.target is not None:
                target[place], known[place] = draw.example.target, True
        return torch.from_numpy(target), torch.from_numpy(known)

    def _measured(
        self, view: str, good: Sequence[tuple[Draw, Encoded]]
    ) -> tuple[Float[Tensor, "batch feature"], Bool[Tensor, "batch feature"]]:
        """The view's numbers by their names; of a modality that is dropped nothing was measured."""
        names = self.features[view]
        values = np.zeros((max(1, len(good)), len(names)), np.float32)
        mask = np.zeros(values.shape, bool)
        for place, (draw, encoded) in enumerate(good):
            features = draw.example.request.clues.features.get(view)
            if features is not None and view in encoded.shown.modalities:
                values[place], mask[place] = _named(features, names)
        return torch.from_numpy(values), torch.from_numpy(mask)


def _named(
    features: Features, names: tuple[str, ...]
) -> tuple[Float[np.ndarray, "feature"], Bool[np.ndarray, "feature"]]:
    if features.names == names:
        mask = np.array(features.mask, bool)
        return np.where(mask, np.array(features.values, np.float32), np.float32(0)), mask
    found = [features.get(name) for name in names]
    mask = np.array([value is not None for value in found], bool)
    return np.array([value or 0.0 for value in found], np.float32), mask


def without_weights(backbone: Backbone) -> Backbone:
    """The same backbone for encoding alone: of its model it knows the configuration."""
    light = copy.copy(backbone)
    light.model = SimpleNamespace(config=backbone.model.config)
    return light
