"""The loss of several views: hand-worked sums, masks, and the conflict of the numpy half of the package."""

import numpy as np
import pytest
import torch

from emer.errors import ConfigError
from emer.evidence.conflict import degree
from emer.evidence.losses import digamma, misleading_kl, one_hot, two_sided
from emer.evidence.opinion import beta, dirichlet
from emer.evidence.view_losses import Objective, conflict_loss, opinion_loss, total_loss

torch.set_num_threads(1)
EVEN = torch.ones(3)
TARGET = one_hot(torch.tensor([0, 2]), 3)
HERE = torch.ones(2, 2, dtype=torch.bool)


def random_alpha(*shape: int) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(*shape) * 9 + 1


def test_total_is_the_sum_over_views_joint_and_fused() -> None:
    alpha = random_alpha(4, 2, 3)
    loss = total_loss(alpha[:2], HERE, TARGET, EVEN, Objective(), joint=alpha[2], fused=alpha[3])
    assert loss.item() == pytest.approx(sum(digamma(a, TARGET).mean().item() for a in alpha), rel=1e-6)


def test_a_missing_view_adds_nothing_and_gets_no_gradient() -> None:
    alpha = random_alpha(2, 2, 3).requires_grad_()
    present = torch.tensor([[True, True], [False, True]])
    total_loss(alpha, present, TARGET, EVEN, Objective(conflict=0.5)).backward()
    assert alpha.grad is not None
    assert alpha.grad[1, 0].tolist() == [0, 0, 0]
    assert (alpha.grad[1, 1] != 0).all()


def test_what_stands_in_a_missing_view_does_not_matter() -> None:
    alpha = random_alpha(2, 2, 3)
    present = torch.tensor([[True, True], [False, True]])
    other = alpha.clone()
    other[1, 0] = 999.0
    both = [total_loss(a, present, TARGET, EVEN, Objective(conflict=1.0)) for a in (alpha, other)]
    assert both[0].item() == both[1].item()


def test_a_batch_without_any_view_has_no_loss() -> None:
    assert total_loss(random_alpha(2, 2, 3), ~HERE, TARGET, EVEN, Objective(conflict=1.0)).item() == 0


def test_the_regulariser_is_annealed_by_epoch() -> None:
    alpha = random_alpha(2, 3)
    objective = Objective(kl=0.2, kl_epochs=10)
    plain, kl = digamma(alpha, TARGET), misleading_kl(alpha, TARGET, EVEN)
    for epoch, weight in ((0, 0.0), (5, 0.1), (30, 0.2)):
        loss = opinion_loss(alpha, TARGET, EVEN, objective, epoch)
        assert loss.tolist() == pytest.approx((plain + weight * kl).tolist(), rel=1e-6)


def test_beta_opinions_add_their_labels_up() -> None:
    alpha, y = random_alpha(4, 3, 2), torch.tensor([[1.0, 0, 0.5]] * 4)
    prior = torch.tensor([[1.0, 1.0], [0.4, 1.6], [1.0, 1.0]])
    loss = opinion_loss(alpha, two_sided(y), prior, Objective(kl=1.0, kl_epochs=0))
    expected = sum(
        digamma(alpha[:, k], two_sided(y)[:, k]) + misleading_kl(alpha[:, k], two_sided(y)[:, k], prior[k])
        for k in range(3)
    )
    assert isinstance(expected, torch.Tensor)
    assert loss.tolist() == pytest.approx(expected.tolist(), rel=1e-5)


# ---------------------------------------------------------------- conflict


def test_conflict_is_the_mean_of_the_degrees_of_all_pairs() -> None:
    """The degrees come from emer.evidence.conflict, which is numpy and is tested against the paper by hand."""
    rng = np.random.default_rng(0)
    evidence = rng.exponential(4.0, (3, 3))
    opinions = [dirichlet("mood", ["a", "b", "c"], row) for row in evidence]
    expected = np.mean([degree(opinions[i], opinions[j]) for i, j in ((0, 1), (0, 2), (1, 2))])
    alpha = torch.tensor(evidence + 1)[:, None]
    here = torch.ones(3, 1, dtype=torch.bool)
    assert conflict_loss(alpha, here, EVEN.double()).item() == pytest.approx(expected)


def test_conflict_of_beta_opinions_is_the_mean_over_labels() -> None:
    """Two labels, one of them agreed upon: half the degree of the label that is not."""
    views = [[[6.0, 0], [0, 6.0]], [[6.0, 0], [6.0, 0]]]
    largest = degree(*(beta("m", ["x", "y"], view) for view in views))
    alpha = torch.tensor(views)[:, None] + 1
    assert conflict_loss(alpha, torch.ones(2, 1, dtype=torch.bool), torch.ones(2, 2)).item() == pytest.approx(
        largest / 2
    )


def test_a_view_that_is_missing_has_no_conflict() -> None:
    alpha = torch.tensor([[[9.0, 1, 1]], [[1.0, 9, 1]], [[9.0, 1, 1]]])
    pair = conflict_loss(alpha[:2], torch.ones(2, 1, dtype=torch.bool), EVEN)
    without_third = conflict_loss(alpha, torch.tensor([[True], [True], [False]]), EVEN)
    assert without_third.item() == pytest.approx(pair.item())
    assert conflict_loss(alpha, torch.tensor([[True], [False], [False]]), EVEN).item() == 0


# ---------------------------------------------------------------- numbers at the edge


@pytest.mark.parametrize("loss", ["digamma", "log", "squared", "redl", "iedl"])
def test_the_whole_loss_is_finite_from_no_evidence_to_ten_thousand(loss: str) -> None:
    corners = torch.tensor([[[0, 0, 0], [1e4, 0, 0]], [[0, 1e4, 0], [1e4, 1e4, 1e4]]]).requires_grad_()
    alpha = corners + 0.1
    objective = Objective(loss=loss, kl=1.0, kl_epochs=0, conflict=1.0)
    total = total_loss(alpha, HERE, TARGET, torch.full((3,), 0.1), objective, joint=alpha[0], fused=alpha.sum(0))
    total.backward()
    assert total.isfinite()
    assert corners.grad is not None
    assert corners.grad.isfinite().all()


def test_wrong_objectives_are_refused() -> None:
    with pytest.raises(ConfigError, match="loss 'hinge' is not known"):
        Objective(loss="hinge")
    with pytest.raises(ConfigError, match=r"weights of a loss must be numbers from 0 up, not kl -0.1, conflict nan"):
        Objective(kl=-0.1, conflict=float("nan"))
