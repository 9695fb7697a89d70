"""Events in voices whose course was made by hand, so that every moment is known."""

import numpy as np
import pytest

from emer.clues.events import Event
from emer.clues.prosody import Curves, Voice
from emer.clues.prosody_events import Usual, find_events, usual_course
from emer.clues.voice_spectrum import unmeasured
from emer.types import Span


def voice(
    hz: np.ndarray,
    level: np.ndarray | None = None,
    *,
    paused: tuple[tuple[int, int], ...] = (),
    nuclei: np.ndarray | None = None,
) -> Voice:
    """A voice of the given pitch per frame (0: unvoiced), all of it speech except the pauses."""
    frames = len(hz)
    flat = np.zeros(frames, np.float32)
    level = np.full(frames, -20.0) if level is None else level
    pause = np.zeros(frames, bool)
    for a, b in paused:
        pause[a:b] = True
    nucleus = np.zeros(frames, bool)
    if nuclei is not None:
        nucleus[nuclei] = True
    curves = Curves(hz.astype(np.float32), flat, level.astype(np.float32), flat, flat, flat, flat)
    return Voice(curves, ~pause, pause, nucleus, 0.0, unmeasured(len(hz)))


def events(of: Voice) -> list[Event]:
    return find_events(of, usual_course(of))


def raised(hz: np.ndarray, start: int, end: int, semitones: float) -> np.ndarray:
    moved = hz.copy()
    moved[start:end] *= 2 ** (semitones / 12)
    return moved


@pytest.mark.parametrize(("semitones", "kind"), [(5.0, "pitch_rise"), (-4.0, "pitch_fall")])
def test_a_raised_or_lowered_stretch_is_found_where_it_is(semitones: float, kind: str) -> None:
    (event,) = events(voice(raised(np.full(400, 120.0), 100, 180, semitones)))
    assert event.kind == kind
    assert (event.start, event.end) == pytest.approx((1.0, 1.8), abs=0.03)
    assert event.value == pytest.approx(semitones, abs=0.05)


def test_two_semitones_and_single_octave_errors_are_no_event() -> None:
    hz = raised(np.full(400, 120.0), 100, 180, 2.0)
    hz[250] *= 2
    hz[300:302] /= 2
    assert events(voice(hz)) == []


def test_a_rise_goes_on_over_a_short_consonant_but_not_over_a_long_gap() -> None:
    hz = raised(np.full(600, 120.0), 100, 200, 5.0)
    hz[140:150] = 0
    assert len(events(voice(hz))) == 1
    hz[140:175] = 0
    assert len(events(voice(hz))) == 2


def test_in_a_lively_voice_only_larger_moves_stand_out() -> None:
    """Quartiles of a uniform spread over 12 semitones lie 6 apart: 1.5 standard deviations are 6.7 semitones."""
    random = np.random.default_rng(0)
    course = np.repeat(random.permutation(np.linspace(-6, 6, 60)), 20)
    course[600:620], course[900:920] = 9, -8
    found = [(e.kind, e.start) for e in events(voice(120 * 2 ** (course / 12))) if e.kind.startswith("pitch")]
    assert found == [("pitch_rise", pytest.approx(6, abs=0.03)), ("pitch_fall", pytest.approx(9, abs=0.03))]


def test_against_a_speaker_s_own_voice_a_whole_clip_can_be_raised() -> None:
    sound = voice(np.full(200, 240.0))
    (event,) = find_events(sound, Usual(semitones=12 * np.log2(1.2), decibels=-20, syllable_rate=None))
    assert (event.kind, event.start, event.end) == ("pitch_rise", 0.0, 2.0)
    assert event.value == pytest.approx(12, abs=0.01)


def test_a_loud_moment_is_a_burst() -> None:
    level = np.full(400, -30.0)
    level[200:230] = -19.0
    (event,) = events(voice(np.full(400, 120.0), level))
    assert event.kind == "loudness_burst"
    assert (event.start, event.end) == pytest.approx((2.0, 2.3), abs=0.04)
    assert event.value == pytest.approx(11, abs=0.1)


def test_pauses_of_at_least_four_tenths_are_told_with_their_length() -> None:
    hz = np.full(500, 120.0)
    hz[100:135] = hz[300:390] = 0
    (event,) = events(voice(hz, paused=((100, 135), (300, 390))))
    assert (event.kind, event.start, event.end) == ("pause", 3.0, 3.9)
    assert event.value == pytest.approx(0.9)


