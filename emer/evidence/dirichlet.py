"""Arithmetic of Dirichlet opinions on arrays: one opinion or a batch, the same functions.

Evidence `e >= 0` over K outcomes (the last axis), prior weight `W > 0`, base rate `a` that sums to 1:

    alpha_k = e_k + W a_k        S = sum(e) + W
    belief b_k = e_k / S         uncertainty u = W / S        sum(b) + u = 1
    probability p_k = alpha_k / S

Sources: Jøsang, Subjective Logic (2016), section 3.5; Sensoy, Kaplan & Kandemir 2018 (W = K and a = 1/K,
so that alpha = e + 1). A beta opinion is the case K = 2, (for, against): its arrays have the shape
"label 2", where the labels are one more batch axis.
"""

import numpy as np
from jaxtyping import Float

LARGEST = 1e100
"""No evidence is above this, so that no sum or product of a few of them overflows."""


def concentration(
    evidence: Float[np.ndarray, "*batch outcome"], base_rate: Float[np.ndarray, "*#batch outcome"], prior_weight: float
) -> Float[np.ndarray, "*batch outcome"]:
    """alpha, the parameters of the Dirichlet distribution; above 0."""
    return np.asarray(evidence + prior_weight * base_rate)


def strength(evidence: Float[np.ndarray, "*batch outcome"], prior_weight: float) -> Float[np.ndarray, "*batch"]:
    """S, the sum of alpha: all evidence and the prior weight; at least W."""
    return np.asarray(evidence.sum(axis=-1) + prior_weight)


def belief(evidence: Float[np.ndarray, "*batch outcome"], prior_weight: float) -> Float[np.ndarray, "*batch outcome"]:
    """b in [0, 1]: the share of S that was observed, outcome by outcome."""
    return np.asarray(evidence / strength(evidence, prior_weight)[..., None])


def uncertainty(evidence: Float[np.ndarray, "*batch outcome"], prior_weight: float) -> Float[np.ndarray, "*batch"]:
    """u in (0, 1]: the share of S that is prior; 1 without any evidence."""
    return np.asarray(prior_weight / strength(evidence, prior_weight))


def probability(
    evidence: Float[np.ndarray, "*batch outcome"], base_rate: Float[np.ndarray, "*#batch outcome"], prior_weight: float
) -> Float[np.ndarray, "*batch outcome"]:
    """p, the mean of the Dirichlet distribution: belief plus the base rate's share of the uncertainty."""
    return np.asarray(concentration(evidence, base_rate, prior_weight) / strength(evidence, prior_weight)[..., None])


def variance(
    evidence: Float[np.ndarray, "*batch outcome"], base_rate: Float[np.ndarray, "*#batch outcome"], prior_weight: float
) -> Float[np.ndarray, "*batch outcome"]:
    """Variance of each outcome's probability: p (1 - p) / (S + 1)."""
    p = probability(evidence, base_rate, prior_weight)
    return np.asarray(p * (1 - p) / (strength(evidence, prior_weight)[..., None] + 1))


def evidence_of(
    belief: Float[np.ndarray, "*batch outcome"], uncertainty: Float[np.ndarray, "*batch"], prior_weight: float
) -> Float[np.ndarray, "*batch outcome"]:
    """The evidence behind belief and uncertainty: e = W b / u, where u > 0."""
    return np.asarray(prior_weight * belief / uncertainty[..., None])
