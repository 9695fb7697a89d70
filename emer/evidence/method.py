"""What every way of reading emotion from features has in common, so that all are trained and scored by one loop.

A method is a network with a loss of its own. It is told what goes in and what comes out (`Shape`), learns the means
and spreads of its inputs, gives a loss per batch, and speaks: one distribution per view and one fused.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from emer.evidence.heads import ViewInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What goes into a method and what comes out."""

    label_set: str
    labels: tuple[str, ...]
    features: dict[str, tuple[str, ...]]
    """View to the names of its features, in the order of the columns."""
    versions: dict[str, str] = field(default_factory=dict)
    """View to the version of the extractor that measured them, where it is known."""
    kind: Literal["dirichlet", "beta"] = "dirichlet"
    """beta: labels hold or not, each by itself."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Training clips: `target` is one-hot, shares of votes, or 0 and 1 per label for kind beta."""

    inputs: Mapping[str, ViewInput]
    target: Float[Tensor, "batch label"]
    place: Int[Tensor, "batch"]
    """Where each clip stands in the training rows: the same clip has the same place in every epoch."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a method says of clips. Every alpha is above 0; its share of the sum is the probability.

    For kind beta the outcomes are "label 2" (holds, does not), else "label".
    """

    views: tuple[str, ...]
    """Views that speak for themselves, the joint one last; () where the method knows only the whole."""
    alpha: Float[Tensor, "view batch *outcome"]
    present: Bool[Tensor, "view batch"]
    """Where False, the view's alpha says nothing."""
    fused: Float[Tensor, "batch *outcome"]
    prior: Float[Tensor, "*outcome"] | None
    """`W a`, alpha without evidence; None for methods whose alpha is a probability, with no evidence behind it."""


class Method(nn.Module):
    """A network that learns from feature tables. Subclasses name their `Options`, a frozen dataclass with defaults."""

    Options: ClassVar[type[Any]]

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape

    @abstractmethod
    def fit_inputs(self, rows: Mapping[str, ViewInput]) -> None:
        """Take means and spreads from training rows, before training. Raises OpinionError for features not finite."""

    def begin_epoch(self, rows: Batch, epoch: int) -> None:
        """Called before each epoch (counted from 0) with all training rows: prototypes and pseudo-labels go here."""

    @abstractmethod
    def loss(self, batch: Batch, epoch: int, generator: torch.Generator) -> Float[Tensor, ""]:
        """The mean loss of a batch; whatever is random is drawn from `generator`."""

    def finish(self, validation: Batch) -> None:
        """Called once after training, with the weights of the best epoch: what is fitted on validation goes here."""

    @abstractmethod
    def speak(self, inputs: Mapping[str, ViewInput], present: Bool[Tensor, "view batch"] | None = None) -> Spoken:
        """Opinions about clips. `present`, in the order of `shape.features`, takes views out clip by clip."""


def seen(
    inputs: Mapping[str, ViewInput], views: tuple[str, ...], present: Bool[Tensor, "view batch"] | None
) -> Bool[Tensor, "view batch"]:
    """Which views a clip has: something of it was measured, and it was not taken out."""
    measured = torch.stack([inputs[view].mask.any(1) for view in views])
    return measured if present is None else measured & present


def two_outcomes(probability: Float[Tensor, "*batch label"]) -> Float[Tensor, "*batch label two=2"]:
    """Probability of each label as (holds, does not), kept off 0 so that its logarithm is finite."""
    tiny = torch.finfo(probability.dtype).eps
    held = probability.clamp(tiny, 1 - tiny)
    return torch.stack([held, 1 - held], dim=-1)
