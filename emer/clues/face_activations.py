"""Facial activations: eight raw numbers a frame, from landmark geometry or from a model's blendshapes.

Higher means more of the behaviour. Only their change against the face's own neutral has a meaning (`face_curves`).
They are plain movements of brows, lids, lips and jaw, not FACS action units: no network scored them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from emer.clues.face_geometry import FaceShape

ACTIVATIONS = (
    "brow_raise",
    "brow_lower",
    "lip_corner_pull",
    "lip_corner_depress",
    "lip_press",
    "eye_open",
    "eye_narrow",
    "jaw_drop",
)
MOUTH = ("lip_corner_pull", "lip_corner_depress", "lip_press", "jaw_drop")
"""Speech moves these as well."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What the numbers are measured in, and the least change that counts as an event, per activation."""

    unit: str
    of: str
    """How the unit reads behind a number."""
    floors: Mapping[str, float]


INTER_OCULAR = Scale(
    unit="inter-ocular %",
    of="% of the inter-ocular distance",
    floors={
        "brow_raise": 2.5,
        "brow_lower": 2.5,
        "lip_corner_pull": 4.0,
        "lip_corner_depress": 3.5,
        "lip_press": 4.0,
        "eye_open": 1.5,
        "eye_narrow": 2.0,
        "jaw_drop": 5.0,
    },
)
"""One hundredth of the distance between the outer eye corners (0.9 mm in an adult).

Floors are four to six times the frame-to-frame noise of FaceMesh in faces of 140 pixels inter-ocular."""

BLENDSHAPE = Scale(unit="blendshape %", of="% of the blendshape's range", floors=dict.fromkeys(ACTIVATIONS, 15.0))

FROM_BLENDSHAPES: Mapping[str, tuple[str, ...]] = {
    "brow_raise": ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    "brow_lower": ("browDownLeft", "browDownRight"),
    "lip_corner_pull": ("mouthSmileLeft", "mouthSmileRight"),
    "lip_corner_depress": ("mouthFrownLeft", "mouthFrownRight"),
    "lip_press": ("mouthPressLeft", "mouthPressRight"),
    "eye_open": ("eyeWideLeft", "eyeWideRight"),
    "eye_narrow": ("eyeSquintLeft", "eyeSquintRight"),
    "jaw_drop": ("jawOpen",),
}
"""Which of the 52 blendshapes (names of Apple's ARKit, which MediaPipe's model keeps) make up each activation."""


def from_shape(shape: FaceShape) -> Float32[np.ndarray, "activation=8"]:
    """The eight raw numbers of one face, in inter-ocular %.

    Lips count as pressed when everything between their outer edges gets lower: opening them does the reverse.
    """
    raw = {
        "brow_raise": shape.brow_height,
        "brow_lower": -shape.inner_brow_height,
        "lip_corner_pull": shape.corner_pull,
        "lip_corner_depress": -shape.corner_curve,
        "lip_press": -(shape.lip_thickness + shape.lip_gap),
        "eye_open": shape.lid_gap,
        "eye_narrow": -shape.lid_gap,
        "jaw_drop": shape.jaw,
    }
    return np.array([100 * raw[name] for name in ACTIVATIONS], np.float32)


def from_blendshapes(scores: Mapping[str, float]) -> Float32[np.ndarray, "activation=8"]:
    """Mean score of each activation's blendshapes, in %.

    >>> from_blendshapes({"mouthSmileLeft": 0.2, "mouthSmileRight": 0.4}).round(1).tolist()
    [0.0, 0.0, 30.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    means = [np.mean([scores.get(shape, 0.0) for shape in FROM_BLENDSHAPES[name]]) for name in ACTIVATIONS]
    return np.array(means, np.float32) * 100
