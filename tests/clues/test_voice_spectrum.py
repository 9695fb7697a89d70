"""Mel bands and cepstra against librosa, shapes of sounds that were made to have them, invariances on real speech."""

import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter
from synthetic_sound import Recording, Samples, harmonic, heard, noise, pulses, tone

from emer import media
from emer.clues import course_features, spectrum_features
from emer.clues.frames import power_spectra
from emer.clues.prosody import listen
from emer.clues.voice_activity import detect
from emer.clues.voice_description import NAMES, describe
from emer.clues.voice_features import NAMES as FIRST
from emer.clues.voice_spectrum import SHAPES, cepstra, deltas, formants, log_mel, mel_bank, spectra_of
from emer.types import SAMPLE_RATE, Clip, Features, Span


@pytest.fixture(scope="module")
def sentence(real_data: Path) -> Samples:
    opened = media.open(Clip(str(real_data / "clips/emodb/03a01Fa.flac")))
    return np.concatenate([window.samples for window in opened.windows()])


def described(sound: Samples, *spans: tuple[float, float]) -> Features:
    return describe(listen(Recording(sound), heard(sound, *spans)), "test")


def shape_of(sound: Samples, name: str, hz: float = 0.0) -> np.ndarray:
    power = power_spectra(sound)
    found = spectra_of(power, np.full(len(power), hz, np.float32))
    return found.shape[5:-5, SHAPES.index(name)].astype(float)


# ---------------------------------------------------------------- against other programs


def librosa() -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("librosa", reason="librosa is absent: install emer[dev]")


def test_mel_bands_are_those_of_librosa() -> None:
    theirs = librosa().filters.mel(sr=SAMPLE_RATE, n_fft=1024, n_mels=26, fmin=50, fmax=8000, htk=True, norm="slaney")
    np.testing.assert_allclose(mel_bank().T, theirs, atol=1e-6)


@pytest.mark.parametrize("what", ["sentence", "tone"])
def test_cepstra_and_their_slopes_are_those_of_librosa(what: str, sentence: Samples) -> None:
    lib = librosa()
    sound = sentence if what == "sentence" else tone(440, 1.0) + noise(1.0, 0.001)
    power = power_spectra(sound)
    bank = lib.filters.mel(sr=SAMPLE_RATE, n_fft=1024, n_mels=26, fmin=50, fmax=8000, htk=True, norm="slaney")
    theirs = lib.feature.mfcc(S=lib.power_to_db(bank @ power.T, amin=1e-12, top_db=None), n_mfcc=14)
    ours = cepstra(log_mel(power))
    np.testing.assert_allclose(ours, theirs.T, atol=0.02)
    slopes = lib.feature.delta(theirs, width=5, mode="nearest")
    np.testing.assert_allclose(deltas(ours), slopes.T, atol=0.02)


# ---------------------------------------------------------------- sounds that are known


def test_shapes_of_a_tone_and_of_noise() -> None:
    pure, hiss = tone(440, 1.0), noise(2.0, 0.1)
    assert shape_of(pure, "alpha_ratio_db").min() > 40
    assert np.mean(shape_of(hiss, "alpha_ratio_db")) == pytest.approx(10 * np.log10(950 / 4000), abs=0.3)
    assert np.median(2 ** shape_of(pure, "rolloff_oct")) == pytest.approx(440, rel=0.05)
    assert np.median(2 ** shape_of(hiss, "rolloff_oct")) == pytest.approx(0.85 * 8000, rel=0.03)
    assert np.mean(shape_of(hiss, "above_4k_db")) == pytest.approx(10 * np.log10(0.5), abs=0.1)
    assert np.mean(shape_of(hiss, "slope_0_500_db_khz")) == pytest.approx(0, abs=2)
    # White noise: powers are exponential, whose log has the mean -gamma (10 log10(e^-0.5772) = -2.51 dB).
    assert np.mean(shape_of(hiss, "flatness_db")) == pytest.approx(-2.51, abs=0.15)
    assert shape_of(hiss, "entropy_nat").mean() > shape_of(pure, "entropy_nat").mean() + 2


def test_harmonics_have_the_levels_they_were_given() -> None:
    sound = tone(200, 1.0, 0.4) + tone(400, 1.0, 0.2) + tone(600, 1.0, 0.1) + tone(800, 1.0, 0.05)
    assert np.median(shape_of(sound, "h1_h2_db", 200)) == pytest.approx(6.02, abs=0.3)
    assert np.median(shape_of(sound, "h1_h3_db", 200)) == pytest.approx(12.04, abs=0.3)
    assert np.median(shape_of(sound, "h2_h4_db", 200)) == pytest.approx(12.04, abs=0.3)
    assert np.isnan(shape_of(sound, "h1_h2_db")).all()  # nothing is told of a frame without pitch


def test_formants_are_where_resonators_put_them() -> None:
    hertz, width = (500, 1500, 2500), 80
    sound: np.ndarray = noise(2.0, 0.01).astype(float)
    for f in hertz:
        radius = np.exp(-np.pi * width / SAMPLE_RATE)
        sound = lfilter([1.0], [1, -2 * radius * np.cos(2 * np.pi * f / SAMPLE_RATE), radius**2], sound)
    found = np.nanmedian(formants(power_spectra((sound / np.abs(sound).max()).astype(np.float32))), axis=0)
    np.testing.assert_allclose(found, hertz, rtol=0.1)  # the tilt of the cascade draws the lowest up


