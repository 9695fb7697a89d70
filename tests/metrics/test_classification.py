"""Scores of one label a row against scikit-learn, torchmetrics and hand counts."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score, recall_score

from emer.metrics import classification as cl
from emer.metrics.errors import MetricError


def labels(rng: np.random.Generator, n: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Eight labels, of which some never occur and others are never predicted."""
    gold = rng.choice([0, 1, 1, 1, 3, 5], n)
    return gold, np.where(rng.random(n) < 0.6, gold, rng.choice([0, 1, 3, 6, 7], n))


def test_the_scores_equal_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        gold, predicted = labels(rng)
        ours = cl.classification(gold, predicted)
        present = np.unique(gold)
        assert ours.accuracy == pytest.approx(accuracy_score(gold, predicted))
        assert ours.war == pytest.approx(recall_score(gold, predicted, average="weighted", zero_division=0))
        assert ours.uar == pytest.approx(
            recall_score(gold, predicted, labels=present, average="macro", zero_division=0)
        )
        assert ours.weighted_f1 == pytest.approx(f1_score(gold, predicted, average="weighted", zero_division=0))
        assert ours.macro_f1 == pytest.approx(f1_score(gold, predicted, average="macro", zero_division=0))


def test_uar_is_balanced_accuracy() -> None:
    rng = np.random.default_rng(1)
    gold, predicted = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    assert cl.classification(gold, predicted).uar == pytest.approx(balanced_accuracy_score(gold, predicted))


def test_the_scores_equal_torchmetrics_where_every_label_occurs() -> None:
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.classification")
    rng = np.random.default_rng(2)
    gold, predicted = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    ours = cl.classification(gold, predicted)
    answer, truth = torch.tensor(predicted), torch.tensor(gold)
    f1 = {how: float(functional.multiclass_f1_score(answer, truth, 4, average=how)) for how in ("macro", "weighted")}
    assert (ours.macro_f1, ours.weighted_f1) == pytest.approx((f1["macro"], f1["weighted"]), abs=1e-6)
    assert ours.uar == pytest.approx(float(functional.multiclass_recall(answer, truth, 4, average="macro")), abs=1e-6)


def test_the_confusion_matrix_equals_scikit_learns() -> None:
    gold, predicted = labels(np.random.default_rng(3))
    assert (cl.confusion(gold, predicted, 8) == confusion_matrix(gold, predicted, labels=np.arange(8))).all()


def test_many_tables_at_once_equal_one_at_a_time() -> None:
    tables = np.random.default_rng(4).integers(0, 9, size=(5, 2, 3, 3))
    for score in (cl.accuracy, cl.uar, cl.weighted_f1, cl.macro_f1):
        one_by_one = [[score(table) for table in row] for row in tables]
        assert score(tables) == pytest.approx(np.array(one_by_one))


def test_always_the_same_answer_has_the_accuracy_of_its_share_and_chance_uar() -> None:
    """Gold 9 x 0 and 1 x 1, always 0: accuracy .9, UAR .5, F1 of label 0 is 18/19, of label 1 nothing."""
    ours = cl.classification(np.array([0] * 9 + [1]), np.zeros(10, dtype=int))
    assert (ours.accuracy, ours.uar) == (0.9, 0.5)
    assert ours.macro_f1 == pytest.approx(9 / 19)
    assert ours.weighted_f1 == pytest.approx(0.9 * 18 / 19)
    assert ours.n == 10


def test_all_wrong_is_zero_everywhere() -> None:
    ours = cl.classification(np.array([0, 1]), np.array([1, 0]))
    assert (ours.accuracy, ours.uar, ours.weighted_f1, ours.macro_f1) == (0, 0, 0, 0)


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([0], [0, 1], "gold has 1, predicted has 2"),
        ([], [], "gold is empty"),
        ([0, -1], [0, 1], "gold is -1 in row 1: negative: label numbers start at 0"),
        ([0.0, np.nan], [0, 1], "gold must be whole numbers, one label each; it holds float64"),
        (["sad"], ["sad"], "gold must be whole numbers"),
        ([10**9], [0], "label number 1000000000 asks for a table"),
    ],
)
def test_what_is_no_label_number_is_refused_with_its_reason(gold: list, predicted: list, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        cl.classification(gold, predicted)


def test_a_label_above_the_stated_number_is_refused() -> None:
    with pytest.raises(MetricError, match=r"predicted is 3 in row 1: not one of the 3 labels \(0 to 2\)"):
        cl.confusion(np.array([0, 1]), np.array([0, 3]), labels=3)
