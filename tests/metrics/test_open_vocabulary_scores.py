"""Scores of label sets against plain dictionaries and sets, on made clips of every awkward shape."""

import random
from collections.abc import Sequence

import numpy as np
import pytest

from emer.emotions.wheels import Wheel, WheelTables
from emer.metrics.bootstrap import difference_of_means, interval_of_means
from emer.metrics.errors import MetricError
from emer.metrics.open_vocabulary import NONE, numbered, overlaps, set_scores, words_of
from emer.metrics.wheel_scores import (
    GroupingScores,
    HitRates,
    WheelScores,
    grouping_scores,
    hit_rates,
    mapping_scores,
    wheel_scores,
)

Labels = list[list[str]]


def made(clips: int, words: int, seed: int, most: int = 6) -> tuple[Labels, Labels]:
    """Gold and predicted labels with doubled words, empty clips (the last among them) and unknown words."""
    rng = random.Random(seed)
    vocabulary = [f"w{i}" for i in range(words)]
    columns = [[rng.choices(vocabulary, k=rng.randint(0, most)) for _ in range(clips)] for _ in range(2)]
    for column in columns:
        column[-1] = []
    return columns[0], columns[1]


def tables(words: int, clusters: int, seed: int) -> WheelTables:
    """A third of the words have no cluster; two wheels differ."""
    rng = random.Random(seed)
    known = [f"w{i}" for i in range(words) if i % 3]
    itself = {word: (word,) for word in known}
    rings = [{word: f"c{rng.randrange(clusters)}" for word in known} for _ in range(4)]
    return WheelTables("made", "", itself, itself, (Wheel("a", (rings[0], rings[1])), Wheel("b", (rings[2], rings[3]))))


def by_sets(
    gold: Labels, predicted: Labels, cluster: dict[str, str], strict: bool = False
) -> tuple[float, float, float, int]:
    """F, precision, recall and n as the definition reads (Lian et al. 2023), one clip after the other."""
    precision, recall = [], []
    for truth, said in zip(gold, predicted, strict=True):
        g = {cluster[word] for word in truth if word in cluster}
        p = {cluster.get(word, f"? {word}" if strict else "") for word in said} - {""}
        if g:
            precision.append(len(g & p) / len(p) if p else 0.0)
            recall.append(len(g & p) / len(g) if p else 0.0)
    if not precision:
        return 0.0, 0.0, 0.0, 0
    p_mean, r_mean = sum(precision) / len(precision), sum(recall) / len(recall)
    return (2 * p_mean * r_mean / (p_mean + r_mean) if p_mean + r_mean else 0.0), p_mean, r_mean, len(precision)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("clusters", [3, 63, 64, 65, 200, 256, 257, 400])
def test_scores_are_those_of_sets_for_any_number_of_clusters(clusters: int, strict: bool) -> None:
    """Sets are bits up to 256 clusters and pairs beyond: the borders of words of 64 bits lie in between."""
    gold, predicted = made(200, 2 * clusters, seed=clusters)
    cluster = {f"w{i}": f"c{i % clusters}" for i in range(2 * clusters) if i % 7}
    words, (truth, said) = words_of(gold, predicted)
    _, ids = numbered(words, lambda word: cluster.get(word, ""))
    found = set_scores(overlaps(truth, said, ids, strict=strict))
    f1, precision, recall, n = by_sets(gold, predicted, cluster, strict)
    assert (found.f1, found.precision, found.recall) == pytest.approx((f1, precision, recall), abs=1e-12)
    assert found.n == n


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("strict", [False, True])
def test_wheels_are_scored_each_by_itself_and_averaged(seed: int, strict: bool) -> None:
    gold, predicted = made(120, 30, seed)
    known = tables(30, 5, seed)
    words, (truth, said) = words_of(gold, predicted)
    found = wheel_scores(truth, said, words, known, ring=2, strict=strict)
    expected = [by_sets(gold, predicted, dict(wheel.rings[1]), strict) for wheel in known.wheels]
    for one, (f1, precision, recall, n) in zip(found.each, expected, strict=True):
        assert (one.f1, one.precision, one.recall) == pytest.approx((f1, precision, recall), abs=1e-12)
        assert one.n == n
    assert found.f1 == pytest.approx(sum(e[0] for e in expected) / 2, abs=1e-12)
    assert found.mappings == ("case3_wheel1_level2", "case3_wheel2_level2")


