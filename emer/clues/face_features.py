"""The named numbers of the face, for a clip or a stretch of it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from emer.clues.events import Event
from emer.clues.face_activations import ACTIVATIONS
from emer.clues.face_curves import Curve, FaceCurves
from emer.clues.face_events import ASIDE, share_in
from emer.types import Features

NAMES = (
    "face_coverage",
    "face_count_max",
    *(f"{name}_{statistic}" for name in ACTIVATIONS for statistic in ("mean", "peak", "share")),
    "head_yaw_sd",
    "head_pitch_sd",
    "head_pitch_mean",
    "head_motion",
    "gaze_away",
    "blink_rate",
)
MIN_SECONDS = 1.0
"""Face time below which only presence is measured: a few pictures are always near the neutral taken from them."""
BLINK_SECONDS = 3.0
"""Face time below which no blink rate is given."""


def features_of(
    curves: FaceCurves | None,
    events: Sequence[Event],
    faces: int,
    part: Bool[np.ndarray, "step"] | None,
    version: str,
    coverage: float = 0.0,
) -> Features:
    """The features of `part` of the grid (all of it for None); what cannot be measured is masked.

    Without curves (no face, or a still image) only `coverage` and the number of `faces` are given.
    """
    measured: dict[str, float] = {"face_coverage": coverage, "face_count_max": float(faces)}
    if curves is not None:
        within = np.ones(len(curves.seen), bool) if part is None else part
        measured["face_coverage"] = float((curves.seen & within).sum() / max(1, (curves.looked & within).sum()))
        if (curves.seen & within).sum() * curves.step >= MIN_SECONDS:
            measured |= _activity(curves, events, within) | _head(curves, within) | _eyes(curves, events, within)
    mask = tuple(name in measured for name in NAMES)
    values = tuple(round(measured.get(name, 0.0), 6) for name in NAMES)
    return Features("visual", NAMES, values, mask, version)


def _activity(curves: FaceCurves, events: Sequence[Event], part: Bool[np.ndarray, "step"]) -> dict[str, float]:
    """Mean and peak of what lies above neutral, in the scale's unit, and the share of face time in events."""
    measured = {}
    for i, name in enumerate(ACTIVATIONS):
        above = np.maximum(curves.believed[i, part & curves.seen], 0.0)
        measured[f"{name}_mean"] = float(above.mean())
        measured[f"{name}_peak"] = float(above.max())
        measured[f"{name}_share"] = share_in(events, name, curves, part)
    return measured


def _head(curves: FaceCurves, part: Bool[np.ndarray, "step"]) -> dict[str, float]:
    yaw, pitch = curves.yaw[part & curves.seen], curves.pitch[part & curves.seen]
    measured = {
        "head_yaw_sd": float(yaw.std()),
        "head_pitch_sd": float(pitch.std()),
        "head_pitch_mean": float(pitch.mean()),
    }
    motion = head_speed(curves)[part]
    if np.isfinite(motion).any():
        measured["head_motion"] = float(np.nanmean(motion))
    return measured


def _eyes(curves: FaceCurves, events: Sequence[Event], part: Bool[np.ndarray, "step"]) -> dict[str, float]:
    measured = {}
    gaze = curves.gaze[part & np.isfinite(curves.gaze)]
    if len(gaze):
        measured["gaze_away"] = float((gaze > ASIDE).mean())
    seconds = float((curves.seen & part).sum()) * curves.step
    if seconds >= BLINK_SECONDS:
        at = [int((event.start - curves.start) / curves.step + 0.5) for event in events if event.kind == "blink"]
        measured["blink_rate"] = 60 * sum(bool(part[i]) for i in at) / seconds
    return measured


def head_speed(curves: FaceCurves) -> Curve:
    """Degrees per second from one step to the next, over yaw, pitch and roll; NaN where either is not seen."""
    angles = np.array([curves.yaw, curves.pitch, curves.roll])
    speed = np.linalg.norm(np.diff(angles, axis=1), axis=0) / curves.step
    return np.concatenate([speed, [np.nan]]) if len(curves.seen) else speed
