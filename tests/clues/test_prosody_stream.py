"""Curves of a streamed clip: the same for any window, and nearly the same for any block."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from synthetic_sound import Recording, Samples, harmonic, heard, noise

from emer import media
from emer.clues.prosody import CONTEXT, Curves, listen, loudest_near
from emer.clues.voice_activity import detect
from emer.types import SAMPLE_RATE, Clip


@pytest.fixture(scope="module")
def long_speech(real_data: Path) -> Samples:
    """About 40 s: more than one block."""
    parts = []
    for name in ("speech/jfk.flac", "speech/beckett.wav", "speech/jfk.flac", "speech/beckett.wav"):
        parts += [w.samples for w in media.open(Clip(str(real_data / "clips" / name))).windows()]
    return np.concatenate(parts)


@pytest.mark.parametrize("window", [0.21, 5.0, 11.3])
def test_curves_do_not_depend_on_the_windows_of_decoding(long_speech: Samples, window: float) -> None:
    activity = detect(Recording(long_speech))
    once, streamed = listen(Recording(long_speech), activity), listen(Recording(long_speech, window=window), activity)
    for field in fields(Curves):
        np.testing.assert_array_equal(getattr(streamed.curves, field.name), getattr(once.curves, field.name))
    np.testing.assert_array_equal(streamed.nucleus, once.nucleus)
    assert streamed.clipped == once.clipped


def test_a_second_of_context_makes_blocks_agree_with_the_whole(long_speech: Samples) -> None:
    activity = detect(Recording(long_speech))
    whole = listen(Recording(long_speech), activity, block=10**6).curves
    blocks = listen(Recording(long_speech), activity, block=400, context=CONTEXT).curves
    np.testing.assert_array_equal(blocks.hz, whole.hz)
    np.testing.assert_array_equal(blocks.intensity_db, whole.intensity_db)
    assert np.nanmean(blocks.jitter) == pytest.approx(float(np.nanmean(whole.jitter)), rel=0.02)
    assert np.nanmean(blocks.shimmer) == pytest.approx(float(np.nanmean(whole.shimmer)), rel=0.02)


def test_a_long_clip_is_measured_beyond_its_first_block() -> None:
    sound = harmonic(np.concatenate([np.full(32 * SAMPLE_RATE, 120.0), np.full(5 * SAMPLE_RATE, 240.0)]))
    hz = listen(Recording(sound), heard(sound)).curves.hz
    assert len(hz) == 3700
    np.testing.assert_allclose(hz[5:3195], 120, rtol=0.01)
    np.testing.assert_allclose(hz[3205:3695], 240, rtol=0.01)


def test_a_whisper_keeps_its_pitch_though_someone_shouts_half_a_minute_later() -> None:
    soft, silence = harmonic(np.full(2 * SAMPLE_RATE, 150.0), 0.008), np.zeros(28 * SAMPLE_RATE, np.float32)
    sound = np.concatenate([soft, silence, harmonic(np.full(SAMPLE_RATE, 300.0), 0.5)]) + noise(31, 0.0001)
    np.testing.assert_allclose(listen(Recording(sound), heard(sound)).curves.hz[5:195], 150, rtol=0.02)


def test_silence_is_relative_to_the_loudest_sound_within_15_seconds() -> None:
    loudness = np.full(600, -60, np.float32)
    loudness[300] = -10
    near = loudest_near(loudness)
    assert np.flatnonzero(near == -10).tolist() == list(range(150, 451))
    assert near[0] == -30


def test_clipped_samples_are_counted_once() -> None:
    sound = np.zeros(35 * SAMPLE_RATE, np.float32)
    sound[29 * SAMPLE_RATE : 30 * SAMPLE_RATE + 800] = 1.0
    assert listen(Recording(sound), heard(sound)).clipped == pytest.approx(16800 / len(sound))


def test_a_soft_hiss_far_above_the_voice_has_no_pitch_but_a_scream_keeps_its_own() -> None:
    course = np.concatenate([np.full(2 * SAMPLE_RATE, 110.0), np.full(SAMPLE_RATE // 4, 500.0)])
    for last, voiced in ((0.02, False), (0.5, True)):
        level = np.where(course > 300, last, 0.1)
        sound = harmonic(course, level)
        assert (listen(Recording(sound), heard(sound)).curves.hz[205:220] > 0).all() == voiced


def test_a_clip_without_sound_has_no_frames() -> None:
    silent = np.zeros(0, np.float32)
    voice = listen(Recording(silent), detect(Recording(silent)))
    assert len(voice.curves.hz) == len(voice.speech) == 0
    assert voice.clipped == 0
