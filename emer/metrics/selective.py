"""Selective prediction: does the risk fall when the least confident predictions are left out?

With rows ranked by confidence and R(k) the summed risk of the k most confident of n:

    selective risk  r(k) = R(k) / k  at coverage k / n
    AURC   = mean over k of r(k)                    E-AURC = AURC - AURC of the best possible ranking
    AUGRC  = mean over k of R(k) / n                AUROC  = P(a right row is more confident than a wrong one)

A risk is any number in [0, 1]: 0 or 1 for right or wrong, 1 - F1 for a set of labels (the generalised AURC).

Ties: rows of one confidence count as if in random order, each adding the mean risk of its tie (AUROC: half a win).
All scores are therefore averages over the orders of tied rows and do not depend on the order given. A threshold
cannot part a tie, so `coverage_at_risk` steps from tie to tie.

Sources: Geifman & El-Yaniv 2017 (risk and coverage); Geifman, Uziel & El-Yaniv 2019 (AURC, E-AURC: there the best
ranking is an integral, here its value at this n); Traub et al. 2024 (AUGRC).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Real, Shaped

from emer.metrics import checks
from emer.metrics.ranking import Steps, steps

ROUNDING = 1e-9
"""What a product like .07 * 100 may be off by."""


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """The risk-coverage curve, one point a row: at coverage k / n the mean risk of the k most confident rows."""

    coverage: Float64[np.ndarray, "row"]
    risk: Float64[np.ndarray, "row"]


@dataclass(frozen=True, slots=True)
class SelectiveScores:
    """The areas of one system. All but `auroc` are better when smaller."""

    aurc: float
    e_aurc: float
    augrc: float
    auroc: float | None
    """None where risks are graded; nan where all rows are right or all wrong."""
    risk: float
    """Mean risk at full coverage: 1 - accuracy for right and wrong."""
    n: int


def risk_coverage(confidence: Real[np.ndarray, "row"], risk: Shaped[np.ndarray, "row"]) -> RiskCoverage:
    """The whole curve, for plots.

    >>> risk_coverage(np.array([0.9, 0.8, 0.7]), np.array([0.0, 1.0, 0.0])).risk.round(2)
    array([0.  , 0.5 , 0.33])
    """
    ranked = _ranked(confidence, risk)
    k = np.arange(1, ranked.n + 1)
    return RiskCoverage(k / ranked.n, ranked.totals() / k)


def aurc(confidence: Real[np.ndarray, "row"], risk: Shaped[np.ndarray, "row"]) -> float:
    """Area under the risk-coverage curve; lies in [0, 1], smaller is better.

    Three rows, the second most confident wrong: (0 + 1/2 + 1/3) / 3 = 5/18.

    >>> round(aurc(np.array([0.9, 0.8, 0.7]), np.array([0.0, 1.0, 0.0])), 4)
    0.2778
    """
    return _area(_ranked(confidence, risk).totals())


def e_aurc(confidence: Real[np.ndarray, "row"], risk: Shaped[np.ndarray, "row"]) -> float:
    """AURC above that of ranking by the risk itself; 0 for a perfect ranking.

    The best order of the rows above is right, right, wrong: (0 + 0 + 1/3) / 3 = 1/9, and 5/18 - 1/9 = 1/6.

    >>> round(e_aurc(np.array([0.9, 0.8, 0.7]), np.array([0.0, 1.0, 0.0])), 4)
    0.1667
    """
    return aurc(confidence, risk) - _best_area(checks.fractions("risk", risk))


def augrc(confidence: Real[np.ndarray, "row"], risk: Shaped[np.ndarray, "row"]) -> float:
    """Area under the generalised risk-coverage curve: the risk of what is accepted, as a share of all rows.

    Unlike AURC it does not let the few most confident rows outweigh the others. (0 + 1/3 + 1/3) / 3 = 2/9:

    >>> round(augrc(np.array([0.9, 0.8, 0.7]), np.array([0.0, 1.0, 0.0])), 4)
    0.2222
    """
    return _generalised_area(_ranked(confidence, risk).totals())


def auroc(confidence: Real[np.ndarray, "row"], right: Shaped[np.ndarray, "row"]) -> float:
    """How well confidence tells right from wrong: .5 is chance, 1 perfect; nan when there is only one of them.

    Right rows at .9 and .7, a wrong one at .8: one of two pairs is in order.

    >>> auroc(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]))
    0.5
    """
    checks.same_length(confidence=confidence, right=right)
    return _auroc(steps(checks.fractions("confidence", confidence), checks.rights("right", right)))


def risk_at_coverage(confidence: Real[np.ndarray, "row"], risk: Shaped[np.ndarray, "row"], coverage: float) -> float:
    """Mean risk of the most confident share `coverage` of the rows (at least one row; rounded up).

    >>> risk_at_coverage(np.array([0.9, 0.8, 0.7]), np.array([0.0, 1.0, 0.0]), coverage=0.6)
    0.5
    """
    ranked = _ranked(confidence, risk)
    k = max(1, int(np.ceil(checks.fraction("coverage", coverage) * ranked.n - ROUNDING)))
    return float(ranked.totals()[k - 1] / k)


def coverage_at_risk(confidence: Real[np.ndarray, "row"], risk: Shaped[np.ndarray, "row"], target: float) -> float:
    """The largest share of rows that some threshold accepts with a mean risk of at most `target`; 0 if none does.

    >>> coverage_at_risk(np.array([0.9, 0.8, 0.7]), np.array([0.0, 1.0, 0.0]), target=0.4)
    1.0
    >>> round(coverage_at_risk(np.array([0.9, 0.8, 0.7]), np.array([0.0, 1.0, 0.0]), target=0.2), 4)
    0.3333
    """
    ranked = _ranked(confidence, risk)
    kept = np.flatnonzero(ranked.total / ranked.accepted <= checks.fraction("target", target) + ROUNDING)
    return float(ranked.accepted[kept[-1]] / ranked.n) if kept.size else 0.0


def selective_scores(confidence: Real[np.ndarray, "row"], risk: Shaped[np.ndarray, "row"]) -> SelectiveScores:
    """All areas from one ranking, which is what takes the time.

    >>> selective_scores(np.array([0.9, 0.8]), np.array([0.0, 1.0]))
    SelectiveScores(aurc=0.25, e_aurc=0.0, augrc=0.25, auroc=1.0, risk=0.5, n=2)
    """
    ranked, risks = _ranked(confidence, risk), checks.fractions("risk", risk)
    totals = ranked.totals()
    graded = bool(((risks != 0) & (risks != 1)).any())
    right = Steps(ranked.threshold, ranked.accepted, ranked.accepted - ranked.total)
    return SelectiveScores(
        aurc=_area(totals),
        e_aurc=_area(totals) - _best_area(risks),
        augrc=_generalised_area(totals),
        auroc=None if graded else _auroc(right),
        risk=float(totals[-1] / ranked.n),
        n=ranked.n,
    )


# ---------------------------------------------------------------- arithmetic


def _ranked(confidence: Real[np.ndarray, "row"], risk: Shaped[np.ndarray, "row"]) -> Steps:
    checks.same_length(confidence=confidence, risk=risk)
    return steps(checks.fractions("confidence", confidence), checks.fractions("risk", risk))


def _area(totals: Float64[np.ndarray, "row"]) -> float:
    return float(np.mean(totals / np.arange(1, len(totals) + 1)))


def _generalised_area(totals: Float64[np.ndarray, "row"]) -> float:
    return float(np.mean(totals) / len(totals))


def _best_area(risk: Float64[np.ndarray, "row"]) -> float:
    """AURC of a ranking that knows the risks."""
    return _area(np.cumsum(np.sort(risk)))


def _auroc(right: Steps) -> float:
    """Wins of right over wrong rows, ties as halves, over all such pairs (Mann-Whitney)."""
    rights = np.diff(right.total, prepend=0.0)
    wrong_so_far = right.accepted - right.total
    wrongs = np.diff(wrong_so_far, prepend=0.0)
    pairs = right.total[-1] * wrong_so_far[-1]
    below = wrong_so_far[-1] - wrong_so_far
    return float((rights * (below + wrongs / 2)).sum() / pairs) if pairs else float("nan")
