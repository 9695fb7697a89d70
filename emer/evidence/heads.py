"""Heads: named features in, evidence out, one head per view and, if wanted, one for all views together.

A head is a small network whose outputs are made positive: evidence `e >= 0` (`emer.evidence.dirichlet`). A view
without any measured feature gives no evidence: the vacuous opinion. This module loads torch; who runs no head
does not import it.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from emer.errors import ConfigError, OpinionError
from emer.evidence.ensembled_layers import mean_opinion
from emer.evidence.evidence_head import Activation as Activation
from emer.evidence.evidence_head import EvidenceHead
from emer.types import JOINT

FARTHEST = 10.0
"""Standardised features are cut at this many standard deviations: a broken number must not drown all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSpec:
    """What heads are made of. Raises ConfigError that lists every mistake."""

    label_set: str
    labels: tuple[str, ...]
    features: dict[str, tuple[str, ...]]
    """View to the names of its features, in the order of the network's inputs."""
    versions: dict[str, str] = field(default_factory=dict)
    """View to the version of the extractor that measured them; a view that is not named takes any."""
    kind: Literal["dirichlet", "beta"] = "dirichlet"
    hidden: tuple[int, ...] = (64,)
    """Sizes of the hidden layers; () makes a linear head."""
    activation: Activation = "softplus"
    prior_weight: float | None = None
    """W; None takes the number of labels (dirichlet) or 2 (beta). R-EDL: about 0.1 of that."""
    base_rate: tuple[float, ...] | None = None
    """One per label; None is even."""
    dropout: float = 0.2
    """Share of hidden units left out in training."""
    view_dropout: float = 0.0
    """How often a view is left out of a training clip; one always stays."""
    joint: bool = False
    """Whether a head on all features together speaks as a view of its own."""
    members: int = 1
    """More than 1: every head is so many networks that share weights (`emer.evidence.ensembled_layers`)."""

    def __post_init__(self) -> None:
        if mistakes := list(_mistakes(self)):
            raise ConfigError("heads: " + "; ".join(mistakes))

    @property
    def views(self) -> tuple[str, ...]:
        """Views with a head of their own, without the joint one."""
        return tuple(self.features)

    @property
    def weight(self) -> float:
        """The prior weight W."""
        if self.prior_weight is not None:
            return self.prior_weight
        return float(len(self.labels)) if self.kind == "dirichlet" else 2.0

    @property
    def rates(self) -> tuple[float, ...]:
        """The base rate of each label."""
        if self.base_rate is not None:
            return self.base_rate
        return (1 / len(self.labels) if self.kind == "dirichlet" else 0.5,) * len(self.labels)


def _mistakes(spec: HeadSpec) -> Iterator[str]:
    least = 2 if spec.kind == "dirichlet" else 1
    if len(spec.labels) < least or len(set(spec.labels)) < len(spec.labels):
        yield f"labels {list(spec.labels)} must differ and be at least {least}"
    if not spec.features or not all(spec.features.values()):
        yield "every view needs features, and one view at least must be there"
    for view, names in spec.features.items():
        if view == JOINT or not view.isidentifier():
            yield f"a view cannot be called {view!r}; take a plain word other than {JOINT}"
        if len(set(names)) < len(names):
            yield f"a feature stands twice in the view {view}"
    if any(size < 1 for size in spec.hidden):
        yield f"hidden {list(spec.hidden)} must be sizes above 0"
    if spec.members < 1:
        yield f"members {spec.members} must be at least 1"
    if not 0 < spec.weight < math.inf:
        yield f"prior weight {spec.weight:g} must be above 0"
    if len(spec.rates) != len(spec.labels) or not all(0 < rate < 1 for rate in spec.rates):
        yield f"base rate {list(spec.rates)} must be one number between 0 and 1 per label"
    elif spec.kind == "dirichlet" and not math.isclose(sum(spec.rates), 1, abs_tol=1e-6):
        yield f"base rate {list(spec.rates)} must sum to 1"
    for name, share in (("dropout", spec.dropout), ("view_dropout", spec.view_dropout)):
        if not 0 <= share < 1:
            yield f"{name} {share:g} must lie from 0 to below 1"


