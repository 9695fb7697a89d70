"""Right or wrong, for one label a row: accuracy, UAR, WAR, weighted and macro F1.

With the confusion matrix N (gold label i in row i, predicted label j in column j):

    recall_i = N_ii / sum_j N_ij      precision_j = N_jj / sum_i N_ij      F1_i = 2 N_ii / (sum_j N_ij + sum_j N_ji)

    accuracy = WAR = sum_i N_ii / n, the recall of each gold label weighted by its number of rows
    UAR         = mean recall over the labels that occur in gold (balanced accuracy)
    weighted F1 = mean F1 weighted by the number of gold rows
    macro F1    = mean F1 over the labels that occur in gold or are predicted

Labels that occur nowhere count nowhere; a label that is predicted but never gold has F1 0. These are scikit-learn's
choices (`balanced_accuracy_score`, `f1_score` with zero_division=0). Source: Schuller et al. 2009 (UA and WA recall).

All functions of a confusion matrix take any number of them at once (leading axes), as the bootstrap gives them.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int, Int64, Real, Shaped

from emer.metrics import checks
from emer.metrics.errors import MetricError
from emer.metrics.ratios import share

MOST_LABELS = 10_000
"""A larger label number is a mistake, and its table would not fit into memory."""

Confusion = Real[np.ndarray, "*batch gold predicted"]


@dataclass(frozen=True, slots=True)
class ClassificationScores:
    """All in [0, 1]; chance is 1 / labels for `uar` alone."""

    accuracy: float
    uar: float
    war: float
    weighted_f1: float
    macro_f1: float
    n: int


def classification(gold: Int[np.ndarray, "row"], predicted: Int[np.ndarray, "row"]) -> ClassificationScores:
    """All five scores of label numbers (0 up).

    Gold 0 0 0 1, predicted 0 0 1 1: recalls 2/3 and 1, F1 4/5 and 2/3.

    >>> s = classification(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]))
    >>> s.accuracy, round(s.uar, 4), round(s.weighted_f1, 4), round(s.macro_f1, 4)
    (0.75, 0.8333, 0.7667, 0.7333)
    """
    table = confusion(gold, predicted)
    right = float(accuracy(table))
    return ClassificationScores(
        right, float(uar(table)), right, float(weighted_f1(table)), float(macro_f1(table)), len(gold)
    )


def confusion(
    gold: Int[np.ndarray, "row"], predicted: Int[np.ndarray, "row"], labels: int | None = None
) -> Int64[np.ndarray, "label label"]:
    """How often each gold label (row) was predicted as each label (column).

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]))
    array([[1, 1],
           [0, 1]])
    """
    codes, count = confusion_codes(gold, predicted, labels)
    return np.bincount(codes, minlength=count * count).reshape(count, count)


def confusion_codes(
    gold: Int[np.ndarray, "row"], predicted: Int[np.ndarray, "row"], labels: int | None = None
) -> tuple[Int64[np.ndarray, "row"], int]:
    """The cell of the confusion matrix that each row falls into (gold * labels + predicted), and `labels`."""
    checks.same_length(gold=gold, predicted=predicted)
    truth, answer = checks.label_ids("gold", gold, labels), checks.label_ids("predicted", predicted, labels)
    count = labels or int(max(truth.max(), answer.max())) + 1
    if count > MOST_LABELS:
        raise MetricError(
            f"label number {count - 1} asks for a table of {count} x {count}; number the labels from 0 up"
        )
    return truth * count + answer, count


def accuracy(table: Confusion) -> Float64[np.ndarray, "*batch"]:
    """Share of rows that are right, which is also WAR; 0 for an empty table.

    >>> accuracy(np.array([[2, 1], [0, 1]])).item()
    0.75
    """
    return share(_sum(_hits(table)), _sum(table, (-2, -1)))


def uar(table: Confusion) -> Float64[np.ndarray, "*batch"]:
    """Unweighted average recall over the labels that occur in gold.

    >>> round(uar(np.array([[2, 1, 0], [0, 1, 0], [0, 0, 0]])).item(), 4)  # (2/3 + 1) / 2
    0.8333
    """
    gold = _sum(table)
    return share(_sum(share(_hits(table), gold)), _sum(gold > 0))


def weighted_f1(table: Confusion) -> Float64[np.ndarray, "*batch"]:
    """F1 of each label, averaged by its number of gold rows.

    >>> round(weighted_f1(np.array([[2, 1], [0, 1]])).item(), 4)  # (3 * 4/5 + 1 * 2/3) / 4
    0.7667
    """
    gold = _sum(table)
    return share(_sum(gold * label_f1(table)), _sum(gold))


def macro_f1(table: Confusion) -> Float64[np.ndarray, "*batch"]:
    """Mean F1 over the labels that are gold or predicted.

    >>> round(macro_f1(np.array([[2, 1], [0, 1]])).item(), 4)  # (4/5 + 2/3) / 2
    0.7333
    """
    occurs = (_sum(table) + _sum(table, -2)) > 0
    return share(_sum(label_f1(table)), _sum(occurs))


def label_f1(table: Confusion) -> Float64[np.ndarray, "*batch label"]:
    """F1 of each label; 0 for one that occurs nowhere.

    >>> label_f1(np.array([[2, 1], [0, 1]])).round(4)
    array([0.8   , 0.6667])
    """
    return share(2 * _hits(table), _sum(table) + _sum(table, -2))


def _hits(table: Confusion) -> Real[np.ndarray, "*batch label"]:
    return np.diagonal(table, axis1=-2, axis2=-1)


def _sum(array: Shaped[np.ndarray, "..."], axis: int | tuple[int, int] = -1) -> Real[np.ndarray, "..."]:
    """A sum that stays an array also when one number is left."""
    return np.asarray(array.sum(axis))
