"""Utterances, against cuts made by hand."""

import pytest

from emer.clues.segments import LONGEST, utterances
from emer.types import Span, Transcript, Utterance


def said(*times: tuple[float, float]) -> Transcript:
    return Transcript("…", "sidecar:x.srt", "en", tuple(Utterance("words", start, end) for start, end in times))


def test_a_pause_of_the_voice_ends_an_utterance() -> None:
    speech = [Span(0.5, 2.0), Span(2.3, 4.0), Span(5.0, 7.0)]  # pauses of 0.3 s and 1.0 s
    assert utterances(Span(0, 8), speech, None) == (Span(0.5, 4.0), Span(5.0, 7.0))


def test_a_timed_transcript_decides_over_the_pauses() -> None:
    speech = [Span(0.0, 8.0)]
    assert utterances(Span(0, 8), speech, said((0, 3), (3.5, 8))) == (Span(0, 3), Span(3.5, 8))


def test_one_utterance_is_the_clip_itself() -> None:
    assert utterances(Span(0, 4), [Span(0.2, 3.9)], None) == ()


def test_a_short_utterance_joins_its_neighbour() -> None:
    assert utterances(Span(0, 9), [], said((0, 3), (3.2, 3.7), (5, 9))) == (Span(0, 3.7), Span(5, 9))
    assert utterances(Span(0, 9), [], said((0, 0.4), (1, 4), (5, 9))) == (Span(0, 4), Span(5, 9))


def test_overlapping_subtitles_do_not_overlap_as_segments() -> None:
    assert utterances(Span(0, 9), [], said((0, 5), (3, 9))) == (Span(0, 5), Span(5, 9))


def test_a_long_monologue_is_cut_evenly() -> None:
    parts = utterances(Span(0, 40), [Span(0, 40)], None)
    assert len(parts) == 3  # 40 s in parts of at most 15 s
    assert all(part.duration == pytest.approx(40 / 3) and part.duration <= LONGEST for part in parts)


def test_a_long_silent_clip_is_cut_evenly_and_a_short_one_is_not() -> None:
    assert len(utterances(Span(0, 60), [], None)) == 4
    assert utterances(Span(0, 20), [], None) == ()


def test_segments_stay_inside_the_part_that_is_read() -> None:
    parts = utterances(Span(2, 7), [], said((0, 4), (4, 9), (10, 12)))
    assert parts == (Span(2, 4), Span(4, 7))


def test_untimed_lines_leave_the_cut_to_the_voice() -> None:
    text = Transcript("a b", "file:x.txt", "en", (Utterance("a"), Utterance("b")))
    assert utterances(Span(0, 8), [Span(0, 3), Span(4, 8)], text) == (Span(0, 3), Span(4, 8))
