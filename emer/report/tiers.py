"""An explanation as annotation tiers: named rows of labelled stretches of time that never overlap.

Praat and ELAN forbid overlapping intervals in one tier, and clues do overlap. So a row whose marks overlap
becomes several tiers, `face clues`, `face clues 2`, ...; each mark goes to the first tier with room for it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from emer.report.wording import label_list, prose
from emer.types import Explanation, Modality

CLUE_TIERS: dict[Modality, str] = {"audio": "voice clues", "visual": "face clues", "text": "word clues"}

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 forbids even when escaped; Praat has no use for them either."""

SHORTEST = 0.001
"""Seconds. Neither format knows an interval without length: a moment becomes a millisecond."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A label from `start` to `end` (seconds, whole milliseconds, `end > start`)."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Tier:
    """Marks in time order that do not overlap."""

    name: str
    marks: tuple[Mark, ...]


def tiers(explanation: Explanation) -> tuple[Tier, ...]:
    """Utterances, words, clues per modality, emotions and explanations per segment; empty rows are left out."""
    found = [*_spoken(explanation)]
    for modality, name in CLUE_TIERS.items():
        clues = (clue for clue in explanation.clues if clue.modality == modality)
        marks = [mark(clue.start, clue.end, f"{clue.id} {clue.text}") for clue in clues]
        found += _rows(name, marks)
    parts = explanation.segments or (explanation,)
    found += _rows("emotions", [mark(p.clip.start, p.clip.end, label_list(p.emotions)) for p in parts])
    found += _rows("explanation", [mark(p.clip.start, p.clip.end, prose(p)) for p in parts])
    return tuple(found)


def mark(start: float, end: float, text: str) -> Mark:
    """A mark on whole milliseconds, at least one of them long, its text on one line and legal in XML."""
    first = round(max(0.0, start), 3)
    return Mark(first, max(round(end, 3), round(first + SHORTEST, 3)), " ".join(NOT_XML.sub("\ufffd", text).split()))


def last_time(explanation: Explanation, found: Iterable[Tier]) -> float:
    """Where the tiers end: the end of the clip, or of the last mark when that is later (s)."""
    ends = [mark.end for tier in found for mark in tier.marks]
    return max(round(explanation.clip.end, 3), SHORTEST, *ends)


def _spoken(explanation: Explanation) -> list[Tier]:
    transcript = explanation.transcript
    if transcript is None:
        return []
    timed = [(u.start, u.end, u.text) for u in transcript.utterances]
    utterances = [mark(start, end, text) for start, end, text in timed if start is not None and end is not None]
    words = [mark(word.start, word.end, word.text) for word in transcript.words or ()]
    return [*_rows("utterances", utterances), *_rows("words", words)]


def _rows(name: str, marks: list[Mark]) -> list[Tier]:
    """First fit: every mark in the first row whose last mark has ended."""
    rows: list[list[Mark]] = []
    for item in sorted(marks, key=lambda m: (m.start, m.end)):
        free = next((row for row in rows if row[-1].end <= item.start), None)
        if free is None:
            rows.append([item])
        else:
            free.append(item)
    return [Tier(name if i == 0 else f"{name} {i + 1}", tuple(row)) for i, row in enumerate(rows)]
