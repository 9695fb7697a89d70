"""Conformal label sets in the report: how often they hold the right label, overall and for the worst-served speaker."""

from collections.abc import Callable, Sequence

import numpy as np

from emer.bench.answers import Fold
from emer.bench.evidence_report import Cell, Grid
from emer.evidence.conformal import Coverage, coverage, fit_conformal, label_sets

LEVEL = 0.9
CAPTION = (
    f"Conformal label sets that promise {LEVEL:.0%} (aps, calibrated fold by fold). The promise holds for clips drawn "
    "as the calibration clips were; test speakers are new, so read the last column"
)


def label_set_grid(
    methods: Sequence[str], seeds: Sequence[int], folds: Callable[[str, int], list[Fold]]
) -> Grid | None:
    """Coverage and size, means over seeds; None where a clip may have several labels, or shares of votes."""
    some = folds(methods[0], seeds[0])[0].test
    if some.kind != "dirichlet" or ((some.target > 0) & (some.target < 1)).any():
        return None
    lines = []
    for method in methods:
        found = [covered(folds(method, seed)) for seed in seeds]
        worst = [one.speakers[0].coverage for one in found if one.speakers]
        numbers = [
            np.mean([one.coverage for one in found]),
            np.mean([one.mean_size for one in found]),
            np.mean(worst) if worst else None,
        ]
        cells = (Cell("–" if number is None else f"{number:.3f}".replace("0.", ".", 1)) for number in numbers)
        lines.append((Cell(method), *cells))
    return Grid(CAPTION, ("method", "coverage", "mean size", "worst speaker"), tuple(lines))


def covered(folds: Sequence[Fold]) -> Coverage:
    """The sets of all test rows, each fold's from its own calibration rows."""
    sets, right, speakers = [], [], list[str]()
    for fold in folds:
        calibration, test = fold.calibration, fold.test
        fitted = fit_conformal(
            calibration.probability,
            calibration.target.argmax(1),
            calibration.rows,
            calibration.labels,
            data="calibration rows",
            level=LEVEL,
        )
        sets.append(label_sets(fitted, test.probability))
        right.append(test.target.argmax(1))
        speakers += test.speakers or ()
    return coverage(np.concatenate(sets), np.concatenate(right), speakers or None)
