"""`evaluate.Metric` shell around `emer.metrics.trusted`."""

from dataclasses import asdict
from typing import Any

import datasets  # type: ignore[import-untyped]
import evaluate  # type: ignore[import-untyped]
import numpy as np

import emer.metrics.trusted as scores

DESCRIPTION = """Trusted precision, recall, F1, accuracy and coverage: how good are the predictions that a system itself
vouches for? Always with the floor 2A/(1+A), the F1 of trusting everything, and the gain over it."""

INPUTS = """
predictions, references: the predicted and the true label of each row (numbers or words).
confidence: one number in [0, 1] a row.
threshold: rows with at least this confidence are trusted: a number fixed beforehand, or a Threshold that
    emer.metrics.trusted.fit_threshold fitted on validation rows.
rows: ids of the rows, needed for a fitted threshold, which refuses the rows that chose it.

>>> metric.compute(predictions=[0, 1], references=[0, 0], confidence=[0.9, 0.4], threshold=0.5)["f1"]
1.0
"""

CITATION = "TER: Trusted Emotion Recognition (2025)"


class Trusted(evaluate.Metric):  # type: ignore[misc]
    """Trusted scores at a threshold, and the break-even oracle beside them."""

    def _info(self) -> evaluate.MetricInfo:
        kinds = ("int64", "string")
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
                for kind in kinds
            ],
        )

    def _compute(
        self,
        predictions: list[Any],
        references: list[Any],
        confidence: list[float],
        threshold: float | scores.Threshold,
        rows: list[Any] | None = None,
    ) -> dict[str, Any]:
        right, sure = np.asarray(predictions) == np.asarray(references), np.asarray(confidence)
        if isinstance(threshold, scores.Threshold):
            found = scores.score(sure, right, threshold, rows)
        else:
            found = scores.scores_at(sure, right, threshold)
        return {**asdict(found), "break_even_oracle": scores.break_even_oracle(sure, right).f1}
