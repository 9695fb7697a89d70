"""Praat TextGrid, long text format (Praat manual, "TextGrid file formats"), UTF-8."""

from emer.report.tiers import Mark, Tier, last_time, tiers
from emer.types import Explanation


def render(explanation: Explanation) -> str:
    """The TextGrid as text: interval tiers only, from 0 to the end of the clip, gaps as empty intervals."""
    found = tiers(explanation)
    end = last_time(explanation, found)
    head = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {end:.3f}",
        "tiers? <exists>",
        f"size = {len(found)}",
        "item []:",
    ]
    return "\n".join([*head, *(line for i, tier in enumerate(found, 1) for line in _tier(i, tier, end))]) + "\n"


def _tier(number: int, tier: Tier, end: float) -> list[str]:
    intervals = _filled(tier, end)
    lines = [
        f"    item [{number}]:",
        '        class = "IntervalTier"',
        f"        name = {_quoted(tier.name)}",
        "        xmin = 0",
        f"        xmax = {end:.3f}",
        f"        intervals: size = {len(intervals)}",
    ]
    for i, mark in enumerate(intervals, 1):
        lines += [
            f"        intervals [{i}]:",
            f"            xmin = {mark.start:.3f}",
            f"            xmax = {mark.end:.3f}",
            f"            text = {_quoted(mark.text)}",
        ]
    return lines


def _filled(tier: Tier, end: float) -> list[Mark]:
    """The marks with empty ones between them: an interval tier covers all of its time."""
    filled: list[Mark] = []
    now = 0.0
    for mark in tier.marks:
        if mark.start > now:
            filled.append(Mark(now, mark.start, ""))
        filled.append(mark)
        now = mark.end
    return [*filled, Mark(now, end, "")] if now < end else filled


def _quoted(text: str) -> str:
    """A Praat string: quotation marks inside are doubled."""
    return '"' + text.replace('"', '""') + '"'
