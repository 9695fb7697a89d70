"""LDDU: what a clip says of a label as a distribution, whose mean and spread are both read and fused.

Per view and label a vector (`emer.evidence.label_attention`), from it the mean mu and spread sigma of a Gaussian in
an emotion space; nothing is drawn from it. A contrastive loss sorts that space by view, label, and whether the label
holds. Per label three heads: s from the label's vectors of all views, p_mu from its means, p_sigma from its spreads:

    p = s p_mu + (1 - s) p_sigma
    loss = BCE(p) + 0.3 BCE(s) + 1.0 contrastive([mu/|mu|; sigma/|sigma|]) + 0.3 ordinality(|sigma|, s)

Source: Huang et al. 2025, "Latent distribution decoupling: a probabilistic framework for uncertainty-aware multimodal
emotion recognition" (arXiv 2502.13954); ordinality after COLD fusion (Tellamekala et al. 2022). Departures: sizes are
smaller, a label's query is added to what it attends to, a missing view is zeros in all heads, and all heads are the
label's own. The paper's epoch and threshold were chosen on the test part; nothing here looks at it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from emer.errors import ConfigError
from emer.evidence.contrastive import Queue, supervised_contrastive
from emer.evidence.heads import ViewInput, view_dropout
from emer.evidence.label_attention import LabelAttention, StepEmbedding, Steps, VectorTokens
from emer.evidence.method import Batch, Method, Shape, Spoken, seen, two_outcomes

HOLDS = 0.5
"""Share of votes from which the contrastive loss takes a label to hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LdduOptions:
    """Sizes and weights. Raises ConfigError that lists every mistake."""

    width: int = 32
    """Size of a step, of a label's vector, and of mu and sigma; even."""
    layers: int = 1
    """Transformer layers per view. The paper: 3."""
    heads: int = 4
    """Attention heads; they divide the width."""
    tokens: int = 8
    """Most steps that a vector of features becomes: one a feature, or so many readings of a longer vector."""
    dropout: float = 0.2
    view_dropout: float = 0.0
    """How often a view is left out of a training clip; one always stays."""
    queue: int = 1024
    """Earlier vectors (one per view and label of a clip) that the contrastive loss compares with. The paper: 8,192."""
    temperature: float = 0.07
    common: float = 0.3
    """Weight of BCE(s)."""
    contrastive: float = 1.0
    ordinality: float = 0.3

    def __post_init__(self) -> None:
        if mistakes := list(_mistakes(self)):
            raise ConfigError("lddu: " + "; ".join(mistakes))


def _mistakes(options: LdduOptions) -> Iterator[str]:
    for name in ("width", "heads", "tokens"):
        if getattr(options, name) < 1:
            yield f"{name} {getattr(options, name)} must be at least 1"
    if options.heads > 0 and (options.width % options.heads or options.width % 2):
        yield f"width {options.width} must be even and a multiple of heads {options.heads}"
    for name in ("layers", "queue", "common", "contrastive", "ordinality"):
        if not getattr(options, name) >= 0:
            yield f"{name} {getattr(options, name)} must be at least 0"
    if not options.temperature > 0:
        yield f"temperature {options.temperature:g} must be above 0"
    for name in ("dropout", "view_dropout"):
        if not 0 <= getattr(options, name) < 1:
            yield f"{name} {getattr(options, name):g} must lie from 0 to below 1"


# ---------------------------------------------------------------- what is read from a batch


@dataclass(frozen=True, slots=True)
class Reading:
    """Distributions in the emotion space and the three probabilities of each label."""

    mean: Float[Tensor, "view batch label width"]
    spread: Float[Tensor, "view batch label width"]
    """Standard deviations, above 0; mean and spread are 0 where the view is missing."""
    present: Bool[Tensor, "view batch"]
    common: Float[Tensor, "batch label"]
    """s: the probability read from the label's vectors, and the weight of p_mu."""
    by_mean: Float[Tensor, "batch label"]
    by_spread: Float[Tensor, "batch label"]

    @property
    def fused(self) -> Float[Tensor, "batch label"]:
        """p per label; one half for a clip without any view."""
        p = fuse(self.common, self.by_mean, self.by_spread)
        return torch.where(self.present.any(0)[:, None], p, 0.5)


