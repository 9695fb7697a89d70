"""Audio clues on real voices: sentences, numbers, references, doubts."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic_sound import Recording, Samples, harmonic, noise

from emer import media
from emer.clues.audio import AudioClues
from emer.clues.listening import Listening
from emer.clues.segments import utterances
from emer.clues.voice_activity import detect
from emer.clues.voice_description import NAMES
from emer.clues.voice_levels import levels
from emer.grounding import check
from emer.kinds import kinds
from emer.types import SAMPLE_RATE, Clip, Clue, Extract, Features, Span


def sound_of(path: Path) -> Samples:
    return np.concatenate([window.samples for window in media.open(Clip(str(path))).windows()])


def extract(sound: Samples, baseline: Features | None = None, begin: float = 0.0) -> Extract:
    clip = Recording(sound, begin=begin)
    activity = detect(clip)
    segments = utterances(clip.facts.span, activity.speech, None)
    return AudioClues().extract(clip, Listening(activity, segments, None, baseline))


@pytest.fixture(scope="module")
def clips(real_data: Path) -> Path:
    return real_data / "clips"


@pytest.fixture(scope="module")
def speech(clips: Path) -> Samples:
    return sound_of(clips / "speech/jfk.flac")


@pytest.fixture(scope="module")
def found(speech: Samples) -> Extract:
    return extract(speech)


def test_events_are_sentences_with_number_reference_and_time(found: Extract) -> None:
    texts = [c.text for c in found.clues]
    assert "voice 4.7 semitones above this clip's median, 0.7–0.9 s" in texts
    assert any(re.fullmatch(r"pause of 1\.\d s, 2\.\d–3\.\d s", text) for text in texts)


def test_every_clue_is_of_a_known_kind_in_its_unit_within_the_clip(found: Extract) -> None:
    assert len(found.clues) > 8
    for clue in found.clues:
        assert kinds()[clue.kind].modality == clue.modality == "audio"
        assert clue.unit == kinds()[clue.kind].unit
        assert clue.reference
        assert 0 <= clue.start < clue.end <= 11.01
        assert kinds()[clue.kind].event == bool(re.search(r"–\d", clue.text)) or (clue.start, clue.end) != (0, 11)


def says_its_value(clue: Clue) -> bool:
    """The first number of a sentence is the clue's, without its sign, which "above" and "below" carry."""
    number = re.search(r"\d+(\.\d+)?", clue.text)
    return number is not None and clue.value is not None and float(number[0]) == pytest.approx(abs(clue.value))


def test_sentences_say_the_value_and_above_or_below_its_sign(found: Extract) -> None:
    for clue in found.clues:
        assert says_its_value(clue), clue
        if " above " in clue.text or " below " in clue.text:
            assert (" above " in clue.text) == (clue.value is not None and clue.value >= 0), clue


def test_features_of_the_clip_and_of_each_utterance_have_all_names(found: Extract) -> None:
    assert found.features is not None
    assert len(found.segment_features) == 3
    assert all(f.names == NAMES and f.view == "audio" for f in (found.features, *found.segment_features))


def test_curves_are_short_and_lie_on_the_clip(found: Extract) -> None:
    pitch, loudness = found.tracks
    assert (pitch.unit, loudness.unit) == ("semitones", "dB")
    for track in found.tracks:
        assert len(track.values) <= 2000
        assert len(track.values) * track.step == pytest.approx(11.0, abs=0.02)
    assert None in pitch.values
    assert None not in loudness.values


def test_long_clips_keep_at_most_2000_points_a_curve(speech: Samples) -> None:
    track = extract(np.concatenate([speech] * 4)).tracks[0]
    assert 1400 < len(track.values) <= 2000
    assert track.step == pytest.approx(0.03)


def test_the_same_sound_gives_the_same_clues_moved_with_its_clock(speech: Samples, found: Extract) -> None:
    again, later = extract(speech), extract(speech, begin=60.0)
    assert again.clues == found.clues
    assert [c.value for c in later.clues] == [c.value for c in found.clues]
    assert [c.start - 60 for c in later.clues] == pytest.approx([c.start for c in found.clues])


def test_an_angry_voice_is_higher_and_louder_than_the_same_actor_s_neutral_one(clips: Path) -> None:
    neutral = extract(sound_of(clips / "ravdess_speech/03-01-01-01-01-01-05.flac")).features
    angry = extract(sound_of(clips / "ravdess_speech/03-01-05-02-01-01-05.flac"), neutral)
    values = {c.kind: c.value for c in angry.clues if c.reference == "this speaker's neutral voice"}
    assert values["pitch_level"] is not None
    assert values["pitch_level"] > 8
    assert values["loudness_level"] is not None
    assert values["loudness_level"] > 15
    assert any("above this speaker's neutral voice" in c.text for c in angry.clues if c.kind == "pitch_rise")


