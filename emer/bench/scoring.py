"""Every score of one method and seed, from its calibrated answers: all test rows, and those where people disagree.

What counts as right: one label a row, the label that most people chose (with ties any of them); for label sets
F1. Calibration is measured against what the probability is about: where the truth is shares of votes, against the
share of people who chose the answer. Trusted scores use thresholds fitted on calibration rows (`emer.bench.answers`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace

import numpy as np
from jaxtyping import Float64, Real

from emer.bench.answers import TARGET_RISK, Answers, Fold, answers
from emer.data.rows import some
from emer.errors import ConfigError
from emer.metrics.calibration_error import debiased_ece, ece, perfect_band
from emer.metrics.classification import classification
from emer.metrics.multilabel import MultilabelScores, multilabel
from emer.metrics.proper_scores import total_variation
from emer.metrics.selective import auroc, selective_scores
from emer.metrics.trusted import TrustedScores, break_even_oracle, scores_at

BINS = 15
SINGLE = 6
"""Decimals of a certainty that single precision can tell: rows of equal evidence are ties, whatever rounding made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """One method, one seed, one set of rows. None where a score has no meaning there."""

    n: int
    speakers: int | None
    """How many; None where nobody knows."""
    accuracy: float | None
    """None for label sets, as the next two."""
    uar: float | None
    weighted_f1: float | None
    sets: MultilabelScores | None
    """Kind beta: labels given from the probability that was best on calibration rows."""
    aurc: float
    """Risk: wrong, or 1 - F1 of a label set."""
    e_aurc: float
    auroc: float | None
    """Confidence telling right from wrong; None for label sets or where all rows are right, or wrong."""
    certainty_auroc: float | None
    """The same for 1 - u; None without evidence."""
    uncertainty: float | None
    """Mean u."""
    conflict: float | None
    """Mean over rows with two views or more."""
    ece: float
    """Equal mass, 15 bins; for label sets over all pairs of row and label."""
    ece_expected: float
    """What perfect calibration shows on average with these confidences."""
    ece_band: float
    """Its 95 % quantile. Claims count as independent: the labels of a set, and clips of one speaker, are less so."""
    inside: bool
    """ECE is within that quantile."""
    debiased_ece: float
    ece_raw: float
    """Before calibration."""
    nll: float
    nll_raw: float
    brier: float
    brier_raw: float
    total_variation: float | None
    """To the shares of votes; None where the truth is no shares."""
    trusted: TrustedScores | None
    """At the `max_f1` threshold. For label sets the claims are the labels given; None where there are none."""
    at_risk: TrustedScores | None
    """At the threshold of the target risk."""
    oracle: TrustedScores | None
    """`break_even_oracle`: knows the answers; ranks methods, and is no result."""


@dataclass(frozen=True, slots=True)
class Scored:
    """`disagree` is None where it is not known, or where no such row is among the test rows."""

    all: Scores
    disagree: Scores | None


def score(folds: Sequence[Fold], *, target_risk: float = TARGET_RISK) -> Scored:
    """All scores of one method and seed; temperature and thresholds from each fold's calibration rows."""
    return scored(answers(folds, target_risk=target_risk))


def scored(given: Answers) -> Scored:
    """All scores of answers, on all rows and on those where voice and face votes disagree."""
    apart = given.disagree
    return Scored(scores(given), scores(given.take(apart)) if apart is not None and apart.any() else None)


