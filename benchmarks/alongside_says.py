"""What each way of being sure says over emer8, as numbers that can be calibrated and scored alike.

    label tokens   p_k ∝ sum over words w of cluster k of P(first token of w | prompt, explanation, `Emotions: ["`)
    votes          p_k = (votes for k + W / 8) / (samples that answered + W): self-consistency (Wang et al. 2022)
    stated         p of the first label's cluster is what the model says (Tian et al. 2023), the others share the rest
    evidence       alpha = e + W / 8: the verdict, post-hoc or joint, and the frozen heads

The words are those of the training labels, so that "scared" speaks for fearful. A token that begins words of several
clusters is shared out as often as training used it for each. What is left is normalised over the eight clusters.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from emer.bench.predictions import Predictions
from emer.data.splits import split
from emer.emotions import cluster_of, label_set
from emer.errors import ConfigError

LABELS = label_set("emer8")
PRIOR_WEIGHT = 0.8
"""W of votes, of the verdict and of the shipped heads."""
LEAST = 1e-6
"""Smaller probabilities count as this, so that a temperature can be fitted to their logarithms."""
EVEN = 1 / len(LABELS)
ABOVE_EVEN = 1e-3
"""A stated confidence counts at least this much more than an even share: the model did choose the label."""

Shares = Float64[np.ndarray, "clip label"]


@dataclass(frozen=True, slots=True)
class Asked:
    """The clips that were asked about, and what people said of them."""

    rows: tuple[str, ...]
    speakers: tuple[str, ...]
    gold: tuple[str, ...]
    """A label of emer8 each."""

    def __post_init__(self) -> None:
        if strangers := sorted(set(self.gold) - set(LABELS)):
            raise ConfigError(f"{', '.join(strangers)} are no labels of emer8; give its own")

    @property
    def target(self) -> Shares:
        return np.array([[float(label == gold) for label in LABELS] for gold in self.gold])

    def where(self, speakers: Sequence[str]) -> list[int]:
        """Places of the clips of these speakers."""
        return [place for place, speaker in enumerate(self.speakers) if speaker in speakers]


def parts() -> tuple[list[str], list[str]]:
    """Calibration and test actors."""
    of = split("voices")
    return [name for name in of.calibration if "actor" in name], [name for name in of.test if "actor" in name]


def predictions(asked: Asked, alpha: Float[np.ndarray, "clip label"], prior: float | None = None) -> Predictions:
    """Probabilities, or with `prior` W alphas with evidence behind them, as the benchmarks take them."""
    return Predictions(
        rows=asked.rows,
        labels=LABELS,
        kind="dirichlet",
        target=asked.target,
        fused=np.maximum(alpha, LEAST),
        views=(),
        alpha=np.zeros((0, *alpha.shape)),
        present=np.zeros((0, len(alpha)), dtype=bool),
        prior=None if prior is None else np.full(len(LABELS), prior * EVEN),
        speakers=asked.speakers,
    )


# ---------------------------------------------------------------- label tokens


@dataclass(frozen=True, slots=True)
class FirstTokens:
    """Tokens with which a label can begin, and what part of each one's probability speaks for each cluster."""

    ids: tuple[int, ...]
    shares: Float64[np.ndarray, "token label"]
    """Rows sum to 1."""


def first_tokens(words: Mapping[str, int], first: Callable[[str], int]) -> FirstTokens:
    """Of the words that labels are taught with, each with how often; `first` gives the token that begins a word.

    Words without a cluster speak for none. Raises ConfigError where no word has one.

    >>> made = first_tokens({"sad": 3, "scared": 1, "table": 9}, {"sad": 7, "scared": 7, "table": 2}.__getitem__)
    >>> made.ids, made.shares[0, [LABELS.index("sad"), LABELS.index("fearful")]].tolist()
    ((7,), [0.75, 0.25])
    """
    counts: dict[int, Counter[str]] = {}
    for word, times in words.items():
        cluster = cluster_of(word)
        if cluster is not None:
            counts.setdefault(first(word), Counter())[cluster] += times
    if not counts:
        raise ConfigError("none of the training labels has a cluster in emer8; train on labels that the lexicon knows")
    table = np.array([[float(of[label]) for label in LABELS] for of in counts.values()])
    return FirstTokens(tuple(counts), table / table.sum(axis=1, keepdims=True))


def of_tokens(probability: Float[np.ndarray, "clip token"], tokens: FirstTokens) -> Shares:
    """Probabilities over emer8 from those of the first tokens among all tokens of the vocabulary.

    A clip whose first tokens have no probability at all is spread evenly.

    >>> two = FirstTokens((4, 5), np.eye(8)[:2])
    >>> of_tokens(np.array([[0.375, 0.125]]), two)[0, :3].tolist()
    [0.75, 0.25, 0.0]
    """
    mass = probability.astype(np.float64) @ tokens.shares
    total = mass.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(mass, total, out=np.full_like(mass, EVEN), where=total > 0))


# ---------------------------------------------------------------- votes, and what the model states


def clusters(labels: Sequence[str]) -> tuple[str, ...]:
    """The clusters of an answer's labels, each once, in order; labels without one are passed over."""
    found = (cluster_of(label) for label in labels)
    return tuple(dict.fromkeys(cluster for cluster in found if cluster is not None))


def of_votes(samples: Sequence[Sequence[Sequence[str]]], weight: float = PRIOR_WEIGHT) -> Shares:
    """Probabilities from samples of every clip: `samples[i][j]` are the labels of clip j in sample i.

    A sample has one vote, shared evenly among the clusters of its labels; without a cluster it does not vote.

    >>> of_votes([[["happy"]], [["happy", "sad"]]], weight=0.8)[0, :4].round(4).tolist()
    [0.0357, 0.0357, 0.5714, 0.2143]
    """
    votes = np.zeros((len(samples[0]), len(LABELS)))
    for sample in samples:
        for clip, labels in enumerate(sample):
            named = clusters(labels)
            for cluster in named:
                votes[clip, LABELS.index(cluster)] += 1 / len(named)
    return np.asarray((votes + weight * EVEN) / (votes.sum(axis=1, keepdims=True) + weight))


def of_stated(labels: Sequence[Sequence[str]], stated: Sequence[float | None]) -> Shares:
    """Probabilities from what a model says of its first label that has a cluster; the other clusters share the rest.

    Without such a label, or without a number, a clip is spread evenly.

    >>> of_stated([["happy"], ["table"]], [0.86, 0.9])[:, :3].round(4).tolist()
    [[0.02, 0.02, 0.86], [0.125, 0.125, 0.125]]
    """
    p = np.full((len(labels), len(LABELS)), EVEN)
    for clip, (of, sure) in enumerate(zip(labels, stated, strict=True)):
        named = clusters(of)
        if named and sure is not None:
            sure = min(max(sure, EVEN + ABOVE_EVEN), 1 - LEAST)
            p[clip] = (1 - sure) / (len(LABELS) - 1)
            p[clip, LABELS.index(named[0])] = sure
    return p


def of_evidence(evidence: Sequence[Sequence[float] | None], weight: float = PRIOR_WEIGHT) -> Shares:
    """Alphas from evidence; a clip without a verdict has the prior alone.

    >>> of_evidence([[1.0, 0, 0, 0, 0, 0, 0, 0], None], weight=0.8)[:, :2].tolist()
    [[1.1, 0.1], [0.1, 0.1]]
    """
    nothing = [0.0] * len(LABELS)
    return np.array([each or nothing for each in evidence], dtype=np.float64) + weight * EVEN
