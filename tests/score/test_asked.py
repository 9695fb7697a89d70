"""What a model is asked, against a real server with replies of every kind: strict reading, nothing guessed."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest
from chat_server import Body, ChatServer, Sent, last, refused, said, serving

from emer.endpoint import Endpoint
from emer.errors import ConfigError
from emer.metrics.wheel_scores import grouping_scores
from emer.prompts import prompt
from emer.score import asked as asking
from emer.score.asked import Unreadable
from emer.score.judged import Judged
from emer.score.options import Options
from emer.score.result import Column, Score
from emer.score.scoring import score_by


@contextmanager
def model(answer: Callable[[str], str | Sent]) -> Iterator[tuple[Endpoint, ChatServer]]:
    """An endpoint whose model answers to what the user says."""

    def send(body: Body) -> Sent:
        reply = answer(last(body))
        return said(reply) if isinstance(reply, str) else reply

    with serving(send) as server:
        yield Endpoint(server.url, "small", pause=0.001, seed=3), server


def column(labels: Sequence[Sequence[str]], texts: Sequence[str | None] | None = None) -> Column:
    return Column("a test", [f"clip{i}" for i in range(len(labels))], labels, texts=texts)


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize(
    "reply",
    [
        '["Worried", " at  ease "]',
        '```json\n["worried", "at ease"]\n```',
        '<think>[1]</think>\n["worried","at ease",""]',
    ],
)
def test_labels_are_read_from_an_array_alone_or_fenced(reply: str) -> None:
    assert asking.read_labels(reply) == ("worried", "at ease")


@pytest.mark.parametrize(
    "reply", ["worried", '{"a": 1}', '["a", 1]', '["a"', 'Here: ["a"]', "", "[" * 5000, '"a"', "null"]
)
def test_other_replies_are_no_labels(reply: str) -> None:
    with pytest.raises(Unreadable):
        asking.read_labels(reply)


@pytest.mark.parametrize(
    ("reply", "score"), [('{"score": 7}', 0.7), ('{"score": 0, "reason": ""}', 0), ('{"score": 10.0}', 1)]
)
def test_points_are_read_from_an_object(reply: str, score: float) -> None:
    assert asking.read_points(reply) == pytest.approx(score)


@pytest.mark.parametrize(
    "reply",
    [
        "7",
        "Score: 7",
        '{"score": "7"}',
        '{"score": 11}',
        '{"score": -1}',
        '{"score": true}',
        '{"score": NaN}',
        '{"points": 7}',
    ],
)
def test_other_replies_are_no_points(reply: str) -> None:
    with pytest.raises(Unreadable):
        asking.read_points(reply)


@pytest.mark.parametrize(
    "reply", ["positive", "Positive.", '"positive"', "**positive**", "<think>no</think> positive\n"]
)
def test_a_sentiment_is_one_word(reply: str) -> None:
    assert asking.read_sentiment(reply) == "positive"


@pytest.mark.parametrize("reply", ["mixed", "positive or negative", "It is positive", "", "not positive"])
def test_other_replies_are_no_sentiment(reply: str) -> None:
    with pytest.raises(Unreadable):
        asking.read_sentiment(reply)


def test_groups_send_labels_to_the_first_of_their_group() -> None:
    reply = '[["Angry", "mad", "invented"], ["sad"], ["nobody asked"], []]'
    assert asking.read_groups(reply, ["mad", "sad", "angry", "left out"]) == {
        "angry": "angry",
        "mad": "angry",
        "sad": "sad",
    }


@pytest.mark.parametrize("reply", ['[["a", "b"], ["a"]]', '["a", "b"]', '{"a": ["b"]}', "[[1]]", "a, b"])
def test_other_replies_are_no_groups(reply: str) -> None:
    with pytest.raises(Unreadable):
        asking.read_groups(reply, ["a", "b"])


# ---------------------------------------------------------------- asking


def test_labels_are_asked_for_with_the_prompt_of_the_language_and_recorded() -> None:
    with model(lambda text: '["happy"]') as (endpoint, server):
        found = asking.labels_in(endpoint, ["He smiles.", "", "She laughs."], "zh")
    assert found.values == (("happy",), (), ("happy",))
    assert len(server.asked) == 2, "an empty text is not asked about"
    assert server.asked[0]["messages"][0]["content"] == prompt("extract_labels", "zh").system
    assert found.record.model == "small"
    assert found.record.seed == 3
    assert found.record.prompt == prompt("extract_labels", "zh").record


def test_replies_that_cannot_be_used_are_listed_and_never_guessed() -> None:
    def answer(text: str) -> str | Sent:
        replies = {"b": "The person is happy.", "c": refused(400, "not allowed")}
        return replies.get(text.removeprefix("Text:\n"), '["sad"]')

    with model(answer) as (endpoint, _):
        found = asking.labels_in(endpoint, ["a", "b", "c", "d"])
    assert found.values == (("sad",), None, None, ("sad",))
    assert [one.place for one in found.unusable] == [1, 2]
    assert found.unusable[0].why == "the reply is not JSON"
    assert found.unusable[0].reply == "The person is happy."
    assert "not allowed" in found.unusable[1].why


def test_a_column_takes_labels_and_sentiment_from_a_model_and_says_so() -> None:
    def answer(text: str) -> str:
        return {"Text:\nHe laughs.": '["happy"]', "happy": "positive"}.get(text, "no idea")

    given = column([["old"], ["old"]], ["He laughs.", "Who knows?"])
    with model(answer) as (endpoint, _):
        labelled = asking.with_labels(given, endpoint)
        felt = asking.with_sentiment(labelled, endpoint)
    assert felt.labels == [("happy",), ()]
    assert felt.sentiment == ["positive", None]
    sha = prompt("extract_labels").sha256[:12]
    note = (
        f"labels drawn from the explanations by small (prompt extract_labels.en {sha}, seed 3); 1 replies could not be"
    )
    assert felt.notes[0].startswith(note)
    assert felt.notes[0].endswith("(clip1; the first because the reply is not JSON: 'no idea')")


@pytest.mark.parametrize("reply", ["Well, that depends.", refused(400, "not allowed"), '{"a": [1]}'])
def test_a_model_without_one_usable_reply_gives_no_score(reply: str | Sent) -> None:
    """Empty answers would score 0, and the system that is scored would look bad for the failures of the model."""
    given = column([["sad"], ["sad"]], ["He laughs.", "Who knows?"])
    with model(lambda text: reply) as (endpoint, _):
        with pytest.raises(ConfigError, match="small gave no usable reply to any of 2 questions"):
            asking.with_labels(given, endpoint)
        with pytest.raises(ConfigError, match="any of 2 questions"):
            asking.with_sentiment(given, endpoint)


def test_labels_need_explanations() -> None:
    with model(lambda text: "[]") as (endpoint, _), pytest.raises(ConfigError, match="no explanations"):
        asking.with_labels(column([["a"]]), endpoint)


# ---------------------------------------------------------------- scores


def by_hand(texts: str) -> str:
    """Ten points where reference and candidate are the same words, four where not, and once no number."""
    reference, candidate = (part.strip() for part in texts.removeprefix("Reference:").split("Candidate:"))
    if "odd" in candidate:
        return "I would say seven"
    return json.dumps({"score": 10 if reference == candidate else 4, "reason": "by hand"})


def judged_score(what: str) -> Score:
    texts = ["he frowns", "a smile", "odd", None, "a tear"]
    wanted = ["he frowns", "a grin", "x", "y", None]
    gold = column([["angry"], ["happy"], ["calm"], ["sad"], []], wanted)
    said_labels = [["angry"], ["glad"], ["odd"], [], ["sad"]]
    with model(by_hand) as (endpoint, _):
        metric = Judged(endpoint, what)  # type: ignore[arg-type]
        return score_by(metric, what, column(said_labels, texts), gold, Options(bootstrap=50))


@pytest.mark.parametrize("what", ["clue_overlap", "label_overlap"])
def test_a_judge_gives_a_mean_with_what_was_left_out(what: str) -> None:
    """By hand: 1.0 and .4 judged, 0 for no words, one reply unreadable, one without reference: 1.4 / 3."""
    found = judged_score(what)
    assert found.score == pytest.approx(1.4 / 3)
    assert (found.n_scored, found.n_skipped) == (3, 2)
    assert found.skipped["no usable reply of the model"] == 1
    assert sum(found.skipped.values()) == 2
    assert found.interval is not None
    assert found.detail["prompt"] == {"name": f"judge_{what}.en", "sha256": prompt(f"judge_{what}").sha256}
    assert (found.detail["model"], found.detail["seed"]) == ("small", 3)
    (lost,) = found.detail["unusable"]
    assert (lost["name"], lost["reply"]) == ("clip2", "I would say seven")
    assert "not validated against people" in found.detail["notes"]


def test_a_judge_has_answers_of_other_clips_as_floor() -> None:
    """Of three answers beside the next clip's reference none is the same: four points for two, the odd one unread."""
    assert judged_score("clue_overlap").floors == {"answers of other clips (2)": pytest.approx(0.4)}


