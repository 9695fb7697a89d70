"""Trusted scores against TER's own table, scikit-learn, brute force and hand counts."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_curve, precision_score, recall_score

from emer.errors import EmerError
from emer.jsonio import dumps, loads
from emer.metrics import trusted
from emer.metrics.errors import MetricError
from emer.metrics.trusted import TRUST_NOTHING, Rule, Threshold

RULES: list[tuple[Rule, float | None]] = [("max_f1", None), ("max_accuracy", None), ("target_risk", 0.25)]


def tied(rng: np.random.Generator, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Confidences on a grid of tenths, so that most are tied, and answers that follow them loosely."""
    confidence = rng.integers(0, 11, n) / 10
    return confidence, rng.random(n) < 0.3 + 0.5 * confidence


def names(n: int, prefix: str = "clip") -> list[str]:
    return [f"{prefix}{i}" for i in range(n)]


# ---------------------------------------------------------------- the numbers


@pytest.mark.parametrize(("accuracy", "reported"), [(0.8240, 0.9035)])
def test_trusting_everything_gives_the_trusted_f1_that_ter_reports(accuracy: float, reported: float) -> None:
    """TER's Music-video row: accuracy 82.40 %, trusted F1 .9035; 2 * .824 / 1.824 = .90351."""
    n = 10_000
    right = np.arange(n) < round(accuracy * n)
    scores = trusted.scores_at(np.full(n, 0.5), right, threshold=0.5)
    assert scores.f1 == pytest.approx(reported, abs=5e-5)
    assert scores.floor == pytest.approx(0.9035088, abs=1e-7)
    assert scores.gain == 0
    assert scores.coverage == 1
    assert scores.accuracy == pytest.approx(accuracy)


def test_scores_at_a_threshold_equal_scikit_learns_on_trusted_as_a_prediction_of_right() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        confidence, right = tied(rng)
        at = rng.random()
        scores = trusted.scores_at(confidence, right, at)
        predicted = confidence >= at
        assert scores.precision == pytest.approx(precision_score(right, predicted, zero_division=0))
        assert scores.recall == pytest.approx(recall_score(right, predicted, zero_division=0))
        assert scores.f1 == pytest.approx(f1_score(right, predicted, zero_division=0))
        assert scores.accuracy == pytest.approx(np.mean(right == predicted))
        assert scores.floor == pytest.approx(f1_score(right, np.ones_like(right)))


def test_the_curve_equals_scikit_learns_precision_recall_curve() -> None:
    confidence, right = tied(np.random.default_rng(1), 200)
    ours = trusted.curve(confidence, right)
    precision, recall, threshold = precision_recall_curve(right, confidence)
    assert ours.threshold[::-1] == pytest.approx(threshold)
    assert ours.precision[::-1] == pytest.approx(precision[:-1])
    assert ours.recall[::-1] == pytest.approx(recall[:-1])


def test_the_curve_equals_the_scores_at_each_of_its_thresholds() -> None:
    confidence, right = tied(np.random.default_rng(2))
    curve = trusted.curve(confidence, right)
    for i, threshold in enumerate(curve.threshold):
        scores = trusted.scores_at(confidence, right, threshold)
        assert (curve.f1[i], curve.accuracy[i], curve.coverage[i]) == pytest.approx(
            (scores.f1, scores.accuracy, scores.coverage)
        )


# ---------------------------------------------------------------- defined values


def test_an_empty_trusted_set_has_zeros_and_the_accuracy_of_distrust() -> None:
    """Three rows, two right, none trusted: only the one wrong row is treated well."""
    scores = trusted.scores_at(np.array([0.1, 0.2, 0.3]), np.array([True, True, False]), 0.9)
    assert (scores.precision, scores.recall, scores.f1, scores.coverage) == (0, 0, 0, 0)
    assert scores.accuracy == pytest.approx(1 / 3)
    assert scores.gain == pytest.approx(-0.8)  # floor 2 * 2 / (3 + 2)


def test_all_wrong_has_a_floor_of_zero_and_no_gain() -> None:
    scores = trusted.scores_at(np.array([0.1, 0.9]), np.array([False, False]), 0.5)
    assert (scores.precision, scores.recall, scores.f1, scores.floor, scores.gain) == (0, 0, 0, 0, 0)
    assert scores.accuracy == 0.5
    assert trusted.break_even_oracle(np.array([0.1, 0.9]), np.array([False, False])).f1 == 0


