"""Which gold label is taken for which: for data sets with one gold label a clip, of a closed set."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from emer.bench.report_grids import Cell, Grid, Line
from emer.bench.report_run import answer_column, gold_column
from emer.bench.report_scores import DataScores, SystemScores
from emer.errors import ConfigError
from emer.score.closed import WAR
from emer.score.label_sets import closed
from emer.score.options import Options
from emer.score.pairs import pairs

MOST_LABELS = 12
"""A larger table is not read by anybody."""
NONE = "none of them"


def confusions(found: DataScores) -> tuple[Grid, ...]:
    """A table a system; none where gold is label sets, values, or very many labels."""
    single = all(len(truth.labels) == 1 and truth.value is None for truth in found.data.gold)
    if not single or len({truth.labels for truth in found.data.gold}) > MOST_LABELS:
        return ()
    return tuple(grid for system in found.systems if (grid := _confusion(found, system)) is not None)


def _confusion(found: DataScores, system: SystemScores) -> Grid | None:
    answers = answer_column(found.data, system.name, system.truths)
    try:
        matched = pairs(answers, gold_column(found.data, system.truths), "empty")
        options = Options(bootstrap=0, label_set=found.data.record.label_set)
        labels = closed(matched, options).labels
        columns = WAR.measure(matched, options).columns
    except ConfigError:
        return None  # gold that belongs to no closed set has no such table
    return grid_of(system.name, table(columns.reshape(len(columns), 3, -1)), labels)


def table(columns: np.ndarray) -> Int64[np.ndarray, "gold predicted"]:
    """Counts of gold (row) and predicted label (column), the last column for answers that name none of the labels.

    `columns[clip]` holds one-hot gold, one-hot answer and their product.

    >>> table(np.array([[[1, 0], [0, 1], [0, 0]], [[0, 1], [0, 0], [0, 0]]]))
    array([[0, 1, 0],
           [0, 0, 1]])
    """
    gold, predicted = columns[:, 0], columns[:, 1]
    silent = 1 - predicted.sum(axis=1, keepdims=True)
    return np.asarray(gold.T @ np.concatenate([predicted, silent], axis=1)).astype(np.int64)


def grid_of(system: str, counts: Int64[np.ndarray, "gold predicted"], labels: Sequence[str]) -> Grid:
    """Rows with gold, columns with answers; the diagonal is strong."""
    rows = np.flatnonzero(counts.sum(axis=1)).tolist()
    used = [c for c in range(len(labels) + 1) if counts[:, c].any() or c in rows]
    lines = tuple(
        Line(
            (
                Cell(labels[row]),
                *(Cell(f"{counts[row, c]:,}" if counts[row, c] else "·", strong=bool(c == row)) for c in used),
                Cell(f"{counts[row, row] / counts[row].sum():.3f}"),
            )
        )
        for row in rows
    )
    names = [*labels, NONE]
    return Grid(f"{system}: gold in rows, answers in columns", ("gold", *(names[c] for c in used), "recall"), lines)
