"""Sets of labels: how well do predicted sets match the gold ones?

With P and G the predicted and the gold set of a row, and TP, |P|, |G| counted over all rows or label by label:

    sample Jaccard = mean over rows of |P and G| / |P or G|        sample F1 = mean of 2 |P and G| / (|P| + |G|)
    micro P = TP / |P|, R = TP / |G|, F1 = 2 TP / (|P| + |G|), counted over all rows and labels together
    macro P, R, F1 = means over labels of each label's own P, R, F1 (macro F1 is not made of macro P and R)

Zero cases: two empty sets match perfectly, 1 (a row of neither, in the sample scores); elsewhere 0 / 0 is 0: no label
predicted is precision 0, no gold label is recall 0, and a label that occurs nowhere has F1 0 and counts in the macro
means. In scikit-learn's words: zero_division=1 for samples, 0 for micro and macro.

Sources: Godbole & Sarawagi 2004 (sample Jaccard, called accuracy by LDDU and for CMU-MOSEI); Tsoumakas & Katakis 2007.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Real, Shaped

from emer.metrics import checks

Sets = Shaped[np.ndarray, "row label"]


@dataclass(frozen=True, slots=True)
class PRF:
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class MultilabelScores:
    jaccard: float
    sample_f1: float
    micro: PRF
    macro: PRF
    n: int
    labels: int


def multilabel(gold: Sets, predicted: Sets) -> MultilabelScores:
    """All scores of label sets, given as yes and no for each row and label.

    Row one {0} against {0, 1}, row two {1} against {1}: Jaccard (1/2 + 1) / 2, and of three predicted two are right.

    >>> s = multilabel(np.array([[1, 0], [0, 1]]), np.array([[1, 1], [0, 1]]))
    >>> s.jaccard, round(s.micro.precision, 4), s.micro.recall, s.micro.f1, round(s.macro.f1, 4)
    (0.75, 0.6667, 1.0, 0.8, 0.8333)
    """
    truth, answer = _checked(gold, predicted)
    both, in_gold, in_answer = (truth & answer).sum(0), truth.sum(0), answer.sum(0)
    return MultilabelScores(
        jaccard=float(_jaccard(truth, answer).mean()),
        sample_f1=float(_sample_f1(truth, answer).mean()),
        micro=_prf(*(counts.sum(keepdims=True) for counts in (both, in_gold, in_answer))),
        macro=_prf(both, in_gold, in_answer),
        n=len(truth),
        labels=truth.shape[1],
    )


def sample_jaccard(gold: Sets, predicted: Sets) -> Float64[np.ndarray, "row"]:
    """Jaccard index of each row; its mean is the score.

    >>> sample_jaccard(np.array([[1, 0, 1], [0, 0, 0]]), np.array([[1, 1, 0], [0, 0, 0]])).round(4)
    array([0.3333, 1.    ])
    """
    return _jaccard(*_checked(gold, predicted))


def sample_f1(gold: Sets, predicted: Sets) -> Float64[np.ndarray, "row"]:
    """F1 of each row; 1 - F1 is the risk of a set-valued answer.

    >>> sample_f1(np.array([[1, 0, 1], [0, 0, 0]]), np.array([[1, 1, 0], [0, 0, 0]]))
    array([0.5, 1. ])
    """
    return _sample_f1(*_checked(gold, predicted))


# ---------------------------------------------------------------- arithmetic


def _checked(gold: Sets, predicted: Sets) -> tuple[Bool[np.ndarray, "row label"], Bool[np.ndarray, "row label"]]:
    checks.same_length(gold=gold, predicted=predicted)
    truth, answer = checks.label_sets("gold", gold), checks.label_sets("predicted", predicted)
    checks.same_labels(gold=truth, predicted=answer)
    return truth, answer


def _jaccard(truth: Bool[np.ndarray, "row label"], answer: Bool[np.ndarray, "row label"]) -> Float64[np.ndarray, "row"]:
    return _ratio((truth & answer).sum(1), (truth | answer).sum(1), empty=1.0)


def _sample_f1(
    truth: Bool[np.ndarray, "row label"], answer: Bool[np.ndarray, "row label"]
) -> Float64[np.ndarray, "row"]:
    return _ratio(2 * (truth & answer).sum(1), truth.sum(1) + answer.sum(1), empty=1.0)


def _prf(
    right: Real[np.ndarray, "label"], in_gold: Real[np.ndarray, "label"], in_answer: Real[np.ndarray, "label"]
) -> PRF:
    """Means over labels; of one label, its own scores."""
    pairs = ((right, in_answer), (right, in_gold), (2 * right, in_gold + in_answer))
    precision, recall, f1 = (float(_ratio(above, below, empty=0.0).mean()) for above, below in pairs)
    return PRF(precision, recall, f1)


def _ratio(
    above: Real[np.ndarray, "part"], below: Real[np.ndarray, "part"], empty: float
) -> Float64[np.ndarray, "part"]:
    """above / below, and `empty` where below is 0."""
    return np.asarray(np.divide(above, below, out=np.full(below.shape, empty), where=below > 0))
