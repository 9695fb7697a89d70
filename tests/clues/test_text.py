"""Text clues and features from hand-written transcripts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from emer.clues.listening import Listening, VoiceActivity
from emer.clues.text import NAMES, TextClues
from emer.clues.word_clues import measure
from emer.kinds import kinds
from emer.types import Clue, Extract, Faults, Frame, MediaFacts, Span, Track, Transcript, Utterance, Window, Word

NO_FAULTS = Faults()


@dataclass(frozen=True)
class Silent:
    """Media of which only the length matters."""

    seconds: float = 60.0
    transcript: Transcript | None = None
    faults: Faults = NO_FAULTS

    @property
    def facts(self) -> MediaFacts:
        return MediaFacts("x.mp4", "0", Span(0.0, self.seconds), None, False, True)

    def windows(
        self, *, seconds: float = 30.0, audio: bool = True, fps: float | None = None, max_width: int = 960
    ) -> Iterator[Window]:
        return iter(())

    def sample(self, n: int, *, max_width: int = 960) -> tuple[Frame, ...]:
        return ()


def cues(*texts: str, language: str | None = "en", source: str = "sidecar:x.srt") -> Transcript:
    """One cue of two seconds per text."""
    utterances = tuple(Utterance(text, 2.0 * i, 2.0 * i + 2) for i, text in enumerate(texts))
    return Transcript(" ".join(texts), source, language, utterances)


def extract(
    transcript: Transcript | None, *, segments: tuple[Span, ...] = (), speech: tuple[Span, ...] = ()
) -> Extract:
    activity = None
    if speech:
        activity = VoiceActivity(speech, np.zeros(0, np.float32), Track("speech", "audio", "probability", 0, 0.1, ()))
    return TextClues().extract(Silent(), Listening(activity, segments, transcript))


def of_kind(found: Extract, kind: str) -> list[Clue]:
    return [clue for clue in found.clues if clue.kind == kind]


# ---------------------------------------------------------------- clues


def test_an_emotion_word_is_a_clue_with_its_place_and_weight() -> None:
    transcript = cues("I am so worried.", "Good night.")
    (clue,) = of_kind(extract(transcript), "emotion_word")
    assert clue.text == 'the words "so worried" (fearful), characters 5–15 of the transcript'
    assert transcript.text[5:15] == "so worried"
    assert (clue.start, clue.end, clue.value, clue.unit) == (0.0, 2.0, 0.78, "weight")
    assert clue.reference == "emer lexicon, weight 0 to 1"
    assert clue.quality is None


def test_a_denied_emotion_word_says_what_denies_it_and_weighs_nothing() -> None:
    (clue,) = of_kind(extract(cues("He was never really happy here.")), "emotion_word")
    assert clue.text == 'the word "happy" (happy) denied by "never", characters 20–25 of the transcript'
    assert clue.value == 0.0


def test_places_count_through_all_cues_and_what_is_not_said() -> None:
    transcript = cues("[door slams] JOHN: Hello.", "(crying) We are furious!")
    (clue,) = of_kind(extract(transcript), "emotion_word")
    start = transcript.text.index("furious")
    assert f"characters {start}–{start + 7} of" in clue.text
    assert clue.start > 2.0


def test_a_word_with_a_time_of_its_own_is_placed_there() -> None:
    words = tuple(Word(text, i, i + 0.5) for i, text in enumerate(["I", "am", "scared", "of", "you."]))
    found = extract(
        Transcript("I am scared of you.", "whisper:x", "en", (Utterance("I am scared of you.", 0, 5),), words)
    )
    (clue,) = of_kind(found, "emotion_word")
    assert (clue.start, clue.end) == (2.0, 2.5)


def test_sentiment_is_vaders_own() -> None:
    """The oracle is the package itself, on the bare sentences."""
    texts = ("I love this wonderful day.", "That was a horrible, sad mess.", "The door is open.")
    vader = SentimentIntensityAnalyzer()
    expected = [vader.polarity_scores(text) for text in texts]
    found = extract(cues(*texts))
    (positive,) = of_kind(found, "positive_words")
    (negative,) = of_kind(found, "negative_words")
    assert positive.value == expected[0]["compound"] > 0
    assert negative.value == expected[1]["compound"] < 0
    assert found.features is not None
    words = (5, 6, 4)
    for name, key in (("compound", "compound"), ("positive", "pos"), ("negative", "neg")):
        mean = sum(n * scores[key] for n, scores in zip(words, expected, strict=True)) / sum(words)
        assert found.features.get(name) == pytest.approx(mean)
    (whole,) = of_kind(found, "sentiment")
    assert whole.value == pytest.approx(found.features.get("compound"), abs=1e-4)
    assert (whole.start, whole.end) == (0.0, 6.0)


def test_curly_apostrophes_reach_vader_straight() -> None:
    """VADER lists isn't with a straight apostrophe alone."""
    curly, straight = (
        of_kind(extract(cues(text)), "sentiment")[0].value for text in ("It isn’t good.", "It isn't good.")
    )
    assert curly == straight
    assert straight is not None
    assert straight < 0


