"""Finds faces and their 478 landmarks in pictures: MediaPipe FaceMesh, with face detection as rescue.

MediaPipe 0.10.14 is the last release with its models inside the wheel. It prints to the process's standard error from
C++ threads; `quietly` holds that back while graphs are built, so that `emer explain` keeps a clean standard error.
"""

import contextlib
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from emer.errors import MissingExtra

Pixels = UInt8[np.ndarray, "height width rgb=3"]

MAX_FACES = 5
"""Faces that the mesh follows at once; detection finds further ones."""
MIN_DETECTION = 0.5
RESCUE_SIDE = 320
"""Pixels to which the square around a small face is enlarged before the mesh sees it."""


@dataclass(frozen=True, slots=True)
class FoundFace:
    """One face in one picture. Landmarks in pixels: x right, y down, z away from the viewer."""

    landmarks: Float[np.ndarray, "point xyz=3"]
    blendshapes: Mapping[str, float] | None = None
    """Scores from 0 to 1, where the backend gives them."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        left, top = self.landmarks[:, :2].min(axis=0)
        right, bottom = self.landmarks[:, :2].max(axis=0)
        return float(left), float(top), float(right), float(bottom)


@runtime_checkable
class FaceFinder(Protocol):
    """A backend: pictures in the order of the clip go in, faces come out."""

    def find(self, pixels: Pixels, *, thorough: bool = False) -> tuple[FoundFace, ...]:
        """Faces in one picture; `thorough` also looks for small and further ones."""
        ...

    def close(self) -> None: ...


class FaceMesh:
    """MediaPipe's own models. Not for several threads: it carries faces from one picture to the next."""

    def __init__(self) -> None:
        solutions = mediapipe().solutions
        with quietly():
            self._mesh = solutions.face_mesh.FaceMesh(max_num_faces=MAX_FACES, refine_landmarks=True)
            self._close_up = solutions.face_mesh.FaceMesh(
                static_image_mode=True, max_num_faces=1, refine_landmarks=True
            )
            self._detector = solutions.face_detection.FaceDetection(
                model_selection=1, min_detection_confidence=MIN_DETECTION
            )
            for graph in (self._mesh, self._close_up, self._detector):
                graph.process(np.zeros((64, 64, 3), np.uint8))

    def find(self, pixels: Pixels, *, thorough: bool = False) -> tuple[FoundFace, ...]:
        faces = _meshes(self._mesh, pixels)
        if faces and not thorough:
            return tuple(faces)
        for box in self._detections(pixels):
            if not any(_inside(_middle(box), face.box) for face in faces):
                faces += self._look_closer(pixels, box)
        return tuple(faces)

    def close(self) -> None:
        for graph in (self._mesh, self._close_up, self._detector):
            graph.close()

    def _detections(self, pixels: Pixels) -> list[tuple[float, float, float, float]]:
        height, width = pixels.shape[:2]
        found = self._detector.process(pixels).detections or []
        boxes = [detection.location_data.relative_bounding_box for detection in found]
        return [
            (b.xmin * width, b.ymin * height, (b.xmin + b.width) * width, (b.ymin + b.height) * height) for b in boxes
        ]

    def _look_closer(self, pixels: Pixels, box: tuple[float, float, float, float]) -> list[FoundFace]:
        """The mesh of one detected face, from an enlarged square twice as wide as its box."""
        import cv2

        (x, y), reach = _middle(box), max(box[2] - box[0], box[3] - box[1])
        left, top = max(0, round(x - reach)), max(0, round(y - reach))
        part = pixels[top : round(y + reach), left : round(x + reach)]
        if min(part.shape[:2]) < 8:
            return []
        zoom = max(1.0, RESCUE_SIDE / max(part.shape[:2]))
        large = cv2.resize(part, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
        back = np.array([part.shape[1] / large.shape[1], part.shape[0] / large.shape[0], 1 / zoom])
        shift = np.array([left, top, 0.0])
        return [FoundFace(face.landmarks * back + shift) for face in _meshes(self._close_up, large)]


def _meshes(graph: Any, pixels: Pixels) -> list[FoundFace]:
    height, width = pixels.shape[:2]
    found = graph.process(np.ascontiguousarray(pixels)).multi_face_landmarks or []
    return [FoundFace(as_pixels(face.landmark, width, height)) for face in found]


def as_pixels(landmarks: Any, width: int, height: int) -> Float[np.ndarray, "point xyz=3"]:
    """MediaPipe's normalised landmarks in pixels; its z has about the scale of its x."""
    return np.array([(p.x * width, p.y * height, p.z * width) for p in landmarks], np.float64)


def _middle(box: tuple[float, float, float, float]) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _inside(point: tuple[float, float], box: tuple[float, float, float, float]) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


# ---------------------------------------------------------------- loading mediapipe without its noise


def mediapipe() -> Any:
    """The package, imported without its noise. Raises MissingExtra when it is absent or broken."""
    os.environ.setdefault("GLOG_minloglevel", "3")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # protobuf 4 tells mediapipe 0.10.14 that GetPrototype will go; the pinned versions are fixed, so nobody can act.
    warnings.filterwarnings("ignore", message=r"SymbolDatabase\.GetPrototype", category=UserWarning)
    try:
        with quietly():
            import mediapipe as package
    except ImportError as error:
        raise MissingExtra(f'faces need mediapipe ({error}); run: pip install "emer[face]"') from error
    if not hasattr(package, "solutions"):
        raise MissingExtra(
            f"mediapipe {getattr(package, '__version__', '?')} ships no face models (0.10.14 is the last that does); "
            'run: pip install "emer[face]"'
        )
    return package


_STDERR = threading.RLock()
"""One thread at a time: a second one would take the first one's silence for the true standard error, and leave it."""


@contextlib.contextmanager
def quietly(passing_on: bool = True) -> Iterator[None]:
    """Hold back what C++ writes to file descriptor 2; when the block fails, it is by default passed on after all."""
    with _STDERR:
        yield from _held_back(passing_on)


def _held_back(passing_on: bool) -> Iterator[None]:
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # the process has no standard error: nothing to hold back
        yield
        return
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            noise.seek(0)
            if passing_on:
                os.write(2, noise.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
