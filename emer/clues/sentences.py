"""A transcript as sentences with times.

What is not said (stage directions in brackets, speaker names, tags, notes of music) is blanked out, letter by
letter, so that character positions stay those of the transcript. Where an utterance holds several sentences its
time is shared out by characters; a text without times is spread over the speech of the clip by characters.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from jaxtyping import Float64

from emer.emotions.scope import mostly_capitals
from emer.types import Span, Transcript, Utterance

LONGEST_GAP = 2.0
"""Seconds between two subtitle cues over which a sentence may go on."""
PUNCTUATED = 0.5
"""Share of utterances with a full stop from which on an utterance without one goes on in the next."""

_BREAK = "\x1e"
"""Stands in a blanked text where a new turn or a song begins or ends: white space that ends a sentence."""
_NOT_SAID = re.compile(
    r"<[^>\n]{1,60}>|\{\\[^}\n]*\}|\[[^\]]{0,120}\]|\([^)]{0,120}\)|（[^）]{0,120}）|【[^】]{0,120}】|>>+"
)
_SPEAKER = re.compile(r"\b(?:(?:DR|MR|MRS|MS|PROF|ST)\. )?[A-Z][A-Z0-9'’-]+(?: [A-Z0-9'’-]+){0,2}:(?=\s)")
_TURN = re.compile(r"[♪♫]+|(?:^|(?<=\s))[-–](?=\s+[A-Z\[(<♪\"“])", re.MULTILINE)
_JUST_BEFORE = 1e-6
"""Characters: a piece ends just before the next may begin, so that a shared border keeps both its times."""
_FULL_STOP = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？…]+[”’」』）]*|\x1e+")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|e\.g|i\.e)|\b[A-Z])\.$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a transcript: `text` stands at characters `first` to `first + len(text)` of it."""

    text: str
    """What is not said is blank."""
    first: int
    span: Span


@dataclass(frozen=True, slots=True)
class KnownTimes:
    """Characters with known times; between them time goes with the characters."""

    characters: Float64[np.ndarray, "knot"]
    seconds: Float64[np.ndarray, "knot"]
    exact: bool
    """Each word has a time of its own."""
    estimated: bool = False

    def span(self, first: int, last: int) -> Span:
        """When the characters `first` up to `last` are heard."""
        start, end = np.interp([first, last - _JUST_BEFORE], self.characters, self.seconds)
        return Span(round(float(start), 3), round(float(max(start, end)), 3))


@dataclass(frozen=True, slots=True)
class SpreadTimes:
    """A text without times, laid over stretches of speech one after another."""

    said: tuple[int, ...]
    """Letters said before each character, and in all."""
    speech: tuple[Span, ...]
    heard: tuple[float, ...]
    """Seconds of speech before each stretch, and in all."""
    exact: bool = False
    estimated: bool = True

    def span(self, first: int, last: int) -> Span:
        """When the characters `first` up to `last` are thought to be heard."""
        heard = self.heard
        share = heard[-1] / max(1, self.said[-1])
        start, end = self.said[first] * share, self.said[last] * share
        # A sentence begins in the stretch that opens at its time, and ends in the one that closes there.
        a = min(bisect_right(heard, start + 1e-9), len(self.speech)) - 1
        b = max(bisect_left(heard, end - 1e-9), 1) - 1
        begin = self.speech[a].start + start - heard[a]
        return Span(round(begin, 3), round(max(begin, self.speech[b].start + end - heard[b]), 3))


Times = KnownTimes | SpreadTimes


@dataclass(frozen=True, slots=True)
class Script:
    """A transcript read for its sentences."""

    sentences: tuple[Sentence, ...]
    times: Times


def read(transcript: Transcript, speech: Sequence[Span], whole: Span) -> Script:
    """The sentences of a transcript. `speech` are the stretches where someone speaks, within `whole`.

    >>> script = read(Transcript("No! I am glad.", "x", "en", (Utterance("No! I am glad.", 0.0, 1.4),)), (), Span(0, 2))
    >>> [(s.text, s.first, s.span.start, s.span.end) for s in script.sentences]
    [('No!', 0, 0.0, 0.3), ('I am glad.', 4, 0.4, 1.4)]
    """
    text, places = located(transcript)
    said = blanked(text)
    times = _times(transcript, text, places, said, tuple(speech) or (whole,))
    bounds = [bound for piece in _joined(said, places, transcript.utterances) for bound in _cut(said, *piece)]
    sentences = (Sentence(said[first:last], first, times.span(first, last)) for first, last in bounds)
    # Of a part of a clip only the sentences that are heard in it count.
    return Script(tuple(s for s in sentences if s.span.start <= whole.end and s.span.end >= whole.start), times)


