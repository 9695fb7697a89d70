"""TiCAL, derived: views embedded in hyperbolic space, clips on which the views agree learned first.

Derived from the abstract of Yin et al. 2025, "TiCAL: typicality-based consistency-aware learning for multimodal
emotion recognition" (arXiv:2511.15085). The abstract names the parts; every formula here is this project's own, so
results must be called `tical_derived` and say nothing certain about the authors' system.

    h_m = exp_0(v_m)           embedding of view m in the Poincaré ball
    p_m, p                     probabilities from one view, and from all views together
    y_m, q_m, t_m, kappa       pseudo-label, soft label, typicality, consistency (`emer.evidence.pseudo_labels`)
    loss = sum_i w(kappa_i) CE(y_i, p_i) + lambda sum_m CE(y_m, p_m)

Three stages: first all views learn the clip's own label; then prototypes give each view its pseudo-labels and clips
count by their consistency; their weights become even step by step until, last, all clips count alike.

For kind beta every label is read by itself, present or absent: it has its prototypes, pseudo-labels, consistency and
cross-entropy, and the losses of the labels are summed.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from emer.errors import ConfigError
from emer.evidence import poincare
from emer.evidence.heads import ViewInput, view_dropout
from emer.evidence.method import Batch, Method, Shape, Spoken, seen
from emer.evidence.pseudo_labels import Readings, anchors, consistency, prototypes, read, weights
from emer.evidence.view_networks import Layers, ViewEncoders, cross_entropy, grouped, groups, log_probability, said


@dataclass(frozen=True, slots=True, kw_only=True)
class TicalOptions:
    """Raises ConfigError that lists every mistake."""

    hidden: tuple[int, ...] = ()
    """Hidden layers of each view's encoder; () makes it linear."""
    width: int = 16
    """Coordinates of an embedding."""
    fusion_hidden: tuple[int, ...] = (32,)
    """Hidden layers on all embeddings together."""
    dropout: float = 0.5
    """Share of hidden units left out in training."""
    view_dropout: float = 0.0
    """How often a view is left out of a training clip; one always stays."""
    curvature: float = 1.0
    """c: the ball has the radius 1/sqrt(c)."""
    reach: float = 3.0
    """Tangent vectors stay shorter than this, in units of 1/sqrt(c): at 3, embeddings keep within .995 of the radius,
    where distances still have a useful gradient."""
    temperature: float = 1.0
    """t of the soft labels."""
    scale: float = 1.0
    """s of the typicality: the distance over which it falls to 1/e."""
    anchors: float = 0.5
    """Share of a view's right clips, surest first, whose mean is the prototype."""
    warm_up: int = 2
    """Epochs of the first stage."""
    even_from: int = 15
    """Epoch from which all clips count alike."""
    pseudo_weight: float = 0.3
    """lambda: weight of the views' own losses."""

    def __post_init__(self) -> None:
        if mistakes := list(_mistakes(self)):
            raise ConfigError("tical: " + "; ".join(mistakes))


def _mistakes(options: TicalOptions) -> Iterator[str]:
    if any(size < 1 for size in (*options.hidden, *options.fusion_hidden, options.width)):
        yield "hidden, fusion_hidden and width must be sizes above 0"
    for name in ("dropout", "view_dropout"):
        if not 0 <= getattr(options, name) < 1:
            yield f"{name} {getattr(options, name):g} must lie from 0 to below 1"
    for name in ("curvature", "reach", "temperature", "scale"):
        if not 0 < getattr(options, name) < math.inf:
            yield f"{name} {getattr(options, name):g} must be a number above 0"
    if not 0 < options.anchors <= 1:
        yield f"anchors {options.anchors:g} must lie above 0 and up to 1"
    if not 0 <= options.warm_up <= options.even_from:
        yield f"warm_up {options.warm_up} must lie from 0 to even_from {options.even_from}"
    if not 0 <= options.pseudo_weight < math.inf:
        yield f"pseudo_weight {options.pseudo_weight:g} must be a number from 0 up"


def evenness(epoch: int, warm_up: int, even_from: int) -> float:
    """How far the weights have moved from consistency (0) to all alike (1); in the warm-up all are alike too.

    >>> [evenness(epoch, 2, 6) for epoch in (0, 2, 4, 6, 99)]
    [1.0, 0.0, 0.5, 1.0, 1.0]
    """
    if epoch < warm_up or epoch >= even_from:
        return 1.0
    return (epoch - warm_up) / (even_from - warm_up)


@dataclass(frozen=True, slots=True)
class _Answer:
    """Log-probabilities of one batch."""

    points: Float[Tensor, "view batch width"]
    views: Float[Tensor, "view batch group outcome"]
    fused: Float[Tensor, "batch group outcome"]


