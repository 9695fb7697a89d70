"""`evaluate.Metric` shell around `emer score --metric hit_rate`."""

from typing import Any

import evaluate  # type: ignore[import-untyped]

from emer.integrations.evaluate.scored import OPTIONS, Cell, compute, features

DESCRIPTION = """Is the one gold label among the predicted ones, as an emotion wheel sees them? Mean over five wheels,
beside mscore and precision, which naming everything lowers, and the floors of constant answers."""

INPUTS = f"""
predictions: for each clip its labels, as a list or as the text `[happy, sad]`; references: one label a clip.
{OPTIONS}
>>> metric.compute(predictions=["[sad, happy]", "[happy]"], references=["sad", "sad"], bootstrap=0)["hit_rate"]
0.5
"""

CITATION = "Lian et al. 2025, AffectGPT, https://arxiv.org/abs/2501.16566"


class HitRate(evaluate.Metric):  # type: ignore[misc]
    """Hit rate, mscore and precision."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION, citation=CITATION, inputs_description=INPUTS, features=features()
        )

    def _compute(self, predictions: list[Cell], references: list[Cell], **options: Any) -> dict[str, Any]:
        return compute("hit_rate", predictions, {"labels": references}, **options)
