"""From what a model wrote to an answer, without a model."""

import pytest

from emer.emotions import cluster_of
from emer.engines.model_answers import answer_of, is_complete, listed, needs_asking_again, repaired, so_far
from emer.engines.reading_answers import read_answer
from emer.evidence.opinion import vacuous
from emer.types import Clue, Clues, Request, Span

RISE = Clue("a1", "audio", "pitch_rise", "voice 4.1 semitones above this clip's median", 1, 2, 4.1, "semitones", "")
KEPT = 'The voice rises [a1].\n\nEmotions: ["worried", "tense"]'
TEXTS = (
    KEPT,
    "The voice rises [a1].\nThe face is still.",
    "Emotions run high here [a1].\nThe voice rises.",
    'First.\nLabels: happy\nSecond.\nEmotions: ["sad"]',
    "- Emotion: joy\n- Emotion: fear",
    '```\nThe voice rises [a1].\nEmotions: ["worried"]\n```',
    '<think>well</think>The voice rises.\n\nEmotions: ["worried"]',
    '声音升高 [a1]。\n情绪：["担心"]',
    "e\nem\nlabel\n\n\n  ",
    "",
    'Only a line.\n**Emotions:** ["glad"]\nand words behind it',
    "odd\0bytes \x1b and \x85 spaces \u3000\nEmotions: []  ",
)


def request() -> Request:
    nothing = vacuous("emer8", ("happy", "sad"))
    return Request(None, Clues((RISE,), {}), Span(0, 4), {}, nothing)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("reply", [None, '["calm"]'])
def test_whatever_was_told_on_the_way_is_how_the_answer_begins(text: str, reply: str | None) -> None:
    """Streaming: every growing text is told by pieces, none of which may be taken back."""
    answer = answer_of(request(), text, reply, cluster_of)
    told = ""
    for end in range(len(text) + 1):
        now = so_far(text[:end])
        assert now.startswith(told) or told.startswith(now)
        told = max(told, now, key=len)
    assert answer.text.startswith(told)


def test_most_of_a_text_is_told_before_it_is_finished() -> None:
    assert so_far(KEPT) == "The voice rises [a1]."
    assert so_far("The voice ri") == "The voice ri"


def test_a_text_is_complete_when_its_line_of_labels_closes() -> None:
    ends = [end for end in range(len(KEPT) + 1) if is_complete(KEPT[:end])]
    assert ends == [len(KEPT)]


def test_an_answer_in_form_is_kept_as_it_is_and_nothing_is_warned_of() -> None:
    answer = answer_of(request(), KEPT, None, cluster_of)
    assert answer.text == KEPT
    assert [(label.label, label.cluster, label.confidence) for label in answer.labels] == [
        ("worried", "fearful", None),
        ("tense", cluster_of("tense"), None),
    ]
    assert [statement.clue_ids for statement in answer.statements] == [("a1",)]
    assert answer.warnings == ()


def test_labels_of_a_second_question_go_before_those_read_by_rule() -> None:
    read = read_answer("She looks happy.")
    assert needs_asking_again(read)
    again, notices = repaired(read, 'Here: ["relieved"]')
    assert again.labels == ("relieved",)
    assert notices[0].code == "answer_form"
    assert notices[0].text.endswith("the labels were asked for once more")


def test_without_a_list_in_the_second_answer_labels_are_read_by_rule() -> None:
    read, notices = repaired(read_answer("She looks happy, not sad."), "well, happy I guess")
    assert read.labels == ("happy",)
    assert "by rule" in notices[0].text


@pytest.mark.parametrize(
    "reply",
    [
        "worried",
        "[1, 2]",
        '["a", ["b"]]x',
        '["' + "a" * 60 + '"]',
        "[" * 20,
        "[" * 9999 + "]" * 9999,
        '[""]',
        str(["x"] * 3),
    ],
)
def test_what_is_no_list_of_short_texts_is_no_list_of_labels(reply: str) -> None:
    assert listed(reply) is None


def test_nobody_is_asked_again_about_an_empty_text() -> None:
    assert not needs_asking_again(read_answer(""))
    answer = answer_of(request(), "", None, cluster_of)
    assert answer.text == "Emotions: []"
    assert answer.warnings
