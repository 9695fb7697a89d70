"""The loss of several views at once: each view's own, the joint view's, the fused one's, and their conflict.

    L = sum_v L(alpha_v) + L(alpha_joint) + L(alpha_fused) + gamma * conflict

Sources: Han et al. 2021 and 2022 (TMC, ETMC: all views and their fusion), Xu et al. 2024 (ECML: conflict).
A view that is missing in a clip adds nothing there.
"""

import math
from dataclasses import dataclass
from itertools import combinations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from emer.errors import ConfigError
from emer.evidence.losses import annealed, loss_named, misleading_kl


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What training minimises. Raises ConfigError for an unknown loss or a negative weight."""

    loss: str = "digamma"
    """A name of `emer.evidence.losses.LOSSES`."""
    kl: float = 0.0
    """Weight of the KL regulariser once it is annealed; 0 leaves it out."""
    kl_epochs: int = 10
    """Epochs over which that weight grows from 0."""
    conflict: float = 0.0
    """Weight of the mean conflict between the views, gamma."""

    def __post_init__(self) -> None:
        loss_named(self.loss)
        weights = {"kl": self.kl, "kl_epochs": self.kl_epochs, "conflict": self.conflict}
        if wrong := [f"{name} {weight:g}" for name, weight in weights.items() if not 0 <= weight < math.inf]:
            raise ConfigError(f"weights of a loss must be numbers from 0 up, not {', '.join(wrong)}")


def opinion_loss(
    alpha: Float[Tensor, "batch *outcome"],
    target: Float[Tensor, "batch *outcome"],
    prior: Float[Tensor, "*outcome"],
    objective: Objective,
    epoch: int = 0,
) -> Float[Tensor, "batch"]:
    """The loss of one opinion per clip, with its KL regulariser; for beta opinions the sum over the labels."""
    loss = loss_named(objective.loss)(alpha, target)
    if (weight := annealed(objective.kl, epoch, objective.kl_epochs)) > 0:
        loss = loss + weight * misleading_kl(alpha, target, prior)
    return loss.reshape(len(alpha), -1).sum(-1)


def conflict_loss(
    alpha: Float[Tensor, "view batch *outcome"], present: Bool[Tensor, "view batch"], prior: Float[Tensor, "*outcome"]
) -> Float[Tensor, "batch"]:
    """Mean degree of conflict over the pairs of views that a clip has; 0 where it has fewer than two.

    The degree is that of `emer.evidence.conflict` (Xu et al. 2024: `1/2 sum |p1 - p2| (1 - u1) (1 - u2)`); a beta
    opinion counts the mean over its labels, where every label has a gradient, instead of the largest.
    """
    strength = alpha.sum(-1, keepdim=True)
    p, certain = alpha / strength, 1 - (prior.sum(-1, keepdim=True) / strength).squeeze(-1)
    total = alpha.new_zeros(alpha.shape[1])
    pairs = alpha.new_zeros(alpha.shape[1])
    for i, j in combinations(range(len(alpha)), 2):
        degree = (p[i] - p[j]).abs().sum(-1) / 2 * certain[i] * certain[j]
        both = present[i] & present[j]
        total = total + torch.where(both, degree.reshape(len(both), -1).mean(-1), 0.0)
        pairs = pairs + both
    return total / pairs.clamp(min=1)


def total_loss(
    views: Float[Tensor, "view batch *outcome"],
    present: Bool[Tensor, "view batch"],
    target: Float[Tensor, "batch *outcome"],
    prior: Float[Tensor, "*outcome"],
    objective: Objective,
    *,
    joint: Float[Tensor, "batch *outcome"] | None = None,
    fused: Float[Tensor, "batch *outcome"] | None = None,
    epoch: int = 0,
) -> Float[Tensor, ""]:
    """The mean over a batch of the loss above. All opinions come as alpha; `prior = W a` is alpha without evidence.

    For beta opinions `target` has the form of `losses.two_sided`. A joint or fused opinion that is None is left out.
    """
    loss = views.new_zeros(views.shape[1])
    for alpha, here in zip(views, present, strict=True):
        loss = loss + torch.where(here, opinion_loss(alpha, target, prior, objective, epoch), 0.0)
    for alpha in (joint, fused):
        if alpha is not None:
            loss = loss + opinion_loss(alpha, target, prior, objective, epoch)
    if objective.conflict > 0:
        loss = loss + objective.conflict * conflict_loss(views, present, prior)
    return loss.mean()
