"""Labels: which families an opinion singles out, and which word of a family is fit to be said."""

import pytest

from emer.emotions import label_set, lexicon
from emer.engines.labels import labels, leaning, singled_out, spread
from emer.engines.wording import phrases
from emer.evidence.opinion import dirichlet, vacuous
from emer.grounding import check, claims
from emer.types import Clue, Opinion

LABELS = label_set("emer8")


def opinion(**evidence: float) -> Opinion:
    return dirichlet("emer8", LABELS, [evidence.get(label, 0.0) for label in LABELS])


def word(text: str, value: float = 1.0) -> Clue:
    return Clue("t1", "text", "emotion_word", text, 0.0, 1.0, value, "weight", "emotion word list")


def names(*args: object) -> list[str]:
    return [emotion.label for emotion in labels(*args)]  # type: ignore[arg-type]


def test_one_or_two_families_of_like_strength_are_a_lean() -> None:
    assert leaning(opinion(angry=1.0, sad=0.5)) == ("angry",)
    assert leaning(opinion(angry=1.0, sad=0.8)) == ("angry", "sad")


def test_three_families_of_like_strength_are_no_lean_but_a_spread() -> None:
    """As the voice of a public speech: lively, with many pauses. Three labels for it would be a guess."""
    undecided = opinion(angry=0.5, sad=0.48, fearful=0.45, happy=0.1)
    assert leaning(undecided) == ()
    assert spread(undecided) == ("angry", "sad", "fearful")
    assert spread(opinion(angry=1.0)) == ()


def test_the_family_on_which_views_agree_is_named_alone() -> None:
    undecided = opinion(happy=0.5, angry=0.48, surprised=0.45)
    assert singled_out(undecided, ["happy", "happy"]) == ("happy",)
    assert singled_out(undecided, ["happy", "angry"]) == singled_out(undecided, ["happy"]) == ()
    assert singled_out(opinion(happy=1.0, calm=0.2), ["calm", "calm"]) == ("happy",), "weak in sum, whoever shares it"


def test_nothing_is_said_of_next_to_no_evidence() -> None:
    for nothing in (vacuous("emer8", LABELS), opinion(), opinion(happy=0.05)):
        assert leaning(nothing) == spread(nothing) == ()


def test_arousal_chooses_between_words_for_the_same_state() -> None:
    assert names(("angry",), None, 0.9) == ["angry"]
    assert names(("angry",), -0.2, -0.3) == ["annoyed"]
    assert names(("happy",), 0.2, -0.4) == ["pleased"]
    assert names(("fearful",), -0.2, 0.2) == ["anxious"]


def test_what_was_not_moved_makes_no_word_milder() -> None:
    for cluster, plain in (("sad", "sad"), ("angry", "angry"), ("happy", "happy"), ("surprised", "surprised")):
        assert names((cluster,), None, None) == names((cluster,), 0.0, 0.05) == [plain]


@pytest.mark.parametrize("cluster", LABELS)
def test_no_point_of_the_plane_gives_a_word_that_names_a_cause_or_an_object(cluster: str) -> None:
    """Words that Ortony, Clore & Foss 1987 and appraisal theory tie to a cause: no curve shows one."""
    about_something = {"guilty", "disappointed", "proud", "awed", "amused", "aggressive", "overwhelmed", "jealous"}
    steps = [i / 10 for i in range(-10, 11)]
    given = {name for v in steps for a in steps for name in names((cluster,), v, a)}
    assert given == set(phrases()["states"][cluster])
    assert not given & about_something


def test_states_are_words_of_their_family_and_claim_no_behaviour() -> None:
    families = {(entry.cluster, entry.label) for entry in lexicon("en").entries}
    states = [(cluster, label) for cluster, those in phrases()["states"].items() for label in those]
    assert {cluster for cluster, _ in states} == set(LABELS)
    assert set(states) <= families
    assert [label for _, label in states if claims(check(label, ()))] == []


def test_the_speaker_s_own_word_is_taken() -> None:
    said = word('the words "so guilty" (sad), characters 5-14 of the transcript')
    assert names(("sad", "fearful"), -0.2, 0.2, (said,)) == ["guilty", "anxious"]


def test_a_denied_word_and_a_word_for_behaviour_are_not_taken() -> None:
    denied = word('the word "guilty" (sad) denied by "not", characters 5-14 of the transcript')
    tearful = word('the word "tearful" (sad), characters 5-14 of the transcript')
    assert names(("sad",), None, None, (denied, tearful)) == ["sad"]
