"""What a model is given of a clip: no more than its caps allow, and what was left out is told."""

import numpy as np
import pytest
from clips import grey, make_clip, time_shown, tone

from emer.backbones.attached import Attached, Caps
from emer.backbones.attaching import LEAST_SOUND, attach, fitting_size, resized
from emer.backbones.face_crops import face_crops
from emer.clues.face_mesh import FoundFace
from emer.media import open as open_media
from emer.types import Clip, Frame, Span


@pytest.fixture(scope="module")
def ten_seconds(tmp_path_factory):
    """A grey that brightens by 10 levels a second, with a tone; a frame's time can be read off."""
    path = make_clip(tmp_path_factory.mktemp("clips") / "grey.mp4", seconds=10.0, picture=grey(320, 240), sound=tone())
    return open_media(Clip(str(path)))


def codes(attached: Attached) -> list[str]:
    return [notice.code for notice in attached.notices]


def test_frames_are_those_at_the_middles_of_equal_parts(ten_seconds) -> None:
    """Hand count: five parts of ten seconds have their middles at 1, 3, 5, 7 and 9 s."""
    attached = attach(ten_seconds, None, Caps(frames=5, fps=0.5))
    assert [time_shown(pixels) for pixels in attached.frames] == pytest.approx([1, 3, 5, 7, 9], abs=0.25)
    assert attached.fps == pytest.approx(0.5)
    assert attached.notices == ()
    assert len(attached.samples) == 160_000


def test_longer_clips_are_cut_and_thinned_and_both_are_told(ten_seconds) -> None:
    attached = attach(ten_seconds, None, Caps(seconds=4.0, frames=4, fps=2.0))
    assert len(attached.samples) == 64_000
    assert [time_shown(pixels) for pixels in attached.frames] == pytest.approx([0.5, 1.5, 2.5, 3.5], abs=0.25)
    assert [notice.text for notice in attached.notices] == [
        "the model is given the first 4 s of 10.0 s",
        "the model sees 4 frames of 4.0 s instead of 8",
    ]
    assert codes(attached) == ["model_seconds_capped", "model_frames_capped"]


def test_a_part_of_a_clip_is_that_part(ten_seconds) -> None:
    attached = attach(ten_seconds, Span(6.0, 8.0), Caps(frames=2, fps=1.0))
    assert [time_shown(pixels) for pixels in attached.frames] == pytest.approx([6.5, 7.5], abs=0.25)
    assert len(attached.samples) == 32_000
    assert attached.fps == pytest.approx(1.0)


def test_what_is_left_out_is_not_there(ten_seconds) -> None:
    assert attach(ten_seconds, without={"audio"}).samples is None
    assert attach(ten_seconds, without={"visual"}).videos == ()
    assert attach(ten_seconds, without={"audio", "visual", "text"}) == Attached()


def test_sizes_are_multiples_within_the_cap_of_about_the_same_shape(ten_seconds) -> None:
    for width, height in [(640, 360), (360, 640), (33, 900), (4000, 20), (28, 28), (1, 1)]:
        for caps in (Caps(), Caps(pixels=16 * 32 * 32, multiple=32)):
            across, down = fitting_size(width, height, caps)
            assert across % caps.multiple == down % caps.multiple == 0
            assert across * down <= caps.pixels
            assert across <= max(width + caps.multiple / 2, caps.multiple)
    assert attach(ten_seconds, None, Caps(frames=1, pixels=8 * 28 * 28)).frames.shape == (1, 56, 84, 3)


def test_making_a_picture_smaller_takes_means() -> None:
    """Closed form: the mean of black and white pixels in a fine chequerboard is grey."""
    board = np.zeros((80, 80, 3), np.uint8)
    board[::2, ::2] = board[1::2, 1::2] = 255
    assert np.abs(resized(board, 20, 20).astype(int) - 127).max() <= 3


def test_sound_of_a_few_samples_is_filled_up_and_silence_added_is_zero(tmp_path) -> None:
    media = open_media(Clip(str(make_clip(tmp_path / "blip.wav", seconds=0.03, sound=tone()))))
    samples = attach(media).samples
    assert len(samples) == LEAST_SOUND * 16_000
    assert np.abs(samples[:400]).max() > 0.1
    assert np.abs(samples[600:]).max() == 0


