"""Thresholds at a target risk: hand counts, an exact bound, and a simulated promise."""

import numpy as np
import pytest

from emer.errors import ConfigError
from emer.evidence.rows import row_hashes
from emer.evidence.selective import Threshold, threshold_at_risk


def ids(count: int) -> list[str]:
    return [f"clip-{i}" for i in range(count)]


def test_by_hand_without_a_promise() -> None:
    """Of the rows above .3 (.4 wrong, .6 .8 .9 right) a quarter is wrong; all five would be two fifths."""
    told, right = np.array([0.3, 0.9, 0.6, 0.8, 0.4]), np.array([False, True, True, True, False])
    threshold = threshold_at_risk(told, right, ids(5), 0.25, delta=None)
    assert threshold == Threshold(
        value=0.3, target_risk=0.25, risk=0.25, coverage=0.8, n=5, guarantee=None, rows=row_hashes(ids(5))
    )
    assert threshold_at_risk(told, right, ids(5), 0.4, delta=None).coverage == 1
    assert threshold_at_risk(told, right, ids(5), 0.24, delta=None).value == 0.4


def test_equal_confidences_are_trusted_together() -> None:
    told, right = np.array([0.9, 0.5, 0.5, 0.5]), np.array([True, True, True, False])
    assert threshold_at_risk(told, right, ids(4), 0.2, delta=None).value == 0.5
    assert threshold_at_risk(told, right, ids(4), 0.25, delta=None).value == -1


def test_rows_that_are_all_wrong_trust_nothing() -> None:
    for delta in (None, 0.05):
        threshold = threshold_at_risk(np.linspace(0, 1, 40), np.zeros(40, dtype=bool), ids(40), 0.3, delta=delta)
        assert (threshold.value, threshold.risk, threshold.coverage, threshold.guarantee) == (None, None, 0, None)
        assert threshold.trusts(0.99) is False
        assert threshold.trusts(None) is None


def test_rows_that_are_all_right_need_enough_of_them_for_a_promise() -> None:
    """No error in n rows bounds the risk by 1 - (delta / 20)^(1/n): for .05 and .05 that takes 117 rows."""
    needed = int(np.ceil(np.log(0.05 / 20) / np.log(0.95)))
    assert needed == 117
    for n, trusted in ((needed - 1, None), (needed, -1.0)):
        told = np.linspace(0.5, 1, n)
        assert threshold_at_risk(told, np.ones(n, dtype=bool), ids(n), 0.05).value == trusted


def test_the_promise_holds_in_simulation() -> None:
    """Confidence c is right with probability c, c even on [.4, 1]; above t the true risk is (1 - t) / 2.

    With delta = .05 at most 5 % of 400 draws may break the target; the threshold must not be idle either.
    """
    rng = np.random.default_rng(0)
    broken, coverages = 0, []
    for _ in range(400):
        told = rng.uniform(0.4, 1, 500)
        threshold = threshold_at_risk(told, rng.random(500) < told, ids(500), 0.2)
        coverages.append(threshold.coverage)
        if threshold.value is not None:
            broken += (1 - max(threshold.value, 0.4)) / 2 > 0.2
    assert broken <= 20
    assert np.mean(coverages) > 0.25


def test_the_promise_is_said_in_words() -> None:
    threshold = threshold_at_risk(np.linspace(0.5, 1, 200), np.ones(200, dtype=bool), ids(200), 0.1)
    assert threshold.guarantee == (
        "with probability 0.95 at most 0.1 of trusted clips are wrong, for independent clips drawn like these rows"
    )
    assert threshold.trusts(0.5) is True


@pytest.mark.parametrize(
    ("told", "risk", "letter"),
    [
        ([0.5, float("nan")], 0.1, "confidences must be numbers from 0 to 1"),
        ([0.5, 1.5], 0.1, "confidences must be numbers from 0 to 1"),
        ([0.5, 0.6], 0.0, "target risk 0 and delta 0.05 must lie between 0 and 1"),
    ],
)
def test_wrong_input_is_refused(told: list[float], risk: float, letter: str) -> None:
    with pytest.raises(ConfigError, match=letter):
        threshold_at_risk(np.array(told), np.array([True, False]), ids(2), risk)


def test_row_ids_must_be_as_many_as_rows() -> None:
    with pytest.raises(ConfigError, match="2 confidences, 2 outcomes and 3 row ids; give one of each per row"):
        threshold_at_risk(np.array([0.5, 0.6]), np.array([True, False]), ids(3), 0.1)


def test_rows_of_training_and_calibration_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"1 row of the threshold was seen in training or calibration \(clip-1\)"):
        threshold_at_risk(np.array([0.5, 0.6]), np.array([True, False]), ids(2), 0.1, used_rows=row_hashes(["clip-1"]))
