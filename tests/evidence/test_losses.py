"""Losses of one opinion against torch.distributions, samples drawn from it, hand-worked numbers, torch-uncertainty."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor
from torch.distributions import Beta, Dirichlet, kl_divergence

from emer.errors import ConfigError
from emer.evidence.losses import (
    LOSSES,
    annealed,
    digamma,
    iedl,
    kl_dirichlet,
    log,
    log_det_fisher,
    loss_named,
    misleading_kl,
    one_hot,
    redl,
    squared,
    two_sided,
)

torch.set_num_threads(1)
VOTES = torch.tensor([0.5, 0.3, 0.2, 0.0], dtype=torch.float64)
ONE = torch.tensor([0.0, 1.0, 0.0, 0.0], dtype=torch.float64)
ALPHA = torch.tensor([3.0, 1.5, 7.0, 0.4], dtype=torch.float64)


def samples(alpha: Tensor) -> Tensor:
    torch.manual_seed(0)
    return Dirichlet(alpha).sample(torch.Size([200_000]))


# ---------------------------------------------------------------- expectations


@pytest.mark.parametrize("target", [VOTES, ONE], ids=["votes", "one label"])
def test_digamma_is_the_expected_cross_entropy_under_the_dirichlet(target: Tensor) -> None:
    drawn = -(target * samples(ALPHA).clamp(min=1e-30).log()).sum(-1)
    error = drawn.std() / len(drawn) ** 0.5
    assert digamma(ALPHA, target).item() == pytest.approx(drawn.mean().item(), abs=5 * error.item())


@pytest.mark.parametrize("target", [VOTES, ONE], ids=["votes", "one label"])
def test_squared_is_the_expected_squared_error_under_the_dirichlet(target: Tensor) -> None:
    drawn = (target - samples(ALPHA)).square().sum(-1)
    error = drawn.std() / len(drawn) ** 0.5
    assert squared(ALPHA, target).item() == pytest.approx(drawn.mean().item(), abs=5 * error.item())


def test_squared_splits_into_error_of_the_mean_and_the_variance_of_torch_distributions() -> None:
    belief = Dirichlet(ALPHA)
    expected = (VOTES - belief.mean).square().sum() + belief.variance.sum()
    assert squared(ALPHA, VOTES).item() == pytest.approx(expected.item())
    assert redl(ALPHA, VOTES).item() == pytest.approx((VOTES - belief.mean).square().sum().item())


def test_log_is_the_cross_entropy_of_the_mean() -> None:
    expected = -(VOTES * Dirichlet(ALPHA).mean.log()).sum()
    assert log(ALPHA, VOTES).item() == pytest.approx(expected.item())


def test_losses_by_hand() -> None:
    """alpha (3, 1), the first label right: S 4, p (3/4, 1/4).

    psi(4) - psi(3) = 1/3; log 4/3; squared (1/4)^2 + (1/4)^2 + 2 * (3/16) / 5 = 1/8 + 3/40 = 1/5.
    """
    alpha, target = torch.tensor([3.0, 1.0]), torch.tensor([1.0, 0.0])
    assert digamma(alpha, target).item() == pytest.approx(1 / 3)
    assert log(alpha, target).item() == pytest.approx(torch.tensor(4 / 3).log().item())
    assert squared(alpha, target).item() == pytest.approx(1 / 5)
    assert redl(alpha, target).item() == pytest.approx(1 / 8)


def test_without_evidence_over_k_labels_digamma_is_the_harmonic_sum() -> None:
    """psi(K) - psi(1) = 1 + 1/2 + ... + 1/(K - 1); for K = 4 it is 11/6."""
    assert digamma(torch.ones(4), torch.tensor([1.0, 0, 0, 0])).item() == pytest.approx(11 / 6)


# ---------------------------------------------------------------- Fisher information


def dirichlet_information(alpha: Tensor) -> Tensor:
    """Fisher information of an exponential family: the Hessian of its log normaliser (automatic)."""

    def log_normaliser(a: Tensor) -> Tensor:
        return torch.lgamma(a).sum() - torch.lgamma(a.sum())

    return torch.autograd.functional.hessian(log_normaliser, alpha)


@pytest.mark.parametrize("alpha", [ALPHA, torch.ones(3, dtype=torch.float64), 1e4 * ALPHA])
def test_log_det_is_that_of_the_hessian_of_the_log_normaliser(alpha: Tensor) -> None:
    expected = torch.linalg.slogdet(dirichlet_information(alpha)).logabsdet
    assert log_det_fisher(alpha).item() == pytest.approx(expected.item(), rel=1e-6)


def test_iedl_weighs_each_label_by_its_own_information() -> None:
    """The diagonal of the information is psi'(alpha) - psi'(S), so psi'(alpha) comes from the Hessian too."""
    hessian = dirichlet_information(ALPHA)
    total = torch.polygamma(1, ALPHA.sum())
    belief = Dirichlet(ALPHA)
    terms = (ONE - belief.mean).square() + belief.variance
    expected = ((hessian.diagonal() + total) * terms).sum() - 0.3 * torch.linalg.slogdet(hessian).logabsdet
    assert iedl(ALPHA, ONE, log_det=0.3).item() == pytest.approx(expected.item())


