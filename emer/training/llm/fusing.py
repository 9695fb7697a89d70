"""How much the verdict and the heads of single views count when they are fused, fitted on validation clips.

    p ~ W a prod_v (1 + e_v / (W a))^r_v        the rule `log_linear` of `emer.evidence.fusion`

An average of evidence would leave the word to whoever has the most of it: heads that saw their clips a hundred times
bring thousands, a language model tens. In a product of likelihoods a view's weight is what it is worth beside others.

The heads are the adapter's own, else those of emer-weights where they are installed and speak in the verdict's form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from emer.adapters.record import FusionRecord
from emer.engines.verdicts import fusable
from emer.evidence.evidential import fit_log_linear
from emer.evidence.head_opinions import opinions_of
from emer.evidence.opinion import evidence
from emer.evidence.trained import hear
from emer.evidence.verdict import opinions, prior
from emer.evidence.weights import INSTALLED, Weights, find_weights
from emer.training.llm.example import Example
from emer.training.llm.joint_model import JointModel
from emer.types import VERDICT, Features, Opinion

RULE = "log_linear"
LEAST = 20
"""Clips on which heads spoke, below which weights are chance and the average stays."""


@dataclass(frozen=True, slots=True)
class Said:
    """What verdict and heads say of one clip, and what people said."""

    opinions: Mapping[str, Opinion]
    """Those that can be fused, the verdict among them."""
    target: Float[np.ndarray, "label"]


def fitted_fusion(
    joint: JointModel, examples: Sequence[Example], logits: Mapping[str, Sequence[float]]
) -> FusionRecord:
    """The weights of verdict and heads on these clips; `logits` are the verdict's, by the id of the clip.

    The average, where there are no heads to fuse with or too few clips on which they speak.
    """
    if joint.head is None:
        return FusionRecord()
    weights = None if joint.views is not None else find_weights(INSTALLED)
    if joint.views is None and weights is None:
        return FusionRecord()
    there = [example for example in examples if example.id in logits and example.target is not None]
    raw = torch.tensor([logits[example.id] for example in there]).reshape(len(there), joint.head.spec.rows)
    said = [
        Said(fusable({**_heads_say(joint, weights, example.request.clues.features), VERDICT: verdict})[0], target)
        for example, verdict in zip(there, opinions(raw, joint.head.spec), strict=True)
        if (target := example.target) is not None
    ]
    whose = "heads of its own" if weights is None else f"the heads of {weights.name}"
    return weighed(said, prior(joint.head.spec, raw[:0]).double().numpy(), whose)


def _heads_say(joint: JointModel, weights: Weights | None, features: Mapping[str, Features]) -> dict[str, Opinion]:
    """Their opinions, where something was measured and the clip is like those that they know."""
    if joint.views is not None:
        said = opinions_of(joint.views.eval(), features)
    else:
        assert weights is not None
        said = dict(hear(weights, features, None).opinions)
    return {view: opinion for view, opinion in said.items() if opinion.present}


def weighed(said: Sequence[Said], prior: Float[np.ndarray, "*outcome"], whose: str) -> FusionRecord:
    """Weights of least negative log-likelihood over the clips on which a head speaks beside the verdict."""
    several = [one for one in said if len(one.opinions) > 1]
    if len(several) < LEAST:
        return FusionRecord()
    views = sorted({view for one in several for view in one.opinions})
    silent = np.zeros(prior.shape)
    given = np.array(
        [[evidence(one.opinions[view]) if view in one.opinions else silent for one in several] for view in views]
    )
    target = np.array([one.target for one in several], dtype=float)
    wanted = target if prior.ndim == 1 else np.stack([target, 1 - target], axis=-1)
    found = fit_log_linear(given, wanted, prior)
    fitted = f"{whose}, n = {len(several)} validation clips"
    return FusionRecord(rule=RULE, reliabilities=dict(zip(views, found.tolist(), strict=True)), fitted=fitted)