def scores(given: Answers) -> Scores:
    """The scores of these rows. Raises ConfigError when the truth of some is not known."""
    unknown = np.isnan(given.risk)
    if unknown.any():
        names = some(given.rows[i] for i in np.flatnonzero(unknown))
        raise ConfigError(f"{int(unknown.sum())} rows have no truth ({names}); score the others")
    single = given.kind == "dirichlet"
    labels = classification(*_gold_and_given(given)) if single else None
    ranked = selective_scores(given.confidence, given.risk)
    stated, true = given.pairs
    band, error = perfect_band(stated, bins=BINS), ece(stated, true, bins=BINS)
    conflict = given.conflict[~np.isnan(given.conflict)]
    return Scores(
        n=len(given.rows),
        speakers=None if given.speakers is None else len(set(given.speakers)),
        accuracy=labels.accuracy if labels else None,
        uar=labels.uar if labels else None,
        weighted_f1=labels.weighted_f1 if labels else None,
        sets=None if single else multilabel(given.target, given.given),
        aurc=ranked.aurc,
        e_aurc=ranked.e_aurc,
        auroc=_told(given.confidence, given) if single else None,
        certainty_auroc=_told(given.certainty.round(SINGLE), given) if single and given.certainty is not None else None,
        uncertainty=None if given.certainty is None else float(1 - given.certainty.mean()),
        conflict=float(conflict.mean()) if conflict.size else None,
        ece=error,
        ece_expected=band.mean,
        ece_band=band.upper,
        inside=error <= band.upper,
        debiased_ece=debiased_ece(stated, true, bins=BINS),
        ece_raw=ece(*_raw_pairs(given), bins=BINS),
        nll=float(given.nll_rows().mean()),
        nll_raw=float(given.nll_rows(raw=True).mean()),
        brier=float(given.brier_rows().mean()),
        brier_raw=float(given.brier_rows(raw=True).mean()),
        total_variation=total_variation(given.probability, given.target) if single and given.votes else None,
        trusted=_trusted(given, given.trusted),
        at_risk=_trusted(given, given.at_risk),
        oracle=_oracle(given),
    )


def figures(value: object, prefix: str = "") -> dict[str, float]:
    """All numbers in scores, by name: `aurc`, `trusted.f1`, `sets.micro.f1`; None and nan are left out.

    >>> figures(TrustedScores(1.0, 0.5, 0.7, 0.8, 0.4, 0.6, 0.1, 10, None), "trusted")["trusted.recall"]
    0.5
    """
    found: dict[str, float] = {}
    if is_dataclass(value):
        for each in fields(value):
            found |= figures(getattr(value, each.name), f"{prefix}.{each.name}".lstrip("."))
    elif isinstance(value, bool | int | float) and not np.isnan(value):
        found[prefix] = float(value)
    return found


def told_apart(inside: Real[np.ndarray, "row"], outside: Real[np.ndarray, "other"]) -> float:
    """AUROC of a confidence (or certainty) in [0, 1] for telling known from foreign clips: 1 if all foreign are lower.

    >>> told_apart(np.array([0.9, 0.8]), np.array([0.5, 0.85]))
    0.75
    """
    known = np.arange(len(inside) + len(outside)) < len(inside)
    return auroc(np.concatenate([inside, outside]), known)


def disagreement_auroc(given: Answers) -> float | None:
    """How well conflict between views finds the rows where people disagree; None where one of both is not known."""
    if given.disagree is None or not given.disagree.any() or given.disagree.all():
        return None
    told = ~np.isnan(given.conflict)
    return auroc(given.conflict[told], given.disagree[told]) if told.any() else None


# ---------------------------------------------------------------- parts


def _gold_and_given(given: Answers) -> tuple[np.ndarray, np.ndarray]:
    """Label numbers. Of tied gold labels the given one counts, else the first."""
    answer = given.given.argmax(axis=1)
    return np.where(given.risk == 0, answer, given.target.argmax(axis=1)), answer


def _told(confidence: Float64[np.ndarray, "row"], given: Answers) -> float | None:
    found = auroc(confidence, given.risk == 0)
    return None if np.isnan(found) else found


def _raw_pairs(given: Answers) -> tuple[Float64[np.ndarray, "claim"], Float64[np.ndarray, "claim"]]:
    """A temperature changes no order of labels, so the answer before calibration is the same."""
    if given.kind == "dirichlet":
        return given.raw.max(axis=1), given.agreed
    return given.raw.ravel(), given.target.ravel()


def _trusted(given: Answers, vouched: np.ndarray) -> TrustedScores | None:
    """Trusted scores of a set that was chosen fold by fold; thresholds differ between folds, so none is told."""
    right = given.risk == 0
    if given.kind == "beta":
        if not given.given.any():
            return None
        vouched, right = vouched[given.given], given.target[given.given] == 1
    return replace(scores_at(vouched.astype(np.float64), right, 0.5), threshold=None)


def _oracle(given: Answers) -> TrustedScores | None:
    if given.kind == "dirichlet":
        return break_even_oracle(given.confidence, given.risk == 0)
    if not given.given.any():
        return None
    return break_even_oracle(given.probability[given.given], given.target[given.given] == 1)
