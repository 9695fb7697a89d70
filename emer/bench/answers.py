"""From opinions to answers: calibrated on the calibration rows of each fold, given for its test rows, pooled.

Three things are fitted on calibration rows and on nothing else: a temperature on log alpha (per label for kind beta),
the trusted thresholds (`max_f1` and a target risk), and for label sets the probability from which a label is given
(the one of best micro F1). A fold whose test rows are among its calibration rows is refused.

Confidence is the calibrated probability of the answer. For one label: of the likeliest. For a set of labels, whose
risk is 1 - F1: the F1 that the probabilities themselves expect, 2 sum_P p / (|P| + sum p) over the set P that is
given; for an empty set the probability that nothing holds, prod (1 - p).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64, Shaped

from emer.bench.predictions import Kind, Predictions
from emer.data.rows import some
from emer.errors import ConfigError
from emer.evidence.temperature import fit_temperature, tempered
from emer.metrics.multilabel import sample_f1
from emer.metrics.proper_scores import brier_rows, nll_rows
from emer.metrics.trusted import TRUST_NOTHING, Rule, Threshold, fit_threshold

TARGET_RISK = 0.1
ARRAYS = ("target", "raw", "probability", "given", "confidence", "risk", "trusted", "at_risk", "conflict")
"""The arrays of `Answers` with one entry a row that are always there."""


@dataclass(frozen=True, eq=False, slots=True)
class Fold:
    """Rows to fit temperature and thresholds on, and rows to score. Raises ConfigError when they share some."""

    calibration: Predictions
    test: Predictions

    def __post_init__(self) -> None:
        if own := sorted(set(self.calibration.rows) & set(self.test.rows)):
            raise ConfigError(
                f"temperature and threshold fitted on test: {len(own)} of the {len(self.test.rows)} test rows "
                f"({some(own)}) are calibration rows; score other rows"
            )
        for name in ("labels", "kind"):
            ours, theirs = getattr(self.calibration, name), getattr(self.test, name)
            if ours != theirs:
                raise ConfigError(f"calibration and test differ in {name}: {ours} and {theirs}; give one method's")


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was fitted on the calibration rows of one fold."""

    temperature: tuple[float, ...]
    """One, or one per label for kind beta."""
    trusted: Threshold
    """`max_f1`."""
    at_risk: Threshold
    """The largest coverage at which at most the target share is wrong."""
    given: Threshold | None
    """Kind beta: labels of at least this probability are given."""