# ---------------------------------------------------------------- values in, values out


@dataclass(frozen=True, slots=True)
class ViewInput:
    """One view of a batch of clips; what stands where `mask` is False is not looked at."""

    values: Float[Tensor, "batch feature"]
    mask: Bool[Tensor, "batch feature"]


@dataclass(frozen=True, slots=True)
class ViewEvidence:
    """Evidence of every view, the joint one last; for beta heads the outcomes are "label 2" (for, against)."""

    views: tuple[str, ...]
    evidence: Float[Tensor, "view batch *outcome"]
    present: Bool[Tensor, "view batch"]


# ---------------------------------------------------------------- standardisation


class Standardiser(nn.Module):
    """Features to mean 0 and standard deviation 1 over the training rows; 0 where nothing was measured."""

    mean: Tensor
    scale: Tensor

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names
        self.register_buffer("mean", torch.zeros(len(names)))
        self.register_buffer("scale", torch.ones(len(names)))

    @torch.no_grad()
    def fit(self, rows: ViewInput) -> None:
        """Take mean and spread from training rows. A feature that never varies there is not looked at afterwards.

        Raises OpinionError for features that are measured and not finite.
        """
        refuse_not_finite(rows, self.names)
        count = rows.mask.sum(0).clamp(min=1)
        values = torch.where(rows.mask, rows.values, 0.0).double()
        mean = values.sum(0) / count
        spread = (torch.where(rows.mask, values - mean, 0.0).square().sum(0) / count).sqrt()
        varies = spread > 1e-6 * mean.abs().clamp(min=1e-6)
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(varies, 1 / torch.where(varies, spread, 1.0), 0.0))

    def forward(self, rows: ViewInput) -> Float[Tensor, "batch feature"]:
        """Standard deviations from the training mean, cut at `FARTHEST`; 0 where the mask is False."""
        refuse_not_finite(rows, self.names)
        z = ((rows.values - self.mean) * self.scale).clamp(-FARTHEST, FARTHEST)
        return torch.where(rows.mask, z, torch.zeros_like(z))


def refuse_not_finite(rows: ViewInput, names: tuple[str, ...]) -> None:
    """Raises OpinionError naming the features that are measured, and not a finite number."""
    wrong = rows.mask & ~rows.values.isfinite()
    if wrong.any():
        some = ", ".join(names[i] for i in wrong.any(0).nonzero().flatten().tolist()[:5])
        raise OpinionError(
            f"{int(wrong.any(1).sum())} rows have features that are NaN or infinite ({some}); "
            "mask what could not be measured"
        )


# ---------------------------------------------------------------- a head per view


