"""`evaluate.Metric` shell around `emer score --metric sentiment`."""

from typing import Any

import evaluate  # type: ignore[import-untyped]

from emer.integrations.evaluate.scored import OPTIONS, Cell, compute, features

DESCRIPTION = """Positive or not, from emotion labels by lexicon, on clips whose gold value is not 0: weighted F1
and accuracy, as MOSI, MOSEI and SIMS are scored."""

INPUTS = f"""
predictions: for each clip its labels, as a list or as the text `[happy, sad]`, or `positive`, `negative`, `neutral`;
references: one number a clip, negative below 0.
{OPTIONS}
>>> metric.compute(predictions=["[sad]", "[happy]"], references=[-1.0, 0.6], bootstrap=0)["sentiment"]
1.0
"""

CITATION = "Lian et al. 2025, AffectGPT, https://arxiv.org/abs/2501.16566"


class Sentiment(evaluate.Metric):  # type: ignore[misc]
    """Weighted F1 and accuracy of the sign."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION, citation=CITATION, inputs_description=INPUTS, features=features("float64")
        )

    def _compute(self, predictions: list[Cell], references: list[float], **options: Any) -> dict[str, Any]:
        return compute("sentiment", predictions, {"values": references}, **options)