# ---------------------------------------------------------------- Kullback-Leibler


def test_kl_equals_that_of_torch_distributions() -> None:
    other = torch.tensor([0.1, 2.0, 5.0, 1.0], dtype=torch.float64)
    expected = kl_divergence(Dirichlet(ALPHA), Dirichlet(other))
    assert kl_dirichlet(ALPHA, other).item() == pytest.approx(expected.item())


def test_kl_to_the_even_prior_is_the_difference_of_entropies() -> None:
    """KL(Dir(alpha) || Dir(1)) = H(Dir(1)) - H(Dir(alpha)), the density of Dir(1) being constant."""
    even = torch.ones(4, dtype=torch.float64)
    expected = Dirichlet(even).entropy() - Dirichlet(ALPHA).entropy()
    assert kl_dirichlet(ALPHA, even).item() == pytest.approx(expected.item())


def test_evidence_for_the_right_label_is_never_misleading() -> None:
    prior = torch.full((4,), 0.1)
    assert misleading_kl(prior + 50 * torch.tensor([0.0, 1, 0, 0]), ONE.float(), prior).item() == pytest.approx(
        0, abs=1e-6
    )
    assert misleading_kl(prior + 50 * torch.tensor([1.0, 0, 0, 0]), ONE.float(), prior).item() > 1


def test_kl_of_much_evidence_stays_exact_in_single_precision() -> None:
    alpha = torch.tensor([1e4, 9e3, 8e3, 7e3])
    expected = kl_divergence(Dirichlet(alpha.double()), Dirichlet(torch.ones(4, dtype=torch.float64)))
    assert kl_dirichlet(alpha, torch.ones(4)).item() == pytest.approx(expected.item(), rel=1e-6)


def test_annealing_grows_evenly_and_then_stays() -> None:
    assert [annealed(0.4, epoch, 4) for epoch in (0, 1, 2, 4, 9)] == pytest.approx([0, 0.1, 0.2, 0.4, 0.4])
    assert annealed(0.4, 0, 0) == 0.4


# ---------------------------------------------------------------- beta opinions


def test_two_sided_digamma_is_the_multi_label_loss_as_it_is_printed() -> None:
    """y (psi(a+b) - psi(a)) + (1-y)(psi(a+b) - psi(b)), and the expectation of binary cross-entropy under Beta."""
    a, b, y = torch.tensor([2.0, 1.0, 9.0]), torch.tensor([1.0, 5.0, 4.0]), torch.tensor([1.0, 0.0, 0.3])
    psi = torch.digamma
    printed = y * (psi(a + b) - psi(a)) + (1 - y) * (psi(a + b) - psi(b))
    loss = digamma(torch.stack([a, b], -1), two_sided(y))
    assert loss.tolist() == pytest.approx(printed.tolist())
    torch.manual_seed(1)
    p = Beta(a, b).sample(torch.Size([100_000]))
    drawn = -(y * p.log() + (1 - y) * (1 - p).clamp(min=1e-30).log())
    assert loss.tolist() == pytest.approx(drawn.mean(0).tolist(), abs=0.02)


