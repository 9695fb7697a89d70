"""Rows of ids become one padded batch; media of all rows are laid one after the other, in the order of the text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.functional import pad

IGNORED = -100
"""Label of places that no loss is taken at; what torch and transformers leave out."""


@dataclass(frozen=True, slots=True)
class Medium:
    """One sound or video: what stands for it in the text, and what the model's encoders take."""

    kind: Literal["audio", "video"]
    text: str
    """Placeholders as the family's own processor writes them in place of the one that the template gives."""
    inputs: Mapping[str, Tensor]
    """By the name of the model's argument; the first axis runs over sounds, patches or frames."""


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation as ids."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    media: tuple[Medium, ...]


def pad_rows(
    rows: Sequence[Row], pad_id: int, side: Literal["left", "right"]
) -> tuple[dict[str, Tensor], Int[Tensor, "batch length"], Int[Tensor, "batch"]]:
    """Ids and mask, labels, and the column of each row's last prompt token."""
    length = max(len(row.prompt) + len(row.answer) for row in rows)
    ids = torch.full((len(rows), length), pad_id)
    mask = torch.zeros((len(rows), length), dtype=torch.long)
    labels = torch.full((len(rows), length), IGNORED)
    last = torch.zeros(len(rows), dtype=torch.long)
    for i, row in enumerate(rows):
        size = len(row.prompt) + len(row.answer)
        first = length - size if side == "left" else 0
        ids[i, first : first + size] = torch.tensor(row.prompt + row.answer)
        mask[i, first : first + size] = 1
        last[i] = first + len(row.prompt) - 1
        labels[i, first + len(row.prompt) : first + size] = torch.tensor(row.answer, dtype=torch.long)
    return {"input_ids": ids, "attention_mask": mask}, labels, last


def stack_media(media: Sequence[Medium]) -> dict[str, Tensor]:
    """All media of a batch along their first axes; shorter ones are filled up with zeros, which masks leave out."""
    parts: dict[str, list[Tensor]] = {}
    for medium in media:
        for name, value in medium.inputs.items():
            parts.setdefault(name, []).append(value)
    return {name: torch.cat(_same_shape(values)) for name, values in parts.items()}


def _same_shape(values: Sequence[Tensor]) -> list[Tensor]:
    """Zeros at the ends of all axes but the first, up to the largest."""
    largest = [max(value.shape[axis] for value in values) for axis in range(1, values[0].dim())]
    filled = []
    for value in values:
        missing = [size - value.shape[axis + 1] for axis, size in enumerate(largest)]
        # torch states padding from the last axis backwards, two numbers an axis
        filled.append(pad(value, [n for size in reversed(missing) for n in (0, size)]))
    return filled
