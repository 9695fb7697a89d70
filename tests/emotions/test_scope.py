"""Negation and degree: sentences judged by hand."""

import pytest

from emer.emotions import reader
from emer.emotions.scope import STRENGTHENED, STRESSED, WEAKENED, Reading


def only(text: str, language: str = "en") -> Reading:
    found = reader(language).readings(text)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "negator"),
    [
        ("I am not happy.", "not"),
        ("I was never afraid of him.", "never"),
        ("She isn't angry at all.", "isn't"),
        ("She isn’t angry at all.", "isn't"),
        ("He is no longer sad.", "no longer"),
        ("I'm hardly surprised.", "hardly"),
        ("I don't think that he is happy.", "don't"),
        ("There is nothing to be afraid of.", "nothing"),
        ("He fought without fear.", "without"),
        ("I am afraid of nothing.", "nothing"),
        ("She fears no one.", "no one"),
        ("Don't worry about it.", "don't"),
        ("That was anything but relaxing.", "anything but"),
        ("I'm not in the least bit... no, not worried.", "not"),
        ("Why aren't you happy?", "aren't"),
        ("Nobody was angry.", "nobody"),
        ("I wasn't really very happy.", "wasn't"),
        ("It's a rule, not a passion.", "not"),
    ],
)
def test_denied_words_weigh_nothing(text: str, negator: str) -> None:
    assert (only(text).negator, only(text).weight) == (negator, 0.0)


@pytest.mark.parametrize(
    "text",
    [
        "I did not go and I am happy.",
        "No, I am happy.",
        "No wonder you are angry.",
        "There is no doubt she is furious.",
        "I can't help feeling sad.",
        "Not only was I relieved, I went home.",
        "I'm not sure, but I am excited.",
        "He said no because he is jealous.",
        "It was not long before she was happy.",
        "I am never not anxious.",
        "I can't wait for it.",
        "I can't believe it.",
        "She did not come. Afraid?",
        "I never said what you heard me say to him about being sad.",
    ],
)
def test_words_outside_the_scope_of_a_negator_keep_their_weight(text: str) -> None:
    assert only(text).negator is None
    assert only(text).weight > 0


def test_not_only_denies_neither_side() -> None:
    readings = reader("en").readings("She was not only happy but thrilled.")
    assert [(r.entry.label, r.negator) for r in readings] == [("happy", None), ("thrilled", None)]


def test_neither_nor_denies_both_sides() -> None:
    readings = reader("en").readings("She was neither happy nor sad.")
    assert [r.weight for r in readings] == [0.0, 0.0]


def test_a_contrast_denies_one_side() -> None:
    readings = reader("en").readings("I'm not angry, I'm disappointed.")
    assert [(r.entry.cluster, r.negator) for r in readings] == [("angry", "not"), ("sad", None)]


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("I am worried.", 1.0),
        ("I am very worried.", STRENGTHENED),
        ("I am really very worried.", STRENGTHENED**2),
        ("I am slightly worried.", WEAKENED),
        ("I am a little bit worried.", WEAKENED),
        ("I'm kind of worried.", WEAKENED),
        ("I am WORRIED.", STRESSED),
        ("I am worrrried.", STRESSED),
        ("I have never been so worried.", STRENGTHENED),
        ("I AM WORRIED.", 1.0),
    ],
)
def test_weight_is_intensity_times_degree(text: str, factor: float) -> None:
    """The factors are those that the docstring states; .6 is the intensity of worry in the table."""
    assert only(text).weight == pytest.approx(min(1.0, 0.6 * factor), abs=1e-3)


def test_a_comparative_after_a_denied_state_is_a_superlative() -> None:
    assert only("I couldn't be prouder of you.").weight == pytest.approx(0.6 * STRENGTHENED)
    assert only("She was not the prouder one.").weight == 0.0


def test_a_weight_is_at_most_one() -> None:
    assert only("I am extremely, no: absolutely utterly TERRIFIED.").weight == 1.0


def test_a_reading_points_at_the_word_and_at_its_modifiers() -> None:
    text = "Yes, I'm so very worried."
    reading = only(text)
    assert text[reading.start : reading.end] == "worried"
    assert text[reading.from_ : reading.end] == "so very worried"


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("我很开心", False),
        ("我不开心", True),
        ("我一点也不害怕", True),
        ("不要担心", True),
        ("我没有生气", True),
        ("并非愤怒", True),
        ("她绝非害怕", True),
        ("我从没害怕", True),
        ("从没这么高兴", False),
        ("没想到这么高兴", False),
        ("我不仅高兴", False),
        ("不对，我很难过", False),
    ],
)
def test_chinese_negation(text: str, denied: bool) -> None:
    assert (only(text, "zh").negator is not None) is denied


def test_chinese_degree_words_weigh() -> None:
    plain, strong, weak = (only(text, "zh").weight for text in ("我难过", "我很难过", "我有点难过"))
    assert weak == pytest.approx(plain * WEAKENED)
    assert strong == pytest.approx(plain * STRENGTHENED)
