"""Decisions whose reasons are known, so that the change without them can be worked out by hand."""

from collections.abc import Sequence

import pytest

from emer.metrics.errors import MetricError
from emer.metrics.faithfulness import Faithfulness, faithfulness, faithfulness_scores, why_not
from emer.types import Clue, Modality


def clue(name: str) -> Clue:
    modality: dict[str, Modality] = {"a": "audio", "v": "visual", "t": "text"}
    return Clue(name, modality[name[0]], "pitch_rise", "", 0.0, 1.0, None, "", "")


def clues(*names: str) -> list[Clue]:
    return [clue(name) for name in names]


class Rests:
    """A belief of three labels that moves from the first to the second by a share for each clue that is gone."""

    def __init__(self, **weight: float) -> None:
        self.weight = weight
        self.asked: list[frozenset[str]] = []

    def __call__(self, removed: frozenset[str]) -> Sequence[float]:
        self.asked.append(removed)
        lost = sum(self.weight.get(name, 0.0) for name in removed)
        return [0.8 - lost, 0.1 + lost, 0.1]


def test_a_decision_that_rests_on_what_it_cites_changes_without_it_alone() -> None:
    found = faithfulness(Rests(a1=0.2, v1=0.1), clues("a1", "v1", "a2", "v2", "t1"), {"a1", "v1"})
    assert (found.cited_change, found.cited_drop, found.everything) == pytest.approx((0.3, 0.3, 0.3))
    assert (found.uncited_change, found.difference, found.drop_difference) == pytest.approx((0.0, 0.3, 0.3))
    assert (found.n_cited, found.n_uncited, found.n_removed) == (2, 3, 2)


def test_citing_what_does_not_matter_shows_as_a_negative_difference() -> None:
    found = faithfulness(Rests(a2=0.4), clues("a1", "a2"), {"a1"})
    assert (found.cited_change, found.uncited_change, found.difference) == pytest.approx((0.0, 0.4, -0.4))


def test_where_every_clue_matters_alike_citing_makes_no_difference() -> None:
    names = [f"a{i}" for i in range(1, 7)]
    found = faithfulness(Rests(**dict.fromkeys(names, 0.1)), clues(*names), {"a1", "a5"})
    assert (found.cited_change, found.uncited_change, found.everything) == pytest.approx((0.2, 0.2, 0.6))


def test_a_belief_that_moves_towards_the_decision_has_changed_but_not_dropped() -> None:
    found = faithfulness(Rests(a1=-0.1), clues("a1", "a2"), {"a1"})
    assert (found.cited_change, found.cited_drop) == pytest.approx((0.1, -0.1))


def test_the_others_are_of_the_modalities_of_the_cited_ones() -> None:
    decide = Rests()
    faithfulness(decide, clues("a1", "v1", "a2", "a3", "v2", "v3", "t1", "t2"), {"a1", "v1"}, draws=50)
    others = [removed for removed in decide.asked if len(removed) == 2 and removed != {"a1", "v1"}]
    assert {tuple(sorted(name[0] for name in removed)) for removed in others} == {("a", "v")}
    assert len(others) == 4  # a2 or a3 with v2 or v3: each set is asked once, however often it is drawn


def test_where_a_modality_has_too_few_others_the_rest_comes_from_the_other_ones() -> None:
    decide = Rests()
    faithfulness(decide, clues("a1", "a2", "a3", "t1", "t2"), {"a1", "a2"}, draws=50)
    others = {removed for removed in decide.asked if len(removed) == 2 and removed != {"a1", "a2"}}
    assert others == {frozenset({"a3", "t1"}), frozenset({"a3", "t2"})}


def test_with_fewer_others_than_cited_clues_as_many_of_the_cited_are_drawn() -> None:
    """By hand: one of three cited clues goes at a time, each of weight .1, against the one that is left over."""
    decide = Rests(a1=0.1, a2=0.1, a3=0.1, a4=0.05)
    found = faithfulness(decide, clues("a1", "a2", "a3", "a4"), {"a1", "a2", "a3"})
    assert (found.n_removed, found.cited_change, found.uncited_change) == (1, pytest.approx(0.1), pytest.approx(0.05))


def test_the_same_seed_gives_the_same_numbers() -> None:
    decide = Rests(a2=0.3, a3=0.1, a5=0.2)
    given = clues(*(f"a{i}" for i in range(1, 8)))
    first, again, other = (faithfulness(decide, given, {"a1", "a2"}, 5, seed) for seed in (1, 1, 2))
    assert first == again
    assert first.uncited_change != other.uncited_change


def test_what_cannot_be_compared_says_why() -> None:
    assert why_not(clues("a1", "a2"), {"a1"}) is None
    assert why_not(clues("a1", "a2"), {"a9"}) == "cites no clue"
    assert why_not(clues("a1", "a2"), {"a1", "a2", "a9"}) == "cites every clue"
    with pytest.raises(MetricError, match="without its clues: cites no clue"):
        faithfulness(Rests(), clues("a1"), set())


def test_beliefs_must_be_distributions_over_the_same_labels() -> None:
    with pytest.raises(MetricError, match=r"row 0 of the belief sums to 0\.9"):
        faithfulness(lambda removed: [0.5, 0.4], clues("a1", "a2"), {"a1"})
    with pytest.raises(MetricError, match="2 labels with all clues and 3 without some"):
        faithfulness(lambda removed: [0.5, 0.25, 0.25] if removed else [0.5, 0.5], clues("a1", "a2"), {"a1"})


def results(*pairs: tuple[float, float]) -> list[Faithfulness]:
    return [Faithfulness(c, u, c - u, c, u, c - u, 0.5, 2, 3, 2, 20) for c, u in pairs]


def test_clips_are_compared_in_pairs_so_that_what_they_share_cancels_out() -> None:
    """Each clip differs by .1, however far apart the clips are: the interval of the difference has no width."""
    found = faithfulness_scores(results((0.3, 0.2), (0.9, 0.8), (0.1, 0.0)), replicates=100)
    assert (found.difference.score, found.difference.low, found.difference.high) == pytest.approx((0.1, 0.1, 0.1))
    assert found.cited_change.high - found.cited_change.low > 0.2
    assert found.n == 3


def test_no_clips_have_no_mean() -> None:
    with pytest.raises(MetricError, match="no clip can be compared"):
        faithfulness_scores([])
