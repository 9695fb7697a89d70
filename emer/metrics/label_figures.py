"""How well the confidence of generated labels tells right ones from wrong ones: one set of figures for every way."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from emer.metrics import checks
from emer.metrics.calibration_error import ece
from emer.metrics.proper_scores import brier, nll
from emer.metrics.selective import aurc


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """Figures over `n` labels; those of confidence are better the smaller they are."""

    n: int
    right: float
    """Share of the labels that are right."""
    nll: float
    """Mean negative log-likelihood of being right or wrong, in nats; ln 2 for one half each time."""
    brier: float
    """Mean squared distance of (p, 1 - p) from what is so: 0 to 2."""
    aurc: float
    """Area under the risk-coverage curve, 0 to 1."""
    ece: float
    """Expected calibration error, 0 to 1, in bins of equal mass."""


def label_figures(confidence: Float[np.ndarray, "label"], right: Bool[np.ndarray, "label"]) -> LabelFigures:
    """The figures of calibrated confidences. Raises MetricError for numbers outside 0 to 1, and for none.

    >>> label_figures(np.array([0.75, 0.25]), np.array([True, False])).nll  # -ln .75
    0.2876820724517809
    """
    sure = checks.fractions("confidence", confidence)
    both = np.stack([sure, 1 - sure], axis=-1)
    outcome = np.where(right, 0, 1)
    return LabelFigures(
        n=len(sure),
        right=float(np.mean(right)),
        nll=nll(both, outcome),
        brier=brier(both, outcome),
        aurc=aurc(sure, np.where(right, 0.0, 1.0)),
        ece=ece(sure, right),
    )
