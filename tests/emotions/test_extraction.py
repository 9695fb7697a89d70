"""Labels from running text: what is meant, not what is denied."""

import pytest

from emer.emotions.extraction import extract_labels, pieces


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("She is not happy but worried.", ("worried",)),
        ("He isn't angry at all; if anything, he sounds relieved and a little sad.", ("relieved", "sad")),
        ("She could not be happier.", ("happy",)),
        ("Angrily he slams the door. His anger fades.", ("angry",)),
        ("There is nothing to fear.", ()),
        ("Nobody knows what he feels.", ()),
        ("他不高兴，显得很焦虑。", ("焦虑",)),
        ("她非常激动。The voice is sad.", ("激动", "sad")),
        ("", ()),
        ("\0", ()),
    ],
)
def test_emotions_are_drawn_from_sentences_with_their_negation(text: str, labels: tuple[str, ...]) -> None:
    assert extract_labels(text) == labels


def test_a_mixed_text_is_read_by_the_rules_of_each_script() -> None:
    languages = [
        (piece.strip(), language) for piece, language in pieces("I am sad. 他很高兴。 Then calm.") if piece.strip()
    ]
    assert languages == [("I am sad.", "en"), ("他很高兴。", "zh"), ("Then calm.", "en")]


@pytest.mark.parametrize("text", ["a" * 2500, "no stop here " * 300, "一" * 2500, "Mr. X: 0.5\n\n!?", "...", "\n"])
def test_no_letter_is_lost_when_a_text_is_cut(text: str) -> None:
    letters = [letter for piece, _ in pieces(text) for letter in piece if letter.isalnum()]
    assert letters == [letter for letter in text if letter.isalnum()]
    assert all(len(piece) <= 1100 for piece, _ in pieces(text))


def test_a_plain_no_denies_too() -> None:
    """YAML reads a bare `no` as false, so that the list of negators has to quote it."""
    assert extract_labels("There is no joy in it. She has no fear.") == ()
