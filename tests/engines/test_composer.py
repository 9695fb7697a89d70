"""The composer: order, citations, plain words for what is missing, labels from the lexicon, nothing ungrounded."""

import json
import random
import re
from dataclasses import replace
from itertools import combinations

import pytest
from synthetic_clues import ROWS, clue_set

from emer.emotions import label_set, lexicon
from emer.engines.composer import Composer
from emer.engines.engine import Engine
from emer.evidence.hints import hint
from emer.evidence.opinion import dirichlet, vacuous
from emer.grounding import claims
from emer.kinds import kinds
from emer.registry import ENGINES, load
from emer.types import (
    MODALITIES,
    Answer,
    Clue,
    Clues,
    Failure,
    Features,
    Modality,
    Opinion,
    Request,
    Segment,
    Span,
    Transcript,
)

LABELS = label_set("emer8")
WHOLE = Span(0.0, 30.0)
WORDS = Transcript("I am so glad that I was afraid of nothing.", "file:words.txt", "en")

HIGH_VOICE = Features("audio", ("f0_median_st", "f0_iqr_st"), (22.0, 9.0), (True, True), "1")
SMILING = Features(
    "visual",
    ("face_coverage", "lip_corner_pull_peak", "lip_corner_pull_share", "lip_corner_pull_mean"),
    (1.0, 30.0, 0.9, 20.0),
    (True,) * 4,
    "1",
)
GLAD = Features("text", ("emo_happy", "compound"), (2.0, 0.9), (True, True), "1")


def clue(name: str, kind: str, text: str, start: float, end: float, value: float | None, reference: str = "") -> Clue:
    return Clue(name, kinds()[kind].modality, kind, text, start, end, value, kinds()[kind].unit, reference)


RISE = clue("a2", "pitch_rise", "voice 4.1 semitones above this clip's median, 2.3–3.1 s", 2.3, 3.1, 4.13)
LEVEL = clue(
    "a1", "pitch_level", "voice 5.0 semitones above the middle of adult voices (120 to 210 Hz)", 0.0, 30.0, 5.0
)
SMILE = clue("v1", "lip_corner_pull", "lip corners pulled up by 9.0 % of the inter-ocular distance", 8.1, 9.0, 9.0)
GLAD_WORD = clue("t1", "emotion_word", 'the words "so glad" (happy), characters 5–12 of the transcript', 5.0, 6.4, 0.9)
ALL = (LEVEL, RISE, SMILE, GLAD_WORD)


def opinion(**evidence: float) -> Opinion:
    return dirichlet("emer8", LABELS, [evidence.get(label, 0.0) for label in LABELS])


def request(
    clues: tuple[Clue, ...],
    prior: Opinion | None = None,
    *,
    features: dict[str, Features] | None = None,
    transcript: Transcript | None = WORDS,
    **more: object,
) -> Request:
    features = features or {}
    opinions = {m: hint(features[m]) if m in features else vacuous("emer8", LABELS) for m in MODALITIES}
    return Request(
        media=None,
        clues=Clues(clues, features, **more),  # type: ignore[arg-type]
        span=WHOLE,
        opinions=opinions,
        prior=prior or opinion(),
        transcript=transcript,
    )


def compose(*args: object, **named: object) -> Answer:
    (answer,) = Composer().answer([request(*args, **named)])  # type: ignore[arg-type]
    assert answer.error is None, answer.error
    return answer


def ungrounded(answer: Answer) -> list[str]:
    return [f"{s.status}: {s.text}" for s in claims(answer.statements) if s.status != "grounded"]


# ---------------------------------------------------------------- what it says


def test_the_composer_is_an_engine_of_the_registry() -> None:
    engine = load("composer", ENGINES)()
    assert isinstance(engine, Engine)
    assert engine.name == "composer"


def test_voice_face_words_agreement_and_emotions_come_in_this_order() -> None:
    features = {"audio": HIGH_VOICE, "visual": SMILING, "text": GLAD}
    text = compose(ALL, opinion(happy=1.5), features=features).text
    places = [text.index(part) for part in ("[a2]", "[v1]", "[t1]", "Taken together", "\nEmotions: [")]
    assert places == sorted(places)