def test_all_right_has_a_floor_of_one_and_any_distrust_costs() -> None:
    scores = trusted.scores_at(np.array([0.1, 0.9]), np.array([True, True]), 0.5)
    assert (scores.precision, scores.recall, scores.floor) == (1, 0.5, 1)
    assert scores.gain == pytest.approx(2 / 3 - 1)
    assert trusted.break_even_oracle(np.array([0.1, 0.9]), np.array([True, True])).f1 == 1


# ---------------------------------------------------------------- the oracle


def test_at_break_even_precision_and_recall_are_the_same() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        confidence, right = rng.random(50), rng.random(50) < 0.6
        oracle = trusted.break_even_oracle(confidence, right)
        assert oracle.precision == pytest.approx(oracle.recall)
        best = np.argsort(-confidence)[: right.sum()]
        assert oracle.precision == pytest.approx(right[best].mean())
        assert oracle.threshold is None


def test_break_even_shares_a_tie_as_random_orders_would_on_average() -> None:
    """Ten rows of one confidence, four right: a random four of them hold 1.6 right ones on average."""
    right = np.arange(10) < 4
    assert trusted.break_even_oracle(np.full(10, 0.5), right).precision == pytest.approx(0.4)


def test_break_even_is_not_fooled_by_the_empty_set() -> None:
    """The most confident row is wrong, so |TP - TR| is 0 for the empty set and for C rows; only the latter counts."""
    assert trusted.break_even_oracle(np.array([0.9, 0.8, 0.7]), np.array([False, True, True])).f1 == 0.5


# ---------------------------------------------------------------- order


def test_no_trusted_score_depends_on_the_order_of_the_rows() -> None:
    rng = np.random.default_rng(4)
    confidence, right = tied(rng)
    for _ in range(10):
        order = rng.permutation(len(right))
        c, r = confidence[order], right[order]
        assert trusted.break_even_oracle(c, r) == trusted.break_even_oracle(confidence, right)
        for rule, at in RULES:
            ours = trusted.fit_threshold(c, r, names(60), rule, at)
            assert ours == trusted.fit_threshold(confidence, right, names(60), rule, at)


# ---------------------------------------------------------------- fitting


def brute_force(confidence: np.ndarray, right: np.ndarray, rule: str) -> float:
    """The best score over every confidence that occurs and over trusting nothing, by counting."""
    best = -1.0
    for threshold in [*np.unique(confidence), 9.0]:
        t = confidence >= threshold
        score = f1_score(right, t, zero_division=0) if rule == "max_f1" else np.mean(t == right)
        best = max(best, float(score))
    return best


@pytest.mark.parametrize("rule", ["max_f1", "max_accuracy"])
def test_the_fitted_threshold_is_the_best_there_is(rule: Rule) -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        confidence, right = tied(rng, 25)
        fitted = trusted.fit_threshold(confidence, right, names(25), rule)
        scores = trusted.scores_at(confidence, right, fitted.value)
        reached = scores.f1 if rule == "max_f1" else scores.accuracy
        assert reached == pytest.approx(brute_force(confidence, right, rule))


def test_of_equally_good_thresholds_the_lowest_is_taken() -> None:
    """Right, wrong, right, wrong: trusting one row or three treats three rows well either way; three cover more."""
    confidence, right = np.array([0.9, 0.8, 0.7, 0.2]), np.array([True, False, True, False])
    assert trusted.fit_threshold(confidence, right, names(4), "max_accuracy").value == 0.7


def test_a_target_risk_is_kept_with_the_most_coverage() -> None:
    rng = np.random.default_rng(6)
    for _ in range(20):
        confidence, right = tied(rng)
        fitted = trusted.fit_threshold(confidence, right, names(60), "target_risk", at=0.25)
        kept = {t for t in np.unique(confidence) if np.mean(~right[confidence >= t]) <= 0.25}
        assert fitted.value == (min(kept) if kept else TRUST_NOTHING)


def test_where_everything_is_wrong_nothing_is_trusted() -> None:
    for rule, at in RULES:
        fitted = trusted.fit_threshold(np.array([0.2, 0.9]), np.array([False, False]), names(2), rule, at)
        assert fitted.value == TRUST_NOTHING


def test_where_everything_is_right_everything_is_trusted() -> None:
    for rule, at in RULES:
        fitted = trusted.fit_threshold(np.array([0.2, 0.9]), np.array([True, True]), names(2), rule, at)
        assert fitted.value == 0.2


