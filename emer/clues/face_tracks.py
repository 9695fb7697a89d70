"""Which face is which from frame to frame, and which one to follow.

A face continues the track whose last place is nearest, in units of its own size; after a cut it may begin a new one.
Followed is the face whose mouth moves with the voice; where the voice decides nothing, the largest.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from emer.clues.face_activations import ACTIVATIONS, from_blendshapes, from_shape
from emer.clues.face_geometry import face_shape, head_pose
from emer.clues.face_mesh import FoundFace
from emer.clues.listening import VoiceActivity
from emer.clues.voice_activity import LOUDNESS_STEP

COLUMNS = ("x", "y", "scale", "yaw", "pitch", "roll", "lip_gap", "lid_gap", "gaze_yaw", "gaze_pitch", *ACTIVATIONS)
"""What is kept of a face in one frame: place and inter-ocular distance in pixels, degrees, inter-ocular %."""

MAX_STEP = 1.5
"""Inter-ocular distances that a face may move between two sightings and still be the same."""
MAX_GROWTH = 1.6
FORGET = 60.0
"""Seconds after which an unseen track is no longer continued."""
MIN_CORRELATION, MIN_LEAD = 0.25, 0.1
"""The mouth follows the voice when it correlates at least so much, and so much more than any other's."""


@dataclass(slots=True)
class FaceTrack:
    """One face over time: 4 bytes per number and sighting."""

    steps: array = field(default_factory=lambda: array("l"))  # type: ignore[type-arg]
    """Grid steps at which it was seen."""
    blendshapes: bool = False
    """Whether its activations are blendshape scores."""
    numbers: array = field(default_factory=lambda: array("f"))  # type: ignore[type-arg]

    def add(self, step: int, row: Sequence[float]) -> None:
        self.steps.append(step)
        self.numbers.extend(row)

    @property
    def last(self) -> tuple[float, float, float]:
        """x, y and inter-ocular distance where it was last seen."""
        x, y, scale = self.numbers[-len(COLUMNS) : -len(COLUMNS) + 3]
        return x, y, scale

    def on_grid(self, length: int) -> Float[np.ndarray, "column step"]:
        """The numbers on the clip's grid; NaN where the face was not seen."""
        table = np.full((len(COLUMNS), length), np.nan, np.float32)
        table[:, np.array(self.steps, int)] = np.array(self.numbers, np.float32).reshape(-1, len(COLUMNS)).T
        return table

    def mean_size(self) -> float:
        return float(np.mean(self.numbers[2 :: len(COLUMNS)]))


def row_of(face: FoundFace) -> list[float]:
    """The COLUMNS of one found face."""
    pose, head = head_pose(face.landmarks)
    shape = face_shape(head)
    raw = from_shape(shape) if face.blendshapes is None else from_blendshapes(face.blendshapes)
    left, top, right, bottom = face.box
    place = [(left + right) / 2, (top + bottom) / 2, pose.scale, pose.yaw, pose.pitch, pose.roll]
    return [*place, 100 * shape.lip_gap, 100 * shape.lid_gap, shape.gaze_yaw, shape.gaze_pitch, *raw.tolist()]


class FaceLinker:
    """Collects faces step by step into tracks."""

    def __init__(self, step_seconds: float) -> None:
        self.tracks: list[FaceTrack] = []
        self._forget = FORGET / step_seconds

    def add(self, step: int, faces: Sequence[FoundFace]) -> None:
        """Give each face to the nearest track that may be the same face, nearest pairs first."""
        rows = [row_of(face) for face in faces]
        known = [t for t in self.tracks if step - t.steps[-1] <= self._forget and t.steps[-1] != step]
        pairs = [(_unlikeness(t.last, row[:3]), i, j) for i, t in enumerate(known) for j, row in enumerate(rows)]
        taken: set[int] = set()
        given: set[int] = set()
        for unlikeness, i, j in sorted(pairs):
            if unlikeness <= MAX_STEP and i not in taken and j not in given:
                known[i].add(step, rows[j])
                taken.add(i)
                given.add(j)
        for j, row in enumerate(rows):
            if j not in given:
                self.tracks.append(FaceTrack(blendshapes=faces[j].blendshapes is not None))
                self.tracks[-1].add(step, row)


def _unlikeness(last: Sequence[float], now: Sequence[float]) -> float:
    """Distance in inter-ocular units; infinite when the size differs too much to be the same face."""
    size = (last[2] + now[2]) / 2
    if max(last[2], now[2]) > MAX_GROWTH * min(last[2], now[2]):
        return float("inf")
    return float(np.hypot(last[0] - now[0], last[1] - now[1]) / size)


# ---------------------------------------------------------------- whom to follow


@dataclass(frozen=True, slots=True)
class Followed:
    track: FaceTrack
    why: str
    """`the only face`, `the one whose mouth moves with the voice (correlation 0.52)`, `the largest`, ..."""


def follow(tracks: Sequence[FaceTrack], activity: VoiceActivity | None, length: int, step: float) -> Followed | None:
    """The face to measure, and why this one; None without any."""
    if not tracks:
        return None
    if len(tracks) == 1:
        return Followed(tracks[0], "the only face")
    if activity is not None and activity.speech:
        ranked = sorted(((mouth_with_voice(t, activity, length, step), i) for i, t in enumerate(tracks)), reverse=True)
        (best, i), (second, _) = ranked[:2]
        if best >= MIN_CORRELATION and best - second >= MIN_LEAD:
            return Followed(tracks[i], f"the one whose mouth moves with the voice (correlation {best:.2f})")
    largest = max(tracks, key=lambda track: (len(track.steps) * track.mean_size(), -track.steps[0]))
    return Followed(largest, "the largest and longest seen")


def mouth_with_voice(track: FaceTrack, activity: VoiceActivity, length: int, step: float) -> float:
    """Correlation of mouth opening with the loudness of the voice, over the frames where the face is seen.

    Both are smoothed over three frames, since the mouth opens a little before the sound. 0 with fewer than ten
    frames or without any variation.
    """
    mouth = track.on_grid(length)[COLUMNS.index("lip_gap")]
    voice = loudness_on_grid(activity, length, step)
    seen = np.isfinite(mouth)
    if seen.sum() < 10:
        return 0.0
    kernel = np.array([0.25, 0.5, 0.25])
    weight = np.convolve(seen, kernel, mode="same")
    mouth = np.convolve(np.where(seen, mouth, 0.0), kernel, mode="same") / np.maximum(weight, 1e-9)
    voice = np.convolve(np.pad(voice, 1, mode="edge"), kernel, mode="valid")
    if mouth[seen].std() < 0.05 or voice[seen].std() < 0.05:
        return 0.0
    return float(np.corrcoef(mouth[seen], voice[seen])[0, 1])


def loudness_on_grid(activity: VoiceActivity, length: int, step: float) -> Float[np.ndarray, "step"]:
    """Loudness in dB (at least -60) at each grid step, by interpolation of the 0.1 s curve."""
    if not len(activity.loudness):
        return np.full(length, -60.0)
    heard = np.maximum(activity.loudness.astype(float), -60.0)
    return np.asarray(np.interp((np.arange(length) + 0.5) * step, (np.arange(len(heard)) + 0.5) * LOUDNESS_STEP, heard))
