"""Proper scores of whole distributions: smallest on average for a system that states the true probabilities.

With p the stated and y the true distribution of a row (a one-hot label, or the share of people who chose each):

    Brier = sum_k (p_k - y_k)^2      NLL = -sum_k y_k ln p_k      total variation = 1/2 sum_k |p_k - y_k|

Each is the mean over rows. Total variation is not proper; it says how far two distributions are apart, in [0, 1].

Sources: Brier 1950 (the form with all labels, in [0, 2]); Good 1952 (logarithmic score); Gneiting & Raftery 2007.
"""

import numpy as np
from jaxtyping import Float64, Int64, Real

from emer.metrics import checks

Target = Real[np.ndarray, "row"] | Real[np.ndarray, "row label"]
"""Label numbers, one a row, or distributions over labels."""

LEAST = 1e-12
"""Smaller probabilities count as this: one certain mistake costs 27.6 nats and does not make the mean infinite."""


def brier(probability: Real[np.ndarray, "row label"], target: Target) -> float:
    """Brier score, in [0, 2].

    .7 and .3 where the first is true: .3^2 + .3^2 = .18; where people are split evenly: .2^2 + .2^2 = .08.

    >>> round(brier(np.array([[0.7, 0.3]]), np.array([0])), 4)
    0.18
    >>> round(brier(np.array([[0.7, 0.3]]), np.array([[0.5, 0.5]])), 4)
    0.08
    """
    return float(np.mean(brier_rows(probability, target)))


def nll(probability: Real[np.ndarray, "row label"], target: Target) -> float:
    """Negative log-likelihood in nats; for shares of people their cross-entropy, which includes their own entropy.

    >>> round(nll(np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 0])), 4)  # (ln 2 + ln 4) / 2
    1.0397
    """
    return float(np.mean(nll_rows(probability, target)))


def total_variation(probability: Real[np.ndarray, "row label"], target: Target) -> float:
    """Half the summed difference of two distributions: the share of people that must change their mind.

    >>> round(total_variation(np.array([[0.7, 0.3]]), np.array([[0.5, 0.5]])), 4)
    0.2
    """
    return float(np.mean(total_variation_rows(probability, target)))


def top_label(
    probability: Real[np.ndarray, "row label"], target: Target
) -> tuple[Float64[np.ndarray, "row"], Float64[np.ndarray, "row"]]:
    """Confidence in the likeliest label, and how right it is: 1 or 0, or the share of people who chose it.

    Of equally likely labels the first counts. This is what ECE and the trusted scores start from.

    >>> top_label(np.array([[0.7, 0.3], [0.4, 0.6]]), np.array([[0.5, 0.5], [0.0, 1.0]]))
    (array([0.7, 0.6]), array([0.5, 1. ]))
    """
    p, y = _checked(probability, target)
    best = p.argmax(axis=1)
    agreed = (best == y).astype(np.float64) if y.ndim == 1 else y[np.arange(len(y)), best]
    return p.max(axis=1), agreed


# ---------------------------------------------------------------- row by row, for intervals


def brier_rows(probability: Real[np.ndarray, "row label"], target: Target) -> Float64[np.ndarray, "row"]:
    """The Brier score of each row."""
    p, y = _checked(probability, target)
    if y.ndim == 2:
        return np.asarray(((p - y) ** 2).sum(axis=1))
    return np.asarray((p**2).sum(axis=1) - 2 * _of_label(p, y) + 1)


def nll_rows(probability: Real[np.ndarray, "row label"], target: Target) -> Float64[np.ndarray, "row"]:
    """The negative log-likelihood of each row."""
    p, y = _checked(probability, target)
    if y.ndim == 2:
        return np.asarray(-(y * np.log(np.maximum(p, LEAST))).sum(axis=1))
    return np.asarray(-np.log(np.maximum(_of_label(p, y), LEAST)))


def total_variation_rows(probability: Real[np.ndarray, "row label"], target: Target) -> Float64[np.ndarray, "row"]:
    """The total variation of each row."""
    p, y = _checked(probability, target)
    if y.ndim == 2:
        return np.asarray(np.abs(p - y).sum(axis=1) / 2)
    true = _of_label(p, y)
    return np.asarray((p.sum(axis=1) - true + (1 - true)) / 2)


def _checked(
    probability: Real[np.ndarray, "row label"], target: Target
) -> tuple[Float64[np.ndarray, "row label"], Float64[np.ndarray, "row label"] | Int64[np.ndarray, "row"]]:
    checks.same_length(probability=probability, target=target)
    p = checks.distributions("probability", probability)
    if np.ndim(target) != 2:
        return p, checks.label_ids("target", target, labels=p.shape[1])
    y = checks.distributions("target", target)
    checks.same_labels(probability=p, target=y)
    return p, y


def _of_label(p: Float64[np.ndarray, "row label"], y: Int64[np.ndarray, "row"]) -> Float64[np.ndarray, "row"]:
    return np.asarray(p[np.arange(len(y)), y])
