"""Curves made by hand, and the events that a reader would name in them."""

import numpy as np
import pytest

from emer.clues.events import Event
from emer.clues.face_activations import ACTIVATIONS, INTER_OCULAR
from emer.clues.face_curves import FaceCurves, curves_of, neutrals, smooth
from emer.clues.face_events import events_of
from emer.clues.face_features import features_of
from emer.clues.face_tracks import COLUMNS
from emer.types import Span

STEP = 0.2
LENGTH = 50


def numbers(**columns: object) -> np.ndarray:
    """A face that does nothing for ten seconds, but for the named columns."""
    table = np.zeros((len(COLUMNS), LENGTH), np.float32)
    still = {"x": 300, "y": 200, "scale": 120, "lid_gap": 10, "eye_open": 10, "eye_narrow": -10}
    for name, values in {**still, **columns}.items():
        table[COLUMNS.index(name)] = values
    return table


def curves(table: np.ndarray, speaking: np.ndarray | None = None, looked: np.ndarray | None = None) -> FaceCurves:
    everywhere = np.ones(LENGTH, bool)
    silence = np.zeros(LENGTH, bool) if speaking is None else speaking
    return curves_of(
        table, everywhere if looked is None else looked, silence, INTER_OCULAR, Span(0, LENGTH * STEP), STEP
    )


def plateau(first: int, last: int, height: float) -> np.ndarray:
    values = np.zeros(LENGTH)
    values[first:last] = height
    return values


def of_kind(found: FaceCurves, kind: str) -> list[Event]:
    return [event for event in events_of(found) if event.kind == kind]


def test_a_still_face_has_no_events() -> None:
    assert events_of(curves(numbers())) == ()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_two_seconds_of_an_activation_are_found_with_their_height(name: str) -> None:
    table = numbers()
    table[COLUMNS.index(name)] += plateau(20, 30, 12)
    (event,) = of_kind(curves(table), name)
    assert event.start == pytest.approx(4.0, abs=STEP + 1e-9)
    assert event.end == pytest.approx(6.0, abs=STEP + 1e-9)
    assert event.value == pytest.approx(12, abs=0.01)


def test_a_change_below_the_floor_or_within_the_noise_is_no_event() -> None:
    noise = np.random.default_rng(1).normal(0, 3.0, LENGTH)
    assert not of_kind(curves(numbers(brow_raise=plateau(20, 30, 2.0))), "brow_raise")
    assert not of_kind(curves(numbers(brow_raise=noise)), "brow_raise")


def test_one_stray_frame_is_no_event() -> None:
    assert not of_kind(curves(numbers(brow_raise=plateau(20, 21, 30))), "brow_raise")


def test_a_jaw_that_moves_in_speech_counts_for_a_third() -> None:
    table = numbers(jaw_drop=plateau(20, 30, 12))
    assert of_kind(curves(table), "jaw_drop")
    assert not of_kind(curves(table, speaking=plateau(18, 32, 1) > 0), "jaw_drop")


def test_a_mouth_at_rest_before_a_long_smile_is_not_called_turned_down() -> None:
    """Lip corners rise for 70 % of the clip; their rest is the rest of the face, not its median."""
    table = numbers(lip_corner_pull=plateau(15, 50, 15), lip_corner_depress=plateau(15, 50, -12))
    found = curves(table)
    assert not of_kind(found, "lip_corner_depress")
    (smile,) = of_kind(found, "lip_corner_pull")
    assert smile.value == pytest.approx(15, abs=0.01)


def test_the_neutral_of_the_mouth_comes_from_silence_where_there_is_enough() -> None:
    raw = {name: plateau(0, 30, 7.0) for name in ACTIVATIONS}
    speaking = plateau(0, 30, 1) > 0
    found = neutrals(raw, np.zeros(LENGTH), speaking, INTER_OCULAR)
    assert found["jaw_drop"] == 0
    assert found["brow_raise"] == 7


