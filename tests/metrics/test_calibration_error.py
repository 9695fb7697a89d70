"""Calibration against torchmetrics, torch-uncertainty, row-by-row simulation and closed forms."""

import numpy as np
import pytest
from oracles import torch_uncertainty
from torchmetrics.functional.classification.calibration_error import _ce_compute

from emer.metrics import calibration_error as ce
from emer.metrics.calibration_error import Binning
from emer.metrics.errors import MetricError

BINNINGS: list[Binning] = ["mass", "width"]


def rows(rng: np.random.Generator, n: int = 500, shift: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Overconfident by `shift`."""
    confidence = rng.uniform(0.2, 0.999, n)
    return confidence, (rng.random(n) < confidence - shift).astype(float)


def theirs_by_width(confidence: np.ndarray, right: np.ndarray, bins: int, norm: str, debias: bool) -> float:
    torch = pytest.importorskip("torch")
    return float(_ce_compute(torch.tensor(confidence), torch.tensor(right), bins, norm, debias))


def theirs_by_mass(confidence: np.ndarray, right: np.ndarray, bins: int, norm: str, debias: bool) -> float:
    torch = pytest.importorskip("torch")
    module = torch_uncertainty("classification/calibration/adaptive_calibration_error")
    return float(module._ace_compute(torch.tensor(confidence), torch.tensor(right), bins, norm, debias))


# ---------------------------------------------------------------- other libraries


@pytest.mark.parametrize("bins", [1, 10, 15, 37])
def test_equal_width_ece_equals_torchmetrics(bins: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        confidence, right = rows(rng)
        expected = theirs_by_width(confidence, right, bins, "l1", debias=False)
        assert ce.ece(confidence, right, bins=bins, binning="width") == pytest.approx(expected)


@pytest.mark.parametrize("bins", [1, 10, 15, 37])
def test_equal_mass_ece_equals_torch_uncertaintys_adaptive_error(bins: int) -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        confidence, right = rows(rng)
        expected = theirs_by_mass(confidence, right, bins, "l1", debias=False)
        assert ce.ece(confidence, right, bins=bins) == pytest.approx(expected)


def test_debiased_ece_equals_both_libraries() -> None:
    """Theirs is Kumar et al.'s formula for yes-or-no answers, y (1 - y) / (n - 1) taken off each bin."""
    rng = np.random.default_rng(2)
    for _ in range(5):
        confidence, right = rows(rng)
        assert ce.debiased_ece(confidence, right, binning="width") == pytest.approx(
            theirs_by_width(confidence, right, 15, "l2", debias=True)
        )
        assert ce.debiased_ece(confidence, right) == pytest.approx(
            theirs_by_mass(confidence, right, 15, "l2", debias=True)
        )


def test_a_confidence_of_one_falls_into_the_last_bin() -> None:
    """torchmetrics opens a bin of its own for it, which parts rows of .99 from rows of 1."""
    confidence, right = np.array([0.95, 1.0]), np.array([1, 0])
    assert ce.bin_numbers(confidence, 10, "width").tolist() == [9, 9]
    assert ce.ece(confidence, right, bins=10, binning="width") == pytest.approx(0.475)


# ---------------------------------------------------------------- order, ties


@pytest.mark.parametrize("binning", BINNINGS)
def test_the_order_of_tied_rows_does_not_matter(binning: Binning) -> None:
    rng = np.random.default_rng(3)
    confidence = rng.integers(1, 10, 100) / 10
    right = (rng.random(100) < confidence).astype(float)
    for _ in range(10):
        order = rng.permutation(100)
        for score in (ce.ece, ce.debiased_ece):
            assert score(confidence[order], right[order], binning=binning) == pytest.approx(
                score(confidence, right, binning=binning), abs=1e-14
            )


def test_equal_mass_bins_never_part_a_tie() -> None:
    confidence = np.repeat([0.2, 0.5, 0.9], [3, 50, 2])
    numbers = ce.bin_numbers(confidence, 5, "mass")
    assert all(len(set(numbers[confidence == value])) == 1 for value in (0.2, 0.5, 0.9))


def test_a_tie_goes_where_its_middle_row_falls() -> None:
    """Ten rows in two bins of five; the tie holds places 4 to 9, and its middle, 6.5, lies in the second bin."""
    confidence = np.append(np.arange(4) / 10, np.full(6, 0.8))
    assert ce.bin_numbers(confidence, 2, "mass").tolist() == [0] * 4 + [1] * 6


def test_a_confidence_on_the_border_of_two_equal_widths_belongs_to_the_upper_one() -> None:
    assert ce.bin_numbers(np.array([0.0, 0.49, 0.5, 1.0]), 2, "width").tolist() == [0, 0, 1, 1]


def test_equal_mass_bins_of_untied_rows_differ_by_one_row_at_most() -> None:
    numbers = ce.bin_numbers(np.random.default_rng(4).random(107), 10, "mass")
    assert sorted(np.bincount(numbers)) == [10] * 3 + [11] * 7


# ---------------------------------------------------------------- shares of people


def test_a_share_of_people_is_as_right_as_that_many_copies_of_a_row() -> None:
    """Confidence .6 where 7 of 10 people agree: the same as ten rows, seven of them right."""
    share = ce.ece(np.array([0.6, 0.9]), np.array([0.7, 0.5]), bins=2)
    copies = ce.ece(np.repeat([0.6, 0.9], 10), np.repeat([1, 0, 1, 0], [7, 3, 5, 5]), bins=2)
    assert share == pytest.approx(copies) == pytest.approx((0.1 + 0.4) / 2)


def test_shares_are_debiased_by_their_own_variance() -> None:
    """A constant gap of .2 between mean share and confidence; taken off is numpy's variance of the mean."""
    rng = np.random.default_rng(5)
    share = rng.uniform(0.3, 0.9, 40)
    confidence = np.full(40, share.mean() - 0.2)
    expected = np.sqrt(0.04 - share.var(ddof=1) / 40)
    assert ce.debiased_ece(confidence, share, bins=1) == pytest.approx(expected)


# ---------------------------------------------------------------- debiasing


def test_the_debiased_square_is_right_on_average_where_the_plain_one_is_not() -> None:
    """One bin of 20 rows at .8, right with probability .7: truly .01; the plain square is .01 + .21/20 on average."""
    rng = np.random.default_rng(6)
    confidence = np.full(20, 0.8)
    plain, debiased = [], []
    for _ in range(4000):
        right = (rng.random(20) < 0.7).astype(float)
        table = ce.reliability(confidence, right, bins=1)
        plain.append((table.right[0] - 0.8) ** 2)
        debiased.append((table.right[0] - 0.8) ** 2 - table.variance[0])
    assert np.mean(debiased) == pytest.approx(0.01, abs=0.001)
    assert np.mean(plain) == pytest.approx(0.0205, abs=0.001)


# ---------------------------------------------------------------- the band


@pytest.mark.parametrize("binning", BINNINGS)
def test_the_band_equals_a_simulation_row_by_row(binning: Binning) -> None:
    """Each row drawn by itself, each ECE computed by the tested function above; 600 draws fix a mean to about 1 %."""
    rng = np.random.default_rng(7)
    confidence = rng.beta(4, 2, 400)
    drawn = [ce.ece(confidence, (rng.random(400) < confidence).astype(float), binning=binning) for _ in range(600)]
    band = ce.perfect_band(confidence, binning=binning)
    assert band.mean == pytest.approx(np.mean(drawn), rel=0.03)
    assert band.upper == pytest.approx(np.quantile(drawn, 0.95), rel=0.05)


def test_the_band_equals_its_closed_form_for_many_rows_of_one_confidence() -> None:
    """One bin of n rows at c: |normal| with sd sqrt(c (1 - c) / n), mean sd sqrt(2 / pi), 95 % quantile 1.95996 sd."""
    n, c = 10_000, 0.7
    sd = np.sqrt(c * (1 - c) / n)
    band = ce.perfect_band(np.full(n, c), simulations=20_000)
    assert band.mean == pytest.approx(sd * np.sqrt(2 / np.pi), rel=0.02)
    assert band.upper == pytest.approx(1.95996 * sd, rel=0.02)


@pytest.mark.parametrize(("n", "noted"), [(240, 0.083), (752, 0.044), (1622, 0.032)])
def test_the_floor_of_ece_at_the_sizes_of_real_test_sets(n: int, noted: float) -> None:
    """The design notes' figures for 15 equal-mass bins; confidences over .45 to 1 have them within a fifth."""
    confidence = np.random.default_rng(8).uniform(0.45, 1.0, n)
    assert ce.perfect_band(confidence).mean == pytest.approx(noted, rel=0.2)


def test_a_calibrated_system_is_inside_its_band_nineteen_times_of_twenty() -> None:
    """400 calibrated systems: the number outside is binomial (400, .05), so 8 to 35 with probability .998."""
    rng = np.random.default_rng(9)
    outside = 0
    for seed in range(400):
        confidence = rng.beta(5, 2, 200)
        band = ce.perfect_band(confidence, simulations=400, seed=seed)
        outside += ce.ece(confidence, (rng.random(200) < confidence).astype(float)) > band.upper
    assert 8 <= outside <= 35


def test_the_band_is_the_same_for_the_same_seed_and_order_free() -> None:
    confidence = np.random.default_rng(10).random(300)
    assert ce.perfect_band(confidence, seed=3) == ce.perfect_band(confidence[::-1].copy(), seed=3)
    assert ce.perfect_band(confidence, seed=3) != ce.perfect_band(confidence, seed=4)


def test_certain_confidences_have_no_band() -> None:
    band = ce.perfect_band(np.array([0.0, 1.0, 1.0]))
    assert (band.mean, band.upper, band.n) == (0.0, 0.0, 3)


# ---------------------------------------------------------------- bad input


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize(
    ("confidence", "right", "settings", "message"),
    [
        ([0.5], [1, 0], {}, "confidence has 1, right has 2"),
        ([], [], {}, "confidence is empty"),
        ([0.5, np.nan], [1, 0], {}, "confidence is nan in row 1"),
        ([1.01], [1], {}, r"confidence is 1.01 in row 0: outside \[0, 1\]"),
        ([0.5], [-1], {}, r"right is -1 in row 0: outside \[0, 1\]"),
        ([0.5], [1], {"bins": 0}, "bins is 0; it must be 1 or more"),
        ([0.5], [1], {"binning": "size"}, "no binning 'size'; choose one of mass, width"),
    ],
)
def test_what_has_no_calibration_is_refused_with_its_reason(
    confidence: list, right: list, settings: dict, message: str
) -> None:
    for score in (ce.ece, ce.debiased_ece, ce.reliability):
        with pytest.raises(MetricError, match=message):
            score(confidence, right, **settings)


def test_a_band_without_simulations_is_refused() -> None:
    with pytest.raises(MetricError, match="simulations is 0"):
        ce.perfect_band(np.array([0.5]), simulations=0)
    with pytest.raises(MetricError, match="level is 95"):
        ce.perfect_band(np.array([0.5]), level=95)
