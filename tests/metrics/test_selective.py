"""Risk and coverage against torch-uncertainty, scikit-learn, every order of the tied rows, and hand counts."""

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from oracles import torch_uncertainty
from sklearn.metrics import roc_auc_score

from emer.metrics import selective
from emer.metrics.errors import MetricError

AREAS = [selective.aurc, selective.e_aurc, selective.augrc]


def untied(rng: np.random.Generator, n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    confidence = 0.5 + (rng.permutation(n) + 1) / (2 * n)
    return confidence, (rng.random(n) > confidence).astype(float)


def tied(rng: np.random.Generator, n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    confidence = rng.integers(0, 11, n) / 10
    return confidence, (rng.random(n) > confidence).astype(float)


def theirs(name: str, confidence: np.ndarray, risk: np.ndarray, *settings: float) -> float:
    """A metric of torch-uncertainty on two labels; the predicted one is 1, with the confidence given (above .5)."""
    torch = pytest.importorskip("torch")
    metric = getattr(torch_uncertainty("classification/risk_coverage"), name)(*settings)
    metric.update(torch.tensor(confidence, dtype=torch.float64), torch.tensor(1 - risk).long())
    return float(metric.compute())


# ---------------------------------------------------------------- other libraries


def test_the_curve_under_a_trapezoid_is_torch_uncertaintys_aurc() -> None:
    """Theirs is the trapezoid from coverage 1/n to 1, stretched to unit width; ours is the mean of all n risks."""
    rng = np.random.default_rng(0)
    for _ in range(10):
        confidence, risk = untied(rng)
        curve = selective.risk_coverage(confidence, risk)
        stretched = np.trapezoid(curve.risk, curve.coverage) / (1 - 1 / len(risk))
        assert stretched == pytest.approx(theirs("AURC", confidence, risk), abs=1e-6)
        ends = (curve.risk[0] + curve.risk[-1]) / 2
        assert selective.aurc(confidence, risk) == pytest.approx(
            (theirs("AURC", confidence, risk) * (len(risk) - 1) + ends) / len(risk), abs=1e-6
        )


def test_the_generalised_curve_under_a_trapezoid_is_torch_uncertaintys_augrc() -> None:
    rng = np.random.default_rng(1)
    for _ in range(10):
        confidence, risk = untied(rng)
        curve = selective.risk_coverage(confidence, risk)
        joint = curve.risk * curve.coverage
        stretched = np.trapezoid(joint, curve.coverage) / (1 - 1 / len(risk))
        assert stretched == pytest.approx(theirs("AUGRC", confidence, risk), abs=1e-6)
        assert selective.augrc(confidence, risk) == pytest.approx(np.mean(joint))


def test_on_ties_the_curve_is_the_mean_of_torch_uncertaintys_over_every_order() -> None:
    """Theirs depends on the order in which tied rows are given; ours is its mean over the 720 orders of six rows."""
    confidence = np.array([0.9, 0.7, 0.7, 0.7, 0.6, 0.6])
    risk = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 0.0])
    orders = [list(order) for order in permutations(range(6))]
    all_of_them = [theirs("AURC", confidence[order], risk[order]) for order in orders]
    assert max(all_of_them) > min(all_of_them) + 0.05
    curve = selective.risk_coverage(confidence, risk)
    assert np.trapezoid(curve.risk, curve.coverage) / (5 / 6) == pytest.approx(np.mean(all_of_them), abs=1e-6)


def test_coverage_at_risk_and_risk_at_coverage_equal_torch_uncertaintys() -> None:
    rng = np.random.default_rng(2)
    for at in (0.05, 0.2, 0.33, 0.8, 1.0):
        confidence, risk = untied(rng)
        coverage = theirs("CovAtxRisk", confidence, risk, at)
        ours = selective.coverage_at_risk(confidence, risk, at)
        assert ours == pytest.approx(0.0 if np.isnan(coverage) else coverage)
        expected = theirs("RiskAtxCov", confidence, risk, at)
        assert selective.risk_at_coverage(confidence, risk, at) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("draw", [untied, tied])
def test_auroc_equals_scikit_learns(draw: Callable) -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        confidence, risk = draw(rng)
        expected = roc_auc_score(risk == 0, confidence)
        assert selective.auroc(confidence, risk == 0) == pytest.approx(expected)
        assert selective.selective_scores(confidence, risk).auroc == pytest.approx(expected)


# ---------------------------------------------------------------- ties and order


@pytest.mark.parametrize("area", AREAS)
def test_an_area_on_ties_is_the_mean_over_every_order_of_the_tied_rows(area: Callable) -> None:
    """Written out by brute force: ties are broken by a tiny amount in each possible order."""
    confidence = np.array([0.8, 0.8, 0.8, 0.5, 0.5])
    risk = np.array([0.2, 1.0, 0.0, 0.7, 0.1])
    broken = []
    for order in permutations(range(5)):
        broken.append(area(confidence + 1e-6 * np.array(order), risk))
    assert area(confidence, risk) == pytest.approx(np.mean(broken))


@pytest.mark.parametrize("area", AREAS)
def test_no_area_depends_on_the_order_of_the_rows(area: Callable) -> None:
    rng = np.random.default_rng(4)
    confidence, risk = tied(rng)
    for _ in range(10):
        order = rng.permutation(len(risk))
        assert area(confidence[order], risk[order]) == pytest.approx(area(confidence, risk), abs=1e-14)
        assert selective.risk_at_coverage(confidence[order], risk[order], 0.37) == pytest.approx(
            selective.risk_at_coverage(confidence, risk, 0.37), abs=1e-14
        )


