"""Time: sample index is the clock, pictures are chosen by time, 0 is the first presentable instant."""

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from clips import make_clip, time_shown, tone

from emer import media
from emer.media import decoding
from emer.media import sound as sound_reading
from emer.types import SAMPLE_RATE, Clip, Frame, Media, Span

BEEP = (1.4, 1.5)
"""Seconds of content at which the clip below beeps and turns white."""


def beep(times: np.ndarray) -> np.ndarray:
    return np.where((times >= BEEP[0]) & (times < BEEP[1]), 0.8 * np.sin(2 * np.pi * 1000 * times), 0.0)


def flash(time: float) -> np.ndarray:
    return np.full((48, 64, 3), 255 if BEEP[0] - 1e-6 <= time < BEEP[1] else 0, np.uint8)


def heard(handle: media.MediaFile, seconds: float = 30.0) -> np.ndarray:
    return np.concatenate([window.samples for window in handle.windows(seconds=seconds)])


def seen(handle: media.MediaFile, fps: float, seconds: float = 30.0) -> list[Frame]:
    return [frame for window in handle.windows(seconds=seconds, audio=False, fps=fps) for frame in window.frames]


@pytest.mark.parametrize("part", [(None, None), (0.77, 2.6)], ids=["whole", "part"])
@pytest.mark.parametrize(
    ("name", "start"),
    [(f"clip{suffix}", start) for suffix in (".mp4", ".mov", ".mkv", ".webm", ".ts") for start in (0.0, 1.5)]
    + [("clip.avi", 0.0)],  # AVI has no timestamps, so it cannot start later
)
def test_a_beep_and_a_flash_at_one_moment_are_found_within_one_frame(
    tmp_path: Path, name: str, start: float, part: tuple[float | None, float | None]
) -> None:
    path = make_clip(tmp_path / name, 3.0, picture=flash, sound=beep, start=start, rate=48_000)
    handle = media.open(Clip(str(path), start=part[0], end=part[1]))
    samples = heard(handle, 0.7)
    heard_at = handle.facts.span.start + np.argmax(np.abs(samples) > 0.3) / SAMPLE_RATE
    white = [frame.time for frame in seen(handle, 25, 0.7) if frame.pixels.mean() > 127]
    assert abs(heard_at - white[0]) < 1 / 25
    # encoders put up to 2 frames of AAC, MP3 or Opus before the content; a player shows these too
    assert BEEP[0] - 0.002 < heard_at < BEEP[0] + 0.1
    assert len(white) == 3


def test_in_mp4_with_an_edit_list_times_are_those_of_the_content(tmp_path: Path) -> None:
    handle = media.open(Clip(str(make_clip(tmp_path / "clip.mp4", 3.0, picture=flash, sound=beep))))
    assert np.argmax(np.abs(heard(handle)) > 0.3) / SAMPLE_RATE == pytest.approx(BEEP[0], abs=0.001)
    assert [frame.time for frame in seen(handle, 25) if frame.pixels.mean() > 127] == pytest.approx([1.4, 1.44, 1.48])


