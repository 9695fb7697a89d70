"""Temperature and curve against closed forms and scikit-learn."""

import numpy as np
import pytest
from scipy.special import logit

from emer.evidence.temperature import TEMPERATURES, Curve, fit_curve, fit_temperature, negative_log_likelihood, tempered


def two_labels(ratio: float, right: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """`rows` opinions with alpha (ratio, 1), of which `right` are right."""
    target = np.zeros((rows, 2))
    target[:right, 0] = 1
    target[right:, 1] = 1
    return np.tile([ratio, 1.0], (rows, 1)), target


def test_two_labels_have_a_temperature_in_closed_form() -> None:
    """p(T) = sigmoid(log ratio / T) must equal the smoothed share f of right rows: T = log ratio / logit f."""
    alpha, target = two_labels(99.0, 80, 100)
    share = (80 + 0.5) / (100 + 1)
    assert fit_temperature(alpha, target) == pytest.approx(np.log(99) / logit(share), rel=1e-4)


def test_votes_weigh_like_rows() -> None:
    """A hundred rows with 8 of 10 votes for the first label ask for what 80 of 100 right rows ask for."""
    alpha, target = two_labels(99.0, 80, 100)
    assert fit_temperature(alpha, np.tile([0.8, 0.2], (100, 1))) == pytest.approx(
        fit_temperature(alpha, target), rel=1e-4
    )


def test_a_temperature_put_in_is_found_again() -> None:
    """Labels drawn from p at temperature 2.5 ask for 2.5, up to what 20,000 draws leave open."""
    rng = np.random.default_rng(0)
    alpha = rng.exponential(5.0, (20_000, 6)) ** 2 + 1
    label = (tempered(alpha, 2.5).cumsum(1) < rng.random((20_000, 1))).sum(1)
    assert fit_temperature(alpha, np.eye(6)[label]) == pytest.approx(2.5, rel=0.05)


def test_the_temperature_is_the_best_of_a_fine_grid() -> None:
    rng = np.random.default_rng(1)
    alpha, target = rng.exponential(5.0, (300, 4)) + 0.2, rng.dirichlet(np.ones(4), 300)
    smoothed = (300 * target + 0.25) / 301
    grid = np.exp(np.linspace(*np.log(TEMPERATURES), 5_001))
    best = grid[np.argmin([negative_log_likelihood(alpha, smoothed, t) for t in grid])]
    assert fit_temperature(alpha, target) == pytest.approx(best, rel=1e-3)


def test_rows_that_are_all_right_do_not_ask_for_endless_certainty() -> None:
    alpha, target = two_labels(9.0, 20, 20)
    p = tempered(alpha, fit_temperature(alpha, target))[0, 0]
    assert p == pytest.approx(20.5 / 21, rel=1e-3)


def test_opinions_that_are_always_wrong_become_even() -> None:
    alpha, target = two_labels(9.0, 0, 200)
    temperature = fit_temperature(alpha, target)
    assert temperature == pytest.approx(TEMPERATURES[1], rel=1e-3)
    assert tempered(alpha, temperature)[0] == pytest.approx([0.5, 0.5], abs=0.02)


def test_temperature_one_is_the_mean_and_no_temperature_changes_the_order() -> None:
    rng = np.random.default_rng(2)
    alpha = rng.exponential(5.0, (50, 5)) + 0.1
    assert np.allclose(tempered(alpha, 1.0), alpha / alpha.sum(1, keepdims=True))
    for temperature in (0.05, 0.5, 3.0, 40.0):
        assert (np.argsort(tempered(alpha, temperature)) == np.argsort(alpha)).all()


def test_a_temperature_per_label_is_applied_label_by_label() -> None:
    alpha = np.array([[[9.0, 1.0], [9.0, 1.0]]])
    assert tempered(alpha, np.array([[1.0, 2.0]]))[..., 0].tolist() == [[pytest.approx(0.9), pytest.approx(0.75)]]


def test_tiny_and_huge_alpha_stay_finite() -> None:
    alpha = np.array([[1e-6, 1e100], [1e100, 1e100]])
    for temperature in TEMPERATURES:
        p = tempered(alpha, temperature)
        assert np.isfinite(p).all()
        assert p.sum(1).tolist() == pytest.approx([1, 1])


# ---------------------------------------------------------------- curve


def test_the_curve_equals_isotonic_regression_of_scikit_learn() -> None:
    isotonic = pytest.importorskip("sklearn.isotonic")
    rng = np.random.default_rng(0)
    confidence = rng.random(400).round(2)
    right = (rng.random(400) < confidence**2).astype(float)
    least = 1 / 402
    reference = isotonic.IsotonicRegression(out_of_bounds="clip").fit(confidence, right)
    asked = np.linspace(-0.1, 1.1, 1000)
    at_knots = np.unique(confidence)
    curve = fit_curve(confidence, right)
    assert np.allclose(curve(at_knots), np.clip(reference.predict(at_knots), least, 1 - least))
    assert np.allclose(curve(asked), np.clip(reference.predict(asked), least, 1 - least), atol=0.02)


def test_the_curve_rises_and_promises_neither_never_nor_always() -> None:
    rng = np.random.default_rng(3)
    confidence = rng.random(300)
    curve = fit_curve(confidence, (confidence > 0.5).astype(float))
    values = curve(np.linspace(0, 1, 500))
    assert (np.diff(values) >= 0).all()
    assert (values[0], values[-1]) == pytest.approx((1 / 302, 301 / 302))


def test_one_confidence_for_all_rows_becomes_the_share_that_was_right() -> None:
    curve = fit_curve(np.full(10, 0.9), np.array([1.0] * 6 + [0.0] * 4))
    assert curve == Curve((0.9,), (0.6,))
    assert curve(np.array([0.0, 1.0])).tolist() == [0.6, 0.6]
