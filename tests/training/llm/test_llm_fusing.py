"""How much verdict and heads count: weights of least negative log-likelihood, by the fusion that explanations use."""

import numpy as np
import pytest

from emer.adapters.record import FusionRecord
from emer.evidence.fusion import fuse
from emer.evidence.opinion import dirichlet, probability
from emer.training.llm.fusing import LEAST, Said, weighed
from emer.types import VERDICT

PRIOR = np.array([1.0, 1.0])
HEADS = "heads of a test"


def said(count: int) -> list[Said]:
    """A verdict that is right in four of five clips, and a head that is right in three of five, with a hundred times
    the evidence."""
    draw = np.random.default_rng(3)
    found = []
    for place in range(count):
        right = place % 2
        modest, loud = draw.random() < 0.8, draw.random() < 0.6
        verdict, head = np.zeros(2), np.zeros(2)
        verdict[right if modest else 1 - right] = 4.0
        head[right if loud else 1 - right] = 400.0
        opinions = {
            VERDICT: dirichlet("mood", ["good", "bad"], verdict),
            "audio": dirichlet("mood", ["good", "bad"], head),
        }
        found.append(Said(opinions, np.eye(2)[right]))
    return found


def likelihood(rows: list[Said], fusion: FusionRecord) -> float:
    """Mean negative log-likelihood of what people said, under the fused opinion."""
    fused = [fuse(row.opinions, fusion.rule, fusion.reliabilities) for row in rows]
    return float(np.mean([-np.log(probability(one) @ row.target) for one, row in zip(fused, rows, strict=True)]))


def penalised(rows: list[Said], fusion: FusionRecord) -> float:
    """With what a weight's distance from the even one costs: a unit of its logarithm, squared, as much as a nat of one
    clip (`fit_log_linear`)."""
    assert fusion.reliabilities is not None
    far = sum(np.log(weight / 0.5) ** 2 for weight in fusion.reliabilities.values())
    return likelihood(rows, fusion) + far / len(rows)


def test_weights_make_what_people_said_likelier_than_the_average_does() -> None:
    rows = said(200)
    found = weighed(rows, PRIOR, HEADS)
    assert found.rule == "log_linear"
    assert found.reliabilities is not None
    assert found.reliabilities[VERDICT] > found.reliabilities["audio"]  # four of five against three of five
    assert likelihood(rows, found) < likelihood(rows, FusionRecord()) - 0.1
    assert found.fitted == "heads of a test, n = 200 validation clips"


@pytest.mark.parametrize("view", [VERDICT, "audio"])
@pytest.mark.parametrize("factor", [0.7, 1.4])
def test_no_other_weights_nearby_are_likelier(view: str, factor: float) -> None:
    rows = said(400)
    found = weighed(rows, PRIOR, HEADS)
    assert found.reliabilities is not None
    other = FusionRecord(
        rule=found.rule, reliabilities={**found.reliabilities, view: factor * found.reliabilities[view]}
    )
    assert penalised(rows, found) < penalised(rows, other)


def test_too_few_clips_with_heads_leave_the_average() -> None:
    rows = said(LEAST)
    assert weighed(rows, PRIOR, HEADS).reliabilities is not None
    alone = [Said({VERDICT: rows[0].opinions[VERDICT]}, rows[0].target), *rows[1:]]
    assert weighed(alone, PRIOR, HEADS) == FusionRecord()
