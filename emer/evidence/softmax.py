"""The plain baselines: softmax on all features at once, or one softmax per view and the mean of them.

They give probabilities without evidence. Multi-label (kind beta): a sigmoid per label instead of the softmax.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from emer.errors import ConfigError
from emer.evidence.heads import ViewInput, view_dropout
from emer.evidence.method import Batch, Method, Shape, Spoken, seen, two_outcomes
from emer.evidence.networks import StandardViews, perceptron, side_by_side


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftmaxOptions:
    """What a softmax baseline is made of. Raises ConfigError that lists every mistake."""

    mode: Literal["concat", "late"] = "concat"
    """concat: one network on all features; late: one per view, and the mean of their probabilities."""
    hidden: tuple[int, ...] = (64,)
    """Sizes of the hidden layers; () makes it logistic regression."""
    dropout: float = 0.2
    view_dropout: float = 0.0
    """How often a view is left out of a training clip; one always stays (concat alone)."""

    def __post_init__(self) -> None:
        mistakes = [f"hidden {list(self.hidden)} must be sizes above 0"] if any(s < 1 for s in self.hidden) else []
        for name, share in (("dropout", self.dropout), ("view_dropout", self.view_dropout)):
            if not 0 <= share < 1:
                mistakes.append(f"{name} {share:g} must lie from 0 to below 1")
        if mistakes:
            raise ConfigError("softmax: " + "; ".join(mistakes))


class Softmax(Method):
    """Cross-entropy on class probabilities."""

    Options = SoftmaxOptions

    def __init__(self, shape: Shape, options: SoftmaxOptions) -> None:
        super().__init__(shape)
        self.options = options
        self.standard = StandardViews(shape.features)
        widths = {view: len(names) for view, names in shape.features.items()}
        if options.mode == "concat":
            widths = {"all": sum(widths.values()) + len(widths)}
        self.networks = nn.ModuleDict(
            {
                name: perceptron(width, options.hidden, len(shape.labels), options.dropout)
                for name, width in widths.items()
            }
        )

    def fit_inputs(self, rows: Mapping[str, ViewInput]) -> None:
        self.standard.fit(rows)

    def loss(self, batch: Batch, epoch: int, generator: torch.Generator) -> Float[Tensor, ""]:
        present = seen(batch.inputs, tuple(self.shape.features), None)
        if self.options.mode == "concat" and self.options.view_dropout > 0:
            present = view_dropout(present, self.options.view_dropout, generator)
        logits, here = self._logits(batch.inputs, present)
        per_clip = torch.stack([self._cross_entropy(one, batch.target) for one in logits])
        return torch.where(here, per_clip, 0.0).sum(0).mean()

    def speak(self, inputs: Mapping[str, ViewInput], present: Bool[Tensor, "view batch"] | None = None) -> Spoken:
        logits, here = self._logits(inputs, seen(inputs, tuple(self.shape.features), present))
        alpha = self._probabilities(logits)
        if self.options.mode == "concat":
            return Spoken((), alpha[:0], here[:0], alpha[0], None)
        shown = here.reshape(*here.shape, *[1] * (alpha.ndim - 2)).to(alpha.dtype)
        even = torch.full_like(alpha[0], 1 / alpha.shape[-1])
        mean = (alpha * shown).sum(0) / shown.sum(0).clamp(min=1)
        return Spoken(tuple(self.networks), alpha, here, torch.where(shown.sum(0) > 0, mean, even), None)

    def _logits(
        self, inputs: Mapping[str, ViewInput], present: Bool[Tensor, "view batch"]
    ) -> tuple[Float[Tensor, "network batch label"], Bool[Tensor, "network batch"]]:
        views = self.standard(inputs)
        if self.options.mode == "concat":
            return self.networks["all"](side_by_side(views, present))[None], present.any(0, keepdim=True)
        return torch.stack([self.networks[view](views[view]) for view in views]), present

    def _cross_entropy(
        self, logits: Float[Tensor, "batch label"], target: Float[Tensor, "batch label"]
    ) -> Float[Tensor, "batch"]:
        if self.shape.kind == "dirichlet":
            return nn.functional.cross_entropy(logits, target, reduction="none")
        return nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(-1)

    def _probabilities(self, logits: Float[Tensor, "network batch label"]) -> Float[Tensor, "network batch *outcome"]:
        if self.shape.kind == "beta":
            return two_outcomes(logits.sigmoid())
        return logits.softmax(-1).clamp(min=torch.finfo(logits.dtype).tiny)
