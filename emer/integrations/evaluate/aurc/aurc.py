"""`evaluate.Metric` shell around `emer.metrics.selective`."""

from dataclasses import asdict
from typing import Any

import datasets  # type: ignore[import-untyped]
import evaluate  # type: ignore[import-untyped]
import numpy as np

import emer.metrics.selective as scores

DESCRIPTION = """Area under the risk-coverage curve, its excess over the best ranking (E-AURC), the generalised area
(AUGRC), AUROC of correctness, and the risk at full coverage. Tied rows count as the average of their orders."""

INPUTS = """
predictions, references: the predicted and the true label of each row (numbers or words).
confidence: one number in [0, 1] a row.

>>> metric.compute(predictions=[0, 1], references=[0, 0], confidence=[0.9, 0.4])["aurc"]
0.25
"""

CITATION = "Geifman, Uziel & El-Yaniv 2019; Traub et al. 2024"


class Aurc(evaluate.Metric):  # type: ignore[misc]
    """Selective prediction with right and wrong as the risk."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=[
                datasets.Features(
                    {
                        "predictions": datasets.Value(kind),
                        "references": datasets.Value(kind),
                        "confidence": datasets.Value("float64"),
                    }
                )
                for kind in ("int64", "string")
            ],
        )

    def _compute(self, predictions: list[Any], references: list[Any], confidence: list[float]) -> dict[str, Any]:
        wrong = np.asarray(predictions) != np.asarray(references)
        return asdict(scores.selective_scores(np.asarray(confidence), wrong))
