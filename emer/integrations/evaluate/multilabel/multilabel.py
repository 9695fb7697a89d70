"""`evaluate.Metric` shell around `emer.metrics.multilabel`."""

from dataclasses import asdict
from typing import Any

import datasets  # type: ignore[import-untyped]
import evaluate  # type: ignore[import-untyped]
import numpy as np

import emer.metrics.multilabel as scores

DESCRIPTION = """Label sets: sample Jaccard and F1 (two empty sets match perfectly), micro and macro precision, recall
and F1 (0 / 0 is 0)."""

INPUTS = """
predictions, references: for each row a list of 0 and 1, one a label.

>>> metric.compute(predictions=[[1, 1], [0, 1]], references=[[1, 0], [0, 1]])["jaccard"]
0.75
"""

CITATION = "Godbole & Sarawagi 2004; Tsoumakas & Katakis 2007"


class Multilabel(evaluate.Metric):  # type: ignore[misc]
    """Scores of predicted label sets."""

    def _info(self) -> evaluate.MetricInfo:
        row = datasets.Sequence(datasets.Value("int64"))
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": row, "references": row}),
        )

    def _compute(self, predictions: list[list[int]], references: list[list[int]]) -> dict[str, Any]:
        found = asdict(scores.multilabel(np.asarray(references), np.asarray(predictions)))
        flat = {f"{how}_{name}": value for how in ("micro", "macro") for name, value in found.pop(how).items()}
        return {**found, **flat}
