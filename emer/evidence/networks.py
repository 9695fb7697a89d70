"""The plain network that several methods are made of, and their inputs put side by side."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from emer.evidence.heads import Standardiser, ViewInput


def perceptron(inputs: int, hidden: tuple[int, ...], outputs: int, dropout: float) -> nn.Sequential:
    """Hidden layers with GELU and dropout, then a linear one; linear alone when `hidden` is ()."""
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(inputs, size), nn.GELU(), nn.Dropout(dropout)]
        inputs = size
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


class StandardViews(nn.Module):
    """Features of all views in standard deviations from the training mean; 0 where nothing was measured."""

    def __init__(self, features: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__()
        self.each = nn.ModuleDict({view: Standardiser(names) for view, names in features.items()})

    def fit(self, rows: Mapping[str, ViewInput]) -> None:
        """Take means and spreads from training rows. Raises OpinionError for features that are not finite."""
        for view, standardiser in self.each.items():
            assert isinstance(standardiser, Standardiser)
            standardiser.fit(rows[view])

    def forward(self, rows: Mapping[str, ViewInput]) -> dict[str, Float[Tensor, "batch _"]]:
        return {view: standardiser(rows[view]) for view, standardiser in self.each.items()}


def side_by_side(
    views: Mapping[str, Float[Tensor, "batch _"]], present: Bool[Tensor, "view batch"]
) -> Float[Tensor, "batch feature"]:
    """All views in one row, zeros for those that are missing, then which views are there."""
    parts = [part * here[:, None] for part, here in zip(views.values(), present, strict=True)]
    return torch.cat([*parts, present.T.to(parts[0].dtype)], dim=1)
