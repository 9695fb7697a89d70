"""What a sentence says of emotion: its emotion words, its sentiment, its emphasis."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from emer.clues.sentences import Sentence
from emer.emotions import Reading, reader
from emer.emotions.lexicon import WORD
from emer.emotions.scope import Token, is_drawn_out

FIRST_PERSON = frozenset(["i", "me", "my", "mine", "myself", "i'm", "i've", "i'd", "i'll", "我", "俺"])
"""First person singular (Pennebaker's use)."""
SHORTEST_CAPITALS = 2
"""Neighbouring words in capitals that count as emphasis; a single one may be a name or an abbreviation."""


@dataclass(frozen=True, slots=True)
class Sentiment:
    """VADER's scores of a sentence (Hutto and Gilbert 2014)."""

    compound: float
    """-1 to 1."""
    positive: float
    """Share of the words, 0 to 1."""
    negative: float


@dataclass(frozen=True, slots=True)
class Emphasis:
    """Marks of emphasis in a sentence."""

    exclamations: int
    capitals: tuple[str, ...]
    drawn_out: tuple[str, ...]

    @property
    def marks(self) -> int:
        return self.exclamations + len(self.capitals) + len(self.drawn_out)


@dataclass(frozen=True, slots=True)
class SaidSentence:
    """A sentence with all that is measured in it."""

    sentence: Sentence
    readings: tuple[Reading, ...]
    sentiment: Sentiment | None
    """None outside English: VADER has no other language."""
    emphasis: Emphasis
    words: int
    negations: int
    intensifiers: int
    questions: int
    first_person: int


def measure(sentence: Sentence, language: str, *, capitals_speak: bool) -> SaidSentence:
    """Read a sentence. `capitals_speak` is False where the whole transcript is set in capitals."""
    text = sentence.text
    tokens = reader(language).tokens(text)
    words = [word for token in tokens if token.role != "stop" for word in token.text.split()]
    return SaidSentence(
        sentence=sentence,
        readings=reader(language).readings(text),
        sentiment=sentiment(text) if language == "en" else None,
        emphasis=_emphasis(text, tokens, capitals_speak),
        words=len(words),
        negations=sum(token.role == "negator" for token in tokens),
        intensifiers=sum(_intensifies(tokens, i, reader(language).subjects) for i in range(len(tokens))),
        questions=len(re.findall(r"[?？]+", text)),
        first_person=sum(word.replace("’", "'") in FIRST_PERSON for word in words),
    )


def sentiment(text: str) -> Sentiment:
    """VADER's scores of an English sentence.

    >>> sentiment("I love this.").compound
    0.6369
    """
    scores = _vader().polarity_scores(text.replace("’", "'"))
    return Sentiment(scores["compound"], scores["pos"], scores["neg"])


@cache
def _vader() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


def _intensifies(tokens: tuple[Token, ...], i: int, subjects: frozenset[str]) -> bool:
    """Whether token `i` strengthens what follows: not the `so` of "so I went", not the `much` at an end."""
    if tokens[i].role != "strengthener" or i + 1 == len(tokens):
        return False
    following = tokens[i + 1]
    return following.role in ("word", "emotion", "strengthener") and following.text not in subjects


def _emphasis(text: str, tokens: tuple[Token, ...], capitals_speak: bool) -> Emphasis:
    words = [(found[0], found.start()) for found in WORD.finditer(text)]
    return Emphasis(
        exclamations=len(re.findall(r"[!！]", text)),
        capitals=tuple(_capitals(words, tokens)) if capitals_speak else (),
        drawn_out=tuple(word for word, _ in words if is_drawn_out(word)),
    )


def _capitals(words: list[tuple[str, int]], tokens: tuple[Token, ...]) -> Iterator[str]:
    """Words in capitals: two neighbours, or one that is an emotion, degree or negation word (`SO`, `NOT`)."""
    weighty = {t.start for t in tokens if t.role in ("emotion", "negator", "strengthener", "weakener")}
    loud = [word.isupper() and len(word) > 1 and word.lower() != word.upper() for word, _ in words]
    for i, (word, start) in enumerate(words):
        # `I` is always a capital: it joins capitals around it, but is none itself.
        near = [j for j in (i - 1, i + 1) if 0 <= j < len(words) and (loud[j] or words[j][0] == "I")]
        if loud[i] and (start in weighty or (near and len(word) >= SHORTEST_CAPITALS)):
            yield word
