"""Trusted scores: how good are the predictions that the system itself vouches for?

With T = {rows with confidence >= threshold} (the trusted), "right" the rows that are correct, A the accuracy:

    trusted precision  TP = |T and right| / |T|          trusted recall  TR = |T and right| / |right|
    trusted F1            = 2 TP TR / (TP + TR)          trusted accuracy  = (|T and right| + |not T and wrong|) / n
    floor                 = 2 A / (1 + A), the F1 of trusting everything;  gain = F1 - floor;  coverage = |T| / n

0 / 0 is 0: an empty trusted set has precision, recall and F1 of 0, and so has any set where nothing is right.
A trusted F1 says nothing without its floor, so both always come together.

Source: TER, Trusted Emotion Recognition (2025); the formulas are worked out from its text, and its own table agrees
(accuracy .8240 gives the floor .9035 that it reports).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float64, Real, Shaped

from emer.metrics import checks
from emer.metrics.errors import MetricError
from emer.metrics.ranking import Steps, steps
from emer.metrics.ratios import share

Rule = Literal["max_f1", "max_accuracy", "target_risk", "fixed"]
RowIds = Collection[str] | Collection[int] | Shaped[np.ndarray, "row"]

WHAT_AT_MEANS = {"target_risk": "the share of trusted rows that may be wrong", "fixed": "the threshold itself"}
TRUST_NOTHING = 2.0
"""The threshold above every confidence, fitted where it is best (or the only way) to trust no row at all."""
TIE = 1e-12
"""Scores closer than this are equal: they differ by rounding alone."""


@dataclass(frozen=True, slots=True)
class TrustedScores:
    """All that is said of one trusted set; fractions in [0, 1], but for `gain`, which is negative below the floor."""

    precision: float
    recall: float
    f1: float
    accuracy: float
    coverage: float
    floor: float
    """Trusted F1 of trusting every row."""
    gain: float
    n: int
    threshold: float | None
    """Rows with at least this confidence are trusted; None for the oracle, which takes a number of rows."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold and how it was come by, so that it cannot be scored on the rows that chose it."""

    value: float
    rule: Rule
    fitted_on: tuple[str | int, ...]
    """Ids of the validation rows, each once and sorted; empty for a fixed threshold."""
    n: int
    """Number of predictions it was fitted on."""
    target: float | None = None
    """The risk that `target_risk` was asked to keep."""


@dataclass(frozen=True, slots=True)
class TrustedCurve:
    """Trusted scores at every distinct confidence, the highest threshold first."""

    threshold: Float64[np.ndarray, "step"]
    precision: Float64[np.ndarray, "step"]
    recall: Float64[np.ndarray, "step"]
    f1: Float64[np.ndarray, "step"]
    accuracy: Float64[np.ndarray, "step"]
    coverage: Float64[np.ndarray, "step"]


# ---------------------------------------------------------------- scoring


def score(
    confidence: Real[np.ndarray, "row"],
    right: Shaped[np.ndarray, "row"],
    threshold: Threshold,
    rows: RowIds | None = None,
) -> TrustedScores:
    """Trusted scores at a fitted threshold, on rows that had no part in fitting it.

    `rows` names each prediction (clip names or numbers; one clip may stand in several rows) and may be left out
    for a fixed threshold alone. Raises MetricError when any of them was among the threshold's own.

    >>> seen = fit_threshold(np.array([0.9, 0.7, 0.4]), np.array([True, True, False]), ["a", "b", "c"])
    >>> score(np.array([0.8, 0.2]), np.array([True, False]), seen, ["d", "e"]).f1
    1.0
    >>> score(np.array([0.8, 0.2]), np.array([True, False]), seen, ["c", "d"])
    Traceback (most recent call last):
    ...
    emer.metrics.errors.MetricError: threshold fitted on test: 1 of the 2 scored rows (c) chose it; score other rows
    """
    _refuse_own_rows(threshold, rows, len(confidence))
    return scores_at(confidence, right, threshold.value)


