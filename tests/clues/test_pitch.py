"""Pitch on sounds whose pitch is known, and the path against an exhaustive search."""

from itertools import product

import numpy as np
import pytest
from synthetic_sound import Samples, harmonic, noise, tone

from emer.clues.frames import power_spectra
from emer.clues.pitch import Candidates, Pitch, PitchSettings, _cheapest_path, track
from emer.types import SAMPLE_RATE


def heard(sound: Samples, relative_db: float = 0.0) -> Pitch:
    power = power_spectra(sound)
    return track(power, np.full(len(power), relative_db, np.float32))


@pytest.mark.parametrize("hz", [80, 100, 143.3, 220, 311, 440, 590])
def test_a_tone_has_its_own_pitch(hz: float) -> None:
    np.testing.assert_allclose(heard(tone(hz, 1.0)).hz[3:-3], hz, rtol=0.002)


@pytest.mark.parametrize("hz", [90, 123.4, 200, 333])
def test_a_rich_sound_has_the_pitch_of_its_fundamental_and_not_an_octave_of_it(hz: float) -> None:
    sound = harmonic(np.full(SAMPLE_RATE, hz))
    np.testing.assert_allclose(heard(sound).hz[3:-3], hz, rtol=0.002)


def test_a_missing_fundamental_is_heard() -> None:
    sound = np.sum([tone(150 * k, 1.0, 0.1) for k in range(3, 8)], axis=0, dtype=np.float32)
    np.testing.assert_allclose(heard(sound).hz[3:-3], 150, rtol=0.002)


def test_a_glide_is_followed() -> None:
    course = 100 * 3 ** np.linspace(0, 1, 2 * SAMPLE_RATE)
    at = ((np.arange(200) + 0.5) * 160).astype(int)
    np.testing.assert_allclose(heard(harmonic(course)).hz[5:-5], course[at][5:-5], rtol=0.01)


def test_a_tone_is_all_periodic() -> None:
    assert heard(tone(200, 1.0)).strength[3:-3].min() > 0.995


def test_noise_and_silence_have_no_pitch() -> None:
    assert (heard(noise(3.0, 0.1)).hz > 0).mean() < 0.03
    assert not heard(np.zeros(SAMPLE_RATE, np.float32)).hz.any()


def test_a_very_quiet_recording_keeps_its_pitch() -> None:
    quiet = heard(tone(200, 1.0, amplitude=0.0005))
    np.testing.assert_allclose(quiet.hz[3:-3], 200, rtol=0.002)


def test_what_is_far_below_the_loudest_speech_is_silent() -> None:
    assert (heard(tone(200, 1.0), relative_db=-25.0).hz[3:-3] > 0).all()
    assert not heard(tone(200, 1.0), relative_db=-35.0).hz.any()


def test_the_path_is_the_best_of_all_paths() -> None:
    settings = PitchSettings()
    random = np.random.default_rng(5)
    for _ in range(20):
        hz = random.uniform(75, 600, (5, 2)).astype(np.float32)
        strength = random.uniform(0.3, 1, (5, 2)).astype(np.float32)
        unvoiced = random.uniform(0.3, 0.9, 5).astype(np.float32)

        def worth(path: tuple[int, ...], hz=hz, strength=strength, unvoiced=unvoiced) -> float:  # type: ignore[no-untyped-def]
            total = 0.0
            for i, state in enumerate(path):
                total += (
                    strength[i, state - 1] - settings.octave * np.log2(settings.ceiling / hz[i, state - 1])
                    if state
                    else unvoiced[i]
                )
                if i and bool(state) != bool(path[i - 1]):
                    total -= settings.switch
                elif i and state:
                    total -= settings.jump * abs(np.log2(hz[i, state - 1] / hz[i - 1, path[i - 1] - 1]))
            return total

        found = _cheapest_path(Candidates(hz, strength), unvoiced, settings)
        best = max(product(range(3), repeat=5), key=worth)
        assert worth(tuple(found.tolist())) == pytest.approx(worth(best), abs=1e-5)
