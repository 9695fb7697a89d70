"""From a view's steps or numbers to one vector per label: a small transformer, then label queries that attend to it.

Sources: Vaswani et al. 2017 (attention, positions); LDDU, Huang et al. 2025 (arXiv 2502.13954), section 3.2 (a
transformer per modality, label embeddings as queries).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from emer.evidence.heads import Standardiser, ViewInput


@dataclass(frozen=True, slots=True)
class Steps:
    """One view of a batch of clips over time; what stands where `mask` is False is padding and not looked at."""

    values: Float[Tensor, "batch time feature"]
    mask: Bool[Tensor, "batch time"]


class StepEmbedding(nn.Module):
    """Steps of any number of features to steps of `width`: standardised, projected, with sinusoidal positions."""

    def __init__(self, names: tuple[str, ...], width: int) -> None:
        super().__init__()
        self.standardiser = Standardiser(names)
        self.project = nn.Linear(len(names), width)

    def fit(self, steps: Steps) -> None:
        """Take means and spreads over all steps of the training clips. Raises OpinionError for values not finite."""
        self.standardiser.fit(_flat(steps))

    def forward(self, steps: Steps) -> Steps:
        values = self.standardiser(_flat(steps)).reshape(steps.values.shape)
        embedded = self.project(values)
        return Steps(embedded + positions(embedded.shape[1], embedded.shape[2]).to(embedded), steps.mask)


class VectorTokens(nn.Module):
    """A vector of features as steps of `width`. With at most `most` features each is a step of its own.

    A feature's step is its standardised value times a vector of its own, plus another (Gorishniy et al. 2021,
    "Revisiting deep learning models for tabular data"); features that were not measured are not looked at. A longer
    vector becomes `most` linear readings of the whole, as attention over each number would cost too much.
    One step alone would leave the label queries nothing to choose from.
    """

    def __init__(self, names: tuple[str, ...], width: int, most: int) -> None:
        super().__init__()
        self.standardiser = Standardiser(names)
        self.single = len(names) <= most
        steps = len(names) if self.single else most
        inputs = 1 if self.single else len(names)
        self.weight = nn.Parameter(torch.randn(inputs, steps, width) / inputs**0.5)
        self.bias = nn.Parameter(torch.randn(steps, width))

    def fit(self, rows: ViewInput) -> None:
        """Take means and spreads from training rows. Raises OpinionError for features not finite."""
        self.standardiser.fit(rows)

    def forward(self, rows: ViewInput) -> Steps:
        values = self.standardiser(rows)
        if self.single:
            return Steps(values[..., None] * self.weight[0] + self.bias, rows.mask)
        embedded = torch.einsum("bf,ftw->btw", values, self.weight) + self.bias
        return Steps(embedded, rows.mask.any(1, keepdim=True).expand(-1, len(self.bias)))


class LabelAttention(nn.Module):
    """One vector per label from the steps of one view: a transformer over time, then attention from label queries."""

    def __init__(self, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, heads, 2 * width, dropout, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.attend = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.out = nn.LayerNorm(width)

    def forward(self, steps: Steps, queries: Float[Tensor, "label width"]) -> Float[Tensor, "batch label width"]:
        """The query plus what it attends to, normalised. A clip without any step gives the vector of an empty view."""
        # Softmax over no step at all is not a number; such a clip looks at one step of zeros instead.
        empty = ~steps.mask.any(1)
        hidden = ~steps.mask & ~(empty[:, None] & (torch.arange(steps.mask.shape[1], device=empty.device) == 0))
        x = steps.values.masked_fill(~steps.mask[..., None], 0.0)
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=hidden)
        x = self.norm(x)
        asked = queries.expand(len(x), -1, -1)
        answered, _ = self.attend(asked, x, x, key_padding_mask=hidden, need_weights=False)
        labels: Tensor = self.out(asked + answered)
        return labels


def positions(time: int, width: int) -> Float[Tensor, "time width"]:
    """Sines, then cosines, of the place at geometric wavelengths from 2 pi to about 10,000 * 2 pi (Vaswani 2017).

    >>> [round(x, 3) for x in positions(2, 4)[1].tolist()]
    [0.841, 0.01, 0.54, 1.0]
    """
    half = width // 2
    rate = torch.exp(-math.log(10_000) * torch.arange(half) / half)
    angle = torch.arange(time)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def _flat(steps: Steps) -> ViewInput:
    """Every step as a row of its own, padding masked."""
    values = steps.values.flatten(0, 1)
    return ViewInput(values, steps.mask.flatten()[:, None].expand(values.shape))
