"""Conformal sets of benchmark predictions: coverage counted by hand, and kept in the long run."""

import numpy as np

from emer.bench.answers import Fold
from emer.bench.label_sets import LEVEL, covered, label_set_grid
from emer.bench.predictions import Predictions


def predicted(n: int, seed: int, kind: str = "single") -> Predictions:
    """Three labels; the right one is drawn from the stated probabilities themselves."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([0.7, 0.7, 0.7], n)
    y = (rng.random((n, 1)) > p.cumsum(1)).sum(1).clip(max=2)
    return Predictions(
        rows=tuple(f"{seed}-{i}" for i in range(n)),
        labels=("a", "b", "c"),
        kind="dirichlet",
        target=np.eye(3)[y] if kind == "single" else p,
        fused=p + 1e-6,
        views=(),
        alpha=np.zeros((0, n, 3)),
        present=np.zeros((0, n), dtype=bool),
        speakers=tuple(f"p{i % 4}" for i in range(n)),
    )


def test_sets_hold_the_right_label_about_as_often_as_promised() -> None:
    found = covered([Fold(predicted(2000, 1), predicted(4000, 2)), Fold(predicted(2000, 3), predicted(4000, 4))])
    # the share of 8,000 rows lies within 3 standard errors (.0034 each) and the quantile's own spread of .9; aps
    # covers somewhat more than promised
    assert LEVEL - 0.02 < found.coverage < LEVEL + 0.08
    assert found.n == 8000
    assert [one.n for one in found.speakers] == [2000] * 4


def test_the_table_names_coverage_size_and_the_worst_speaker() -> None:
    grid = label_set_grid(["m"], [0, 1], lambda method, seed: [Fold(predicted(200, 1), predicted(100, 10 + seed))])
    assert grid is not None
    expected = [covered([Fold(predicted(200, 1), predicted(100, 10 + seed))]) for seed in (0, 1)]
    worst = np.mean([min(one.coverage for one in each.speakers) for each in expected])
    assert [cell.text for cell in grid.lines[0]][1] == f"{np.mean([e.coverage for e in expected]):.3f}".lstrip("0")
    assert [cell.text for cell in grid.lines[0]][3] == f"{worst:.3f}".lstrip("0")


def test_shares_of_votes_have_no_label_sets() -> None:
    folds = [Fold(predicted(100, 1, "votes"), predicted(100, 2, "votes"))]
    assert label_set_grid(["m"], [0], lambda method, seed: folds) is None
