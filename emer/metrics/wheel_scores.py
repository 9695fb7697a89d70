"""Open-vocabulary labels scored through emotion tables: every mapping by itself, and their mean.

    wheel_scores      F, precision, recall on one ring of every wheel; the field's headline is the mean F at ring 1
    mapping_scores    the same for any mappings: all twelve are the table of OV-MERD, whose mean is called M-avg
    hit_rates         one gold label a clip: hit rate, the score that is reported beside it, and precision
    grouping_scores   MER2024-OV: labels grouped by someone else, arithmetic mean of accuracy and recall

Each answer keeps columns, one row a clip, of which every score is a function of column means: an interval, or the
difference of two systems, is `interval_of_means(found.columns, WheelScores.f1_of_means)`. A mapping under which a clip
has no gold skips that clip, hence a column says which clips count.

Sources: Lian et al. 2024, OV-MER (https://arxiv.org/abs/2410.01495), twelve columns; Lian et al. 2025, AffectGPT
(https://arxiv.org/abs/2501.16566), ring 1 of five wheels, hit rate; Lian et al. 2024, MER2024, grouping.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from emer.emotions.wheels import WheelTables
from emer.metrics import checks
from emer.metrics.open_vocabulary import (
    NONE,
    Overlaps,
    Ragged,
    SetScores,
    harmonic,
    numbered,
    overlaps,
    set_scores,
    words_of,
)
from emer.metrics.ratios import share

Means = Float[np.ndarray, "*batch column"]
Scores = Float[np.ndarray, "*batch"]


@dataclass(frozen=True, slots=True)
class WheelScores:
    """Scores under each mapping; `f1`, `precision` and `recall` are means over the mappings, fractions in [0, 1]."""

    mappings: tuple[str, ...]
    each: tuple[SetScores, ...]
    columns: Float64[np.ndarray, "clip column"]
    """For each mapping three columns: precision, recall, and 1 where the clip has gold (else all three are 0)."""

    @property
    def f1(self) -> float:
        return float(np.mean([scores.f1 for scores in self.each]))

    @property
    def precision(self) -> float:
        return float(np.mean([scores.precision for scores in self.each]))

    @property
    def recall(self) -> float:
        return float(np.mean([scores.recall for scores in self.each]))

    @property
    def scored(self) -> Bool[np.ndarray, "clip"]:
        """Clips that have gold under at least one mapping."""
        return np.asarray(self.columns[:, 2::3].any(axis=1))

    @staticmethod
    def f1_of_means(means: Means) -> Scores:
        """Mean F of column means, over the last axis."""
        return np.asarray(harmonic(_among_scored(means, 3)).mean(axis=-1))

    @staticmethod
    def precision_of_means(means: Means) -> Scores:
        return np.asarray(_among_scored(means, 3)[..., 0].mean(axis=-1))

    @staticmethod
    def recall_of_means(means: Means) -> Scores:
        return np.asarray(_among_scored(means, 3)[..., 1].mean(axis=-1))


def wheel_scores(
    gold: Ragged, predicted: Ragged, words: Sequence[str], tables: WheelTables, ring: int = 1, strict: bool = False
) -> WheelScores:
    """F, precision and recall on one ring of every wheel; `words[id]` is the lower-case word of an id.

    With `strict`, each different predicted word without a cluster counts against precision.

    >>> from emer.emotions.wheels import Wheel
    >>> rings = ({"sad": "sad", "mad": "angry"}, {"sad": "sad", "mad": "mad"})
    >>> itself = {word: (word,) for word in ("sad", "mad")}
    >>> tables = WheelTables("toy", "", itself, itself, (Wheel("w", rings),))
    >>> words, (gold, said) = words_of([["sad"], ["mad", "sad"]], [["sad", "odd"], ["mad"]])
    >>> found = wheel_scores(gold, said, words, tables)
    >>> found.mappings, found.precision, found.recall, round(found.f1, 4)
    (('case3_wheel1_level1',), 1.0, 0.75, 0.8571)
    >>> wheel_scores(gold, said, words, tables, strict=True).precision
    0.75
    """
    return mapping_scores(gold, predicted, words, tables, tables.ring(ring), strict=strict)


def mapping_scores(
    gold: Ragged,
    predicted: Ragged,
    words: Sequence[str],
    tables: WheelTables,
    mappings: Sequence[str] | None = None,
    *,
    strict: bool = False,
) -> WheelScores:
    """F, precision and recall under each of some mappings, under all of the tables for None."""
    chosen = tuple(tables.mappings if mappings is None else mappings)
    found = [_sizes(gold, predicted, words, tables, mapping, strict) for mapping in chosen]
    each = tuple(set_scores(sizes) for sizes in found)
    return WheelScores(chosen, each, _beside([_set_columns(sizes) for sizes in found], len(gold)))


def _set_columns(sizes: Overlaps) -> Float64[np.ndarray, "clip 3"]:
    has = sizes.gold > 0
    return np.stack([share(sizes.both, sizes.predicted), share(sizes.both, sizes.gold), has], axis=1).astype(np.float64)


def _sizes(
    gold: Ragged, predicted: Ragged, words: Sequence[str], tables: WheelTables, mapping: str, strict: bool
) -> Overlaps:
    return overlaps(gold, predicted, _clusters(words, tables, mapping), strict=strict)


def _clusters(words: Sequence[str], tables: WheelTables, mapping: str) -> Int64[np.ndarray, "word"]:
    return numbered(words, partial(tables.map, mapping))[1]


def _among_scored(means: Means, width: int) -> Float64[np.ndarray, "*batch mapping score"]:
    """Means over all clips become means over those that have gold; the last column of each `width` says which have."""
    each = np.asarray(means).reshape(*means.shape[:-1], -1, width)
    return share(each[..., :-1], np.broadcast_to(each[..., -1:], each[..., :-1].shape))


def _beside(columns: Sequence[np.ndarray], clips: int) -> Float64[np.ndarray, "clip column"]:
    return np.concatenate(columns, axis=1) if columns else np.zeros((clips, 0))


# ---------------------------------------------------------------- one gold label a clip


@dataclass(frozen=True, slots=True)
class HitRate:
    """Means over the `n` clips whose gold has a cluster, fractions in [0, 1]."""

    hit: float
    """Share of clips whose predicted clusters hold the gold one: more labels can only help."""
    mscore: float
    """The same, each hit divided by how many clusters of the gold's own vocabulary were predicted."""
    precision: float
    """The same, each hit divided by how many clusters were predicted at all."""
    n: int