def test_a_second_scoring_asks_nothing() -> None:
    gold = column([["a"], ["b"]], ["x", "y"])
    with model(by_hand) as (endpoint, server):
        first = score_by(Judged(endpoint), "clue_overlap", gold, gold, Options(bootstrap=0))
        count = len(server.asked)
        again = score_by(Judged(replace(endpoint)), "clue_overlap", gold, gold, Options(bootstrap=0))
        assert len(server.asked) == count
    assert again == first
    assert first.score == 1.0


def test_groups_are_asked_for_clip_by_clip() -> None:
    """By hand: clip 0 has groups {angry mad} {sad}: gold {1, 2}, said {1}: 1, .5; in clip 1 the reply leaves out a
    label, which stands for itself: 1, 1; clip 2 has a label in two groups; clip 3 has one label and no question."""
    groups = {
        '["mad", "sad", "angry"]': '[["mad", "angry"], ["sad"]]',
        '["calm", "tired"]': '[["calm"]]',
        '["a", "b"]': '[["a", "b"], ["b"]]',
    }
    gold, predicted = [["mad", "sad"], ["calm", "tired"], ["a"], ["x"]], [["angry"], ["tired", "calm"], ["b"], ["x"]]
    with model(lambda text: groups[text.rpartition("\n")[2]]) as (endpoint, server):
        found = asking.groups_of(endpoint, gold, predicted)
    assert len(server.asked) == 3
    assert [one.place for one in found.unusable] == [2]
    assert found.values[2] is None
    assert found.values[3] == {"x": "x"}
    used = [groups for groups in found.values[:2] if groups is not None]
    scores = grouping_scores(gold[:2], predicted[:2], used)
    assert (scores.accuracy, scores.recall) == (1.0, 0.75)
