"""Agreement with people's preferences: cases counted by hand, tau-b against SciPy's."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from emer.metrics.errors import MetricError
from emer.metrics.preferences import Preferred, agreement, kendall_tau, validation_note


def scores(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=np.float64)


def test_a_score_that_always_puts_the_preferred_one_higher_agrees_fully() -> None:
    found = agreement(scores(3, 1, 9), scores(1, 2, 0), ["a", "b", "a"], replicates=50)
    assert (found.accuracy.score, found.n, found.ties, found.kendall_tau > 0.8) == (1.0, 3, 0, True)


def test_ties_of_the_score_count_half_and_are_told() -> None:
    found = agreement(scores(1, 1, 1, 0), scores(1, 1, 0, 1), ["a", "b", "a", "a"], replicates=50)
    assert (found.accuracy.score, found.ties) == (0.5, 2)  # a half, a half, one, none: of four


def test_pairs_that_people_found_alike_are_counted_and_count_in_tau_alone() -> None:
    found = agreement(scores(2, 0), scores(0, 5), ["a", "same"], replicates=10)
    assert (found.accuracy.score, found.n, found.same) == (1.0, 1, 1)
    assert found.kendall_tau == 1.0  # the preferred pair differs by more than the one found alike


def test_the_longer_text_is_the_baseline_and_the_gain_is_paired() -> None:
    texts = (["long text", "short", "long text", "x"], ["short", "long text", "short", "xx"])
    found = agreement(scores(1, 0, 1, 1), scores(0, 1, 0, 0), ["a", "b", "a", "a"], texts=texts, replicates=200)
    assert (found.accuracy.score, found.longer) == (1.0, 0.75)
    assert found.gain is not None
    assert (found.gain.score, found.gain.low) == (0.25, 0.0)


def test_a_score_that_is_the_length_gains_nothing_over_it() -> None:
    rng = np.random.default_rng(1)
    texts = tuple(["x" * int(n) for n in rng.integers(1, 40, 30)] for _ in range(2))
    preferred: list[Preferred] = ["a" if flip else "b" for flip in rng.random(30) < 0.5]
    lengths = [np.array([len(text) for text in side]) for side in texts]
    found = agreement(*lengths, preferred, texts=texts, replicates=100)
    assert found.gain is not None
    assert (found.gain.score, found.gain.low, found.gain.high) == (0.0, 0.0, 0.0)


def test_pairs_of_one_clip_are_resampled_together() -> None:
    """Two clips of ten pairs each, one always right and one never: accuracies of draws are 0, 1/2 or 1."""
    found = agreement(
        scores(*[1.0] * 20), scores(*[0.0] * 20), ["a"] * 10 + ["b"] * 10, clips=["x"] * 10 + ["y"] * 10, replicates=100
    )
    assert (found.accuracy.resampled, found.accuracy.low, found.accuracy.high) == ("groups", 0.0, 1.0)


@pytest.mark.parametrize("levels", [3, 1000])
def test_tau_is_scipys_with_and_without_ties(levels: int) -> None:
    rng = np.random.default_rng(levels)
    first, second = rng.integers(0, levels, (2, 200)).astype(float)
    assert kendall_tau(first, second + first) == pytest.approx(kendalltau(first, second + first).statistic)


def test_tau_of_a_column_without_differences_is_not_a_number() -> None:
    assert np.isnan(kendall_tau(scores(1, 1), scores(1, 2)))


def test_the_note_gives_the_figure_its_n_its_data_and_the_baseline() -> None:
    found = agreement(
        scores(1, 0, 1, 0),
        scores(0, 1, 0, 1),
        ["a", "b", "b", "b"],
        texts=(["xx"] * 4, ["x"] * 4),
        data="a study",
        replicates=50,
    )
    note = validation_note(found)
    assert note.startswith("agrees with people on 75.0 % [")
    assert note.endswith("of 4 pairs of a study (chance: 50 %; the longer text: 25.0 %)")


@pytest.mark.parametrize(
    ("preferred", "says"),
    [
        (["a1", "b"], "a preference is 'a1'; it must be a, b or same"),
        (["same", "same"], "people found all 2 pairs alike"),
        (["a"], "numbers of rows differ"),
    ],
)
def test_what_cannot_be_agreed_with_is_refused(preferred: list, says: str) -> None:
    with pytest.raises(MetricError, match=says):
        agreement(scores(1, 2), scores(2, 1), preferred)


def test_scores_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(MetricError, match="scores is nan in row 0"):
        agreement(scores(float("nan"), 2), scores(2, 1), ["a", "b"])
