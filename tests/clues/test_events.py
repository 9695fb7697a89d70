"""Which events become clues; what is kept is counted by hand."""

import numpy as np

from emer.clues.events import Event, strongest
from emer.types import Span

KINDS = ("pitch_rise", "pitch_fall", "loudness_burst", "pause", "speed_up", "tremor")


def made(kind: str, start: float, strength: float) -> Event:
    return Event(kind, start, start + 0.2, 1.0, strength)


def test_the_three_strongest_of_a_kind_stay_per_utterance() -> None:
    many = [made("pitch_rise", t, strength) for t, strength in ((0, 1.0), (1, 3.0), (2, 2.0), (3, 1.5), (6, 1.1))]
    kept = strongest(many, (Span(0, 5), Span(5, 10)))
    assert [e.start for e in kept] == [1, 2, 3, 6]


def test_at_most_twelve_events_stay_in_ten_seconds_of_an_uncut_clip() -> None:
    many = [made(kind, 0.3 * i, 1 + i / 100) for kind in KINDS for i in range(5)]
    later = [made(kind, 10.5, 1.0) for kind in KINDS]
    kept = strongest(many + later, ())
    assert len([e for e in kept if e.start < 10]) == 12
    assert len([e for e in kept if e.start > 10]) == 6
    assert list(kept) == sorted(kept, key=lambda e: (e.start, e.end, e.kind))


def test_each_kind_gives_its_strongest_before_any_gives_its_second() -> None:
    """Two of six kinds are far stronger than the rest: with 12 places each kind still keeps two."""
    many = [made(kind, 0.3 * i, 1 + i / 100 + 9 * (kind in KINDS[:2])) for kind in KINDS for i in range(3)]
    kept = strongest(many, ())
    assert {kind: sum(e.kind == kind for e in kept) for kind in KINDS} == dict.fromkeys(KINDS, 2)


def test_a_weak_event_takes_no_place_from_another() -> None:
    others = [made(kind, 0.3 * i, 1.0) for kind in KINDS[:4] for i in range(3)]
    assert made("blink", 5.0, 0.5) not in strongest([*others, made("blink", 5.0, 0.5)], ())
    assert made("blink", 5.0, 0.5) in strongest([*others[1:], made("blink", 5.0, 0.5)], ())


def test_what_stays_does_not_depend_on_the_order_of_events() -> None:
    random = np.random.default_rng(1)
    many = [made("pitch_rise", float(t), 1.0) for t in range(9)]
    shuffled = [many[i] for i in random.permutation(9)]
    assert strongest(many, ()) == strongest(shuffled, ())
