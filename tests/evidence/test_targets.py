"""Targets from labels, label sets and votes; what is refused."""

from collections.abc import Callable

import numpy as np
import pytest

from emer.errors import ConfigError
from emer.evidence.targets import label_sets_target, label_target, vote_target

MOOD = ("good", "bad", "flat")


@pytest.mark.parametrize(
    ("target", "given"),
    [
        (label_target, ["good", "fine"]),
        (label_sets_target, [["good"], ["fine"]]),
        (vote_target, [{"fine": 1, "good": 2}]),
    ],
)
def test_unknown_labels_are_refused_by_name(target: Callable[..., np.ndarray], given: object) -> None:
    with pytest.raises(ConfigError, match=r"1 labels are not in the label set \('fine'\); it has good, bad, flat"):
        target(given, MOOD)


def test_no_rows_make_an_empty_target() -> None:
    assert label_target([], MOOD).shape == label_sets_target([], MOOD).shape == (0, 3)


@pytest.mark.parametrize("votes", [{}, {"good": 0}, {"good": -1, "bad": 3}, {"good": float("nan")}])
def test_rows_without_proper_votes_are_refused(votes: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"1 rows lack votes or have wrong ones \(first row 1"):
        vote_target([{"good": 1.0}, votes], MOOD)