def test_all_mappings_are_the_default() -> None:
    gold, predicted = made(20, 9, 0)
    words, (truth, said) = words_of(gold, predicted)
    found = mapping_scores(truth, said, words, tables(9, 3, 0))
    assert found.mappings[:3] == ("case1", "case2", "case3_wheel1_level1")
    assert len(found.mappings) == len(found.each) == 6


def test_unknown_words_are_free_unless_strict() -> None:
    """Hand count: two right labels and three that no table knows, of which two are the same: 2/2, and 2/4."""
    known = tables(9, 3, 0)
    words, (truth, said) = words_of([["w1", "w2"]], [["w1", "w2", "odd", "odd", "queer"]])
    ring = known.wheels[0].rings[0]
    own = len({ring["w1"], ring["w2"]})
    assert wheel_scores(truth, said, words, known).each[0].precision == 1.0
    assert wheel_scores(truth, said, words, known, strict=True).each[0].precision == own / (own + 2)


# ---------------------------------------------------------------- columns for intervals


@pytest.mark.parametrize("seed", range(3))
def test_every_score_is_a_function_of_the_means_of_its_columns(seed: int) -> None:
    gold, predicted = made(80, 20, seed)
    words, (truth, said) = words_of(gold, predicted)
    found = wheel_scores(truth, said, words, tables(20, 4, seed))
    means = found.columns.mean(axis=0)
    assert WheelScores.f1_of_means(means) == pytest.approx(found.f1, abs=1e-12)
    assert WheelScores.precision_of_means(means) == pytest.approx(found.precision, abs=1e-12)
    assert WheelScores.recall_of_means(means) == pytest.approx(found.recall, abs=1e-12)
    single = [labels[:1] for labels in gold]
    words, (truth, said) = words_of(single, predicted)
    hits = hit_rates(truth, said, words, tables(20, 4, seed))
    means = hits.columns.mean(axis=0)
    assert HitRates.hit_of_means(means) == pytest.approx(hits.hit, abs=1e-12)
    assert HitRates.mscore_of_means(means) == pytest.approx(hits.mscore, abs=1e-12)
    assert HitRates.precision_of_means(means) == pytest.approx(hits.precision, abs=1e-12)


def test_resampled_columns_are_scores_of_resampled_clips() -> None:
    """A draw of clips scored anew, against the means of the drawn columns."""
    gold, predicted = made(60, 20, 4)
    known = tables(20, 4, 4)
    words, (truth, said) = words_of(gold, predicted)
    columns = wheel_scores(truth, said, words, known).columns
    rng = np.random.default_rng(0)
    for _ in range(5):
        drawn = rng.integers(0, 60, 60)
        words, (truth, said) = words_of([gold[i] for i in drawn], [predicted[i] for i in drawn])
        again = wheel_scores(truth, said, words, known)
        assert WheelScores.f1_of_means(columns[drawn].mean(axis=0)) == pytest.approx(again.f1, abs=1e-12)


def test_an_interval_holds_its_score_and_a_system_equals_itself() -> None:
    gold, predicted = made(150, 20, 5)
    words, (truth, said) = words_of(gold, predicted)
    found = wheel_scores(truth, said, words, tables(20, 4, 5))
    interval = interval_of_means(found.columns, WheelScores.f1_of_means, replicates=200)
    assert interval.low < interval.score < interval.high
    assert interval.score == pytest.approx(found.f1, abs=1e-12)
    same = difference_of_means(found.columns, found.columns, WheelScores.f1_of_means, replicates=50)
    assert (same.low, same.score, same.high) == pytest.approx((0, 0, 0), abs=1e-12)


# ---------------------------------------------------------------- one gold label a clip


