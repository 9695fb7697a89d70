"""Voice activity: the oracle is silero-vad's own function over the whole sound at once."""

from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic_sound import Recording, Samples, noise, tone

from emer import media
from emer.clues.voice_activity import detect, speech_spans
from emer.types import SAMPLE_RATE, Clip


@pytest.fixture(scope="module")
def speech(real_data: Path) -> Samples:
    opened = media.open(Clip(str(real_data / "clips/speech/jfk.flac")))
    return np.concatenate([window.samples for window in opened.windows()])


@pytest.mark.filterwarnings("ignore:.*torch.jit.load.*:DeprecationWarning")
def test_spans_are_those_of_the_model_s_own_function(speech: Samples) -> None:
    from silero_vad import get_speech_timestamps, load_silero_vad

    theirs = get_speech_timestamps(torch.from_numpy(speech.copy()), load_silero_vad(), return_seconds=False)
    ours = detect(Recording(speech)).speech
    expected = [(t["start"] / SAMPLE_RATE, t["end"] / SAMPLE_RATE) for t in theirs]
    assert [(s.start, s.end) for s in ours] == [pytest.approx(span, abs=0.07) for span in expected]


@pytest.mark.parametrize("window", [0.05, 0.73, 4.0])
def test_the_windows_of_decoding_leave_no_seam(speech: Samples, window: float) -> None:
    once, streamed = detect(Recording(speech)), detect(Recording(speech, window=window))
    assert streamed.speech == once.speech
    np.testing.assert_array_equal(streamed.loudness, once.loudness)
    assert streamed.track == once.track


def test_times_are_on_the_clip_s_own_clock(speech: Samples) -> None:
    moved, still = detect(Recording(speech, begin=100.0)), detect(Recording(speech))
    assert [s.start - 100 for s in moved.speech] == pytest.approx([s.start for s in still.speech])
    assert moved.track.start == 100.0


def test_nobody_speaks_in_noise_tones_and_silence() -> None:
    for sound in (noise(3.0, 0.05), tone(200, 3.0), np.zeros(3 * SAMPLE_RATE, np.float32)):
        assert detect(Recording(sound)).speech == ()


def melody() -> Samples:
    """Eight notes with overtones, vibrato and a soft beginning: what of music is most like a voice."""
    pitches = np.repeat([262.0, 330, 392, 440, 349, 294, 523, 196], SAMPLE_RATE // 2)
    time = np.arange(len(pitches)) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(pitches * (1 + 0.01 * np.sin(2 * np.pi * 6 * time))) / SAMPLE_RATE
    notes = sum(np.sin(k * phase) / k for k in range(1, 8))
    return np.asarray(0.2 * notes * np.minimum(1, 4 * (time % 0.5)), np.float32)


def siren() -> Samples:
    """A tone that goes up and down between 400 and 900 Hz."""
    hz = 650 + 250 * np.sin(2 * np.pi * 0.5 * np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE)
    return np.asarray(0.3 * np.sin(2 * np.pi * np.cumsum(hz) / SAMPLE_RATE), np.float32)


@pytest.mark.parametrize("gain", [1.0, 0.03])
def test_nobody_speaks_in_music_sirens_and_beating_noise(gain: float) -> None:
    """The second listener hears everything lower, and must not take that for a voice."""
    beating = noise(6.0, 0.2) * np.asarray(1 + np.sin(2 * np.pi * 4 * np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE))
    for sound in (melody(), siren(), beating):
        assert detect(Recording(np.asarray(gain * sound, np.float32))).speech == ()


# Strong anger and joy in which silero-vad alone finds nothing; actor 06 shouts at 300 to 500 Hz. The voice is where
# the level over 0.1 s is within 30 dB of the loudest: the recordings are quiet before and after.
SHOUTS = {"03-01-05-02-02-02-06": (1.0, 3.5), "03-01-05-02-02-01-18": (1.0, 2.8), "03-01-03-02-02-01-06": (0.9, 2.7)}


@pytest.mark.parametrize("name", SHOUTS)
def test_a_shout_is_heard(real_data: Path, name: str) -> None:
    opened = media.open(Clip(str(real_data / f"clips/ravdess_speech/{name}.flac")))
    speech = detect(opened).speech
    assert (speech[0].start, speech[-1].end) == pytest.approx(SHOUTS[name], abs=0.25)


def test_a_clip_without_sound_gives_empty_curves() -> None:
    activity = detect(Recording(np.zeros(0, np.float32)))
    assert (activity.speech, len(activity.loudness), activity.track.values) == ((), 0, ())


def test_loudness_is_decibels_of_full_scale_ten_times_a_second() -> None:
    sound = np.concatenate([tone(200, 1.0, 1.0), tone(200, 1.0, 0.1), np.zeros(SAMPLE_RATE // 2, np.float32)])
    loudness = detect(Recording(sound, window=0.33)).loudness
    np.testing.assert_allclose(loudness, [-3.01] * 10 + [-23.01] * 10 + [-80] * 5, atol=0.01)


def test_short_gaps_are_bridged_and_short_speech_is_dropped() -> None:
    p = np.zeros(100, np.float32)
    p[10:20] = p[22:40] = 0.9  # a gap of 64 ms
    p[60:65] = 0.9  # 160 ms of speech
    assert speech_spans(p, 3.2) == [pytest.approx((0.32 - 0.03, 1.28 + 0.03))]


def test_speech_that_reaches_the_end_ends_with_the_sound() -> None:
    assert speech_spans(np.full(50, 0.9, np.float32), 1.59) == [(0.0, 1.59)]


def test_a_long_clip_keeps_at_most_2000_points() -> None:
    track = detect(Recording(np.zeros(65 * SAMPLE_RATE, np.float32))).track
    assert 1000 < len(track.values) <= 2000
    assert len(track.values) * track.step == pytest.approx(65, abs=0.1)


def test_torch_keeps_its_number_of_threads() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        detect(Recording(noise(0.2, 0.1)))
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
