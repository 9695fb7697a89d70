"""Scores of the table "does training alongside pay?": pure functions from what was said to numbers.

Temperatures, slopes and thresholds come from calibration actors alone. The verdict goes through `emer.bench.answers`
like every method of `emer bench evidence`. Generated labels are claims, one a label, right where the label's cluster
is that of the clip; their confidences are put on one footing by Platt's sigmoid (1999) on the logit of the raw score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from alongside_says import LABELS, Asked, clusters
from jaxtyping import Bool, Float, Float64
from scipy.optimize import minimize
from scipy.special import expit, logit

from emer.bench.answers import Answers, Fold, answers
from emer.bench.predictions import Predictions
from emer.emotions import cluster_of
from emer.metrics.bootstrap import REPLICATES, Interval, interval_of_means
from emer.metrics.calibration_error import ece, perfect_band
from emer.metrics.selective import aurc

BINS = 15
CLIPPED = 1e-4
"""Raw scores are kept this far from 0 and 1 before their logit is taken."""
STEEPEST = 20.0


# ---------------------------------------------------------------- the verdict


def calibrated(said: Predictions, asked: Asked, calibration: Sequence[str], test: Sequence[str]) -> Answers:
    """Answers to the clips of the test speakers, with temperature and thresholds of the calibration speakers."""
    return answers([Fold(said.take(asked.where(calibration)), said.take(asked.where(test)))])


def accuracy(seeds: Sequence[Answers], *, replicates: int = REPLICATES) -> Interval:
    """The share of right clips, meaned over seeds; the interval draws speakers."""
    return mean_of([1 - each.risk for each in seeds], seeds[0].speakers, replicates)


def nll(seeds: Sequence[Answers], *, replicates: int = REPLICATES) -> Interval:
    """Negative log-likelihood in nats, likewise."""
    return mean_of([each.nll_rows() for each in seeds], seeds[0].speakers, replicates)


def uar(seeds: Sequence[Answers], *, replicates: int = REPLICATES) -> Interval:
    """Unweighted average recall, meaned over seeds; the interval draws speakers.

    A label that no drawn clip has is left out of the average.
    """
    gold = seeds[0].target
    columns = np.concatenate([gold * np.mean([1 - each.risk for each in seeds], axis=0)[:, None], gold], axis=1)
    return interval_of_means(columns, _mean_recall, groups=list(seeds[0].speakers or ()), replicates=replicates)


def _mean_recall(means: Float[np.ndarray, "*batch column"]) -> Float64[np.ndarray, "*batch"]:
    right, there = np.split(means, 2, axis=-1)
    recall = np.divide(right, there, out=np.zeros_like(right), where=there > 0)
    return np.asarray(recall.sum(axis=-1) / (there > 0).sum(axis=-1))


def mean_of(
    seeds: Sequence[Float[np.ndarray, "row"]], speakers: Sequence[str] | None, replicates: int = REPLICATES
) -> Interval:
    """The mean of a score that rows have, first over seeds.

    >>> mean_of([np.array([1.0, 0.0]), np.array([1.0, 1.0])], ["ann", "bo"]).score
    0.75
    """
    column = np.mean(seeds, axis=0)[:, None]
    return interval_of_means(column, groups=None if speakers is None else list(speakers), replicates=replicates)


# ---------------------------------------------------------------- chance


def chance(seeds: Sequence[Answers]) -> float:
    """The accuracy of answers that know nothing of the clips, given how often each label is said and is right.

        sum_k share said(k) share right(k)

    Right for a system that hears another clip than it is scored on.
    """
    gold = seeds[0].target.mean(axis=0)
    return float(np.mean([each.given.mean(axis=0) @ gold for each in seeds]))


def turned(rows: Sequence[str], seed: int = 0) -> list[int]:
    """For each clip the place of another one: one cycle through all, in a drawn order, so that none keeps its own.

    >>> turned(["a", "b", "c"], seed=1) in ([1, 2, 0], [2, 0, 1])
    True
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    other = np.empty(len(rows), dtype=int)
    other[order] = np.roll(order, -1)
    return [int(place) for place in other]


# ---------------------------------------------------------------- generated labels


@dataclass(frozen=True, slots=True)
class LabelClaims:
    """Labels that were generated, one entry a label: how sure, and whether it is right."""

    speakers: tuple[str, ...]
    score: Float64[np.ndarray, "claim"]
    right: Bool[np.ndarray, "claim"]

    def of(self, speakers: Sequence[str]) -> "LabelClaims":
        """Those of some speakers."""
        kept = np.array([speaker in speakers for speaker in self.speakers], dtype=bool)
        return LabelClaims(tuple(np.array(self.speakers)[kept].tolist()), self.score[kept], self.right[kept])


