"""Faces linked over time, and the choice of the one to follow, with landmarks and sounds made by hand."""

import numpy as np
import pytest

from emer.clues.face_geometry import CANONICAL
from emer.clues.face_mesh import FoundFace
from emer.clues.face_tracks import COLUMNS, FaceLinker, follow, mouth_with_voice
from emer.clues.listening import VoiceActivity
from emer.types import Span, Track

STEP = 0.2
SYLLABLES = 0.5 + 0.5 * np.sin(2 * np.pi * 0.9 * np.arange(40) * STEP)
"""How loud the voice is at each of 40 steps, 0 to 1."""


def face(x: float, size: float = 60.0, opening: float = 0.0) -> FoundFace:
    """A face around x whose lips are `opening` inter-ocular units apart."""
    points = np.zeros((478, 3))
    for number, place in CANONICAL.items():
        points[number] = place
    points[14, 1] = -opening
    return FoundFace(points * [size, -size, -size] + [x, 200, 0])


def voice(loud: np.ndarray) -> VoiceActivity:
    loudness = np.repeat(-60 + 40 * loud, 2).astype(np.float32)
    return VoiceActivity((Span(0, len(loud) * STEP),), loudness, Track("speech", "audio", "probability", 0, 0.1, ()))


def linked(*pictures: list[FoundFace]) -> FaceLinker:
    linker = FaceLinker(STEP)
    for step, faces in enumerate(pictures):
        linker.add(step, faces)
    return linker


def test_two_faces_keep_their_tracks_whatever_their_order_in_the_picture() -> None:
    tracks = linked([face(100), face(400)], [face(405), face(95)], [face(90), face(410)]).tracks
    places = [[round(x) for x in track.on_grid(3)[COLUMNS.index("x")]] for track in tracks]
    assert places == [[100, 95, 90], [400, 405, 410]]


def test_a_face_that_jumps_or_changes_size_is_another_one() -> None:
    assert len(linked([face(100)], [face(300)]).tracks) == 2
    assert len(linked([face(100)], [face(100, size=120)]).tracks) == 2


def test_a_face_that_was_hidden_continues_and_its_gap_is_nan() -> None:
    (track,) = linked([face(100)], [], [], [face(110)]).tracks
    assert np.isnan(track.on_grid(4)[0]).tolist() == [False, True, True, False]


def test_the_face_whose_mouth_moves_with_the_voice_is_followed_though_it_is_smaller() -> None:
    wobble = np.random.default_rng(2).uniform(0, 0.2, 40)
    pictures = [[face(100, 90, wobble[i]), face(400, 60, 0.2 * SYLLABLES[i])] for i in range(40)]
    tracks = linked(*pictures).tracks
    followed = follow(tracks, voice(SYLLABLES), 40, STEP)
    assert followed is not None
    assert followed.track is tracks[1]
    assert "moves with the voice" in followed.why


@pytest.mark.parametrize("activity", [None, voice(np.zeros(40))], ids=["no sound", "a steady sound"])
def test_without_a_voice_to_go_by_the_largest_is_followed(activity: VoiceActivity | None) -> None:
    tracks = linked(*[[face(100, 50), face(400, 90)] for _ in range(40)]).tracks
    followed = follow(tracks, activity, 40, STEP)
    assert followed is not None
    assert followed.track is tracks[1]
    assert followed.why == "the largest and longest seen"


def test_one_face_needs_no_reason_and_none_gives_nothing() -> None:
    followed = follow(linked([face(100)]).tracks, None, 1, STEP)
    assert followed is not None
    assert followed.why == "the only face"
    assert follow([], None, 1, STEP) is None


def test_correlation_of_mouth_and_voice_is_that_of_numpy_where_nothing_is_smoothed_away() -> None:
    """A mouth that follows the loudness exactly correlates with 1, one that opposes it with -1."""
    (with_it,) = linked(*[[face(100, 60, 0.2 * level)] for level in SYLLABLES]).tracks
    (against,) = linked(*[[face(100, 60, 0.2 * (1 - level))] for level in SYLLABLES]).tracks
    assert mouth_with_voice(with_it, voice(SYLLABLES), 40, STEP) == pytest.approx(1, abs=0.02)
    assert mouth_with_voice(against, voice(SYLLABLES), 40, STEP) == pytest.approx(-1, abs=0.02)
