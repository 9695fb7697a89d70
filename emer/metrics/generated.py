"""Trusted scores of generated label sets: from free-text answers to rows that `trusted` and `selective` can count.

A generated label stands for its cluster (an emotion wheel's or a label set's); gold is a set of clusters a clip.

    label level   one row for each cluster that an answer names: right = it is in the gold set, confidence = its own
    clip level    one row a clip: risk = 1 - F1 of the two sets (generalised AURC), confidence = one number a clip

Several words of one cluster count once, with the largest confidence among them. Words without a cluster claim nothing
that gold could confirm; they, labels without a confidence, and clips without gold are left out and counted.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from emer.metrics import checks
from emer.metrics.errors import MetricError
from emer.types import Emotion


@dataclass(frozen=True, slots=True)
class LabelRows:
    """One row for each cluster named in each answer."""

    confidence: Float64[np.ndarray, "row"]
    right: Bool[np.ndarray, "row"]
    clip: Int64[np.ndarray, "row"]
    """Position of the row's clip among the answers: its id for `trusted.score`, and its group for the bootstrap."""
    unmapped: int
    """Words without a cluster."""
    unsure: int
    """Clusters without a confidence."""
    without_gold: int
    """Clips whose gold set is empty."""


@dataclass(frozen=True, slots=True)
class ClipRows:
    """One row a clip."""

    confidence: Float64[np.ndarray, "row"]
    risk: Float64[np.ndarray, "row"]
    clip: Int64[np.ndarray, "row"]
    unsure: int
    """Clips that name clusters but state no confidence for any."""
    without_gold: int


def label_level(answers: Sequence[Sequence[Emotion]], gold: Sequence[Collection[str]]) -> LabelRows:
    """Every generated label as a row.

    >>> answer = [Emotion("joyful", "happy", 0.8), Emotion("glad", "happy", 0.6), Emotion("mad", "angry", 0.3)]
    >>> answer.append(Emotion("meh"))
    >>> rows = label_level([answer], [{"happy", "surprised"}])
    >>> rows.confidence, rows.right, rows.unmapped
    (array([0.8, 0.3]), array([ True, False]), 1)
    """
    scored = _scored(answers, gold)
    rows = [
        (clip, confidence, cluster in gold[clip])
        for clip in scored
        for cluster, confidence in _clusters(answers[clip]).items()
    ]
    sure = [(clip, confidence, right) for clip, confidence, right in rows if confidence is not None]
    if not sure:
        raise MetricError("no generated label has both a cluster and a confidence: there is nothing to score")
    return LabelRows(
        confidence=checks.fractions("confidence", np.array([confidence for _, confidence, _ in sure])),
        right=np.array([right for _, _, right in sure]),
        clip=np.array([clip for clip, _, _ in sure]),
        unmapped=sum(label.cluster is None for clip in scored for label in answers[clip]),
        unsure=len(rows) - len(sure),
        without_gold=len(answers) - len(scored),
    )


def clip_level(
    answers: Sequence[Sequence[Emotion]],
    gold: Sequence[Collection[str]],
    confidence: Sequence[float | None] | None = None,
) -> ClipRows:
    """Every clip as a row with the risk 1 - 2 |P and G| / (|P| + |G|).

    Its confidence is the one given, or else the mean over its clusters. An answer that names no cluster claims
    nothing: risk 1, and without a given confidence the confidence 0.

    >>> rows = clip_level([[Emotion("joyful", "happy", 0.8)], []], [{"happy", "surprised"}, {"sad"}])
    >>> rows.confidence, rows.risk.round(4)
    (array([0.8, 0. ]), array([0.3333, 1.    ]))
    """
    if confidence is not None:
        checks.same_length(answers=answers, confidence=confidence)
    scored = _scored(answers, gold)
    stated = {clip: _mean(answers[clip]) if confidence is None else confidence[clip] for clip in scored}
    sure = {clip: value for clip, value in stated.items() if value is not None}
    if not sure:
        raise MetricError("no clip with gold labels has a confidence: there is nothing to score")
    return ClipRows(
        confidence=checks.fractions("confidence", np.array(list(sure.values()), dtype=np.float64)),
        risk=np.array([1 - _f1(set(_clusters(answers[clip])), set(gold[clip])) for clip in sure]),
        clip=np.array(list(sure)),
        unsure=len(scored) - len(sure),
        without_gold=len(answers) - len(scored),
    )


def _scored(answers: Sequence[Sequence[Emotion]], gold: Sequence[Collection[str]]) -> list[int]:
    """Positions of the clips that have gold labels."""
    checks.same_length(answers=answers, gold=gold)
    for clip, labels in enumerate(gold):
        if isinstance(labels, str):
            raise MetricError(
                f"gold of clip {clip} is the word {labels!r}; give a set of labels, such as {{{labels!r}}}"
            )
    scored = [clip for clip, labels in enumerate(gold) if labels]
    if not scored:
        raise MetricError("no clip has gold labels: there is nothing to score")
    return scored


def _clusters(answer: Sequence[Emotion]) -> dict[str, float | None]:
    """Each cluster of an answer with the largest confidence that it is named with."""
    named: dict[str, float | None] = {}
    for label in answer:
        if label.cluster is not None:
            known = [c for c in (named.get(label.cluster), label.confidence) if c is not None]
            named[label.cluster] = max(known, default=None)
    return named


def _mean(answer: Sequence[Emotion]) -> float | None:
    """Mean confidence over the clusters that have one; 0 without clusters, None where no cluster has one."""
    clusters = _clusters(answer)
    known = [confidence for confidence in clusters.values() if confidence is not None]
    if not clusters:
        return 0.0
    return sum(known) / len(known) if known else None


def _f1(predicted: set[str], gold: set[str]) -> float:
    return 2 * len(predicted & gold) / (len(predicted) + len(gold))
