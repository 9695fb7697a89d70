"""Heads: what goes in and comes out, masks, standardisation, training on a problem whose answer is known."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
import torch

from emer.errors import ConfigError, OpinionError
from emer.evidence.evidence_head import LARGEST_LOG_EVIDENCE, EvidenceHead
from emer.evidence.heads import (
    JOINT,
    HeadSpec,
    MultiViewHeads,
    Standardiser,
    ViewInput,
    view_dropout,
)
from emer.evidence.losses import one_hot
from emer.evidence.tensor_fusion import TensorViews, fuse_tensors
from emer.evidence.view_losses import Objective, total_loss
from emer.jsonio import dumps, loads

torch.set_num_threads(1)
SPEC = HeadSpec(
    label_set="mood",
    labels=("good", "bad", "flat"),
    features={"audio": ("pitch", "loudness"), "text": ("compound",)},
    hidden=(8,),
    joint=True,
)


def view(values: list[list[float]], mask: list[list[bool]] | None = None) -> ViewInput:
    rows = torch.tensor(values)
    return ViewInput(rows, torch.ones_like(rows, dtype=torch.bool) if mask is None else torch.tensor(mask))


def two_views() -> dict[str, ViewInput]:
    """Three clips: both views, audio in part and no text, nothing at all."""
    audio = view([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[True, True], [True, False], [False, False]])
    return {"audio": audio, "text": view([[0.5], [0.6], [0.7]], [[True], [False], [False]])}


def heads(spec: HeadSpec = SPEC) -> MultiViewHeads:
    torch.manual_seed(0)
    return MultiViewHeads(spec).eval()


# ---------------------------------------------------------------- one head


@pytest.mark.parametrize("activation", ["softplus", "exp"])
def test_evidence_is_never_negative_and_never_infinite(activation: str) -> None:
    head = EvidenceHead(2, 3, hidden=(), activation=activation)  # type: ignore[arg-type]
    evidence = head(torch.tensor([[1e4, -1e4], [-1e4, 1e4], [0.0, 0.0]]))
    assert (evidence >= 0).all()
    assert evidence.isfinite().all()


def test_exp_is_cut_where_its_gradient_would_explode() -> None:
    head = EvidenceHead(1, 2, hidden=(), activation="exp")
    with torch.no_grad():
        head.layers[0].weight.fill_(1.0)  # type: ignore[operator,union-attr]
        head.layers[0].bias.zero_()  # type: ignore[operator,union-attr]
    assert head(torch.tensor([[2.0], [50.0]]))[:, 0].tolist() == pytest.approx(
        [np.exp(2.0), np.exp(LARGEST_LOG_EVIDENCE)], rel=1e-5
    )


def test_a_beta_head_speaks_for_and_against_each_label() -> None:
    assert EvidenceHead(4, 3, kind="beta")(torch.zeros(5, 4)).shape == (5, 3, 2)


# ---------------------------------------------------------------- standardisation


def test_standardisation_takes_means_over_measured_values_alone() -> None:
    """Mean and spread of 1, 3 and of 10, 20, 30 by numpy; the masked 99 does not count."""
    scale = Standardiser(("a", "b"))
    rows = view([[1.0, 10.0], [3.0, 20.0], [99.0, 30.0]], [[True, True], [True, True], [False, True]])
    scale.fit(rows)
    assert scale.mean.tolist() == [2.0, 20.0]
    z = scale(rows)
    assert z[:, 1].tolist() == pytest.approx([-np.sqrt(1.5), 0, np.sqrt(1.5)])
    assert z[:, 0].tolist() == pytest.approx([-1, 1, 0])


def test_a_feature_that_never_varies_or_was_never_measured_is_not_looked_at() -> None:
    scale = Standardiser(("still", "absent"))
    scale.fit(view([[7.0, 1.0], [7.0, 2.0]], [[True, False], [True, False]]))
    assert scale(view([[8.0, 5.0], [-1e6, -5.0]])).tolist() == [[0, 0], [0, 0]]


def test_a_broken_number_is_cut() -> None:
    scale = Standardiser(("a",))
    scale.fit(view([[0.0], [2.0]]))
    assert scale(view([[1e30], [-1e30]])).flatten().tolist() == [10, -10]


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_measured_features_that_are_not_finite_are_refused_by_name(broken: float) -> None:
    inputs = {"audio": view([[1.0, broken], [1.0, 1.0]]), "text": view([[0.0], [0.0]])}
    letter = r"1 rows have features that are NaN or infinite \(loudness\); mask what could not be measured"
    with pytest.raises(OpinionError, match=letter):
        heads()(inputs)
    with pytest.raises(OpinionError, match=letter):
        heads().fit_standardisation(inputs)


def test_nan_under_a_false_mask_is_not_looked_at() -> None:
    clean, broken = two_views(), two_views()
    broken["audio"].values[1, 1] = float("nan")
    assert torch.equal(heads()(clean).evidence, heads()(broken).evidence)


# ---------------------------------------------------------------- several views


def test_missing_views_are_vacuous_and_the_joint_view_is_there_with_any() -> None:
    spoken = heads()(two_views())
    assert spoken.views == ("audio", "text", JOINT)
    assert spoken.present.tolist() == [[True, True, False], [True, False, False], [True, True, False]]
    assert spoken.evidence.shape == (3, 3, 3)
    assert (spoken.evidence[~spoken.present] == 0).all()
    assert (spoken.evidence[spoken.present] > 0).all()


def test_views_can_be_taken_out_from_outside() -> None:
    """Taking audio out of the first clip leaves what a clip without audio gives."""
    present = torch.tensor([[False, True, True], [True, True, True]])
    without = two_views()
    without["audio"].mask[0] = False
    assert torch.equal(heads()(two_views(), present).evidence, heads()(without).evidence)


def test_each_view_reads_its_own_features_and_the_joint_one_reads_all() -> None:
    changed = two_views()
    changed["text"].values[0, 0] = -3.0
    difference = (heads()(two_views()).evidence - heads()(changed).evidence).abs().sum(-1)[:, 0]
    assert (difference > 0).tolist() == [False, True, True]


def test_beta_heads_have_two_outcomes_a_label_and_their_base_rate_in_the_prior() -> None:
    spec = replace(SPEC, kind="beta", base_rate=(0.25, 0.5, 0.5), prior_weight=4.0)
    network = heads(spec)
    spoken = network(two_views())
    assert spoken.evidence.shape == (3, 3, 3, 2)
    assert network.alpha(torch.zeros(3, 2)).tolist() == [[1, 3], [2, 2], [2, 2]]


def test_prior_is_one_per_label_by_default_and_prior_weight_times_base_rate_else() -> None:
    assert heads().prior.tolist() == pytest.approx([1, 1, 1])
    assert heads(replace(SPEC, prior_weight=0.3)).prior.tolist() == pytest.approx([0.1] * 3)


def test_view_dropout_leaves_each_clip_a_view_and_invents_none() -> None:
    present = torch.tensor([[True] * 4000 + [True] * 50, [True] * 4000 + [False] * 50, [True] * 4000 + [False] * 50])
    kept = view_dropout(present, 0.5, torch.Generator().manual_seed(0))
    assert not (kept & ~present).any()
    assert kept.any(0).all()
    # A view goes with probability 1/2, except where all three would: then one of them stays. 1/2 + 1/8 * 1/3.
    assert kept[:, :4000].float().mean().item() == pytest.approx(1 / 2 + 1 / 24, abs=0.02)
    assert torch.equal(kept[:, 4000:], present[:, 4000:])


def test_view_dropout_happens_in_training_alone() -> None:
    inputs = {"audio": view([[1.0, 2.0]] * 200), "text": view([[0.5]] * 200)}
    network = heads(replace(SPEC, view_dropout=0.5))
    assert network(inputs).present.all()
    assert not network.train()(inputs).present.all()


# ---------------------------------------------------------------- members


@pytest.mark.parametrize("kind", ["dirichlet", "beta"])
def test_several_members_speak_as_the_mean_of_what_each_says(kind: Literal["dirichlet", "beta"]) -> None:
    """Probability and uncertainty of the answer are the means of the members', taken one by one with numpy."""
    network = heads(replace(SPEC, members=3, kind=kind, prior_weight=1.5))
    each, spoken = network.by_member(two_views()), network(two_views())
    assert each.evidence.shape[1] == 9
    alone = [network.alpha(each.evidence[:, 3 * i : 3 * i + 3]).detach().numpy() for i in range(3)]
    p = np.mean([alpha / alpha.sum(-1, keepdims=True) for alpha in alone], axis=0)
    u = np.mean([1.5 / alpha.sum(-1) for alpha in alone], axis=0)
    together = network.alpha(spoken.evidence).detach().numpy()
    assert together / together.sum(-1, keepdims=True) == pytest.approx(p, rel=1e-5)
    assert 1.5 / together.sum(-1) == pytest.approx(u, rel=1e-5)
    assert torch.equal(spoken.present, heads()(two_views()).present)