def test_windows_follow_each_other_and_cover_the_span(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", 5.0)
    for clip in (Clip(str(path)), Clip(str(path), start=0.3333), Clip(str(path), start=1.1, end=4.05)):
        handle = media.open(clip)
        assert isinstance(handle, Media)
        windows = list(handle.windows(seconds=1.3, fps=5))
        assert windows[0].start == handle.facts.span.start
        assert windows[-1].end == handle.facts.span.end
        for before, after in pairwise(windows):
            assert before.end == after.start
        for window in windows:
            assert abs(len(window.samples) - (window.end - window.start) * SAMPLE_RATE) <= 0.5
            assert all(window.start <= frame.time < window.end for frame in window.frames)


def test_window_length_changes_neither_samples_nor_frames(tmp_path: Path) -> None:
    handle = media.open(Clip(str(make_clip(tmp_path / "clip.mp4", 4.0))))
    assert np.array_equal(heard(handle, 0.31), heard(handle, 30))
    assert [frame.time for frame in seen(handle, 7, 0.31)] == [frame.time for frame in seen(handle, 7, 30)]


def test_a_part_holds_the_same_samples_and_pictures_as_the_whole(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mkv", 20.0, sound=lambda t: 0.4 * np.sin(2 * np.pi * (100 + 20 * t) * t), gop=50)
    whole, part = media.open(Clip(str(path))), media.open(Clip(str(path), start=12.0, end=15.0))
    expected = heard(whole)[12 * SAMPLE_RATE : 15 * SAMPLE_RATE]
    assert np.corrcoef(heard(part), expected)[0, 1] > 0.99
    for frame in seen(part, 5):
        assert time_shown(frame.pixels) == pytest.approx(frame.time, abs=0.25)  # one grey level of coding error


def test_only_the_wanted_part_is_decoded(tmp_path: Path, decoded_frames: list[float]) -> None:
    path = make_clip(tmp_path / "clip.mp4", 60.0, sound=None, fps=10, gop=20)
    handle = media.open(Clip(str(path), start=50.0, end=52.0))
    decoded_frames.clear()
    assert len(seen(handle, 10)) == 20
    assert (
        len(decoded_frames) <= 20 + 20 + decoding.PREROLL * 10 + decoding.LATE + 2
    )  # the part, a group before it, the rest


def test_frames_of_a_variable_rate_keep_their_own_times(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.15, 0.8, 1.5, 1.9]
    handle = media.open(Clip(str(make_clip(tmp_path / "clip.mp4", 2.0, times=times))))
    assert [frame.time for frame in seen(handle, 100)] == pytest.approx(times)
    # on a grid of 0.5 s: the first frames at or after 0, 0.5, 1, 1.5
    assert [frame.time for frame in seen(handle, 2)] == pytest.approx([0.0, 0.8, 1.5])


def test_the_picture_on_the_screen_at_the_start_bears_the_start(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "slides.mp4", 9.0, times=[0.0, 4.0, 8.0], fps=1)
    frames = seen(media.open(Clip(str(path), start=5.0, end=7.0)), 5)
    assert [frame.time for frame in frames] == [5.0]
    assert time_shown(frames[0].pixels) == pytest.approx(4.0, abs=0.2)


def test_asking_for_more_frames_than_there_are_gives_each_once(tmp_path: Path) -> None:
    handle = media.open(Clip(str(make_clip(tmp_path / "clip.mp4", 2.0, fps=10))))
    assert len(seen(handle, 1000)) == 20
    assert [frame.time for frame in seen(handle, 10)] == pytest.approx(np.arange(20) / 10)


def test_holes_in_the_sound_become_silence_and_the_clock_stays_true(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mkv", 3.0, holes=[(1.0, 1.6)], audio_codec="pcm_s16le")
    handle = media.open(Clip(str(path)))
    samples = heard(handle)
    inside = samples[int(1.02 * SAMPLE_RATE) : int(1.58 * SAMPLE_RATE)]
    after = np.arange(int(1.65 * SAMPLE_RATE), int(2.9 * SAMPLE_RATE))
    assert not inside.any()
    assert np.abs(samples[after] - tone()(after / SAMPLE_RATE)).max() < 0.02
    assert handle.faults.decoded_audio == pytest.approx(2.4, abs=0.01)


def test_sound_that_begins_later_than_the_picture_is_preceded_by_silence(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mkv", 2.0, sound_start=0.5, audio_codec="pcm_s16le")
    samples = heard(media.open(Clip(str(path))))
    assert not samples[: int(0.49 * SAMPLE_RATE)].any()
    assert np.abs(samples[int(0.51 * SAMPLE_RATE) :]).max() == pytest.approx(0.5, abs=0.01)


def test_overlapping_sound_is_trimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    def frame(level: float) -> av.AudioFrame:
        made = av.AudioFrame.from_ndarray(np.full((1, 16_000), level, np.float32), format="fltp", layout="mono")
        made.sample_rate = 16_000
        return made

    # one second of .1 from 0, one of .2 that begins at .5 already: the first half of the second is trimmed
    monkeypatch.setattr(sound_reading, "decoded", lambda *_: iter([(0.0, frame(0.1)), (0.5, frame(0.2))]))
    source = decoding.Source(Path("none"), 0, 0.0, 0.0, media.Limits())
    tally = decoding.Tally()
    samples = np.concatenate(list(sound_reading.sound(source, Span(0.0, 2.0), tally)))
    assert samples[[0, 15_999, 16_000, 23_999, 24_000]] == pytest.approx([0.1, 0.1, 0.2, 0.2, 0.0])
    assert (len(samples), tally.seconds) == (32_000, 1.5)


def test_a_clip_can_be_read_several_times_and_at_once(tmp_path: Path) -> None:
    handle = media.open(Clip(str(make_clip(tmp_path / "clip.mp4", 3.0))))
    pairs = list(zip(handle.windows(seconds=0.5), handle.windows(seconds=0.5, fps=5), strict=True))
    assert all(np.array_equal(one.samples, other.samples) for one, other in pairs)
    assert np.array_equal(np.concatenate([one.samples for one, _ in pairs]), heard(handle))


def test_a_pass_that_is_left_early_leaves_the_handle_usable(tmp_path: Path) -> None:
    handle = media.open(Clip(str(make_clip(tmp_path / "clip.mp4", 3.0))))
    windows = handle.windows(seconds=0.5, fps=5)
    next(windows)
    windows.close()
    assert handle.faults.decoded_audio is None
    assert handle.faults.decoded_video is None
    heard(handle)
    assert handle.faults.decoded_audio == pytest.approx(3.0, abs=0.01)


@pytest.mark.parametrize("wrong", [{"seconds": 0.0}, {"fps": -1.0}, {"max_width": 0}])
def test_senseless_windows_are_a_programming_error(tmp_path: Path, wrong: dict[str, float]) -> None:
    handle = media.open(Clip(str(make_clip(tmp_path / "clip.mp4", 0.5))))
    with pytest.raises(ValueError, match="must be positive"):
        next(handle.windows(**wrong))
