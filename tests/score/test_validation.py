"""Scores held against preferences of people, on pairs that were made up and counted by hand."""

import pytest

from emer.data.emoprefer import Pair
from emer.errors import ConfigError
from emer.metrics.errors import MetricError
from emer.score.validation import agree, grounded_share, with_clips
from emer.types import Clue

SMILE = Clue(
    "v1", "visual", "lip_corner_pull", "lip corners pulled up by 12 %", 1.0, 2.0, 12.0, "inter-ocular %", "rest"
)
PAIRS = (
    Pair("glad", "She smiles.", "Her voice trembles, and she frowns in plain anger.", "a"),
    Pair("glad", "It is a fine day.", "A smile comes.", "b"),
    Pair("none", "She smiles.", "He does not move at all in this long clip.", "b"),
    Pair("none", "He sits.", "He stands.", "same"),
)


def clues_of(clip: str) -> list[Clue]:
    return [SMILE] if clip == "glad" else []


def test_the_share_of_grounded_claims_is_held_against_preferences() -> None:
    """By hand: right on both smiles of `glad`, tied on the third pair, where nothing is grounded: 2.5 of 3. The longer
    text is preferred in the third pair alone, and in the second the first text is the longer one: 1 of 3."""
    found = agree(grounded_share(clues_of), PAIRS, data="made-up pairs", replicates=50)
    assert (found.accuracy.score, found.n, found.same, found.ties) == (pytest.approx(2.5 / 3), 3, 1, 1)
    assert found.longer == pytest.approx(1 / 3)
    assert (found.data, found.accuracy.resampled, found.accuracy.groups) == ("made-up pairs", "groups", 2)


def test_each_text_about_a_clip_is_scored_once() -> None:
    asked = []

    def score_of(clip: str, text: str) -> float:
        asked.append((clip, text))
        return 0.0

    agree(score_of, PAIRS * 3, data="made-up pairs", replicates=5)
    assert len(asked) == len(set(asked)) == 8


def test_pairs_without_clips_are_left_out_and_no_pair_is_refused() -> None:
    assert with_clips(PAIRS, lambda clip: clip == "glad") == PAIRS[:2]
    with pytest.raises(ConfigError, match=r"no clip of 4 pairs is there \(glad, none\)"):
        with_clips(PAIRS, lambda clip: False)
    with pytest.raises(ConfigError, match="made-up pairs has no pairs"):
        agree(grounded_share(clues_of), (), data="made-up pairs")


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(MetricError, match="scores is nan in row 0"):
        agree(lambda clip, text: float("nan"), PAIRS, data="made-up pairs")
