"""Frames of sound: oracles are closed forms for sines and shaped noise, and Praat (through parselmouth)."""

import numpy as np
import parselmouth
import pytest
from synthetic_sound import Recording, noise, tone

from emer.clues.frames import HOP, blocks, centroid_hz, intensity_db, power_spectra, tilt_db_per_octave
from emer.types import SAMPLE_RATE, Media


def test_the_recording_of_the_tests_is_a_media() -> None:
    assert isinstance(Recording(tone(100, 0.1)), Media)


@pytest.mark.parametrize("window", [0.037, 1.0, 7.3, 30.0])
def test_blocks_are_cut_at_the_same_places_whatever_the_windows(window: float) -> None:
    sound = noise(12.345, 0.1)
    cut = list(blocks(Recording(sound, window=window), block=300, context=50))
    starts = [(0, 0, 300), (300, 50, 300), (600, 50, 300), (900, 50, 300), (1200, 50, 34)]
    assert [(b.first, b.before, b.keep) for b in cut] == starts
    for block in cut:
        begin = (block.first - block.before) * HOP
        np.testing.assert_array_equal(block.samples, sound[begin : begin + len(block.samples)])
        assert len(block.samples) >= (block.before + block.keep) * HOP


def test_a_sound_shorter_than_a_frame_gives_no_block() -> None:
    assert list(blocks(Recording(noise(0.005, 0.1)))) == []


def test_a_full_scale_sine_lies_3_decibels_below_full_scale() -> None:
    level = intensity_db(power_spectra(tone(200, 1.0, amplitude=1.0)))[5:-5]
    np.testing.assert_allclose(level, 10 * np.log10(0.5), atol=0.05)


def test_silence_lies_on_the_floor() -> None:
    assert (intensity_db(power_spectra(np.zeros(1600, np.float32))) == -100).all()


@pytest.mark.parametrize("slope", [0.0, -3.0103, -6.0206, -12.0412])
def test_tilt_of_noise_is_the_slope_it_was_shaped_with(slope: float) -> None:
    white = np.fft.rfft(np.random.default_rng(1).standard_normal(20 * SAMPLE_RATE))
    hz = np.maximum(np.fft.rfftfreq(20 * SAMPLE_RATE, 1 / SAMPLE_RATE), 20)
    shaped = np.fft.irfft(white * 10 ** (slope * np.log2(hz / 1000) / 20))
    sound = (0.1 * shaped / np.abs(shaped).max()).astype(np.float32)
    # Of the mean spectrum: the level of noise in one frame is uncertain, most so in the narrow low bands.
    average = power_spectra(sound).mean(axis=0, keepdims=True)
    assert tilt_db_per_octave(average)[0] == pytest.approx(slope, abs=0.25)


def test_the_centroid_is_praats_centre_of_gravity() -> None:
    sound = tone(500, 1.0) + 0.5 * tone(2000, 1.0) + noise(1.0, 0.02)
    praat = parselmouth.Sound(sound.astype(float), SAMPLE_RATE).to_spectrum().get_centre_of_gravity(2.0)
    assert np.mean(centroid_hz(power_spectra(sound))[5:-5]) == pytest.approx(praat, rel=0.03)
