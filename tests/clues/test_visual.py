"""The face in real pictures: the example clip against its own script, and the shared face clips."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import emer.media
from emer.clues.listening import Listening, VoiceActivity
from emer.clues.visual import VisualClues
from emer.clues.voice_activity import detect
from emer.kinds import kinds
from emer.types import Clip, Clue, Extract, Faults, Frame, Media, MediaFacts, Span, Transcript, Window

NAMES = [
    *("face_coverage", "face_count_max"),
    *("brow_raise_mean", "brow_raise_peak", "brow_raise_share"),
    *("brow_lower_mean", "brow_lower_peak", "brow_lower_share"),
    *("lip_corner_pull_mean", "lip_corner_pull_peak", "lip_corner_pull_share"),
    *("lip_corner_depress_mean", "lip_corner_depress_peak", "lip_corner_depress_share"),
    *("lip_press_mean", "lip_press_peak", "lip_press_share"),
    *("eye_open_mean", "eye_open_peak", "eye_open_share"),
    *("eye_narrow_mean", "eye_narrow_peak", "eye_narrow_share"),
    *("jaw_drop_mean", "jaw_drop_peak", "jaw_drop_share"),
    *("head_yaw_sd", "head_pitch_sd", "head_pitch_mean", "head_motion", "gaze_away", "blink_rate"),
]
"""ARCHITECTURE.md, "Features", copied by hand."""


def measured(path: Path, segments: tuple[Span, ...] = ()) -> Extract:
    media = emer.media.open(Clip(str(path)))
    return VisualClues().extract(media, Listening(heard(media), segments))


def heard(media: Media) -> VoiceActivity | None:
    return detect(media) if media.facts.has_audio else None


def of_kind(extract: Extract, kind: str) -> list[Clue]:
    return [clue for clue in extract.clues if clue.kind == kind]


@pytest.fixture(scope="module")
def example(example_clip: Path) -> Extract:
    return measured(example_clip, (Span(0.4, 4.1), Span(4.1, 7.6)))


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [("brow_lower", 0.6, 3.7), ("brow_raise", 4.25, 5.15), ("lip_corner_pull", 5.4, 7.6)],
)
def test_the_example_clip_does_what_its_script_says(example: Extract, kind: str, start: float, end: float) -> None:
    """Times as in examples/README.md."""
    (clue,) = of_kind(example, kind)
    assert clue.start == pytest.approx(start, abs=0.45)
    assert clue.end == pytest.approx(end, abs=0.45)
    assert clue.value is not None
    assert clue.value > 2.5
    assert clue.unit == "inter-ocular %"
    assert clue.reference == "this face's neutral in this clip"
    assert f"by {clue.value:.1f} % of the inter-ocular distance from this face's neutral" in clue.text


def test_the_three_blinks_of_the_example_clip_are_found(example: Extract) -> None:
    """Lids move down at 0.28, 2.08 and 3.88 s for 0.24 s each (examples/README.md)."""
    blinks = sorted(clue.start for clue in of_kind(example, "blink"))
    assert blinks == pytest.approx([0.4, 2.2, 4.0], abs=0.2)


def test_a_smile_in_speech_says_so(example: Extract) -> None:
    (smile,) = of_kind(example, "lip_corner_pull")
    assert smile.quality == "while speaking, which moves the mouth as well"


def test_the_face_of_the_example_is_there_throughout(example: Extract) -> None:
    assert example.features is not None
    assert (example.features.get("face_coverage") or 0) >= 0.95
    assert example.features.get("face_count_max") == 1
    assert example.warnings == ()


def test_features_are_those_of_the_architecture_page_for_clip_and_segments(example: Extract) -> None:
    assert example.features is not None
    worried, glad = example.segment_features
    for features in (example.features, worried, glad):
        assert list(features.names) == NAMES
        assert all(features.mask)
    assert worried.get("brow_lower_share") == pytest.approx(3.1 / 3.7, abs=0.15)
    assert glad.get("brow_lower_share") == 0
    assert (glad.get("lip_corner_pull_mean") or 0) > 4 * (worried.get("lip_corner_pull_mean") or 0)


def test_clues_are_of_known_kinds_and_few_and_every_track_is_short(example: Extract) -> None:
    events = [clue for clue in example.clues if kinds()[clue.kind].event]
    assert (
        max(sum(a <= clue.start < b for clue in events) for a, b in ((0.0, 4.1), (4.1, 8.0))) <= 13
    )  # one at a border
    assert all(clue.modality == kinds()[clue.kind].modality == "visual" for clue in example.clues)
    assert all(clue.unit == kinds()[clue.kind].unit for clue in example.clues)
    assert {len(track.values) for track in example.tracks} == {38}


def test_the_same_clip_gives_the_same_numbers(example: Extract, example_clip: Path) -> None:
    assert measured(example_clip, (Span(0.4, 4.1), Span(4.1, 7.6))) == example


class Pictures:
    """Media of given pictures at five a second, with the facts that are asked for."""

    def __init__(self, frames: list[Frame], is_image: bool = False) -> None:
        span = Span(0.0, len(frames) / 5)
        self.facts = MediaFacts("made by a test", "", span, None, False, True, is_image)
        self.frames = frames
        self.transcript: Transcript | None = None
        self.faults = Faults()

    def windows(
        self, *, seconds: float = 30.0, audio: bool = True, fps: float | None = None, max_width: int = 960
    ) -> Iterator[Window]:
        yield Window(0.0, self.facts.span.end, np.zeros(0, np.float32), tuple(self.frames))

    def sample(self, n: int, *, max_width: int = 960) -> tuple[Frame, ...]:
        return tuple(self.frames[:n])


@pytest.fixture(scope="module")
def talking(example_clip: Path) -> SimpleNamespace:
    """Pictures of the example clip, 288 pixels wide, and where it speaks."""
    media = emer.media.open(Clip(str(example_clip)))
    windows = media.windows(audio=False, fps=5, max_width=288)
    return SimpleNamespace(frames=[frame for window in windows for frame in window.frames], activity=heard(media))


def beside(talking: SimpleNamespace, still_first: bool) -> Pictures:
    """The talking face beside a larger, motionless one."""
    still = cv2.resize(talking.frames[0].pixels, None, fx=1.5, fy=1.5)
    frames = []
    for frame in talking.frames:
        small = np.pad(frame.pixels, ((0, still.shape[0] - frame.pixels.shape[0]), (0, 0), (0, 0)), mode="edge")
        pair = (still, small) if still_first else (small, still)
        frames.append(Frame(frame.time, np.ascontiguousarray(np.hstack(pair))))
    return Pictures(frames)


@pytest.mark.parametrize("still_first", [True, False])
def test_of_two_faces_the_one_that_speaks_is_measured(talking: SimpleNamespace, still_first: bool) -> None:
    found = VisualClues().extract(beside(talking, still_first), Listening(talking.activity))
    (count,) = of_kind(found, "face_count")
    assert count.value == 2
    assert "mouth moves with the voice" in count.text
    assert [notice.code for notice in found.warnings] == ["several_faces"]
    assert of_kind(found, "lip_corner_pull")[0].end == pytest.approx(7.6, abs=0.4)


def test_faces_that_follow_each_other_are_said_so(talking: SimpleNamespace) -> None:
    half = [np.pad(f.pixels, ((0, 0), (0, 700), (0, 0)), mode="edge") for f in talking.frames[:12]]
    other = [np.pad(f.pixels, ((0, 0), (700, 0), (0, 0)), mode="edge") for f in talking.frames[12:]]
    frames = [Frame(i / 5, pixels) for i, pixels in enumerate(half + other)]
    found = VisualClues().extract(Pictures(frames), Listening(None))
    assert [notice.code for notice in found.warnings] == ["faces_in_turn"]
    assert of_kind(found, "face_appears")[0].start == pytest.approx(12 / 5, abs=0.2)


def test_every_utterance_of_a_long_clip_keeps_its_own_events(talking: SimpleNamespace) -> None:
    """The example three times over: what stands out in it does so in each round, not three times less often."""
    rounds, seconds = 3, len(talking.frames) / 5
    frames = [Frame(i / 5, frame.pixels) for i, frame in enumerate(talking.frames * rounds)]
    segments = tuple(Span(k * seconds, (k + 1) * seconds) for k in range(rounds))
    found = VisualClues().extract(Pictures(frames), Listening(None, segments))
    raised = [clue.start for clue in of_kind(found, "brow_raise")]
    assert all(any(abs(start - (k * seconds + 4.25)) <= 0.5 for start in raised) for k in range(rounds))
    per_round = [sum(s.overlap(c.span) > 0 for c in found.clues if kinds()[c.kind].event) for s in segments]
    assert min(per_round) >= 6


def test_of_two_faces_without_sound_the_larger_is_measured(talking: SimpleNamespace) -> None:
    found = VisualClues().extract(beside(talking, True), Listening(None))
    assert "the largest" in of_kind(found, "face_count")[0].text
    assert not of_kind(found, "lip_corner_pull")


def test_a_damaged_picture_is_not_measured(talking: SimpleNamespace) -> None:
    damaged = [Frame(f.time, f.pixels, corrupt=f.time > 4) for f in talking.frames]
    found = VisualClues().extract(Pictures(damaged), Listening(None))
    assert max(clue.end for clue in found.clues if kinds()[clue.kind].event) <= 4.2
    assert of_kind(found, "face_presence")[0].value == 100


def test_a_still_picture_states_presence_and_no_movement(photograph: np.ndarray) -> None:
    found = VisualClues().extract(Pictures([Frame(0.0, photograph)], is_image=True), Listening(None))
    assert sorted(clue.kind for clue in found.clues) == ["face_count", "face_presence"]
    assert [notice.code for notice in found.warnings] == ["still_picture"]
    assert found.features is not None
    assert [name for name, known in zip(NAMES, found.features.mask, strict=True) if known] == NAMES[:2]


def test_a_clip_without_pictures_has_no_face() -> None:
    found = VisualClues().extract(Pictures([]), Listening(None, (Span(0, 1),)))
    assert [notice.code for notice in found.warnings] == ["no_face"]
    assert len(found.segment_features) == 1


# ---------------------------------------------------------------- the shared face clips


def cut_time(path: Path) -> float:
    """The cut between the face and the cartoon: where two mean pictures describe all frames best (least squares)."""
    media = emer.media.open(Clip(str(path)))
    frames = [f for w in media.windows(audio=False, fps=30, max_width=96) for f in w.frames]
    flat = np.array([frame.pixels.ravel() for frame in frames], float)
    rest = [((flat[:i] - flat[:i].mean(0)) ** 2).sum() + ((flat[i:] - flat[i:].mean(0)) ** 2).sum() for i in BORDERS]
    return frames[BORDERS[int(np.argmin(rest))]].time


BORDERS = range(15, 150)
"""Frames at which the cut is looked for, of some 168."""


@pytest.mark.parametrize(
    ("name", "kind", "other"),
    [
        ("face_noface.mov", "face_disappears", "face_appears"),
        ("noface_face.mov", "face_appears", "face_disappears"),
    ],
)
def test_a_face_that_comes_or_goes_is_timed_within_four_tenths_of_a_second(
    real_data: Path, name: str, kind: str, other: str
) -> None:
    path = real_data / "clips/faces" / name
    found = measured(path)
    (clue,) = of_kind(found, kind)
    assert clue.start == pytest.approx(cut_time(path), abs=0.4)
    assert not of_kind(found, other)
    assert "face_coverage" in [notice.code for notice in found.warnings]


def test_no_face_is_seen_where_there_is_none(real_data: Path) -> None:
    found = measured(real_data / "clips/faces/no_face.mp4")
    assert [clue.kind for clue in found.clues] == ["face_presence"]
    assert found.clues[0].value == 0
    assert [notice.code for notice in found.warnings] == ["no_face"]


def test_five_faces_are_counted_in_the_group_photograph(real_data: Path) -> None:
    found = measured(real_data / "clips/faces/multi_face.jpg")
    assert of_kind(found, "face_count")[0].value == 5


@pytest.mark.parametrize("name", ["single_face.mp4", "single_face.jpg"])
def test_a_single_face_is_seen_throughout(real_data: Path, name: str) -> None:
    found = measured(real_data / "clips/faces" / name)
    assert of_kind(found, "face_presence")[0].value == 100
    assert found.features is not None
    assert found.features.get("face_count_max") == 1


def test_a_changing_expression_is_told_as_a_person_sees_it(real_data: Path) -> None:
    """Frames looked at: eyes shut until 5.6 s, wide open and up to the left after 6 s, a broad smile from 13 s on,
    eyes shut and head down at 19 s."""
    found = measured(real_data / "clips/faces/WolfgangLanger_Pexels.mp4")

    def at(kind: str, time: float) -> bool:
        return any(clue.start <= time <= clue.end for clue in of_kind(found, kind))

    assert at("eye_narrow", 3.0)
    assert not at("eye_narrow", 8.0)
    assert at("eye_open", 8.0)
    assert at("gaze_aside", 7.0)
    assert at("lip_corner_pull", 13.0)
    assert at("lip_corner_pull", 18.0)
    assert not at("lip_corner_pull", 7.0)
    assert at("eye_narrow", 19.0)
    assert at("head_down", 19.2)
    assert not at("lip_corner_depress", 15.0)
