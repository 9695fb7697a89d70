"""The two ways from an opinion's probability to one that keeps its word: a temperature, or a rising curve.

Temperature scaling on evidence: `p_k(T) = alpha_k^(1/T) / sum_j alpha_j^(1/T)`, the softmax of `log alpha / T`
(Guo et al. 2017, with log alpha for the logits). It changes how sure an opinion is, never which label it prefers.
Isotonic regression (Zadrozny & Elkan 2002) bends confidence by any rising curve, and needs more rows.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import isotonic_regression, minimize_scalar
from scipy.special import log_softmax, softmax

TEMPERATURES = (0.02, 50.0)
"""A temperature is looked for between these."""

Alpha = Float[np.ndarray, "*batch outcome"]


# ---------------------------------------------------------------- temperature


def tempered(alpha: Alpha, temperature: Float[np.ndarray, "*#batch"] | float) -> Alpha:
    """Probabilities at a temperature: 1 leaves `alpha / S`, more than 1 makes them more even.

    >>> tempered(np.array([9.0, 1.0]), 1.0), tempered(np.array([9.0, 1.0]), 2.0)
    (array([0.9, 0.1]), array([0.75, 0.25]))
    """
    return np.asarray(softmax(np.log(alpha) / np.asarray(temperature)[..., None], axis=-1))


def negative_log_likelihood(alpha: Alpha, target: Alpha, temperature: float) -> float:
    """Mean over rows of `-sum_k y_k log p_k(T)`; `target` may be one-hot or shares of votes."""
    return float(-(target * log_softmax(np.log(alpha) / temperature, axis=-1)).sum(axis=-1).mean())


def fit_temperature(alpha: Float[np.ndarray, "row outcome"], target: Float[np.ndarray, "row outcome"]) -> float:
    """The temperature of least negative log-likelihood, within `TEMPERATURES`.

    One row's worth of even votes is spread over the targets, as Platt (1999) does: n rows that are all right
    would otherwise ask for endless certainty. The likelihood is convex in 1 / T, so the minimum is one.
    """
    rows, outcomes = target.shape
    smoothed = (rows * target + 1 / outcomes) / (rows + 1)
    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(alpha, smoothed, float(np.exp(log_t))),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


# ---------------------------------------------------------------- curve


@dataclass(frozen=True, slots=True)
class Curve:
    """A rising curve through points; straight between them, level outside."""

    at: tuple[float, ...]
    becomes: tuple[float, ...]

    def __call__(self, confidence: Float[np.ndarray, "*batch"]) -> Float[np.ndarray, "*batch"]:
        """The calibrated confidence."""
        return np.asarray(np.interp(confidence, self.at, self.becomes))


def fit_curve(confidence: Float[np.ndarray, "row"], right: Float[np.ndarray, "row"]) -> Curve:
    """Isotonic regression of being right (0 to 1, or the share of raters who agree) on confidence.

    The curve stays between 1 / (n + 2) and 1 - 1 / (n + 2): n rows cannot show that something never happens
    (Laplace's rule of succession).

    >>> fit_curve(np.array([0.2, 0.4, 0.6, 0.8]), np.array([0.0, 1.0, 0.0, 1.0])).becomes
    (0.16666666666666666, 0.5, 0.5, 0.8333333333333334)
    """
    at, place, count = np.unique(confidence, return_inverse=True, return_counts=True)
    share = np.bincount(place, weights=right) / count
    risen = isotonic_regression(share, weights=count).x
    least = 1 / (len(confidence) + 2)
    # Inside a level stretch the points between its ends say nothing.
    inner = np.zeros(len(at), dtype=bool)
    inner[1:-1] = (risen[1:-1] == risen[:-2]) & (risen[1:-1] == risen[2:])
    return Curve(tuple(at[~inner].tolist()), tuple(np.clip(risen[~inner], least, 1 - least).tolist()))
