"""Calibration of generated labels, on numbers drawn from known distributions and on rows counted by hand."""

from math import log

import numpy as np
import pytest
from scipy.special import expit, logit

from emer.errors import ConfigError
from emer.evidence.label_calibration import Claim, calibrate_labels, label_scores, told_by
from emer.evidence.opinion import beta, dirichlet
from emer.metrics.errors import MetricError
from emer.metrics.label_figures import label_figures
from emer.types import Answer, Emotion

MOODS = ("happy", "sad")


def claims(raw: np.ndarray, right: np.ndarray, way: str = "token") -> list[Claim]:
    pairs = zip(raw, right, strict=True)
    return [Claim(i, "happy", ("glad",), bool(r), {way: float(p)}) for i, (p, r) in enumerate(pairs)]


def drawn(n: int, temperature: float, shift: float = 0.0) -> list[Claim]:
    """Numbers whose log-odds, divided and moved, are those of being right."""
    draw = np.random.default_rng(1)
    odds = draw.normal(0.5, 2.0, n)
    return claims(expit(odds), draw.random(n) < expit(odds / temperature + shift))


# ---------------------------------------------------------------- what is right


def test_claims_are_clusters_and_are_right_where_people_named_them_by_hand() -> None:
    verdict = dirichlet("mood", MOODS, [5, 1], trained=True)  # (5 + 1) / 8 for happy, W = 2
    labels = (Emotion("glad", "happy"), Emotion("meh"), Emotion("blue", "sad"), Emotion("merry", "happy"))
    answers = [
        Answer("", labels, verdict=verdict, scores={"glad": {"token": 0.2}, "merry": {"token": 0.9, "sampled": 0.4}}),
        Answer("", (Emotion("glad", "happy"),)),
        Answer("", labels, error="OutOfMemoryError"),
    ]
    happy, sad = label_scores(answers, [{"happy"}, (), {"sad"}])
    assert (happy.clip, happy.cluster, happy.labels, happy.right) == (0, "happy", ("glad", "merry"), True)
    assert happy.scores == {"token": 0.9, "sampled": 0.4, "verdict": 0.75}
    assert (sad.cluster, sad.right, dict(sad.scores)) == ("sad", False, {"verdict": 0.25})


def test_a_verdict_for_and_against_each_label_tells_of_each() -> None:
    """Beta, W = 2: (6 + 1) / (6 + 1 + 2)."""
    verdict = beta("mood", MOODS, [[6, 1], [0, 0]], trained=True)
    (claim,) = label_scores([Answer("", (Emotion("glad", "happy"),), verdict=verdict)], [{"sad"}])
    assert claim.scores["verdict"] == pytest.approx(7 / 9)
    assert not claim.right


def test_answers_and_gold_must_be_of_one_length() -> None:
    with pytest.raises(ConfigError, match="2 answers and 1 sets of gold clusters"):
        label_scores([Answer(""), Answer("")], [{"happy"}])


# ---------------------------------------------------------------- fitting


@pytest.mark.parametrize("true", [0.5, 3.0])
def test_a_temperature_is_found_again(true: float) -> None:
    found = calibrate_labels(drawn(8000, true), "token")
    assert found.temperature == pytest.approx(true, rel=0.06)
    assert (found.shift, found.n, found.way) == (0.0, 8000, "token")
    raw = np.array([0.9, 0.5, 0.02])
    np.testing.assert_allclose(logit(found(raw)), logit(raw) / found.temperature)


def test_platt_also_finds_the_shift_that_a_temperature_cannot() -> None:
    """Products of token probabilities are far too small: even odds are not even."""
    rows = drawn(8000, 2.0, shift=1.5)
    found = calibrate_labels(rows, "token", "platt")
    assert found.temperature == pytest.approx(2.0, rel=0.08)
    assert found.shift == pytest.approx(1.5, abs=0.08)
    raw, right = told_by(rows, "token")
    stiff = calibrate_labels(rows, "token")
    assert label_figures(found(raw), right).nll < label_figures(stiff(raw), right).nll - 0.05


def test_a_curve_gives_the_share_of_right_ones_at_each_number() -> None:
    raw = np.repeat([0.1, 0.9], 100)
    right = np.concatenate([np.arange(100) < 40, np.arange(100) < 60])
    found = calibrate_labels(claims(raw, right), "token", "isotonic")
    np.testing.assert_allclose(found(np.array([0.1, 0.9])), [0.4, 0.6])


def test_a_way_that_points_the_wrong_way_is_made_next_to_even_and_never_turned_round() -> None:
    rows = drawn(2000, -1.0)
    for method in ("temperature", "platt"):
        found = calibrate_labels(rows, "token", method)
        p = found(np.array([0.1, 0.9]))
        assert p[0] <= p[1] < p[0] + 0.05


def test_numbers_of_nought_and_one_have_an_answer() -> None:
    found = calibrate_labels(claims(np.array([1.0, 1.0, 0.0, 0.0]), np.array([True, False, True, False])), "token")
    assert np.all((found(np.array([0.0, 1.0])) > 0.1) & (found(np.array([0.0, 1.0])) < 0.9))


@pytest.mark.parametrize(
    ("raw", "right", "told"),
    [
        ([0.5, 0.6], [True, True], "of 2 claims all are right by way of token"),
        ([0.5, 0.6], [False, False], "of 2 claims none is right by way of token"),
        ([0.5, 1.6], [False, True], r"token has numbers outside 0 to 1 \(the first is 1.6\)"),
    ],
)
def test_claims_that_tell_nothing_are_refused(raw: list[float], right: list[bool], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        calibrate_labels(claims(np.array(raw), np.array(right)), "token")
    with pytest.raises(ConfigError, match="of 2 claims none has a number by way of sampled"):
        calibrate_labels(claims(np.array(raw), np.array(right)), "sampled")


# ---------------------------------------------------------------- figures


def test_figures_by_hand() -> None:
    """Right at .8, wrong at .6, right at .4. AURC: (0 + 1/2 + 1/3) / 3."""
    found = label_figures(np.array([0.8, 0.6, 0.4]), np.array([True, False, True]))
    assert (found.n, found.right) == (3, pytest.approx(2 / 3))
    assert found.nll == pytest.approx(-(log(0.8) + log(0.4) + log(0.4)) / 3)
    assert found.brier == pytest.approx(2 * (0.04 + 0.36 + 0.36) / 3)
    assert found.aurc == pytest.approx(5 / 18)
    assert found.ece == pytest.approx((0.2 + 0.6 + 0.6) / 3)  # more bins than rows: each row alone


def test_figures_of_nothing_are_refused() -> None:
    with pytest.raises(MetricError):
        label_figures(np.array([]), np.array([], dtype=bool))
