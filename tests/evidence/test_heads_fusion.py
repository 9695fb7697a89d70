"""Fusion on tensors against the numpy rules, which are tested against the papers."""

import numpy as np
import pytest
import torch

from emer.errors import ConfigError
from emer.evidence import fusion
from emer.evidence.tensor_fusion import LARGEST, TENSOR_RULES, Reliabilities, TensorViews, fuse_tensors

torch.set_num_threads(1)


def random_views(kind: str, seed: int = 0) -> tuple[TensorViews, fusion.Views]:
    """The same four views of 50 clips with random masks, once in torch and once in numpy."""
    rng = np.random.default_rng(seed)
    outcome = (5,) if kind == "dirichlet" else (3, 2)
    rate = rng.dirichlet(np.ones(5)) if kind == "dirichlet" else np.array([[0.3, 0.7], [0.5, 0.5], [0.9, 0.1]])
    evidence, present = rng.exponential(3.0, (4, 50, *outcome)), rng.random((4, 50)) < 0.6
    weight = 1.5
    wide = present if kind == "dirichlet" else np.repeat(present[..., None], 3, axis=-1)
    return (
        TensorViews(torch.tensor(evidence), torch.tensor(present), torch.tensor(weight * rate)),
        fusion.Views(evidence, wide, rate, weight),
    )


@pytest.mark.parametrize("kind", ["dirichlet", "beta"])
@pytest.mark.parametrize("rule", TENSOR_RULES)
def test_every_rule_agrees_with_its_numpy_twin_under_random_masks(rule: str, kind: str) -> None:
    tensors, arrays = random_views(kind)
    assert np.allclose(fuse_tensors(tensors, rule).numpy(), fusion.RULES[rule](arrays), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rule", ["weighted", "log_linear"])
@pytest.mark.parametrize("kind", ["dirichlet", "beta"])
def test_reliabilities_agree_with_the_numpy_rule(kind: str, rule: str) -> None:
    tensors, arrays = random_views(kind)
    trust = np.array([2.0, 0.0, 1.0, 0.3])
    ours = TensorViews(tensors.evidence, tensors.present, tensors.prior, torch.tensor(trust))
    theirs = fusion.Views(arrays.evidence, arrays.present, arrays.base_rate, arrays.prior_weight, trust)
    assert np.allclose(fuse_tensors(ours, rule).numpy(), fusion.RULES[rule](theirs))


def test_reliabilities_start_as_the_plain_average_and_learn() -> None:
    learned = Reliabilities(4)
    assert learned().tolist() == pytest.approx([0.25] * 4)
    tensors, _ = random_views("dirichlet")
    views = TensorViews(tensors.evidence.float(), tensors.present, tensors.prior.float(), learned())
    fuse_tensors(views).sum().backward()
    assert learned.free.grad is not None
    assert (learned.free.grad > 0).all()


@pytest.mark.parametrize("rule", TENSOR_RULES)
def test_what_stands_in_a_missing_view_reaches_neither_value_nor_gradient(rule: str) -> None:
    evidence = torch.tensor([[[3.0, 1.0]], [[float("inf"), float("nan")]]], requires_grad=True)
    fused = fuse_tensors(TensorViews(evidence, torch.tensor([[True], [False]]), torch.ones(2)), rule)
    assert fused.tolist() == [[3.0, 1.0]]
    fused.sum().backward()
    assert evidence.grad is not None
    assert evidence.grad[1].tolist() == [[0.0, 0.0]]
    assert evidence.grad.isfinite().all()


@pytest.mark.parametrize("rule", TENSOR_RULES)
def test_without_any_view_the_result_is_vacuous(rule: str) -> None:
    views = TensorViews(torch.ones(3, 2, 4), torch.zeros(3, 2, dtype=torch.bool), torch.ones(4))
    assert fuse_tensors(views, rule).tolist() == [[0.0] * 4] * 2


def test_dempster_of_very_much_evidence_stays_finite() -> None:
    evidence = torch.full((9, 1, 2), 2e4, requires_grad=True)
    fused = fuse_tensors(TensorViews(evidence, torch.ones(9, 1, dtype=torch.bool), torch.full((2,), 0.05)), "dempster")
    fused.sum().backward()
    assert fused.max().item() == pytest.approx(LARGEST)
    assert evidence.grad is not None
    assert evidence.grad.isfinite().all()


def test_unknown_rules_and_idle_reliabilities_are_refused() -> None:
    views = TensorViews(torch.ones(2, 1, 2), torch.ones(2, 1, dtype=torch.bool), torch.ones(2), torch.ones(2))
    with pytest.raises(ConfigError, match="fusion rule 'vote' is not known to training; choose one of weighted"):
        fuse_tensors(views, "vote")
    with pytest.raises(ConfigError, match="'average' takes no reliabilities; choose weighted"):
        fuse_tensors(views, "average")