def fuse(
    common: Float[Tensor, "*batch"], by_mean: Float[Tensor, "*batch"], by_spread: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    """`s p_mu + (1 - s) p_sigma` (Huang et al. 2025, section 3.4).

    >>> round(fuse(torch.tensor(0.75), torch.tensor(0.8), torch.tensor(0.4)).item(), 4)
    0.7
    """
    return common * by_mean + (1 - common) * by_spread


class LatentReader(nn.Module):
    """The network of LDDU behind the embeddings: steps of `width` per view in, distributions and probabilities out."""

    def __init__(self, views: tuple[str, ...], labels: int, options: LdduOptions) -> None:
        super().__init__()
        self.views, width = views, options.width
        self.queries = nn.Parameter(torch.randn(labels, width))
        self.attention = nn.ModuleDict(
            {view: LabelAttention(width, options.layers, options.heads, options.dropout) for view in views}
        )
        self.latent = nn.ModuleDict(
            {view: nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 2 * width)) for view in views}
        )
        heads = (LabelHeads(labels, len(views) * width, width, options.dropout) for _ in range(3))
        self.common, self.by_mean, self.by_spread = heads

    def forward(self, steps: Mapping[str, Steps], present: Bool[Tensor, "view batch"]) -> Reading:
        here = present[..., None, None]
        vectors = torch.stack([self.attention[view](steps[view], self.queries) for view in self.views])
        coded = torch.stack([self.latent[view](vectors[i]) for i, view in enumerate(self.views)])
        mean, log_variance = coded.chunk(2, dim=-1)
        mean, spread = mean * here, (log_variance / 2).exp() * here
        heads = ((self.common, vectors * here), (self.by_mean, mean), (self.by_spread, spread))
        probabilities = [head(_side_by_side(features)).sigmoid() for head, features in heads]
        return Reading(mean, spread, present, *probabilities)


class LabelHeads(nn.Module):
    """For each label a network of its own from its features to one logit."""

    def __init__(self, labels: int, inputs: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Parameter((torch.rand(labels, inputs, hidden) * 2 - 1) / inputs**0.5)
        self.second = nn.Parameter((torch.rand(labels, hidden) * 2 - 1) / hidden**0.5)
        self.first_bias = nn.Parameter(torch.zeros(labels, hidden))
        self.second_bias = nn.Parameter(torch.zeros(labels))
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Float[Tensor, "batch label feature"]) -> Float[Tensor, "batch label"]:
        hidden = torch.einsum("blf,lfh->blh", features, self.first) + self.first_bias
        logits: Tensor = (self.dropout(functional.gelu(hidden)) * self.second).sum(-1) + self.second_bias
        return logits


def _side_by_side(features: Float[Tensor, "view batch label width"]) -> Float[Tensor, "batch label views_width"]:
    return features.permute(1, 2, 0, 3).flatten(2)


# ---------------------------------------------------------------- losses


def objective(
    reading: Reading, target: Float[Tensor, "batch label"], queue: Queue, options: LdduOptions
) -> Float[Tensor, ""]:
    """The whole loss of a batch; its vectors then enter the queue. `target` in [0, 1], a share of votes or 0 and 1."""
    vectors, classes = contrasted(reading, target)
    contrast = supervised_contrastive(vectors, classes, *queue.content(), options.temperature)
    queue.push(vectors, classes)
    return (
        functional.binary_cross_entropy(reading.fused, target)
        + options.common * functional.binary_cross_entropy(reading.common, target)
        + options.contrastive * contrast
        + options.ordinality * ordinality(_side_by_side(reading.spread).norm(dim=-1), reading.common)
    )


def contrasted(
    reading: Reading, target: Float[Tensor, "batch label"]
) -> tuple[Float[Tensor, "vector two_width"], Int[Tensor, "vector"]]:
    """`[mu/|mu|; sigma/|sigma|] / sqrt 2` of each present view and label, and its class: view, label, holds or not."""
    unit = [functional.normalize(part, dim=-1) for part in (reading.mean, reading.spread)]
    vectors = torch.cat(unit, dim=-1) / 2**0.5
    views, _, labels, _ = vectors.shape
    holds = (target >= HOLDS).long().expand(views, -1, -1)
    pair = torch.arange(views * labels, device=target.device).reshape(views, 1, labels)
    classes = 2 * pair + holds
    return vectors[reading.present].flatten(0, 1), classes[reading.present].flatten()