def test_two_sided_kl_is_that_of_the_beta_distribution() -> None:
    """A label that does not hold keeps its evidence for: KL(Beta(1 + e, 1) || Beta(1, 1))."""
    alpha = torch.tensor([[6.0, 3.0]])
    expected = kl_divergence(Beta(torch.tensor(6.0), torch.tensor(1.0)), Beta(torch.tensor(1.0), torch.tensor(1.0)))
    assert misleading_kl(alpha, two_sided(torch.tensor([0.0])), torch.ones(1, 2)).item() == pytest.approx(
        expected.item()
    )


# ---------------------------------------------------------------- gradients


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("prior", [1.0, 0.1])
def test_values_and_gradients_are_finite_from_no_evidence_to_ten_thousand(name: str, prior: float) -> None:
    corners = torch.tensor([[0, 0, 0], [1e4, 0, 0], [0, 1e4, 0], [1e4, 1e4, 1e4], [1e-8, 1, 1e4]])
    for target in (one_hot(torch.tensor([0] * 5), 3), torch.full((5, 3), 1 / 3)):
        evidence = corners.clone().requires_grad_()
        loss = LOSSES[name](evidence + prior, target) + misleading_kl(evidence + prior, target, torch.full((3,), prior))
        loss.sum().backward()
        assert loss.isfinite().all()
        assert evidence.grad is not None
        assert evidence.grad.isfinite().all()


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_equal_finite_differences(name: str) -> None:
    alpha = torch.stack([ALPHA, 20 * ALPHA]).requires_grad_()
    target = torch.stack([VOTES, ONE])
    assert torch.autograd.gradcheck(lambda a: LOSSES[name](a, target), alpha)


def test_gradient_of_the_regulariser_equals_finite_differences() -> None:
    prior = torch.full((4,), 0.25, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda a: misleading_kl(a, VOTES, prior), ALPHA.clone().requires_grad_())


@pytest.mark.parametrize("name", LOSSES)
def test_evidence_for_the_right_label_lowers_every_loss(name: str) -> None:
    target = one_hot(torch.tensor([0]), 4)
    right, wrong = torch.tensor([[5.0, 1, 1, 1]]), torch.tensor([[1.0, 5, 1, 1]])
    assert LOSSES[name](right, target).item() < LOSSES[name](wrong, target).item()


def test_an_unknown_loss_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="loss 'hinge' is not known; choose one of digamma, log"):
        loss_named("hinge")


# ---------------------------------------------------------------- another library


@pytest.fixture(scope="module")
def torch_uncertainty() -> ModuleType:
    """The one file of torch-uncertainty that holds DECLoss: the package as a whole imports half a training stack."""
    package = importlib.util.find_spec("torch_uncertainty")
    if package is None or package.origin is None:
        pytest.skip("torch-uncertainty is absent: pip install --no-deps torch-uncertainty")
    path = Path(package.origin).parent / "losses" / "classification.py"
    spec = importlib.util.spec_from_file_location("torch_uncertainty_classification", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("ours", "theirs"), [("digamma", "digamma"), ("log", "log"), ("squared", "mse")])
@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_losses_equal_those_of_torch_uncertainty(
    torch_uncertainty: ModuleType, ours: str, theirs: str, weight: float
) -> None:
    torch.manual_seed(2)
    evidence, label = torch.rand(32, 5) * 20, torch.randint(5, (32,))
    reference = torch_uncertainty.DECLoss(loss_type=theirs, reg_weight=weight, reduction="none")
    target = one_hot(label, 5)
    loss = LOSSES[ours](evidence + 1, target) + weight * misleading_kl(evidence + 1, target, torch.ones(5))
    assert loss.tolist() == pytest.approx(reference(evidence, label).squeeze(-1).tolist(), rel=1e-4, abs=1e-5)
