"""Evidence per view, fused by a rule, trained through the fusion: TMC, ETMC, ECML, R-EDL, I-EDL, TER and emer's own.

What tells them apart are words and numbers of the options (configs/heads/*.yaml), not code.
Sources: Han et al. 2021, 2022 (TMC, ETMC), Xu et al. 2024 (ECML), Chen et al. 2024 (R-EDL), Deng et al. 2023 (I-EDL).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.optimize import minimize
from scipy.special import log_softmax
from torch import Tensor

from emer.errors import ConfigError
from emer.evidence.heads import Activation, HeadSpec, MultiViewHeads, ViewEvidence, ViewInput
from emer.evidence.losses import two_sided
from emer.evidence.method import Batch, Method, Shape, Spoken
from emer.evidence.tensor_fusion import TAKES_RELIABILITIES, Reliabilities, TensorViews, fuse_tensors
from emer.evidence.view_losses import Objective, total_loss
from emer.types import JOINT

HeldReliabilities = Literal["equal", "learned", "fitted", "joint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidentialOptions:
    """What evidential heads are made of, and how they are fused and trained."""

    hidden: tuple[int, ...] = (64,)
    activation: Activation = "softplus"
    prior_weight: float | None = None
    """W as a share of its usual value (the number of labels, or 2 for kind beta); None is 1. R-EDL: about .1."""
    dropout: float = 0.2
    view_dropout: float = 0.0
    joint: bool = False
    """Whether a head on all features speaks as a view of its own."""
    fusion: str = "weighted"
    """A rule of `emer.evidence.tensor_fusion`."""
    reliabilities: HeldReliabilities = "equal"
    """For the rules weighted and log_linear: equal (the average), learned in training, fitted on validation
    afterwards, or the joint head alone."""
    members: int = 1
    """More than 1: every head is so many networks that share weights, each with a loss of its own."""
    objective: Objective = field(default_factory=Objective)

    def __post_init__(self) -> None:
        if self.reliabilities != "equal" and self.fusion not in TAKES_RELIABILITIES:
            raise ConfigError(
                f"fusion {self.fusion} takes no reliabilities; choose {' or '.join(TAKES_RELIABILITIES)}, or "
                "reliabilities: equal"
            )
        if self.reliabilities == "joint" and not self.joint:
            raise ConfigError("reliabilities: joint needs joint: true")


class Evidential(Method):
    """Heads, a fusion rule, and the loss of all views and their fusion."""

    fixed: Tensor
    learned: Reliabilities | None
    Options = EvidentialOptions

    def __init__(self, shape: Shape, options: EvidentialOptions) -> None:
        super().__init__(shape)
        self.options = options
        self.heads = MultiViewHeads(_spec(shape, options))
        count = len(self.heads.views)
        self.learned = Reliabilities(count) if options.reliabilities == "learned" else None
        fixed = torch.full((count,), 1 / count)
        if options.reliabilities == "joint":
            fixed = torch.tensor([float(view == JOINT) for view in self.heads.views])
        self.register_buffer("fixed", fixed)

    @property
    def reliability(self) -> Float[Tensor, "view"] | None:
        """The weight of each view, in the order of `heads.views`; None where all weigh alike."""
        if self.options.reliabilities == "equal":
            return None
        return self.fixed if self.learned is None else self.learned()

    def fit_inputs(self, rows: Mapping[str, ViewInput]) -> None:
        self.heads.fit_standardisation(rows)

    def loss(self, batch: Batch, epoch: int, generator: torch.Generator) -> Float[Tensor, ""]:
        spoken = self.heads.by_member(batch.inputs, generator=generator)
        target = two_sided(batch.target) if self.shape.kind == "beta" else batch.target
        target = torch.cat([target] * self.options.members)
        alpha = self.heads.alpha(spoken.evidence)
        last = alpha.shape[0] - 1 if self.options.joint else alpha.shape[0]
        return total_loss(
            alpha[:last],
            spoken.present[:last],
            target,
            self.heads.prior,
            self.options.objective,
            joint=alpha[last] if self.options.joint else None,
            fused=self._fused(spoken),
            epoch=epoch,
        )

    def speak(self, inputs: Mapping[str, ViewInput], present: Bool[Tensor, "view batch"] | None = None) -> Spoken:
        spoken = self.heads(inputs, present)
        alpha = self.heads.alpha(spoken.evidence)
        return Spoken(spoken.views, alpha, spoken.present, self._fused(spoken), self.heads.prior)

    @torch.no_grad()
    def finish(self, validation: Batch) -> None:
        """Fit the reliabilities on validation rows, where the options ask for that."""
        if self.options.reliabilities != "fitted":
            return
        spoken = self.heads(validation.inputs)
        target = two_sided(validation.target) if self.shape.kind == "beta" else validation.target
        fit = fit_log_linear if self.options.fusion == "log_linear" else fit_reliabilities
        found = fit(spoken.evidence.double().numpy(), target.double().numpy(), self.heads.prior.double().numpy())
        self.fixed.copy_(torch.from_numpy(found))

    def _fused(self, spoken: ViewEvidence) -> Float[Tensor, "batch *outcome"]:
        views = TensorViews(spoken.evidence, spoken.present, self.heads.prior, self.reliability)
        return self.heads.alpha(fuse_tensors(views, self.options.fusion))


def _spec(shape: Shape, options: EvidentialOptions) -> HeadSpec:
    usual = float(len(shape.labels)) if shape.kind == "dirichlet" else 2.0
    return HeadSpec(
        label_set=shape.label_set,
        labels=shape.labels,
        features=shape.features,
        versions=shape.versions,
        kind=shape.kind,
        hidden=options.hidden,
        activation=options.activation,
        prior_weight=None if options.prior_weight is None else options.prior_weight * usual,
        dropout=options.dropout,
        view_dropout=options.view_dropout,
        joint=options.joint,
        members=options.members,
    )


def fit_reliabilities(
    evidence: Float[np.ndarray, "view row *outcome"],
    target: Float[np.ndarray, "row *outcome"],
    prior: Float[np.ndarray, "*outcome"],
) -> Float[np.ndarray, "view"]:
    """The weights of least negative log-likelihood of `p = alpha / S`, `alpha = W a + sum_v r_v e_v`, on these rows.

    A view that was not present has zeros for evidence. Weights stay between .001 and 1,000; they start even.
    """
    count = len(evidence)

    def loss(log_weight: np.ndarray) -> tuple[float, np.ndarray]:
        weight = np.exp(log_weight)
        alpha = prior + np.tensordot(weight, evidence, axes=1)
        total = alpha.sum(-1, keepdims=True)
        rows = len(target)
        value = float((target * (np.log(total) - np.log(alpha))).sum() / rows)
        slope = (target.sum(-1, keepdims=True) / total - target / alpha) / rows
        return value, weight * (evidence * slope).reshape(count, -1).sum(1)

    found = minimize(loss, np.full(count, -np.log(count)), jac=True, bounds=[(np.log(1e-3), np.log(1e3))] * count)
    return np.asarray(np.exp(found.x))


def fit_log_linear(
    evidence: Float[np.ndarray, "view row *outcome"],
    target: Float[np.ndarray, "row *outcome"],
    prior: Float[np.ndarray, "*outcome"],
) -> Float[np.ndarray, "view"]:
    """The weights of least negative log-likelihood of `p ~ W a prod_v (1 + e_v / (W a))^r_v` on these rows.

    They start even, and a distance of one unit of log r from there costs as much as one nat of one row: rows that
    are told apart without fault would otherwise ask for endless weights. They stay between .001 and 20.
    """
    count, rows = len(evidence), len(target)
    gain = np.log1p(evidence / prior)
    even = np.full(count, -np.log(count))

    def loss(log_weight: np.ndarray) -> tuple[float, np.ndarray]:
        weight, far = np.exp(log_weight), log_weight - even
        log_p = log_softmax(np.log(prior) + np.tensordot(weight, gain, axes=1), axis=-1)
        error = target.sum(-1, keepdims=True) * np.exp(log_p) - target
        value = float((far**2).sum() - (target * log_p).sum()) / rows
        return value, (weight * (gain * error).reshape(count, -1).sum(1) + 2 * far) / rows

    found = minimize(loss, even, jac=True, bounds=[(np.log(1e-3), np.log(20.0))] * count)
    return np.asarray(np.exp(found.x))