def test_a_photograph_is_one_frame_without_sound(clip_media) -> None:
    attached = attach(clip_media("faces/single_face.jpg"))
    assert attached.frames.shape[0] == 1
    assert attached.samples is None
    assert attached.notices == ()


def test_sound_alone_has_no_frames_and_asking_for_the_face_says_nothing_of_it(clip_media) -> None:
    attached = attach(clip_media("speech/jfk.flac"), frames="both")
    assert attached.videos == ()
    assert len(attached.samples) == 11 * 16_000
    assert attached.notices == ()


def test_the_face_is_cut_out_and_fills_its_picture(clip_media) -> None:
    """Oracle: MediaPipe's own landmarks on the crops; a face that is shown small fills at least a third of each."""
    from emer.clues.face_mesh import FaceMesh

    attached = attach(clip_media("faces/single_face.mp4"), None, Caps(frames=4), frames="face")
    assert attached.frames is None
    assert attached.faces.shape == (4, 224, 224, 3)
    mesh = FaceMesh()
    for crop in attached.faces:
        (found,) = mesh.find(crop, thorough=True)
        left, top, right, bottom = found.box
        assert (right - left) * (bottom - top) > 224 * 224 / 4
        assert abs((left + right) / 2 - 112) < 40
    mesh.close()


def test_without_a_face_the_whole_picture_is_shown_and_told(clip_media) -> None:
    media = clip_media("faces/no_face.mp4")
    attached = attach(media, None, Caps(frames=3), frames="face")
    assert attached.faces is None
    assert attached.frames.shape[0] == 3
    assert codes(attached) == ["model_frames_capped", "no_face_for_model"]


@pytest.fixture(scope="module")
def landmarks(clip_media):
    """Of a real face, moved so that their middle is the origin."""
    from emer.clues.face_mesh import FaceMesh

    (frame,) = clip_media("faces/single_face.jpg").sample(1)
    mesh = FaceMesh()
    (found,) = mesh.find(frame.pixels, thorough=True)
    mesh.close()
    return found.landmarks - found.landmarks.mean(axis=0)


class OneFace:
    """A finder that sees the same face at given places, one a picture, or none."""

    def __init__(self, landmarks: np.ndarray, places: list[tuple[float, float] | None]) -> None:
        self.landmarks, self.places = landmarks, list(places)

    def find(self, pixels, *, thorough: bool = False) -> tuple[FoundFace, ...]:
        place = self.places.pop(0)
        return () if place is None else (FoundFace(self.landmarks + np.array([*place, 0.0])),)

    def close(self) -> None:
        assert self.places == []


def test_between_sightings_the_square_moves_in_a_straight_line(landmarks) -> None:
    """Hand count: red marks a line from left to right; seen at frames 1 and 3, the square of frame 2 lies between."""
    pixels = np.zeros((600, 1200, 3), np.uint8)
    pixels[:, :, 0] = (np.arange(1200) // 5)[None, :]
    frames = [Frame(float(i), pixels) for i in range(5)]
    places = [None, (400.0, 300.0), None, (480.0, 300.0), None]
    crops = face_crops(frames, 64, resized, OneFace(landmarks, places))
    middles = crops[:, 32, 31:33, 0].astype(float).mean(axis=1) * 5
    assert np.diff(middles) == pytest.approx([0, 40, 40, 0], abs=6)


def test_the_square_is_black_beyond_the_picture(landmarks) -> None:
    white = np.full((400, 400, 3), 255, np.uint8)
    crops = face_crops([Frame(0.0, white)], 64, resized, OneFace(landmarks, [(0.0, 200.0)]))
    assert crops[0, 32, 2:20].max() == 0
    assert crops[0, 32, 44:62].min() == 255


def test_no_face_in_any_frame_gives_none() -> None:
    black = np.zeros((40, 40, 3), np.uint8)
    assert (
        face_crops([Frame(0.0, black), Frame(1.0, black)], 64, resized, OneFace(np.zeros((478, 3)), [None, None]))
        is None
    )
