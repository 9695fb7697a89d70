"""A photograph of a face that can speak, blink, raise its brows and smile, by moving FaceMesh landmarks.

Each pose moves the landmarks; pixels between them follow by linear interpolation over their Delaunay triangles. The
photograph smiles with teeth showing. At rest the mouth is drawn nearly closed; when the jaw opens, the teeth stay with
the upper lip and the gap below them is painted dark.
"""

from dataclasses import dataclass

import cv2
import mediapipe
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

Points = NDArray[np.float64]
Image = NDArray[np.uint8]

# FaceMesh landmark numbers; "right" is the person's right, on the left of the picture.
UPPER_INNER_LIP = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
LOWER_INNER_LIP = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
LIPS = [*UPPER_INNER_LIP, *LOWER_INNER_LIP, 61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291]
LIPS += [146, 91, 181, 84, 17, 314, 405, 321, 375, 76, 62, 306, 292]
CORNERS = (61, 291)
UPPER_LIDS = ([33, 246, 161, 160, 159, 158, 157, 173, 133], [362, 398, 384, 385, 386, 387, 388, 466, 263])
LOWER_LIDS = ([33, 7, 163, 144, 145, 153, 154, 155, 133], [362, 382, 381, 380, 374, 373, 390, 249, 263])
INNER_BROWS, BROW_ENDS = (55, 285), (46, 276)
BROWS = ([70, 63, 105, 66, 107, 46, 53, 52, 65, 55], [300, 293, 334, 296, 336, 276, 283, 282, 295, 285])
NOSE_BRIDGE, CHIN = 168, 152


@dataclass(frozen=True)
class Pose:
    """Strengths from 0 to 1, head angles in degrees."""

    jaw: float = 0.0
    smile: float = 0.0
    worry: float = 0.0
    brows: float = 0.0
    blink: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0