@dataclass(frozen=True, slots=True)
class HitRates:
    """Hit rates under each mapping, and their means."""

    mappings: tuple[str, ...]
    each: tuple[HitRate, ...]
    columns: Float64[np.ndarray, "clip column"]
    """For each mapping four columns: hit, mscore, precision, and 1 where the clip has gold (else all four are 0)."""

    @property
    def hit(self) -> float:
        return float(np.mean([found.hit for found in self.each]))

    @property
    def mscore(self) -> float:
        return float(np.mean([found.mscore for found in self.each]))

    @property
    def precision(self) -> float:
        return float(np.mean([found.precision for found in self.each]))

    @property
    def scored(self) -> Bool[np.ndarray, "clip"]:
        """Clips that have gold under at least one mapping."""
        return np.asarray(self.columns[:, 3::4].any(axis=1))

    @staticmethod
    def hit_of_means(means: Means) -> Scores:
        """Mean hit rate of column means, over the last axis."""
        return np.asarray(_among_scored(means, 4)[..., 0].mean(axis=-1))

    @staticmethod
    def mscore_of_means(means: Means) -> Scores:
        return np.asarray(_among_scored(means, 4)[..., 1].mean(axis=-1))

    @staticmethod
    def precision_of_means(means: Means) -> Scores:
        return np.asarray(_among_scored(means, 4)[..., 2].mean(axis=-1))


