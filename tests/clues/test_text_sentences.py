"""Transcripts as sentences: where they end, when they are said, and what in them is not said at all."""

import pytest

from emer.clues.sentences import Script, blanked, read
from emer.types import Span, Transcript, Utterance, Word

WHOLE = Span(0.0, 60.0)


def script(*cues: tuple[str, float | None, float | None], words: tuple[Word, ...] | None = None) -> Script:
    """The way emer.media joins cues: by one space."""
    utterances = tuple(Utterance(*cue) for cue in cues)
    return read(Transcript(" ".join(u.text for u in utterances), "x", "en", utterances, words), (), WHOLE)


def texts(found: Script) -> list[str]:
    return [" ".join(sentence.text.split()) for sentence in found.sentences]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("I came. I saw! Did I win? Yes.", ["I came.", "I saw!", "Did I win?", "Yes."]),
        ("Dr. Smith and Mrs. Jones paid 3.5 dollars.", ["Dr. Smith and Mrs. Jones paid 3.5 dollars."]),
        ("Well... maybe not. Then...Go!", ["Well... maybe not.", "Then...Go!"]),
        ("Well... Maybe.", ["Well...", "Maybe."]),
        ('"Stop it!" she said. "No."', ['"Stop it!" she said.', '"No."']),
        ("It was J. R. Ewing. So am I. You too.", ["It was J. R. Ewing.", "So am I.", "You too."]),
        ("no full stop", ["no full stop"]),
        ("What?! No way!!! ...", ["What?!", "No way!!!"]),
        ("- Are you angry? - No. - Good.", ["Are you angry?", "No.", "Good."]),
        ("♪ Happy days are here ♪ He left.", ["Happy days are here", "He left."]),
        ("我很难过。你呢？我没事！", ["我很难过。", "你呢？", "我没事！"]),
        ("[door slams] (sighs) <i>I know.</i> {\\an8}Right.", ["I know.", "Right."]),
        ("MARY: I know. DR. NO: So what? >> Nothing.", ["I know.", "So what?", "Nothing."]),
        ("Get OUT. JOHN: No.", ["Get OUT.", "No."]),
        ("[music]", []),
        ("♪ ♪", []),
        ("...", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, sentences: list[str]) -> None:
    assert texts(script((text, 0.0, 10.0))) == sentences


def test_what_is_not_said_is_blanked_in_place() -> None:
    text = "(sobbing) JOHN: I am [door] fine. ♪ la ♪"
    assert len(blanked(text)) == len(text)
    assert blanked(text).split() == ["I", "am", "fine.", "la"]


def test_names_before_a_colon_are_words_in_a_text_set_in_capitals() -> None:
    assert blanked("LOOK: I AM HERE").split() == ["LOOK:", "I", "AM", "HERE"]


def test_a_sentence_may_run_over_two_cues() -> None:
    found = script(("I am so glad.", 0.0, 1.0), ("I was not", 1.0, 2.0), ("Angry at all.", 2.2, 3.2))
    assert texts(found) == ["I am so glad.", "I was not Angry at all."]
    assert found.sentences[1].span == Span(1.0, 3.2)


def test_a_sentence_does_not_run_over_a_long_gap() -> None:
    found = script(("I am glad.", 0.0, 1.0), ("Good.", 1.0, 2.0), ("I was not", 2.0, 3.0), ("angry.", 9.0, 10.0))
    assert texts(found) == ["I am glad.", "Good.", "I was not", "angry."]


def test_without_full_stops_each_cue_is_a_sentence() -> None:
    found = script(("i was not", 0.0, 1.0), ("angry at all", 1.0, 2.0), ("so what", 2.0, 3.0))
    assert texts(found) == ["i was not", "angry at all", "so what"]


def test_the_time_of_an_utterance_is_shared_out_by_characters() -> None:
    """By hand: 21 characters in 21 s; the second sentence has characters 6 to 21."""
    found = script(("I am. I was not here.", 10.0, 31.0))
    assert [sentence.span for sentence in found.sentences] == [Span(10.0, 15.0), Span(16.0, 31.0)]


def test_times_of_words_are_used_where_there_are_any() -> None:
    words = tuple(Word(text, i, i + 0.5) for i, text in enumerate(["I", "am.", "You", "are", "not."], start=3))
    found = script(("I am. You are not.", 3.0, 7.5), words=words)
    assert [sentence.span for sentence in found.sentences] == [Span(3.0, 4.5), Span(5.0, 7.5)]
    assert found.times.exact
    first = "I am. You are not.".index("are")
    assert found.times.span(first, first + 3) == Span(6.0, 6.5)


def test_words_that_are_not_in_the_text_do_not_set_its_times() -> None:
    found = script(("I am here.", 3.0, 5.0), words=(Word("elsewhere", 0.0, 1.0),))
    assert not found.times.exact
    assert found.sentences[0].span == Span(3.0, 5.0)


def test_text_without_times_is_spread_over_the_speech() -> None:
    """By hand: 2 sentences of 10 letters each over 2 s and 2 s of speech: one sentence per stretch."""
    transcript = Transcript("abcdefghi. jklmnopqr.", "x", "en", ())
    found = read(transcript, (Span(5.0, 7.0), Span(20.0, 22.0)), WHOLE)
    assert [sentence.span for sentence in found.sentences] == [Span(5.0, 7.0), Span(20.0, 22.0)]
    assert found.times.estimated


def test_a_sentence_without_times_may_span_a_pause() -> None:
    """By hand: 30 letters over 3 s of speech; the second sentence has letters 10 to 30, from 1 s to 3 s of speech."""
    transcript = Transcript("abcdefghi. jklmnopqrstuvwxyzabc.", "x", "en", ())
    found = read(transcript, (Span(0.0, 2.0), Span(10.0, 11.0)), WHOLE)
    assert [(s.span.start, round(s.span.end, 2)) for s in found.sentences] == [(0.0, 0.97), (0.968, 11.0)]


def test_text_without_times_and_speech_is_spread_over_the_clip() -> None:
    found = read(Transcript("abcd. efgh.", "x", "en", ()), (), Span(10.0, 20.0))
    assert [sentence.span for sentence in found.sentences] == [Span(10.0, 15.0), Span(15.0, 20.0)]


def test_lines_of_a_plain_text_are_sentences_unless_they_go_on() -> None:
    lines = ("First line.", "Second goes", "on here.", "Third.")
    utterances = tuple(Utterance(line) for line in lines)
    found = read(Transcript(" ".join(lines), "x", "en", utterances), (), WHOLE)
    assert texts(found) == ["First line.", "Second goes on here.", "Third."]


def test_places_are_those_of_the_transcript() -> None:
    transcript = Transcript("One.\n\nTwo  words.", "x", "en", (Utterance("One.", 0, 1), Utterance("Two words.", 1, 2)))
    found = read(transcript, (), WHOLE)
    assert [transcript.text[s.first : s.first + len(s.text)] for s in found.sentences] == ["One.", "Two  words."]


def test_utterances_that_the_text_lacks_become_the_text() -> None:
    transcript = Transcript("Something else", "x", "en", (Utterance("One.", 0, 1), Utterance("Two.", 1, 2)))
    assert texts(read(transcript, (), WHOLE)) == ["One.", "Two."]


def test_sentences_outside_the_part_of_the_clip_are_left_out() -> None:
    transcript = Transcript("One. Two.", "x", "en", (Utterance("One.", 0, 1), Utterance("Two.", 30, 31)))
    assert texts(read(transcript, (), Span(20, 40))) == ["Two."]
