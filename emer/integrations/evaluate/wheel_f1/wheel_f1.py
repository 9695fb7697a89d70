"""`evaluate.Metric` shell around `emer score --metric wheel_f1`."""

from typing import Any

import evaluate  # type: ignore[import-untyped]

from emer.integrations.evaluate.scored import OPTIONS, Cell, compute, features

DESCRIPTION = """Open-vocabulary emotion labels as sets, mapped through five emotion wheels: harmonic mean of set-level
precision and recall, averaged over the wheels, with an interval, the share of unknown words and the floors of constant
answers."""

INPUTS = f"""
predictions, references: for each clip its labels, as a list or as the text `[happy, sad]`.
{OPTIONS}
>>> metric.compute(predictions=["[sad]", "[happy]"], references=["[sad]", "[sad]"], bootstrap=0)["wheel_f1"]
0.5
"""

CITATION = "Lian et al. 2025, AffectGPT, https://arxiv.org/abs/2501.16566"


class WheelF1(evaluate.Metric):  # type: ignore[misc]
    """F1 over the inner (or middle) ring of every wheel."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION, citation=CITATION, inputs_description=INPUTS, features=features()
        )

    def _compute(self, predictions: list[Cell], references: list[Cell], **options: Any) -> dict[str, Any]:
        return compute("wheel_f1", predictions, {"labels": references}, **options)
