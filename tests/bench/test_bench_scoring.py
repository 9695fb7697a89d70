"""Scores of a method against scikit-learn, hand counts, and the figures of the design notes on human votes."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_predictions import human_folds, made, made_folds
from scipy.special import softmax
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    jaccard_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from emer.bench.answers import Fold, answers, fit
from emer.bench.scoring import disagreement_auroc, figures, score, scored, scores, told_apart
from emer.errors import ConfigError
from emer.metrics.trusted import fit_threshold


def test_scores_of_one_label_are_scikit_learns() -> None:
    given = answers(made_folds())
    found = scores(given)
    gold, told = given.target.argmax(1), given.given.argmax(1)
    right = gold == told
    assert found.n == 400
    assert found.accuracy == pytest.approx(accuracy_score(gold, told))
    assert found.uar == pytest.approx(balanced_accuracy_score(gold, told))
    assert found.weighted_f1 == pytest.approx(f1_score(gold, told, average="weighted"))
    assert found.auroc == pytest.approx(roc_auc_score(right, given.confidence))
    assert found.certainty_auroc == pytest.approx(roc_auc_score(right, given.certainty), abs=1e-4)
    assert found.nll == pytest.approx(log_loss(gold, given.probability))
    assert found.nll_raw == pytest.approx(log_loss(gold, given.raw))
    assert found.brier == pytest.approx(np.mean((given.probability - np.eye(3)[gold]) ** 2) * 3)
    assert found.trusted.f1 == pytest.approx(f1_score(right, given.trusted))
    assert found.trusted.floor == pytest.approx(2 * found.accuracy / (1 + found.accuracy))
    assert found.at_risk.coverage == pytest.approx(given.at_risk.mean())
    assert found.trusted.threshold is None
    assert found.total_variation is None
    assert found.sets is None


def test_each_fold_is_calibrated_by_its_own_rows() -> None:
    """The temperature is the softmax of log alpha / T; the threshold is that of `fit_threshold` on those rows."""
    folds = made_folds()
    given = answers(folds)
    for fold, fitted, rows in zip(folds, given.fitted, (slice(0, 200), slice(200, 400)), strict=True):
        assert given.probability[rows] == pytest.approx(
            softmax(np.log(fold.test.fused) / fitted.temperature[0], axis=1)
        )
        known = softmax(np.log(fold.calibration.fused) / fitted.temperature[0], axis=1)
        right = known.argmax(1) == fold.calibration.target.argmax(1)
        threshold = fit_threshold(known.max(1), right, fold.calibration.rows)
        assert fitted.trusted.value == pytest.approx(threshold.value)
        assert np.array_equal(given.trusted[rows], given.confidence[rows] >= fitted.trusted.value)


def test_the_temperature_is_the_best_one_on_calibration_rows() -> None:
    """No temperature of a grid has a lower likelihood there, but for the one row of even votes."""
    calibration = made(300, 8, skill=6.0)
    best = fit(calibration).temperature[0]
    gold = calibration.target.argmax(1)
    losses = {
        t: log_loss(gold, softmax(np.log(calibration.fused) / t, axis=1)) for t in [best, *np.geomspace(0.1, 5, 60)]
    }
    assert losses[best] <= min(losses.values()) + 1e-3


def test_scores_of_label_sets_are_scikit_learns() -> None:
    given = answers(made_folds(kind="beta"))
    found = scores(given)
    gold, told = given.target.astype(int), given.given.astype(int)
    assert found.accuracy is None
    assert found.sets.jaccard == pytest.approx(jaccard_score(gold, told, average="samples", zero_division=1))
    for name in ("micro", "macro"):
        ours = getattr(found.sets, name)
        assert ours.precision == pytest.approx(precision_score(gold, told, average=name))
        assert ours.recall == pytest.approx(recall_score(gold, told, average=name))
        assert ours.f1 == pytest.approx(f1_score(gold, told, average=name))
    one_by_one = [f1_score(g, t, zero_division=1) for g, t in zip(gold, told, strict=True)]
    assert given.risk == pytest.approx(1 - np.array(one_by_one))
    assert found.nll == pytest.approx(log_loss(gold.ravel(), given.probability.ravel()))
    named = given.given
    assert found.trusted.f1 == pytest.approx(f1_score(gold[named], given.trusted[named]))
    assert found.trusted.n == named.sum()


def test_a_set_is_given_from_the_probability_of_best_micro_f1() -> None:
    """By search over every probability that occurs among the calibration rows."""
    calibration = made(60, 4, kind="beta")
    given = fit(calibration).given.value
    p = answers([Fold(calibration, replace(calibration, rows=tuple(f"x{i}" for i in range(60))))]).probability.ravel()
    truth = calibration.target.ravel()
    best = max(f1_score(truth, p >= threshold) for threshold in p)
    assert f1_score(truth, p >= given) == pytest.approx(best)


def test_confidence_in_a_set_is_the_f1_that_its_probabilities_expect() -> None:
    """Two labels, p = .9 given and .2 not: 2 * .9 / (1 + 1.1). Nothing given at .1 and .2: .9 * .8."""
    test = replace(
        made(2, 0, kind="beta").take([0, 1]),
        labels=("a", "b"),
        target=np.array([[1.0, 0.0], [0.0, 0.0]]),
        fused=np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.1, 0.9], [0.2, 0.8]]]),
        views=(),
        alpha=np.zeros((0, 2, 2, 2)),
        present=np.zeros((0, 2), dtype=bool),
        prior=None,
    )
    # Calibration rows that are right as often as they say keep the temperature near 1.
    held = np.repeat([[1.0, 0.0]], 10, axis=0)
    held[0] = [0.0, 1.0]
    calibration = replace(
        made(10, 0, kind="beta"),
        labels=("a", "b"),
        target=held,
        fused=np.repeat(test.fused[:1], 10, axis=0),
        views=(),
        alpha=np.zeros((0, 10, 2, 2)),
        present=np.zeros((0, 10), dtype=bool),
        prior=None,
        rows=tuple(f"c{i}" for i in range(10)),
    )
    given = answers([Fold(calibration, test)])
    p = given.probability
    assert given.given.tolist() == [[True, False], [False, False]]
    assert given.confidence[0] == pytest.approx(2 * p[0, 0] / (1 + p[0].sum()))
    assert given.confidence[1] == pytest.approx((1 - p[1, 0]) * (1 - p[1, 1]))
    assert given.risk.tolist() == [0, 0]


def test_rows_that_chose_the_threshold_are_never_scored() -> None:
    p = made(20, 0)
    with pytest.raises(ConfigError, match=r"fitted on test: 5 of the 10 test rows \(clip0005, .*are calibration rows"):
        Fold(p.take(range(10)), p.take(range(5, 15)))
    fold = made_folds()[0]
    with pytest.raises(ConfigError, match="folds share test rows"):
        answers([fold, fold])


def test_rows_without_truth_are_answered_but_not_scored() -> None:
    fold = made_folds()[0]
    unknown = replace(fold.test, target=np.zeros_like(fold.test.target))
    given = answers([Fold(fold.calibration, unknown)])
    assert given.confidence == pytest.approx(answers([fold]).confidence)
    with pytest.raises(ConfigError, match="200 rows have no truth"):
        scores(given)
    with pytest.raises(ConfigError, match="calibration rows have no truth"):
        answers([Fold(replace(fold.calibration, target=np.zeros_like(fold.calibration.target)), fold.test)])


def test_a_tied_vote_is_right_with_either_label() -> None:
    """Votes 2:2:0 are right for both; calibration is measured against the half of people who said so."""
    fold = made_folds()[0]
    test = fold.test.take(range(2))
    test = replace(test, target=np.array([[0.5, 0.5, 0.0]] * 2), fused=np.array([[9.0, 1.0, 1.0], [1.0, 9.0, 1.0]]))
    given = answers([Fold(fold.calibration, test)])
    assert given.risk.tolist() == [0, 0]
    assert given.agreed.tolist() == [0.5, 0.5]
    found = scores(given)
    assert found.accuracy == 1
    assert found.auroc is None
    p = given.confidence[0]
    assert found.total_variation == pytest.approx((abs(p - 0.5) + abs((1 - p) / 2 - 0.5) + (1 - p) / 2) / 2)


def test_calibration_with_one_class_and_vacuous_opinions_gives_defined_scores() -> None:
    fold = made_folds()[0]
    one = replace(fold.calibration, target=np.tile([1.0, 0.0, 0.0], (200, 1)))
    empty = replace(fold.test, fused=np.ones_like(fold.test.fused), alpha=np.ones_like(fold.test.alpha))
    found = score([Fold(one, empty)]).all
    assert found.uncertainty == 1
    assert found.conflict == 0
    assert found.auroc == 0.5
    assert all(math.isfinite(value) for value in figures(found).values())


def test_rows_where_people_disagree_are_scored_alone_with_what_was_fitted_for_all() -> None:
    given = answers(made_folds())
    apart = scored(given).disagree
    assert apart == scores(given.take(given.disagree))
    assert apart.n == 134
    assert scored(replace(given, disagree=None)).disagree is None


def test_known_and_foreign_clips_are_told_apart_as_scikit_learn_counts() -> None:
    rng = np.random.default_rng(0)
    known, foreign = rng.random(30), rng.random(50) * 0.8
    expected = roc_auc_score([1] * 30 + [0] * 50, np.concatenate([known, foreign]))
    assert told_apart(known, foreign) == pytest.approx(expected)


# ---------------------------------------------------------------- real people


def test_human_votes_give_the_figures_of_the_design_notes(real_data: Path) -> None:
    """There: accuracy .820 and AURC .054 with the face weighted 2:1; conflict finds disagreement at AUROC .93."""
    given = answers(human_folds(real_data))
    found = scores(given)
    assert found.n == 7022
    assert found.speakers == 91
    assert found.accuracy == pytest.approx(0.820, abs=0.004)
    assert found.aurc == pytest.approx(0.054, abs=0.002)
    assert found.inside
    assert found.ece_raw > 10 * found.ece
    assert disagreement_auroc(given) == pytest.approx(0.93, abs=0.015)
    apart = scores(given.take(given.disagree))
    assert apart.accuracy < found.accuracy - 0.08


def test_shares_of_human_votes_are_foretold_better_after_calibration(real_data: Path) -> None:
    """The design notes: total variation .308 without calibration."""
    given = answers(human_folds(real_data, "votes"))
    found = scores(given)
    raw = np.abs(given.raw - given.target).sum(1).mean() / 2
    assert found.total_variation < raw
    assert found.total_variation < 0.308
    assert found.nll < found.nll_raw
