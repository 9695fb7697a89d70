"""Real recordings: facts as other readers state them, samples and pictures as other decoders give them."""

import hashlib
import wave
from pathlib import Path

import numpy as np
import pytest

from emer import media
from emer.types import SAMPLE_RATE, Clip, Frame

# displayed size, seconds, has sound: read off `ffprobe` of FFmpeg 5.1
FACES = {
    "WolfgangLanger_Pexels.mp4": ((640, 360), 19.69, True),
    "face_noface.mov": ((960, 540), 6.42, True),
    "no_face.mp4": ((960, 540), 3.945, True),
    "noface_face.mov": ((960, 540), 6.379, True),
    "single_face.mp4": ((640, 360), 2.42, True),
    "multi_face.jpg": ((1000, 667), None, False),
    "single_face.jpg": ((572, 562), None, False),
}


@pytest.mark.parametrize("name", FACES)
def test_real_clips_are_read_without_faults(real_data: Path, name: str) -> None:
    size, seconds, sound = FACES[name]
    path = real_data / "clips" / "faces" / name
    handle = media.open(Clip(str(path)))
    facts = handle.facts
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert ((facts.width, facts.height), facts.has_audio, facts.has_video) == (size, sound, True)
    assert facts.is_image == (seconds is None)
    windows = list(handle.windows(seconds=5, fps=5))
    frames = [frame for window in windows for frame in window.frames]
    if seconds is not None:
        assert facts.span.duration == pytest.approx(seconds, abs=0.015)
        assert facts.container_duration == pytest.approx(seconds, abs=0.015)
        assert len(frames) == pytest.approx(5 * seconds, abs=1.5)
        assert handle.faults.decoded_video == pytest.approx(seconds, abs=0.03)
    assert sum(len(window.samples) for window in windows) == (round(facts.span.duration * SAMPLE_RATE) if sound else 0)
    assert (handle.faults.bad_packets, handle.faults.corrupt_frames) == (0, 0)
    assert not any(frame.corrupt for frame in frames)
    assert handle.transcript is None
    assert len(handle.sample(3)) == (3 if seconds else 1)


def test_sound_that_begins_in_the_middle_of_a_clip_stays_there(real_data: Path) -> None:
    """In this clip the sound's edit list starts at 2.43 s."""
    handle = media.open(Clip(str(real_data / "clips" / "faces" / "face_noface.mov")))
    samples = np.concatenate([window.samples for window in handle.windows()])
    assert not samples[: int(2.42 * SAMPLE_RATE)].any()
    assert np.abs(samples[int(2.45 * SAMPLE_RATE) : int(3.0 * SAMPLE_RATE)]).max() > 0
    assert handle.faults.decoded_audio == pytest.approx(3.97, abs=0.03)


def test_samples_are_those_of_the_wave_module(real_data: Path) -> None:
    path = real_data / "clips" / "speech" / "beckett.wav"
    with wave.open(str(path)) as file:
        expected = np.frombuffer(file.readframes(file.getnframes()), np.int16) / np.float32(32_768)
    whole = np.concatenate([window.samples for window in media.open(Clip(str(path))).windows(seconds=3)])
    assert np.array_equal(whole, expected)
    part = np.concatenate([window.samples for window in media.open(Clip(str(path), start=2.5, end=4.0)).windows()])
    assert np.array_equal(part, expected[40_000:64_000])


def test_resampled_speech_is_that_of_another_reader_and_resampler(real_data: Path) -> None:
    soundfile, signal = pytest.importorskip("soundfile"), pytest.importorskip("scipy.signal")
    path = real_data / "clips" / "speech" / "jfk.flac"
    stereo, rate = soundfile.read(path, dtype="float32")
    expected = signal.resample_poly(stereo.mean(axis=1), SAMPLE_RATE, rate)
    samples = np.concatenate([window.samples for window in media.open(Clip(str(path))).windows()])
    assert len(samples) == len(expected) == 11 * SAMPLE_RATE
    assert np.sqrt(np.mean((samples - expected) ** 2)) < 0.03 * np.sqrt(np.mean(expected**2))


@pytest.mark.parametrize("name", ["single_face.mp4", "no_face.mp4"])
def test_pictures_are_those_of_opencv(real_data: Path, name: str) -> None:
    cv2 = pytest.importorskip("cv2")
    path = real_data / "clips" / "faces" / name
    handle = media.open(Clip(str(path)))
    frames = [frame for window in handle.windows(seconds=5, audio=False, fps=5) for frame in window.frames]
    capture = cv2.VideoCapture(str(path))
    theirs: list[tuple[float, np.ndarray]] = []
    while (found := capture.read())[0]:
        theirs.append((capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, found[1][..., ::-1]))
    capture.release()
    for frame in frames[:-1]:
        time, pixels = min(theirs, key=lambda row: abs(row[0] - frame.time))
        assert abs(time - frame.time) < 0.021
        assert np.abs(pixels.astype(int) - frame.pixels).mean() < 3


def part_frames(path: Path, start: float) -> list[Frame]:
    handle = media.open(Clip(str(path), start=start, end=start + 1))
    return [frame for window in handle.windows(audio=False, fps=100) for frame in window.frames]


def test_a_part_shows_the_same_pictures_as_the_whole(real_data: Path) -> None:
    path = real_data / "clips" / "faces" / "WolfgangLanger_Pexels.mp4"
    whole = {
        round(frame.time, 3): frame.pixels
        for window in media.open(Clip(str(path), end=14.0)).windows(audio=False, fps=100)
        for frame in window.frames
    }
    for start in (3.3, 12.7):
        frames = part_frames(path, start)
        assert frames[0].time == start
        assert len(frames) == 25  # 24 new ones in a second at 23.976, and the one on the screen
        assert all(np.array_equal(frame.pixels, whole[round(frame.time, 3)]) for frame in frames[1:])
