"""What the composer says of trained heads beside hints: agreement, difference, doubt, data, nothing ungrounded."""

import pytest

from emer.emotions import label_set
from emer.engines.composer import Composer
from emer.engines.trained import decided
from emer.evidence.hints import hint
from emer.evidence.judgement import Heard
from emer.evidence.opinion import beta, dirichlet, vacuous
from emer.grounding import claims
from emer.kinds import kinds
from emer.types import Answer, Clue, Clues, Features, Opinion, Request, Span, Transcript

LABELS = label_set("emer8")
SMILING = Features(
    "visual",
    ("face_coverage", "lip_corner_pull_peak", "lip_corner_pull_share", "lip_corner_pull_mean"),
    (1.0, 30.0, 0.9, 20.0),
    (True,) * 4,
    "1",
)
HIGH_VOICE = Features("audio", ("f0_median_st", "f0_iqr_st"), (22.0, 9.0), (True, True), "1")


def clue(name: str, kind: str, text: str, value: float) -> Clue:
    return Clue(name, kinds()[kind].modality, kind, text, 8.0, 9.0, value, kinds()[kind].unit, "neutral")


SMILE = clue("v1", "lip_corner_pull", "lip corners pulled up by 9.0 % of the inter-ocular distance", 9.0)
LEVEL = clue("a1", "pitch_level", "voice 5.0 semitones above the middle of adult voices (120 to 210 Hz)", 5.0)


def trained(**evidence: float) -> Opinion:
    return dirichlet("emer8", LABELS, [evidence.get(label, 0.0) for label in LABELS], trained=True)


def told(voice: Opinion, *, smiling: bool = True, data: str = "RAVDESS", outside: tuple[str, ...] = ()) -> Answer:
    features = {"audio": HIGH_VOICE} | ({"visual": SMILING} if smiling else {})
    face = hint(SMILING) if smiling else vacuous("emer8", LABELS)
    heard = Heard(opinions={"audio": voice}, outside=outside, data=data)
    request = Request(
        media=None,
        clues=Clues((LEVEL, SMILE) if smiling else (LEVEL,), features),
        span=Span(0.0, 30.0),
        opinions={"audio": voice, "visual": face, "text": vacuous("emer8", LABELS)},
        prior=voice,
        transcript=Transcript("Fine.", "file:words.txt", "en"),
        settings={"heard": heard},
    )
    (answer,) = Composer().answer([request])
    assert answer.error is None, answer.error
    wrong = [s for s in claims(answer.statements) if s.status != "grounded"]
    assert not wrong
    return answer


def test_the_label_is_the_trained_views_and_the_hint_that_differs_is_told_as_one() -> None:
    answer = told(trained(angry=20, sad=3))
    assert [emotion.cluster for emotion in answer.labels] == ["angry"]
    assert "The voice speaks for anger, as heard by a head that was trained on RAVDESS" in answer.text
    assert "Only the face gives a hint: the smile [v1] would fit joy." in answer.text
    assert (
        "What the face suggests is a hint from published rules, untrained, and not what the trained head says; "
        "it does not enter the confidence, so look at the clip before you believe either." in answer.text
    )


def test_a_hint_that_agrees_is_still_a_hint_outside_the_confidence() -> None:
    answer = told(trained(happy=20))
    assert [emotion.cluster for emotion in answer.labels] == ["happy"]
    assert "a hint from published rules, untrained, and does not enter the confidence." in answer.text
    assert "not what the trained head says" not in answer.text


def test_two_emotions_about_as_strong_are_both_named_and_of_many_the_strongest() -> None:
    two = told(trained(angry=20, fearful=18), smiling=False)
    assert [emotion.cluster for emotion in two.labels] == ["angry", "fearful"]
    assert "speaks for anger, and almost as much for fear" in two.text
    many = told(trained(angry=20, fearful=19, sad=18, disgust=17), smiling=False)
    assert [emotion.cluster for emotion in many.labels] == ["angry"]
    assert "though hardly more than for fear, sadness and disgust" in many.text


def test_a_head_without_evidence_names_no_emotion() -> None:
    answer = told(trained(), smiling=False)
    assert answer.labels == ()
    assert "The voice speaks for no emotion" in answer.text


def test_out_of_domain_is_said_in_the_text() -> None:
    answer = told(trained(angry=20), outside=("far away",))
    assert "The clip is unlike those that the trained head knows" in answer.text


@pytest.mark.parametrize("data", ["set with 12 actors [a9]", "people who smile"])
def test_a_name_of_data_that_reads_like_a_claim_is_left_out(data: str) -> None:
    answer = told(trained(angry=20), smiling=False, data=data)
    assert data not in answer.text
    assert "as heard by a trained head" in answer.text


def test_labels_that_hold_each_by_itself_are_all_named() -> None:
    opinion = beta("mood3", ("sad", "angry", "calm"), [[3, 1], [9, 1], [1, 5]], trained=True)
    assert decided(opinion) == ("angry", "sad")  # probabilities 4/6, 10/12 and 2/8
