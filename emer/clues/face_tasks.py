"""A second backend: a `.task` model that the user brings (MediaPipe Tasks, FaceLandmarker), with blendshapes.

Such models are not in any wheel; `EMER_FACE_TASK=/path/face_landmarker.task` names one. A bundle without a blendshape
model still gives landmarks, and the activations then come from their geometry, as with FaceMesh.
"""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emer.clues.face_mesh import MAX_FACES, FoundFace, Pixels, as_pixels, mediapipe, quietly
from emer.errors import ConfigError

LANDMARK_MODEL = "face_landmarks_detector.tflite"
BLENDSHAPE_MODEL = "face_blendshapes.tflite"
HOW = "set EMER_FACE_TASK to a FaceLandmarker bundle (face_landmarker.task), or unset it to use the built-in models"


def contents(path: str) -> frozenset[str]:
    """The models in a bundle. Raises ConfigError when the file is absent or is not a FaceLandmarker bundle."""
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"the face model {path} does not exist; {HOW}")
    try:
        with zipfile.ZipFile(file) as bundle:
            names = frozenset(bundle.namelist())
    except (zipfile.BadZipFile, OSError) as error:
        raise ConfigError(f"{path} is not a .task bundle ({error}); {HOW}") from error
    if LANDMARK_MODEL not in names:
        inside = ", ".join(sorted(names)[:4]) or "nothing"
        raise ConfigError(f"{path} holds no {LANDMARK_MODEL} but {inside}; {HOW}")
    return names


def fingerprint(path: str) -> str:
    """Eight hexadecimal digits of the bundle's SHA-256: part of the extractor's version."""
    contents(path)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:8]


class FaceTask:
    """FaceLandmarker on one picture at a time. Raises ConfigError when MediaPipe cannot use the bundle."""

    def __init__(self, path: str) -> None:
        self.blendshapes = BLENDSHAPE_MODEL in contents(path)
        self._package = mediapipe()
        vision, base = self._package.tasks.vision, self._package.tasks.BaseOptions
        options = vision.FaceLandmarkerOptions(
            base_options=base(model_asset_path=path),
            num_faces=MAX_FACES,
            output_face_blendshapes=self.blendshapes,
        )
        try:
            with quietly(passing_on=False):
                self._landmarker = vision.FaceLandmarker.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ConfigError(f"MediaPipe cannot use {path}: {first}; {HOW}") from error

    def find(self, pixels: Pixels, *, thorough: bool = False) -> tuple[FoundFace, ...]:
        """All faces that the landmarker finds; it has no second, closer look."""
        height, width = pixels.shape[:2]
        picture = self._package.Image(image_format=self._package.ImageFormat.SRGB, data=pixels)
        return found_faces(self._landmarker.detect(picture), width, height)

    def close(self) -> None:
        self._landmarker.close()


def found_faces(result: Any, width: int, height: int) -> tuple[FoundFace, ...]:
    """The faces of a FaceLandmarkerResult, with their blendshapes where it has any."""
    scores: list[Mapping[str, float] | None]
    scores = [{score.category_name: score.score for score in face} for face in result.face_blendshapes]
    scores = scores or [None] * len(result.face_landmarks)
    return tuple(
        FoundFace(as_pixels(face, width, height), shapes)
        for face, shapes in zip(result.face_landmarks, scores, strict=True)
    )
