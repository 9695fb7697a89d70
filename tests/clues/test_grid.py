"""Curves on a grid of time; expected steps and points counted by hand."""

from itertools import pairwise

import numpy as np
import pytest

from emer.clues.grid import POINTS, covered, runs, to_look_at
from emer.types import Span


def test_a_step_belongs_to_a_span_by_its_middle_on_the_clips_own_clock() -> None:
    # Steps from 10 s: middles at 10.1, 10.3, 10.5, 10.7, 10.9; the first moment counts, the last does not.
    assert covered([Span(10.3, 10.7)], 10.0, 0.2, 5).tolist() == [False, True, True, False, False]


def test_spans_beyond_the_grid_cover_what_they_reach() -> None:
    assert covered([Span(-9.0, 0.2), Span(0.7, 99.0)], 0.0, 0.2, 5).tolist() == [True, False, False, True, True]
    assert not covered([Span(-2.0, -1.0), Span(5.0, 6.0)], 0.0, 0.2, 5).any()


@pytest.mark.parametrize("step", [0.01, 0.2])
def test_neighbouring_spans_share_no_step_and_leave_none_out(step: float) -> None:
    edges = np.linspace(3.0, 43.0, 64)
    parts = [covered([Span(a, b)], 3.0, step, round(40 / step)) for a, b in pairwise(edges)]
    assert (np.sum(parts, axis=0) == 1).all()


def test_runs_touch_both_ends() -> None:
    assert runs(np.array([True, True, False, True])).tolist() == [[0, 2], [3, 4]]
    assert runs(np.zeros(3, bool)).tolist() == []
    assert runs(np.zeros(0, bool)).tolist() == []


def test_a_short_curve_keeps_every_point_and_its_gaps() -> None:
    track = to_look_at("pitch", "audio", "semitones", np.array([1.0, np.nan, 3.0]), 7.0, 0.1)
    assert (track.values, track.start, track.step) == ((1.0, None, 3.0), 7.0, 0.1)


def test_a_long_ramp_stays_on_its_line_and_within_the_points() -> None:
    """The points of a ramp of one a second lie on it, wherever it is thinned."""
    seconds = 0.5 + 0.01 * np.arange(123_456)
    track = to_look_at("ramp", "audio", "s", seconds, 0.5, 0.01, digits=6)
    times = track.start + track.step * np.arange(len(track.values))
    assert len(track.values) <= POINTS
    assert np.array(track.values[:-1], float) == pytest.approx(times[:-1], abs=1e-5)  # the last has fewer neighbours


def test_a_median_hides_a_single_jump_and_unknown_neighbours_do_not_count() -> None:
    values = np.tile([5.0, 99.0, 5.0, np.nan], POINTS)
    track = to_look_at("pitch", "audio", "semitones", values, 0.0, 0.01, np.median)
    assert set(track.values) == {5.0}
