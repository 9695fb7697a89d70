"""Sentences as a language model might write them, against a fixed list of clues: each verdict given by hand."""

import pytest

from emer.grounding import check, claims, shares
from emer.types import Clue, Status

NEUTRAL = "this face's neutral in this clip"
MEDIAN = "this clip's median"
TRANSCRIPT = "I am afraid of you. Go away. Leave me."


def clue(name: str, kind: str, text: str, start: float, end: float, value: float, unit: str, reference: str) -> Clue:
    return Clue(
        name, {"a": "audio", "v": "visual", "t": "text"}[name[0]], kind, text, start, end, value, unit, reference
    )  # type: ignore[arg-type]


CLUES = [
    clue(
        "a1",
        "pitch_level",
        "voice 4.2 semitones above the middle of adult voices (120 to 210 Hz)",
        0,
        12,
        4.2,
        "semitones",
        "the middle of adult voices; men 120 Hz",
    ),
    clue("a2", "pausing", "pauses fill 15 % of the time from first to last word", 0, 12, 15.0, "%", "time"),
    clue(
        "a3",
        "pitch_rise",
        "voice 4.1 semitones above this clip's median, 2.3–3.1 s",
        2.3,
        3.1,
        4.13,
        "semitones",
        MEDIAN,
    ),
    clue("a4", "pause", "pause of 0.8 s, 4.0–4.8 s", 4.0, 4.8, 0.8, "s", "speech before and after"),
    clue("a5", "pause", "pause of 0.6 s, 6.0–6.6 s", 6.0, 6.6, 0.6, "s", "speech before and after"),
    clue(
        "a6",
        "speed_up",
        "speech 1.2 syllables per second above this clip's mean, 8.0–11.0 s",
        8,
        11,
        1.2,
        "syllables/s",
        "this clip's mean",
    ),
    clue("a7", "tremor", "voice trembles 6.2 times a second, 7.0–7.9 s", 7.0, 7.9, 6.2, "Hz", "steady voice"),
    clue(
        "a8",
        "loudness_burst",
        "burst of loudness 9.0 dB above this clip's median, 9.2–9.9 s",
        9.2,
        9.9,
        9.0,
        "dB",
        MEDIAN,
    ),
    clue("v1", "face_presence", "a face is seen in 98 % of the pictures", 0, 12, 98.0, "%", "all pictures"),
    clue(
        "v2",
        "brow_lower",
        "brows lowered by 7.2 % of the inter-ocular distance",
        2.5,
        3.5,
        7.2,
        "inter-ocular %",
        NEUTRAL,
    ),
    clue(
        "v3",
        "lip_corner_pull",
        "lip corners pulled up by 9.0 % of the inter-ocular distance",
        8.1,
        9.0,
        9.0,
        "inter-ocular %",
        NEUTRAL,
    ),
    clue("v4", "head_shake", "shakes the head, 12 degrees a swing", 5.0, 6.2, 12.0, "degrees", "the head held still"),
    clue(
        "t1",
        "emotion_word",
        'the word "afraid" (fearful), characters 5–11 of the transcript',
        5.0,
        5.4,
        1.0,
        "weight",
        "lexicon",
    ),
    clue(
        "t2",
        "negative_words",
        'negative sentence, compound -0.63: "I am afraid of you."',
        4.8,
        6.0,
        -0.6329,
        "compound",
        "VADER",
    ),
    clue(
        "t3",
        "sentiment",
        "the words are negative on the whole: compound -0.21, mean of 3 sentences",
        0,
        12,
        -0.2146,
        "compound",
        "VADER",
    ),
]

GROUNDED = [
    "Her voice is pitched high, about 4 semitones above the middle of adult voices [a1].",
    "At around 2.3 s her pitch jumps up by roughly four semitones [a3], just as her brows knit together [v2].",
    "The voice rises sharply (4.1 semitones, 2.3–3.1 s) [a3].",
    "Between 2 and 3 seconds, the tone of voice climbs [a3].",
    "There are two pauses [a4, a5], the first of which lasts 0.8 s [a4].",
    "He hesitates twice [a4][a5].",
    "Pauses take up 15% of the time [a2].",
    "The speaker pauses for nearly a second at 4 s [a4].",
    "Towards the end the speaker talks faster [a6] and gets louder [a8].",
    "The speech accelerates by 1.2 syllables per second (8–11 s) [a6].",
    "The voice is shaky around 7 s [a7].",
    "A tremor (6.2 Hz) is audible [a7].",
    "The speaker's voice quavers at 0:07 [a7].",
    "A loud outburst 9 dB above the median follows at 9.2 s [a8].",
    "The furrowed brows [v2] suggest concentration or anger.",
    "The speaker is frowning at 2.5 s [v2].",
    "Eyebrows drawn together between 2.5 and 3.5 s [v2].",
    "The lips curl up into a smile at 8.1 s [v3].",
    "The head shakes from side to side (12 degrees) between 5.0 and 6.2 s [v4].",
    "She shakes her head as she says “I am afraid of you” [v4] [t2].",
    'The word "afraid" [t1] is the only emotion word.',
    "The sentiment of the words is negative on the whole, at −0.21 [t3].",
    "The words are negative [t2].",
    "The face is visible 98 % of the time [v1].",
    "Taken together, the rising pitch [a3], the trembling voice [a7] and the word “afraid” [t1] point to fear.",
    "The voice becomes louder at 9.5 s [a8], while the mouth smiles [v3].",
    "As [a3] shows, the voice goes up.",
    "The voice does not fall at 2.5 s [a3].",
    "Her voice shakes.",
    "There is a smile at 8.5 s.",
    "He doesn't stay silent, he pauses [a4].",
    "Not only does the voice tremble [a7], it also gets louder [a8].",
]

