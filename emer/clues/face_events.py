"""What happens in a face: stretches of its curves that stand out from its own neutral."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool

from emer.clues.events import Event
from emer.clues.face_activations import ACTIVATIONS
from emer.clues.face_curves import CLOSED, Curve, FaceCurves, quantile
from emer.clues.grid import covered, runs
from emer.types import Span

NOISE_FACTOR = 3.0
"""An activation counts from this many standard deviations of its frame-to-frame noise, and from its floor."""
LET_GO = 0.6
"""An event lasts until the activation falls below this share of the threshold."""
MIN_SECONDS = 0.4
MAX_GAP = 0.4
ABSENCE = 0.6
"""Seconds that a face must be gone, or there, to count as having left or come."""
TURN, LOWERED, ASIDE = 15.0, 10.0, 15.0
"""Degrees from the usual direction: head turned, head lowered, eyes averted."""
SWING, SWINGS, SWING_SECONDS = 4.0, 3, 0.8
"""A nod or shake: at least three swings of at least four degrees, none longer than 0.8 s."""
BLINK_SECONDS = 0.6
"""Longer closures are no blinks."""


def events_of(curves: FaceCurves) -> tuple[Event, ...]:
    """All events of one face in time order."""
    found = [
        *(event for name in ACTIVATIONS for event in activation_events(curves, name)),
        *level_events(curves, "head_turn", np.abs(curves.yaw - quantile(curves.yaw, 0.5)), TURN),
        *level_events(curves, "head_down", quantile(curves.pitch, 0.5) - curves.pitch, LOWERED),
        *level_events(curves, "gaze_aside", curves.gaze, ASIDE),
        *swing_events(curves, "head_nod", curves.quick_pitch),
        *swing_events(curves, "head_shake", curves.quick_yaw),
        *blinks(curves),
        *comings_and_goings(curves),
    ]
    return tuple(sorted(found, key=lambda event: (event.start, event.end, event.kind)))


def activation_events(curves: FaceCurves, name: str) -> Iterator[Event]:
    """Stretches in which an activation exceeds its floor and its noise. The value is the measured peak."""
    i = ACTIVATIONS.index(name)
    threshold = max(curves.scale.floors[name], NOISE_FACTOR * float(curves.noise[i]))
    for first, last in stretches(curves.believed[i], threshold, curves.step):
        peak = float(np.nanmax(curves.believed[i, first:last]))
        measured = float(np.nanmax(curves.activations[i, first:last]))
        yield _event(curves, name, first, last, measured, peak / threshold)


def level_events(curves: FaceCurves, kind: str, curve: Curve, threshold: float) -> Iterator[Event]:
    """Stretches in which a curve in degrees exceeds its threshold. The value is its median there."""
    for first, last in stretches(curve, threshold, curves.step):
        usual = float(np.nanmedian(curve[first:last]))
        yield _event(curves, kind, first, last, usual, usual / threshold)


def stretches(curve: Curve, threshold: float, step: float) -> Iterator[tuple[int, int]]:
    """Half-open step ranges above `LET_GO`·threshold that reach the threshold and last `MIN_SECONDS`.

    >>> list(stretches(np.array([0.0, 2.0, 3.0, 2.0, 0.0, 0.0]), 3.0, 0.2))
    [(1, 4)]
    """
    held = np.nan_to_num(curve, nan=-np.inf) > LET_GO * threshold
    for first, last in _joined(runs(held).tolist(), round(MAX_GAP / step)):
        if (last - first) * step >= MIN_SECONDS - 1e-9 and np.nanmax(curve[first:last]) >= threshold:
            yield first, last


def swing_events(curves: FaceCurves, kind: str, curve: Curve) -> Iterator[Event]:
    """Nods and shakes: a head that goes to and fro. The value is the mean swing in degrees."""
    turns = turning_points(curve, SWING)
    longest = round(SWING_SECONDS / curves.step)
    group: list[int] = []
    for position, point in enumerate(turns):
        if group and point - group[-1] > longest:
            yield from _swings(curves, kind, curve, group)
            group = []
        group.append(point)
        if position == len(turns) - 1:
            yield from _swings(curves, kind, curve, group)


def _swings(curves: FaceCurves, kind: str, curve: Curve, turns: Sequence[int]) -> Iterator[Event]:
    if len(turns) > SWINGS:
        swing = float(np.mean(np.abs(np.diff(curve[list(turns)]))))
        yield _event(curves, kind, turns[0], turns[-1] + 1, swing, swing / SWING)


def turning_points(curve: Curve, swing: float) -> list[int]:
    """Steps at which a curve turns, leaving out movements smaller than `swing`.

    >>> turning_points(np.array([0.0, 5.0, 4.5, 5.2, -1.0, 6.0]), 4.0)
    [0, 3, 4, 5]
    """
    points = [int(i) for i in np.flatnonzero(np.isfinite(curve))]
    if not points:
        return []
    turns, extreme, direction = [points[0]], points[0], 0
    for i in points[1:]:
        if direction == 0 and abs(curve[i] - curve[turns[0]]) >= swing:
            direction, extreme = (1 if curve[i] > curve[turns[0]] else -1), i
        elif direction and (curve[i] - curve[extreme]) * direction > 0:
            extreme = i
        elif direction and (curve[extreme] - curve[i]) * direction >= swing:
            turns.append(extreme)
            direction, extreme = -direction, i
    return [*turns, extreme] if direction else []


def blinks(curves: FaceCurves) -> Iterator[Event]:
    """Short closures of the lids. The value is how long; at the rate of the grid, many are missed."""
    closed = np.nan_to_num(curves.lids, nan=1.0) < CLOSED
    for first, last in runs(closed).tolist():
        duration = (last - first) * curves.step
        if duration <= BLINK_SECONDS + 1e-9 and _seen_around(curves.seen, first, last):
            yield _event(curves, "blink", first, last, duration, 0.5)


def comings_and_goings(curves: FaceCurves) -> Iterator[Event]:
    """When the face comes into the picture and when it leaves; the value is that time in seconds.

    The face must be gone and there for `ABSENCE` each; steps without a picture do not count either way.
    """
    looked = np.flatnonzero(curves.looked)
    seen = curves.seen[looked]
    long = round(ABSENCE / curves.step)
    settled = [(first, last) for first, last in _joined(runs(seen).tolist(), long - 1) if last - first >= long]
    for first, last in settled:
        if first >= long:
            yield _moment(curves, "face_appears", int(looked[first]))
        if len(seen) - last >= long:
            yield _moment(curves, "face_disappears", int(looked[last]))


def _moment(curves: FaceCurves, kind: str, step: int) -> Event:
    """A change, at the step in which it is first seen."""
    time = round(float(curves.times[step]), 3)
    return Event(kind, time, time, time, 5.0)


def _event(curves: FaceCurves, kind: str, first: int, last: int, value: float, strength: float) -> Event:
    start, end = curves.start + first * curves.step, min(curves.start + last * curves.step, curves.end)
    return Event(kind, round(start, 3), round(end, 3), value, strength)


def _seen_around(seen: Bool[np.ndarray, "step"], first: int, last: int) -> bool:
    """Whether the face is seen just before and just after, so that a closure begins and ends in view."""
    return bool(first > 0 and last < len(seen) and seen[first - 1] and seen[last])


def _joined(ranges: Sequence[Sequence[int]], gap: int) -> list[tuple[int, int]]:
    """Ranges with gaps of at most `gap` steps closed."""
    joined: list[tuple[int, int]] = []
    for first, last in ranges:
        if joined and first - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def share_in(events: Sequence[Event], kind: str, curves: FaceCurves, part: Bool[np.ndarray, "step"]) -> float:
    """Share of face time, within a part of the grid, that lies in events of a kind."""
    own = [Span(event.start, event.end) for event in events if event.kind == kind]
    within = covered(own, curves.start, curves.step, len(curves.seen))
    return float((within & part & curves.seen).sum() / max(1, (part & curves.seen).sum()))