def test_a_fast_and_a_slow_stretch_are_told_against_the_mean() -> None:
    steps = np.concatenate([np.full(40, 25), np.full(30, 14), np.full(40, 25), np.full(10, 50)])
    nuclei = np.cumsum(steps)
    found = events(voice(np.full(int(nuclei[-1]) + 10, 120.0), nuclei=nuclei))
    assert [e.kind for e in found] == ["speed_up", "slow_down"]
    fast, slow = found
    assert Span(fast.start, fast.end).overlap(Span(10.0, 14.2)) > 3.5
    assert Span(slow.start, slow.end).overlap(Span(24.2, 29.2)) > 4
    mean = len(nuclei) / (nuclei[-1] / 100)
    for event in found:
        inside = int(((nuclei >= 100 * event.start) & (nuclei < 100 * event.end)).sum())
        assert event.value == pytest.approx(inside / (event.end - event.start) - mean, abs=0.05)
    assert fast.value > 1.2
    assert slow.value < -1.2


def test_a_short_utterance_has_no_change_of_tempo() -> None:
    nuclei = np.concatenate([np.arange(10, 200, 30), np.arange(200, 400, 10)])
    assert events(voice(np.full(400, 120.0), nuclei=nuclei)) == []


# ---------------------------------------------------------------- tremor


def trembling(hz: float, semitones: float, frames: int = 150) -> np.ndarray:
    time = np.arange(frames) * 0.01
    return np.asarray(180 * 2 ** (semitones * np.sin(2 * np.pi * hz * time) / 12))


@pytest.mark.parametrize("hz", [4.5, 5.5, 7, 9, 11])
def test_a_regular_shaking_of_the_pitch_is_tremor_of_that_rate(hz: float) -> None:
    pitch = np.concatenate([np.full(100, 180.0), trembling(hz, 0.8), np.full(100, 180.0)])
    (event,) = [e for e in events(voice(pitch)) if e.kind == "tremor"]
    assert event.value == pytest.approx(hz, rel=0.1)
    assert Span(event.start, event.end).overlap(Span(1.0, 2.5)) > 1.0


def test_a_regular_shaking_of_loudness_faster_than_syllables_is_tremor() -> None:
    level = -20 + 3 * np.sin(2 * np.pi * 10 * np.arange(300) * 0.01)
    kinds = {e.kind: e.value for e in events(voice(np.full(300, 180.0), level))}
    assert kinds["tremor"] == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize("rate", [3.0, 5.0, 7.0])
def test_syllables_moving_the_loudness_are_no_tremor(rate: float) -> None:
    level = -20 + 6 * np.sin(2 * np.pi * rate * np.arange(300) * 0.01)
    assert "tremor" not in {e.kind for e in events(voice(np.full(300, 180.0), level))}


@pytest.mark.parametrize("course", ["steady", "slow", "faint", "short", "irregular"])
def test_other_courses_of_pitch_are_no_tremor(course: str) -> None:
    time = np.arange(300) * 0.01
    random = np.random.default_rng(4)
    semitones = {
        "steady": 0.02 * random.standard_normal(300),
        "slow": 2 * np.sin(2 * np.pi * 1.5 * time),
        "faint": 0.2 * np.sin(2 * np.pi * 6 * time),
        "short": np.where((time > 1) & (time < 1.3), np.sin(2 * np.pi * 6 * time), 0),
        "irregular": np.interp(time, np.sort(random.uniform(0, 3, 30)), random.uniform(-1, 1, 30)),
    }[course]
    assert "tremor" not in {e.kind for e in events(voice(180 * 2 ** (semitones / 12)))}


def test_tremor_needs_unbroken_voice() -> None:
    pitch = trembling(6, 0.8, 300)
    pitch[50::60] = 0
    assert "tremor" not in {e.kind for e in events(voice(pitch))}


# ---------------------------------------------------------------- too little


def test_a_clip_with_too_little_voice_has_no_course_and_no_events() -> None:
    hz = np.zeros(300)
    hz[:30] = 200
    assert usual_course(voice(hz)) == Usual(None, None, None)
    assert events(voice(hz)) == []
