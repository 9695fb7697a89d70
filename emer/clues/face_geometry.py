"""From 478 face landmarks to numbers that do not depend on where the head is, how large, or how it is turned.

Landmark numbers are those of MediaPipe's face mesh (Kartynnik et al. 2019, "Real-time facial surface geometry from
monocular video on mobile GPUs"; irises: Ablavatski et al. 2020, "Real-time pupil tracking from monocular video
for digital puppetry").

Head frame: origin between the outer eye corners, x to the right of the picture, y up, z out of the face towards the
viewer; the unit is the distance of the outer eye corners of the canonical face ("inter-ocular").
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "point xyz=3"]

RIGHT_EYE = (33, 133)
LEFT_EYE = (263, 362)
"""Outer and inner corner; right and left are the person's own."""

CANONICAL = {
    168: (0.000, 0.053, 0.251),
    6: (0.000, -0.029, 0.309),
    197: (0.000, -0.106, 0.372),
    195: (0.000, -0.177, 0.442),
    5: (0.000, -0.255, 0.513),
    4: (0.000, -0.351, 0.546),
    2: (0.000, -0.494, 0.355),
    33: (-0.500, 0.000, 0.000),
    263: (0.500, 0.000, 0.000),
    133: (-0.199, -0.014, 0.060),
    362: (0.199, -0.014, 0.060),
    98: (-0.222, -0.457, 0.261),
    327: (0.222, -0.457, 0.261),
    162: (-0.760, 0.092, -0.455),
    389: (0.760, 0.092, -0.455),
    127: (-0.775, -0.079, -0.556),
    356: (0.775, -0.079, -0.556),
    234: (-0.772, -0.240, -0.596),
    454: (0.772, -0.240, -0.596),
}
"""Where the parts of a face lie that expressions hardly move (nose, eye corners, temples), in the head frame.

The mean of 13 aligned meshes of nine people, mirrored and averaged, so that yaw and roll 0 are exact symmetry;
pitch 0 is their mean, people who look into a camera.
"""

_RIGID = list(CANONICAL)
_CANONICAL_POINTS = np.array(list(CANONICAL.values()))

BROWS = [70, 63, 105, 66, 107, 46, 53, 52, 65, 55, 300, 293, 334, 296, 336, 276, 283, 282, 295, 285]
INNER_BROWS = [107, 66, 55, 65, 336, 296, 285, 295]
LID_PAIRS = (((160, 144), (159, 145), (158, 153)), ((387, 373), (386, 374), (385, 380)))
LIP_CORNERS = (61, 291)
UPPER_LIP, LOWER_LIP = (0, 13), (17, 14)
"""Outer edge and inner edge of each lip at its middle."""
CHIN = [152, 175, 199]
IRISES = (468, 473)

EYEBALL = 0.4
"""Radius of the eyeball over the width of the eye: about 12 mm to 30 mm in adults."""


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Angles in degrees, 0 for a face that looks into the camera.

    Positive yaw: turned to the right of the picture; positive pitch: raised; positive roll: tilted
    counter-clockwise as seen. Head = Ry(yaw) · Rx(-pitch) · Rz(roll). `scale` is the pixels of one inter-ocular unit.
    """

    yaw: float
    pitch: float
    roll: float
    scale: float


@dataclass(frozen=True, slots=True)
class FaceShape:
    """One face in one frame, in the head frame; heights and distances in inter-ocular units, angles in degrees."""

    brow_height: float
    """Both brows above the eye corners."""
    inner_brow_height: float
    corner_pull: float
    """Lip corners up and outwards, along the diagonal that a smile moves them (zygomaticus major)."""
    corner_curve: float
    """Lip corners above the middle between both lips; opening the jaw leaves it as it is."""
    lip_thickness: float
    """Red of both lips at their middle."""
    lip_gap: float
    """Opening between the lips."""
    lid_gap: float
    """Opening between the lids, mean of both eyes."""
    jaw: float
    """Chin below the eyes."""
    gaze_yaw: float
    """Eyes in the head, not counting its pose; NaN without irises."""
    gaze_pitch: float


def head_pose(landmarks: Points) -> tuple[HeadPose, Points]:
    """Pose and the landmarks in the head frame.

    `landmarks` are in pixels: x right, y down, z away from the viewer (as MediaPipe gives, times the width).
    The similarity that brings the rigid landmarks onto the canonical ones in least squares (Umeyama 1991,
    "Least-squares estimation of transformation parameters between two point patterns").
    """
    points = landmarks * np.array([1.0, -1.0, -1.0])
    rigid = points[_RIGID]
    centre, aim = rigid.mean(axis=0), _CANONICAL_POINTS.mean(axis=0)
    u, s, vt = np.linalg.svd((_CANONICAL_POINTS - aim).T @ (rigid - centre))
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    back = (u * signs) @ vt
    shrink = float((s * signs).sum() / ((rigid - centre) ** 2).sum())
    head = shrink * (points - centre) @ back.T + aim
    turn = back.T
    yaw = np.arctan2(turn[0, 2], turn[2, 2])
    pitch = np.arcsin(np.clip(turn[1, 2], -1, 1))
    roll = np.arctan2(turn[1, 0], turn[1, 1])
    degrees = np.degrees([yaw, pitch, roll]).tolist()
    return HeadPose(degrees[0], degrees[1], degrees[2], scale=1 / shrink), head


def face_shape(head: Points) -> FaceShape:
    """The measures of one face from its landmarks in the head frame."""
    eyes = head[[*RIGHT_EYE, *LEFT_EYE], 1].mean()
    corners = head[list(LIP_CORNERS)]
    half_width = (corners[1, 0] - corners[0, 0]) / 2
    middle = head[[UPPER_LIP[1], LOWER_LIP[1]], 1].mean()
    gaze_yaw, gaze_pitch = eye_gaze(head)
    return FaceShape(
        brow_height=float(head[BROWS, 1].mean() - eyes),
        inner_brow_height=float(head[INNER_BROWS, 1].mean() - eyes),
        corner_pull=float((corners[:, 1].mean() - eyes + half_width) / np.sqrt(2)),
        corner_curve=float(corners[:, 1].mean() - middle),
        lip_thickness=_distance(head, *UPPER_LIP) + _distance(head, *LOWER_LIP),
        lip_gap=_distance(head, UPPER_LIP[1], LOWER_LIP[1]),
        lid_gap=float(np.mean([_distance(head, *pair) for eye in LID_PAIRS for pair in eye])),
        jaw=float(eyes - head[CHIN, 1].mean()),
        gaze_yaw=gaze_yaw,
        gaze_pitch=gaze_pitch,
    )


def eye_gaze(head: Points) -> tuple[float, float]:
    """Mean direction of both eyes in the head, in degrees: right of the picture and up are positive.

    From the offset d of the iris from the middle of the eye's corners: sin(angle) = d / (EYEBALL · eye width).
    """
    if len(head) <= max(IRISES):
        return float("nan"), float("nan")
    offsets = []
    for iris, (outer, inner) in zip(IRISES, (RIGHT_EYE, LEFT_EYE), strict=True):
        width = np.linalg.norm(head[outer] - head[inner])
        offsets.append((head[iris, :2] - (head[outer, :2] + head[inner, :2]) / 2) / (EYEBALL * width))
    yaw, pitch = np.degrees(np.arcsin(np.clip(np.mean(offsets, axis=0), -1, 1)))
    return float(yaw), float(pitch)


def _distance(head: Points, first: int, second: int) -> float:
    return float(np.linalg.norm(head[first] - head[second]))
