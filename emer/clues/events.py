"""What happened in a voice or a face, and which of it is worth a clue."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from emer.types import Span

PER_KIND, PER_STRETCH = 3, 12
"""Events kept in an utterance: of each kind, and in all."""
STRETCH = 10.0
"""Seconds that count as an utterance where the clip has no segments."""
WEAK = 0.9
"""Strength below which an event takes no place from another."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something at a time, in seconds on the clock of the curves that it was found in."""

    kind: str
    start: float
    end: float
    value: float
    """In the kind's unit."""
    strength: float
    """Multiple of the smallest size that counts; orders events of all kinds."""


def strongest(events: Iterable[Event], segments: Sequence[Span]) -> tuple[Event, ...]:
    """At most 3 of a kind and 12 in all per segment (or per 10 s where there are none), in time order.

    The strongest of each kind comes first, then the second ones, and so on; weak ones (blinks) come last. `segments`
    are on the same clock as the events; an event belongs to the segment in which its middle lies.
    """
    starts = [segment.start for segment in segments]
    stretches: dict[int, list[Event]] = {}
    for event in events:
        stretches.setdefault(_stretch_of(event, starts), []).append(event)
    kept = [event for own in stretches.values() for event in _strongest_of(own)]
    return tuple(sorted(kept, key=lambda event: (event.start, event.end, event.kind)))


def _stretch_of(event: Event, starts: Sequence[float]) -> int:
    middle = (event.start + event.end) / 2
    return int(np.searchsorted(starts, middle, side="right")) if starts else int(middle // STRETCH)


def _strongest_of(events: Sequence[Event]) -> list[Event]:
    places: Counter[str] = Counter()
    rows = []
    for event in sorted(events, key=lambda event: (-event.strength, event.start, event.kind)):
        rows.append((event.strength < WEAK, places[event.kind], -event.strength, event.start, event.kind, event))
        places[event.kind] += 1
    return [row[-1] for row in sorted(rows, key=lambda row: row[:-1]) if row[1] < PER_KIND][:PER_STRETCH]
