"""The rules of `emer.evidence.fusion` on tensors, so that training can reach through them.

Same names, same arithmetic, same masks (a view that is not present is the vacuous opinion); the tests hold both
against each other. `weighted` and `log_linear` have something to learn: one reliability per view.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from emer.errors import ConfigError

LARGEST = 1e30
"""No fused evidence is above this, so that products of a few stay finite in single precision."""


@dataclass(frozen=True, slots=True)
class TensorViews:
    """Evidence of several views over the same outcomes; for beta opinions the outcomes are "label 2"."""

    evidence: Float[Tensor, "view batch *outcome"]
    present: Bool[Tensor, "view batch"]
    prior: Float[Tensor, "*outcome"]
    """`W a`, alpha without evidence."""
    reliability: Float[Tensor, "view"] | None = None

    @property
    def here(self) -> Bool[Tensor, "view batch *one"]:
        """The mask with the axes of the evidence."""
        return self.present.reshape(*self.present.shape, *[1] * self.prior.ndim)

    @property
    def seen(self) -> Float[Tensor, "view batch *outcome"]:
        """Evidence with zeros for what is missing, whatever stands there."""
        return torch.where(self.here, self.evidence, torch.zeros_like(self.evidence))


Fused = Float[Tensor, "batch *outcome"]
TensorRule = Callable[[TensorViews], Tensor]


class Reliabilities(nn.Module):
    """One learnable weight from 0 up per view, softplus of a free number; at first 1 / views, the plain average."""

    def __init__(self, views: int) -> None:
        super().__init__()
        self.free = nn.Parameter(torch.full((views,), 1 / views).expm1().log())

    def forward(self) -> Float[Tensor, "view"]:
        """The reliabilities, in the order of the views."""
        return nn.functional.softplus(self.free)


def fuse_tensors(views: TensorViews, rule: str = "weighted") -> Fused:
    """Evidence of all views as one. Raises ConfigError for a rule that does not exist or lacks its reliabilities."""
    if rule not in TENSOR_RULES:
        raise ConfigError(f"fusion rule {rule!r} is not known to training; choose one of {', '.join(TENSOR_RULES)}")
    if views.reliability is not None and rule not in TAKES_RELIABILITIES:
        raise ConfigError(f"fusion rule {rule!r} takes no reliabilities; choose {', '.join(TAKES_RELIABILITIES)}")
    return TENSOR_RULES[rule](views).clamp(max=LARGEST)


def weighted(views: TensorViews) -> Fused:
    """Evidence times reliability, added up; without reliabilities, the average of the views that are present."""
    if views.reliability is None:
        return average(views)
    return (views.reliability.reshape(-1, *[1] * (views.seen.ndim - 1)) * views.seen).sum(0)


def average(views: TensorViews) -> Fused:
    """The true mean over the views that are present."""
    return views.seen.sum(0) / views.here.sum(0).clamp(min=1)


def cumulative(views: TensorViews) -> Fused:
    """Evidence added up."""
    return views.seen.sum(0)


def dempster(views: TensorViews) -> Fused:
    """Reduced Dempster rule, `e1 + e2 + e1 e2 / W`, view after view (derived in `emer.evidence.fusion.dempster`)."""
    weight = views.prior.sum(-1, keepdim=True)
    fused = torch.zeros_like(views.seen[0])
    for one in views.seen:
        fused = (fused + one + fused * (one / weight)).clamp(max=LARGEST)
    return fused


def confidence_weighted(views: TensorViews) -> Fused:
    """Mean weighed by each view's largest probability (TER 2025, derived from its abstract)."""
    alpha = views.seen + views.prior
    confidence = (alpha / alpha.sum(-1, keepdim=True)).amax(-1, keepdim=True)
    shares = torch.where(views.here, confidence, torch.zeros_like(confidence))
    return (shares * views.seen).sum(0) / shares.sum(0).clamp(min=torch.finfo(shares.dtype).tiny)


def log_linear(views: TensorViews) -> Fused:
    """Log-linear pool of alpha relative to the prior; without reliabilities, each view present has the same."""
    gain = torch.log1p(views.seen / views.prior)
    if views.reliability is None:
        total = gain.sum(0) / views.here.sum(0).clamp(min=1)
    else:
        total = (views.reliability.reshape(-1, *[1] * (gain.ndim - 1)) * gain).sum(0)
    return views.prior * total.clamp(max=math.log(LARGEST)).expm1()


TENSOR_RULES: dict[str, TensorRule] = {
    "weighted": weighted,
    "average": average,
    "cumulative": cumulative,
    "dempster": dempster,
    "confidence_weighted": confidence_weighted,
    "log_linear": log_linear,
}
TAKES_RELIABILITIES = ("weighted", "log_linear")
