"""Set-level scores of open-vocabulary labels, on numbers: words are ids, a clip is a set of them.

G, P = the sets of mapped gold and predicted labels of a clip; |G| = 0 skips the clip; |P| = 0 scores 0
precision = mean of |G and P| / |P|, recall = mean of |G and P| / |G|, F = their harmonic mean
(Lian et al. 2023, EMER, https://arxiv.org/abs/2306.15401; the harmonic mean of the means, not the mean of F)
hit rate  = mean of |G and P| over clips with one gold label (Lian et al. 2025, AffectGPT)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int64

from emer.metrics import checks
from emer.metrics.ratios import share

NONE = -1
"""The id of a label that has no cluster."""
MOST_BITS = 256
"""Up to so many clusters sets are held as bits, beyond it as sorted pairs."""


@dataclass(frozen=True, slots=True)
class Ragged:
    """A list of word ids for each clip: those of clip i stand at `ids[starts[i]:starts[i + 1]]`."""

    ids: Int64[np.ndarray, "entry"]
    starts: Int64[np.ndarray, "clip_and_one"]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def clips(self) -> Int64[np.ndarray, "entry"]:
        """The clip of each entry."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Sizes of the sets of each clip, and of what they share."""

    gold: Int64[np.ndarray, "clip"]
    predicted: Int64[np.ndarray, "clip"]
    both: Int64[np.ndarray, "clip"]


@dataclass(frozen=True, slots=True)
class SetScores:
    """Fractions in [0, 1]; `n` clips have gold."""

    f1: float
    precision: float
    recall: float
    n: int


def words_of(*columns: Sequence[Sequence[str]]) -> tuple[list[str], tuple[Ragged, ...]]:
    """Every word once, in order of appearance, and the columns with words as places in that list.

    >>> words, (gold,) = words_of([["sad", "angry"], [], ["sad"]])
    >>> words, gold.ids, gold.starts
    (['sad', 'angry'], array([0, 1, 0]), array([0, 2, 2, 3]))
    """
    place = _Places()
    known = []
    for column in columns:
        starts = np.concatenate([[0], np.cumsum(np.fromiter(map(len, column), np.int64, len(column)))])
        said = map(place.__getitem__, chain.from_iterable(column))
        known.append(Ragged(np.fromiter(said, np.int64, int(starts[-1])), starts))
    return list(place), tuple(known)


class _Places(dict[str, int]):
    """Each word's place in order of appearance; ten million words are asked for without a line of Python each."""

    def __missing__(self, word: str) -> int:
        self[word] = len(self)
        return self[word]


def overlaps(gold: Ragged, predicted: Ragged, cluster: Int64[np.ndarray, "word"], *, strict: bool = False) -> Overlaps:
    """Sizes of the mapped sets of each clip; `cluster[word]` is the id of the cluster of a word, or `NONE`.

    With `strict`, each different predicted word without a cluster counts as one more wrong label.

    >>> words, (gold, said) = words_of([["sad", "blue"], ["glad"]], [["sad", "zzz"], ["sad"]])
    >>> sizes = overlaps(gold, said, np.array([0, 0, 1, NONE]))
    >>> sizes.gold, sizes.predicted, sizes.both
    (array([1, 1]), array([1, 1]), array([1, 0]))
    >>> overlaps(gold, said, np.array([0, 0, 1, NONE]), strict=True).predicted
    array([2, 1])
    """
    checks.same_length(gold=range(len(gold)), predicted=range(len(predicted)))
    count = int(cluster.max(initial=NONE)) + 1
    sizes = (_by_bits if count <= MOST_BITS else _by_pairs)(gold, predicted, cluster, count)
    if not strict:
        return sizes
    strangers = np.where(cluster == NONE, np.arange(len(cluster)), NONE)
    extra = _by_pairs(predicted, predicted, strangers, len(cluster)).gold
    return Overlaps(sizes.gold, sizes.predicted + extra, sizes.both)