def blanked(text: str) -> str:
    """The text with all that is not said turned into white space, of the same length.

    >>> blanked("ANNA: (sobbing) No.")
    '                No.'
    """
    turns = _TURN.sub(lambda found: _BREAK * len(found[0]), text)
    said = _NOT_SAID.sub(lambda found: " " * len(found[0]), turns)
    # In a text set in capitals a speaker's name looks like any word before a colon.
    return said if mostly_capitals(text) else _SPEAKER.sub(lambda found: " " * len(found[0]), said)


def located(transcript: Transcript) -> tuple[str, list[tuple[int, int]]]:
    """The text, and where each utterance stands in it; white space may differ.

    Utterances that are not found in the transcript's text become the text themselves.
    """
    places: list[tuple[int, int]] = []
    at = 0
    for utterance in transcript.utterances:
        found = re.compile(r"\s+".join(map(re.escape, utterance.text.split()))).search(transcript.text, at)
        if found is None:
            text = "\n".join(each.text for each in transcript.utterances)
            ends = list(accumulate(len(each.text) + 1 for each in transcript.utterances))
            starts = [0, *ends[:-1]]
            return text, [(a, b - 1) for a, b in zip(starts, ends, strict=True)]
        places.append(found.span())
        at = found.end()
    return transcript.text, places


def _times(
    transcript: Transcript, text: str, places: Sequence[tuple[int, int]], said: str, speech: tuple[Span, ...]
) -> Times:
    if knots := _word_knots(transcript, text):
        return KnownTimes(np.array(knots[0], np.float64), np.array(knots[1], np.float64), exact=True)
    timed = [(u.start, u.end) for u in transcript.utterances if u.start is not None and u.end is not None]
    if timed and len(timed) == len(transcript.utterances):
        characters = [edge for a, b in places for edge in (a, b - _JUST_BEFORE)]
        seconds = [edge for time in timed for edge in time]
        return KnownTimes(np.array(characters, np.float64), np.array(seconds, np.float64), exact=False)
    letters = tuple(accumulate((not letter.isspace() for letter in said), initial=0))
    return SpreadTimes(letters, speech, tuple(accumulate((span.duration for span in speech), initial=0.0)))


def _word_knots(transcript: Transcript, text: str) -> tuple[list[float], list[float]] | None:
    """Where each timed word stands and when; None without words, or when one of them is not in the text."""
    if not transcript.words:
        return None
    characters: list[float] = []
    seconds: list[float] = []
    at = 0
    for word in transcript.words:
        written = word.text.strip()
        place = text.find(written, at)
        if place < 0 or not written:
            return None
        at = place + len(written)
        characters += [float(place), at - _JUST_BEFORE]
        seconds += [word.start, word.end]
    return characters, seconds


def _joined(said: str, places: Sequence[tuple[int, int]], utterances: Sequence[Utterance]) -> Iterator[tuple[int, int]]:
    """Stretches of text that hold whole sentences: utterances, joined where a sentence goes on in the next."""
    if not places:
        places = [found.span() for found in re.finditer(r"[^\n]+", said)]
        utterances = [Utterance(said[a:b]) for a, b in places]
    spoken = [said[a:b].strip() for a, b in places]
    ended = [bool(re.search(r"[.!?…。！？][\"'”’)\]」』）]*$", words)) for words in spoken]
    heard = [words for words in spoken if words]
    punctuated = sum(ended) >= PUNCTUATED * len(heard)
    first: int | None = None
    for i, (a, b) in enumerate(places):
        first = a if first is None else first
        last_one = i + 1 == len(places)
        goes_on = punctuated and not ended[i] and not last_one and bool(spoken[i]) and _near(utterances[i : i + 2])
        if not goes_on or (not last_one and said[b : places[i + 1][0]].count("\n") > 1):
            yield first, b
            first = None


def _near(pair: Sequence[Utterance]) -> bool:
    before, after = pair
    return before.end is None or after.start is None or after.start - before.end <= LONGEST_GAP


def _cut(said: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    """The sentences of a stretch of text, without the white space around them."""
    text = said[first:last]
    ends = [found.end() for found in _FULL_STOP.finditer(text) if _is_end(text, found)]
    for a, b in pairwise([0, *ends, len(text)]):
        stripped = text[a:b].strip()
        if any(letter.isalnum() for letter in stripped):
            start = first + a + text[a:b].index(stripped)
            yield start, start + len(stripped)


def _is_end(text: str, stop: re.Match[str]) -> bool:
    before, after = text[max(0, stop.end() - 8) : stop.end()], text[stop.end() : stop.end() + 8]
    if stop[0] == "." and _ABBREVIATION.search(before):
        return before.endswith(" I.")
    # "Well... maybe" and `"Stop!" she said` go on.
    may_go_on = stop[0].startswith(("..", "…")) or stop[0][-1] in "\"'”’"
    return not (may_go_on and re.match(r"\s+[a-z]", after))
