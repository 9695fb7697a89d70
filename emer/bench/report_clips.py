"""Each clip by itself: how wrong an answer is, how sure it was, and whether it was to be trusted.

The scores of `emer.score` are functions of all clips. What looks at clips (reliability, risk and coverage, the worst
ones) needs a number a clip, the risk, 0 right to 1 wrong:

    label sets    1 - F1 of the mapped sets, mean over the wheels under which the clip's gold has a cluster
    hit rate      1 - the share of those wheels whose gold cluster is among the predicted ones
    others        1 - the score of the clip alone; for one label a clip, or sentiment: 0 right, 1 wrong

A clip that the metric skips has no risk (nan) and takes no part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64

from emer.metrics.open_vocabulary import harmonic
from emer.registry import load
from emer.score.closed import OneLabel, Sentiment, Sets
from emer.score.metric import Measured, Metric
from emer.score.options import Options
from emer.score.pairs import pairs
from emer.score.result import Column
from emer.score.scoring import METRICS
from emer.score.wheel import Hits, OpenVocabulary

Family = Literal["sets", "hit", "right", "other"]
RISK_MEANS: Mapping[Family, str] = {
    "sets": "risk: 1 − F1 of the label set",
    "hit": "risk: share of wheels missed",
    "right": "risk: share wrong",
    "other": "risk: 1 − score of the clip",
}
RIGHT_MEANS: Mapping[Family, str] = {
    "sets": "mean F1 of the label set",
    "hit": "share of wheels hit",
    "right": "share right",
    "other": "mean score of the clips",
}
Risks = Float64[np.ndarray, "clip"]


@dataclass(frozen=True, eq=False)
class Judged:
    """The answers of one system clip by clip."""

    names: tuple[str, ...]
    risk: Risks
    """nan where the metric skips the clip."""
    confidence: Risks
    """nan where none was stated."""
    trusted: tuple[bool | None, ...]
    """None where the system does not say."""
    family: Family

    @property
    def risk_means(self) -> str:
        return RISK_MEANS[self.family]

    @property
    def right_means(self) -> str:
        return RIGHT_MEANS[self.family]

    @property
    def graded(self) -> bool:
        """Whether an answer can be partly right."""
        return self.family != "right"

    @property
    def sure(self) -> "Judged":
        """The clips that have a risk and a confidence."""
        return self.take(~np.isnan(self.risk) & ~np.isnan(self.confidence))

    def take(self, clips: Bool[np.ndarray, "clip"]) -> "Judged":
        """Some clips."""
        at = np.flatnonzero(clips)
        return Judged(
            tuple(self.names[i] for i in at),
            self.risk[at],
            self.confidence[at],
            tuple(self.trusted[i] for i in at),
            self.family,
        )


def judged(metric: str, answers: Column, gold: Column, trusted: Sequence[bool | None], options: Options) -> Judged:
    """How each answer did under a metric. Raises ConfigError as `emer.score.scoring.score` does."""
    measuring: Metric = load(metric, METRICS)
    found = measuring.measure(pairs(answers, gold, options.missing), options)
    risk = np.full(len(gold.names), np.nan)
    if len(found.clips):  # none has gold that the metric knows, say
        risk[found.clips] = 1 - _alone(measuring, found)
    stated = [np.nan if confidence is None else confidence for confidence in answers.confidence or ()]
    return Judged(tuple(gold.names), risk, np.array(stated, dtype=np.float64), tuple(trusted), _family(measuring))


def _family(metric: Metric) -> Family:
    if isinstance(metric, OneLabel | Sentiment):
        return "right"
    if isinstance(metric, Hits):
        return "hit"
    return "sets" if isinstance(metric, OpenVocabulary | Sets) else "other"


def _alone(metric: Metric, found: Measured) -> Float64[np.ndarray, "scored"]:
    """The score of each clip as if there were no other."""
    if isinstance(metric, OpenVocabulary):
        columns = found.columns.reshape(len(found.clips), -1, 3)
        return _mean_where(harmonic(columns[..., :2]), columns[..., 2])
    if isinstance(metric, Hits):
        columns = found.columns.reshape(len(found.clips), -1, 4)
        return _mean_where(columns[..., 0], columns[..., 3])
    return np.asarray(found.of_means(found.columns), dtype=np.float64)


def _mean_where(
    values: Float64[np.ndarray, "scored wheel"], has: Float64[np.ndarray, "scored wheel"]
) -> Float64[np.ndarray, "scored"]:
    """Mean over the wheels under which a clip has gold: a scored clip has it under one at least."""
    return np.asarray((values * has).sum(axis=1) / has.sum(axis=1))
