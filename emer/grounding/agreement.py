"""One clue against one part of a sentence: does it mean this behaviour, lie at this time, have this number?"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from emer.grounding.numbers import Number, canonical, numbers
from emer.grounding.phrases import words
from emer.grounding.reading import directions_in
from emer.kinds import kinds
from emer.types import Clue

Meanings = frozenset[tuple[str, int]]
"""Kinds of clue, each with a direction: 1 above its reference, -1 below, 0 either."""


# ---------------------------------------------------------------- behaviours and directions


def directions_of(clue: Clue) -> set[int]:
    """1 when the clue says above its reference, -1 below; both or neither where it says both or nothing."""
    natural = words()["natural"]
    found = set(directions_in(_unquoted(clue.text)))
    if clue.kind in natural["up"]:
        found.add(1)
    if clue.kind in natural["down"]:
        found.add(-1)
    if clue.kind in natural["sign"] and clue.value:
        found.add(1 if clue.value > 0 else -1)
    return found


def means(clue: Clue, meanings: Meanings) -> bool:
    """Whether the clue bears out any of these meanings."""
    return any(clue.kind == kind and (not sign or sign in directions_of(clue)) for kind, sign in meanings)


def denies(clue: Clue, meanings: Meanings) -> bool:
    """Whether the clue says the opposite: the opposing kind, or its own kind on the other side of the reference."""
    return any(
        clue.kind == kinds()[kind].opposite or (clue.kind == kind and bool(sign) and -sign in directions_of(clue))
        for kind, sign in meanings
    )


# ---------------------------------------------------------------- times


def at(clue: Clue, time: Number) -> bool:
    """Whether the clue lies at the time, as exactly as that is written."""
    first, last = time.values[0] - time.half - 1e-9, time.values[-1] + time.half + 1e-9
    if time.side == "from":
        return clue.end >= first
    return clue.start <= last if time.side == "until" else clue.start <= last and clue.end >= first


def times_agree(clue: Clue, number: Number) -> bool:
    """A range must be the clue's own, an instant must lie within it."""
    if len(number.values) == 2:
        first, last = number.values
        return abs(first - clue.start) <= number.half + 1e-9 and abs(last - clue.end) <= number.half + 1e-9
    return at(clue, number)


def together_agree(clues: Sequence[Clue], number: Number) -> list[Clue]:
    """Those clues, where one range is given for several together: from the first start to the last end; else none."""
    if len(number.values) != 2 or len(clues) < 2:
        return []
    first, last = min(clue.start for clue in clues), max(clue.end for clue in clues)
    agrees = abs(number.values[0] - first) <= number.half + 1e-9 and abs(number.values[1] - last) <= number.half + 1e-9
    return list(clues) if agrees else []


# ---------------------------------------------------------------- measures


def measures_agree(clue: Clue, number: Number) -> bool:
    """Whether the clue has this number, in this unit where one is written."""
    known = list(measures(clue, number.unit))
    if len(number.values) == 1:
        return any(number.agrees(number.values[0], value) for value in known)
    low, high = sorted(number.values)
    within = any(low - number.half <= value <= high + number.half for value in known) and high - low <= 0.5 * high
    return within or all(any(number.agrees(end, value) for value in known) for end in number.values)


def measures(clue: Clue, unit: str | None) -> Iterator[float]:
    """The clue's value, its duration, and what numbers its text, reference and quality have."""
    if clue.value is not None and unit in (None, canonical(clue.unit)):
        yield clue.value
    if unit == "s":
        yield clue.end - clue.start
    # A bare number in the reference is mostly the range of a scale ("-1 to 1"), which is no measurement.
    for text in (clue.text, clue.quality or "", clue.reference if unit else ""):
        for number in _numbers_in(text):
            if number.role != "time" and unit in (None, number.unit):
                yield from number.values


@lru_cache(maxsize=4096)
def _numbers_in(text: str) -> tuple[Number, ...]:
    return tuple(numbers(_unquoted(text).lower()))


def _unquoted(text: str) -> str:
    return re.sub(r"\"[^\"]*\"|“[^”]*”|‘[^’]*’", " ", text)
