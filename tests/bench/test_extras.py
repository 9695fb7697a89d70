"""Disturbed and foreign clips in the report: hand-made predictions with known answers."""

from dataclasses import replace

import numpy as np
import pytest

from emer.bench.answers import Answers, Fold, answers
from emer.bench.extras import disagreement_grid, disturbed_grids, foreign_grids
from emer.bench.foreign import Abroad, Foreign, _abroad, _mean
from emer.bench.predictions import Predictions
from emer.bench.scoring import scores


def predicted(n: int, sure: float, seed: int, *, known: bool = True) -> Predictions:
    """Two labels; evidence `sure` for the right one in four of five rows; two views that agree."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    said = np.where(np.arange(n) % 5 == 0, 1 - y, y)
    alpha = 1 + sure * np.eye(2)[said] * rng.uniform(0.5, 1.5, (n, 1))
    return Predictions(
        rows=tuple(f"{seed}-{i}" for i in range(n)),
        labels=("calm", "tense"),
        kind="dirichlet",
        target=np.eye(2)[y] if known else np.zeros((n, 2)),
        fused=alpha,
        views=("voice", "face"),
        alpha=np.stack([alpha, alpha]),
        present=np.ones((2, n), dtype=bool),
        prior=np.ones(2),
    )


def answered(test: Predictions) -> Answers:
    return answers([Fold(predicted(200, 8.0, 1), test)])


def test_foreign_clips_of_which_a_method_is_less_sure_are_told_apart() -> None:
    home, there = answered(predicted(100, 8.0, 2)), answered(predicted(60, 1.0, 3, known=False))
    found = _abroad(home, there)
    # every foreign clip has less evidence (at most 1.5) than every known one (at least 4): AUROC 1 by hand
    assert found.flagged_by_confidence == 1.0
    assert found.flagged_by_uncertainty == 1.0
    assert (found.n, found.accuracy, found.aurc) == (60, None, None)  # nobody knows the truth
    assert found.confidence < home.confidence.mean()


def test_accuracy_abroad_is_the_share_that_is_right() -> None:
    there = answered(predicted(60, 1.0, 3))
    assert _abroad(answered(predicted(100, 8.0, 2)), there).accuracy == pytest.approx(0.8)


def test_means_over_seeds_leave_out_what_nobody_knows() -> None:
    one = _abroad(answered(predicted(100, 8.0, 2)), answered(predicted(60, 1.0, 3, known=False)))
    other = replace(one, flagged_by_confidence=0.5)
    mean = _mean([one, other])
    assert (mean.flagged_by_confidence, mean.accuracy) == (0.75, None)


def test_the_tables_say_what_they_are_about() -> None:
    home = Abroad(100, 0.5, 0.5, 0.8, 0.8, 0.1, 0.02)
    there = Abroad(60, 0.9, None, 0.6, None, None, None)
    grids = foreign_grids(
        Foreign({"m": home}, {"m": {"noise": there}}, {}, {"known": (0.5, 0.01), "noise": (1.0, 0.95)})
    )
    assert grids[0].caption == "noise (n = 60)"
    assert [cell.text for cell in grids[0].lines[0]] == [
        "m",
        ".900",
        "–",
        ".600",
        ".800",
        "–",
        ".800",
        "–",
        "–",
        ".020",
    ]
    assert [[cell.text for cell in line] for line in grids[1].lines] == [
        ["known", ".500", "1%"],
        ["noise", "1.000", "95%"],
    ]


def test_a_disturbed_method_is_shown_level_by_level() -> None:
    clean, worse = scores(answered(predicted(100, 8.0, 2))), scores(answered(predicted(100, 1.0, 4)))
    accuracy, uncertainty, conflict = disturbed_grids("noise", (0.0, 2.0), {"m": [[clean], [worse]]})
    assert accuracy.headings == ("method", "0", "2")
    assert [cell.text for cell in accuracy.lines[0]] == ["m", ".800", ".800"]
    assert float(uncertainty.lines[0][1].text) < float(uncertainty.lines[0][2].text)
    assert conflict.lines[0][1].text == ".000"


def test_there_is_no_table_of_disagreement_where_nobody_was_asked() -> None:
    assert disagreement_grid({"m": [answered(predicted(100, 8.0, 2))]}) is None