@dataclass(frozen=True, eq=False, slots=True)
class Answers:
    """Calibrated answers to the test rows of all folds: everything that scores, comparisons and plots need."""

    rows: tuple[str, ...]
    labels: tuple[str, ...]
    kind: Kind
    speakers: tuple[str, ...] | None
    target: Float64[np.ndarray, "row label"]
    raw: Float64[np.ndarray, "row label"]
    """Probability of each label before calibration; for kind beta that it holds."""
    probability: Float64[np.ndarray, "row label"]
    """After it."""
    given: Bool[np.ndarray, "row label"]
    """The answer: the likeliest label, or the set of labels."""
    confidence: Float64[np.ndarray, "row"]
    risk: Float64[np.ndarray, "row"]
    """0 right, 1 wrong (right is a label that no other has more votes than); kind beta: 1 - F1 of the set.
    nan where nobody knows."""
    trusted: Bool[np.ndarray, "row *label"]
    """Confidence reaches the fold's `max_f1` threshold. Kind beta: per label, True for given labels alone."""
    at_risk: Bool[np.ndarray, "row *label"]
    """Likewise for the target risk."""
    certainty: Float64[np.ndarray, "row"] | None
    """1 - u of the fused opinion; None without evidence."""
    conflict: Float64[np.ndarray, "row"]
    """nan where fewer than two views are present."""
    disagree: Bool[np.ndarray, "row"] | None
    fitted: tuple[Fitted, ...]
    """Fold by fold."""

    @property
    def votes(self) -> bool:
        """Whether the truth is shares of votes, not yes and no alone."""
        return bool(((self.target > 0) & (self.target < 1)).any())

    @property
    def agreed(self) -> Float64[np.ndarray, "row"]:
        """Kind dirichlet: the share of people who chose the answer; 1 or 0 where the truth is one label."""
        return np.asarray((self.target * self.given).sum(axis=1))

    @property
    def pairs(self) -> tuple[Float64[np.ndarray, "claim"], Float64[np.ndarray, "claim"]]:
        """Claims and how true each is, for calibration errors: one a row, or one a row and label for kind beta."""
        if self.kind == "dirichlet":
            return self.confidence, self.agreed
        return self.probability.ravel(), self.target.ravel()

    def nll_rows(self, *, raw: bool = False) -> Float64[np.ndarray, "row"]:
        """Negative log-likelihood of each row in nats; for kind beta the mean over its labels."""
        return self._proper(nll_rows(*self._outcomes(raw)))

    def brier_rows(self, *, raw: bool = False) -> Float64[np.ndarray, "row"]:
        """Brier score of each row in [0, 2]; for kind beta the mean over its labels, two outcomes each."""
        return self._proper(brier_rows(*self._outcomes(raw)))

    def _proper(self, scores: Float64[np.ndarray, "claim"]) -> Float64[np.ndarray, "row"]:
        return scores if self.kind == "dirichlet" else np.asarray(scores.reshape(len(self.rows), -1).mean(axis=1))

    def _outcomes(self, raw: bool) -> tuple[Float64[np.ndarray, "claim outcome"], Float64[np.ndarray, "claim outcome"]]:
        p = self.raw if raw else self.probability
        if self.kind == "dirichlet":
            return p, self.target
        holds, true = p.ravel(), self.target.ravel()
        return np.stack([holds, 1 - holds], axis=1), np.stack([true, 1 - true], axis=1)

    def take(self, places: Shaped[np.ndarray, "some"]) -> "Answers":
        """The rows at `places` (numbers, or True where a row is meant)."""
        at = np.flatnonzero(places) if places.dtype == bool else places
        changed: dict[str, Any] = {name: getattr(self, name)[at] for name in ARRAYS}
        for name in ("certainty", "disagree"):
            changed[name] = None if getattr(self, name) is None else getattr(self, name)[at]
        return replace(
            self,
            rows=tuple(self.rows[i] for i in at),
            speakers=None if self.speakers is None else tuple(self.speakers[i] for i in at),
            **changed,
        )


def answers(folds: Sequence[Fold], *, target_risk: float = TARGET_RISK) -> Answers:
    """Answers to the test rows of all folds, each calibrated on the calibration rows of its own fold.

    Raises ConfigError when folds differ in labels or kind, or when a calibration row has no known truth.
    """
    if not folds:
        raise ConfigError("there are no folds; give calibration and test predictions of at least one")
    return _pooled([_answered(fold.test, fit(fold.calibration, target_risk)) for fold in folds])


def fit(calibration: Predictions, target_risk: float = TARGET_RISK) -> Fitted:
    """Temperature and thresholds from calibration rows."""
    unknown = ~_known(calibration.target, calibration.kind)
    if unknown.any():
        names = some(calibration.rows[i] for i in np.flatnonzero(unknown))
        raise ConfigError(f"{int(unknown.sum())} calibration rows have no truth ({names}); leave them out")
    temperature, target = _temperatures(calibration), calibration.target.astype(np.float64)
    p, rows = _tempered(calibration, temperature), calibration.rows
    if calibration.kind == "dirichlet":
        right = _risk(p, _likeliest(p), target, "dirichlet") == 0
        best, at_risk = (_threshold(p.max(axis=1), right, rows, rule, at) for rule, at in _rules(target_risk))
        return Fitted(temperature, best, at_risk, None)
    ids = np.repeat(np.array(rows), len(calibration.labels))
    given = fit_threshold(p.ravel(), target.ravel(), ids)
    named = p.ravel() >= given.value
    best, at_risk = (
        _threshold(p.ravel()[named], target.ravel()[named] == 1, tuple(ids[named].tolist()), rule, at)
        for rule, at in _rules(target_risk)
    )
    return Fitted(temperature, best, at_risk, given)


# ---------------------------------------------------------------- calibrating


def _temperatures(p: Predictions) -> tuple[float, ...]:
    alpha, target = p.fused.astype(np.float64), p.target.astype(np.float64)
    if p.kind == "dirichlet":
        return (fit_temperature(alpha, target),)
    sides = np.stack([target, 1 - target], axis=2)
    return tuple(fit_temperature(alpha[:, k], sides[:, k]) for k in range(len(p.labels)))


def _tempered(p: Predictions, temperature: tuple[float, ...]) -> Float64[np.ndarray, "row label"]:
    alpha = p.fused.astype(np.float64)
    if p.kind == "dirichlet":
        return tempered(alpha, temperature[0])
    return np.asarray(tempered(alpha, np.array(temperature)[None])[..., 0])