@pytest.mark.parametrize("seed", range(6))
def test_hit_rates_are_those_of_sets(seed: int) -> None:
    """hit = |P and G|, mscore = hit / |P and C|, precision = hit / |P|; C has the clusters of all gold labels."""
    gold, predicted = made(150, 20, seed)
    single = [labels[:1] for labels in gold]
    known = tables(20, 6, seed)
    words, (truth, said) = words_of(single, predicted)
    found = hit_rates(truth, said, words, known)
    for wheel, one in zip(known.wheels, found.each, strict=True):
        ring = wheel.rings[0]
        named = {ring[word] for (word,) in filter(None, single) if word in ring}
        rows = []
        for truth_words, said_words in zip(single, predicted, strict=True):
            g = {ring[word] for word in truth_words if word in ring}
            p = {ring[word] for word in said_words if word in ring}
            if g:
                hit = len(g & p)
                rows.append((hit, hit / max(len(p & named), 1), hit / max(len(p), 1)))
        expected = np.mean(rows, axis=0)
        assert (one.hit, one.mscore, one.precision) == pytest.approx(tuple(expected), abs=1e-12)
        assert one.n == len(rows)


def test_an_answer_that_names_everything_always_hits_and_its_twins_tell() -> None:
    words = [f"w{i}" for i in (1, 2, 4, 5)]
    itself = {word: (word,) for word in words}
    ring = {word: word for word in words}
    known = WheelTables("made", "", itself, itself, (Wheel("a", (ring, ring)),))
    gold = [[word] for word in words[:3]]
    place, (truth, said) = words_of(gold, [words] * 3)
    found = hit_rates(truth, said, place, known)
    assert (found.hit, found.mscore, found.precision) == pytest.approx((1.0, 1 / 3, 1 / 4))


# ---------------------------------------------------------------- groups


def test_grouping_is_the_arithmetic_mean_over_clips() -> None:
    """By hand: {a} and {a, c} make 1/2 and 1; {b, d} and {b} make 1 and 1/2; clip 3 says nothing: 0 and 0."""
    gold = [["mad", "cross"], ["sad", "shy"], ["calm"]]
    said = [["angry", "odd"], ["low"], []]
    groups = [{"mad": "a", "cross": "a", "angry": "a"}, {"sad": "b", "low": "b"}, {}]
    found = grouping_scores(gold, said, groups)
    assert (found.accuracy, found.recall, found.average) == pytest.approx((0.5, 0.5, 0.5))
    assert GroupingScores.average_of_means(found.columns.mean(axis=0)) == pytest.approx(0.5)


def test_a_group_of_one_clip_is_not_that_of_another() -> None:
    gold, said = [["mad"], ["mad"]], [["angry"], ["angry"]]
    assert grouping_scores(gold, said, [{"angry": "mad"}, {}]).average == 0.5
    assert grouping_scores(gold, said, {"angry": "mad"}).average == 1.0


# ---------------------------------------------------------------- borders


@pytest.mark.parametrize("gold", [[], [[]], [["zzz"], []]])
def test_nothing_to_score_is_zero_of_zero_clips(gold: Sequence[Sequence[str]]) -> None:
    words, (truth, said) = words_of(gold, [["w1"]] * len(gold))
    known = tables(9, 3, 0)
    found = wheel_scores(truth, said, words, known)
    assert (found.f1, [one.n for one in found.each]) == (0.0, [0, 0])
    assert found.columns.shape == (len(gold), 6)
    hits = hit_rates(truth, said, words, known)
    assert (hits.hit, hits.mscore, hits.each[0].n) == (0.0, 0.0, 0)
    assert not found.scored.any()


def test_other_lengths_are_refused() -> None:
    words, (truth, said) = words_of([["w1"]], [["w1"], ["w2"]])
    with pytest.raises(MetricError, match="predicted"):
        wheel_scores(truth, said, words, tables(9, 3, 0))
    with pytest.raises(MetricError, match="groups"):
        grouping_scores([["a"], ["b"]], [["a"], ["b"]], [{}])


def test_sets_without_any_cluster_are_empty() -> None:
    words, (truth, said) = words_of([["a"], []], [["b", "b"], ["c"]])
    sizes = overlaps(truth, said, np.full(3, NONE), strict=True)
    assert sizes.gold.tolist() == [0, 0]
    assert sizes.predicted.tolist() == [1, 1]
    assert words == ["a", "b", "c"]
