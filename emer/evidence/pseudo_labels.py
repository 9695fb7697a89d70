"""What each view by itself would call a clip, and whether the views agree: pseudo unimodal labels and consistency.

Only the clip as a whole was labelled; a voice may sound neutral in a clip that is rightly called happy. So each view
gets prototypes, the means of its most typical training clips, and a clip is read by the prototypes that it is near.

Derived from the abstract of Yin et al. 2025, "TiCAL: typicality-based consistency-aware learning for multimodal
emotion recognition" (arXiv:2511.15085), which names anchors, pseudo unimodal labels, typicality and hyperbolic space;
the formulas are this project's own. Outcomes come in groups (`emer.evidence.view_networks`).
"""

import math
from dataclasses import dataclass
from itertools import combinations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from emer.evidence import poincare


@dataclass(frozen=True, slots=True)
class Readings:
    """How views read clips by their prototypes."""

    label: Float[Tensor, "view batch group outcome"]
    """The pseudo-label: 1 for the outcome whose prototype is nearest."""
    soft: Float[Tensor, "view batch group outcome"]
    """`q = softmax(-d/t)`: how near each prototype is beside the others."""
    typicality: Float[Tensor, "view batch group"]
    """`exp(-d/s)` of the nearest prototype: 1 on it, towards 0 far from all."""


def anchors(
    p: Float[Tensor, "view batch group outcome"],
    target: Float[Tensor, "batch group outcome"],
    present: Bool[Tensor, "view batch"],
    share: float = 0.5,
) -> Bool[Tensor, "view batch group outcome"]:
    """The clips that stand for an outcome in a view: those that the view gets right, the surest `share` of them.

    `p` are the probabilities of each view. Right is the outcome with most of the target, the first of several.
    An outcome that a view gets right in no clip has all clips of that outcome as anchors.
    """
    gold = nn.functional.one_hot(target.argmax(-1), target.shape[-1]).bool()
    said = nn.functional.one_hot(p.argmax(-1), p.shape[-1]).bool()
    own = gold & present[..., None, None]
    right = own & said
    pool = torch.where(right.any(1, keepdim=True), right, own)
    sureness = torch.where(pool, p, -1.0)
    kept = (pool.sum(1, keepdim=True) * share).ceil().long().clamp(min=1)
    least = sureness.sort(dim=1, descending=True).values.gather(1, kept - 1)
    return pool & (sureness >= least)


def prototypes(
    points: Float[Tensor, "view batch width"], standing: Bool[Tensor, "view batch group outcome"], c: float = 1.0
) -> tuple[Float[Tensor, "view group outcome width"], Bool[Tensor, "view group outcome"]]:
    """The hyperbolic mean of the anchors of every view and outcome, and whether there are any (else the origin)."""
    weight = standing.flatten(2).transpose(1, 2).to(points.dtype)
    means = poincare.mean(points, weight, c)
    return means.reshape(*standing[:, 0].shape, points.shape[-1]), standing.any(1)


def read(
    points: Float[Tensor, "view batch width"],
    means: Float[Tensor, "view group outcome width"],
    known: Bool[Tensor, "view group outcome"],
    *,
    c: float = 1.0,
    temperature: float = 1.0,
    scale: float = 1.0,
) -> Readings:
    """What each view calls each clip. An outcome without prototype is no candidate.

    A view without any prototype in a group says nothing there: soft labels are even and typicality is 0.
    """
    apart = poincare.distance(points[:, :, None, None], means[:, None], c).masked_fill(~known[:, None], math.inf)
    any_known = known.any(-1)[:, None, :, None]
    soft = (-torch.where(any_known, apart, 0.0) / temperature).softmax(-1)
    nearest = apart.min(-1)
    label = nn.functional.one_hot(nearest.indices, apart.shape[-1]).to(points.dtype)
    return Readings(label, soft, (-nearest.values / scale).exp())


def jensen_shannon(p: Float[Tensor, "*more outcome"], q: Float[Tensor, "*more outcome"]) -> Float[Tensor, "*more"]:
    """Jensen-Shannon divergence in nats, from 0 (equal) to log 2 = 0.6931 (nothing in common).

    >>> round(jensen_shannon(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])).item(), 4)
    0.6931
    """
    middle = (p + q) / 2
    from_p, from_q = (torch.xlogy(one, one) - torch.xlogy(one, middle) for one in (p, q))
    return ((from_p + from_q).sum(-1) / 2).clamp(min=0)


def consistency(
    soft: Float[Tensor, "view batch group outcome"],
    typicality: Float[Tensor, "view batch group"],
    present: Bool[Tensor, "view batch"],
) -> Float[Tensor, "batch group"]:
    """How far the views of a clip read it alike: 0 not at all, 1 fully; typical readings count more.

        kappa = sum_{m<n} t_m t_n (1 - JS(q_m, q_n) / log 2) / sum_{m<n} t_m t_n

    A clip with fewer than two views, or none of them typical of anything, has 1: nothing speaks against it.
    """
    agreed = soft.new_zeros(soft.shape[1:-1])
    total = soft.new_zeros(soft.shape[1:-1])
    for m, n in combinations(range(len(soft)), 2):
        weight = typicality[m] * typicality[n] * (present[m] & present[n])[:, None]
        agreed = agreed + weight * (1 - jensen_shannon(soft[m], soft[n]) / math.log(2))
        total = total + weight
    return torch.where(total > 0, agreed / torch.where(total > 0, total, 1.0), 1.0)


def weights(kappa: Float[Tensor, "batch group"], even: float) -> Float[Tensor, "batch group"]:
    """How much each clip counts, with mean 1: by its consistency (`even` 0), all alike (1), or in between.

    >>> weights(torch.tensor([[0.25], [0.75]]), 0.5).flatten().tolist()
    [0.75, 1.25]
    """
    return even + (1 - even) * kappa / kappa.mean().clamp(min=1e-6)
