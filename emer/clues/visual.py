"""Visual clues: who is seen, and what brows, lids, lips, head and eyes do, against this face's own neutral.

Pictures are looked at five times a second and forgotten; eighteen numbers a face and picture stay. From these curves
come the events (`face_events`), the features (`face_features`) and the sentences (`face_clues`).
"""

import os
from collections.abc import Sequence
from contextlib import closing

import numpy as np
from jaxtyping import Bool

from emer.clues.events import strongest
from emer.clues.face_activations import BLENDSHAPE, INTER_OCULAR
from emer.clues.face_clues import count_clue, event_clue, face_notices, face_tracks, level_clues, presence_clue
from emer.clues.face_curves import curves_of
from emer.clues.face_events import events_of
from emer.clues.face_features import features_of
from emer.clues.face_mesh import FaceFinder, FaceMesh
from emer.clues.face_tracks import FaceLinker, FaceTrack, Followed, follow
from emer.clues.grid import covered
from emer.clues.listening import Listening
from emer.types import Extract, Media, Notice, Span

FPS = 5
STEP = 1 / FPS
MAX_WIDTH = 960
WINDOW = 4.0
"""Seconds decoded at a time: 20 pictures, some 30 MB."""
THOROUGH_EVERY = FPS
"""Steps between two searches for small and further faces; one a second."""
MIN_SIGHTINGS = 3
"""A face seen less often in a video is taken for a mistake."""


class VisualClues:
    """Faces through MediaPipe's own models, or through the `.task` model that `EMER_FACE_TASK` names."""

    name = "visual"

    def __init__(self, task: str | None = None) -> None:
        self.task = task or os.environ.get("EMER_FACE_TASK") or None
        self.version = "1"
        if self.task:
            from emer.clues.face_tasks import fingerprint

            self.version += f"+task:{fingerprint(self.task)}"

    def extract(self, media: Media, listening: Listening) -> Extract:
        """Clues, features and curves of the followed face. Raises MissingExtra without mediapipe."""
        with closing(self._finder()) as finder:
            if media.facts.is_image:
                return self._still(media, listening, finder)
            tracks, looked = watch(media, finder)
        tracks = [track for track in tracks if len(track.steps) >= min(MIN_SIGHTINGS, looked.sum())]
        followed = follow(tracks, listening.activity, len(looked), STEP)
        if followed is None:
            return self._faceless(media.facts.span, listening)
        return self._measured(media.facts.span, listening, tracks, followed, looked)

    def _finder(self) -> FaceFinder:
        if self.task is None:
            return FaceMesh()
        from emer.clues.face_tasks import FaceTask

        return FaceTask(self.task)

    def _measured(
        self,
        span: Span,
        listening: Listening,
        tracks: Sequence[FaceTrack],
        followed: Followed,
        looked: Bool[np.ndarray, "step"],
    ) -> Extract:
        length = len(looked)
        speaking = covered(listening.activity.speech if listening.activity else (), span.start, STEP, length)
        scale = BLENDSHAPE if followed.track.blendshapes else INTER_OCULAR
        curves = curves_of(followed.track.on_grid(length), looked, speaking, scale, span, STEP)
        events, faces = events_of(curves), most_at_once(tracks, length)
        features = features_of(curves, events, faces, None, self.version)
        clues = [*level_clues(curves, features, span)]
        clues += [count_clue(faces, followed.why, span)] if len(tracks) > 1 else []
        clues += [event_clue(event, curves) for event in strongest(events, listening.segments)]
        parts = [covered([segment], span.start, STEP, length) for segment in listening.segments]
        return Extract(
            clues=tuple(clues),
            features=features,
            segment_features=tuple(features_of(curves, events, faces, part, self.version) for part in parts),
            tracks=face_tracks(curves),
            warnings=tuple(face_notices(curves, faces, len(tracks), followed.why)),
        )

    def _faceless(self, span: Span, listening: Listening) -> Extract:
        nothing = features_of(None, (), 0, None, self.version)
        return Extract(
            clues=(presence_clue(0.0, span),),
            features=nothing,
            segment_features=(nothing,) * len(listening.segments),
            warnings=(Notice("no_face", "no face was found in the picture"),),
        )

    def _still(self, media: Media, listening: Listening, finder: FaceFinder) -> Extract:
        """One picture: who is there. Movements have no neutral to be compared with, so none is stated."""
        span = media.facts.span
        faces = max((len(finder.find(frame.pixels, thorough=True)) for frame in media.sample(1)), default=0)
        if not faces:
            return self._faceless(span, listening)
        presence = presence_clue(1.0, span, "the one picture")
        text = "a still picture has no neutral of the same face to compare with, so no facial movement is stated"
        return Extract(
            clues=(presence, count_clue(faces, "no movement: it is a still picture", span)),
            features=features_of(None, (), faces, None, self.version, coverage=1.0),
            warnings=(Notice("still_picture", text),),
        )


def watch(media: Media, finder: FaceFinder) -> tuple[list[FaceTrack], Bool[np.ndarray, "step"]]:
    """Every face of the clip on the grid of STEP seconds, and the steps of which a picture was seen."""
    start = media.facts.span.start
    linker, steps = FaceLinker(STEP), [-1]
    for window in media.windows(seconds=WINDOW, audio=False, fps=FPS, max_width=MAX_WIDTH):
        for frame in window.frames:
            step = int((frame.time - start) / STEP + 1e-6)
            if frame.corrupt or step <= steps[-1]:
                continue
            linker.add(step, finder.find(frame.pixels, thorough=step % THOROUGH_EVERY == 0))
            steps.append(step)
    looked = np.zeros(steps[-1] + 1, bool)
    looked[steps[1:]] = True
    return linker.tracks, looked


def most_at_once(tracks: Sequence[FaceTrack], length: int) -> int:
    """The most faces seen in one picture."""
    count = np.zeros(max(1, length), int)
    for track in tracks:
        count[np.array(track.steps, int)] += 1
    return int(count.max())
