"""Answers of models: the form that was asked for, and the many ways to leave it."""

import json
import time

import pytest

from emer.engines.reading_answers import label_line, read_answer, whole_answer
from emer.grounding.sentences import LABEL_LINE

KEPT = 'The voice rises [a3], which would fit surprise.\n\nEmotions: ["surprised", "ill at ease"]'


def test_an_answer_in_the_form_is_taken_apart() -> None:
    read = read_answer(KEPT)
    assert read.explanation == "The voice rises [a3], which would fit surprise."
    assert read.labels == ("surprised", "ill at ease")
    assert read.strayed is None


def test_empty_brackets_keep_the_form_and_name_no_emotion() -> None:
    assert read_answer("Nothing can be told.\nEmotions: []").strayed is None
    assert read_answer("Nothing can be told.\nEmotions: []").labels == ()


@pytest.mark.parametrize("labels", [("happy",), ("ill at ease", "释然"), (), ('a "b"', "c\\d")])
def test_what_is_written_is_read_back(labels: tuple[str, ...]) -> None:
    read = read_answer(whole_answer("The face smiles [v1].\n\nMore of it.", labels))
    assert (read.explanation, read.labels, read.strayed) == ("The face smiles [v1].\n\nMore of it.", labels, None)


def test_the_line_of_labels_is_json_and_no_sentence_for_the_grounding_check() -> None:
    line = label_line(["释然", "calm"])
    assert json.loads(line.removeprefix("Emotions: ")) == ["释然", "calm"]
    assert LABEL_LINE.match(line)


@pytest.mark.parametrize(
    ("text", "labels", "why"),
    [
        ('She smiles.\n**Emotions:** ["happy", "sad"]', ("happy", "sad"), "no JSON list"),
        ("She smiles.\nEmotions: happy and relieved", ("happy", "relieved"), "no JSON list"),
        ("She smiles.\nEmotions: ['happy', 'relieved']", ("happy", "relieved"), "no JSON list"),
        ('She smiles.\n情绪：["高兴"]', ("高兴",), "no JSON list"),
        ("She smiles.\n\nEmotions:\n- Happy\n- Relieved", ("happy", "relieved"), "no JSON list"),
        ('She smiles.\nEmotions: ["happy", "relie', ("happy", "relie"), "no JSON list"),
        ('She smiles.\nEmotions: ["happy"]\nHope this helps!', ("happy",), "words follow"),
        ('Emotions: ["happy"]', ("happy",), "no explanation"),
        ('Emotions: ["sad"]\nShe smiles.\nEmotions: ["happy"]', ("happy",), "more than one line"),
        ("She smiles and is happy, not sad.", ("happy",), "is missing"),
        ("", (), "is missing"),
        (f"She smiles.\n{label_line([f'l{i}' for i in range(9)])}", tuple(f"l{i}" for i in range(9)), "9 labels"),
        (f"She smiles.\n{label_line(['a' * 41])}", ("a" * 41,), "longer than 40"),
        ('She smiles.\nEmotions: ["happy", 3]', ("happy",), "no JSON list"),
    ],
)
def test_strayed_answers_are_read_and_told(text: str, labels: tuple[str, ...], why: str) -> None:
    read = read_answer(text)
    assert read.labels == labels
    assert read.strayed is not None
    assert why in read.strayed


def test_thoughts_and_fences_around_an_answer_are_taken_off() -> None:
    assert read_answer(f'<think>Emotions: ["sad"]</think>\n{KEPT}') == read_answer(KEPT)
    assert read_answer(f"```text\n{KEPT}\n```") == read_answer(KEPT)


def test_labels_are_lower_case_and_stand_once() -> None:
    assert read_answer('x\nEmotions: ["Happy", " happy ", "Ill  at ease"]').labels == ("happy", "ill at ease")


@pytest.mark.parametrize(
    "text",
    ["\n" * 100_000, "Emotions: " + "[" * 50_000, "*" * 100_000, "Emotions:" + "* " * 50_000 + "x", "a, " * 5_000],
)
def test_no_text_takes_long(text: str) -> None:
    start = time.process_time()
    read_answer(text)
    assert time.process_time() - start < 3