def test_a_blink_of_one_frame_is_found_and_a_long_closure_is_none() -> None:
    blink = np.full(LENGTH, 10.0)
    blink[[12, 30, 31]] = 2.0
    assert [(event.start, event.value) for event in of_kind(curves(numbers(lid_gap=blink)), "blink")] == [
        (2.4, pytest.approx(0.2)),
        (6.0, pytest.approx(0.4)),
    ]
    asleep = np.full(LENGTH, 10.0)
    asleep[10:20] = 2.0
    assert not of_kind(curves(numbers(lid_gap=asleep)), "blink")


def test_nodding_is_told_from_shaking_and_from_one_slow_movement() -> None:
    time = np.arange(LENGTH) * STEP
    swing = np.where((time > 3) & (time < 6), 7 * np.sin(2 * np.pi * 1.0 * time), 0)
    (nod,) = of_kind(curves(numbers(pitch=swing)), "head_nod")
    assert nod.start == pytest.approx(3, abs=0.5)
    assert nod.end == pytest.approx(6, abs=0.5)
    assert not of_kind(curves(numbers(pitch=swing)), "head_shake")
    assert of_kind(curves(numbers(yaw=swing)), "head_shake")
    assert not of_kind(curves(numbers(pitch=10 * np.sin(2 * np.pi * 0.2 * time))), "head_nod")


def test_a_head_turned_lowered_and_eyes_averted_are_named_with_their_angle() -> None:
    table = numbers(yaw=plateau(5, 15, 25), gaze_yaw=plateau(5, 15, -25), pitch=plateau(30, 40, -14))
    found = curves(table)
    assert [(e.kind, round(e.value)) for e in events_of(found)] == [("head_turn", 25), ("head_down", 14)]
    averted = curves(numbers(gaze_yaw=plateau(5, 15, 20)))
    assert [(e.kind, round(e.value)) for e in events_of(averted)] == [("gaze_aside", 20)]


def test_a_face_that_comes_and_goes_is_told_to_the_step() -> None:
    table = numbers()
    table[:, :10] = np.nan
    table[:, 40:] = np.nan
    moments = [(e.kind, e.start) for e in events_of(curves(table))]
    assert moments == [("face_appears", 2.0), ("face_disappears", 8.0)]


def test_a_face_lost_for_two_frames_has_not_gone_and_steps_without_a_picture_do_not_count() -> None:
    table = numbers()
    table[:, 20:22] = np.nan
    assert events_of(curves(table)) == ()
    sparse = np.arange(LENGTH) % 5 == 0
    table[:, ~sparse] = np.nan
    table[:, 20] = 1.0
    assert events_of(curves(table, looked=sparse)) == ()


def test_smoothing_keeps_gaps_and_does_not_spread_into_them() -> None:
    curve = np.array([1.0, 1.0, np.nan, np.nan, 5.0, 5.0, 5.0])
    np.testing.assert_array_equal(smooth(curve), curve)


def test_features_of_a_part_count_that_part_alone() -> None:
    """Ten of fifty steps raised by 10 %: by hand, a share of .2, a mean of 2 and, in the second half, nothing."""
    found = curves(numbers(brow_raise=plateau(5, 15, 10)))
    events = events_of(found)
    whole = features_of(found, events, 1, None, "t")
    assert whole.get("brow_raise_share") == pytest.approx(0.2, abs=0.05)
    assert whole.get("brow_raise_mean") == pytest.approx(2, abs=0.01)
    assert whole.get("brow_raise_peak") == pytest.approx(10, abs=0.01)
    later = features_of(found, events, 1, np.arange(LENGTH) >= 25, "t")
    assert later.get("brow_raise_peak") == 0
    assert later.get("brow_raise_share") == 0
    assert later.get("face_coverage") == 1


def test_what_was_not_seen_is_masked_not_zero() -> None:
    table = numbers()
    table[:, 2:] = np.nan
    found = features_of(curves(table), (), 1, None, "t")
    assert found.get("face_coverage") == pytest.approx(2 / 50)
    assert found.get("brow_raise_mean") is None
    assert found.get("blink_rate") is None
