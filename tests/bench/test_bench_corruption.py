"""Corrupted copies: what changes, what stays, and that one seed always gives the same."""

from pathlib import Path

import numpy as np
import pytest

from emer.bench.corruption import conflictive, gaussian, missing, spreads, swapped, touched
from emer.data import cremad
from emer.data.tables import FeatureTable, Kind, View
from emer.errors import ConfigError


def table(n: int = 400, kind: Kind = "single") -> FeatureTable:
    rng = np.random.default_rng(0)
    target = np.eye(3)[rng.integers(0, 3, n)] if kind == "single" else (rng.random((n, 3)) < 0.4) * 1.0
    mask = rng.random((n, 4)) < 0.8
    voice = View(("a", "b", "c", "d"), np.where(mask, rng.normal(5, [1, 2, 0, 10], (n, 4)), 0).astype(np.float32), mask)
    face = View(("e",), rng.normal(0, 3, (n, 1)).astype(np.float32), np.ones((n, 1), dtype=bool))
    return FeatureTable(
        "made", tuple(f"r{i}" for i in range(n)), ("x", "y", "z"), kind, target, {"voice": voice, "face": face}
    )


def same(one: FeatureTable, other: FeatureTable) -> bool:
    return one.sha256 == other.sha256


def test_spreads_are_numpys_over_the_measured_numbers() -> None:
    given = table()
    view = given.views["voice"]
    measured = np.where(view.mask, view.values.astype(float), np.nan)
    assert spreads(given)["voice"] == pytest.approx(np.nanstd(measured, axis=0))


def test_noise_has_the_asked_standard_deviation_and_spares_what_was_not_measured() -> None:
    given = table()
    spread = spreads(given)
    worse = gaussian(given, spread, 2.0, seed=1)
    before, after = given.views["voice"], worse.views["voice"]
    added = np.where(before.mask, after.values - before.values, np.nan)
    # The standard deviation of n = 320 numbers is known to 4 %; four of its own spreads are 16 %.
    assert np.nanstd(added, axis=0) == pytest.approx(2 * spread["voice"], rel=0.16)
    assert (after.values[~before.mask] == 0).all()
    assert np.array_equal(after.mask, before.mask)
    assert worse.rows == given.rows
    assert np.array_equal(worse.target, given.target)


def test_noise_is_the_same_from_one_seed_and_stretches_with_its_level() -> None:
    given = table()
    spread = spreads(given)
    assert same(gaussian(given, spread, 1.0, seed=1), gaussian(given, spread, 1.0, seed=1))
    assert not same(gaussian(given, spread, 1.0, seed=1), gaussian(given, spread, 1.0, seed=2))
    assert same(gaussian(given, spread, 0.0, seed=1), given)
    base = given.views["face"].values
    one, three = (gaussian(given, spread, sd, seed=1).views["face"].values - base for sd in (1.0, 3.0))
    assert three == pytest.approx(3 * one, abs=1e-4)


def test_noise_on_one_view_and_a_share_of_rows_leaves_the_others_alone() -> None:
    given = table()
    changed = touched(given, gaussian(given, spreads(given), 1.0, seed=1, views=["face"], share=0.25))
    assert changed.sum(axis=1).tolist() == [0, 100]
    more = touched(given, gaussian(given, spreads(given), 1.0, seed=1, views=["face"], share=0.5))
    assert (more[1] >= changed[1]).all()


def test_a_missing_view_is_masked_and_zero() -> None:
    given = table()
    without = missing(given, ["voice"])
    assert not without.views["voice"].mask.any()
    assert not without.views["voice"].values.any()
    assert np.array_equal(without.views["face"].values, given.views["face"].values)
    assert missing(given, ["voice"], share=0.5, seed=3).views["voice"].mask.any(axis=1).sum() == pytest.approx(
        200, abs=4
    )


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_a_swapped_view_comes_from_a_clip_with_another_label(kind: Kind) -> None:
    given = table(kind=kind)
    worse = swapped(given, "face", share=0.5, seed=2)
    changed = touched(given, worse)
    assert changed.sum(axis=1).tolist() == [0, 200]
    place = {float(value): i for i, value in enumerate(given.views["face"].values[:, 0])}
    for row in np.flatnonzero(changed[1]):
        donor = place[float(worse.views["face"].values[row, 0])]
        assert not np.array_equal(given.target[donor], given.target[row])


def test_donors_are_drawn_evenly_from_all_clips_of_other_labels() -> None:
    """Of 400 rows each is wanted about once; with every seed alike some row would be taken over and over."""
    given = table()
    taken = np.zeros(400)
    place = {float(value): i for i, value in enumerate(given.views["face"].values[:, 0])}
    for seed in range(20):
        for value in swapped(given, "face", seed=seed).views["face"].values[:, 0]:
            taken[place[float(value)]] += 1
    assert taken.sum() == 8000
    # Poisson with mean 20: the largest of 400 is beyond 45 once in 10,000 times.
    assert taken.max() < 45
    assert taken.min() > 2


def test_without_a_named_view_each_row_swaps_one_and_more_rows_follow_a_larger_share() -> None:
    given = table()
    some, all_ = (touched(given, swapped(given, share=share, seed=2)) for share in (0.4, 1.0))
    assert some.sum() == 160
    assert (all_.sum(axis=0) == 1).all()
    assert (all_ >= some).all()
    assert 150 < all_[0].sum() < 250


def test_a_table_of_one_label_has_nothing_to_swap() -> None:
    given = table().take(np.flatnonzero(table().target[:, 0] == 1))
    assert same(swapped(given, seed=0), given)


def test_conflictive_rows_follow_the_protocol() -> None:
    """Half the rows get noise, in one or both of two views (each 1/2, one at least: 5/8 of them on average)."""
    given = table()
    spread = spreads(given)
    noisy = touched(given, conflictive(given, spread, seed=4, swapped_share=0.0))
    assert noisy.any(axis=0).sum() == 200
    assert 200 < noisy.sum() < 400
    both = touched(given, conflictive(given, spread, seed=4))
    assert both.any(axis=0).sum() > 240
    assert same(conflictive(given, spread, seed=4), conflictive(given, spread, seed=4))


def test_wrong_names_and_numbers_are_refused() -> None:
    given = table()
    with pytest.raises(ConfigError, match=r"made has no view text; choose from voice, face"):
        missing(given, ["text"])
    with pytest.raises(ConfigError, match=r"share of rows is 1\.5"):
        swapped(given, share=1.5, seed=0)
    with pytest.raises(ConfigError, match=r"standard deviation of -1"):
        gaussian(given, spreads(given), -1.0, seed=0)


def test_human_votes_on_a_swapped_face_contradict_those_on_the_voice(real_data: Path) -> None:
    """Distance between the shares of votes on voice and on face, before and after."""
    given = cremad.table(real_data)
    worse = swapped(given, "face", seed=0)
    apart = [np.abs(t.views["voice"].values - t.views["face"].values).sum(1).mean() / 2 for t in (given, worse)]
    assert apart[1] > apart[0] + 0.2
