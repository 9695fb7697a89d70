"""CMC, derived: each view an expert with pseudo-labels of its own, a router that picks the experts of a clip.

After Zhong et al. 2025, "Calibrating multimodal consensus for emotion recognition" (arXiv:2510.20256). From the paper:
vectors of unit length, pseudo unimodal labels that start at the clip's label and move with momentum, pretraining of
the views before all learn together, fusion without parameters by similarity, a router that keeps the top k experts.
Derived here: networks for one vector a view instead of sequences, the rule by which pseudo-labels move, the weight of
the views' losses; the paper's contrastive loss is left out. Results must be called derived.

    h_m                                              vector of view m, of length 1
    x_m = sum_n softmax_n(h_m . h_n / t) h_n         fusion without parameters, over the views that are there
    g = softmax(top_k(router(sum_m x_m)))            gates, 0 for all but k experts
    p = softmax(sum_m g_m E_m(x_m))                  p_m = softmax(E_m(h_m)), what is said when only view m is there
    y_m <- mu y_m + (1 - mu) (a p_m + (1 - a) y)     once an epoch (with mu = 0: bootstrapping, Reed et al. 2015)
    loss = [CE(y, p) after pretraining] + lambda sum_m CE(y_m, p_m)

For kind beta every label is read by itself, present or absent, with a cross-entropy and pseudo-labels of its own;
gates are shared by the labels, and the losses of the labels are summed.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from emer.errors import ConfigError
from emer.evidence.heads import ViewInput, view_dropout
from emer.evidence.method import Batch, Method, Shape, Spoken, seen
from emer.evidence.view_networks import ViewEncoders, cross_entropy, dropped, grouped, groups, log_probability, said


@dataclass(frozen=True, slots=True, kw_only=True)
class CmcOptions:
    """Raises ConfigError that lists every mistake."""

    hidden: tuple[int, ...] = ()
    """Hidden layers of each view's encoder; () makes it linear."""
    width: int = 32
    """Length of a view's vector."""
    dropout: float = 0.5
    """Share of hidden units left out in training."""
    view_dropout: float = 0.0
    """How often a view is left out of a training clip; one always stays."""
    temperature: float = 0.5
    """t of the fusion: small keeps views apart, large takes their mean."""
    top_k: int = 2
    """Experts that are heard for a clip, or all its views where it has fewer. With 1 the router does not learn."""
    momentum: float = 0.9
    """mu: how slowly pseudo-labels move."""
    belief: float = 0.5
    """a: how far a view's own probability replaces the clip's label."""
    pretrain: int = 2
    """Epochs in which the views learn alone."""
    pseudo_weight: float = 0.3
    """lambda: weight of the views' own losses."""

    def __post_init__(self) -> None:
        if mistakes := list(_mistakes(self)):
            raise ConfigError("cmc: " + "; ".join(mistakes))


def _mistakes(options: CmcOptions) -> Iterator[str]:
    if any(size < 1 for size in (*options.hidden, options.width, options.top_k)):
        yield "hidden, width and top_k must be above 0"
    for name in ("dropout", "view_dropout", "momentum"):
        if not 0 <= getattr(options, name) < 1:
            yield f"{name} {getattr(options, name):g} must lie from 0 to below 1"
    if not 0 <= options.belief <= 1:
        yield f"belief {options.belief:g} must lie from 0 to 1"
    if not 0 < options.temperature < math.inf:
        yield f"temperature {options.temperature:g} must be a number above 0"
    if options.pretrain < 0:
        yield f"pretrain {options.pretrain} must be from 0 up"
    if not 0 < options.pseudo_weight < math.inf:
        yield f"pseudo_weight {options.pseudo_weight:g} must be a number above 0"


# ---------------------------------------------------------------- parts without parameters


def moved(
    label: Float[Tensor, "view batch group outcome"],
    own: Float[Tensor, "view batch group outcome"],
    target: Float[Tensor, "batch group outcome"],
    momentum: float,
    belief: float,
) -> Float[Tensor, "view batch group outcome"]:
    """Pseudo-labels one step on: `mu y_m + (1 - mu) (a p_m + (1 - a) y)`."""
    return momentum * label + (1 - momentum) * (belief * own + (1 - belief) * target)


def agree(
    vectors: Float[Tensor, "view batch width"], present: Bool[Tensor, "view batch"], temperature: float
) -> Float[Tensor, "view batch width"]:
    """Every view's vector drawn towards those that it resembles (`x_m` above); 0 for views that are not there."""
    alike = torch.einsum("mbw,nbw->bmn", vectors, vectors) / temperature
    # A large negative number instead of -inf: a clip without any view has even weights, and gets 0 below.
    share = alike.masked_fill(~present.T[:, None, :], torch.finfo(alike.dtype).min).softmax(-1)
    return torch.einsum("bmn,nbw->mbw", share, vectors) * present[..., None]