def ordinality(size: Float[Tensor, "batch label"], common: Float[Tensor, "batch label"]) -> Float[Tensor, ""]:
    """Half the symmetric KL divergence of two softmaxes over the batch, of |sigma| and of s; mean over labels.

    Clips stand in one order by both (Huang et al. 2025, section 3.4; Tellamekala et al. 2022).
    """
    log_p, log_q = size.log_softmax(0), common.log_softmax(0)
    return ((log_p.exp() - log_q.exp()) * (log_p - log_q)).sum(0).mean() / 2


# ---------------------------------------------------------------- on sequences and on vectors


class SequenceLddu(nn.Module):
    """LDDU on clips over time. `features` maps each view to the names of a step's features."""

    def __init__(self, features: Mapping[str, tuple[str, ...]], labels: int, options: LdduOptions) -> None:
        super().__init__()
        self.options = options
        self.embed = nn.ModuleDict({view: StepEmbedding(names, options.width) for view, names in features.items()})
        self.reader = LatentReader(tuple(features), labels, options)
        self.queue = Queue(options.queue, 2 * options.width)

    def fit_inputs(self, clips: Mapping[str, Steps]) -> None:
        """Take means and spreads from training clips. Raises OpinionError for values that are not finite."""
        for view, embed in self.embed.items():
            assert isinstance(embed, StepEmbedding)
            embed.fit(clips[view])

    def forward(self, clips: Mapping[str, Steps]) -> Reading:
        """Distributions and probabilities; a view without any unmasked step is missing. `fused` is the answer."""
        present = torch.stack([clips[view].mask.any(1) for view in self.embed])
        reading: Reading = self.reader({view: embed(clips[view]) for view, embed in self.embed.items()}, present)
        return reading

    def loss(self, clips: Mapping[str, Steps], target: Float[Tensor, "batch label"]) -> Float[Tensor, ""]:
        return objective(self(clips), target, self.queue, self.options)


class Lddu(Method):
    """LDDU on feature tables. It speaks as a whole only: s, p_mu and p_sigma are read from all views together."""

    Options = LdduOptions

    def __init__(self, shape: Shape, options: LdduOptions) -> None:
        super().__init__(shape)
        self.options = options
        self.embed = nn.ModuleDict(
            {view: VectorTokens(names, options.width, options.tokens) for view, names in shape.features.items()}
        )
        self.reader = LatentReader(tuple(shape.features), len(shape.labels), options)
        self.queue = Queue(options.queue, 2 * options.width)

    def fit_inputs(self, rows: Mapping[str, ViewInput]) -> None:
        for view, embed in self.embed.items():
            assert isinstance(embed, VectorTokens)
            embed.fit(rows[view])

    def begin_epoch(self, rows: Batch, epoch: int) -> None:
        """A training starts with an empty queue."""
        if epoch == 0:
            self.queue.clear()

    def loss(self, batch: Batch, epoch: int, generator: torch.Generator) -> Float[Tensor, ""]:
        present = seen(batch.inputs, self.reader.views, None)
        if self.options.view_dropout > 0:
            present = view_dropout(present, self.options.view_dropout, generator)
        return objective(self.read(batch.inputs, present), batch.target, self.queue, self.options)

    def read(self, inputs: Mapping[str, ViewInput], present: Bool[Tensor, "view batch"]) -> Reading:
        """Distributions and probabilities from the views that are `present`, in the order of `shape.features`."""
        reading: Reading = self.reader({view: embed(inputs[view]) for view, embed in self.embed.items()}, present)
        return reading

    def speak(self, inputs: Mapping[str, ViewInput], present: Bool[Tensor, "view batch"] | None = None) -> Spoken:
        here = seen(inputs, self.reader.views, present)
        outcomes = two_outcomes(self.read(inputs, here).fused)
        if self.shape.kind == "dirichlet":
            held = outcomes[..., 0]
            outcomes = held / held.sum(-1, keepdim=True)
        return Spoken((), outcomes[None][:0], here[:0], outcomes, None)
