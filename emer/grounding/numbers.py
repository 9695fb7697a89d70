"""Numbers in a sentence: value, precision, unit, and whether they tell a time, a measure or a count."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from emer.grounding.phrases import alternatives, words

Role = Literal["time", "measure", "count", "either"]
Relation = Literal["equal", "over", "under"]

_DIGITS = r"(?<![\w.])[+\-−]?\d+(?:,\d{3})*(?:\.\d+)?(?![\d:])"
_LINK = r"\s*(?:–|—|-|\bto\b|\band\b|\buntil\b|\btill\b)\s*"
_APPROX = re.compile(r"(?:\b(?:about|around|roughly|approximately|almost|nearly|some|ca\.?)|[~≈])\s*$")
_OVER = re.compile(r"\b(?:more than|over|at least|above|exceeds|exceeding)\s*$")
_UNDER = re.compile(r"\b(?:less than|fewer than|under|at most|below|up to)\s*$")
_HEDGES = r"(?:(?:about|around|roughly|approximately|almost|nearly|second|seconds|ca\.?|~|t\s*=)\s*)*"
_POINT = re.compile(rf"(?:\b(?:at|after|before|until|till|from|since|near|around|second|seconds)|t\s*=|@)\s*{_HEDGES}$")
_INTO = re.compile(r"^\s*(?:into|in\b|onwards?|on\b|mark)")
_AFTER = re.compile(rf"\b(?:after|since|from)\s+{_HEDGES}$")
_BEFORE = re.compile(rf"\b(?:before|until|till)\s+{_HEDGES}$")
_BETWEEN = re.compile(r"\b(?:between|from|at|in|during|around|seconds?)\s*$|\(\s*$")
_CLOCK = re.compile(r"(?<![\d:.])(?:(\d{1,2}):(?=[0-5]\d:))?(\d{1,3}):([0-5]\d(?:\.\d+)?)(?![\d:])")


@dataclass(frozen=True, slots=True)
class Number:
    """One number, or the two ends of a range, in a canonical unit."""

    start: int
    end: int
    values: tuple[float, ...]
    half: float
    """Half of the last digit that is written: what rounding may hide."""
    unit: str | None
    role: Role
    relation: Relation = "equal"
    side: Literal["at", "from", "until"] = "at"
    signed: bool = False

    def agrees(self, written: float, measured: float) -> bool:
        """Whether `measured`, rounded as the text rounds, is what the text has `written`."""
        if not self.signed:
            written, measured = abs(written), abs(measured)
        if self.relation == "over":
            return measured >= written - self.half
        if self.relation == "under":
            return measured <= written + self.half
        return abs(written - measured) <= self.half * (1 + 1e-9) + 1e-9


def numbers(text: str) -> list[Number]:
    """All numbers in lower-cased `text` (citations and quotations blanked), in order.

    >>> [(n.values, n.unit, n.role) for n in numbers("the pitch rises 4.1 semitones, 2.3–3.1 s")]
    [((4.1,), 'semitones', 'measure'), ((2.3, 3.1), 's', 'time')]
    """
    found: list[Number] = []
    for reader in (_clocks, _ranges, _shares, _singles, _worded):
        for number in reader(text):
            if not any(number.start < other.end and other.start < number.end for other in found):
                found.append(number)
    return sorted(found, key=lambda number: number.start)


def canonical(unit: str) -> str:
    """The canonical name of a clue's unit.

    >>> canonical("inter-ocular %"), canonical("seconds"), canonical("weight")
    ('%', 's', 'weight')
    """
    unit = unit.lower().strip()
    for name, spellings in words()["units"].items():
        if unit in (spelling.lower() for spelling in spellings):
            return str(name)
    return "%" if "%" in unit else unit


@cache
def _unit_pattern() -> str:
    spellings = sorted((s.lower() for row in words()["units"].values() for s in row), key=len, reverse=True)
    return r"(?:[\s-]*(?P<{}>" + "|".join(map(re.escape, spellings)) + r")(?![a-z/]))"


@cache
def _factors() -> dict[str, tuple[str, float]]:
    return {s.lower(): (name, float(f)) for name, row in words()["units"].items() for s, f in row.items()}


@cache
def _range_pattern() -> re.Pattern[str]:
    first, second = _unit_pattern().format("u1"), _unit_pattern().format("u2")
    second_digits = _DIGITS.replace(r"(?<![\w.])[+\-−]?", "")
    return re.compile(rf"(?P<a>{_DIGITS}){first}?(?P<link>{_LINK})(?P<b>{second_digits}){second}?")


@cache
def _single_pattern() -> re.Pattern[str]:
    return re.compile(rf"(?P<a>{_DIGITS})(?!(?:st|nd|rd|th)\b){_unit_pattern().format('u1')}?")


@cache
def _worded_pattern() -> re.Pattern[str]:
    return re.compile(
        rf"\b(?P<a>{alternatives('numbers')}|half an?){_unit_pattern().format('u1')}?(?!\w)|\b(?P<t>twice|thrice)\b"
    )


def _clocks(text: str) -> Iterator[Number]:
    """`0:45`, `1:05.2`, `0:45–0:50`, `125:03`, `2:05:03`: minutes and seconds, with hours or without."""
    matches = list(_CLOCK.finditer(text))
    while matches:
        match = matches.pop(0)
        times, end = [match], match.end()
        if matches and re.fullmatch(_LINK, text[match.end() : matches[0].start()]):
            times.append(matches.pop(0))
            end = times[-1].end()
        values = tuple(3600 * float(m[1] or 0) + 60 * float(m[2]) + float(m[3]) for m in times)
        half = _half(times[-1][3])
        yield _placed(Number(match.start(), end, values, half, "s", "time"), text)


def _ranges(text: str) -> Iterator[Number]:
    for match in _range_pattern().finditer(text):
        before = text[: match.start()]
        if match["link"].strip() == "and" and not re.search(rf"\bbetween\s+{_HEDGES}$", before):
            continue
        spelled = match["u2"] or match["u1"]
        unit, factor = _factors()[spelled] if spelled else (None, 1.0)
        timed = unit == "s" or (unit is None and _BETWEEN.search(before) and re.search(r"seconds?\s*$", before))
        half = max(_half(match["a"]), _half(match["b"])) * factor
        values = (_value(match["a"]) * factor, _value(match["b"]) * factor)
        role: Role = "time" if timed else "measure"
        yield _hedged(Number(match.start(), match.end(), values, half, "s" if timed else unit, role), text)


def _shares(text: str) -> Iterator[Number]:
    """ "A third of the time" is about 33 %."""
    for match in re.finditer(rf"\b({alternatives('shares')}) (?:of )?the (?:time|clip|stretch|speech)", text):
        yield Number(match.start(), match.end(), (float(words()["shares"][match[1]]),), 5.0, "%", "measure")


def _singles(text: str) -> Iterator[Number]:
    for match in _single_pattern().finditer(text):
        spelled = match["u1"]
        unit, factor = _factors()[spelled] if spelled else (None, 1.0)
        number = Number(
            match.start(),
            match.end(),
            (_value(match["a"]) * factor,),
            _half(match["a"]) * factor,
            unit,
            "measure",
            signed=match["a"][0] in "+-−",
        )
        yield _placed(_hedged(number, text), text)


def _worded(text: str) -> Iterator[Number]:
    """Numbers in words: with a unit a measure, else a count (of whatever follows)."""
    for match in _worded_pattern().finditer(text):
        if match["t"]:
            yield Number(match.start(), match.end(), (2.0 if match["t"] == "twice" else 3.0,), 0.0, None, "count")
            continue
        spelled = match["u1"]
        if spelled is None:
            if not match["a"].startswith("half"):
                yield Number(match.start(), match.end(), (float(words()["numbers"][match["a"]]),), 0.0, None, "count")
            continue
        unit, factor = _factors()[spelled]
        value = 0.5 if match["a"].startswith("half") else float(words()["numbers"][match["a"]])
        half = 0.1 if match["a"].startswith("half") else 0.5
        half = 0.0 if unit == "faces" else half
        yield _placed(
            _hedged(Number(match.start(), match.end(), (value * factor,), half * factor, unit, "measure"), text), text
        )


def _placed(number: Number, text: str) -> Number:
    """A number of seconds is a time when a preposition or "into" says so."""
    before, after = text[: number.start], text[number.end :]
    if number.unit != "s" or (number.role == "time" and len(number.values) > 1):
        return number
    if _INTO.match(after):
        return replace(number, role="time")
    if _POINT.search(before):
        side: Literal["at", "from", "until"] = "at"
        if _AFTER.search(before):
            side = "from"
        elif _BEFORE.search(before):
            side = "until"
        return replace(number, role="time", side=side, relation="equal")
    if number.role == "measure" and re.search(r"[(@,]\s*$|\bby\s*$", before):
        return replace(number, role="either")
    return number


def _hedged(number: Number, text: str) -> Number:
    """ "About 4" may be off by 5 %; "more than 4" is a bound."""
    before = text[: number.start]
    if _APPROX.search(before):
        return replace(number, half=max(number.half, 0.05 * max(map(abs, number.values))))
    if _OVER.search(before) and not re.search(r"\bpoint above\s*$", before):
        return replace(number, relation="over")
    return replace(number, relation="under") if _UNDER.search(before) else number


def _value(digits: str) -> float:
    return float(digits.replace("−", "-").replace(",", ""))


def _half(digits: str) -> float:
    """Half of the last written digit.

    >>> _half("4.1"), _half("12")
    (0.05, 0.5)
    """
    _, point, decimals = digits.partition(".")
    return 0.5 * 10.0 ** -len(decimals) if point else 0.5