def test_a_rise_and_its_slope_are_told() -> None:
    found = described(harmonic(100 * 2 ** np.linspace(0, 1, 3 * SAMPLE_RATE)))  # 12 semitones in 3 s
    assert found.get("f0_run_slope_st_s") == pytest.approx(4, rel=0.02)
    assert found.get("f0_rise_mean_st_s") == pytest.approx(4, rel=0.05)
    assert found.get("f0_rise_share") == pytest.approx(1, abs=0.01)
    fifths = [found.get(f"f0_st_fifth{k}") for k in range(1, 6)]
    assert fifths == pytest.approx([-4.8, -2.4, 0, 2.4, 4.8], abs=0.1)


def test_a_swell_of_loudness_stands_at_its_rate() -> None:
    seconds = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    for hertz, at in ((4.0, "4"), (10.0, "10")):
        sound = harmonic(np.full(len(seconds), 150.0), 0.1 * (1 + 0.8 * np.sin(2 * np.pi * hertz * seconds)))
        found = described(sound)
        levels = {rate: found.get(f"modulation_loudness_{rate}hz_db") for rate in course_features.RATES}
        assert max(levels, key=lambda rate: levels[rate] or 0) == at


def test_voiced_stretches_are_counted_in_seconds() -> None:
    course = np.concatenate([np.full(SAMPLE_RATE, 150.0), np.zeros(SAMPLE_RATE // 5), np.full(SAMPLE_RATE // 2, 150.0)])
    sound = harmonic(course, np.where(course > 0, 0.1, 0.0))
    found = described(sound)
    assert found.get("voiced_run_max_s") == pytest.approx(1.0, abs=0.03)
    assert found.get("voiced_run_mean_s") == pytest.approx(0.75, abs=0.03)
    assert found.get("gap_mean_s") == pytest.approx(0.2, abs=0.03)


# ---------------------------------------------------------------- what holds for every voice


def test_the_first_21_keep_their_names_and_places_and_no_name_comes_twice() -> None:
    assert NAMES[:21] == FIRST
    assert len(NAMES) == len(set(NAMES)) == 389


def test_every_measured_number_is_named_and_every_name_is_measured(sentence: Samples) -> None:
    voice = listen(Recording(sentence), heard(sentence))
    measured = spectrum_features.spectrum_features(voice) | course_features.course_features(voice)
    assert set(measured) == set(NAMES[21:])
    assert np.isfinite(list(measured.values())).all()


def test_silence_and_a_sound_too_short_mask_all_but_shares() -> None:
    for sound in (np.zeros(SAMPLE_RATE, np.float32), harmonic(np.full(1600, 150.0)), np.zeros(0, np.float32)):
        found = described(sound)
        assert not any(found.mask[21:])
        assert not any(value for value, known in zip(found.values, found.mask, strict=True) if not known)


def test_gain_changes_nothing_but_intensity(sentence: Samples) -> None:
    loud, soft = described(sentence), described(0.01 * sentence)
    for name in NAMES[21:]:
        a, b = loud.get(name), soft.get(name)
        assert (a is None) == (b is None), name
        if a is not None and b is not None:
            assert b == pytest.approx(a, rel=0.02, abs=0.2), name


def test_features_do_not_depend_on_the_windows_of_decoding(sentence: Samples) -> None:
    activity = detect(Recording(sentence))
    once = describe(listen(Recording(sentence), activity), "test")
    assert describe(listen(Recording(sentence, window=0.37), activity), "test") == once


def test_blocks_give_the_spectra_of_the_whole(sentence: Samples) -> None:
    sound = np.concatenate([sentence] * 4)
    activity = detect(Recording(sound))
    whole = listen(Recording(sound), activity, block=10**6).spectra
    blocks = listen(Recording(sound), activity, block=200).spectra
    np.testing.assert_allclose(blocks.mel_db.astype(float), whole.mel_db.astype(float), atol=0.07)  # one step of half
    np.testing.assert_array_equal(np.isnan(blocks.shape), np.isnan(whole.shape))


def test_a_part_is_described_by_its_own_frames(sentence: Samples) -> None:
    seconds = len(sentence) / SAMPLE_RATE
    begin = round(seconds + 0.5, 2)
    sound = np.concatenate([sentence, np.zeros(round(begin * SAMPLE_RATE) - len(sentence), np.float32), 0.3 * sentence])
    voice = listen(Recording(sound), heard(sound, (0.0, seconds), (begin, begin + seconds)))
    alone, part = described(0.3 * sentence), describe(voice.part(Span(begin, begin + seconds), 0.0), "test")
    for name in ("mfcc_mean_01", "mfcc_mean_05", "alpha_ratio_db_mean", "formant1_hz_median", "f0_p80_st"):
        assert part.get(name) == pytest.approx(alone.get(name), rel=0.05, abs=0.5), name


def test_a_clicking_voice_without_long_runs_is_described_without_warnings() -> None:
    sound = pulses(np.arange(0.1, 1.9, 0.009), np.ones(200), 2.0) * (np.arange(2 * SAMPLE_RATE) % 3200 < 900)
    described(sound.astype(np.float32))


def test_spectra_stay_below_ten_kilobytes_a_second(sentence: Samples) -> None:
    spectra = listen(Recording(sentence), heard(sentence)).spectra
    assert (spectra.mel_db.nbytes + spectra.shape.nbytes) / (len(sentence) / SAMPLE_RATE) < 10_000


@pytest.mark.long
def test_all_new_features_cost_a_hundredth_of_a_second_per_second(sentence: Samples) -> None:
    """Bounded at three times that, because tests run on busy machines."""
    sound = np.concatenate([sentence] * 10)
    voice = listen(Recording(sound), heard(sound))
    power = power_spectra(sound)
    begin = time.process_time()
    spectra_of(power, voice.curves.hz)
    describe(voice, "test")
    assert time.process_time() - begin < 0.03 * len(sound) / SAMPLE_RATE
