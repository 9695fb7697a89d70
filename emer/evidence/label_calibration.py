"""Is a generated label right? From raw numbers of many kinds to one probability that keeps its word.

A claim is a cluster that the labels of an answer name; it is right where people named that cluster too. How sure the
model seems of it is told by the verdict, by the probability of the label's tokens, by drawn answers, or in words
(`emer.engines.label_confidence`). None of these is calibrated, and they lie on scales of their own: products of token
probabilities shrink with the length of a word, and models that are asked like to say 90 %. Each way gets a
calibration of its own on labelled clips that serve nothing else:

    temperature   log-odds / T: more or less sure, even odds stay even
    platt         log-odds / T + b: also moves even odds (Platt 1999)
    isotonic      any rising curve (Zadrozny & Elkan 2002); it needs hundreds of claims
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import minimize
from scipy.special import expit, logit

from emer.errors import ConfigError
from emer.evidence.opinion import probability
from emer.evidence.temperature import TEMPERATURES, Curve, fit_curve, fit_temperature
from emer.types import VERDICT, Answer

Method = Literal["temperature", "platt", "isotonic"]
SUREST = 1 - 1e-6
"""Shares of 0 and 1, as five samples give them, have no log-odds; they are taken as this, and one less it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One cluster that an answer names."""

    clip: int
    """Position of the answer."""
    cluster: str
    labels: tuple[str, ...]
    """The words that name it."""
    right: bool
    scores: Mapping[str, float]
    """Way to how sure the model is by it, 0 to 1; of several words the surest."""


def label_scores(answers: Sequence[Answer], gold: Sequence[Collection[str]]) -> tuple[Claim, ...]:
    """The claims of all answers, as `emer.metrics.generated` counts them: clips without gold, words without a cluster
    and answers that failed claim nothing that gold could confirm.

    `gold` are the clusters that people named in each clip. Raises ConfigError where there is not one a clip.

    >>> from emer.types import Emotion
    >>> glad = Answer("", (Emotion("glad", "happy"), Emotion("joyful", "happy"), Emotion("meh")),
    ...               scores={"glad": {"token": 0.4}, "joyful": {"token": 0.7}})
    >>> label_scores([glad], [{"happy"}])
    (Claim(clip=0, cluster='happy', labels=('glad', 'joyful'), right=True, scores={'token': 0.7}),)
    """
    if len(answers) != len(gold):
        raise ConfigError(f"{len(answers)} answers and {len(gold)} sets of gold clusters; give one of each a clip")
    return tuple(
        Claim(clip, cluster, words, cluster in gold[clip], _scores(answer, cluster, words))
        for clip, answer in enumerate(answers)
        if gold[clip] and answer.error is None
        for cluster, words in _named(answer).items()
    )


def _named(answer: Answer) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for label in answer.labels:
        if label.cluster is not None:
            found[label.cluster] = (*found.get(label.cluster, ()), label.label)
    return found


def _scores(answer: Answer, cluster: str, words: Sequence[str]) -> dict[str, float]:
    """The largest number of each way; the verdict's is the probability of the cluster."""
    found: dict[str, float] = {}
    for word in words:
        for way, p in answer.scores.get(word, {}).items():
            found[way] = max(p, found.get(way, 0.0))
    verdict = answer.verdict
    if verdict is not None and cluster in verdict.labels:
        found[VERDICT] = float(probability(verdict)[verdict.labels.index(cluster)])
    return found


# ---------------------------------------------------------------- calibration


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCalibration:
    """From a raw number of one way to how often claims like this one are right."""

    way: str
    method: Method
    n: int
    """Claims that it was fitted on."""
    temperature: float = 1.0
    shift: float = 0.0
    curve: Curve | None = None

    def __call__(self, raw: Float[np.ndarray, "claim"]) -> Float[np.ndarray, "claim"]:
        """Calibrated probabilities of being right."""
        if self.curve is not None:
            return self.curve(raw)
        return np.asarray(expit(_log_odds(raw) / self.temperature + self.shift))


def told_by(claims: Sequence[Claim], way: str) -> tuple[Float[np.ndarray, "claim"], Bool[np.ndarray, "claim"]]:
    """The raw numbers of one way, and which claims are right; claims of which it tells nothing are left out."""
    told = [claim for claim in claims if way in claim.scores]
    return np.array([claim.scores[way] for claim in told], dtype=float), np.array([c.right for c in told], dtype=bool)


def calibrate_labels(claims: Sequence[Claim], way: str, method: Method = "temperature") -> LabelCalibration:
    """The calibration of a way on claims about labelled clips.

    Raises ConfigError where the way tells of no claim, where all claims are right or all wrong, and for numbers that do
    not lie between 0 and 1.
    """
    raw, right = told_by(claims, way)
    if not len(raw) or right.all() or not right.any():
        held = "all are right" if len(raw) and right.all() else "none is right" if len(raw) else "none has a number"
        raise ConfigError(f"of {len(claims)} claims {held} by way of {way}: give claims of both kinds with numbers")
    if not ((raw >= 0) & (raw <= 1)).all():
        raise ConfigError(f"{way} has numbers outside 0 to 1 (the first is {raw[(raw < 0) | (raw > 1)][0]:g})")
    if method == "isotonic":
        return LabelCalibration(way=way, method=method, n=len(raw), curve=fit_curve(raw, right.astype(float)))
    if method == "platt":
        temperature, shift = _platt(raw, right)
        return LabelCalibration(way=way, method=method, n=len(raw), temperature=temperature, shift=shift)
    p = expit(_log_odds(raw))
    fitted = fit_temperature(np.stack([p, 1 - p], axis=-1), np.stack([right, ~right], axis=-1).astype(float))
    return LabelCalibration(way=way, method=method, n=len(raw), temperature=fitted)


def _platt(raw: Float[np.ndarray, "claim"], right: Bool[np.ndarray, "claim"]) -> tuple[float, float]:
    """1 / slope and intercept of logistic regression on log-odds, towards Platt's smoothed targets."""
    odds, held = _log_odds(raw), int(right.sum())
    target = np.where(right, (held + 1) / (held + 2), 1 / (len(raw) - held + 2))

    def loss(parameters: Float[np.ndarray, "2"]) -> float:
        scores = parameters[0] * odds + parameters[1]
        return float((np.logaddexp(0, scores) - target * scores).mean())

    low, high = TEMPERATURES
    found = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(1 / high, 1 / low), (None, None)])
    return float(1 / found.x[0]), float(found.x[1])


def _log_odds(raw: Float[np.ndarray, "claim"]) -> Float[np.ndarray, "claim"]:
    return np.asarray(logit(np.clip(raw, 1 - SUREST, SUREST)))
