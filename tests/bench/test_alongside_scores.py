"""Scores of the table on training alongside, against counts by hand and scikit-learn."""

import doctest

import alongside_says
import alongside_scores
import numpy as np
import pytest
from alongside_says import (
    LABELS,
    Asked,
    FirstTokens,
    first_tokens,
    of_evidence,
    of_stated,
    of_tokens,
    of_votes,
    predictions,
)
from alongside_scores import (
    LabelClaims,
    accuracy,
    agreements,
    calibrated,
    chance,
    fit_sigmoid,
    label_claims,
    label_figures,
    nll,
    turned,
    uar,
)
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss

from emer.errors import ConfigError
from emer.evidence.opinion import dirichlet, probability

ACTORS = ("ann", "bo", "cy", "di")


def asked(n: int, seed: int = 0) -> Asked:
    rng = np.random.default_rng(seed)
    speakers = tuple(ACTORS[i % 4] for i in range(n))
    return Asked(tuple(f"c{i}" for i in range(n)), speakers, tuple(rng.choice(LABELS, n)))


# ---------------------------------------------------------------- what is said


def test_words_that_share_a_first_token_share_its_probability_as_training_used_them() -> None:
    """Counted by hand: token 7 began "sad" thrice and "scared" once; token 8 began "glad" alone."""
    tokens = first_tokens({"sad": 3, "scared": 1, "glad": 2}, {"sad": 7, "scared": 7, "glad": 8}.__getitem__)
    said = of_tokens(np.array([[0.08, 0.02]]), tokens)[0]
    by_label = dict(zip(LABELS, said, strict=True))
    assert by_label["sad"] == pytest.approx(0.6)
    assert by_label["fearful"] == pytest.approx(0.2)
    assert by_label["happy"] == pytest.approx(0.2)


def test_labels_that_no_lexicon_knows_are_refused() -> None:
    with pytest.raises(ConfigError, match="none of the training labels has a cluster in emer8"):
        first_tokens({"xyzzy": 3}, len)


def test_a_clip_whose_label_tokens_have_no_probability_is_spread_evenly() -> None:
    assert of_tokens(np.zeros((1, 2)), FirstTokens((1, 2), np.eye(8)[:2])).tolist() == [[0.125] * 8]


def test_votes_are_the_opinion_that_counts_them_as_evidence() -> None:
    """Another way to the same numbers: the projected probability of a Dirichlet opinion (emer.evidence.opinion)."""
    samples = [[["happy"]], [["glad"]], [["sad", "fearful"]], [["no such word"]], [[]]]
    counted = [0.0, 0.0, 2.0, 0.5, 0.0, 0.5, 0.0, 0.0]
    expected = probability(dirichlet("emer8", LABELS, counted, prior_weight=0.8))
    np.testing.assert_allclose(of_votes(samples)[0], expected)


def test_a_stated_confidence_below_an_even_share_still_prefers_the_label() -> None:
    said = of_stated([["sad"]], [0.0])[0]
    assert said.argmax() == LABELS.index("sad")
    assert said.sum() == pytest.approx(1)


def test_evidence_becomes_alpha_and_its_share_is_the_probability() -> None:
    evidence = [3.0, 0, 0, 1.0, 0, 0, 0, 0]
    expected = probability(dirichlet("emer8", LABELS, evidence, prior_weight=0.8))
    made = predictions(asked(2), of_evidence([evidence, None]), prior=0.8)
    np.testing.assert_allclose(made.probability, [expected, [0.125] * 8])
    assert made.uncertainty is not None
    np.testing.assert_allclose(made.uncertainty, [0.8 / 4.8, 1.0])


def test_gold_labels_of_another_set_are_refused() -> None:
    with pytest.raises(ConfigError, match="joy are no labels of emer8"):
        Asked(("a",), ("ann",), ("joy",))


# ---------------------------------------------------------------- scores of verdicts


def test_accuracy_recall_and_likelihood_are_those_of_scikit_learn_meaned_over_seeds() -> None:
    clips, rng = asked(200), np.random.default_rng(1)
    given = [
        calibrated(predictions(clips, rng.dirichlet(np.ones(8), 200)), clips, ("ann", "bo"), ("cy", "di"))
        for _ in range(2)
    ]
    gold = [label for label, who in zip(clips.gold, clips.speakers, strict=True) if who in ("cy", "di")]
    answers = [[LABELS[k] for k in each.probability.argmax(axis=1)] for each in given]
    assert accuracy(given).score == pytest.approx(np.mean([accuracy_score(gold, said) for said in answers]))
    assert uar(given).score == pytest.approx(np.mean([balanced_accuracy_score(gold, said) for said in answers]))
    order = np.argsort(LABELS)
    lost = [log_loss(gold, each.probability[:, order], labels=sorted(LABELS)) for each in given]
    assert nll(given).score == pytest.approx(np.mean(lost))
    assert accuracy(given).groups == 2