class Puppet:
    """Draws a square photograph of one face in any pose."""

    def __init__(self, photograph: Image) -> None:
        self.photograph = photograph
        self.size = photograph.shape[0]
        self.rest = landmarks(photograph)[:468]  # without the irises: lids must slide over them
        self.eyes = float(np.linalg.norm(self.rest[33, :2] - self.rest[263, :2]))
        """Distance of the outer eye corners: the unit of every movement below."""
        self.frame = still_points(self.rest[:, :2], self.size)
        rows, columns = np.mgrid[0 : self.size, 0 : self.size].astype(np.float32)
        self.columns, self.rows = columns, rows

    def draw(self, pose: Pose) -> Image:
        moved = self.rest[:, :2] + self.movement(pose)
        image = self.warp(moved, self.rest[:, :2])
        image = self.paint_mouth(image, moved)
        image = self.close_lids(image, moved, pose.blink + 0.15 * pose.smile)
        return self.turn_head(image, pose)

    # ---- where the landmarks go

    def movement(self, pose: Pose) -> Points:
        """Displacement of every landmark in pixels."""
        move = self.mouth(pose) + self.brow(pose)
        depth = self.rest[:, 2] - self.rest[:, 2].mean()
        move[:, 0] -= depth * np.sin(np.radians(pose.yaw))
        move[:, 1] -= depth * np.sin(np.radians(pose.pitch))
        return move

    def mouth(self, pose: Pose) -> Points:
        """From the photograph's smile to a mouth at rest, then opened by the jaw."""
        points, unit = self.rest[:, :2], self.eyes
        move = np.zeros_like(points)
        calm = 1 - pose.smile
        middle = points[list(CORNERS)].mean(axis=0)
        for corner in CORNERS:
            inward = np.sign(middle[0] - points[corner, 0]) * 0.055 * calm * unit
            near = bell(points - points[corner], 0.22 * unit)
            move[:, 0] += near * inward
            move[:, 1] += near * (0.06 * calm + 0.06 * pose.worry) * unit
        lower = self.below_lips()
        closing = 0.8 * calm * (1 - pose.jaw)
        gap = points[14, 1] - points[13, 1]
        move[:, 1] += lower * (0.125 * pose.jaw * unit - closing * gap)
        upper = bell(points - points[13], 0.2 * unit) * (1 - lower)
        move[:, 1] += upper * (0.15 * closing * gap - 0.015 * pose.jaw * unit)
        return move

    def below_lips(self) -> Points:
        """How far each landmark follows the jaw: 1 at the middle of the lower lip, 0 at the corners and above."""
        points = self.rest[:, :2]
        line = (points[UPPER_INNER_LIP] + points[LOWER_INNER_LIP]) / 2
        under = points[:, 1] - np.interp(points[:, 0], line[:, 0], line[:, 1])
        half_width = (line[-1, 0] - line[0, 0]) / 2
        aside = (points[:, 0] - points[14, 0]) / half_width
        return np.exp(-0.9 * aside**2) * np.clip(under / (0.02 * self.eyes), 0, 1)

    def brow(self, pose: Pose) -> Points:
        """Both brows up; in worry both come down, their inner ends most and together."""
        points, unit = self.rest[:, :2], self.eyes
        move = np.zeros_like(points)
        for brow, inner, outer in zip(BROWS, INNER_BROWS, BROW_ENDS, strict=True):
            centre = points[brow].mean(axis=0)
            wide = np.array([0.30, 0.13]) * unit
            lift = np.exp(-(((points - centre) / wide) ** 2).sum(axis=1))
            move[:, 1] += (0.05 * pose.worry - 0.075 * pose.brows) * lift * unit
            inward = np.sign(points[NOSE_BRIDGE, 0] - points[inner, 0])
            near = bell(points - points[inner], 0.12 * unit)
            move[:, 0] += near * inward * 0.02 * pose.worry * unit
            move[:, 1] += near * 0.06 * pose.worry * unit
            move[:, 1] += bell(points - points[outer], 0.12 * unit) * 0.02 * pose.worry * unit
        return move

    # ---- what the pixels do

    def warp(self, moved: Points, rest: Points, border: int = cv2.BORDER_REPLICATE) -> Image:
        """The photograph with landmarks `rest` brought to `moved`."""
        known = np.concatenate([moved, self.frame])
        back = np.concatenate([rest - moved, np.zeros_like(self.frame)])
        field = LinearNDInterpolator(known, back, fill_value=0.0)(self.columns, self.rows).astype(np.float32)
        field = cv2.GaussianBlur(field, (0, 0), 0.8)
        x, y = self.columns + field[..., 0], self.rows + field[..., 1]
        return cv2.remap(self.photograph, x, y, cv2.INTER_CUBIC, borderMode=border)

    def paint_mouth(self, image: Image, moved: Points) -> Image:
        """Between the lips: the photograph's teeth, carried by the upper lip, and darkness below them."""
        upper, lower = moved[UPPER_INNER_LIP], moved[LOWER_INNER_LIP]
        lower[:, 1] = np.maximum(lower[:, 1] - 1.0, np.interp(lower[:, 0], *upper.T))
        inside = self.mask(np.concatenate([upper, lower[-2:0:-1]]), 1.0)
        was, now = self.rest[UPPER_INNER_LIP, :2], moved[UPPER_INNER_LIP]
        scale = (now[-1, 0] - now[0, 0]) / (was[-1, 0] - was[0, 0])
        drop = now[5, 1] - was[5, 1]
        x = (self.columns - now[5, 0]) / scale + was[5, 0]
        y = self.rows - drop
        teeth = cv2.remap(self.photograph, x.astype(np.float32), y.astype(np.float32), cv2.INTER_CUBIC)
        lips = self.rest[:, :2]
        seen = self.mask(np.concatenate([lips[UPPER_INNER_LIP], lips[LOWER_INNER_LIP[-2:0:-1]] - [0, 2.0]]), 1.5)
        seen = cv2.remap(seen, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
        dark = np.array([52, 20, 20], np.float32)
        cavity = dark + seen[..., None] * (teeth.astype(np.float32) - dark)
        opening = inside[..., None]
        return np.clip(image * (1 - opening) + cavity * opening, 0, 255).astype(np.uint8)

    def close_lids(self, image: Image, moved: Points, closed: float) -> Image:
        """Each upper lid slides down over its eye; the skin between it and the brow stretches."""
        y = self.rows.copy()
        for upper, lower in zip(UPPER_LIDS, LOWER_LIDS, strict=True):
            between = (self.columns[0] > moved[upper[0], 0]) & (self.columns[0] < moved[upper[-1], 0])
            lid = np.interp(self.columns[0], *moved[upper].T)
            bottom = np.maximum(np.interp(self.columns[0], *moved[lower].T), lid)
            edge = lid + min(closed, 0.97) * (bottom - lid)
            fold = lid - 0.10 * self.eyes
            skin = between & (self.rows > fold) & (self.rows < edge)
            y = np.where(skin, fold + (self.rows - fold) * (lid - fold) / (edge - fold), y)
        return cv2.remap(image, self.columns, y.astype(np.float32), cv2.INTER_CUBIC)

    def mask(self, outline: Points, softness: float) -> NDArray[np.float32]:
        """1 inside a polygon, 0 outside, with an edge of `softness` pixels."""
        area = np.zeros((self.size, self.size), np.float32)
        cv2.fillPoly(area, [np.round(outline * 16).astype(np.int32)], 1.0, lineType=cv2.LINE_AA, shift=4)
        return cv2.GaussianBlur(area, (0, 0), softness)

    def turn_head(self, image: Image, pose: Pose) -> Image:
        """Head and hair sway about the neck; shoulders and background stay."""
        points = self.rest[:, :2]
        neck = points[CHIN] + [0, 0.25 * self.eyes]
        crown = points[NOSE_BRIDGE]
        reach = np.hypot((self.columns - crown[0]) / 2.1, (self.rows - crown[1]) / 2.4) / self.eyes
        follow = 1 - smooth_step((reach - 0.45) / 0.55)
        angle = np.radians(pose.roll)
        dx = -angle * (self.rows - neck[1]) + 0.5 * pose.yaw
        dy = angle * (self.columns - neck[0]) + 0.6 * pose.pitch
        x, y = self.columns - follow * dx, self.rows - follow * dy
        return cv2.remap(
            image, x.astype(np.float32), y.astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )


def landmarks(image: Image) -> Points:
    """The FaceMesh landmarks of the one face: x, y, depth in pixels."""
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True) as mesh:
        found = mesh.process(image).multi_face_landmarks
    assert found, "FaceMesh finds no face in the photograph"
    return np.array([[p.x, p.y, p.z] for p in found[0].landmark]) * image.shape[0]


def still_points(face: Points, size: int) -> Points:
    """Points that never move: a ring around the face and the border of the picture."""
    centre = (face.min(axis=0) + face.max(axis=0)) / 2
    turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    ring = centre + 0.72 * np.ptp(face, axis=0) * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    side = np.linspace(0, size - 1, 9)
    edge = [(x, y) for x in side for y in side if x in (0, size - 1) or y in (0, size - 1)]
    return np.concatenate([ring, np.array(edge)])


def bell(offset: Points, width: float) -> Points:
    """Gaussian of the distance: 1 at the point, 0.37 one width away."""
    return np.exp(-(offset**2).sum(axis=-1) / width**2)


def smooth_step(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """0 below 0, 1 above 1, 3x² - 2x³ between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
