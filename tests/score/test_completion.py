"""What answers leave out is drawn from their explanations, by rule or by a model, and every score says which."""

import pytest
from chat_server import last, said, serving

from emer.endpoint import Endpoint
from emer.score.completion import completed, grouping_by
from emer.score.options import Options
from emer.score.result import Column
from emer.score.scoring import score, score_by

TEXTS = ["She is not happy but worried.", None, "He laughs with joy."]
EXPLAINED = Column("answers", ["a", "b", "c"], [(), (), ()], texts=TEXTS)


def test_labels_are_drawn_by_rule_and_negation_is_heeded() -> None:
    column = completed(EXPLAINED, "wheel_f1")
    assert list(column.labels[0]) == ["worried"]
    assert list(column.labels[1]) == []
    assert column.notes == ("answers: it has no labels; they are drawn from its explanations by rule",)


def test_a_score_of_explanations_leaves_them_alone() -> None:
    assert completed(EXPLAINED, "chrf") is EXPLAINED


def test_labels_that_are_there_are_kept() -> None:
    labelled = Column("answers", ["a"], [["sad"]], texts=["She is happy."])
    assert completed(labelled, "wheel_f1") is labelled


def test_a_model_reads_explanations_and_is_named() -> None:
    with serving(lambda body: said('["Anxious"]' if "worried" in last(body) else "[]")) as server:
        column = completed(EXPLAINED, "wheel_f1", Endpoint(server.url, "small", kept_in=None))
    assert [list(labels) for labels in column.labels] == [["anxious"], [], []]
    assert "small (prompt extract_labels" in column.notes[-1]


def test_a_model_says_what_sentiment_labels_have_where_answers_do_not() -> None:
    """Two clips with labels and one without; the model calls proud negative, which the lexicon would not."""
    gold = Column("gold", ["a", "b", "c"], [(), (), ()], values=[-1.0, -0.5, 1.0])
    answers = Column("answers", ["a", "b", "c"], [["proud"], ["sad"], ["happy"]])
    with serving(lambda body: said("positive" if "happy" in last(body) else "negative")) as server:
        asked = completed(answers, "sentiment", Endpoint(server.url, "small", kept_in=None))
    assert score("sentiment", asked, gold, Options(bootstrap=0)).score == 1.0
    assert score("sentiment", answers, gold, Options(bootstrap=0)).score < 1.0


def test_a_reply_that_cannot_be_used_leaves_labels_groups_of_their_own() -> None:
    """Of clip a the model rambles, so that glad is not happy; mad is angry, bored is not calm: 1/2 of the clips hit."""
    gold = Column("gold", ["a", "b", "c", "d"], [["happy"], ["sad"], ["angry"], ["calm"]])
    answers = Column("answers", ["a", "b", "c", "d"], [["glad"], ["sad"], ["mad"], ["bored"]])
    replies = {"glad": "Well, that depends.", "mad": '[["angry", "mad"]]', "bored": '[["calm"], ["bored"]]'}
    with serving(lambda body: said(next(r for word, r in replies.items() if word in last(body)))) as server:
        metric = grouping_by(Endpoint(server.url, "small", kept_in=None))
        found = score_by(metric, "mer2024_ov", answers, gold, Options(bootstrap=0))
    assert found.score == 0.5
    assert "1 replies could not be used" in found.detail["groups"]


@pytest.mark.parametrize("metric", ["wheel_f1", "mer2024_ov"])
def test_the_note_reaches_the_score(metric: str) -> None:
    gold = Column("gold", ["a", "c"], [["worried"], ["joyful"]])
    texts = [TEXTS[0], TEXTS[2]]
    answers = completed(Column("answers", ["a", "c"], [(), ()], texts=texts), metric)
    found = score(metric, answers, gold, Options(bootstrap=0))
    assert found.score > 0
    assert any("by rule" in note for note in found.detail["notes"])
