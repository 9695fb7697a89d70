"""Metrics of closed labels: one label a clip (WAR, UAR, weighted F1), sets of labels (Jaccard, micro F1), sentiment.

All are functions of column means. For one label a clip these are, for each label of the set, the shares of clips in
which it is gold (g), predicted (p), and both (h): WAR = sum h, UAR = mean of h / g over labels that occur in gold,
F1 = 2 h / (g + p). They equal `emer.metrics.classification`, which works on confusion matrices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int64

from emer.emotions.sentiment import sentiment_of
from emer.errors import ConfigError
from emer.metrics.open_vocabulary import NONE, Overlaps, Ragged, overlaps
from emer.metrics.ratios import share
from emer.score.files import SIGNS
from emer.score.label_sets import Closed, closed
from emer.score.metric import Measured, OfMeans, Unknown, most_frequent, named, skipping, unknown_words
from emer.score.options import Options
from emer.score.pairs import Pairs
from emer.score.wheel import NO_GOLD, refuse_several

Means = Float[np.ndarray, "*batch column"]
MOST_LABELS = 100
"""A set with more labels than that is no closed one."""


# ---------------------------------------------------------------- one label a clip


def war(means: Means) -> Float64[np.ndarray, "*batch"]:
    """Weighted average recall, which is accuracy.

    >>> columns = one_label(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), 2)
    >>> [round(float(score(columns.mean(axis=0))), 4) for score in (war, uar, weighted_f1, macro_f1)]
    [0.75, 0.8333, 0.7667, 0.7333]
    """
    return np.asarray(_parts(means)[2].sum(axis=-1))


def uar(means: Means) -> Float64[np.ndarray, "*batch"]:
    """Unweighted average recall over the labels that occur in gold; chance is 1 / labels."""
    gold, _, hit = _parts(means)
    return share(share(hit, gold).sum(axis=-1), (gold > 0).sum(axis=-1))


def weighted_f1(means: Means) -> Float64[np.ndarray, "*batch"]:
    """F1 of each label, averaged by its share of gold."""
    gold, predicted, hit = _parts(means)
    return share((gold * share(2 * hit, gold + predicted)).sum(axis=-1), gold.sum(axis=-1))


def macro_f1(means: Means) -> Float64[np.ndarray, "*batch"]:
    """Mean F1 over the labels that occur in gold or are predicted."""
    gold, predicted, hit = _parts(means)
    return share(share(2 * hit, gold + predicted).sum(axis=-1), (gold + predicted > 0).sum(axis=-1))


def one_label(
    gold: Int64[np.ndarray, "clip"], predicted: Int64[np.ndarray, "clip"], labels: int
) -> Float64[np.ndarray, "clip column"]:
    """The columns of clips with one gold label each; an answer of -1 names no label and is wrong."""
    columns = np.zeros((len(gold), 3, labels))
    rows = np.arange(len(gold))
    columns[rows, 0, gold] = 1
    answered = predicted >= 0
    columns[rows[answered], 1, predicted[answered]] = 1
    columns[:, 2] = columns[:, 0] * columns[:, 1]
    return columns.reshape(len(gold), 3 * labels)


def _parts(means: Means) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    each = np.asarray(means).reshape(*means.shape[:-1], 3, -1)
    return each[..., 0, :], each[..., 1, :], each[..., 2, :]


@dataclass(frozen=True)
class OneLabel:
    """The first predicted label that the set knows (the surest, where answers say how sure) against the gold one."""

    of_means: OfMeans

    def measure(self, pairs: Pairs, options: Options) -> Measured:
        refuse_several(pairs, "a score of one label")
        found = _closed(pairs, options)
        words, gold, predicted = pairs.vocabulary
        truth = _first(gold, found.place)
        reasons = {NO_GOLD: np.diff(gold.starts) == 0, "gold label is not of the set": truth == NONE}
        clips, skipped = skipping(len(truth), reasons)
        columns = one_label(truth[clips], _answers(pairs, found)[clips], len(found.labels))
        return Measured(
            clips=clips,
            columns=columns,
            of_means=self.of_means,
            skipped=skipped,
            detail=_one_label_detail(columns, found) if len(clips) else {},
            unknown=_strangers(words, predicted, found),
            tables=found.tables,
            notes=(f"labels are mapped to {found.said}",),
        )

    def floors(self, pairs: Pairs, options: Options) -> Mapping[str, float]:
        """Always the majority label."""
        words, gold, _ = pairs.vocabulary
        major = most_frequent(words, gold, 1)
        return {f"majority: {named(major)}": self.measure(pairs.always(major), options).value}


def _closed(pairs: Pairs, options: Options) -> Closed:
    found = closed(pairs, options)
    if len(found.labels) > MOST_LABELS:
        raise ConfigError(
            f"{pairs.gold.source} has {len(found.labels)} different labels, which are no closed set; name one with "
            "--label-set (ekman7, mer6, wheel1, …), or score with wheel_f1"
        )
    return found


def _first(sets: Ragged, place: Int64[np.ndarray, "word"]) -> Int64[np.ndarray, "clip"]:
    """The first known label of each clip, or -1."""
    mapped = place[sets.ids]
    known = np.flatnonzero(mapped != NONE)
    first = np.full(len(sets), NONE, dtype=np.int64)
    clips = sets.clips[known]
    first[clips[::-1]] = mapped[known][::-1]  # of several, the one written last stays: the first of the clip
    return first


def _answers(pairs: Pairs, found: Closed) -> Int64[np.ndarray, "clip"]:
    words, _, predicted = pairs.vocabulary
    if pairs.emotions is None:
        return _first(predicted, found.place)
    place = dict(zip(words, found.place.tolist(), strict=True))
    surest = [
        next(
            (place[e.label] for e in sorted(answer, key=lambda e: -(e.confidence or 0)) if place[e.label] != NONE), NONE
        )
        for answer in pairs.emotions
    ]
    return np.array(surest, dtype=np.int64)


def _one_label_detail(columns: Float64[np.ndarray, "clip column"], found: Closed) -> dict[str, Any]:
    means = columns.mean(axis=0)
    gold, predicted, hit = _parts(means)
    scores = {score.__name__: float(score(means)) for score in (war, uar, weighted_f1, macro_f1)}
    each = {
        label: {"recall": float(r), "precision": float(p), "n": round(float(g) * len(columns))}
        for label, r, p, g in zip(found.labels, share(hit, gold), share(hit, predicted), gold, strict=True)
        if g > 0
    }
    silent = 1 - float(predicted.sum())
    return {**scores, "without_a_label_of_the_set": silent, "each": each}


def _strangers(words: Sequence[str], predicted: Ragged, found: Closed) -> Unknown:
    known = {word for word, place in zip(words, found.place.tolist(), strict=True) if place != NONE}
    return unknown_words(words, predicted, known.__contains__)


# ---------------------------------------------------------------- sets of labels


def _jaccard(means: Means) -> Float64[np.ndarray, "*batch"]:
    return np.asarray(means[..., 0])


def _micro_f1(means: Means) -> Float64[np.ndarray, "*batch"]:
    return share(2 * means[..., 2], means[..., 3] + means[..., 4])


@dataclass(frozen=True)
class Sets:
    """Labels of a closed set. A clip of no gold label counts, and is right where nothing is predicted; a clip of which
    no gold label is of the set is skipped."""

    of_means: OfMeans

    def measure(self, pairs: Pairs, options: Options) -> Measured:
        found = closed(pairs, options)
        words, gold, predicted = pairs.vocabulary
        columns = _set_columns(overlaps(gold, predicted, found.place, strict=options.strict))
        unmapped = (np.diff(gold.starts) > 0) & (columns[:, GOLD_N] == 0)
        clips, skipped = skipping(len(gold), {"no gold label is of the set": unmapped})
        return Measured(
            clips=clips,
            columns=columns[clips],
            of_means=self.of_means,
            skipped=skipped,
            detail=_sets_detail(columns[clips], len(found.labels)) if len(clips) else {},
            unknown=_strangers(words, predicted, found),
            tables=found.tables,
            notes=(f"labels are mapped to {found.said}",),
        )

    def floors(self, pairs: Pairs, options: Options) -> Mapping[str, float]:
        words, gold, _ = pairs.vocabulary
        plain = replace(options, strict=False)
        answers = [most_frequent(words, gold, count) for count in (1, 2, 3)]
        return {f"most frequent gold: {named(a)}": self.measure(pairs.always(a), plain).value for a in answers}


GOLD_N = 4
"""The column that counts gold labels of the set."""


def _set_columns(sizes: Overlaps) -> Float64[np.ndarray, "clip 5"]:
    union = sizes.gold + sizes.predicted - sizes.both
    empty = union == 0
    jaccard = share(sizes.both, union) + empty
    f1 = share(2 * sizes.both, sizes.gold + sizes.predicted) + empty
    return np.stack([jaccard, f1, sizes.both, sizes.predicted, sizes.gold], axis=1).astype(np.float64)


def _sets_detail(columns: Float64[np.ndarray, "clip 5"], labels: int) -> dict[str, float]:
    means = columns.mean(axis=0)
    return {
        "jaccard": float(means[0]),
        "sample_f1": float(means[1]),
        "micro_precision": float(share(means[2], means[3])),
        "micro_recall": float(share(means[2], means[4])),
        "micro_f1": float(_micro_f1(means)),
        "labels": labels,
        "gold_without_labels": int(np.count_nonzero(columns[:, GOLD_N] == 0)),
    }


# ---------------------------------------------------------------- sentiment


@dataclass(frozen=True)
class Sentiment:
    """Positive or not, on clips whose gold value is not 0; an answer of neutral counts as not positive.

    Source: the protocol of MOSI, MOSEI and SIMS in MER-UniBench (Lian et al. 2025, AffectGPT).
    """

    def measure(self, pairs: Pairs, options: Options) -> Measured:
        truth, said = _gold_signs(pairs), _said_signs(pairs)
        clips, skipped = skipping(len(truth), {"gold has no value": np.isnan(truth), "gold value is 0": truth == 0})
        none = np.isnan(said[clips])
        answer = np.where(none, NONE, said[clips] > 0).astype(np.int64)
        columns = one_label((truth[clips] > 0).astype(np.int64), answer, 2)
        source = "the lexicon, from the labels" if pairs.sentiment is None else "the answers' own column"
        detail: dict[str, Any] = {"sentiment_from": source, "neutral": int((said[clips] == 0).sum())}
        if len(clips):
            means = columns.mean(axis=0)
            detail |= {"weighted_f1": float(weighted_f1(means)), "accuracy": float(war(means))}
            detail |= {"uar": float(uar(means)), "without_sentiment": int(none.sum())}
        return Measured(clips, columns, weighted_f1, skipped, detail, notes=(f"sentiment is from {source}",))

    def floors(self, pairs: Pairs, options: Options) -> Mapping[str, float]:
        return {
            f"always {word}": self.measure(pairs.always((word,)), options).value for word in ("positive", "negative")
        }


def _gold_signs(pairs: Pairs) -> Float64[np.ndarray, "clip"]:
    """The sign of each gold value, or of a gold label that names a sentiment; nan where there is neither."""
    if pairs.gold.values is not None:
        return np.sign(np.array([np.nan if v is None else v for v in pairs.gold.values], dtype=np.float64))
    given = [labels[0] for labels in pairs.gold.labels if labels]
    if not given or not set(given) <= set(SIGNS):
        raise ConfigError(
            f"{pairs.gold.source} has no sentiment to score against; give a column `value` (negative below 0), or "
            "labels positive, negative, neutral"
        )
    return np.array([SIGNS[labels[0]] if labels else np.nan for labels in pairs.gold.labels])


def _said_signs(pairs: Pairs) -> Float64[np.ndarray, "clip"]:
    """The sign of each answer; nan where it names none. Without labels an answer has no sentiment."""
    if pairs.sentiment is not None:
        return np.array([np.nan if word is None else SIGNS[word] for word in pairs.sentiment])
    known: dict[tuple[str, ...], float] = {(): float("nan")}
    signs = np.empty(len(pairs.labels))
    for place, labels in enumerate(pairs.labels):
        key = tuple(labels)
        if key not in known:
            known[key] = SIGNS[sentiment_of(key)]
        signs[place] = known[key]
    return signs


WAR, UAR = OneLabel(war), OneLabel(uar)
WEIGHTED_F1, MACRO_F1 = OneLabel(weighted_f1), OneLabel(macro_f1)
JACCARD, MICRO_F1 = Sets(_jaccard), Sets(_micro_f1)
SENTIMENT = Sentiment()
