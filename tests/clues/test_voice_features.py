"""The 21 features: names from ARCHITECTURE.md, values from sounds whose course is known, invariances on real speech."""

import re
from pathlib import Path

import numpy as np
import pytest
from synthetic_sound import Recording, Samples, harmonic, heard

from emer import media
from emer.clues.prosody import listen
from emer.clues.voice_activity import detect
from emer.clues.voice_features import NAMES, features_of
from emer.types import SAMPLE_RATE, Clip, Features, Span


def features(sound: Samples, *spans: tuple[float, float]) -> Features:
    return features_of(listen(Recording(sound), heard(sound, *spans)), "test")


def test_names_and_their_order_are_those_of_the_architecture() -> None:
    page = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text()
    listed = page.split("* `audio`:")[1].split("(semitones")[0]
    assert tuple(re.findall(r"[a-z]\w+", listed)) == NAMES
    assert len(NAMES) == 21


def test_pitch_is_told_in_semitones_above_100_hertz() -> None:
    found = features(harmonic(np.full(2 * SAMPLE_RATE, 200.0)))
    assert found.get("f0_median_st") == pytest.approx(12, abs=0.02)
    assert found.get("f0_range_st") == pytest.approx(0, abs=0.05)
    assert found.get("voiced_ratio") == pytest.approx(1, abs=0.02)
    assert found.get("speech_ratio") == 1


def test_a_steady_rise_has_its_slope_range_and_change() -> None:
    course = 100 * 2 ** np.linspace(0, 1, 3 * SAMPLE_RATE)  # 12 semitones in 3 s
    found = features(harmonic(course))
    assert found.get("f0_slope_st_s") == pytest.approx(4, rel=0.02)
    assert found.get("f0_range_st") == pytest.approx(0.9 * 12, rel=0.02)
    assert found.get("f0_iqr_st") == pytest.approx(6, rel=0.02)
    assert found.get("f0_change_st") == pytest.approx(6, rel=0.02)


def test_intensity_change_is_second_half_minus_first() -> None:
    level = np.repeat([0.02, 0.2], SAMPLE_RATE)
    found = features(harmonic(np.full(2 * SAMPLE_RATE, 150.0), level))
    assert found.get("intensity_change_db") == pytest.approx(20, abs=0.1)
    assert found.get("intensity_range_db") == pytest.approx(20, abs=0.2)


def test_pauses_are_shares_of_the_time_from_first_to_last_speech() -> None:
    sound = harmonic(np.full(10 * SAMPLE_RATE, 150.0))
    found = features(sound, (1.0, 3.0), (4.0, 5.0), (5.5, 9.0))
    assert found.get("pause_ratio") == pytest.approx(1.5 / 8, abs=0.002)
    assert found.get("pause_rate") == pytest.approx(2 / 8, abs=0.001)
    assert found.get("pause_mean_s") == pytest.approx(0.75, abs=0.01)
    assert found.get("speech_ratio") == pytest.approx(0.65, abs=0.001)


def test_syllable_rate_is_per_second_of_speech_without_pauses() -> None:
    time = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    rate = np.where(time < 2, 3, 6)
    bumps = 0.02 + 0.2 * np.sin(np.pi * rate * time) ** 2
    found = features(harmonic(np.full(len(time), 140.0), bumps))
    assert found.get("syllable_rate") == pytest.approx(4.5, abs=0.3)
    assert found.get("syllable_rate_change") == pytest.approx(3, abs=0.5)


def test_what_cannot_be_measured_is_masked() -> None:
    silent = features(np.zeros(SAMPLE_RATE, np.float32), (0.2, 0.8))
    assert silent.get("f0_median_st") is None
    assert silent.get("jitter_local") is None
    assert silent.get("voiced_ratio") == 0
    unspoken = features_of(
        listen(Recording(silence := np.zeros(SAMPLE_RATE, np.float32)), detect(Recording(silence))), ""
    )
    assert [name for name in NAMES if unspoken.get(name) is not None] == ["speech_ratio"]


@pytest.fixture(scope="module")
def sentence(real_data: Path) -> Samples:
    opened = media.open(Clip(str(real_data / "clips/emodb/03a01Fa.flac")))
    return np.concatenate([window.samples for window in opened.windows()])


def test_gain_moves_intensity_and_nothing_else(sentence: Samples) -> None:
    loud, soft = features(sentence), features(0.01 * sentence)
    for name in NAMES:
        a, b = loud.get(name), soft.get(name)
        assert a is not None or name == "pause_mean_s"
        if a is not None and b is not None:
            assert b == pytest.approx(a - (40 if name == "intensity_mean_db" else 0), rel=0.01, abs=0.05), name


def test_features_of_a_part_are_those_of_the_part_alone(sentence: Samples) -> None:
    doubled = np.concatenate([sentence, np.zeros(SAMPLE_RATE, np.float32), 0.3 * sentence])
    seconds = len(sentence) / SAMPLE_RATE
    begin = round(seconds + 1, 2)
    spans = ((0.0, seconds), (begin, begin + seconds))
    voice = listen(Recording(doubled), heard(doubled, *spans))
    alone = features(0.3 * sentence)
    part = features_of(voice.part(Span(50 + begin, 50 + begin + seconds), 50.0), "test")
    for name in ("f0_median_st", "intensity_mean_db", "jitter_local", "hnr_db"):
        assert part.get(name) == pytest.approx(alone.get(name), rel=0.05, abs=0.1), name
    one_syllable = 1 / seconds
    assert part.get("syllable_rate") == pytest.approx(alone.get("syllable_rate"), abs=1.1 * one_syllable)