@pytest.mark.parametrize(
    ("text", "marks", "words"),
    [
        ("Stop it!!", 2, ""),
        ("I am SO tired of this.", 1, '"SO"'),
        ("GET OUT of here!", 3, '"GET" "OUT"'),
        ("That is soooo good.", 1, '"soooo"'),
        ("NASA went to the moon.", 0, ""),
        ("See www.example.org on page III.", 0, ""),
        ("Nothing to see.", 0, ""),
    ],
)
def test_emphasis_counts_marks(text: str, marks: int, words: str) -> None:
    """Counts by hand; the second cue keeps the transcript from being all capitals."""
    clues = of_kind(extract(cues(text, "And then we went home.")), "emphasis")
    assert sum(clue.value or 0 for clue in clues) == marks
    assert all(words in clue.text for clue in clues)


def test_a_transcript_set_in_capitals_is_not_shouted() -> None:
    found = extract(cues("I AM SO HAPPY TO BE HERE.", "GET OUT OF THE CAR."))
    assert not of_kind(found, "emphasis")
    assert of_kind(found, "emotion_word")[0].value == pytest.approx(0.91)


def test_clues_are_of_known_kinds_with_their_units() -> None:
    found = extract(cues("I am SO happy!!", "I hate you.", "Not sad."))
    assert {clue.kind for clue in found.clues} == {
        "sentiment",
        "emotion_word",
        "positive_words",
        "negative_words",
        "emphasis",
    }
    for clue in found.clues:
        assert clue.modality == "text"
        assert kinds()[clue.kind].unit == clue.unit
        assert clue.end >= clue.start
        assert clue.reference


# ---------------------------------------------------------------- features


def test_features_are_hand_counts() -> None:
    """Weights: angry .8 denied, worried .6 times 1.3, relieved .7, happy .7; 21 words, of which I, I'm, my and me."""
    found = extract(
        cues(
            "I am not angry!",
            "I'm very worried, and my mother was relieved.",
            "Are you happy with me?",
            "Go! Go! We are.",
        )
    )
    assert found.features is not None
    assert found.features.names == NAMES
    values = {name: found.features.get(name) for name in NAMES}
    assert values["word_count"] == 21
    assert values["emo_angry"] == 0.0
    assert values["emo_fearful"] == pytest.approx(0.78)
    assert values["emo_calm"] == pytest.approx(0.7)
    assert values["emo_happy"] == pytest.approx(0.7)
    assert values["emo_sad"] == values["emo_disgust"] == values["emo_surprised"] == 0.0
    assert values["negation_count"] == 1
    assert values["intensifier_count"] == 1
    assert values["exclamation_count"] == 3
    assert values["question_count"] == 1
    assert values["first_person_ratio"] == pytest.approx(4 / 21)


def test_feature_names_are_those_of_the_architecture() -> None:
    listed = (
        "compound, positive, negative, word_count, emo_calm, emo_happy, emo_sad, emo_angry, emo_fearful, emo_disgust, "
        "emo_surprised, negation_count, intensifier_count, exclamation_count, question_count, first_person_ratio"
    )
    assert tuple(listed.split(", ")) == NAMES


def test_each_segment_has_the_sentences_that_lie_in_it() -> None:
    transcript = cues("I am happy.", "I am angry.", "The end.")
    found = extract(transcript, segments=(Span(0.0, 2.1), Span(2.1, 4.0), Span(10.0, 12.0)))
    happy = [features.get("emo_happy") for features in found.segment_features]
    angry = [features.get("emo_angry") for features in found.segment_features]
    assert happy == [pytest.approx(0.7), 0.0, 0.0]
    assert angry == [0.0, pytest.approx(0.8), 0.0]
    assert found.segment_features[2].get("word_count") == 0
    assert found.segment_features[2].get("compound") is None


