"""From the features of one clip to the opinions of trained heads."""

from collections.abc import Mapping

import numpy as np
import torch

from emer.errors import ConfigError, OpinionError
from emer.evidence import opinion
from emer.evidence.heads import MultiViewHeads, ViewInput
from emer.types import Features, Opinion


def opinions_of(heads: MultiViewHeads, features: Mapping[str, Features]) -> dict[str, Opinion]:
    """One opinion per view of the heads, the joint one among them; vacuous where nothing of a view was measured.

    Views of `features` without a head are left out. The heads must not be in training (`heads.eval()`).
    Raises OpinionError for features that are NaN or infinite, ConfigError for features of another version, or
    without a name that the head needs.
    """
    if heads.training:
        raise ConfigError("heads in training drop views at random; call eval() before asking for opinions")
    with torch.inference_mode():
        spoken = heads({view: _input(heads, view, features.get(view)) for view in heads.spec.views})
    rows = zip(spoken.views, spoken.evidence, spoken.present, strict=True)
    return {view: _opinion(heads, evidence[0], bool(present[0])) for view, evidence, present in rows}


def opinion_of(heads: MultiViewHeads, features: Features) -> Opinion:
    """The trained opinion of one view; vacuous where nothing was measured. Raises as `opinions_of`, and ConfigError
    for a view without a head."""
    if features.view not in heads.spec.features:
        raise ConfigError(f"there is no head for the view {features.view!r}; these have {', '.join(heads.spec.views)}")
    return opinions_of(heads, {features.view: features})[features.view]


def _input(heads: MultiViewHeads, view: str, features: Features | None) -> ViewInput:
    names = heads.spec.features[view]
    device = heads.prior.device
    if features is None:
        return ViewInput(
            torch.zeros(1, len(names), device=device), torch.zeros(1, len(names), dtype=torch.bool, device=device)
        )
    _refuse_other(heads, view, features)
    place = {name: i for i, name in enumerate(features.names)}
    order = [place[name] for name in names]
    values = np.array(features.values, dtype=np.float32)[None, order]  # an array first: tensors of tuples are slow
    mask = np.array(features.mask, dtype=bool)[None, order]
    return ViewInput(torch.from_numpy(values).to(device), torch.from_numpy(mask).to(device))


def _refuse_other(heads: MultiViewHeads, view: str, features: Features) -> None:
    trained = heads.spec.versions.get(view, features.version)
    if features.version != trained:
        raise ConfigError(
            f"{view} features are of version {features.version}, and the heads were trained on {trained}; "
            "measure the clip again or install heads for this version"
        )
    there = frozenset(features.names)
    if missing := [name for name in heads.spec.features[view] if name not in there]:
        raise ConfigError(f"{view} features lack {', '.join(missing)}, which the heads read; measure the clip again")


def _opinion(heads: MultiViewHeads, evidence: torch.Tensor, present: bool) -> Opinion:
    spec = heads.spec
    if not present:
        return opinion.vacuous(spec.label_set, spec.labels, spec.kind, spec.weight, spec.rates)
    if not evidence.isfinite().all():
        raise OpinionError(f"a head of {spec.label_set} gave evidence that is not finite; train it again")
    make = opinion.dirichlet if spec.kind == "dirichlet" else opinion.beta
    return make(
        spec.label_set,
        spec.labels,
        evidence.double().cpu().numpy(),
        prior_weight=spec.weight,
        base_rate=spec.rates,
        trained=True,
    )