class MultiViewHeads(nn.Module):
    """A head per view and, with `spec.joint`, one on all their inputs together.

    The joint head reads the standardised features of all views, zeros for views that are missing, and which views
    are there. It is present wherever one view is.
    """

    prior: Tensor
    """`W a`, alpha without evidence: "label", or "label 2"."""

    def __init__(self, spec: HeadSpec) -> None:
        super().__init__()
        self.spec = spec
        sizes = {view: len(names) for view, names in spec.features.items()}
        self.standardisers = nn.ModuleDict({view: Standardiser(names) for view, names in spec.features.items()})
        self.heads = nn.ModuleDict({view: _head(spec, size) for view, size in sizes.items()})
        if spec.joint:
            self.heads[JOINT] = _head(spec, sum(sizes.values()) + len(sizes))
        rates = torch.tensor(spec.rates)
        pair = torch.stack([rates, 1 - rates], dim=-1)
        self.register_buffer("prior", spec.weight * (rates if spec.kind == "dirichlet" else pair), persistent=False)

    @property
    def views(self) -> tuple[str, ...]:
        """Views that speak, in the order of the evidence; the joint one last."""
        return tuple(self.heads)

    def fit_standardisation(self, rows: Mapping[str, ViewInput]) -> None:
        """Take every view's means and spreads from training rows. Raises OpinionError for features not finite."""
        for view in self.spec.views:
            self._standardiser(view).fit(rows[view])

    def forward(
        self,
        inputs: Mapping[str, ViewInput],
        present: Bool[Tensor, "view batch"] | None = None,
        generator: torch.Generator | None = None,
    ) -> ViewEvidence:
        """Evidence of all views. `present` (rows in the order of `spec.views`) can take views out clip by clip.

        Several members speak as one: the mean of their opinions (`mean_opinion`). For training ask `by_member`.
        While training, views are also left out at random (`spec.view_dropout`).
        Raises OpinionError for features that are measured and not finite.
        """
        spoken = self.by_member(inputs, present, generator)
        if self.spec.members == 1:
            return spoken
        count, members = len(self.views), self.spec.members
        clips = spoken.present.shape[1] // members
        each = spoken.evidence.reshape(count, members, clips, *self.prior.shape).movedim(1, 0)
        here = spoken.present.reshape(count, members, clips).any(1)
        return ViewEvidence(self.views, mean_opinion(each, self.prior.sum(-1, keepdim=True)), here)

    def by_member(
        self,
        inputs: Mapping[str, ViewInput],
        present: Bool[Tensor, "view batch"] | None = None,
        generator: torch.Generator | None = None,
    ) -> ViewEvidence:
        """What each member says by itself: all clips of the first, then all of the second, and so on.

        A loss on it wants the target as often: `target.repeat(members, 1)`. So every member learns for itself, and
        views are left out of each by itself.
        """
        members = self.spec.members
        z = {view: self._standardiser(view)(inputs[view]).repeat(members, 1) for view in self.spec.views}
        here = torch.stack([inputs[view].mask.any(1) for view in self.spec.views])
        if present is not None:
            here = here & present
        here = here.repeat(1, members)
        if self.training and self.spec.view_dropout > 0:
            here = view_dropout(here, self.spec.view_dropout, generator)
        evidence = [self._evidence(view, z[view]) for view in self.spec.views]
        if self.spec.joint:
            parts = [z[view] * seen[:, None] for view, seen in zip(self.spec.views, here, strict=True)]
            evidence.append(self._evidence(JOINT, torch.cat([*parts, here.T.to(parts[0].dtype)], dim=1)))
            here = torch.cat([here, here.any(0, keepdim=True)])
        stacked = torch.stack(evidence)
        seen = here.reshape(*here.shape, *[1] * (stacked.ndim - 2))
        return ViewEvidence(self.views, torch.where(seen, stacked, torch.zeros_like(stacked)), here)

    def _evidence(self, view: str, rows: Float[Tensor, "row feature"]) -> Float[Tensor, "row *outcome"]:
        """A head's evidence for rows that stand member after member."""
        members = self.spec.members
        if members == 1:
            alone: Tensor = self.heads[view](rows)
            return alone
        together: Tensor = self.heads[view](rows.reshape(members, len(rows) // members, rows.shape[1]))
        return together.flatten(0, 1)

    def alpha(self, evidence: Float[Tensor, "*more"]) -> Float[Tensor, "*more"]:
        """`e + W a`, for evidence whose last axes are the outcomes."""
        return evidence + self.prior

    def _standardiser(self, view: str) -> Standardiser:
        module = self.standardisers[view]
        assert isinstance(module, Standardiser)
        return module


def _head(spec: HeadSpec, inputs: int) -> EvidenceHead:
    return EvidenceHead(
        inputs,
        len(spec.labels),
        hidden=spec.hidden,
        kind=spec.kind,
        activation=spec.activation,
        dropout=spec.dropout,
        members=spec.members,
    )


def view_dropout(
    present: Bool[Tensor, "view batch"], share: float, generator: torch.Generator | None = None
) -> Bool[Tensor, "view batch"]:
    """The mask with each present view taken out with probability `share`; of those present, one always stays."""
    draw = torch.rand(present.shape, generator=generator, device=present.device)
    # The present view with the highest draw stays whatever happens.
    best = torch.where(present, draw, -1.0).argmax(0)
    saved = nn.functional.one_hot(best, len(present)).T.bool()
    return present & ((draw >= share) | saved)
