"""Evidential heads on the measured features of single views, trained beside the verdict and fused with it.

They are the heads of `emer.evidence.heads` over the verdict's own label set, prior and form, so that their opinions can
be fused with it. They travel in the adapter's folder (`heads.safetensors`).

Sources: the sum of all views' losses and of the fused one, Han et al. 2021 (TMC); averaging evidence, Xu et al. 2024.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from emer.errors import ConfigError
from emer.evidence.head_files import HeadRecord, TrainedHeads
from emer.evidence.heads import HeadSpec, MultiViewHeads, ViewInput
from emer.evidence.losses import two_sided
from emer.evidence.tensor_fusion import TensorViews, fuse_tensors
from emer.evidence.verdict import evidence
from emer.evidence.verdict_spec import VerdictSpec
from emer.evidence.view_losses import Objective, opinion_loss
from emer.training.llm.example import Example, JointBatch

RULE = "weighted"
"""Without reliabilities: the average over the views that a clip has, the verdict among them."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names and extractor version of one view's features, in the order of `JointBatch.features`."""

    names: tuple[str, ...]
    version: str


def columns_of(examples: Sequence[Example], views: Sequence[str]) -> dict[str, Columns]:
    """The features that these clips have in each view. Raises ConfigError for a view that no clip has."""
    found: dict[str, Columns] = {}
    for view in views:
        of_view = (example.request.clues.features.get(view) for example in examples)
        first = next((features for features in of_view if features is not None), None)
        if first is None:
            raise ConfigError(f"no training clip has features of the view {view}; leave it out of views")
        found[view] = Columns(first.names, first.version)
    return found


def make_view_heads(
    spec: VerdictSpec, columns: Mapping[str, Columns], examples: Sequence[Example], seed: int
) -> MultiViewHeads:
    """A head a view, first weights by the seed, inputs standardised over these clips.

    Raises ConfigError for features of another version among the clips.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        heads = MultiViewHeads(
            HeadSpec(
                label_set=spec.label_set,
                labels=spec.labels,
                features={view: each.names for view, each in columns.items()},
                versions={view: each.version for view, each in columns.items()},
                kind=spec.kind,
                activation=spec.activation,
                prior_weight=spec.weight,
                base_rate=spec.rates,
            )
        )
    heads.fit_standardisation({view: _rows(examples, view, each) for view, each in columns.items()})
    return heads


def view_losses(
    heads: MultiViewHeads | None,
    joint: JointBatch,
    verdict_logits: Float[Tensor, "batch row"],
    spec: VerdictSpec,
    objective: Objective,
    epoch: int = 0,
) -> tuple[Float[Tensor, "view"], Float[Tensor, ""]]:
    """Losses summed over the clips whose label is known: of each view where it was measured, and of the fused opinion.

    Without heads: none, and 0.
    """
    if heads is None:
        return verdict_logits.new_zeros(0), verdict_logits.new_zeros(())
    spoken = heads({view: ViewInput(joint.features[view], joint.measured[view]) for view in heads.spec.views})
    target = (joint.target if spec.kind == "dirichlet" else two_sided(joint.target)).float()
    losses = []
    for alpha, present in zip(heads.alpha(spoken.evidence), spoken.present, strict=True):
        loss = opinion_loss(alpha, target, heads.prior, objective, epoch)
        losses.append(torch.where(present & joint.known, loss, torch.zeros_like(loss)).sum())
    everyone = torch.cat([spoken.evidence, evidence(verdict_logits.float(), spec)[None]])
    there = torch.cat([spoken.present, torch.ones_like(spoken.present[:1])])
    alpha = heads.alpha(fuse_tensors(TensorViews(everyone, there, heads.prior), RULE))
    fused = opinion_loss(alpha, target, heads.prior, objective, epoch)
    return torch.stack(losses), torch.where(joint.known, fused, torch.zeros_like(fused)).sum()


def as_trained(heads: MultiViewHeads, data: str, trained_rows: tuple[str, ...], licence: str) -> TrainedHeads:
    """The heads as an adapter's folder takes them."""
    record = HeadRecord(spec=heads.spec, data=data, trained_rows=trained_rows, licence=licence, fusion=RULE)
    return TrainedHeads(heads, record)


def _rows(examples: Sequence[Example], view: str, columns: Columns) -> ViewInput:
    """The view's numbers of all clips; masked where a clip has none."""
    values = np.zeros((len(examples), len(columns.names)), np.float32)
    mask = np.zeros(values.shape, bool)
    for i, example in enumerate(examples):
        features = example.request.clues.features.get(view)
        if features is None:
            continue
        if (features.names, features.version) != (columns.names, columns.version):
            raise ConfigError(
                f"{example.id} has {view} features of version {features.version}, other clips of {columns.version}; "
                "measure all of them with one emer"
            )
        values[i], mask[i] = features.values, features.mask
    return ViewInput(torch.from_numpy(values), torch.from_numpy(mask))