def test_one_member_is_todays_head_with_the_names_that_files_have() -> None:
    names = set(heads().state_dict())
    assert {"heads.audio.layers.0.weight", "heads.audio.layers.3.bias", "heads.joint.layers.0.weight"} < names
    assert torch.equal(heads().by_member(two_views()).evidence, heads()(two_views()).evidence)


def test_a_spec_that_was_written_before_there_were_members_reads_as_one() -> None:
    written = json.loads(dumps(SPEC))
    del written["members"]
    assert loads(json.dumps(written), HeadSpec) == SPEC
    assert SPEC.members == 1


def test_each_member_has_views_of_its_own_left_out_in_training() -> None:
    inputs = {"audio": view([[1.0, 2.0]] * 200), "text": view([[0.5]] * 200)}
    kept = heads(replace(SPEC, members=2, view_dropout=0.5)).train().by_member(inputs).present[:2]
    assert kept.any(0).all()
    assert not torch.equal(kept[:, :200], kept[:, 200:])


def test_members_learn_each_for_itself() -> None:
    """The loss of the first member's rows leaves the second member's own layer without gradient."""
    network = heads(replace(SPEC, members=2, joint=False))
    network.by_member(two_views()).evidence[:, :3].sum().backward()
    last = network.heads["audio"].layers[-1]  # type: ignore[index,union-attr]
    assert (last.weight.grad.abs().sum((1, 2)) > 0).tolist() == [True, False]


