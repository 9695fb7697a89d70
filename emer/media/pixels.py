"""From a decoded frame to upright RGB pixels of the wanted width."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from jaxtyping import UInt8


@dataclass(frozen=True, slots=True)
class Orientation:
    """How coded pixels become upright ones: first swap rows and columns, then mirror left-right, then up-down."""

    swapped: bool = False
    mirrored: bool = False
    flipped: bool = False

    @property
    def degrees(self) -> int:
        """Clockwise turn in degrees (0, 90, 180, 270); a mirror image counts as its turn alone."""
        if self.swapped:
            return 90 if self.mirrored or not self.flipped else 270
        return 180 if self.flipped else 0


_BY_ANGLE = {
    0: Orientation(),
    90: Orientation(swapped=True, flipped=True),
    180: Orientation(mirrored=True, flipped=True),
    270: Orientation(swapped=True, mirrored=True),
}
"""Counter-clockwise quarter turns, as FFmpeg states rotation."""


def orientation_of(frame: VideoFrame) -> Orientation:
    """The turn and mirroring that the file asks players for (display matrix of ISO/IEC 14496-12, or Exif).

    The matrix maps a pixel (p, q) to (a p + c q, b p + d q); turns are taken to the nearest quarter.
    """
    try:
        side_data: Any = frame.side_data
        matrix = side_data.get("DISPLAYMATRIX")
    except ValueError:
        # PyAV 18 cannot list side data of a kind it has no name for (Exif); the angle can be had all the same.
        return _BY_ANGLE[round(frame.rotation / 90) * 90 % 360]
    if matrix is None:
        return Orientation()
    a, b, _, c, d = (int(number) for number in np.frombuffer(bytes(matrix), np.int32)[:5])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(mirrored=a < 0, flipped=d < 0)
    return Orientation(swapped=True, mirrored=c < 0, flipped=b < 0)


def displayed_size(frame: VideoFrame, aspect: float, orientation: Orientation) -> tuple[int, int]:
    """Width and height as shown: pixels made square (`aspect` is one pixel's width to its height), then turned."""
    width, height = max(1, round(frame.width * aspect)), frame.height
    return (height, width) if orientation.swapped else (width, height)


def render(
    frame: VideoFrame, aspect: float, max_width: int, scaler: VideoReformatter
) -> UInt8[np.ndarray, "height width rgb=3"]:
    """Upright RGB pixels, at most `max_width` wide, never enlarged.

    Scaling and colour conversion (any bit depth and chroma layout to rgb24) are one step on the coded frame. The
    `scaler` is kept for a whole pass: a new one for each frame costs time and 300 kB until it is collected.
    """
    orientation = orientation_of(frame)
    width, height = displayed_size(frame, aspect, orientation)
    if width > max_width:
        width, height = max_width, max(1, round(height * max_width / width))
    coded = (height, width) if orientation.swapped else (width, height)
    pixels = scaler.reformat(frame, width=coded[0], height=coded[1], format="rgb24").to_ndarray()
    if orientation.swapped:
        pixels = pixels.swapaxes(0, 1)
    if orientation.mirrored:
        pixels = pixels[:, ::-1]
    if orientation.flipped:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels, dtype=np.uint8)
