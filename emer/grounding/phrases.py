"""Phrases as `kinds.yaml` and `words.yaml` write them, found in a sentence."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from emer.kinds import kinds
from emer.tables import table

_BARRIER = r"(?!(?:and|but|while|whereas|or|yet|then|as|although|though|because|before|after|until)\b)"
"""Words over which a gap does not reach: "raised brows and a lowered voice" lowers no brows."""
_GAP = rf"(?:[\s-]+{_BARRIER}[^\s,;:()]+){{0,4}}?[\s-]+"


@dataclass(frozen=True, slots=True)
class Phrase:
    """One compiled phrase. `direction` is 1 (above), -1 (below) or 0 (either)."""

    pattern: re.Pattern[str]
    stems: tuple[tuple[str, ...], ...]
    direction: int


@cache
def compile_phrase(phrase: str) -> Phrase:
    """Compile one phrase.

    >>> compile_phrase("brow|brows _ rais*").pattern.search("the brows are raised")[0]
    'brows are raised'
    """
    direction = 1 if phrase.endswith("↑") else -1 if phrase.endswith("↓") else 0
    tokens = phrase.rstrip("↑↓ ").lower().split()
    pattern, stems, gap = "", [], ""
    for token in tokens:
        if token == "_":
            gap = _GAP
            continue
        stems.append(tuple(part.rstrip("*") for part in token.split("|")))
        pattern += gap + "(?:" + "|".join(re.escape(part).replace(r"\*", r"\w*") for part in token.split("|")) + ")"
        gap = r"[\s-]+"
    return Phrase(re.compile(rf"(?<!\w){pattern}(?!\w)"), tuple(stems), direction)


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch of a sentence and what it may mean."""

    start: int
    end: int
    meanings: frozenset[tuple[str, int]]
    """Names (of kinds, of modalities) with a direction."""


def find_all(phrases: Iterable[tuple[Phrase, str]], text: str) -> list[Found]:
    """Every phrase in lower-cased `text`; a lone word inside a longer phrase is not found twice.

    Phrases that end alike are one: in "the sentiment of the words is negative" the words are not a second thing.
    """
    meanings: dict[tuple[int, int], set[tuple[str, int]]] = {}
    lone: set[tuple[int, int]] = set()
    for phrase, name in phrases:
        # Looking for the stems first spares most of the patterns: ten times as fast.
        if all(any(stem in text for stem in token) for token in phrase.stems):
            for match in phrase.pattern.finditer(text):
                meanings.setdefault(match.span(), set()).add((name, phrase.direction))
                if len(phrase.stems) == 1:
                    lone.add(match.span())
    for span in sorted(meanings, key=lambda span: span[1] - span[0]):
        longer = [other for other in meanings if _inside(span, other)]
        if span in lone and longer:
            del meanings[span]
        elif alike := [other for other in longer if other[1] == span[1]]:
            meanings[max(alike, key=lambda other: other[1] - other[0])] |= meanings.pop(span)
    return [Found(*span, frozenset(meanings[span])) for span in sorted(meanings)]


def _inside(span: tuple[int, int], other: tuple[int, int]) -> bool:
    return span != other and other[0] <= span[0] and span[1] <= other[1]


def words() -> Mapping[str, Any]:
    """The table `words.yaml`."""
    rows: Mapping[str, Any] = table("emer.grounding", "words.yaml")
    return rows


@cache
def behaviour_phrases() -> tuple[tuple[Phrase, str], ...]:
    """Every phrase of every kind of clue."""
    return tuple((compile_phrase(phrase), kind.name) for kind in kinds().values() for phrase in kind.words)


@cache
def absence_phrases() -> tuple[tuple[Phrase, str], ...]:
    return tuple((compile_phrase(phrase), name) for name, row in words()["absences"].items() for phrase in row)


@cache
def unmeasured_phrases() -> tuple[tuple[Phrase, str], ...]:
    return tuple((compile_phrase(phrase), "unmeasured") for phrase in words()["unmeasured"])


@cache
def alternatives(*path: str) -> str:
    """A list of `words.yaml` as a regular expression, longest first."""
    rows: Any = words()
    for name in path:
        rows = rows[name]
    return "|".join(sorted((re.escape(str(word).lower()) for word in rows), key=len, reverse=True))