def scores_at(confidence: Real[np.ndarray, "row"], right: Shaped[np.ndarray, "row"], threshold: float) -> TrustedScores:
    """Trusted scores at a number. Where that number came from is the caller's business; see `score`.

    Four rows, three of them right, two trusted and both right: TP = 2/2, TR = 2/3, F1 = 4/5; the wrong row is not
    trusted, one right row is lost: accuracy 3/4. A = 3/4, so the floor is 1.5/1.75 = 6/7.

    >>> s = scores_at(np.array([0.9, 0.8, 0.6, 0.5]), np.array([True, True, False, True]), 0.7)
    >>> s.precision, round(s.recall, 4), s.f1, s.accuracy, s.coverage, round(s.floor, 4)
    (1.0, 0.6667, 0.8, 0.75, 0.5, 0.8571)
    """
    sure, correct = _checked(confidence, right)
    if not np.isfinite(threshold):
        raise MetricError(f"the threshold is {threshold}; give a number ({TRUST_NOTHING} to trust nothing)")
    trusted = sure >= threshold
    right_n, trusted_n, hits = (int(np.count_nonzero(rows)) for rows in (correct, trusted, trusted & correct))
    return from_counts(len(sure), right_n, trusted_n, hits, float(threshold))


def break_even_oracle(confidence: Real[np.ndarray, "row"], right: Shaped[np.ndarray, "row"]) -> TrustedScores:
    """Trust the C most confident rows, C = the number of right ones: then precision equals recall.

    It ranks systems without a threshold but has seen the answers: an oracle, never a result. Where the C-th row is
    tied, its tie takes part in equal shares, so that the order of the rows does not matter. (Searching for the
    least |precision - recall| instead would find the empty set, where both are 0.)

    >>> break_even_oracle(np.array([0.9, 0.8, 0.6, 0.5]), np.array([True, False, True, False])).f1
    0.5
    """
    sure, correct = _checked(confidence, right)
    count = int(correct.sum())
    hits = float(steps(sure, correct).totals()[count - 1]) if count else 0.0
    return from_counts(len(sure), count, count, hits, None)


def curve(confidence: Real[np.ndarray, "row"], right: Shaped[np.ndarray, "row"]) -> TrustedCurve:
    """Trusted scores at each confidence that occurs, for plots and for choosing.

    >>> c = curve(np.array([0.9, 0.5, 0.5]), np.array([True, True, False]))
    >>> c.threshold, c.coverage.round(2), c.f1.round(2)
    (array([0.9, 0.5]), array([0.33, 1.  ]), array([0.67, 0.8 ]))
    """
    return _curve(steps(*_checked(confidence, right)))


# ---------------------------------------------------------------- fitting


def fit_threshold(
    confidence: Real[np.ndarray, "row"],
    right: Shaped[np.ndarray, "row"],
    rows: RowIds,
    rule: Rule = "max_f1",
    at: float | None = None,
) -> Threshold:
    """The threshold that a rule chooses on validation rows, with the ids of those rows.

    `max_f1` and `max_accuracy` take the best confidence that occurs (of equally good ones the lowest, which covers
    more). `target_risk` takes the lowest at which at most the share `at` of the trusted rows is wrong. `fixed` is
    `at` itself and looks at no row. Where trusting nothing is best, or alone keeps the target, the value is
    `TRUST_NOTHING`.

    >>> confidence, right = np.array([0.9, 0.8, 0.7, 0.2]), np.array([True, False, True, False])
    >>> names = ["a", "b", "c", "d"]
    >>> [fit_threshold(confidence, right, names, rule).value for rule in ("max_f1", "max_accuracy")]
    [0.7, 0.7]
    >>> fit_threshold(confidence, right, names, "target_risk", at=0.1).value
    0.9
    """
    if rule not in get_args(Rule):
        raise MetricError(f"there is no threshold rule {rule!r}; choose one of {', '.join(get_args(Rule))}")
    if rule in WHAT_AT_MEANS and at is None:
        raise MetricError(f"the rule {rule} needs a number: give at=, {WHAT_AT_MEANS[rule]}")
    if rule not in WHAT_AT_MEANS and at is not None:
        raise MetricError(f"the rule {rule} takes no number, but at={at} was given; leave it out")
    sure, correct = _checked(confidence, right)
    names = checks.row_ids("rows", rows)
    checks.same_length(confidence=sure, rows=names)
    if rule == "fixed":
        return Threshold(checks.fraction("at", at or 0.0), rule, (), 0)
    target = None if at is None else checks.fraction("at", at)
    value = _choose(_curve(steps(sure, correct)), rule, target, nothing=float(1 - correct.mean()))
    return Threshold(value, rule, tuple(np.unique(np.asarray(names)).tolist()), len(sure), target)


