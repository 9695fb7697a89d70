"""Sentiment by lexicon, against hand-read words and against the sentiment of a released run."""

import csv
from pathlib import Path

import pytest
from sklearn.metrics import f1_score

from emer.emotions.parsing import published
from emer.emotions.sentiment import sentiment_of, sentiment_of_text, valence


@pytest.mark.parametrize(
    ("labels", "sentiment"),
    [
        (["happy", "grateful"], "positive"),
        (["sad", "angry", "hopeful"], "negative"),
        (["surprised"], "neutral"),
        ([], "neutral"),
        (["no such word"], "neutral"),
        (["positive"], "positive"),
        (["negative emotions"], "negative"),
        (["not happy"], "negative"),
        (["ill at ease"], "negative"),
        (["高兴"], "positive"),
        (["消极"], "negative"),
        (["不高兴"], "negative"),
    ],
)
def test_labels_have_the_sentiment_of_their_mean_valence(labels: list[str], sentiment: str) -> None:
    assert sentiment_of(labels) == sentiment


def test_a_denied_emotion_turns_the_sentiment_of_a_text() -> None:
    assert sentiment_of_text("He is happy with it.") == "positive"
    assert sentiment_of_text("He is not happy with it.") == "negative"
    assert sentiment_of_text("The door is brown.") == "neutral"


def test_valence_stays_on_its_scale_for_any_label() -> None:
    for label in ("ecstatic", "not ecstatic", "murderous rage", "wonderful", "x" * 100_000, "", "\0"):
        value = valence(label)
        assert value is None or -1 <= value <= 1


def test_the_lexicon_agrees_with_a_language_model_and_with_people_as_the_docstring_says(real_data: Path) -> None:
    """Released predictions on CH-SIMS: labels with a model's sentiment beside them, and ratings of people."""
    with open(real_data / "parity" / "sims.ep30.pred.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with open(real_data / "parity" / "sims.gold.csv", newline="", encoding="utf-8") as file:
        rated = {row["name"]: float(row["label"]) for row in csv.DictReader(file)}
    found = [sentiment_of(published(row["openset"])) for row in rows]
    told = [row["sentiment"] for row in rows]
    assert len(rows) == 457
    assert sum(a == b for a, b in zip(found, told, strict=True)) == 434
    assert sum(a == b for a, b in zip(found, told, strict=True) if b in ("positive", "negative")) == 427
    ratings = [rated[row["name"]] for row in rows]
    scored = [
        (value > 0, mine == "positive", its == "positive")
        for value, mine, its in zip(ratings, found, told, strict=True)
        if value
    ]
    truth, mine, its = zip(*scored, strict=True)
    assert len(scored) == 388
    assert f1_score(truth, mine, average="weighted") == pytest.approx(0.892, abs=5e-4)
    assert f1_score(truth, its, average="weighted") == pytest.approx(0.885, abs=5e-4)
