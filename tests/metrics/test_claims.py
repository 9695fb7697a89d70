"""Shares of claims, counted by hand."""

import pytest

from emer.grounding import check, shares
from emer.metrics.claims import STATUSES, claim_counts, claim_scores, of_other_clips
from emer.metrics.errors import MetricError
from emer.types import Clue, Statement

SMILE = Clue(
    "v1", "visual", "lip_corner_pull", "lip corners pulled up by 12 %", 1.0, 2.0, 12.0, "inter-ocular %", "rest"
)


def said(text: str) -> tuple[Statement, ...]:
    return check(text, [SMILE])


def test_every_claim_counts_below_the_line_the_uncheckable_ones_too() -> None:
    """By hand: a smile that is there, a frown that its opposite excludes, a tremor that no clue knows, sobs that
    nothing measures; the fine day claims nothing."""
    found = claim_scores(
        [
            said("She smiles [v1]. The corners of her mouth droop [v1]."),
            said("The voice trembles. It is a fine day. She sobs."),
        ],
        replicates=100,
    )
    by_hand = {"grounded": 0.25, "contradicted": 0.25, "unsupported": 0.25, "uncheckable": 0.25}
    assert {status: interval.score for status, interval in found.shares.items()} == by_hand
    assert (found.n_claims, found.n_clips, found.n_silent, found.per_clip.score) == (4, 2, 0, 2.0)


def test_one_explanation_has_the_shares_that_the_check_itself_gives() -> None:
    statements = said("She smiles [v1]. She smiles at 9 s [v1]. The voice trembles.")
    found = claim_scores([statements, statements], replicates=20)
    assert {status: interval.score for status, interval in found.shares.items()} == shares(statements)
    assert all(interval.low == interval.high == interval.score for interval in found.shares.values())


def test_shares_are_of_all_claims_and_not_means_of_clips() -> None:
    """3 of 4 claims are grounded, while the mean of the clips' own shares is 1/2."""
    found = claim_scores(
        [said("She smiles [v1]. She smiles. She grins [v1]."), said("The voice trembles.")], replicates=50
    )
    assert found.shares["grounded"].score == 0.75


def test_clips_that_claim_nothing_are_counted_and_lower_claims_per_clip() -> None:
    found = claim_scores([said("She smiles [v1]."), said("It is a fine day."), ()], replicates=50)
    assert (found.n_silent, found.n_clips, round(found.per_clip.score, 4)) == (2, 3, 0.3333)
    assert found.shares["grounded"].replicates < 50  # draws of silent clips alone have no shares


def test_no_claims_at_all_are_refused() -> None:
    with pytest.raises(MetricError, match="none of 2 explanations claims anything"):
        claim_scores([said("It is a fine day."), ()])


def test_statuses_are_counted_in_their_order() -> None:
    assert STATUSES == ("grounded", "contradicted", "unsupported", "uncheckable")
    assert claim_counts([]).shape == (0, 4)


def test_speakers_are_resampled_where_they_are_known() -> None:
    rows = [said("She smiles [v1].")] * 3 + [said("The voice trembles.")] * 3
    found = claim_scores(rows, groups=["ann"] * 3 + ["bo"] * 3, replicates=200)
    assert (found.shares["grounded"].resampled, found.shares["grounded"].groups) == ("groups", 2)
    assert (found.shares["grounded"].low, found.shares["grounded"].high) == (0.0, 1.0)


def test_whose_text_it_was_is_kept() -> None:
    assert claim_scores([said("She smiles [v1].")] * 2, self_test=True, replicates=5).self_test


def test_held_against_another_clips_clues_only_what_is_true_of_both_is_grounded() -> None:
    """By hand: the smile is in the first and the third clip, so that the second and the third text meet one."""
    texts, clues = ["She smiles [v1].", "She smiles.", "She smiles [v1]."], [[SMILE], [], [SMILE]]
    assert [one[0].status for one in of_other_clips(texts, clues)] == ["unsupported", "grounded", "grounded"]
    with pytest.raises(MetricError, match="keep their clues"):
        of_other_clips(texts, clues, by=3)