def gates(
    logits: Float[Tensor, "view batch"], present: Bool[Tensor, "view batch"], top_k: int
) -> Float[Tensor, "view batch"]:
    """Softmax over the `top_k` present views with the largest logits, 0 for the others; all 0 where none is there."""
    scores = logits.masked_fill(~present, torch.finfo(logits.dtype).min)
    chosen = scores.topk(min(top_k, len(scores)), dim=0).indices
    heard = torch.zeros_like(present).scatter(0, chosen, True) & present
    return scores.masked_fill(~heard, torch.finfo(logits.dtype).min).softmax(0) * heard


@dataclass(frozen=True, slots=True)
class _Answer:
    """Log-probabilities of one batch."""

    views: Float[Tensor, "view batch group outcome"]
    fused: Float[Tensor, "batch group outcome"]


class Cmc(Method):
    """A top-k mixture of one expert per view, on vectors that are fused without parameters (see above)."""

    Options = CmcOptions

    def __init__(self, shape: Shape, options: CmcOptions) -> None:
        super().__init__(shape)
        self.options = options
        many, outcomes = groups(shape)
        views, width = len(shape.features), options.width
        self.encoders = ViewEncoders(shape, options.hidden, width, options.dropout)
        self.router = nn.Linear(width, views)
        self.experts = nn.ModuleList(_Expert(width, many * outcomes, options.dropout) for _ in range(views))
        self.pseudo: Tensor | None = None
        """Pseudo-labels of the training clips, "view place group outcome"; not saved, as speaking needs none."""

    def fit_inputs(self, rows: Mapping[str, ViewInput]) -> None:
        self.encoders.fit(rows)
        self.pseudo = None

    @torch.no_grad()
    def begin_epoch(self, rows: Batch, epoch: int) -> None:
        """Move the pseudo-labels of all training clips; in the first epoch they are the clips' own labels."""
        target = grouped(rows.target, self.shape.kind)
        if epoch == 0 or self.pseudo is None:
            start = target.expand(len(self.experts), *target.shape)
            size = int(rows.place.max()) + 1
            self.pseudo = start.new_zeros(len(start), size, *start.shape[2:]).index_copy(1, rows.place, start)
            return
        here = seen(rows.inputs, self.encoders.views, None)
        own = self._answer(rows.inputs, here).views.exp()
        label = moved(self.pseudo[:, rows.place], own, target, self.options.momentum, self.options.belief)
        self.pseudo = self.pseudo.index_copy(1, rows.place, label)

    def loss(self, batch: Batch, epoch: int, generator: torch.Generator) -> Float[Tensor, ""]:
        """The loss above; without `begin_epoch` before it, each view's label is the clip's."""
        here = seen(batch.inputs, self.encoders.views, None)
        if self.options.view_dropout > 0:
            here = view_dropout(here, self.options.view_dropout, generator)
        answer = self._answer(batch.inputs, here, generator)
        target = grouped(batch.target, self.shape.kind)
        own = target.expand_as(answer.views) if self.pseudo is None else self.pseudo[:, batch.place]
        loss = self.options.pseudo_weight * (cross_entropy(own, answer.views) * here[..., None]).sum(0)
        if epoch >= self.options.pretrain:
            loss = loss + cross_entropy(target, answer.fused)
        return loss.sum(-1).mean()

    def speak(self, inputs: Mapping[str, ViewInput], present: Bool[Tensor, "view batch"] | None = None) -> Spoken:
        here = seen(inputs, self.encoders.views, present)
        answer = self._answer(inputs, here)
        return said(self.shape, answer.views, answer.fused, here)

    def _answer(
        self,
        inputs: Mapping[str, ViewInput],
        here: Bool[Tensor, "view batch"],
        generator: torch.Generator | None = None,
    ) -> _Answer:
        vectors = nn.functional.normalize(self.encoders(inputs, generator), dim=-1)
        fused = agree(vectors, here, self.options.temperature)
        gate = gates(self.router(fused.sum(0)).T, here, self.options.top_k)
        alone = self._heard(vectors, generator)
        together = (gate[..., None] * self._heard(fused, generator)).sum(0)
        return _Answer(log_probability(alone, self.shape), log_probability(together, self.shape))

    def _heard(
        self, vectors: Float[Tensor, "view batch width"], generator: torch.Generator | None
    ) -> Float[Tensor, "view batch end"]:
        return torch.stack([expert(x, generator) for expert, x in zip(self.experts, vectors, strict=True)])


class _Expert(nn.Module):
    """A hidden layer around which its input is led too, then a linear layer."""

    def __init__(self, width: int, ends: int, dropout: float) -> None:
        super().__init__()
        self.hidden, self.back, self.end = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, ends)
        self.dropout = dropout

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        within = self.back(dropped(nn.functional.gelu(self.hidden(x)), self.dropout, generator))
        return torch.as_tensor(self.end(x + within))
