"""Sound of any rate and layout becomes 16 kHz mono within full scale."""

from pathlib import Path

import numpy as np
import pytest
from clips import make_clip, tone

from emer import media
from emer.types import SAMPLE_RATE, Clip

TIMES = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE


def heard(path: Path) -> np.ndarray:
    return np.concatenate([window.samples for window in media.open(Clip(str(path))).windows()])


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_a_tone_of_any_rate_arrives_unchanged_and_on_time(tmp_path: Path, rate: int) -> None:
    samples = heard(make_clip(tmp_path / "tone.wav", 2.0, sound=tone(220.0, 0.5), rate=rate))
    assert samples.dtype == np.float32
    assert len(samples) == len(TIMES)
    inner = slice(200, -200)  # the resampler's filter runs in and out
    assert np.abs(samples - tone(220.0, 0.5)(TIMES))[inner].max() < 0.002


@pytest.mark.parametrize("layout", ["mono", "stereo", "3.0", "5.1"])
def test_every_layout_is_mixed_down_within_full_scale(tmp_path: Path, layout: str) -> None:
    """All channels alike and at full scale: the mix is the same tone, not a clipped one."""
    path = make_clip(tmp_path / "tone.wav", 2.0, sound=tone(220.0, 0.99), rate=48_000, layout=layout)
    handle = media.open(Clip(str(path)))
    assert handle.facts.channels == {"mono": 1, "stereo": 2, "3.0": 3, "5.1": 6}[layout]
    samples = heard(path)
    assert 0.7 < np.abs(samples).max() <= 1.0
    assert np.corrcoef(samples, tone(220.0, 1.0)(TIMES))[0, 1] > 0.9999


def test_one_channel_of_two_counts_half(tmp_path: Path) -> None:
    """(L + R) / 2 with R silent."""
    sound = tone(220.0, 0.8)
    left = make_clip(tmp_path / "left.wav", 2.0, sound=lambda t: np.stack([sound(t), 0 * t]), layout="stereo")
    assert np.abs(heard(left) - sound(TIMES) / 2).max() < 0.001


def test_speech_in_the_centre_of_surround_sound_survives(tmp_path: Path) -> None:
    path = make_clip(
        tmp_path / "centre.wav",
        2.0,
        sound=lambda t: np.stack([0 * t, 0 * t, 0.9 * np.sin(2 * np.pi * 220 * t), 0 * t, 0 * t, 0 * t]),
        layout="5.1",
    )
    assert np.abs(heard(path)).max() > 0.15


@pytest.mark.parametrize("name", ["tone.wav", "tone.flac", "tone.mp3", "tone.ogg", "tone.m4a"])
def test_files_of_sound_alone_have_no_picture(tmp_path: Path, name: str) -> None:
    handle = media.open(Clip(str(make_clip(tmp_path / name, 2.0, rate=48_000))))
    facts = handle.facts
    assert (facts.has_audio, facts.has_video, facts.width, facts.sample_rate) == (True, False, None, 48_000)
    windows = list(handle.windows(fps=5))
    assert all(window.frames == () for window in windows)
    assert handle.sample(3) == ()
    samples = np.concatenate([window.samples for window in windows])
    assert abs(len(samples) - len(TIMES)) < 0.02 * SAMPLE_RATE
    assert np.corrcoef(samples[: len(TIMES)], tone()(TIMES[: len(samples)]))[0, 1] > 0.95
    assert handle.faults.decoded_audio == pytest.approx(2.0, abs=0.02)
    assert handle.faults.decoded_video is None


def test_without_sound_windows_have_no_samples(tmp_path: Path) -> None:
    mute = media.open(Clip(str(make_clip(tmp_path / "mute.mp4", 2.0, sound=None))))
    assert not mute.facts.has_audio
    unasked = media.open(Clip(str(make_clip(tmp_path / "clip.mp4", 2.0))))
    for windows in (mute.windows(fps=5), unasked.windows(audio=False, fps=5)):
        assert [(len(window.samples), len(window.frames)) for window in windows] == [(0, 10)]