# ---------------------------------------------------------------- doubts and notices


def test_estimated_times_are_said() -> None:
    transcript = Transcript("I am happy. I am sad.", "file:x.txt", "en", (Utterance("I am happy. I am sad."),))
    with_speech = extract(transcript, speech=(Span(5.0, 8.0),))
    assert {clue.quality for clue in with_speech.clues} == {"times estimated"}
    assert all(5.0 <= clue.start <= clue.end <= 8.0 for clue in with_speech.clues)
    assert {clue.quality for clue in extract(transcript).clues} == {"times estimated over the whole clip"}


def test_unreliable_recognition_is_said() -> None:
    found = extract(cues("I am happy.", source="pocketsphinx (unreliable)"))
    assert {clue.quality for clue in found.clues} == {"unreliable speech recognition"}


def test_chinese_has_emotion_words_and_no_sentiment() -> None:
    found = extract(cues("我很难过。", "你不要担心！", language="zh"))
    assert [(clue.kind, clue.value) for clue in found.clues if clue.kind == "emotion_word"] == [
        ("emotion_word", 0.91),
        ("emotion_word", 0.0),
    ]
    assert [notice.code for notice in found.warnings] == ["no_sentiment"]
    assert found.features is not None
    assert found.features.get("compound") is None
    assert found.features.get("emo_sad") == pytest.approx(0.91)
    assert found.features.get("exclamation_count") == 1


@pytest.mark.parametrize(("code", "name"), [("de", "German (de)"), ("fr-CA", "French (fr)"), ("xx", "language 'xx'")])
def test_a_language_without_lists_has_no_clues_and_is_named(code: str, name: str) -> None:
    found = extract(cues("Ich bin happy und traurig.", language=code))
    assert (found.clues, found.features) == ((), None)
    (notice,) = found.warnings
    assert notice.code == "no_text_clues"
    assert f"the words are in {name}" in notice.text


@pytest.mark.parametrize(
    ("text", "code"), [("I am sad!", "language_assumed"), ("Я рад", "no_text_clues"), ("悲しいです", "no_text_clues")]
)
def test_an_unknown_language_is_judged_by_its_script(text: str, code: str) -> None:
    found = extract(cues(text, language=None))
    assert [notice.code for notice in found.warnings] == [code]
    assert bool(found.clues) == (code == "language_assumed")
    assert all(clue.quality == "language assumed" for clue in found.clues)


def test_without_a_transcript_the_user_is_told_what_to_do() -> None:
    found = extract(None)
    assert (found.clues, found.features) == ((), None)
    (notice,) = found.warnings
    assert notice.code == "no_transcript"
    for advice in ("--transcript FILE", ".srt", "--asr MODEL"):
        assert advice in notice.text


def test_a_transcript_of_stage_directions_alone_holds_no_words() -> None:
    found = extract(cues("[music]", "(applause)"))
    assert found.clues == ()
    assert [notice.code for notice in found.warnings] == ["no_transcript"]


def test_the_neutral_sentences_of_ravdess_say_nothing() -> None:
    """Livingstone and Russo 2018: both sentences were chosen for being neutral."""
    found = extract(cues("Kids are talking by the door.", "Dogs are sitting by the door."))
    assert [clue.kind for clue in found.clues] == ["sentiment"]
    assert found.clues[0].value == 0.0


def test_hostile_text_is_read_quickly_and_without_fault() -> None:
    strange = "((((" * 500 + "! " * 500 + "a" * 5000 + " not" * 500 + " happy" * 500 + "\u202e\ufeff\U0001f600" * 50
    found = extract(cues(strange))
    assert found.features is not None
    assert found.features.get("emo_happy") is not None


def test_measuring_is_a_pure_function_of_the_sentence() -> None:
    from emer.clues.sentences import Sentence

    sentence = Sentence("I am NOT happy, you know!", 0, Span(0, 1))
    assert measure(sentence, "en", capitals_speak=True) == measure(sentence, "en", capitals_speak=True)
    assert measure(sentence, "en", capitals_speak=True).emphasis.marks == 2
    assert measure(sentence, "en", capitals_speak=False).emphasis.marks == 1
