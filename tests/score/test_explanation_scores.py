"""Scores of explanations: what counts, floors by hand, and what is said beside them."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from emer.bench.records import Prediction
from emer.errors import ConfigError
from emer.grounding import check
from emer.jsonio import dumps
from emer.metrics.explanations import chrf, chrf_counts, chrf_of_counts
from emer.metrics.preferences import agreement
from emer.score.explanations import CHRF, Explained, explanation_scores
from emer.score.options import Options
from emer.score.result import Column, Score
from emer.score.scoring import difference, score
from emer.types import Statement

REFERENCES = [
    "Her voice trembles, and she looks down: she is sad.",
    "他的声音很高，眉头紧皱，看起来很生气。",
    "A smile.",
    "He shouts at the end, which sounds like anger more than joy, and he turns away.",
]
ANSWERS = ["Her voice trembles: sadness.", "他皱着眉头，声音很高。", "She smiles.", "He shouts in anger."]
NAMES = [f"clip{i}" for i in range(len(REFERENCES))]
FAST = Options(bootstrap=50)


def column(texts: list[str | None] | None, source: str = "answers.jsonl") -> Column:
    return Column(source, NAMES, [()] * len(NAMES), texts=texts)


def scored(texts: list[str | None], references: list[str | None], metric: str = "chrf") -> Score:
    return score(metric, column(texts), column(references, "gold.jsonl"), FAST)


def test_the_score_is_that_of_the_corpus_and_the_mean_of_clips_stands_beside_it() -> None:
    found = scored([*ANSWERS], [*REFERENCES])
    summed = chrf_counts(ANSWERS, REFERENCES).sum(axis=0).astype(float)
    assert found.score == pytest.approx(float(chrf_of_counts(summed)))
    assert found.detail["mean_of_clips"] == pytest.approx(np.mean(list(map(chrf, ANSWERS, REFERENCES))))
    assert found.interval is not None
    assert found.interval[0] <= found.score <= found.interval[1]
    assert (found.metric, found.n_scored, found.n_skipped) == ("chrf", 4, 0)


def test_explanation_is_another_word_for_chrf() -> None:
    assert scored([*ANSWERS], [*REFERENCES], "explanation").score == scored([*ANSWERS], [*REFERENCES]).score


def test_an_answer_without_explanation_counts_and_a_clip_without_reference_does_not() -> None:
    whole, half = scored([*ANSWERS], [*REFERENCES]), scored([*ANSWERS[:2], None, ""], [*REFERENCES])
    assert (half.n_scored, half.detail["empty"], half.score < whole.score) == (4, 2, True)
    without = scored([*ANSWERS], [*REFERENCES[:2], None, ""])
    assert (without.n_scored, without.skipped) == (2, {"no reference explanation": 2})


def test_floors_are_other_clips_references_and_constant_texts_each_on_the_other_clips() -> None:
    found = scored([*ANSWERS], [*REFERENCES])
    longest, others = REFERENCES[3], REFERENCES[:3]
    by_hand = chrf_of_counts(chrf_counts([longest] * 3, others).sum(axis=0).astype(float))
    assert found.floors["longest reference for every clip"] == pytest.approx(float(by_hand))
    turned = [REFERENCES[by:] + REFERENCES[:by] for by in (1, 2, 3)]
    each = [chrf_of_counts(chrf_counts(ANSWERS, some).sum(axis=0).astype(float)) for some in turned]
    assert found.floors["another clip's reference"] == pytest.approx(np.mean(each))
    assert found.score > max(found.floors.values())


def test_it_says_not_validated_until_agreement_with_people_is_known() -> None:
    assert "not validated against people" in scored([*ANSWERS], [*REFERENCES]).detail["notes"]
    study = agreement(np.array([1.0, 0.0]), np.array([0.0, 1.0]), ["a", "b"], data="a study", replicates=10)
    (found, _) = explanation_scores(said(), REFERENCES, validated={"chrf": study}, options=FAST)
    assert found.detail["validated"] == study
    assert found.detail["notes"] == [
        "agrees with people on 100.0 % [100.0, 100.0] of 2 pairs of a study (chance: 50 %)"
    ]
    assert '"n":2' in dumps(found).replace(" ", "")


def test_columns_without_explanations_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"answers\.jsonl holds no explanations; give a column explanation"):
        score("chrf", column(None), column([*REFERENCES]), FAST)
    with pytest.raises(ConfigError, match=r"gold\.jsonl holds no reference explanations"):
        scored([*ANSWERS], ["", None, None, ""])


def test_two_systems_are_compared_in_pairs() -> None:
    better, worse = column([*REFERENCES]), column([*ANSWERS])
    found = difference("chrf", better, worse, column([*REFERENCES], "gold.jsonl"), FAST)
    assert found.score == pytest.approx(1 - scored([*ANSWERS], [*REFERENCES]).score)
    assert found.interval is not None
    assert found.interval[0] > 0


# ---------------------------------------------------------------- a whole run


@dataclass(frozen=True)
class Said:
    name: str
    explanation: str
    statements: tuple[Statement, ...] = ()


def said() -> list[Explained]:
    return [Said(name, text) for name, text in zip(NAMES, ANSWERS, strict=True)]


def test_a_run_gives_both_chrfs_and_the_share_of_grounded_claims() -> None:
    """By hand: without any clue the three English explanations claim what no clue knows of; Chinese is not read."""
    run = [replace(one, statements=check(one.explanation, [])) for one in said() if isinstance(one, Said)]
    found = {each.metric: each for each in explanation_scores(run, REFERENCES, options=FAST)}
    assert list(found) == ["chrf", "chrf_words", "grounded"]
    assert found["chrf"].score == scored([*ANSWERS], [*REFERENCES]).score
    grounded = found["grounded"]
    assert (grounded.score, grounded.detail["unsupported"]) == (0.0, 1.0)
    assert grounded.detail["notes"] == ["not validated against people"]


def test_what_a_run_keeps_can_be_scored_as_it_is() -> None:
    run = [Prediction(name, explanation=text) for name, text in zip(NAMES, ANSWERS, strict=True)]
    assert all(isinstance(one, Explained) for one in run)
    assert explanation_scores(run, REFERENCES, options=FAST)[0].score == scored([*ANSWERS], [*REFERENCES]).score


def test_other_scores_can_be_asked_for_by_name() -> None:
    found = explanation_scores(said(), REFERENCES, others={"again": CHRF}, options=FAST)
    assert [each.metric for each in found] == ["chrf", "chrf_words", "again"]
    assert found[0].score == found[2].score


def test_without_references_claims_are_all_that_can_be_scored() -> None:
    run = [Said("clip0", "", check("The voice trembles.", [])), Said("clip1", "")]
    (only,) = explanation_scores(run, [None, None], options=FAST)
    assert (only.metric, only.n_scored, only.skipped) == ("grounded", 1, {"claims nothing": 1})
    assert explanation_scores([Said("clip0", "")], [None], options=FAST) == ()


def test_the_composers_own_grounding_is_called_a_self_test() -> None:
    run = [Said("clip0", "", check("The voice trembles.", []))] * 1
    (found,) = explanation_scores(run, [None], engine="composer", options=Options(bootstrap=0))
    assert (found.detail["self_test"], found.interval) == (True, None)
    assert found.detail["notes"] == [
        "a self-test, not a result: the text was made from the clues that it is checked against"
    ]


def test_runs_and_references_of_other_lengths_are_refused() -> None:
    with pytest.raises(ConfigError, match="4 explanations have 1 references"):
        explanation_scores(said(), [None])


def test_chrf_alone_is_not_rewarded_for_length() -> None:
    """Saying the reference twice has the same recall and half the precision: P = 1/2 for single characters."""
    twice = [f"{text}{text}" for text in REFERENCES]
    assert scored([*twice], [*REFERENCES]).score < 1
    assert CHRF.validated is None
