"""The verdict's arithmetic: logits to opinions, losses by closed form, rows that learn."""

import math

import pytest
import torch

from emer.errors import ConfigError, OpinionError
from emer.evidence.opinion import belief, probability, uncertainty
from emer.evidence.verdict import VerdictHead, VerdictSpec, alpha, opinions, verdict_loss
from emer.evidence.view_losses import Objective

torch.set_num_threads(1)
MOOD = VerdictSpec(label_set="mood", labels=("good", "bad"))
MOODS = VerdictSpec(label_set="moods", labels=("good", "tired"), kind="beta")
NOTHING = -60.0
"""A logit whose evidence is 0 in float32."""


def logit(evidence: float) -> float:
    """The inverse of softplus."""
    return math.log(math.expm1(evidence))


# ---------------------------------------------------------------- opinions


def test_logits_become_evidence_by_softplus() -> None:
    (said,) = opinions(torch.tensor([[logit(6), NOTHING]]), MOOD)
    # by hand: e = (6, 0), W = 2, S = 8
    assert belief(said).tolist() == pytest.approx([0.75, 0.0], abs=1e-6)
    assert uncertainty(said) == pytest.approx(0.25, abs=1e-6)
    assert probability(said).tolist() == pytest.approx([0.875, 0.125], abs=1e-6)
    assert said.trained
    assert said.present


def test_beta_rows_are_for_and_against_label_by_label() -> None:
    (said,) = opinions(torch.tensor([[logit(6), NOTHING, NOTHING, logit(2)]]), MOODS)
    # by hand: good (6, 0) of S = 8, tired (0, 2) of S = 4
    assert probability(said).tolist() == pytest.approx([0.875, 0.25], abs=1e-6)
    assert uncertainty(said) == pytest.approx([0.25, 0.5], abs=1e-6)
    assert MOODS.row_names == ("for good", "against good", "for tired", "against tired")


def test_prior_weight_and_base_rate_reach_the_opinion() -> None:
    spec = VerdictSpec(label_set="mood", labels=("good", "bad"), prior_weight=0.2, base_rate=(0.9, 0.1))
    (said,) = opinions(torch.tensor([[NOTHING, NOTHING]]), spec)
    assert probability(said).tolist() == pytest.approx([0.9, 0.1])
    assert alpha(torch.tensor([NOTHING, NOTHING]), spec).tolist() == pytest.approx([0.18, 0.02])


def test_exponential_evidence_is_cut_where_more_would_change_nothing() -> None:
    spec = VerdictSpec(label_set="mood", labels=("good", "bad"), activation="exp")
    (said,) = opinions(torch.tensor([[1.0, 1e9]]), spec)
    assert said.evidence == pytest.approx((math.e, math.exp(10)))


def test_logits_that_are_not_finite_are_refused() -> None:
    with pytest.raises(OpinionError, match=r"the verdict of answer 1 is not finite .*nan.*the model or its adapter"):
        opinions(torch.tensor([[0.0, 0.0], [0.0, math.nan]]), MOOD)


def test_a_wrong_number_of_logits_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"3 logits for a verdict of 2 rows; read one per row: good, bad"):
        opinions(torch.zeros(1, 3), MOOD)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"labels": ("good",)}, "must differ from each other and be at least two"),
        ({"prior_weight": 0.0}, "prior weight is 0"),
        ({"base_rate": (0.9, 0.9)}, "base rates sum to 1.8"),
    ],
)
def test_a_wrong_specification_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=f"verdict: opinion over mood: .*{message}"):
        VerdictSpec(**{"label_set": "mood", "labels": ("good", "bad"), **wrong})  # type: ignore[arg-type]


# ---------------------------------------------------------------- the head


def test_a_head_is_one_product_in_float32_also_inside_autocast_and_for_rounded_states() -> None:
    head = VerdictHead(3, MOOD)
    with torch.no_grad():
        head.linear.weight.copy_(torch.tensor([[1.001, 0.0, 0.0], [0.0, 1.0, 1.0]]))
    states = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = head(states)
    assert logits.dtype == torch.float32
    assert logits.tolist()[0] == pytest.approx([1.001, 5.0], abs=1e-6)  # bfloat16 would give 1.0


def test_an_untrained_head_leaves_the_states_alone() -> None:
    head = VerdictHead(3, MOOD)
    states = torch.randn(4, 3, requires_grad=True)
    target = torch.tensor([[1.0, 0.0]] * 4)
    verdict_loss(head(states), target, torch.ones(4, dtype=torch.bool), MOOD, Objective()).sum().backward()
    assert states.grad is not None
    assert not states.grad.any()
    assert head.linear.weight.grad is not None
    assert head.linear.weight.grad.abs().min() > 0


def test_a_soft_cap_must_be_above_zero() -> None:
    with pytest.raises(ConfigError, match="the soft cap is -30; give the model's"):
        VerdictHead(3, MOOD, softcap=-30.0)


def test_rows_learn_the_shares_of_the_votes() -> None:
    # The log loss is the cross-entropy of p, so its minimum is p = shares, whatever the evidence.
    torch.manual_seed(0)
    head = VerdictHead(4, MOOD)
    states, target = torch.eye(4)[:2], torch.tensor([[0.7, 0.3], [0.2, 0.8]])
    optimiser = torch.optim.Adam(head.parameters(), lr=0.1)
    for _ in range(300):
        optimiser.zero_grad()
        loss = verdict_loss(head(states), target, torch.ones(2, dtype=torch.bool), MOOD, Objective(loss="log"))
        loss.sum().backward()
        optimiser.step()
    learned = [probability(said).tolist() for said in opinions(head(states), MOOD)]
    assert learned[0] == pytest.approx([0.7, 0.3], abs=1e-3)
    assert learned[1] == pytest.approx([0.2, 0.8], abs=1e-3)


# ---------------------------------------------------------------- losses


def test_the_loss_of_one_right_label_is_a_sum_of_fractions() -> None:
    # alpha = (3, 1): digamma(4) - digamma(3) = 1/3
    loss = verdict_loss(
        torch.tensor([[logit(2), NOTHING]]), torch.tensor([[1.0, 0.0]]), torch.tensor([True]), MOOD, Objective()
    )
    assert loss.tolist() == pytest.approx([1 / 3], abs=1e-6)


def test_the_loss_of_a_beta_verdict_adds_up_over_labels_and_takes_votes() -> None:
    # each label alpha = (3, 1); digamma(4) - digamma(3) = 1/3, digamma(4) - digamma(1) = 1 + 1/2 + 1/3
    logits = torch.tensor([[logit(2), NOTHING, logit(2), NOTHING]])
    loss = verdict_loss(logits, torch.tensor([[1.0, 0.25]]), torch.tensor([True]), MOODS, Objective())
    assert loss.tolist() == pytest.approx([1 / 3 + 0.25 / 3 + 0.75 * 11 / 6], abs=1e-6)


def test_clips_that_nobody_labelled_teach_nothing_and_stay_in_the_graph() -> None:
    logits = torch.tensor([[0.3, -0.2], [1.0, 2.0]], requires_grad=True)
    target = torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    loss = verdict_loss(logits, target, torch.tensor([False, True]), MOOD, Objective(kl=0.1, kl_epochs=0))
    loss.sum().backward()
    assert loss[0] == 0
    assert loss[1] > 0
    assert logits.grad is not None
    assert logits.grad[0].tolist() == [0.0, 0.0]
    assert logits.grad[1].abs().min() > 0