def _rules(target_risk: float) -> tuple[tuple[Rule, float | None], tuple[Rule, float | None]]:
    return ("max_f1", None), ("target_risk", target_risk)


def _threshold(
    confidence: Float[np.ndarray, "claim"],
    right: Bool[np.ndarray, "claim"],
    rows: tuple[str, ...],
    rule: Rule,
    at: float | None,
) -> Threshold:
    """As fitted; where there was no claim at all, nothing is trusted."""
    if not len(confidence):
        return Threshold(TRUST_NOTHING, rule, (), 0, at)
    return fit_threshold(confidence, right, rows, rule, at)


# ---------------------------------------------------------------- answering


def _answered(test: Predictions, fitted: Fitted) -> Answers:
    p, target = _tempered(test, fitted.temperature), test.target.astype(np.float64)
    given = _likeliest(p) if fitted.given is None else p >= fitted.given.value
    confidence = p.max(axis=1) if fitted.given is None else _expected_f1(p, given)
    sure = confidence if fitted.given is None else np.where(given, p, -1.0)
    u = test.uncertainty
    return Answers(
        rows=test.rows,
        labels=test.labels,
        kind=test.kind,
        speakers=test.speakers,
        target=target,
        raw=test.probability,
        probability=p,
        given=given,
        confidence=confidence,
        risk=_risk(p, given, target, test.kind),
        trusted=np.asarray(sure >= fitted.trusted.value),
        at_risk=np.asarray(sure >= fitted.at_risk.value),
        certainty=None if u is None else 1 - u,
        conflict=test.conflict,
        disagree=test.disagree,
        fitted=(fitted,),
    )


def _likeliest(p: Float64[np.ndarray, "row label"]) -> Bool[np.ndarray, "row label"]:
    """The first of the likeliest labels of each row."""
    return np.asarray(np.arange(p.shape[1]) == p.argmax(axis=1)[:, None])


def _expected_f1(
    p: Float64[np.ndarray, "row label"], given: Bool[np.ndarray, "row label"]
) -> Float64[np.ndarray, "row"]:
    hits, size = (p * given).sum(axis=1), given.sum(axis=1) + p.sum(axis=1)
    expected = np.divide(2 * hits, size, out=np.zeros_like(hits), where=size > 0)
    return np.asarray(np.where(given.any(axis=1), expected, (1 - p).prod(axis=1)).clip(0, 1))


def _risk(
    p: Float64[np.ndarray, "row label"],
    given: Bool[np.ndarray, "row label"],
    target: Float64[np.ndarray, "row label"],
    kind: Kind,
) -> Float64[np.ndarray, "row"]:
    known = _known(target, kind)
    risk = np.full(len(p), np.nan)
    if known.any():
        truth, answer = target[known], given[known]
        if kind == "beta":
            risk[known] = 1 - sample_f1(truth, answer)
        else:
            risk[known] = (truth * answer).sum(axis=1) < truth.max(axis=1)
    return risk


def _known(target: Float[np.ndarray, "row label"], kind: Kind) -> Bool[np.ndarray, "row"]:
    said = ~np.isnan(target).any(axis=1)
    return np.asarray(said if kind == "beta" else said & (target > 0).any(axis=1))


def _pooled(parts: Sequence[Answers]) -> Answers:
    first = parts[0]
    for name in ("labels", "kind"):
        if others := [part for part in parts if getattr(part, name) != getattr(first, name)]:
            raise ConfigError(f"folds differ in {name}: {getattr(first, name)} and {getattr(others[0], name)}")
    rows = tuple(row for part in parts for row in part.rows)
    if len(set(rows)) < len(rows):
        raise ConfigError("folds share test rows; each row is tested once, in one fold")
    together: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS}
    for name in ("certainty", "disagree"):
        known = all(getattr(part, name) is not None for part in parts)
        together[name] = np.concatenate([getattr(part, name) for part in parts]) if known else None
    return replace(
        first,
        rows=rows,
        speakers=_all_speakers(parts),
        fitted=tuple(one for part in parts for one in part.fitted),
        **together,
    )


def _all_speakers(parts: Sequence[Answers]) -> tuple[str, ...] | None:
    if any(part.speakers is None for part in parts):
        return None
    return tuple(name for part in parts for name in part.speakers or ())
