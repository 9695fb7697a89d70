"""Comparisons: the fast AURC against `emer.metrics.selective`, replicates against plain resampling by hand."""

import numpy as np
import pytest
from made_predictions import made_folds

from emer.bench.answers import Answers, answers
from emer.bench.comparison import (
    _ranked,
    beside_best,
    best_method,
    compare,
    harmonic_numbers,
    mean_score,
    repeated_aurc,
    spread,
    spreads,
)
from emer.bench.scoring import scores
from emer.errors import ConfigError
from emer.metrics.selective import aurc


@pytest.fixture(scope="module")
def methods() -> dict[str, list[Answers]]:
    return {
        "keen": [answers(made_folds(seed, skill=4.0)) for seed in (0, 1)],
        "dull": [answers(made_folds(seed, skill=0.5)) for seed in (2, 3)],
        "keen again": [answers(made_folds(seed, skill=4.0)) for seed in (4, 5, 6)],
    }


@pytest.fixture(scope="module")
def same_rows(methods: dict[str, list[Answers]]) -> dict[str, list[Answers]]:
    """The truth is drawn from the same seeds whatever the skill: rows and targets are the same."""
    first = methods["keen"][0]
    assert all(np.array_equal(each.target, first.target) for seeds in methods.values() for each in seeds)
    return methods


def test_aurc_of_repeated_rows_is_that_of_the_rows_written_out(methods: dict[str, list[Answers]]) -> None:
    """Also with many ties, and with rows that are not drawn at all."""
    rng = np.random.default_rng(0)
    given = methods["dull"][0]
    for decimals in (8, 2, 1):
        sure = given.confidence.round(decimals)
        tied = type(given)(**{name: getattr(given, name) for name in given.__slots__} | {"confidence": sure})
        drawn = rng.integers(0, len(sure), 500)
        times = np.bincount(drawn, minlength=len(sure))
        ours = repeated_aurc(*_ranked(tied), times, harmonic_numbers(500))
        assert ours == pytest.approx(aurc(sure[drawn], given.risk[drawn]), abs=1e-12)


def test_the_interval_is_that_of_speakers_drawn_by_hand(same_rows: dict[str, list[Answers]]) -> None:
    ours, theirs = same_rows["keen"], same_rows["dull"]
    found = compare(ours, theirs, "aurc", replicates=400)
    speakers = np.array(ours[0].speakers)
    names, rng = np.unique(speakers), np.random.default_rng(7)
    places = {name: np.flatnonzero(speakers == name) for name in names}
    gaps = []
    for _ in range(400):
        rows = np.concatenate([places[name] for name in rng.choice(names, len(names))])
        first, second = (np.mean([aurc(e.confidence[rows], e.risk[rows]) for e in s]) for s in (ours, theirs))
        gaps.append(first - second)
    low, high = np.quantile(gaps, [0.025, 0.975])
    width = high - low
    assert (found.low, found.high) == (pytest.approx(low, abs=0.12 * width), pytest.approx(high, abs=0.12 * width))
    assert found.groups == 100
    assert found.resampled == "groups"
    assert found.finding == "better"
    assert found.difference == pytest.approx(mean_score(ours, "aurc") - mean_score(theirs, "aurc"))


@pytest.mark.parametrize("measure", ["aurc", "accuracy", "nll", "brier"])
def test_the_keener_method_is_found_better_and_the_other_worse(
    measure: str, same_rows: dict[str, list[Answers]]
) -> None:
    keen, dull = same_rows["keen"], same_rows["dull"]
    there, back = (compare(*pair, measure, replicates=200) for pair in ((keen, dull), (dull, keen)))
    assert (there.finding, back.finding) == ("better", "worse")
    assert back.difference == pytest.approx(-there.difference)
    assert (back.low, back.high) == (pytest.approx(-there.high), pytest.approx(-there.low))


def test_a_method_beside_itself_shows_no_difference(same_rows: dict[str, list[Answers]]) -> None:
    found = compare(same_rows["keen"], same_rows["keen"], "accuracy", replicates=100)
    assert (found.difference, found.low, found.high, found.finding) == (0, 0, 0, "no difference shown")


def test_the_best_is_the_one_that_the_others_stand_beside(same_rows: dict[str, list[Answers]]) -> None:
    best = best_method(same_rows, "aurc")
    assert best in ("keen", "keen again")
    beside = beside_best(same_rows, "aurc", replicates=100)
    assert set(beside) == set(same_rows) - {best}
    assert beside["dull"].finding == "worse"


def test_rows_in_another_order_are_brought_into_one(same_rows: dict[str, list[Answers]]) -> None:
    turned = [each.take(np.arange(len(each.rows))[::-1]) for each in same_rows["dull"]]
    plain = compare(same_rows["keen"], same_rows["dull"], "nll", replicates=100)
    assert compare(same_rows["keen"], turned, "nll", replicates=100) == plain
    with pytest.raises(ConfigError, match="tested on different rows"):
        compare(same_rows["keen"], [each.take(np.arange(50)) for each in same_rows["dull"]], "nll")


def test_the_spread_over_seeds_is_that_of_a_sample(same_rows: dict[str, list[Answers]]) -> None:
    """By hand: .6, .7, .8 have the mean .7 and the standard deviation .1."""
    assert spread([0.6, 0.7, 0.8]).sd == pytest.approx(0.1)
    assert spread([0.6]).sd is None
    told = [scores(each) for each in same_rows["keen"]]
    found = spreads(told)
    assert found["accuracy"].mean == pytest.approx((told[0].accuracy + told[1].accuracy) / 2)
    assert found["trusted.gain"].seeds == 2
    assert "sets.jaccard" not in found
