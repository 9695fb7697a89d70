"""The backend for a model that the user brings.

No wheel carries such a bundle; one without blendshapes is put together here from the models inside mediapipe's wheel,
so that the real calls run. Blendshapes are read from MediaPipe's own result containers.
"""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emer.clues.face_tasks import FaceTask, fingerprint, found_faces
from emer.clues.visual import VisualClues
from emer.errors import ConfigError

mediapipe = pytest.importorskip("mediapipe", reason="mediapipe is absent: install emer[face]")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A FaceLandmarker bundle of the wheel's own models, without blendshapes."""
    models = Path(mediapipe.__file__).parent / "modules"
    path = tmp_path_factory.mktemp("task") / "face.task"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.write(models / "face_detection/face_detection_short_range.tflite", "face_detector.tflite")
        archive.write(models / "face_landmark/face_landmark.tflite", "face_landmarks_detector.tflite")
    return path


def test_the_one_face_of_a_photograph_is_found_through_the_tasks_interface(
    bundle: Path, photograph: np.ndarray
) -> None:
    """The wheel's landmark model has an older layout than Tasks expects: this proves the plumbing, not the places."""
    task = FaceTask(str(bundle))
    (face,) = task.find(photograph)
    task.close()
    assert face.blendshapes is None
    assert face.landmarks.shape == (478, 3)
    left, top, right, bottom = face.box
    assert 96 < (left + right) / 2 < 288
    assert 96 < (top + bottom) / 2 < 288


def test_an_empty_wall_has_no_face(bundle: Path) -> None:
    task = FaceTask(str(bundle))
    assert task.find(np.full((240, 320, 3), 127, np.uint8)) == ()
    task.close()


def test_blendshapes_are_read_by_name() -> None:
    from mediapipe.tasks.python.components.containers.category import Category
    from mediapipe.tasks.python.components.containers.landmark import NormalizedLandmark
    from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarkerResult

    landmarks = [NormalizedLandmark(x=0.5, y=0.25, z=-0.1)] * 478
    scores = [Category(index=25, score=0.4, display_name="", category_name="jawOpen")]
    (face,) = found_faces(FaceLandmarkerResult([landmarks], [scores], []), 640, 360)
    assert face.blendshapes == {"jawOpen": 0.4}
    assert face.landmarks[7].tolist() == pytest.approx([320, 90, -64])


def test_the_version_names_the_model_so_that_cached_clues_are_not_mixed(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMER_FACE_TASK", str(bundle))
    with_model = VisualClues().version
    monkeypatch.delenv("EMER_FACE_TASK")
    assert with_model == f"{VisualClues().version}+task:{fingerprint(str(bundle))}"


def absent(folder: Path) -> Path:
    return folder / "absent.task"


def text(folder: Path) -> Path:
    (folder / "text.task").write_text("no model")
    return folder / "text.task"


def other_bundle(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "hands.task", "w") as archive:
        archive.writestr("hand_detector.tflite", b"")
    return folder / "hands.task"


def broken_bundle(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "broken.task", "w") as archive:
        archive.writestr("face_detector.tflite", b"nothing")
        archive.writestr("face_landmarks_detector.tflite", b"nothing")
    return folder / "broken.task"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (absent, "does not exist"),
        (text, "is not a .task bundle"),
        (other_bundle, "holds no face_landmarks_detector.tflite but hand_detector.tflite"),
        (broken_bundle, "MediaPipe cannot use"),
    ],
)
def test_a_wrong_model_is_named_in_one_line_that_says_what_to_do(
    make: Any, says: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path)
    with pytest.raises(ConfigError) as caught:
        FaceTask(str(path))
    message = str(caught.value)
    assert says in message
    assert str(path) in message
    assert "EMER_FACE_TASK" in message
    assert "\n" not in message
    assert capfd.readouterr().err == ""