class Tical(Method):
    """Heads on hyperbolic embeddings, trained with pseudo unimodal labels and weights by consistency (see above)."""

    Options = TicalOptions
    means: Tensor
    """Prototypes: "view group outcome width"."""
    known: Tensor
    """Which prototypes there are: "view group outcome"."""

    def __init__(self, shape: Shape, options: TicalOptions) -> None:
        super().__init__(shape)
        self.options = options
        many, outcomes = groups(shape)
        views, ends = len(shape.features), many * outcomes
        self.encoders = ViewEncoders(shape, options.hidden, options.width, options.dropout)
        self.heads = nn.ModuleList(nn.Linear(options.width, ends) for _ in range(views))
        self.fusion = Layers(views * (options.width + 1), options.fusion_hidden, ends, options.dropout)
        self.register_buffer("means", torch.zeros(views, many, outcomes, options.width))
        self.register_buffer("known", torch.zeros(views, many, outcomes, dtype=torch.bool))
        self._pseudo: Tensor | None = None
        self._weight: Tensor | None = None

    def fit_inputs(self, rows: Mapping[str, ViewInput]) -> None:
        self.encoders.fit(rows)

    @torch.no_grad()
    def begin_epoch(self, rows: Batch, epoch: int) -> None:
        """After the warm-up: new prototypes, and with them the pseudo-labels and weights of all training clips."""
        self._pseudo = self._weight = None
        if epoch < self.options.warm_up:
            return
        here = seen(rows.inputs, self.encoders.views, None)
        answer = self._answer(rows.inputs, here)
        target = grouped(rows.target, self.shape.kind)
        standing = anchors(answer.views.exp(), target, here, self.options.anchors)
        means, known = prototypes(answer.points, standing, self.options.curvature)
        self.means.copy_(means)
        self.known.copy_(known)
        readings = self._read(answer)
        kappa = consistency(readings.soft, readings.typicality, here)
        even = evenness(epoch, self.options.warm_up, self.options.even_from)
        self._keep(rows.place, readings.label, weights(kappa, even))

    def readings(self, inputs: Mapping[str, ViewInput]) -> Readings:
        """What each view by itself calls each clip, by the prototypes of the last epoch that had any."""
        return self._read(self._answer(inputs, seen(inputs, self.encoders.views, None)))

    def _read(self, answer: _Answer) -> Readings:
        options = self.options
        return read(
            answer.points,
            self.means,
            self.known,
            c=options.curvature,
            temperature=options.temperature,
            scale=options.scale,
        )

    def _keep(self, place: Tensor, label: Tensor, weight: Tensor) -> None:
        """Remember what belongs to each training clip by its place, for this epoch only."""
        size = int(place.max()) + 1
        self._pseudo = label.new_zeros(label.shape[0], size, *label.shape[2:]).index_copy(1, place, label)
        self._weight = weight.new_ones(size, *weight.shape[1:]).index_copy(0, place, weight)

    def loss(self, batch: Batch, epoch: int, generator: torch.Generator) -> Float[Tensor, ""]:
        """The loss above. Without `begin_epoch` before it, the views' label is the clip's and all clips count alike."""
        here = seen(batch.inputs, self.encoders.views, None)
        if self.options.view_dropout > 0:
            here = view_dropout(here, self.options.view_dropout, generator)
        answer = self._answer(batch.inputs, here, generator)
        target = grouped(batch.target, self.shape.kind)
        own = target.expand_as(answer.views) if self._pseudo is None else self._pseudo[:, batch.place]
        whole = cross_entropy(target, answer.fused)
        if self._weight is not None:
            whole = whole * self._weight[batch.place]
        each = cross_entropy(own, answer.views) * here[..., None]
        return (whole + self.options.pseudo_weight * each.sum(0)).sum(-1).mean()

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
        c = self.options.curvature
        points = poincare.exp0(drawn_in(self.encoders(inputs, generator), self.options.reach / math.sqrt(c)), c)
        tangent = poincare.log0(points, c) * here[..., None]
        each = torch.stack([head(vector) for head, vector in zip(self.heads, tangent, strict=True)])
        together = torch.cat([*tangent, here.T.to(tangent.dtype)], dim=1)
        whole = self.fusion(together, generator)
        return _Answer(points, log_probability(each, self.shape), log_probability(whole, self.shape))


def drawn_in(v: Float[Tensor, "*points width"], reach: float) -> Float[Tensor, "*points width"]:
    """Vectors shortened to less than `reach`, in their order: length n becomes n / (1 + n / reach).

    A plain cut (Guo et al. 2022) would give all long vectors one length, and a clip's length is its sureness.
    """
    norm = v.square().sum(-1, keepdim=True).clamp(min=poincare.SMALLEST**2).sqrt()
    return v / (1 + norm / reach)
