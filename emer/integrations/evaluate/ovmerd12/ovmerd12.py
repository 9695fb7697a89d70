"""`evaluate.Metric` shell around `emer score --metric ovmerd12`."""

from typing import Any

import evaluate  # type: ignore[import-untyped]

from emer.integrations.evaluate.scored import OPTIONS, Cell, compute, features

DESCRIPTION = """Open-vocabulary emotion labels under all twelve mappings of OV-MERD (inflections, synonyms, five wheels
on two rings): their mean F1, called M-avg, with an interval and the floors of constant answers."""

INPUTS = f"""
predictions, references: for each clip its labels, as a list or as the text `[happy, sad]`.
{OPTIONS}
>>> metric.compute(predictions=["[sad]", "[happy]"], references=["[sad]", "[sad]"], bootstrap=0)["ovmerd12"]
0.5
"""

CITATION = "Lian et al. 2024, OV-MER, https://arxiv.org/abs/2410.01495"


class Ovmerd12(evaluate.Metric):  # type: ignore[misc]
    """Mean F1 over twelve mappings."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION, citation=CITATION, inputs_description=INPUTS, features=features()
        )

    def _compute(self, predictions: list[Cell], references: list[Cell], **options: Any) -> dict[str, Any]:
        return compute("ovmerd12", predictions, {"labels": references}, **options)
