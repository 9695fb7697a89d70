"""What methods with a vector per view share: encoders, cross-entropy over outcomes, and how they speak.

A clip's outcomes come in groups: one group of all labels where one label is right (kind dirichlet), or a group
(holds, does not) for each label where labels hold or not by themselves (kind beta). One code serves both.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from emer.evidence.heads import ViewInput
from emer.evidence.losses import two_sided
from emer.evidence.method import Shape, Spoken
from emer.evidence.networks import StandardViews

Vectors = Float[Tensor, "view batch width"]
Grouped = Float[Tensor, "*more group outcome"]


class ViewEncoders(nn.Module):
    """A network per view, from its standardised features to a vector; all vectors have the same width."""

    def __init__(self, shape: Shape, hidden: tuple[int, ...], width: int, dropout: float) -> None:
        super().__init__()
        self.views = tuple(shape.features)
        self.standard = StandardViews(shape.features)
        self.networks = nn.ModuleDict(
            {view: Layers(len(names), hidden, width, dropout) for view, names in shape.features.items()}
        )

    def fit(self, rows: Mapping[str, ViewInput]) -> None:
        """Take every view's means and spreads from training rows. Raises OpinionError for features not finite."""
        self.standard.fit(rows)

    def forward(self, inputs: Mapping[str, ViewInput], generator: torch.Generator | None = None) -> Vectors:
        """One vector per view and clip. Units are left out only when a generator is given to draw them from."""
        z = self.standard(inputs)
        return torch.stack([self.networks[view](z[view], generator) for view in self.views])


class Layers(nn.Module):
    """Hidden layers with GELU and dropout, then a linear layer."""

    def __init__(self, inputs: int, hidden: tuple[int, ...], outputs: int, dropout: float) -> None:
        super().__init__()
        sizes = (inputs, *hidden, outputs)
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(sizes))
        self.dropout = dropout

    def forward(
        self, x: Float[Tensor, "batch input"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "batch output"]:
        """Units are left out only when a generator is given to draw them from."""
        for layer in list(self.layers)[:-1]:
            x = dropped(nn.functional.gelu(layer(x)), self.dropout, generator)
        return torch.as_tensor(self.layers[-1](x))


def dropped(x: Float[Tensor, "*x"], share: float, generator: torch.Generator | None) -> Float[Tensor, "*x"]:
    """Dropout that draws from a generator of its own, so that a seed fixes a training run; none without generator."""
    if generator is None or share == 0:
        return x
    kept = torch.rand(x.shape, generator=generator, device=generator.device).to(x.device) >= share
    return x * kept / (1 - share)


# ---------------------------------------------------------------- outcomes in groups


def groups(shape: Shape) -> tuple[int, int]:
    """How many groups of outcomes there are, and how many outcomes each has."""
    return (1, len(shape.labels)) if shape.kind == "dirichlet" else (len(shape.labels), 2)


def grouped(target: Float[Tensor, "batch label"], kind: Literal["dirichlet", "beta"]) -> Grouped:
    """A batch's target as "batch group outcome", each group summing to 1."""
    return target[:, None, :] if kind == "dirichlet" else two_sided(target)


def log_probability(logits: Float[Tensor, "*more end"], shape: Shape) -> Float[Tensor, "*more group outcome"]:
    """Log-softmax within each group, of networks that end in groups times outcomes."""
    return logits.reshape(*logits.shape[:-1], *groups(shape)).log_softmax(-1)


def cross_entropy(target: Grouped, log_p: Grouped) -> Float[Tensor, "*more group"]:
    """`-sum_k y_k log p_k` of each group; for kind beta that is the cross-entropy of each label."""
    return -(target * log_p).sum(-1)


def said(
    shape: Shape,
    views: Float[Tensor, "view batch group outcome"],
    fused: Float[Tensor, "batch group outcome"],
    present: Bool[Tensor, "view batch"],
) -> Spoken:
    """Log-probabilities as what a method says; where nothing is present, all outcomes are equally likely."""
    here = present[..., None, None]
    outcomes = fused.shape[-1]
    # Off 0, so that every alpha is above it.
    tiny = torch.finfo(fused.dtype).eps
    each = torch.where(here, views.exp(), 1 / outcomes).clamp(min=tiny)
    whole = torch.where(here.any(0), fused.exp(), 1 / outcomes).clamp(min=tiny)
    if shape.kind == "dirichlet":
        each, whole = each.squeeze(-2), whole.squeeze(-2)
    return Spoken(tuple(shape.features), each, present, whole, None)