@pytest.mark.parametrize("present", [c for n in range(4) for c in combinations(MODALITIES, n)])
def test_every_subset_of_modalities_is_told_and_its_lack_said(present: tuple[Modality, ...]) -> None:
    answer = compose(tuple(c for c in ALL if c.modality in present), transcript=WORDS if "text" in present else None)
    missing = {
        "audio": "No voice was heard, so the voice says nothing.",
        "visual": "No face was seen, so the face says nothing.",
        "text": "No transcript: the words were not read.",
    }
    for modality, sentence in missing.items():
        assert (sentence in answer.text) is (modality not in present)
    assert {name[0] for s in answer.statements for name in s.clue_ids} == {modality[0] for modality in present}
    assert not ungrounded(answer)


def test_every_sentence_about_a_measurement_cites_its_clue() -> None:
    features = {"audio": HIGH_VOICE, "visual": SMILING, "text": GLAD}
    answer = compose(ALL, opinion(happy=1.5), features=features)
    uncited = [s.text for s in answer.statements if not s.clue_ids]
    assert all("hints from published rules" in text for text in uncited)


def test_values_units_times_and_references_are_told() -> None:
    text = compose((RISE, LEVEL)).text
    assert "4.1 semitones above this clip's median" in text
    assert "between 2.3 and 3.1 s" in text or "Between 2.3 and 3.1 s" in text
    assert "the pitch lies 5 semitones above the middle of adult voices" in text


def test_from_a_minute_on_times_are_minutes_and_seconds() -> None:
    late = replace(RISE, start=75.2, end=76.0)
    (answer,) = Composer().answer([replace(request((late,)), span=Span(0.0, 90.0))])
    assert "1:15.2" in answer.text
    assert not ungrounded(answer)


def test_many_clues_are_told_by_the_most_telling_and_a_count() -> None:
    pauses = tuple(clue(f"a{n}", "pause", f"pause of 0.5 s, {n}.0–{n}.5 s", n, n + 0.5, 0.5) for n in range(1, 5))
    others = tuple(replace(RISE, id=f"a{n}", start=n + 0.1, end=n + 0.3, value=3.0 + 0.1 * n) for n in range(5, 17))
    answer = compose(pauses + others)
    assert "the voice pauses 4 times [a1]–[a4]" in answer.text or "A further" in answer.text
    assert re.search(r"A further \d+ clues of the voice can be read in the list \[a", answer.text)
    assert len(answer.text) < 1200
    assert not ungrounded(answer)
    assert {name for s in answer.statements for name in s.clue_ids} == {c.id for c in pauses + others}


def test_what_comes_again_and_again_leaves_room_for_other_kinds() -> None:
    """In fifteen minutes of talk a hundred rises would be four sentences about rises."""
    rises = tuple(replace(RISE, id=f"a{n}", start=n / 4, end=n / 4 + 0.2) for n in range(2, 102))
    fall = clue("a102", "pitch_fall", "voice 3.1 semitones below this clip's median, 27.0–27.4 s", 27.0, 27.4, -3.1)
    pause = clue("a103", "pause", "pause of 0.5 s, 28.0–28.5 s", 28.0, 28.5, 0.5)
    text = compose((LEVEL, *rises, fall, pause)).text
    told = text[: text.index("A further")]
    assert {"[a1]", "[a102]", "[a103]"} <= set(re.findall(r"\[a\d+\]", told))
    assert "A further 99 clues of the voice" in text


def test_clues_outside_the_span_are_left_out() -> None:
    part = replace(request(ALL), span=Span(0.0, 4.0))
    (answer,) = Composer().answer([part])
    assert "[a2]" in answer.text
    assert "[v1]" not in answer.text


