"""General words on a modality: true by the clues that they come from, without numbers and ids."""

import re

import pytest
from synthetic_clues import clue_set

from emer.emotions import label_set
from emer.engines.heard_words import heard, nothing, spoken_of
from emer.evidence.opinion import vacuous
from emer.grounding import check
from emer.kinds import kinds
from emer.tables import table
from emer.types import MODALITIES, Clue, Clues, Features, Modality, Request, Span


def request(*clues: Clue) -> Request:
    return Request(None, Clues(clues, {}), Span(0.0, 60.0), {}, vacuous("emer8", label_set("emer8")))


def level(name: str, kind: str, value: float, unit: str, side: str) -> Clue:
    text = f"{kind} {abs(value)} {unit} {side} neutral read speech"
    return Clue(name, "audio", kind, text, 0.0, 10.0, value, unit, "neutral read speech")


ROUGH = level("a1", "voice_roughness", 3.0, "%", "above")
SLOW = level("a2", "speech_rate", -1.0, "syllables/s", "below")
TREMOR = Clue("a3", "audio", "tremor", "voice trembles at 6.0 Hz", 1.0, 2.0, 6.0, "Hz", "")
FALL = Clue(
    "a4", "audio", "pitch_fall", "voice 4.0 semitones below this clip's median", 3.0, 4.0, -4.0, "semitones", ""
)


def test_levels_come_first_then_what_happens_in_the_order_of_what_they_tell() -> None:
    # By hand from heard_words.yaml: a slow rate of 1 lies under its scale of 1.5 in phrases.yaml, hence "rather".
    text = heard(request(ROUGH, SLOW, TREMOR, FALL), "audio")
    assert text == "The voice is rough. The speech is rather slow. The pitch falls and the voice trembles."
    assert heard(request(ROUGH, SLOW), "audio", "zh") == "嗓音粗糙。语速略慢。"


def test_what_is_as_usual_is_not_told() -> None:
    usual = level("a1", "speech_rate", 0.1, "syllables/s", "above")
    pauses = Clue("a2", "audio", "pausing", "pauses fill 12 % of the time", 0.0, 10.0, 12.0, "%", "")
    assert heard(request(usual, pauses), "audio") == ""
    often = Clue("a2", "audio", "pausing", "pauses fill 42 % of the time", 0.0, 10.0, 42.0, "%", "")
    assert heard(request(often), "audio") == "Pauses fill much of the time."


def test_at_most_so_many_things_are_told() -> None:
    assert heard(request(ROUGH, SLOW, TREMOR, FALL), "audio", most=1).count(".") == 1


@pytest.mark.parametrize("modality", MODALITIES)
def test_general_words_are_borne_out_by_the_clues_in_english_and_never_denied_in_chinese(modality: Modality) -> None:
    # The oracle is the grounding check, which knows nothing of these words' table.
    told = 0
    for seed in range(60):
        clues = clue_set(seed, 12)
        asked = request(*clues)
        english, chinese = heard(asked, modality), heard(asked, modality, "zh")
        assert not re.search(r"[\d\[\]]", english + chinese)
        assert {s.status for s in check(english, clues)} <= {"grounded"}, english
        assert {s.status for s in check(chinese, clues)} <= {"grounded", "uncheckable"}, chinese
        assert bool(english) == bool(chinese)
        told += bool(english)
    assert told > 20  # and in most of them something was told


def test_every_kind_of_clue_but_presence_and_blinks_has_words_in_both_languages() -> None:
    words = table("emer.engines", "heard_words.yaml")
    named = {**words["levels"], **words["often"], **words["events"]}
    silent = {"face_presence", "face_count", "face_appears", "face_disappears", "blink"}
    assert set(named) == set(kinds()) - silent
    assert all(set(row) == {"en", "zh"} for row in named.values())


def test_nothing_in_particular_is_no_claim() -> None:
    for modality in MODALITIES:
        assert {s.status for s in check(nothing(modality), [ROUGH, SLOW])} == {"uncheckable"}
        assert spoken_of(nothing(modality)) >= {modality} - {"text"}
        assert nothing(modality, "zh").endswith("。")


@pytest.mark.parametrize(
    ("sentence", "modalities"),
    [
        ("She frowns.", {"visual"}),
        ("Her voice trembles while she smiles.", {"audio", "visual"}),
        ("The expression is tense.", {"visual"}),
        ("She has lost her keys.", set()),
        ("The wording is friendly.", {"text"}),
        ("Taken together, this would fit someone who is sad.", set()),
        ("她皱着眉头，语气急促。", {"audio", "visual"}),
        ("他刚刚失去了工作。", set()),
    ],
)
def test_a_sentence_tells_of_the_modalities_that_a_reader_finds_in_it(sentence: str, modalities: set[Modality]) -> None:
    assert spoken_of(sentence) == modalities


def test_features_alone_say_nothing() -> None:
    measured = Features("audio", ("speech_ratio",), (0.5,), (True,), "1")
    bare = Request(None, Clues((), {"audio": measured}), Span(0.0, 1.0), {}, vacuous("emer8", label_set("emer8")))
    assert heard(bare, "audio") == ""
