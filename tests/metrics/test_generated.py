"""Rows of generated label sets, counted by hand; clip risks against `multilabel` and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from emer.metrics import selective, trusted
from emer.metrics.errors import MetricError
from emer.metrics.generated import clip_level, label_level
from emer.types import Emotion

ANSWERS = [
    [Emotion("joyful", "happy", 0.9), Emotion("glad", "happy", 0.7), Emotion("meh", None, None)],
    [Emotion("mad", "angry", 0.6), Emotion("blue", "sad", 0.2)],
    [Emotion("cold", "neutral", None)],
    [Emotion("hm", None, 0.9)],
    [Emotion("merry", "happy", 0.8)],
]
GOLD = [{"happy"}, {"sad", "fearful"}, {"neutral"}, {"sad"}, set()]


def test_label_rows_by_hand() -> None:
    """Clip 0: happy once, at .9, right. Clip 1: angry wrong, sad right. 2 is unsure, 3 maps nowhere, 4 lacks gold."""
    rows = label_level(ANSWERS, GOLD)
    assert rows.confidence.tolist() == [0.9, 0.6, 0.2]
    assert rows.right.tolist() == [True, False, True]
    assert rows.clip.tolist() == [0, 1, 1]
    assert (rows.unmapped, rows.unsure, rows.without_gold) == (2, 1, 1)


def test_clip_rows_by_hand() -> None:
    """Clip 0: F1 1. Clip 1: one of two against two, F1 1/2, mean confidence .4. Clip 3 names nothing: risk 1."""
    rows = clip_level(ANSWERS, GOLD)
    assert rows.clip.tolist() == [0, 1, 3]
    assert rows.confidence == pytest.approx([0.9, 0.4, 0.0])
    assert rows.risk == pytest.approx([0.0, 0.5, 1.0])
    assert (rows.unsure, rows.without_gold) == (1, 1)


def test_a_clips_own_confidence_goes_before_that_of_its_labels() -> None:
    rows = clip_level(ANSWERS, GOLD, [0.1, 0.2, 0.3, None, 0.5])
    assert rows.confidence.tolist() == [0.1, 0.2, 0.3]
    assert rows.clip.tolist() == [0, 1, 2]
    assert rows.risk.tolist() == [0.0, 0.5, 0.0]


def test_three_synonyms_of_one_right_label_are_one_right_label() -> None:
    once = label_level([[Emotion("joyful", "happy", 0.9)], [Emotion("mad", "angry", 0.5)]], [{"happy"}, {"sad"}])
    words = [Emotion(word, "happy", 0.9) for word in ("joyful", "glad", "merry")]
    thrice = label_level([words, [Emotion("mad", "angry", 0.5)]], [{"happy"}, {"sad"}])
    assert trusted.scores_at(thrice.confidence, thrice.right, 0.7) == trusted.scores_at(
        once.confidence, once.right, 0.7
    )


def test_clip_risks_equal_one_minus_scikit_learns_sample_f1() -> None:
    rng = np.random.default_rng(0)
    gold, predicted = rng.random((30, 5)) < 0.4, rng.random((30, 5)) < 0.4
    gold[:, 0] = True
    answers = [[Emotion(f"word {k}", f"label {k}", 0.5) for k in np.flatnonzero(row)] for row in predicted]
    rows = clip_level(answers, [{f"label {k}" for k in np.flatnonzero(row)} for row in gold])
    assert rows.risk.mean() == pytest.approx(1 - f1_score(gold, predicted, average="samples", zero_division=0))


def test_the_rows_go_straight_into_the_scores() -> None:
    """Clip risks 0, .5, 1 at falling confidence: (0 + .25 + .5) / 3; label threshold refused by its clips."""
    clips = clip_level(ANSWERS, GOLD)
    assert selective.aurc(clips.confidence, clips.risk) == pytest.approx(0.25)
    rows = label_level(ANSWERS, GOLD)
    fitted = trusted.fit_threshold(rows.confidence, rows.right, rows.clip)
    with pytest.raises(MetricError, match=r"threshold fitted on test: 3 of the 3 scored rows \(0, 1\)"):
        trusted.score(rows.confidence, rows.right, fitted, rows.clip)


def test_what_leaves_nothing_to_score_is_refused() -> None:
    with pytest.raises(MetricError, match="answers has 5, gold has 1"):
        label_level(ANSWERS, GOLD[:1])
    with pytest.raises(MetricError, match="no clip has gold labels"):
        clip_level(ANSWERS, [set()] * 5)
    with pytest.raises(MetricError, match="no generated label has both a cluster and a confidence"):
        label_level([ANSWERS[2], ANSWERS[3]], [{"sad"}, {"sad"}])
    with pytest.raises(MetricError, match="no clip with gold labels has a confidence"):
        clip_level([ANSWERS[2]], [{"sad"}])
    with pytest.raises(MetricError, match="gold of clip 0 is the word 'sad'"):
        label_level([ANSWERS[0]], ["sad"])
    with pytest.raises(MetricError, match=r"confidence is 1\.2 in row 0"):
        label_level([[Emotion("sad", "sad", 1.2)]], [{"sad"}])