def test_a_face_that_was_looked_for_and_not_seen_is_cited() -> None:
    none = clue("v1", "face_presence", "a face is seen in 0 % of the pictures", 0.0, 30.0, 0.0)
    answer = compose((RISE, none))
    assert "No face was seen [v1], so the face says nothing." in answer.text
    assert not ungrounded(answer)


def test_a_failed_extractor_is_not_taken_for_silence() -> None:
    answer = compose((RISE,), failed=(Failure("visual", "no face backend"),))
    assert "The face could not be measured" in answer.text
    assert "No face was seen" not in answer.text


def test_a_doubtful_clue_says_so() -> None:
    assert "to be taken with care [v1]" in compose((replace(SMILE, quality="while speaking"),)).text


# ---------------------------------------------------------------- how modalities go together


def test_modalities_that_agree_are_said_to_point_the_same_way() -> None:
    answer = compose((SMILE, GLAD_WORD), opinion(happy=1.5), features={"visual": SMILING, "text": GLAD})
    assert "The smile [v1] and the phrase “so glad” [t1] point the same way, towards joy." in answer.text


def test_modalities_that_conflict_are_said_to_differ_and_each_is_cited() -> None:
    only_high = Features("audio", ("f0_median_st",), (22.0,), (True,), "1")
    features = {"audio": only_high, "visual": SMILING}
    answer = compose((RISE, LEVEL, SMILE), opinion(happy=1.0, fearful=0.9), features=features)
    (sentence,) = [s for s in answer.statements if "different directions" in s.text]
    assert {name[0] for name in sentence.clue_ids} == {"a", "v"}
    assert sentence.status == "grounded"


def test_a_long_clip_is_given_its_course() -> None:
    early, late = replace(RISE, id="a1", start=2.0, end=3.0), replace(SMILE, start=26.0, end=28.0)
    dull = Features("text", ("emo_sad", "compound"), (2.0, -0.9), (True, True), "1")
    segments = (
        Segment(Span(0.0, 9.0), "alas", {"text": dull}),
        Segment(Span(11.0, 19.0), "", {}),
        Segment(Span(21.0, 30.0), "so glad", {"text": GLAD}),
    )
    answer = compose((early, late), segments=segments)
    (sentence,) = [s for s in answer.statements if "From the first third" in s.text]
    assert "a more pleasant side" in sentence.text
    assert sentence.clue_ids == ("a1", "v1")
    assert sentence.status == "grounded"


# ---------------------------------------------------------------- labels


def test_labels_are_words_of_the_lexicon_in_the_leading_clusters() -> None:
    answer = compose(ALL, opinion(fearful=1.0, angry=0.9, sad=0.1), features={"audio": HIGH_VOICE})
    clusters = {entry.label: entry.cluster for entry in lexicon("en").entries}
    assert [emotion.cluster for emotion in answer.labels] == ["fearful", "angry"]
    assert all(clusters[emotion.label] == emotion.cluster for emotion in answer.labels)
    assert all(emotion.confidence is None for emotion in answer.labels)


def test_the_text_ends_with_the_labels_as_json() -> None:
    answer = compose(ALL, opinion(happy=1.5))
    last = answer.text.splitlines()[-1]
    assert json.loads(last.removeprefix("Emotions: ")) == [emotion.label for emotion in answer.labels]
    assert all(statement.text != last for statement in answer.statements)


def test_without_evidence_no_label_is_given_and_the_text_says_so() -> None:
    answer = compose(ALL, opinion())
    assert answer.labels == ()
    assert "nothing here speaks for any emotion in particular" in answer.text
    assert answer.text.endswith("Emotions: []")


def test_what_fits_three_families_alike_is_told_without_a_label() -> None:
    answer = compose(ALL, opinion(fearful=1.0, angry=0.95, happy=0.9), features={"audio": HIGH_VOICE})
    assert answer.labels == ()
    assert "fear, anger and joy would fit about alike, so that no emotion is named" in answer.text
    assert "more excitement than usual" in answer.text
    assert not ungrounded(answer)


