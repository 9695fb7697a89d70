"""A longer clip is read utterance by utterance: where one ends and the next begins."""

from collections.abc import Sequence
from itertools import pairwise

from emer.types import Span, Transcript

SHORTEST = 1.0
"""Seconds. A shorter utterance ("yes.") joins its neighbour: prosody needs about a second of voice."""

LONGEST = 15.0
"""Seconds. A longer stretch of speech without a pause is cut into equal parts."""

PAUSE = 0.6
"""Seconds of silence that end an utterance where no transcript says so."""

SILENT_STRETCH = 15.0
"""Seconds per segment where nobody speaks at all, for clips of at least two such stretches."""


def utterances(whole: Span, speech: Sequence[Span], transcript: Transcript | None) -> tuple[Span, ...]:
    """The utterances of a clip in order, without overlap; empty when there is one only (the clip itself).

    A timed transcript decides; else the pauses of the voice do; a clip in which nobody speaks is cut evenly.

    >>> utterances(Span(0, 9), [Span(0.5, 3.0), Span(4.0, 8.0)], None)
    (Span(start=0.5, end=3.0), Span(start=4.0, end=8.0))
    """
    found = _timed(transcript) or _by_pauses(speech)
    if not found:
        return _even(whole, SILENT_STRETCH) if whole.duration >= 2 * SILENT_STRETCH else ()
    inside = [Span(max(s.start, whole.start), min(s.end, whole.end)) for s in found if s.overlap(whole) > 0]
    parts = [part for span in _long_enough(_without_overlap(inside)) for part in _even(span, LONGEST)]
    return tuple(parts) if len(parts) > 1 else ()


def _timed(transcript: Transcript | None) -> list[Span]:
    if transcript is None:
        return []
    timed = [Span(u.start, u.end) for u in transcript.utterances if u.start is not None and u.end is not None]
    return sorted((span for span in timed if span.duration > 0), key=lambda span: (span.start, span.end))


def _by_pauses(speech: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in speech:
        if joined and span.start - joined[-1].end < PAUSE:
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return joined


def _without_overlap(spans: Sequence[Span]) -> list[Span]:
    """Subtitles may overlap; the later one begins where the earlier one ends."""
    clean: list[Span] = []
    for span in spans:
        start = max(span.start, clean[-1].end) if clean else span.start
        if span.end > start:
            clean.append(Span(start, span.end))
    return clean


def _long_enough(spans: Sequence[Span]) -> list[Span]:
    """Short utterances join the one before them, or, at the beginning, the one after."""
    joined: list[Span] = []
    for span in spans:
        if joined and min(span.duration, joined[-1].duration) < SHORTEST:
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return joined


def _even(span: Span, longest: float) -> tuple[Span, ...]:
    parts = max(1, int(-(-span.duration // longest)))
    edges = [span.start + span.duration * i / parts for i in range(parts)] + [span.end]
    return tuple(Span(a, b) for a, b in pairwise(edges))
