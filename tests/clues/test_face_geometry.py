"""The measures of a face, on a face built by hand and posed by scipy."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from emer.clues.face_activations import ACTIVATIONS, from_blendshapes, from_shape
from emer.clues.face_geometry import (
    BROWS,
    CANONICAL,
    CHIN,
    INNER_BROWS,
    IRISES,
    LID_PAIRS,
    LIP_CORNERS,
    LOWER_LIP,
    UPPER_LIP,
    face_shape,
    head_pose,
)


def face() -> np.ndarray:
    """478 points in the head frame: those that are measured where a face has them, the others at the nose."""
    points = np.tile([0, -0.2, 0.4], (478, 1))
    for number, place in CANONICAL.items():
        points[number] = place
    points[BROWS[:10], :2], points[BROWS[10:], :2] = (-0.35, 0.22), (0.35, 0.22)
    for (pairs, iris), x in zip(zip(LID_PAIRS, IRISES, strict=True), (-0.35, 0.35), strict=True):
        points[iris] = (x, -0.007, 0.03)
        for upper, lower in pairs:
            points[upper], points[lower] = (x, 0.05, 0.05), (x, -0.05, 0.05)
    points[LIP_CORNERS[0]], points[LIP_CORNERS[1]] = (-0.26, -0.7, 0.2), (0.26, -0.7, 0.2)
    for number, y in zip((*UPPER_LIP, *LOWER_LIP[::-1]), (-0.62, -0.69, -0.71, -0.80), strict=True):
        points[number] = (0, y, 0.35)
    points[CHIN] = (0, -1.15, 0.2)
    return points


def photographed(head: np.ndarray, yaw: float, pitch: float, roll: float, size: float = 140.0) -> np.ndarray:
    """Landmarks in pixels of a head turned by scipy: image y points down, z away from the viewer."""
    turn = Rotation.from_euler("YXZ", [yaw, -pitch, roll], degrees=True)
    return (size * turn.apply(head) + [320, -200, 77]) * [1, -1, -1]


POSES = [(0, 0, 0), (30, 0, 0), (-25, 15, 10), (5, -30, -40), (45, 20, 5)]


@pytest.mark.parametrize("pose", POSES)
def test_head_angles_are_those_that_scipy_turned_the_head_by(pose: tuple[float, float, float]) -> None:
    found, _ = head_pose(photographed(face(), *pose))
    assert (found.yaw, found.pitch, found.roll) == pytest.approx(pose, abs=1e-6)
    assert found.scale == pytest.approx(140)


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("size", [20.0, 400.0])
def test_turning_moving_and_scaling_a_head_changes_no_measure(pose: tuple[float, float, float], size: float) -> None:
    _, straight = head_pose(photographed(face(), 0, 0, 0))
    _, turned = head_pose(photographed(face(), *pose, size=size))
    np.testing.assert_allclose(from_shape(face_shape(turned)), from_shape(face_shape(straight)), atol=1e-4)


UPPER_LIDS = [upper for eye in LID_PAIRS for upper, _ in eye]
MOVES = {
    "brow_raise": (BROWS, (0, 0.05, 0), 5.0),
    "brow_lower": (INNER_BROWS, (0, -0.03, 0), 3.0),
    "lip_corner_depress": (list(LIP_CORNERS), (0, -0.04, 0), 4.0),
    "lip_press": ([UPPER_LIP[0]], (0, -0.03, 0), 3.0),
    "eye_open": (UPPER_LIDS, (0, 0.02, 0), 2.0),
    "eye_narrow": (UPPER_LIDS, (0, -0.03, 0), 3.0),
    "jaw_drop": (CHIN, (0, -0.1, 0), 10.0),
}


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("pose", POSES)
def test_a_known_movement_comes_back_in_inter_ocular_percent(name: str, pose: tuple[float, float, float]) -> None:
    points, by, expected = MOVES[name]
    moved = face()
    moved[points] += by
    change = activations_of(moved, pose) - activations_of(face(), pose)
    assert change[ACTIVATIONS.index(name)] == pytest.approx(expected, abs=1e-3)


def test_a_smile_is_measured_along_its_diagonal() -> None:
    smiling = face()
    smiling[LIP_CORNERS[0]] += (-0.05, 0.05, 0)
    smiling[LIP_CORNERS[1]] += (0.05, 0.05, 0)
    change = activations_of(smiling) - activations_of(face())
    assert change[ACTIVATIONS.index("lip_corner_pull")] == pytest.approx(5 * 2**0.5, abs=1e-3)
    assert change[ACTIVATIONS.index("lip_corner_depress")] == pytest.approx(-5, abs=1e-3)


def test_opening_the_jaw_does_not_turn_the_lip_corners_down() -> None:
    """The lower lip falls by 8 %, the corners follow by half of it: they stay level with the middle of the mouth."""
    opened = face()
    opened[[*LOWER_LIP, *CHIN]] += (0, -0.08, 0)
    opened[list(LIP_CORNERS)] += (0, -0.04, 0)
    change = activations_of(opened) - activations_of(face())
    assert change[ACTIVATIONS.index("lip_corner_depress")] == pytest.approx(0, abs=1e-3)
    assert change[ACTIVATIONS.index("lip_press")] == pytest.approx(-8, abs=1e-3)


@pytest.mark.parametrize("pose", POSES)
def test_eyes_turned_by_twenty_degrees_are_measured_so_in_any_pose(pose: tuple[float, float, float]) -> None:
    """An eyeball of 12 mm radius in an eye of 30 mm moves the iris by 12 sin(20°) mm; the eye is .301 units wide."""
    aside = face()
    width = np.linalg.norm(aside[33] - aside[133])
    aside[list(IRISES), 0] += 12 / 30 * np.sin(np.radians(20)) * width
    _, before = head_pose(photographed(face(), *pose))
    _, after = head_pose(photographed(aside, *pose))
    assert face_shape(after).gaze_yaw - face_shape(before).gaze_yaw == pytest.approx(20, abs=0.3)


def test_a_mesh_without_irises_has_no_gaze() -> None:
    assert np.isnan(face_shape(face()[:468]).gaze_yaw)


def test_blendshapes_of_both_sides_are_averaged() -> None:
    found = from_blendshapes({"browDownLeft": 0.5, "browDownRight": 0.3, "jawOpen": 0.25})
    assert dict(zip(ACTIVATIONS, found.round(3).tolist(), strict=True)) == {
        **dict.fromkeys(ACTIVATIONS, 0.0),
        "brow_lower": 40.0,
        "jaw_drop": 25.0,
    }


def activations_of(head: np.ndarray, pose: tuple[float, float, float] = (0, 0, 0)) -> np.ndarray:
    return from_shape(face_shape(head_pose(photographed(head, *pose))[1])).astype(float)