def label_claims(asked: Asked, scores: Sequence[Mapping[str, float | None]]) -> LabelClaims:
    """Every cluster that a clip's labels name, with the raw confidence of its first label; `scores` are by label.

    A label without a number counts as one half. Labels without a cluster can be neither right nor wrong and are no
    claims.
    """
    made = []
    for speaker, gold, by_label in zip(asked.speakers, asked.gold, scores, strict=True):
        for cluster in clusters(tuple(by_label)):
            sure = next(score for label, score in by_label.items() if cluster_of(label) == cluster)
            made.append((speaker, 0.5 if sure is None else sure, cluster == gold))
    speakers, score, right = zip(*made, strict=True) if made else ((), (), ())
    return LabelClaims(tuple(speakers), np.array(score, dtype=np.float64), np.array(right, dtype=bool))


def by_cluster(labels: Sequence[str], p: Float[np.ndarray, "label"]) -> dict[str, float | None]:
    """Each label with the probability of its cluster; labels without a cluster have none.

    >>> by_cluster(["glad", "xyzzy"], np.array([0, 0, 0.7, 0.3, 0, 0, 0, 0]))
    {'glad': 0.7, 'xyzzy': None}
    """
    return {label: None if (of := cluster_of(label)) is None else float(p[LABELS.index(of)]) for label in labels}


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """`1 / (1 + exp(-(slope logit(score) + offset)))`."""

    slope: float
    offset: float

    def __call__(self, score: Float[np.ndarray, "claim"]) -> Float64[np.ndarray, "claim"]:
        return np.asarray(expit(self.slope * logit(np.clip(score, CLIPPED, 1 - CLIPPED)) + self.offset))


def fit_sigmoid(score: Float[np.ndarray, "claim"], right: Bool[np.ndarray, "claim"]) -> Sigmoid:
    """The sigmoid of least negative log-likelihood with a slope from 0 up: it changes no order.

    Targets are Platt's: (n+ + 1) / (n+ + 2) and 1 / (n- + 2), so that claims that are all right ask for no certainty.
    """
    x, good = logit(np.clip(score, CLIPPED, 1 - CLIPPED)), int(right.sum())
    target = np.where(right, (good + 1) / (good + 2), 1 / (len(right) - good + 2))

    def loss(at: Float64[np.ndarray, "2"]) -> tuple[float, Float64[np.ndarray, "2"]]:
        z = at[0] * x + at[1]
        gap = expit(z) - target
        return float((np.logaddexp(0, z) - target * z).sum()), np.array([(gap * x).sum(), gap.sum()])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, bounds=((0, STEEPEST), (None, None)), method="L-BFGS-B")
    return Sigmoid(float(found.x[0]), float(found.x[1]))


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """How well generated labels know whether they are right."""

    n: int
    right: float
    """Share of right ones."""
    nll: float
    """Of yes and no, in nats."""
    aurc: float
    ece: float
    band: float
    """95 % quantile of the ECE of perfect calibration at these confidences."""


def label_figures(calibration: LabelClaims, test: LabelClaims) -> LabelFigures | None:
    """Figures on test claims with the sigmoid of calibration claims; None where one of both has none."""
    if not len(calibration.score) or not len(test.score):
        return None
    sure = fit_sigmoid(calibration.score, calibration.right)(test.score)
    said = np.where(test.right, sure, 1 - sure)
    return LabelFigures(
        n=len(sure),
        right=float(test.right.mean()),
        nll=float(-np.log(np.maximum(said, 1e-12)).mean()),
        aurc=aurc(sure, 1 - test.right.astype(np.float64)),
        ece=ece(sure, test.right, bins=BINS),
        band=perfect_band(sure, bins=BINS).upper,
    )


def agreements(labels: Sequence[Sequence[str]], verdict: Sequence[str]) -> Bool[np.ndarray, "clip"]:
    """Whether one of a clip's labels stands for the verdict's likeliest label; a clip without labels does not agree.

    >>> agreements([["scared"], ["happy", "sad"], []], ["fearful", "calm", "sad"]).tolist()
    [True, False, False]
    """
    return np.array([best in clusters(of) for of, best in zip(labels, verdict, strict=True)], dtype=bool)


def likeliest(alpha: Float[np.ndarray, "clip label"]) -> list[str]:
    """The likeliest label of each clip."""
    return [LABELS[place] for place in alpha.argmax(axis=1)]