def _choose(scores: TrustedCurve, rule: Rule, target: float | None, nothing: float) -> float:
    """`nothing` is the trusted accuracy of trusting no row."""
    if target is not None:
        kept = np.flatnonzero(1 - scores.precision <= target + TIE)
        return float(scores.threshold[kept[-1]]) if kept.size else TRUST_NOTHING
    goal = scores.f1 if rule == "max_f1" else scores.accuracy
    best = np.flatnonzero(goal >= goal.max() - TIE)[-1]
    useless = goal[best] == 0 if rule == "max_f1" else goal[best] < nothing - TIE
    return TRUST_NOTHING if useless else float(scores.threshold[best])


def _refuse_own_rows(threshold: Threshold, rows: RowIds | None, n: int) -> None:
    if threshold.rule == "fixed":
        return
    if rows is None:
        raise MetricError(f"a threshold fitted by {threshold.rule} is scored on rows with ids; give rows=")
    names = checks.row_ids("rows", rows)
    checks.same_length(confidence=range(n), rows=names)
    own = set(threshold.fitted_on).intersection(names)
    if own:
        shown = ", ".join(str(name) for name in sorted(own, key=str)[:3]) + (", …" if len(own) > 3 else "")
        count = sum(name in own for name in names)
        raise MetricError(
            f"threshold fitted on test: {count} of the {n} scored rows ({shown}) chose it; score other rows"
        )


# ---------------------------------------------------------------- arithmetic


def _checked(
    confidence: Real[np.ndarray, "row"], right: Shaped[np.ndarray, "row"]
) -> tuple[Float64[np.ndarray, "row"], Bool[np.ndarray, "row"]]:
    checks.same_length(confidence=confidence, right=right)
    return checks.fractions("confidence", confidence), checks.rights("right", right)


def _curve(ranked: Steps) -> TrustedCurve:
    trusted, hits = ranked.accepted.astype(np.float64), ranked.total
    right = hits[-1:]
    return TrustedCurve(
        threshold=ranked.threshold,
        precision=share(hits, trusted),
        recall=share(hits, right),
        f1=share(2 * hits, trusted + right),
        accuracy=(ranked.n - right - trusted + 2 * hits) / ranked.n,
        coverage=trusted / ranked.n,
    )


def from_counts(n: int, right: float, trusted: float, hits: float, threshold: float | None = None) -> TrustedScores:
    """All scores from how many rows there are, are right, are trusted, and both; a row may be right in part."""
    f1 = _share(2 * hits, trusted + right)
    floor = _share(2 * right, n + right)
    return TrustedScores(
        precision=_share(hits, trusted),
        recall=_share(hits, right),
        f1=f1,
        accuracy=_share(n - right - trusted + 2 * hits, n),
        coverage=_share(trusted, n),
        floor=floor,
        gain=f1 - floor,
        n=n,
        threshold=threshold,
    )


def _share(above: float, below: float) -> float:
    """above / below, and 0 where below is 0."""
    return float(above) / float(below) if below else 0.0