NOT_GROUNDED = [
    "Her voice is pitched low [a1].",
    "The pitch falls at 2.3 s [a3].",
    "Three pauses [a4, a5] interrupt the speech.",
    "Pauses take up 51% of the time [a2].",
    "The speech slows down [a6].",
    "The voice trembles at 2.6 Hz [a7].",
    "The smile [v2] lights up the face.",
    "The eyebrows are raised at 2.5 s [v2].",
    "The lips tighten [v3].",
    "She nods [v4].",
    "She looks away at 5 s.",
    "She bites her lip.",
    "Tears run down her face [v3].",
    "The words are positive [t2].",
    "The sentiment is positive [t3].",
    "The word “happy” [t1] says it.",
    "The face is visible 38 % of the time [v1].",
    "There is no smile in the clip.",
    "She never frowns.",
    "The voice is steady and does not tremble [a7].",
    "At 1 s the voice trembles [a7].",
    "The jaw drops at 3 s.",
    "The voice gets softer at 9.5 s [a8].",
    "A voice without tremor [a7].",
    "The voice rises by 4.1 Hz [a3].",
    "The smile at 8.1–9.0 s [v31] is warm.",
    "No face is visible.",
    "The face is hidden.",
    "Nobody speaks.",
    "The speaker pauses five times.",
    "The voice is monotone [a3].",
    "The pitch rises 4.1 semitones below the median [a3].",
    "He closes his eyes.",
    "Her eyes widen in fear [a7].",
    "The pitch rises at 0:09 [a3].",
    "At 3.1–2.3 s the pitch rises [a3].",
    "The words “Go home” are negative [t2].",
    "He says “I love you”.",
]

UNCHECKABLE = [
    "She wears a red dress and sobs.",
    "The speaker hides anger [a3].",
    "The speaker does not nod.",
    "This fits fear [t1].",
]

NO_CLAIM = [
    "The speaker seems to hide anger.",
    "She wears a red dress.",
    "Taken together, this would fit someone who is worried.",
    "The first thing that one notices is unease.",
]


def status(sentence: str) -> Status:
    (statement,) = check(sentence, CLUES, TRANSCRIPT)
    return statement.status


@pytest.mark.parametrize("sentence", GROUNDED)
def test_a_faithful_sentence_is_grounded(sentence: str) -> None:
    assert status(sentence) == "grounded"


@pytest.mark.parametrize("sentence", NOT_GROUNDED)
def test_an_unfaithful_sentence_is_not_grounded(sentence: str) -> None:
    assert status(sentence) in ("contradicted", "unsupported", "uncheckable")


@pytest.mark.parametrize("sentence", UNCHECKABLE)
def test_what_no_clue_can_measure_is_an_uncheckable_claim(sentence: str) -> None:
    (statement,) = check(sentence, CLUES, TRANSCRIPT)
    assert statement.status == "uncheckable"
    assert claims([statement])


@pytest.mark.parametrize("sentence", NO_CLAIM)
def test_a_sentence_without_number_citation_or_behaviour_is_no_claim(sentence: str) -> None:
    assert not claims(check(sentence, CLUES, TRANSCRIPT))


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The pitch falls at 2.5 s [a3].", "contradicted"),
        ("The voice rises by 5.2 semitones [a3].", "contradicted"),
        ("She does not smile at 8.5 s.", "contradicted"),
        ("No face was seen.", "contradicted"),
        ("The pitch rises [a77].", "unsupported"),
        ("The pitch rises [v2].", "unsupported"),
        ("The eyes widen.", "unsupported"),
        ("He says “I love you”.", "unsupported"),
    ],
)
def test_the_statuses_are_told_apart(sentence: str, expected: Status) -> None:
    assert status(sentence) == expected


def test_one_wrong_part_spoils_a_sentence() -> None:
    assert status("The pitch rises [a3], the brows lower [v2], and the mouth droops at 8.5 s [v3].") == "contradicted"


def test_absence_is_borne_out_by_the_lack_of_clues() -> None:
    voice_only = [each for each in CLUES if each.modality == "audio"]
    found = check("No face was seen, so the face says nothing. No transcript: the words were not read.", voice_only)
    assert [statement.status for statement in found] == ["grounded", "grounded"]


def test_every_claim_counts_in_the_denominator() -> None:
    text = "The pitch rises [a3]. The pitch falls [a3]. She nods. He sobs. It is a fine day."
    found = check(text, CLUES)
    assert len(found) == 5
    assert len(claims(found)) == 4
    assert shares(found) == {"grounded": 0.25, "contradicted": 0.25, "unsupported": 0.25, "uncheckable": 0.25}


def test_no_claims_give_shares_of_zero() -> None:
    assert set(shares(()).values()) == {0.0}


def test_statements_name_the_clues_that_they_cite() -> None:
    (statement,) = check("Four pauses and more [a4]–[a6] [v2, v3].", CLUES)
    assert statement.clue_ids == ("a4", "a5", "a6", "v2", "v3")