def test_the_baseline_itself_differs_from_itself_by_nothing(speech: Samples, found: Extract) -> None:
    own = [c for c in extract(speech, found.features).clues if (c.start, c.end) == (0, 11) and c.kind != "pausing"]
    assert {c.kind: c.value for c in own} == {"pitch_level": 0, "loudness_level": 0, "speech_rate": 0}


def test_without_a_baseline_every_level_names_whom_it_is_compared_with(found: Extract) -> None:
    whole = [c for c in found.clues if (c.start, c.end) == (0, 11)]
    assert {c.kind for c in whole} >= {"pitch_level", "speech_rate"}
    assert "loudness_level" not in {c.kind for c in whole}
    assert all("adult voices" in c.reference or "read speech" in c.reference or "word" in c.reference for c in whole)


def test_levels_name_features_and_kinds_that_exist_and_norms_with_a_source() -> None:
    for level in levels():
        assert level.feature in NAMES
        assert not kinds()[level.kind].event
        if level.norm is not None:
            assert level.norm.low < level.norm.typical < level.norm.high
            assert level.norm.source


@pytest.mark.long
def test_norms_of_neutral_read_speech_are_those_of_the_recordings(clips: Path) -> None:
    files = sorted(f for f in (clips / "ravdess_speech").glob("03-01-01-*.flac") if int(f.stem[-2:]) <= 12)
    assert len(files) == 48
    features = [extract(sound_of(file)).features for file in files]
    for level in levels():
        if level.norm is not None and level.norm.source == "RAVDESS":
            values = [value for f in features if f is not None and (value := level.of(f)) is not None]
            measured = np.percentile(values, [5, 50, 95])
            assert measured == pytest.approx([level.norm.low, level.norm.typical, level.norm.high], abs=0.06), (
                level.kind
            )


def test_every_sentence_is_borne_out_by_its_own_clue(found: Extract, clips: Path) -> None:
    """By the grounding check, which reads numbers, directions and behaviours on its own."""
    sad = extract(sound_of(clips / "ravdess_speech/03-01-04-02-01-01-16.flac"), found.features)
    for of in (found, sad):
        clues = [replace(clue, id=f"a{i}") for i, clue in enumerate(of.clues)]
        for clue in clues:
            (statement,) = check(f"The {clue.text} [{clue.id}].", clues)
            assert statement.status == "grounded", clue


def test_noise_clipping_and_shortness_are_said_and_doubt_every_clue(speech: Samples) -> None:
    noisy = extract(speech + noise(len(speech) / SAMPLE_RATE, 0.15))
    assert {n.code for n in noisy.warnings} == {"noisy"}
    clipped = extract(np.clip(8 * speech, -1, 1).astype(np.float32))
    assert "clipped" in {n.code for n in clipped.warnings}
    short = extract(speech[int(0.3 * SAMPLE_RATE) : int(0.8 * SAMPLE_RATE)])
    assert "little_voice" in {n.code for n in short.warnings}
    for doubtful, word in ((noisy, "background"), (clipped, "clipped"), (short, "s of voice")):
        assert all(word in (clue.quality or "") for clue in doubtful.clues)


def test_without_speech_there_is_a_warning_and_no_clue() -> None:
    nobody = extract(harmonic(np.full(3 * SAMPLE_RATE, 0.0)) + noise(3.0, 0.01))
    assert nobody.clues == ()
    assert [n.code for n in nobody.warnings] == ["no_speech"]
    assert nobody.features is not None
    assert nobody.features.get("speech_ratio") == 0


def test_without_sound_there_is_nothing() -> None:
    clip = Recording(np.zeros(0, np.float32))
    assert AudioClues().extract(clip, Listening(None)) == Extract((), None)
    empty = AudioClues().extract(clip, Listening(detect(clip)))
    assert empty.clues == ()


def test_an_utterance_without_voice_has_masked_features(speech: Samples) -> None:
    clip = Recording(speech)
    spans = (Span(0.0, 0.2), Span(0.2, 5.0), Span(10.9, 11.0))
    parts = AudioClues().extract(clip, Listening(detect(clip), spans)).segment_features
    assert [part.get("f0_median_st") is None for part in parts] == [True, False, True]