def test_a_threshold_survives_json() -> None:
    fitted = trusted.fit_threshold(np.array([0.2, 0.9]), np.array([False, True]), names(2))
    assert loads(dumps(fitted), Threshold) == fitted
    assert fitted.fitted_on == ("clip0", "clip1")
    assert fitted.n == 2


# ---------------------------------------------------------------- never on test


def test_a_threshold_fitted_on_test_is_refused_by_name() -> None:
    confidence, right = tied(np.random.default_rng(7), 20)
    fitted = trusted.fit_threshold(confidence, right, names(20))
    with pytest.raises(
        MetricError, match=r"threshold fitted on test: 20 of the 20 scored rows \(clip0, clip1, clip10, …"
    ):
        trusted.score(confidence, right, fitted, names(20))
    with pytest.raises(MetricError, match=r"threshold fitted on test: 1 of the 20 scored rows \(clip7\)"):
        trusted.score(confidence, right, fitted, [*names(19, "new"), "clip7"])
    assert trusted.score(confidence, right, fitted, names(20, "new")).threshold == fitted.value


def test_numbered_rows_are_told_apart_like_named_ones() -> None:
    confidence, right = np.array([0.2, 0.9]), np.array([False, True])
    fitted = trusted.fit_threshold(confidence, right, np.array([3, 4]))
    assert trusted.score(confidence, right, fitted, [5, 6]).f1 == 1
    with pytest.raises(MetricError, match=r"fitted on test: 1 of the 2 scored rows \(4\)"):
        trusted.score(confidence, right, fitted, np.array([4, 5]))


def test_a_fitted_threshold_is_not_scored_without_row_ids() -> None:
    confidence, right = np.array([0.2, 0.9]), np.array([False, True])
    fitted = trusted.fit_threshold(confidence, right, names(2))
    with pytest.raises(MetricError, match="give rows="):
        trusted.score(confidence, right, fitted)


def test_a_fixed_threshold_looks_at_no_row_and_may_be_scored_anywhere() -> None:
    confidence, right = np.array([0.2, 0.9]), np.array([False, True])
    fixed = trusted.fit_threshold(confidence, right, names(2), "fixed", at=0.5)
    assert (fixed.value, fixed.fitted_on, fixed.n) == (0.5, (), 0)
    assert trusted.score(confidence, right, fixed).f1 == 1


# ---------------------------------------------------------------- bad input

GOOD = (np.array([0.5, 0.6]), np.array([True, False]))


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize(
    ("confidence", "right", "message"),
    [
        ([0.5], [True, False], "confidence has 1, right has 2"),
        ([], [], "confidence is empty: there is nothing to score"),
        ([0.5, np.nan], [True, False], "confidence is nan in row 1: not a finite number"),
        ([1.5, 0.5], [True, False], r"confidence is 1.5 in row 0: outside \[0, 1\]"),
        ([-0.1, -0.2], [True, False], r"confidence is -0.1 in row 0 \(and 1 more\): outside"),
        ([0.5, 0.5], [1, 2], "right is 2 in row 1: neither 0 nor 1"),
        ([0.5, 0.5], ["yes", "no"], "right must be numbers"),
        ([[0.5], [0.5]], [1, 0], r"confidence has shape \(2, 1\)"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_its_reason(confidence: list, right: list, message: str) -> None:
    for act in (
        lambda: trusted.scores_at(confidence, right, 0.5),
        lambda: trusted.break_even_oracle(confidence, right),
    ):
        with pytest.raises(MetricError, match=message):
            act()


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rule": "best"}, "no threshold rule 'best'; choose one of max_f1, max_accuracy, target_risk, fixed"),
        ({"rule": "target_risk"}, "needs a number: give at="),
        ({"rule": "max_f1", "at": 0.5}, "takes no number, but at=0.5 was given"),
        ({"rule": "fixed", "at": 1.5}, r"at is 1.5; it must lie in \[0, 1\]"),
        ({"rows": ["a"]}, "confidence has 2, rows has 1"),
        ({"rows": [-1, 0]}, "rows is -1 in row 0: negative"),
        ({"rows": [0.5, 1.5]}, "rows must be words or whole numbers"),
    ],
)
def test_a_threshold_that_cannot_be_fitted_says_why(change: dict, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        trusted.fit_threshold(*GOOD, **{"rows": ["a", "b"], **change})


def test_a_threshold_that_is_no_number_is_refused() -> None:
    with pytest.raises(EmerError, match="the threshold is nan"):
        trusted.scores_at(*GOOD, float("nan"))
