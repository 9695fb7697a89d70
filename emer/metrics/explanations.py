"""How near an explanation is to one that a person wrote: shared character sequences, and matched embeddings.

chrF compares the n-grams of characters (n = 1 to 6, without spaces) of a text and its reference; chrF++ adds those of
words (n = 1, 2). With P and R the mean precision and recall over the orders that both texts have,

    chrF = (1 + 4) P R / (4 P + R)          recall weighs twice as much as precision (beta = 2)

Counts of n-grams are kept for each clip, so that the score of a whole corpus, which is that of the summed counts, can
be resampled as fast as a mean. Characters need no tokeniser, so Chinese is scored as English is.

Greedy matching takes embeddings of tokens, whoever made them: each token is worth its best cosine on the other side;
precision is the mean over the text's tokens, recall over the reference's, F1 their harmonic mean.

None of these knows whether an explanation is true, and a score means little without its floor: `rotated` pairs each
text with another clip's reference.

Sources: Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation", WMT; Popović 2017, "chrF++", WMT;
Zhang et al. 2020, "BERTScore", ICLR, equations 1 to 3 (there with optional weights and rescaling, here with neither).
"""

import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Float64, Int64

from emer.metrics import checks
from emer.metrics.errors import MetricError

CHARACTERS = 6
"""Longest sequence of characters."""
WORDS = 2
"""Longest sequence of words, in chrF++."""
BETA = 2.0
PUNCTUATION = frozenset(string.punctuation)


@dataclass(frozen=True, slots=True)
class Match:
    """Greedy matching of one text with its reference; cosines, so that each lies in [-1, 1]."""

    precision: float
    recall: float
    f1: float


# ---------------------------------------------------------------- chrF


def chrf(text: str, reference: str, words: int = 0) -> float:
    """chrF of one text, 0 to 1; with `words=2`, chrF++. 0 where either is empty.

    >>> chrf("abc", "abc"), chrf("abc", "xyz")
    (1.0, 0.0)
    >>> round(chrf("ab", "abc"), 4)  # orders 1 and 2: P = 1 and 1, R = 2/3 and 1/2
    0.6364
    """
    return float(chrf_of_counts(np.array(_counts(text, reference, words), dtype=np.float64)))


def chrf_counts(texts: Sequence[str], references: Sequence[str], words: int = 0) -> Int64[np.ndarray, "clip count"]:
    """For each clip and each order: n-grams of the text, of the reference, and of both; three columns an order.

    The columns of a corpus are the sums over its clips, so that `bootstrap.interval_of_means` takes this table as its
    columns and `chrf_of_counts` as its score. Raises MetricError when the numbers of texts differ, or are 0.
    """
    checks.same_length(texts=texts, references=references)
    if not texts:
        raise MetricError("there are no explanations to compare; give texts and references")
    rows = [_counts(text, reference, words) for text, reference in zip(texts, references, strict=True)]
    return np.array(rows, dtype=np.int64)


def chrf_of_counts(counts: Float[np.ndarray, "*batch count"]) -> Float64[np.ndarray, "*batch"]:
    """chrF of counts, or of their means or sums, over the last axis.

    >>> counts = chrf_counts(["ab", "zz"], ["abc", "zz"])
    >>> round(float(chrf_of_counts(counts.sum(axis=0).astype(float))), 4)
    0.7746
    """
    orders = counts.reshape(*counts.shape[:-1], -1, 3)
    said, wanted, shared = orders[..., 0], orders[..., 1], orders[..., 2]
    there = (said > 0) & (wanted > 0)
    number = np.maximum(there.sum(axis=-1), 1)
    precision = np.divide(shared, said, out=np.zeros(said.shape), where=there).sum(axis=-1) / number
    recall = np.divide(shared, wanted, out=np.zeros(said.shape), where=there).sum(axis=-1) / number
    below = np.asarray(BETA**2 * precision + recall)
    above = np.asarray((1 + BETA**2) * precision * recall)
    return np.asarray(np.divide(above, below, out=np.zeros(below.shape), where=below > 0))


