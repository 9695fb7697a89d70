"""The followed face as curves over the clip: activations against its own neutral, head pose, gaze, lids."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from emer.clues.face_activations import ACTIVATIONS, MOUTH, Scale
from emer.clues.face_tracks import COLUMNS
from emer.types import Span

Curve = Float[np.ndarray, "step"]

QUIET_STEPS = 15
"""Steps without speech from which the mouth's neutral is taken from these alone."""
CLOSED_LIPS = 1.0
"""Inter-ocular % above the lower quartile of the lips' opening up to which they count as closed."""
SPEECH_WEIGHT = {"lip_corner_pull": 0.7, "lip_corner_depress": 0.5, "lip_press": 0.4, "jaw_drop": 0.35}
"""How much of a mouth activation is believed while someone speaks."""
CLOSED = 0.6
"""Lids count as closed below this share of their usual opening."""


@dataclass(frozen=True, slots=True)
class FaceCurves:
    """One face on a regular grid; step i covers `start + i·step` and is NaN where the face is not seen."""

    start: float
    step: float
    looked: Bool[np.ndarray, "step"]
    """Steps of which a picture was seen."""
    seen: Bool[np.ndarray, "step"]
    """Steps in which the face was found."""
    speaking: Bool[np.ndarray, "step"]
    activations: Float[np.ndarray, "activation=8 step"]
    """Change against the neutral, smoothed (median of 3, then 1-2-1), in `scale.unit`."""
    believed: Float[np.ndarray, "activation=8 step"]
    """The same with mouth measures weighed down while someone speaks."""
    noise: Float[np.ndarray, "activation=8"]
    """Standard deviation from frame to frame, from the median absolute difference."""
    scale: Scale
    yaw: Curve
    pitch: Curve
    roll: Curve
    quick_yaw: Curve
    """Yaw and pitch as measured, not smoothed: nods and shakes are too quick for smoothing."""
    quick_pitch: Curve
    gaze: Curve
    """Degrees between where the eyes point and where they usually do; NaN with closed lids or without irises."""
    lids: Curve
    """Opening of the lids as a share of their usual opening, not smoothed."""
    end: float
    """Where the clip ends; the last step may reach beyond."""
    size: float
    """Median inter-ocular distance in pixels."""

    @property
    def times(self) -> Curve:
        return np.asarray(self.start + np.arange(len(self.seen)) * self.step)

    @property
    def coverage(self) -> float:
        """Share of the pictures in which the face is seen."""
        return float(self.seen.sum()) / max(1, int(self.looked.sum()))


def curves_of(
    table: Float[np.ndarray, "column step"],
    looked: Bool[np.ndarray, "step"],
    speaking: Bool[np.ndarray, "step"],
    scale: Scale,
    span: Span,
    step: float,
) -> FaceCurves:
    """Everything about one face from its numbers on the grid (rows are `face_tracks.COLUMNS`)."""
    column = {name: table[i].astype(float) for i, name in enumerate(COLUMNS)}
    seen = np.isfinite(column["x"])
    raw = {name: column[name] for name in ACTIVATIONS}
    neutral = neutrals(raw, column["lip_gap"], speaking, scale)
    change = np.array([smooth(raw[name] - neutral[name]) for name in ACTIVATIONS])
    weights = np.ones_like(change)
    for name, weight in SPEECH_WEIGHT.items():
        weights[ACTIVATIONS.index(name), speaking] = weight
    lids = column["lid_gap"] / max(quantile(column["lid_gap"], 0.6), 1e-6)
    return FaceCurves(
        start=span.start,
        end=span.end,
        step=step,
        looked=looked,
        seen=seen,
        speaking=speaking,
        activations=change,
        believed=change * weights,
        noise=np.array([noise_of(raw[name]) for name in ACTIVATIONS]),
        scale=scale,
        yaw=smooth(column["yaw"]),
        pitch=smooth(column["pitch"]),
        roll=smooth(column["roll"]),
        quick_yaw=column["yaw"],
        quick_pitch=column["pitch"],
        gaze=gaze_offset(column["yaw"] + column["gaze_yaw"], column["pitch"] + column["gaze_pitch"], lids),
        lids=lids,
        size=quantile(column["scale"], 0.5),
    )


def neutrals(
    raw: Mapping[str, Curve], lip_gap: Curve, speaking: Bool[np.ndarray, "step"], scale: Scale
) -> dict[str, float]:
    """This face's neutral of each activation: a quantile over the frames in which it is likely to be at rest.

    Brows and lids: the median over face time. The mouth: over its silent part, where that is long enough; smile and
    jaw then by their lower quartile, lip corners down against the frames without a smile (or a long smile would make
    a mouth at rest look sad), pressed lips against the frames with closed lips (or closing the mouth would count).
    """
    neutral = {name: quantile(curve, 0.5) for name, curve in raw.items() if name not in MOUTH}
    silent = np.isfinite(lip_gap) & ~speaking
    rest = {name: np.where(silent, raw[name], np.nan) if silent.sum() >= QUIET_STEPS else raw[name] for name in MOUTH}
    for name in ("lip_corner_pull", "jaw_drop"):
        neutral[name] = quantile(rest[name], 0.25)
    smiling = raw["lip_corner_pull"] - neutral["lip_corner_pull"] >= scale.floors["lip_corner_pull"]
    closed = lip_gap <= quantile(lip_gap, 0.25) + CLOSED_LIPS
    neutral["lip_corner_depress"] = quantile(np.where(smiling, np.nan, rest["lip_corner_depress"]), 0.5)
    neutral["lip_press"] = quantile(np.where(closed, raw["lip_press"], np.nan), 0.5)
    return neutral


def gaze_offset(yaw: Curve, pitch: Curve, lids: Curve) -> Curve:
    """Degrees away from the median direction, where the lids are open; smoothed."""
    is_open = lids >= CLOSED
    yaw, pitch = np.where(is_open, yaw, np.nan), np.where(is_open, pitch, np.nan)
    return np.asarray(np.hypot(smooth(yaw - quantile(yaw, 0.5)), smooth(pitch - quantile(pitch, 0.5))))


def quantile(curve: Curve, q: float) -> float:
    """Quantile over what is measured; 0 when nothing is."""
    values = curve[np.isfinite(curve)]
    return float(np.quantile(values, q)) if len(values) else 0.0


def noise_of(curve: Curve) -> float:
    """Standard deviation of the frame-to-frame noise: 1.4826 · median |difference| / √2."""
    return 1.4826 * quantile(np.abs(np.diff(curve)), 0.5) / float(np.sqrt(2))


def smooth(curve: Curve) -> Curve:
    """Median of 3 (takes away one-frame spikes and blinks), then weights 1-2-1; gaps stay gaps, and edges keep theirs.

    >>> smooth(np.array([0.0, 0.0, 9.0, 0.0, 0.0])).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0]
    """
    seen = np.isfinite(curve)
    if not seen.any():
        return curve.copy()
    three = _neighbours(curve)
    filled = np.where(seen, np.where(np.isfinite(three), three, curve), 0.0)
    around = _neighbours(np.where(seen, np.median(filled, axis=0), np.nan))
    weights = np.array([1.0, 2.0, 1.0])[:, None] * np.isfinite(around)
    total = (np.where(np.isfinite(around), around, 0.0) * weights).sum(axis=0)
    return np.where(seen, total / np.maximum(weights.sum(axis=0), 1.0), np.nan)


def _neighbours(curve: Curve) -> Float[np.ndarray, "three=3 step"]:
    edge = np.pad(curve, 1, constant_values=np.nan)
    return np.array([edge[:-2], edge[1:-1], edge[2:]])
