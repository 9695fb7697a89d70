"""Free-text labels become targets of a verdict; what no table knows is listed."""

import pytest

from emer.emotions.label_sets import label_set
from emer.emotions.wheel_own import OWN_WHEELS
from emer.errors import ConfigError
from emer.evidence.verdict_labels import LabelMap, default_spec, targets
from emer.evidence.verdict_spec import VerdictSpec
from emer.types import Annotation

EMER8 = VerdictSpec(label_set="emer8", labels=label_set("emer8"))
MOODS = VerdictSpec(label_set="moods", labels=("up", "down"), kind="beta")


@pytest.mark.parametrize("wheel", OWN_WHEELS)
def test_every_wheel_gives_a_verdict_with_two_rows_a_cluster(wheel: str) -> None:
    spec = default_spec(f"ring1/{wheel}")
    assert spec.kind == "beta"
    assert spec.labels == label_set(f"ring1/{wheel}")
    assert len(spec.row_names) == 2 * len(spec.labels)


def test_words_reach_the_cluster_of_the_wheel() -> None:
    # by hand, from the wheel's own file: nervousness stands under fear, gladness under joy
    words = LabelMap(default_spec("ring1/plutchik"))
    assert words.of("  Nervous ") == "fear"
    assert words.of("glad") == "joy"
    assert words.of("fear") == "fear"
    assert words.of("table") is None


def test_words_reach_emer8_through_the_lexicon() -> None:
    words = LabelMap(EMER8)
    assert [words.of(word) for word in ("worried", "delighted", "neutral", "xyzzy")] == [
        "fearful",
        "happy",
        "neutral",
        None,
    ]


def test_the_users_own_map_goes_before_every_table() -> None:
    words = LabelMap(EMER8, {"Worried": "sad", "meh": "neutral"})
    assert words.of("worried") == "sad"
    assert words.of("MEH") == "neutral"
    assert words.of("delighted") == "happy"


def test_a_map_to_labels_outside_of_the_set_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"the label map leads to sideways, and moods has up, down; mend the map"):
        LabelMap(MOODS, {"meh": "sideways"})


def test_a_set_of_the_users_own_takes_its_labels_and_the_map_and_nothing_else() -> None:
    words = LabelMap(MOODS, {"glad": "up"})
    assert [words.of(word) for word in ("up", "glad", "happy")] == ["up", "up", None]


def test_labels_of_a_clip_hold_each_for_itself_in_a_beta_verdict() -> None:
    made = targets([Annotation(labels=("up", "glad", "blue")), Annotation(labels=())], LabelMap(MOODS, {"glad": "up"}))
    assert made.target.tolist() == [[1.0, 0.0], [0.0, 0.0]]
    assert made.known.tolist() == [True, False]
    assert dict(made.unmapped) == {"blue": 1}


def test_raters_whose_word_is_unknown_count_against_every_label_of_a_beta_verdict() -> None:
    # by hand: 3 of 4 raters see up, one says blue, which no table of this set knows
    made = targets([Annotation(votes={"up": 2, "glad": 1, "blue": 1})], LabelMap(MOODS, {"glad": "up"}))
    assert made.target.tolist() == [[0.75, 0.0]]
    assert made.known.tolist() == [True]


def test_votes_of_a_dirichlet_verdict_are_shares_of_those_that_map() -> None:
    made = targets([Annotation(labels=("sad",), votes={"worried": 3, "joyful": 1, "xyzzy": 9})], LabelMap(EMER8))
    assert dict(zip(EMER8.labels, made.target[0], strict=True)) | {"fearful": 0.75, "happy": 0.25} == dict(
        zip(EMER8.labels, made.target[0], strict=True)
    )
    assert made.target[0].sum() == 1


def test_unknown_words_are_listed_with_the_clips_that_have_them() -> None:
    clips = [Annotation(labels=("xyzzy", "sad")), Annotation(labels=("plugh",)), Annotation(labels=("xyzzy",))]
    made = targets(clips, LabelMap(EMER8))
    assert list(made.unmapped.items()) == [("xyzzy", 2), ("plugh", 1)]
    assert made.known.tolist() == [True, False, False]


@pytest.mark.parametrize("count", [-1.0, float("nan"), float("inf")])
def test_wrong_votes_are_refused(count: float) -> None:
    with pytest.raises(ConfigError, match=r"'sad' has (-1|nan|inf) votes; give numbers from 0 up"):
        targets([Annotation(votes={"sad": count})], LabelMap(EMER8))
