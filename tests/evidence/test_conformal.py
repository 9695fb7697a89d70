"""Label sets against hand counts, a sum written out here, and the coverage that the theorem promises."""

import numpy as np
import pytest

from emer.errors import ConfigError
from emer.evidence.conformal import Score, coverage, fit_conformal, label_sets, scores
from emer.evidence.rows import row_hashes

MOOD = ("good", "bad", "flat")
SCORES: tuple[Score, ...] = ("simple", "aps")


def ids(count: int) -> list[str]:
    return [f"clip-{i}" for i in range(count)]


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and labels drawn from quite other ones: coverage must hold for bad opinions too."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(count, 3))
    true = np.exp(0.5 * logits) / np.exp(0.5 * logits).sum(1, keepdims=True)
    told = np.exp(3 * logits) / np.exp(3 * logits).sum(1, keepdims=True)
    return told, (true.cumsum(1) < rng.random((count, 1))).sum(1).clip(max=2)


def test_aps_scores_are_the_sum_of_all_that_is_at_least_as_probable() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(5), 40).round(1)
    written_out = [[row[row >= one].sum() for one in row] for row in p]
    assert np.allclose(scores(p, "aps"), written_out)
    assert np.allclose(scores(p, "simple"), 1 - p)


def test_the_quantile_by_hand() -> None:
    """Nine clips with scores .1 to .9; level .8 takes the ceil(10 * .8) = eighth smallest, .8; level .95 has none."""
    right = np.zeros(9, dtype=int)
    p = np.stack([1 - np.arange(1, 10) / 10, np.arange(1, 10) / 10, np.zeros(9)], axis=1)
    fitted = fit_conformal(p, right, ids(9), MOOD, data="d", level=0.8, score="simple")
    assert fitted.quantile == pytest.approx(0.8)
    assert label_sets(fitted, np.array([[0.2, 0.19, 0.61]])).tolist() == [[True, False, True]]
    strict = fit_conformal(p, right, ids(9), MOOD, data="d", level=0.95, score="simple")
    assert strict.quantile is None
    assert label_sets(strict, p).all()


@pytest.mark.parametrize("score", SCORES)
def test_coverage_is_what_was_promised_even_for_bad_opinions(score: Score) -> None:
    """Mean coverage over 200 draws of 99 calibration clips: from .9 to, for a continuous score, .9 + 1/100."""
    covered = []
    for seed in range(200):
        p, right = drawn(299, seed)
        fitted = fit_conformal(p[:99], right[:99], ids(99), MOOD, data="d", score=score)
        covered.append(coverage(label_sets(fitted, p[99:]), right[99:]).coverage)
    error = np.std(covered) / np.sqrt(len(covered))
    assert np.mean(covered) > 0.9 - 3 * error
    if score == "simple":
        assert np.mean(covered) < 0.91 + 3 * error


def test_aps_sets_are_never_empty_and_simple_ones_may_be() -> None:
    p, right = np.tile([0.98, 0.01, 0.01], (50, 1)), np.zeros(50, dtype=int)
    even = np.full((1, 3), 1 / 3)
    told, truth = drawn(500, 1)
    assert label_sets(fit_conformal(told, truth, ids(500), MOOD, data="d"), drawn(500, 2)[0]).any(axis=1).all()
    simple = label_sets(fit_conformal(p, right, ids(50), MOOD, data="d", score="simple"), even)
    assert coverage(simple, np.array([0])).empty == 1


def test_a_new_speaker_may_get_less_than_promised_and_the_table_shows_it() -> None:
    """Speaker bob means the contrary of what his clips say; ann is like the calibration clips."""
    p = drawn(2000, 0)[0]
    slips = np.random.default_rng(1).random(2000) < 0.1
    right = np.where(slips, p.argsort(axis=1)[:, 1], p.argmax(axis=1))
    fitted = fit_conformal(p[:500], right[:500], ids(500), MOOD, data="d", score="simple")
    who = ["ann"] * 1000 + ["bob"] * 500
    truth = right[500:].copy()
    truth[1000:] = p[1500:].argmin(axis=1)
    told = coverage(label_sets(fitted, p[500:]), truth, who)
    assert [(one.speaker, one.n) for one in told.speakers] == [("bob", 500), ("ann", 1000)]
    assert told.speakers[0].coverage < 0.5
    assert told.speakers[1].coverage == pytest.approx(0.9, abs=0.05)
    assert told.coverage == pytest.approx(np.average([s.coverage for s in told.speakers], weights=[500, 1000]))


def test_wrong_input_is_refused() -> None:
    p, right = drawn(20, 0)
    with pytest.raises(ConfigError, match="the level of label sets is 1; give a number between 0 and 1"):
        fit_conformal(p, right, ids(20), MOOD, data="d", level=1.0)
    with pytest.raises(ConfigError, match="20 rows over 3 labels, 20 right labels out of 2"):
        fit_conformal(p, right, ids(20), MOOD[:2], data="d")
    with pytest.raises(ConfigError, match="right labels places in the label set"):
        fit_conformal(p, right + 1, ids(20), MOOD, data="d")
    with pytest.raises(ConfigError, match="probabilities must be finite"):
        fit_conformal(np.where(p > 0.5, np.nan, p), right, ids(20), MOOD, data="d")
    with pytest.raises(ConfigError, match="19 row ids for 20 rows"):
        fit_conformal(p, right, ids(19), MOOD, data="d")
    with pytest.raises(ConfigError, match=r"1 row of label sets was seen in training or calibration \(clip-3\)"):
        fit_conformal(p, right, ids(20), MOOD, data="d", used_rows=row_hashes(["clip-3"]))
    with pytest.raises(ConfigError, match="2 speakers for 20 rows"):
        coverage(np.ones((20, 3), dtype=bool), right, ["ann", "bob"])