def test_temperature_never_sees_a_test_clip() -> None:
    """The calibrated answers to some test clips stay the same whatever the others are."""
    clips, p = asked(80), np.random.default_rng(2).dirichlet(np.ones(8), 80)
    whole = calibrated(predictions(clips, p), clips, ("ann",), ("cy", "di"))
    part = calibrated(predictions(clips, p), clips, ("ann",), ("di",))
    kept = [row in part.rows for row in whole.rows]
    np.testing.assert_array_equal(whole.probability[kept], part.probability)


def test_chance_is_what_shuffled_answers_reach_on_average() -> None:
    """Against 3,000 random pairings of the same answers with the same labels."""
    clips, rng = asked(60), np.random.default_rng(3)
    given = calibrated(predictions(clips, rng.dirichlet(np.full(8, 0.3), 60)), clips, ("ann",), ("bo", "cy", "di"))
    said, gold = given.given.argmax(axis=1), given.target.argmax(axis=1)
    drawn = [(rng.permutation(said) == gold).mean() for _ in range(3000)]
    assert chance([given]) == pytest.approx(np.mean(drawn), abs=0.004)


def test_every_clip_gets_the_sound_of_another_one() -> None:
    other = turned([f"c{i}" for i in range(50)], seed=4)
    assert sorted(other) == list(range(50))
    assert all(place != own for own, place in enumerate(other))
    assert other == turned([f"c{i}" for i in range(50)], seed=4)


# ---------------------------------------------------------------- generated labels


def test_labels_of_one_cluster_are_one_claim_and_unknown_words_are_none() -> None:
    clips = Asked(("a", "b"), ("ann", "bo"), ("fearful", "sad"))
    said = [{"scared": 0.7, "worried": 0.9}, {"happy": 0.4, "sad": None, "xyzzy": 0.8}]
    made = label_claims(clips, said)
    assert made.speakers == ("ann", "bo", "bo")
    assert made.score.tolist() == [0.7, 0.4, 0.5]
    assert made.right.tolist() == [True, False, True]


def test_the_sigmoid_is_the_logistic_regression_of_many_claims() -> None:
    """scikit-learn without a penalty; Platt's targets differ from its own by one part in the number of claims."""
    rng = np.random.default_rng(5)
    score = rng.uniform(0.05, 0.95, 20_000)
    right = rng.uniform(size=20_000) < expit(0.6 * logit(score) - 0.8)
    ours = fit_sigmoid(score, right)
    theirs = LogisticRegression(C=np.inf).fit(logit(score)[:, None], right)
    assert ours.slope == pytest.approx(theirs.coef_[0, 0], abs=0.003)
    assert ours.offset == pytest.approx(theirs.intercept_[0], abs=0.003)
    assert ours.slope == pytest.approx(0.6, abs=0.05)


def test_a_score_that_is_wrong_way_round_becomes_flat_and_not_reversed() -> None:
    score, right = np.array([0.9, 0.8, 0.2, 0.1]), np.array([False, False, True, True])
    assert fit_sigmoid(score, right).slope == 0


def test_label_figures_by_hand() -> None:
    """A score that tells nothing: calibrated to Platt's base rate on calibration claims, 3 of 4 right.

    Targets 4/5 (thrice) and 1/3: the mean is (3 · .8 + 1/3) / 4 = .6833. Test claims: one right, one wrong.
    """
    level = np.full(4, 0.5)
    found = label_figures(
        LabelClaims(("ann",) * 4, level, np.array([True, True, True, False])),
        LabelClaims(("bo",) * 2, level[:2], np.array([True, False])),
    )
    assert found is not None
    assert (found.n, found.right) == (2, 0.5)
    assert found.nll == pytest.approx(-(np.log(0.68333) + np.log(0.31667)) / 2, abs=1e-4)
    assert found.ece == pytest.approx(0.18333, abs=1e-4)
    assert found.aurc == pytest.approx(0.5)


def test_no_labels_have_no_figures() -> None:
    nothing = LabelClaims((), np.zeros(0), np.zeros(0, dtype=bool))
    assert label_figures(nothing, nothing) is None


def test_agreement_counts_clips_without_labels_as_disagreeing() -> None:
    assert agreements([["glad"], [], ["xyzzy"]], ["happy", "sad", "sad"]).mean() == pytest.approx(1 / 3)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert [doctest.testmod(module).failed for module in (alongside_says, alongside_scores)] == [0, 0]