def set_scores(sizes: Overlaps) -> SetScores:
    """Precision, recall and their harmonic mean over the clips that have gold; all 0 where none has.

    >>> found = set_scores(Overlaps(np.array([2, 1, 0]), np.array([1, 0, 3]), np.array([1, 0, 0])))
    >>> found.precision, found.recall, round(found.f1, 4), found.n
    (0.5, 0.25, 0.3333, 2)
    """
    columns = precision_and_recall(sizes)
    if not len(columns):
        return SetScores(0.0, 0.0, 0.0, 0)
    means = columns.mean(axis=0)
    return SetScores(float(harmonic(means)), float(means[0]), float(means[1]), len(columns))


def precision_and_recall(sizes: Overlaps) -> Float64[np.ndarray, "scored 2"]:
    """Both fractions of each clip that has gold."""
    has = sizes.gold > 0
    gold, predicted, both = sizes.gold[has], sizes.predicted[has], sizes.both[has]
    return np.stack([share(both, predicted), share(both, gold)], axis=1)


def harmonic(means: Float[np.ndarray, "*batch 2"]) -> Float64[np.ndarray, "*batch"]:
    """2 p r / (p + r) over the last axis; 0 where both are 0.

    >>> harmonic(np.array([[1.0, 0.5], [0.0, 0.0]])).round(4)
    array([0.6667, 0.    ])
    """
    p, r = np.asarray(means[..., 0]), np.asarray(means[..., 1])
    return share(np.asarray(2 * p * r), np.asarray(p + r))


# ---------------------------------------------------------------- sets


def _by_bits(gold: Ragged, predicted: Ragged, cluster: Int64[np.ndarray, "word"], count: int) -> Overlaps:
    totals = np.zeros((3, len(gold)), dtype=np.int64)
    for begin in range(0, count, 64):
        here = (cluster >= begin) & (cluster < begin + 64)
        bit = np.where(here, np.left_shift(np.uint64(1), (cluster - begin).clip(0, 63).astype(np.uint64)), np.uint64(0))
        few = bit.astype(_narrowest(count - begin))
        g, p = _united(gold, few), _united(predicted, few)
        for total, bits in zip(totals, (g, p, g & p), strict=True):
            total += np.bitwise_count(bits)
    return Overlaps(*totals)


def _narrowest(bits: int) -> type[np.unsignedinteger[Any]]:
    """Wheels have few clusters, and memory is what a million clips wait for."""
    return next((kind for size, kind in ((8, np.uint8), (16, np.uint16), (32, np.uint32)) if bits <= size), np.uint64)


def _united(sets: Ragged, bit: np.ndarray) -> np.ndarray:
    """The bits of all words of each clip. An empty clip has none (reduceat would give it the next clip's first)."""
    if not len(sets):
        return np.zeros(0, dtype=bit.dtype)
    bits = np.zeros(len(sets.ids) + 1, dtype=bit.dtype)  # one more, for empty clips at the end
    np.take(bit, sets.ids, out=bits[:-1], mode="clip")  # any mode but the default, which would copy
    united = np.bitwise_or.reduceat(bits, sets.starts[:-1])
    united[sets.starts[1:] == sets.starts[:-1]] = 0
    return np.asarray(united)


def _by_pairs(gold: Ragged, predicted: Ragged, cluster: Int64[np.ndarray, "word"], count: int) -> Overlaps:
    g, p = _pairs(gold, cluster, count), _pairs(predicted, cluster, count)
    both = np.intersect1d(g, p, assume_unique=True)
    return Overlaps(*(np.bincount(pairs // max(count, 1), minlength=len(gold)) for pairs in (g, p, both)))


def _pairs(sets: Ragged, cluster: Int64[np.ndarray, "word"], count: int) -> np.ndarray:
    """clip * count + cluster of every mapped label, each once."""
    mapped = cluster[sets.ids]
    return np.unique((sets.clips * count + mapped)[mapped != NONE])


def numbered(words: Sequence[str], to: Callable[[str], str]) -> tuple[list[str], Int64[np.ndarray, "word"]]:
    """The clusters that words are mapped to, each once and sorted, and the id of each word's; an empty text is `NONE`.

    >>> numbered(["sad", "blue", "zzz"], {"sad": "sadness", "blue": "sadness", "zzz": ""}.__getitem__)
    (['sadness'], array([ 0,  0, -1]))
    """
    mapped = [to(word) for word in words]
    names = sorted(set(mapped) - {""})
    place = {name: i for i, name in enumerate(names)} | {"": NONE}
    return names, np.array([place[name] for name in mapped], dtype=np.int64)
