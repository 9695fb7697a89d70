"""Scores of label sets against scikit-learn, torchmetrics and hand counts, zero cases included."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score, precision_recall_fscore_support

from emer.metrics import multilabel as ml
from emer.metrics.errors import MetricError


def sets(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sparse sets of six labels: some rows are empty, the last label is never gold, the one before never anywhere."""
    gold, predicted = rng.random((40, 6)) < 0.25, rng.random((40, 6)) < 0.3
    gold[:, 4:], predicted[:, 4] = False, False
    return gold, predicted


def test_sample_scores_equal_scikit_learns_with_zero_division_one() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        gold, predicted = sets(rng)
        ours = ml.multilabel(gold, predicted)
        assert ours.jaccard == pytest.approx(jaccard_score(gold, predicted, average="samples", zero_division=1))
        assert ours.sample_f1 == pytest.approx(f1_score(gold, predicted, average="samples", zero_division=1))


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_micro_and_macro_equal_scikit_learns_with_zero_division_zero(average: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        gold, predicted = sets(rng)
        ours = getattr(ml.multilabel(gold, predicted), average)
        theirs = precision_recall_fscore_support(gold, predicted, average=average, zero_division=0)
        assert (ours.precision, ours.recall, ours.f1) == pytest.approx(theirs[:3])


def test_f1_equals_torchmetrics() -> None:
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.classification")
    rng = np.random.default_rng(2)
    gold, predicted = rng.random((50, 4)) < 0.4, rng.random((50, 4)) < 0.4
    ours = ml.multilabel(gold, predicted)
    for average, score in (("micro", ours.micro), ("macro", ours.macro)):
        theirs = functional.multilabel_f1_score(
            torch.tensor(predicted).int(), torch.tensor(gold).int(), 4, 0.5, average
        )
        assert score.f1 == pytest.approx(float(theirs), abs=1e-6)


def test_nothing_predicted_and_nothing_gold_is_a_perfect_row_but_no_micro_score() -> None:
    empty = np.zeros((2, 3), dtype=bool)
    ours = ml.multilabel(empty, empty)
    assert (ours.jaccard, ours.sample_f1) == (1.0, 1.0)
    assert ours.micro == ours.macro == ml.PRF(0.0, 0.0, 0.0)


def test_nothing_predicted_where_there_is_gold_is_zero() -> None:
    gold = np.ones((2, 3), dtype=bool)
    ours = ml.multilabel(gold, ~gold)
    assert (ours.jaccard, ours.sample_f1, ours.micro.precision, ours.micro.recall) == (0, 0, 0, 0)


def test_rows_by_hand() -> None:
    """{0, 2} against {0, 1}: one of three, F1 2/4. Macro: labels 0, 1, 2 have F1 1, 0, 0."""
    gold, predicted = np.array([[1, 0, 1]]), np.array([[1, 1, 0]])
    ours = ml.multilabel(gold, predicted)
    assert (ours.jaccard, ours.sample_f1) == (pytest.approx(1 / 3), 0.5)
    assert ours.macro.f1 == pytest.approx(1 / 3)
    assert (ours.n, ours.labels) == (1, 3)
    assert ml.sample_jaccard(gold, predicted).tolist() == [pytest.approx(1 / 3)]
    assert ml.sample_f1(gold, predicted).tolist() == [0.5]


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([[1, 0]], [[1, 0], [0, 1]], "gold has 1, predicted has 2"),
        ([[1, 0]], [[1, 0, 0]], "numbers of labels differ: gold has 2, predicted has 3"),
        ([], [], "gold is empty"),
        ([[1, 0.5]], [[1, 0]], "gold is 0.5 in row 0: neither 0 nor 1"),
        ([[1, -1]], [[1, 0]], "gold is -1 in row 0"),
        ([[1, np.nan]], [[1, 0]], "gold is nan in row 0: not a finite number"),
        ([1, 0], [1, 0], r"gold has shape \(2,\)"),
    ],
)
def test_what_is_no_label_set_is_refused_with_its_reason(gold: list, predicted: list, message: str) -> None:
    for score in (ml.multilabel, ml.sample_jaccard, ml.sample_f1):
        with pytest.raises(MetricError, match=message):
            score(gold, predicted)