def test_a_view_that_leans_two_ways_is_read_with_the_others() -> None:
    """A lively voice fits joy and anger about alike: with a smile it speaks for joy, and contradicts nothing."""
    lively = clue("a2", "pitch_range", "pitch range 6.0 semitones above neutral read speech", 0.0, 30.0, 6.0)
    voice = Features("audio", ("f0_iqr_st", "intensity_sd_db"), (9.0, 8.0), (True, True), "1")
    answer = compose((lively, SMILE), opinion(happy=1.0), features={"audio": voice, "visual": SMILING})
    assert "point the same way, towards joy" in answer.text


def test_neutral_is_named_only_when_the_opinion_says_so() -> None:
    answer = compose(ALL, opinion(neutral=1.0))
    assert [emotion.label for emotion in answer.labels] == ["neutral"]
    assert "this would fit a neutral state" in answer.text


def test_hints_are_called_hints() -> None:
    text = compose(ALL, opinion(happy=1.5)).text
    assert "would fit" in text
    assert "no calibrated confidence" in text


# ---------------------------------------------------------------- conduct


def random_request(seed: int) -> Request:
    chance = random.Random(seed)
    clues = [c for c in clue_set(seed, size=chance.randint(1, len(ROWS))) if chance.random() < 0.8]
    clues = [replace(c, quality="noise") if chance.random() < 0.1 else c for c in clues]
    features = {"audio": HIGH_VOICE, "visual": SMILING, "text": GLAD}
    some = {view: found for view, found in features.items() if chance.random() < 0.7}
    prior = opinion(**{label: chance.random() for label in chance.sample(LABELS, 3)})
    made = request(tuple(clues), prior, features=some, transcript=chance.choice([WORDS, None]))
    return replace(made, span=Span(0.0, 30.0) if chance.random() < 0.7 else Span(0.0, chance.uniform(5.0, 60.0)))


def test_random_clue_sets_never_give_an_ungrounded_sentence_nor_a_gender() -> None:
    answers = list(Composer().answer([random_request(seed) for seed in range(320)]))
    assert [answer.error for answer in answers if answer.error] == []
    assert [line for answer in answers for line in ungrounded(answer)] == []
    assert sum(len(claims(answer.statements)) for answer in answers) > 1200
    gendered = re.compile(r"\b(?:she|he|her|hers|him|his|herself|himself|man|woman|male|female)\b", re.IGNORECASE)
    assert [answer.text for answer in answers if gendered.search(answer.text)] == []


def test_every_kind_of_clue_has_a_wording_that_is_grounded() -> None:
    """Each kind alone, as three ids (three wordings), with a value, without one, and above and below a reference."""
    wrong = []
    for kind in kinds().values():
        for n, tail in enumerate(("", " above this clip's median", " below this clip's median"), start=1):
            for value in (None, 1.0, 12.34):
                text = f"{kind.title}{'' if value is None else f' {value} {kind.unit}'}{tail}"
                lone = Clue(f"{kind.modality[0]}{n}", kind.modality, kind.name, text, 3.0, 4.2, value, kind.unit, "x")
                if tail and kind.opposite:
                    continue
                wrong += [f"{kind.name}: {line}" for line in ungrounded(compose((lone,)))]
                many = tuple(replace(lone, id=f"{lone.id[0]}{i}", start=i, end=i + 0.5) for i in range(1, 6))
                wrong += [f"{kind.name}: {line}" for line in ungrounded(compose(many))]
    assert wrong == []


def test_the_same_request_gives_the_same_answer() -> None:
    assert compose(ALL, opinion(happy=1.0)) == compose(ALL, opinion(happy=1.0))


def test_a_request_that_fails_names_its_exception_and_stops_no_other() -> None:
    good = request(ALL)
    broken = replace(good, clues=replace(good.clues, items=(replace(RISE, kind="no_such_kind"),)))
    answers = list(Composer().answer([good, broken, good]))
    assert [answer.error is None for answer in answers] == [True, False, True]
    assert answers[1].error is not None
    assert re.match(r"\w+Error: ", answers[1].error)
    assert answers[0] == answers[2]