# ---------------------------------------------------------------- training


def test_heads_learn_a_problem_whose_answer_is_known_and_stay_unsure_of_noise() -> None:
    """Two blobs in audio; text is noise. After training audio is right, and text stays unsure."""
    rng = torch.Generator().manual_seed(0)
    label = torch.randint(3, (300,), generator=rng)
    corners = torch.tensor([[0.0, 4.0], [4.0, 0.0], [-4.0, -4.0]])
    audio = corners[label] + torch.randn(300, 2, generator=rng)
    inputs = {
        "audio": ViewInput(audio, torch.ones(300, 2, dtype=torch.bool)),
        "text": ViewInput(torch.randn(300, 1, generator=rng), torch.ones(300, 1, dtype=torch.bool)),
    }
    torch.manual_seed(0)
    network = MultiViewHeads(replace(SPEC, view_dropout=0.2))
    network.fit_standardisation(inputs)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    for epoch in range(60):
        spoken = network(inputs, generator=rng)
        fused = fuse_tensors(TensorViews(spoken.evidence[:2], spoken.present[:2], network.prior))
        loss = total_loss(
            network.alpha(spoken.evidence[:2]),
            spoken.present[:2],
            one_hot(label, 3),
            network.prior,
            Objective(kl=0.05),
            joint=network.alpha(spoken.evidence[2]),
            fused=network.alpha(fused),
            epoch=epoch,
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        evidence = network.eval()(inputs).evidence
    right = (evidence.argmax(-1) == label).float().mean(-1)
    assert right[0] > 0.95
    assert right[2] > 0.95
    # The true posterior is near certain for audio and a third for text, which knows nothing.
    sure = (network.alpha(evidence) / network.alpha(evidence).sum(-1, keepdim=True)).amax(-1).mean(-1)
    assert sure[0] > 0.75
    assert sure[1] < 0.5


# ---------------------------------------------------------------- what is refused


def test_a_wrong_spec_lists_every_mistake() -> None:
    with pytest.raises(ConfigError) as refused:
        HeadSpec(
            label_set="mood",
            labels=("good", "good"),
            features={JOINT: ("a", "a"), "text": ()},
            hidden=(0,),
            prior_weight=0.0,
            base_rate=(0.5, 0.6),
            dropout=1.0,
            members=0,
        )
    for mistake in (
        "labels ['good', 'good'] must differ",
        "every view needs features",
        "a view cannot be called 'joint'",
        "a feature stands twice in the view joint",
        "hidden [0]",
        "prior weight 0",
        "must sum to 1",
        "members 0 must be at least 1",
        "dropout 1 must lie from 0 to below 1",
    ):
        assert mistake in str(refused.value)


def test_the_numpy_half_of_the_package_loads_no_torch() -> None:
    modules = "calibration, conflict, conformal, fusion, hints, opinion, rows, selective, targets, temperature"
    code = f"from emer.evidence import {modules}; import sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
