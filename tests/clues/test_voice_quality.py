"""Jitter, shimmer and HNR against the periods, amplitudes and noise that were put into the sound."""

import numpy as np
import pytest
from synthetic_sound import Samples, harmonic, noise, pulses

from emer.clues.frames import power_spectra
from emer.clues.pitch import track
from emer.clues.voice_quality import harmonics_to_noise_db, jitter_and_shimmer
from emer.types import SAMPLE_RATE


def quality(sound: Samples) -> tuple[float, float, float]:
    power = power_spectra(sound)
    pitch = track(power, np.zeros(len(power), np.float32))
    jitter, shimmer = jitter_and_shimmer(sound, pitch.hz)
    return tuple(float(np.nanmean(c[5:-5])) for c in (jitter, shimmer, harmonics_to_noise_db(pitch.strength)))  # type: ignore[return-value]


def local(values: np.ndarray) -> float:
    """The published definition: mean absolute difference of neighbours over the mean."""
    return float(np.abs(np.diff(values)).mean() / values.mean())


@pytest.mark.parametrize("hz", [110, 210])
@pytest.mark.parametrize("deviation", [0.005, 0.01, 0.02, 0.03])
def test_jitter_is_that_of_the_periods_put_in(hz: float, deviation: float) -> None:
    periods = (1 + deviation * np.random.default_rng(2).standard_normal(int(2 * hz))) / hz
    times = 0.01 + np.cumsum(periods)
    jitter, _, _ = quality(pulses(times, np.ones(len(times)), times[-1] + 0.05))
    assert jitter == pytest.approx(local(periods), rel=0.15)


@pytest.mark.parametrize("deviation", [0.03, 0.06, 0.1])
def test_shimmer_is_that_of_the_amplitudes_put_in(deviation: float) -> None:
    amplitudes = 1 + deviation * np.random.default_rng(3).standard_normal(300)
    times = 0.01 + np.arange(300) / 150
    _, shimmer, _ = quality(pulses(times, amplitudes, times[-1] + 0.05))
    assert shimmer == pytest.approx(local(amplitudes), rel=0.15)


def test_a_steady_pulse_train_has_neither_jitter_nor_shimmer() -> None:
    times = 0.01 + np.arange(400) / 203.7
    jitter, shimmer, _ = quality(pulses(times, np.ones(400), 2.0))
    assert jitter < 0.001
    assert shimmer < 0.01


@pytest.mark.parametrize("decibels", [5.0, 10.0, 15.0, 20.0])
def test_hnr_is_the_ratio_of_harmonic_to_noise_power_put_in(decibels: float) -> None:
    voice = harmonic(np.full(3 * SAMPLE_RATE, 160.0))
    level = float(np.sqrt(np.mean(voice**2)) * 10 ** (-decibels / 20))
    assert quality(voice + noise(3.0, level))[2] == pytest.approx(decibels, abs=1.0)


def test_unvoiced_sound_has_no_quality() -> None:
    jitter, shimmer = jitter_and_shimmer(noise(1.0, 0.1), np.zeros(100, np.float32))
    assert np.isnan(jitter).all()
    assert np.isnan(shimmer).all()
    assert np.isnan(harmonics_to_noise_db(np.zeros(3, np.float32))).all()
