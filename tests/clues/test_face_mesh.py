"""FaceMesh with its rescue, on the public-domain photograph of the example clip, and its silence on standard error."""

import os
import subprocess
import sys
import threading
import time

import cv2
import numpy as np
import pytest

from emer.clues.face_activations import ACTIVATIONS, from_shape
from emer.clues.face_geometry import face_shape, head_pose
from emer.clues.face_mesh import FaceMesh, mediapipe, quietly
from emer.errors import MissingExtra

TOLERANCE = {"lip_press": 3.0, "jaw_drop": 5.0}
"""Inter-ocular % by which tilting and shrinking a photograph may change an activation; 2 for all others."""


LOOK = """
import numpy as np
from emer.clues.face_mesh import FaceMesh
mesh = FaceMesh()
mesh.find(np.zeros((90, 90, 3), np.uint8), thorough=True)
mesh.close()
"""


def meshes(pixels: np.ndarray, thorough: bool = False) -> list[np.ndarray]:
    mesh = FaceMesh()
    faces = mesh.find(pixels, thorough=thorough)
    mesh.close()
    return [face.landmarks for face in faces]


def activations(landmarks: np.ndarray) -> np.ndarray:
    return from_shape(face_shape(head_pose(landmarks)[1]))


@pytest.mark.parametrize("degrees", [-20, 12, 25])
@pytest.mark.parametrize("zoom", [0.6, 0.9])
def test_a_tilted_and_smaller_photograph_shows_the_same_activations(
    photograph: np.ndarray, degrees: float, zoom: float
) -> None:
    middle = (photograph.shape[1] / 2, photograph.shape[0] / 2)
    turn = cv2.getRotationMatrix2D(middle, degrees, zoom)
    tilted = cv2.warpAffine(photograph, turn, photograph.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    (straight,), (turned,) = meshes(photograph), meshes(tilted)
    roll = head_pose(turned)[0].roll - head_pose(straight)[0].roll
    assert roll == pytest.approx(degrees, abs=4)
    allowed = np.array([TOLERANCE.get(name, 2.0) for name in ACTIVATIONS])
    assert (np.abs(activations(turned) - activations(straight)) <= allowed).all()


def test_a_face_too_small_for_the_mesh_is_rescued_at_its_place(photograph: np.ndarray) -> None:
    """The photograph shrunk to 96 pixels in a picture of 640 x 360: the eyes are where they were, times the scale."""
    scene = np.full((360, 640, 3), 120, np.uint8)
    small = cv2.resize(photograph, (96, 96), interpolation=cv2.INTER_AREA)
    scene[200:296, 500:596] = small
    (large,) = meshes(photograph)
    (found,) = meshes(scene, thorough=True)
    expected = large[[33, 263], :2] * 96 / photograph.shape[0] + [500, 200]
    np.testing.assert_allclose(found[[33, 263], :2], expected, atol=1.5)


def test_an_empty_picture_has_no_face() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (180, 320, 3), dtype=np.uint8)
    assert meshes(noise, thorough=True) == []


def test_nothing_is_printed_to_standard_error() -> None:
    run = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")


def test_a_missing_mediapipe_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(MissingExtra, match=r'pip install "emer\[face\]"'):
        mediapipe()


def test_what_was_held_back_is_passed_on_when_the_block_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with quietly():
        os.write(2, b"noise")
    with pytest.raises(TypeError), quietly():
        os.write(2 if os.write(2, b"reason") else 1, None)
    assert capfd.readouterr().err == "reason"


def test_two_threads_that_hush_at_once_give_standard_error_back() -> None:
    before = os.fstat(2)
    inside, trying = threading.Event(), threading.Event()

    def first() -> None:
        with quietly():
            inside.set()
            trying.wait(10)
            time.sleep(0.1)

    def second() -> None:
        inside.wait(10)
        trying.set()
        with quietly():
            time.sleep(0.2)  # leaves after the first: unguarded, it would restore the first one's silence

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = os.fstat(2)
    assert (after.st_dev, after.st_ino) == (before.st_dev, before.st_ino)
