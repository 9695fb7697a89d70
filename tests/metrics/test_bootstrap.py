"""Intervals against closed forms, scipy's bootstrap, coverage of the truth, and each other."""

from inspect import signature

import numpy as np
import pytest
from scipy.stats import bootstrap as scipys
from scipy.stats import norm

from emer.metrics import bootstrap, classification, selective
from emer.metrics.errors import MetricError

Z = float(norm.ppf(0.975))


SCIPYS_CHANCE = "rng" if "rng" in signature(scipys).parameters else "random_state"
"""What scipy calls its generator since 1.15, and before."""


def speakers(rng: np.random.Generator, people: int, each: int, spread: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    """Answers of people who are good or bad as a whole: their own accuracy is .6 give or take `spread`."""
    own = np.clip(0.6 + spread * rng.standard_normal(people), 0, 1)
    who = np.repeat(np.arange(people), each)
    return (rng.random(people * each) < own[who]).astype(float), who


# ---------------------------------------------------------------- against others


def test_the_interval_of_a_mean_equals_the_normal_one_for_many_rows() -> None:
    right = (np.arange(2000) < 1500).astype(float)
    found = bootstrap.interval_of_means(right[:, None], replicates=4000)
    half = Z * np.sqrt(0.75 * 0.25 / 2000)
    assert (found.low, found.high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.05 * half)
    assert (found.score, found.n, found.groups, found.resampled) == (0.75, 2000, 2000, "rows")


def test_the_interval_of_any_metric_equals_scipys_percentile_bootstrap() -> None:
    """Both are random; with 4,000 replicates their ends agree to a twentieth of the width."""
    rng = np.random.default_rng(0)
    confidence = rng.random(150)
    risk = (rng.random(150) > confidence).astype(float)
    ours = bootstrap.interval(selective.aurc, confidence, risk, replicates=4000)
    theirs = scipys(
        (confidence, risk),
        selective.aurc,
        paired=True,
        vectorized=False,
        n_resamples=4000,
        method="percentile",
        **{SCIPYS_CHANCE: rng},
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.05 * (ours.high - ours.low))


def test_both_ways_in_give_the_same_interval() -> None:
    rng = np.random.default_rng(1)
    right, who = speakers(rng, 12, 10)
    uneven = np.sqrt(who * 12).astype(int)  # twelve speakers again, the last with many more rows than the first
    for groups in (None, who, uneven):
        slow = bootstrap.interval(np.mean, right, groups=groups, replicates=300)
        fast = bootstrap.interval_of_means(right[:, None], groups=groups, replicates=300)
        assert (slow.score, slow.low, slow.high) == pytest.approx((fast.score, fast.low, fast.high))
        assert (slow.n, slow.groups, slow.resampled) == (fast.n, fast.groups, fast.resampled)


def test_counts_of_cells_give_the_interval_of_the_score_itself() -> None:
    rng = np.random.default_rng(2)
    gold, predicted, who = rng.integers(0, 3, 120), rng.integers(0, 3, 120), rng.integers(0, 8, 120)

    def of_table(means: np.ndarray) -> np.ndarray:
        return classification.uar(means.reshape(*means.shape[:-1], 3, 3))

    codes, labels = classification.confusion_codes(gold, predicted)
    fast = bootstrap.interval_of_counts(codes, labels**2, of_table, groups=who, replicates=200)
    slow = bootstrap.interval(
        lambda g, p: classification.classification(g, p).uar, gold, predicted, groups=who, replicates=200
    )
    assert (fast.score, fast.low, fast.high) == pytest.approx((slow.score, slow.low, slow.high))


# ---------------------------------------------------------------- speakers


def test_resampling_speakers_is_wider_than_resampling_rows_by_the_design_effect() -> None:
    """20 people of 50 rows: the variance of the mean is the variance of people's means over 20, not p q / 1000."""
    right, who = speakers(np.random.default_rng(3), 20, 50)
    own = right.reshape(20, 50).mean(axis=1)
    by_people = bootstrap.interval_of_means(right[:, None], groups=who, replicates=4000)
    by_rows = bootstrap.interval_of_means(right[:, None], replicates=4000)
    assert by_people.high - by_people.low == pytest.approx(2 * Z * own.std() / np.sqrt(20), rel=0.07)
    assert by_rows.high - by_rows.low == pytest.approx(2 * Z * right.std() / np.sqrt(1000), rel=0.07)
    assert by_people.groups == 20
    assert by_people.resampled == "groups"


def test_intervals_over_speakers_hold_the_truth_about_as_often_as_they_say_and_row_intervals_do_not() -> None:
    """True accuracy .6. 300 draws of 30 people: 95 % intervals should hold it in about 92 to 95 %."""
    rng = np.random.default_rng(4)
    held = {"groups": 0, "rows": 0}
    for seed in range(300):
        right, who = speakers(rng, 30, 20, spread=0.15)
        for groups in (who, None):
            found = bootstrap.interval_of_means(right[:, None], groups=groups, replicates=300, seed=seed)
            held[found.resampled] += found.low <= 0.6 <= found.high
    assert held["groups"] / 300 > 0.88
    assert held["rows"] / 300 < 0.85


def test_speakers_with_more_rows_weigh_more() -> None:
    """Ann has nine right rows, Bo one wrong one: only replicates of Bo alone reach 0, a quarter of all."""
    right, who = np.array([1.0] * 9 + [0.0]), ["ann"] * 9 + ["bo"]
    found = bootstrap.interval(np.mean, right, groups=who, level=0.4)
    assert (found.score, found.low, found.high) == (0.9, 0.9, 0.9)
    assert bootstrap.interval(np.mean, right, groups=who).low == 0.0


# ---------------------------------------------------------------- pairs


def test_a_difference_of_systems_that_share_their_mistakes_is_sharper_than_their_intervals() -> None:
    rng = np.random.default_rng(5)
    theirs = (rng.random(400) < 0.7).astype(float)
    ours = np.maximum(theirs, (rng.random(400) < 0.1).astype(float))
    gap = bootstrap.difference_of_means(ours[:, None], theirs[:, None], replicates=2000)
    half = Z * (ours - theirs).std() / np.sqrt(400)
    assert gap.score == pytest.approx(ours.mean() - theirs.mean())
    assert (gap.low, gap.high) == pytest.approx((gap.score - half, gap.score + half), abs=0.12 * half)
    assert gap.low > 0
    alone = bootstrap.interval_of_means(ours[:, None])
    assert alone.low < theirs.mean()


def test_both_ways_of_comparing_give_the_same_interval() -> None:
    rng = np.random.default_rng(6)
    ours, who = speakers(rng, 9, 12)
    theirs, _ = speakers(rng, 9, 12)
    slow = bootstrap.difference(np.mean, (ours,), (theirs,), groups=who, replicates=200)
    fast = bootstrap.difference_of_means(ours[:, None], theirs[:, None], groups=who, replicates=200)
    assert (slow.score, slow.low, slow.high) == pytest.approx((fast.score, fast.low, fast.high))


def test_a_system_does_not_differ_from_itself() -> None:
    right, who = speakers(np.random.default_rng(7), 9, 12)
    confidence = np.linspace(0, 1, len(right))
    gap = bootstrap.difference(
        selective.aurc, (confidence, 1 - right), (confidence, 1 - right), groups=who, replicates=50
    )
    assert (gap.score, gap.low, gap.high) == (0, 0, 0)


# ---------------------------------------------------------------- seeds, sizes, undefined replicates


def test_the_same_seed_gives_the_same_interval_and_another_one_nearly() -> None:
    right, who = speakers(np.random.default_rng(8), 20, 10)
    first, again, other = (bootstrap.interval_of_means(right[:, None], groups=who, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first != other
    assert (first.low, first.high) == pytest.approx((other.low, other.high), abs=0.02)


def test_names_and_numbers_of_speakers_give_the_same_interval() -> None:
    right, who = speakers(np.random.default_rng(9), 9, 5)
    by_name = bootstrap.interval(np.mean, right, groups=[f"speaker {i}" for i in who], replicates=100)
    assert by_name == bootstrap.interval(np.mean, right, groups=who, replicates=100)


def test_bags_of_a_million_rows_have_the_spread_of_rows() -> None:
    """Closed form again: sqrt(p q / n) at n = 1,000,000, where rows stand in random bags of 200."""
    right = np.random.default_rng(10).random(1_000_000) < 0.8
    found = bootstrap.interval_of_means(right[:, None].astype(float), replicates=2000)
    half = Z * right.std() / 1000
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.06)
    assert (found.n, found.groups, found.resampled) == (1_000_000, 1_000_000, "rows")


def test_replicates_in_which_a_metric_is_undefined_are_left_out_and_counted() -> None:
    """Two rows, one right: AUROC needs both in a replicate, which half of them have; there it is 1."""
    found = bootstrap.interval(selective.auroc, np.array([0.9, 0.1]), np.array([True, False]), replicates=400)
    assert (found.score, found.low, found.high) == (1, 1, 1)
    assert 150 < found.replicates < 250


def test_a_metric_that_is_never_defined_has_an_undefined_interval() -> None:
    found = bootstrap.interval(selective.auroc, np.array([0.9, 0.1]), np.array([True, True]), replicates=10)
    assert np.isnan([found.score, found.low, found.high]).all()
    assert found.replicates == 0


# ---------------------------------------------------------------- bad input


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"groups": ["a"]}, "rows has 3, groups has 1"),
        ({"groups": ["a", "a", "a"]}, r"all 3 rows belong to one group \(a\)"),
        ({"groups": [0, 1, -1]}, "groups is -1 in row 2: negative; who is unknown needs a number of their own"),
        ({"groups": [0.5, 1, 2]}, "groups must be words or whole numbers"),
        ({"replicates": 0}, "replicates is 0; it must be 1 or more"),
        ({"level": 95}, r"level is 95; it must lie in \[0, 1\]"),
    ],
)
def test_what_cannot_be_resampled_is_refused_with_its_reason(settings: dict, message: str) -> None:
    right = np.array([1.0, 0.0, 1.0])
    with pytest.raises(MetricError, match=message):
        bootstrap.interval(np.mean, right, **settings)
    with pytest.raises(MetricError, match=message):
        bootstrap.interval_of_means(right[:, None], **settings)


@pytest.mark.usefixtures("as_users_run_it")
def test_columns_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(MetricError, match="column 0 has 2, column 1 has 3"):
        bootstrap.interval(selective.aurc, np.zeros(2), np.zeros(3))
    with pytest.raises(MetricError, match="give the arrays that the metric takes"):
        bootstrap.interval(np.mean)
    with pytest.raises(MetricError, match="there are no rows"):
        bootstrap.interval(np.mean, np.zeros(0))
    with pytest.raises(MetricError, match="columns is nan in row 0"):
        bootstrap.interval_of_means(np.array([[np.nan]]))