def _counts(text: str, reference: str, words: int) -> list[int]:
    found: list[int] = []
    for ours, theirs, longest in (
        ("".join(text.split()), "".join(reference.split()), CHARACTERS),
        (_words(text), _words(reference), words),
    ):
        for n in range(1, longest + 1):
            said, wanted = _ngrams(ours, n), _ngrams(theirs, n)
            # A sequence longer than the whole reference could not have been right (so count sacreBLEU and chrF++.py).
            found += [said.total() if wanted else 0, wanted.total(), (said & wanted).total()]
    return found


@lru_cache(maxsize=64)  # one text against many, as floors are made, is counted once
def _ngrams(units: str | tuple[str, ...], n: int) -> Counter[str | tuple[str, ...]]:
    return Counter(units[i : i + n] for i in range(len(units) - n + 1))


def _words(text: str) -> tuple[str, ...]:
    """Words, with one punctuation mark at the end, or else at the beginning, as a word of its own."""
    found: list[str] = []
    for word in text.split():
        if len(word) > 1 and word[-1] in PUNCTUATION:
            found += [word[:-1], word[-1]]
        elif len(word) > 1 and word[0] in PUNCTUATION:
            found += [word[0], word[1:]]
        else:
            found.append(word)
    return tuple(found)


# ---------------------------------------------------------------- embeddings


def greedy_match(
    text: Float[np.ndarray, "token dimension"],
    reference: Float[np.ndarray, "token2 dimension"],
    counted: tuple[Sequence[bool], Sequence[bool]] | None = None,
) -> Match:
    """Each token against its most similar one on the other side, by cosine.

    `counted` says for text and reference which tokens enter the means; the others (the marks that a model sets at
    both ends of a text) can still be matched. All of them by default. Raises MetricError where none counts.

    >>> found = greedy_match(np.array([[1.0, 0.0]]), np.array([[2.0, 0.0], [0.0, 1.0]]))
    >>> found.precision, found.recall, round(found.f1, 4)
    (1.0, 0.5, 0.6667)
    """
    mine, theirs = counted or ([True] * len(text), [True] * len(reference))
    if not any(mine) or not any(theirs):
        raise MetricError("a text without tokens cannot be matched; leave empty explanations out")
    cosines = _unit(text) @ _unit(reference).T
    precision = float(cosines.max(axis=1)[np.asarray(mine)].mean())
    recall = float(cosines.max(axis=0)[np.asarray(theirs)].mean())
    both = precision + recall
    return Match(precision, recall, 2 * precision * recall / both if both else 0.0)


def cosines(
    texts: Float[np.ndarray, "clip dimension"], references: Float[np.ndarray, "clip dimension"]
) -> Float64[np.ndarray, "clip"]:
    """The cosine of each text's embedding with its reference's, -1 to 1; 0 for an embedding of length 0.

    >>> cosines(np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 2.0]]))
    array([1., 0.])
    """
    checks.same_length(texts=texts, references=references)
    return np.asarray((_unit(texts) * _unit(references)).sum(axis=1))


def _unit(rows: Float[np.ndarray, "row dimension"]) -> Float64[np.ndarray, "row dimension"]:
    exact = rows.astype(np.float64)
    length = np.linalg.norm(exact, axis=1, keepdims=True)
    return np.asarray(np.divide(exact, length, out=np.zeros(exact.shape), where=length > 0))


# ---------------------------------------------------------------- floors


def rotated(references: Sequence[str], by: int = 1) -> list[str]:
    """The references in the same order, but each at another clip: what any explanation of the kind would get.

    Raises MetricError where a clip would keep its own.

    >>> rotated(["a", "b", "c"])
    ['b', 'c', 'a']
    """
    if len(references) < 2 or by % len(references) == 0:
        raise MetricError(f"{len(references)} references turned by {by} stay where they are; give two clips or more")
    by %= len(references)
    return [*references[by:], *references[:by]]
