"""Brier, NLL and total variation against scikit-learn, scipy and torch, with one-hot and human targets."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.distance import cityblock
from sklearn.metrics import brier_score_loss, log_loss

from emer.metrics import proper_scores as ps
from emer.metrics.errors import MetricError

SCORES = [ps.brier, ps.nll, ps.total_variation]


def distributions(rng: np.random.Generator, n: int = 200, labels: int = 5) -> np.ndarray:
    return rng.dirichlet(np.ones(labels), n)


def test_brier_and_nll_equal_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    p, y = distributions(rng), rng.integers(0, 5, 200)
    labels = np.arange(5)
    assert ps.nll(p, y) == pytest.approx(log_loss(y, p, labels=labels))
    assert ps.brier(p, y) == pytest.approx(brier_score_loss(y, p, labels=labels, scale_by_half=False))


def test_soft_nll_equals_torchs_cross_entropy_with_probabilities() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    p, y = distributions(rng), distributions(rng)
    expected = torch.nn.functional.cross_entropy(torch.tensor(np.log(p)), torch.tensor(y))
    assert ps.nll(p, y) == pytest.approx(float(expected))


def test_total_variation_is_half_scipys_city_block_distance() -> None:
    rng = np.random.default_rng(2)
    p, y = distributions(rng), distributions(rng)
    assert ps.total_variation(p, y) == pytest.approx(np.mean([cityblock(a, b) / 2 for a, b in zip(p, y, strict=True)]))


@pytest.mark.parametrize("score", SCORES)
def test_a_label_number_is_the_distribution_with_all_mass_on_it(score: Callable) -> None:
    rng = np.random.default_rng(3)
    p, y = distributions(rng), rng.integers(0, 5, 200)
    assert score(p, y) == pytest.approx(score(p, np.eye(5)[y]))


@pytest.mark.parametrize("score", [ps.brier, ps.nll])
def test_no_other_statement_is_better_than_the_true_one(score: Callable) -> None:
    """Propriety, on human distributions: any shift away from them costs."""
    rng = np.random.default_rng(4)
    y = distributions(rng)
    for _ in range(20):
        other = 0.9 * y + 0.1 * distributions(rng)
        assert score(other, y) > score(y, y)


def test_the_top_label_is_right_as_often_as_people_say() -> None:
    p = np.array([[0.1, 0.6, 0.3], [0.5, 0.5, 0.0]])
    confidence, share = ps.top_label(p, np.array([[0.2, 0.7, 0.1], [0.4, 0.6, 0.0]]))
    assert (confidence.tolist(), share.tolist()) == ([0.6, 0.5], [0.7, 0.4])
    assert ps.top_label(p, np.array([1, 1]))[1].tolist() == [1.0, 0.0]


def test_a_certain_mistake_costs_a_finite_sum() -> None:
    assert ps.nll(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(12 * np.log(10))
    assert ps.nll(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])) == pytest.approx(6 * np.log(10))
    assert ps.brier(np.array([[1.0, 0.0]]), np.array([1])) == 2.0
    assert ps.total_variation(np.array([[1.0, 0.0]]), np.array([1])) == 1.0


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize(
    ("probability", "target", "message"),
    [
        ([[0.5, 0.5]], [0, 1], "probability has 1, target has 2"),
        ([], [], "probability is empty"),
        ([[0.5, np.nan]], [0], "probability is nan in row 0"),
        ([[0.5, 0.6]], [0], "row 0 of probability sums to 1.1; probabilities over labels must sum to 1"),
        ([[1.5, -0.5]], [0], r"probability is 1.5 in row 0 \(and 1 more\): outside"),
        ([[0.5, 0.5]], [-1], "target is -1 in row 0: negative: label numbers start at 0"),
        ([[0.5, 0.5]], [2], r"target is 2 in row 0: not one of the 2 labels \(0 to 1\)"),
        ([[0.5, 0.5]], [0.5], "target must be whole numbers"),
        ([[0.5, 0.5]], [[0.2, 0.2, 0.6]], "numbers of labels differ: probability has 2, target has 3"),
        ([[0.5, 0.5]], [[0.2, 0.2]], "row 0 of target sums to 0.4"),
        ([0.5, 0.5], [0, 1], r"probability has shape \(2,\)"),
    ],
)
def test_what_is_no_distribution_is_refused_with_its_reason(probability: list, target: list, message: str) -> None:
    for score in SCORES:
        with pytest.raises(MetricError, match=message):
            score(probability, target)
