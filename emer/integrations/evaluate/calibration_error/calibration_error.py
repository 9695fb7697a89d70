"""`evaluate.Metric` shell around `emer.metrics.calibration_error` and `emer.metrics.proper_scores`."""

from typing import Any

import datasets  # type: ignore[import-untyped]
import evaluate  # type: ignore[import-untyped]
import numpy as np

import emer.metrics.calibration_error as calibration
import emer.metrics.proper_scores as proper

DESCRIPTION = """Expected calibration error of the likeliest label (equal-mass and equal-width bins), debiased, and
beside the band that a perfectly calibrated system shows at this n; Brier score, NLL and total variation of the whole
distribution. References are labels or distributions of human votes."""

INPUTS = """
predictions: for each row a list of probabilities, one a label.
references: for each row the number of the true label, or a list: the share of people who chose each label.
bins (15), simulations (1000), seed (0): of the calibration error and its band.

>>> metric.compute(predictions=[[0.7, 0.3], [0.4, 0.6]], references=[0, 1])["ece_mass"]
0.35
"""

CITATION = "Guo et al. 2017; Kumar, Liang & Ma 2019; Brier 1950"


class CalibrationError(evaluate.Metric):  # type: ignore[misc]
    """Calibration error with its band, and proper scores."""

    def _info(self) -> evaluate.MetricInfo:
        probabilities = datasets.Sequence(datasets.Value("float64"))
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=[
                datasets.Features({"predictions": probabilities, "references": references})
                for references in (datasets.Value("int64"), probabilities)
            ],
        )

    def _compute(
        self, predictions: list[Any], references: list[Any], bins: int = 15, simulations: int = 1000, seed: int = 0
    ) -> dict[str, Any]:
        probability, target = np.asarray(predictions), np.asarray(references)
        confidence, right = proper.top_label(probability, target)
        band = calibration.perfect_band(confidence, bins=bins, simulations=simulations, seed=seed)
        return {
            "ece_mass": calibration.ece(confidence, right, bins=bins),
            "ece_mass_if_perfect": band.mean,
            "ece_mass_upper_if_perfect": band.upper,
            "ece_width": calibration.ece(confidence, right, bins=bins, binning="width"),
            "debiased_ece": calibration.debiased_ece(confidence, right, bins=bins),
            "brier": proper.brier(probability, target),
            "nll": proper.nll(probability, target),
            "total_variation": proper.total_variation(probability, target),
            "n": band.n,
        }