def hit_rates(
    gold: Ragged, predicted: Ragged, words: Sequence[str], tables: WheelTables, ring: int = 1, strict: bool = False
) -> HitRates:
    """Hit rate, mscore and precision on one ring of every wheel, for gold of one label a clip.

    hit = |G and P|, mscore = |G and P| / |P and C|, precision = |G and P| / |P|, where C holds the clusters of all
    gold labels; a clip whose gold has no cluster (neutral, on most wheels) is skipped, 0/0 is 0. An answer that
    names everything hits always, hence the other two. `strict` as in `wheel_scores`; it changes precision alone.

    >>> from emer.emotions.wheels import Wheel
    >>> itself = {word: (word,) for word in ("sad", "mad", "shy")}
    >>> ring = {word: word for word in itself}
    >>> tables = WheelTables("toy", "", itself, itself, (Wheel("w", (ring, ring)),))
    >>> words, (gold, said) = words_of([["sad"], ["mad"], ["neutral"]], [["sad", "mad", "shy"], ["shy"], ["sad"]])
    >>> found = hit_rates(gold, said, words, tables)
    >>> found.hit, found.mscore, round(found.precision, 4), found.each[0].n
    (0.5, 0.25, 0.1667, 2)
    """
    mappings = tables.ring(ring)
    columns = [_hit_columns(gold, predicted, _clusters(words, tables, mapping), strict=strict) for mapping in mappings]
    each = tuple(_hit_rate(table) for table in columns)
    return HitRates(mappings, each, _beside(columns, len(gold)))


def _hit_columns(
    gold: Ragged, predicted: Ragged, cluster: Int64[np.ndarray, "word"], *, strict: bool
) -> Float64[np.ndarray, "clip 4"]:
    sizes = overlaps(gold, predicted, cluster, strict=strict)
    named = np.isin(cluster, cluster[gold.ids])
    among = overlaps(gold, predicted, np.where(named, cluster, NONE)).predicted
    both = sizes.both
    columns = [both, share(both, among), share(both, sizes.predicted), sizes.gold > 0]
    return np.stack(columns, axis=1).astype(np.float64)


def _hit_rate(table: Float64[np.ndarray, "clip 4"]) -> HitRate:
    scored = table[table[:, 3] > 0]
    hit, mscore, precision = scored[:, :3].mean(axis=0) if len(scored) else np.zeros(3)
    return HitRate(float(hit), float(mscore), float(precision), len(scored))


# ---------------------------------------------------------------- labels that someone else grouped


@dataclass(frozen=True, slots=True)
class GroupingScores:
    """Fractions in [0, 1]; `average` is the score of MER2024-OV."""

    accuracy: float
    """Mean of |G and P| / |P|: precision, under the name that the challenge gives it."""
    recall: float
    n: int
    columns: Float64[np.ndarray, "clip 3"]
    """Accuracy, recall, and 1 where the clip has gold (else all three are 0)."""

    @property
    def average(self) -> float:
        return (self.accuracy + self.recall) / 2

    @staticmethod
    def average_of_means(means: Means) -> Scores:
        """The score of column means, over the last axis."""
        return np.asarray(_among_scored(means, 3).mean(axis=(-1, -2)))


def grouping_scores(
    gold: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    groups: Mapping[str, str] | Sequence[Mapping[str, str]],
) -> GroupingScores:
    """The score of MER2024-OV: arithmetic mean of set-level accuracy and recall over groups of like labels.

    `groups` sends a label to its group: one mapping for all clips, or one a clip, as a language model gives them that
    is asked clip by clip. A label without a group stands for itself.

    >>> found = grouping_scores([["mad", "sad"], ["calm"]], [["angry"], ["tired"]], {"angry": "mad"})
    >>> found.accuracy, found.recall, found.average
    (0.5, 0.25, 0.375)
    """
    every = [groups] * len(gold) if isinstance(groups, Mapping) else list(groups)
    checks.same_length(gold=gold, predicted=predicted, groups=every)
    words, (truth, said) = words_of(_grouped(gold, every), _grouped(predicted, every))
    sizes = overlaps(truth, said, np.arange(len(words)))
    scores = set_scores(sizes)
    return GroupingScores(scores.precision, scores.recall, scores.n, _set_columns(sizes))


def _grouped(column: Sequence[Sequence[str]], groups: Sequence[Mapping[str, str]]) -> list[list[str]]:
    return [[group.get(label, label) for label in labels] for labels, group in zip(column, groups, strict=True)]
