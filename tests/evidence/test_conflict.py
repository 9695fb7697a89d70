"""Conflict by hand computation."""

import numpy as np
import pytest

from emer.errors import OpinionError
from emer.evidence import opinion as op
from emer.evidence.conflict import conflict, degree
from emer.evidence.fusion import fuse
from emer.types import Conflict, Opinion

MOOD = ("good", "bad")


def mood(*evidence: float, trained: bool = True) -> Opinion:
    return op.dirichlet("mood", MOOD, evidence, trained=trained)


def test_conflict_degree_by_hand() -> None:
    """e = (8, 0): p = (.9, .1), u = .2. e = (0, 2): p = (.25, .75), u = .5.

    Half the distance is (.65 + .65) / 2 = .65; certainty .8 * .5 = .4; degree .26.
    """
    assert degree(mood(8, 0), mood(0, 2)) == pytest.approx(0.26)


def test_conflict_is_symmetric_and_lies_between_zero_and_one() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b = mood(*rng.exponential(20.0, 2)), mood(*rng.exponential(20.0, 2))
        assert degree(a, b) == pytest.approx(degree(b, a))
        assert 0 <= degree(a, b) <= 1


def test_agreement_and_ignorance_are_no_conflict() -> None:
    assert degree(mood(9, 1), mood(9, 1)) == 0.0
    assert degree(mood(9, 1), op.vacuous("mood", MOOD)) == 0.0


def test_total_conflict_approaches_one() -> None:
    assert degree(mood(1e12, 0), mood(0, 1e12)) == pytest.approx(1.0)


def test_of_beta_opinions_the_worst_label_counts() -> None:
    """Label one: p = .75 against .25, u = .5 both: .5 * .25 = .125. Label two agrees."""
    a = op.beta("moods", ("good", "tired"), [[2, 0], [0, 50]])
    b = op.beta("moods", ("good", "tired"), [[0, 2], [0, 50]])
    assert degree(a, b) == pytest.approx(0.125)


def test_dempster_grows_surer_while_conflict_is_high() -> None:
    """Why conflict is a number of its own."""
    good, bad = mood(18, 0), mood(0, 18)
    assert degree(good, bad) > 0.7
    assert op.uncertainty(fuse({"audio": good, "visual": bad}, "dempster")) < op.uncertainty(good) / 1.5


def test_the_largest_conflict_between_two_trained_views_is_reported() -> None:
    opinions = {"text": mood(0, 2), "audio": mood(8, 0), "visual": mood(8, 0)}
    found = conflict(opinions)
    assert found.degree == pytest.approx(0.26)
    assert found.between == ("audio", "text")


def test_the_order_of_the_views_does_not_change_the_conflict() -> None:
    opinions = {"text": mood(0, 2), "audio": mood(8, 0), "visual": mood(8, 0)}
    assert conflict(opinions) == conflict(dict(reversed(opinions.items())))


def test_hints_and_missing_views_enter_no_conflict() -> None:
    assert conflict({}) == Conflict(None)
    assert conflict({"audio": mood(8, 0), "visual": mood(0, 8, trained=False)}) == Conflict(None)
    assert conflict({"audio": mood(8, 0), "visual": op.vacuous("mood", MOOD)}) == Conflict(None)
    hint = mood(0, 80, trained=False)
    assert conflict({"audio": mood(8, 0), "text": mood(0, 2), "visual": hint}).between == ("audio", "text")


def test_the_joint_view_is_no_witness_of_its_own() -> None:
    assert conflict({"audio": mood(8, 0), "joint": mood(0, 8)}) == Conflict(None)


def test_views_over_different_label_sets_cannot_conflict() -> None:
    other = op.dirichlet("weather", MOOD, [1, 0], trained=True)
    with pytest.raises(OpinionError, match="label_set"):
        conflict({"audio": mood(8, 0), "visual": other})
