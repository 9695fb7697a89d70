"""chrF against sacreBLEU's, and greedy matching against cases worked by hand."""

import random

import numpy as np
import pytest

from emer.metrics.bootstrap import interval_of_means
from emer.metrics.errors import MetricError
from emer.metrics.explanations import chrf, chrf_counts, chrf_of_counts, cosines, greedy_match, rotated

TEXTS = [
    "The voice rises, and she smiles (briefly).",
    "",
    "a",
    "他的声音很高，眉头紧皱。看起来很生气！",
    "“Quoted” and 'plain' text... here! [a3]",
    "tabs\tand  two   spaces",
]


def pairs() -> tuple[list[str], list[str]]:
    """Sentences in two scripts, empty ones among them, each with another as its reference."""
    rng = random.Random(0)
    made = ["".join(rng.choices("abcde ,.! 声音高低", k=rng.randint(0, 60))) for _ in range(150)]
    texts = TEXTS + made
    references = texts[:]
    rng.shuffle(references)
    return texts, references


@pytest.mark.parametrize("words", [0, 2])
def test_sentences_and_corpora_score_as_in_sacrebleu(words: int) -> None:
    oracle = pytest.importorskip("sacrebleu.metrics").CHRF(word_order=words)
    texts, references = pairs()
    theirs = [oracle.sentence_score(text, [ref]).score / 100 for text, ref in zip(texts, references, strict=True)]
    ours = [chrf(text, ref, words) for text, ref in zip(texts, references, strict=True)]
    assert ours == pytest.approx(theirs, abs=1e-12)
    summed = chrf_counts(texts, references, words).sum(axis=0).astype(float)
    assert float(chrf_of_counts(summed)) == pytest.approx(oracle.corpus_score(texts, [references]).score / 100)


def test_the_interval_of_a_corpus_comes_from_resampled_clips() -> None:
    texts, references = pairs()
    counts = chrf_counts(texts, references)
    found = interval_of_means(counts, chrf_of_counts, replicates=200)
    assert found.score == pytest.approx(float(chrf_of_counts(counts.sum(axis=0).astype(float))))
    rng = np.random.default_rng([0, len(texts)])  # the same draws, one at a time
    drawn = [chrf_of_counts(counts[rng.integers(0, len(texts), len(texts))].mean(axis=0)) for _ in range(200)]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))


def test_one_changed_character_costs_more_in_a_short_text_than_in_a_long_one() -> None:
    assert chrf("happy", "hippy") < chrf("she looks very happy today", "she looks very hippy today") < 1


def test_spaces_do_not_count() -> None:
    assert chrf("a b c", "abc") == 1


def test_chinese_needs_no_words() -> None:
    """By hand: 4 of 4 and 4 of 5 characters, 3 of 3 and 3 of 4, 2 of 2 and 2 of 3, 1 of 1 and 1 of 2."""
    recall = (4 / 5 + 3 / 4 + 2 / 3 + 1 / 2) / 4
    assert chrf("声音很高", "声音很高亢") == pytest.approx(5 * recall / (4 + recall))


def test_texts_without_partners_are_refused() -> None:
    with pytest.raises(MetricError, match="texts has 1, references has 2"):
        chrf_counts(["a"], ["a", "b"])
    with pytest.raises(MetricError, match="no explanations to compare"):
        chrf_counts([], [])


def test_tokens_that_do_not_count_can_still_be_matched() -> None:
    """By hand: the text's one counted token matches the reference's mark; that mark itself adds nothing to recall."""
    text, reference = np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [0.6, 0.8]])
    found = greedy_match(text, reference, ([True], [False, True]))
    assert (found.precision, found.recall, found.f1) == pytest.approx((1.0, 0.6, 0.75))


def test_the_length_of_an_embedding_does_not_matter_and_none_is_like_nothing() -> None:
    assert cosines(np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([[9.0, 0.0], [1.0, 0.0]])).tolist() == [1.0, 0.0]
    with pytest.raises(MetricError, match="without tokens"):
        greedy_match(np.zeros((0, 2)), np.array([[1.0, 0.0]]))


def test_no_clip_keeps_its_own_reference_when_they_are_turned() -> None:
    assert rotated(["a", "b", "c"], 5) == ["c", "a", "b"]
    for references, by in ((["a"], 1), (["a", "b"], 2)):
        with pytest.raises(MetricError, match="stay where they are"):
            rotated(references, by)