def test_without_any_information_the_curve_is_flat_at_the_mean_risk() -> None:
    risk = np.array([1.0, 0.0, 0.0, 0.5])
    curve = selective.risk_coverage(np.full(4, 0.3), risk)
    assert curve.risk == pytest.approx(np.full(4, 0.375))
    assert selective.aurc(np.full(4, 0.3), risk) == pytest.approx(0.375)


def test_a_threshold_cannot_part_a_tie() -> None:
    """Two right and one wrong at one confidence: to accept any is to accept all three, risk 1/3."""
    confidence, risk = np.array([0.9, 0.5, 0.5, 0.5]), np.array([0.0, 0.0, 0.0, 1.0])
    assert selective.coverage_at_risk(confidence, risk, 0.2) == 0.25
    assert selective.coverage_at_risk(confidence, risk, 0.25) == 1.0


# ---------------------------------------------------------------- closed forms


def test_a_perfect_ranking_has_no_excess_and_nears_the_published_integral() -> None:
    """Geifman, Uziel & El-Yaniv 2019: the best AURC at error rate r is r + (1 - r) ln(1 - r) for many rows."""
    n, r = 20_000, 0.3
    risk = (np.arange(n) >= n * (1 - r)).astype(float)
    confidence = np.linspace(1, 0, n)
    assert selective.e_aurc(confidence, risk) == pytest.approx(0, abs=1e-12)
    assert selective.aurc(confidence, risk) == pytest.approx(r + (1 - r) * np.log(1 - r), abs=1e-4)
    assert selective.augrc(confidence, risk) == pytest.approx(r**2 / 2, abs=1e-4)


def test_the_worst_ranking_by_hand() -> None:
    """Wrong first, then right: risks 1, 1/2, and the best order has 0, 1/2."""
    confidence, risk = np.array([0.9, 0.1]), np.array([1.0, 0.0])
    assert selective.aurc(confidence, risk) == 0.75
    assert selective.e_aurc(confidence, risk) == 0.5
    assert selective.auroc(confidence, risk == 0) == 0.0


def test_graded_risks_by_hand() -> None:
    """Risks .2, .6 in that order: (.2 + .4) / 2 = .3; reversed (.6 + .4) / 2 = .5, so .2 above the best."""
    risk = np.array([0.2, 0.6])
    assert selective.aurc(np.array([0.9, 0.1]), risk) == pytest.approx(0.3)
    assert selective.e_aurc(np.array([0.1, 0.9]), risk) == pytest.approx(0.2)
    assert selective.selective_scores(np.array([0.1, 0.9]), risk).auroc is None


def test_augrc_follows_from_auroc_and_accuracy() -> None:
    """Traub et al. 2024, equation 6, exact for finite n with the diagonal term r / (2 n) added by hand.

    Mean over k of the wrong rows among the k best = r n (1 - r) (1 - AUROC) / n + r^2 / 2 + r / (2 n), over n.
    """
    rng = np.random.default_rng(5)
    for draw in (untied, tied):
        confidence, risk = draw(rng, 300)
        r, n = risk.mean(), len(risk)
        expected = r * (1 - r) * (1 - selective.auroc(confidence, risk == 0)) + r**2 / 2 + r / (2 * n)
        assert selective.augrc(confidence, risk) == pytest.approx(expected)


def test_all_scores_together_equal_each_by_itself() -> None:
    confidence, risk = tied(np.random.default_rng(6))
    scores = selective.selective_scores(confidence, risk)
    assert scores.aurc == selective.aurc(confidence, risk)
    assert scores.e_aurc == selective.e_aurc(confidence, risk)
    assert scores.augrc == selective.augrc(confidence, risk)
    assert (scores.risk, scores.n) == (pytest.approx(risk.mean()), 80)


# ---------------------------------------------------------------- defined values, bad input


def test_all_right_and_all_wrong_are_defined() -> None:
    confidence = np.array([0.2, 0.9, 0.9])
    for value in (0.0, 1.0):
        risk = np.full(3, value)
        assert selective.aurc(confidence, risk) == value
        assert selective.e_aurc(confidence, risk) == 0
        assert np.isnan(selective.auroc(confidence, risk == 0))
    assert selective.coverage_at_risk(confidence, np.ones(3), 0.5) == 0.0


def test_a_coverage_that_falls_on_a_row_is_not_rounded_up_by_float_error() -> None:
    """.07 * 100 is 7.000000000000001 in floating point; seven rows are meant."""
    confidence = np.linspace(1, 0, 100)
    risk = (np.arange(100) == 7).astype(float)
    assert selective.risk_at_coverage(confidence, risk, 0.07) == 0


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize(
    ("confidence", "risk", "message"),
    [
        ([0.5], [1.0, 0.0], "confidence has 1, risk has 2"),
        ([], [], "empty"),
        ([0.5, np.inf], [1.0, 0.0], "confidence is inf in row 1: not a finite number"),
        ([0.5, 0.5], [np.nan, 0.0], "risk is nan in row 0"),
        ([0.5, 0.5], [0.0, 1.5], r"risk is 1.5 in row 1: outside \[0, 1\]"),
        ([0.5, 2], [0.0, 1.0], r"confidence is 2 in row 1: outside \[0, 1\]"),
    ],
)
def test_what_cannot_be_ranked_is_refused_with_its_reason(confidence: list, risk: list, message: str) -> None:
    for score in [*AREAS, selective.risk_coverage, selective.selective_scores]:
        with pytest.raises(MetricError, match=message):
            score(confidence, risk)


def test_a_target_outside_the_unit_interval_is_refused() -> None:
    with pytest.raises(MetricError, match="target is 5"):
        selective.coverage_at_risk(np.array([0.5]), np.array([0.0]), 5)
    with pytest.raises(MetricError, match="coverage is -1"):
        selective.risk_at_coverage(np.array([0.5]), np.array([0.0]), -1)
