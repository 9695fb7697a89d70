"""The tracked face as its own pictures: found in the frames that the model sees, followed, and cut out.

Finder, linking and choice are those of the visual clues. They look five times a second; here only the model's own
frames are searched, so every one of them thoroughly: between frames half a second apart, a face may have moved far.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import pairwise

import numpy as np
from jaxtyping import Float, UInt8

from emer.backbones.attached import Pictures
from emer.clues.face_mesh import FaceFinder, FaceMesh
from emer.clues.face_tracks import COLUMNS, FaceLinker, follow
from emer.types import Frame

Resize = Callable[[UInt8[np.ndarray, "_ _ 3"], int, int], UInt8[np.ndarray, "_ _ 3"]]
REACH = 1.4
"""Half the side of a crop in distances between the outer corners of the eyes: brow to chin, with hair and ears."""


def face_crops(frames: Sequence[Frame], side: int, resize: Resize, finder: FaceFinder | None = None) -> Pictures | None:
    """Squares of `side` pixels around the followed face; None where no frame shows one.

    Between sightings the square moves in a straight line, so that the video keeps its clock; before the first and after
    the last it stays. Raises MissingExtra without mediapipe.
    """
    step = float(np.median([b.time - a.time for a, b in pairwise(frames)])) if len(frames) > 1 else 1.0
    linker = FaceLinker(max(step, 1e-3))
    with closing(finder or FaceMesh()) as finder:
        for index, frame in enumerate(frames):
            linker.add(index, finder.find(frame.pixels, thorough=True))
    followed = follow(linker.tracks, None, len(frames), step)
    if followed is None:
        return None
    table = followed.track.on_grid(len(frames))
    places = np.array([_filled(table[COLUMNS.index(name)]) for name in ("x", "y", "scale")])
    return np.stack([resize(_square(frame.pixels, places[:, i]), side, side) for i, frame in enumerate(frames)])


def _filled(curve: Float[np.ndarray, "frame"]) -> Float[np.ndarray, "frame"]:
    """The curve with its gaps drawn straight, its ends held."""
    seen = np.flatnonzero(np.isfinite(curve))
    return np.asarray(np.interp(np.arange(len(curve)), seen, curve[seen]))


def _square(
    pixels: UInt8[np.ndarray, "height width 3"], place: Float[np.ndarray, "xy_scale=3"]
) -> UInt8[np.ndarray, "side side 3"]:
    """The square around the face; black where it reaches beyond the picture."""
    x, y, scale = place
    reach = max(4, round(REACH * scale))
    left, top = round(x) - reach, round(y) - reach
    padded = np.zeros((2 * reach, 2 * reach, 3), np.uint8)
    height, width = pixels.shape[:2]
    rows = slice(max(top, 0), min(top + 2 * reach, height))
    columns = slice(max(left, 0), min(left + 2 * reach, width))
    seen = pixels[rows, columns]
    padded[rows.start - top : rows.start - top + seen.shape[0], columns.start - left :][:, : seen.shape[1]] = seen
    return padded
