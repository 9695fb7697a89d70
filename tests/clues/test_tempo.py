"""Pauses and syllables against hand counts: bumps put in one by one, sentences of known words."""

from pathlib import Path

import numpy as np
import pytest
from synthetic_sound import Recording, harmonic, heard

from emer import media
from emer.clues.grid import covered
from emer.clues.prosody import listen
from emer.clues.tempo import pause_frames, syllable_nuclei
from emer.clues.voice_activity import detect
from emer.types import SAMPLE_RATE, Clip, Span


@pytest.mark.parametrize(("syllables", "seconds"), [(3, 1.5), (8, 2.0), (20, 4.0)])
def test_every_bump_of_a_voice_is_one_syllable(syllables: int, seconds: float) -> None:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    bumps = 0.02 + 0.2 * np.sin(np.pi * time * syllables / seconds) ** 2
    sound = harmonic(np.full(len(time), 140.0), bumps)
    assert listen(Recording(sound), heard(sound)).nucleus.sum() == syllables


def test_ripples_of_less_than_two_decibels_are_no_syllables() -> None:
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    sound = harmonic(np.full(len(time), 140.0), 0.2 * (1 + 0.08 * np.sin(2 * np.pi * 5 * time)))
    assert listen(Recording(sound), heard(sound)).nucleus.sum() <= 1


def test_unvoiced_bumps_are_no_syllables() -> None:
    level = np.full(100, -60, np.float32)
    level[20:30] = level[60:70] = -20
    pitch = np.zeros(100, np.float32)
    pitch[58:72] = 120
    (nucleus,) = np.flatnonzero(syllable_nuclei(level, pitch, np.ones(100, bool))).tolist()
    assert 60 <= nucleus < 70


def test_a_pause_is_a_silence_of_a_quarter_second_between_speech() -> None:
    spans = (Span(10.5, 11.0), Span(11.2, 12.0), Span(12.4, 13.0))
    speech = covered(spans, 10.0, 0.01, 400)
    paused = pause_frames(np.full(400, -20, np.float32), np.full(400, 120, np.float32), speech)
    assert np.flatnonzero(paused).tolist() == list(range(200, 240))


def test_a_hole_in_the_sound_is_a_pause_also_where_voice_activity_bridges_it() -> None:
    level, pitch = np.full(300, -20, np.float32), np.full(300, 120, np.float32)
    level[100:160], pitch[100:160] = -80, 0
    paused = np.flatnonzero(pause_frames(level, pitch, np.ones(300, bool)))
    assert (paused[0], paused[-1]) == (pytest.approx(100, abs=4), pytest.approx(159, abs=4))


def test_known_silences_between_real_sentences_are_found_at_their_length(real_data: Path) -> None:
    name = "03-01-05-01-01-01-03.flac"
    opened = media.open(Clip(str(real_data / "clips/ravdess_speech" / name)))
    (own,) = (detect(opened).speech,)
    sound = np.concatenate([w.samples for w in opened.windows()])
    sentence = sound[round(own[0].start * SAMPLE_RATE) : round(own[-1].end * SAMPLE_RATE)]
    hole = {seconds: np.zeros(round(seconds * SAMPLE_RATE), np.float32) for seconds in (0.5, 0.9, 1.4)}
    joined = np.concatenate([sentence, hole[0.5], sentence, hole[0.9], sentence, hole[1.4], sentence])
    voice = listen(Recording(joined), detect(Recording(joined)))
    edges = np.flatnonzero(np.diff(voice.paused.astype(int)))
    lengths = (edges[1::2] - edges[::2]) * 0.01
    assert lengths == pytest.approx([0.5, 0.9, 1.4], abs=0.2)


def test_sentences_of_seven_syllables_have_seven(real_data: Path) -> None:
    """RAVDESS says "Kids are talking by the door" and "Dogs are sitting by the door"."""
    files = sorted((real_data / "clips/ravdess_speech").glob("*.flac"))[7::40]
    counts = []
    for file in files:
        opened = media.open(Clip(str(file)))
        counts.append(int(listen(opened, detect(opened)).nucleus.sum()))
    assert np.mean(counts) == pytest.approx(7, abs=0.5)
    assert np.mean([6 <= n <= 8 for n in counts]) >= 0.7
