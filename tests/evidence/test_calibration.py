"""Calibration of opinions: per set of views, per label, what it refuses, and its way through JSON."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from emer.errors import ConfigError, OpinionError
from emer.evidence.calibrate import LEAST_ROWS, LEAST_ROWS_CURVE, calibrate
from emer.evidence.calibration import (
    Calibration,
    confidence,
    probabilities,
    probability,
    read_calibration,
    record,
    refuse_fitted_rows,
    write_calibration,
)
from emer.evidence.opinion import alpha, beta, dirichlet, vacuous
from emer.evidence.rows import row_hashes
from emer.evidence.selective import threshold_at_risk
from emer.evidence.targets import label_target
from emer.evidence.temperature import fit_temperature, tempered
from emer.types import CalibrationRecord, Opinion

MOOD = ("good", "bad", "flat")
BOTH, VOICE = ("visual", "audio"), ("audio",)


def ids(count: int, name: str = "clip") -> list[str]:
    return [f"{name}-{i}" for i in range(count)]


def drawn(count: int, temperature: float, seed: int = 0, kind: str = "dirichlet") -> tuple[list[Opinion], np.ndarray]:
    """Opinions, and labels drawn from them at a temperature: what a calibration must find."""
    rng = np.random.default_rng(seed)
    if kind == "dirichlet":
        opinions = [dirichlet("mood", MOOD, row, trained=True) for row in rng.exponential(8.0, (count, 3)) ** 1.5]
        p = tempered(np.stack([alpha(o) for o in opinions]), temperature)
        return opinions, np.eye(3)[(p.cumsum(1) < rng.random((count, 1))).sum(1).clip(max=2)]
    opinions = [beta("mood", MOOD, row, trained=True) for row in rng.exponential(8.0, (count, 6)) ** 1.5]
    holds = tempered(np.stack([alpha(o) for o in opinions]), temperature)[..., 0]
    return opinions, (rng.random(holds.shape) < holds).astype(float)


def fitted(count: int = 400, views: Sequence[str] = BOTH, **more: object) -> Calibration:
    opinions, target = drawn(count, 2.0)
    return calibrate(opinions, [views] * count, target, ids(count), data="made up", trained_rows=(), **more)  # type: ignore[arg-type]


# ---------------------------------------------------------------- sets of views


def test_each_set_of_views_finds_its_own_temperature() -> None:
    sure, unsure = drawn(3000, 1.0, seed=1), drawn(3000, 3.0, seed=2)
    calibration = calibrate(
        [*sure[0], *unsure[0]],
        [BOTH] * 3000 + [VOICE] * 3000,
        np.concatenate([sure[1], unsure[1]]),
        ids(6000),
        data="made up",
        trained_rows=(),
    )
    both, voice = calibration.of(("audio", "visual")), calibration.of(["audio"])
    assert both is not None
    assert voice is not None
    assert both.temperature[0] == pytest.approx(1.0, rel=0.1)
    assert voice.temperature[0] == pytest.approx(3.0, rel=0.1)
    assert (both.n, voice.n, calibration.n) == (3000, 3000, 6000)
    assert not both.fallback


def test_a_set_with_few_rows_takes_the_temperature_of_all_and_says_so() -> None:
    opinions, target = drawn(300, 2.0)
    few = LEAST_ROWS - 1
    calibration = calibrate(
        opinions, [VOICE] * few + [BOTH] * (300 - few), target, ids(300), data="made up", trained_rows=()
    )
    voice = calibration.of(VOICE)
    assert voice is not None
    assert voice.fallback == (f"{few} rows of at least {LEAST_ROWS}; the temperature of all 300 stands in",)
    pooled = fit_temperature(np.stack([alpha(o) for o in opinions]), target)
    assert voice.temperature == pytest.approx((pooled,))


def test_a_set_whose_rows_have_one_label_takes_the_temperature_of_all() -> None:
    opinions, target = drawn(300, 2.0)
    target[:100] = [1, 0, 0]
    calibration = calibrate(opinions, [VOICE] * 100 + [BOTH] * 200, target, ids(300), data="d", trained_rows=())
    voice = calibration.of(VOICE)
    assert voice is not None
    assert voice.fallback == (
        "rows of one label alone: nothing to tell a temperature from; that of all 300 rows stands in",
    )


def test_views_that_were_never_seen_are_out_of_domain_and_have_no_confidence() -> None:
    calibration = fitted()
    opinion = drawn(1, 1.0)[0][0]
    assert not calibration.out_of_domain(["audio", "visual"])
    assert calibration.out_of_domain(["audio"])
    assert calibration.out_of_domain([])
    assert confidence(opinion, calibration, ["audio"]) is None
    assert probability(opinion, calibration, ["audio"]) is None
    assert record(calibration, ["audio"]) is None
    assert record(calibration, BOTH) == CalibrationRecord("made up", 400, ("audio", "visual"))
    with pytest.raises(
        ConfigError, match=r"had just the views audio \(it had: audio visual\); calibrate on such clips"
    ):
        probabilities(alpha(opinion)[None], calibration, ["audio"])


# ---------------------------------------------------------------- confidence


def test_confidence_is_the_tempered_probability_of_the_best_label() -> None:
    calibration = fitted()
    opinion = dirichlet("mood", MOOD, [8, 0, 0], trained=True)
    temperature = calibration.sets[0].temperature[0]
    powers = np.array([9.0, 1, 1]) ** (1 / temperature)
    assert confidence(opinion, calibration, BOTH) == pytest.approx(powers[0] / powers.sum())
    assert probability(opinion, calibration, BOTH) == pytest.approx(powers / powers.sum())
    assert probabilities(alpha(opinion)[None], calibration, BOTH)[0] == pytest.approx(powers / powers.sum())


def test_calibrated_confidence_keeps_its_word_on_new_clips() -> None:
    """Mean confidence equals the share of right answers, within five standard errors; before, it does not."""
    calibration = fitted(1500)
    opinions, target = drawn(1500, 2.0, seed=9)
    right = np.array([target[i, int(np.argmax(o.evidence))] for i, o in enumerate(opinions)])
    told = np.array([confidence(o, calibration, BOTH) for o in opinions])
    raw = np.array([(alpha(o) / alpha(o).sum()).max() for o in opinions])
    error = right.std() / np.sqrt(len(right))
    assert told.mean() == pytest.approx(right.mean(), abs=5 * error)
    assert raw.mean() > right.mean() + 5 * error


def test_hints_absent_opinions_and_no_calibration_have_no_confidence() -> None:
    calibration = fitted()
    assert confidence(dirichlet("mood", MOOD, [1, 0, 0]), calibration, BOTH) is None
    assert confidence(vacuous("mood", MOOD), calibration, []) is None
    assert confidence(dirichlet("mood", MOOD, [1, 0, 0], trained=True), None, BOTH) is None


@pytest.mark.parametrize(
    ("other", "letter"),
    [
        (dirichlet("moods", MOOD, [1, 0, 0], trained=True), "the opinion has label_set 'moods', and the calibration"),
        (dirichlet("mood", MOOD[::-1], [1, 0, 0], trained=True), "has labels"),
        (beta("mood", MOOD, [0] * 6, trained=True), "has kind 'beta'"),
        (dirichlet("mood", MOOD, [1, 0, 0], prior_weight=0.3, trained=True), "has prior_weight 0.3"),
    ],
)
def test_opinions_over_other_labels_are_refused(other: Opinion, letter: str) -> None:
    with pytest.raises(OpinionError, match=letter):
        confidence(other, fitted(), BOTH)


# ---------------------------------------------------------------- isotonic


def test_isotonic_confidence_is_the_share_of_right_answers_in_its_stretch() -> None:
    """Two kinds of opinions: sure ones right 6 times in 10, unsure ones 4 in 10; the curve says just that."""
    sure, unsure = ([8.0, 0, 0], 6), ([2.0, 0, 0], 4)
    opinions, told = [], []
    for _ in range(20):
        for evidence, right in (sure, unsure):
            opinions += [dirichlet("mood", MOOD, evidence, trained=True)] * 10
            told += ["good"] * right + ["bad"] * (10 - right)
    calibration = calibrate(
        opinions,
        [BOTH] * 400,
        label_target(told, MOOD),
        ids(400),
        data="made up",
        trained_rows=(),
        method="isotonic",
    )
    assert confidence(opinions[0], calibration, BOTH) == pytest.approx(0.6)
    assert confidence(opinions[10], calibration, BOTH) == pytest.approx(0.4)


def test_isotonic_with_few_rows_is_the_temperature_and_says_so() -> None:
    calibration = fitted(LEAST_ROWS_CURVE - 1, method="isotonic")
    assert not calibration.sets[0].curve
    assert calibration.sets[0].fallback == (
        f"{LEAST_ROWS_CURVE - 1} rows of at least {LEAST_ROWS_CURVE} for a curve; the temperature alone is used",
    )


# ---------------------------------------------------------------- beta


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_beta_opinions_are_calibrated_label_by_label(method: str) -> None:
    opinions, target = drawn(3000, 1.0, kind="beta")
    # The third label comes true as if it had been told at temperature 4: its opinions are too sure.
    p = tempered(np.stack([alpha(o) for o in opinions]), 4.0)[:, 2, 0]
    target[:, 2] = np.random.default_rng(5).random(3000) < p
    calibration = calibrate(
        opinions,
        [BOTH] * 3000,
        target,
        ids(3000),
        data="d",
        trained_rows=(),
        method=method,  # type: ignore[arg-type]
    )
    assert calibration.sets[0].temperature == pytest.approx((1.0, 1.0, 4.0), rel=0.2)
    told = probabilities(np.stack([alpha(o) for o in opinions]), calibration, BOTH)
    assert told.mean(axis=0) == pytest.approx(target.mean(axis=0), abs=0.03)
    assert confidence(opinions[0], calibration, BOTH) == pytest.approx(told[0].max())


def test_a_label_that_is_never_there_takes_the_temperature_of_all_labels() -> None:
    opinions, target = drawn(300, 2.0, kind="beta")
    target[:, 1] = 0
    calibration = calibrate(opinions, [BOTH] * 300, target, ids(300), data="d", trained_rows=())
    alphas, both = np.stack([alpha(o) for o in opinions]), np.stack([target, 1 - target], axis=-1)
    shared = fit_temperature(alphas.reshape(-1, 2), both.reshape(-1, 2))
    assert calibration.sets[0].temperature[1] == pytest.approx(shared)
    assert calibration.sets[0].fallback == ("bad: nothing to tell a temperature from; that of all 300 rows stands in",)


# ---------------------------------------------------------------- rows that may not serve


def test_rows_seen_in_training_are_refused_with_their_number_and_the_first_few() -> None:
    opinions, target = drawn(60, 2.0)
    with pytest.raises(
        ConfigError,
        match=r"5 rows of calibration were seen in training \(clip-0, clip-1, clip-2, …\); take them out",
    ):
        calibrate(opinions, [BOTH] * 60, target, ids(60), data="d", trained_rows=row_hashes(ids(5)))


def test_rows_that_were_fitted_on_are_refused_for_scoring() -> None:
    calibration = fitted(100)
    refuse_fitted_rows(calibration, ids(100, "test"))
    with pytest.raises(ConfigError, match=r"1 row of scoring was seen in calibration \(clip-7\); take it out"):
        refuse_fitted_rows(calibration, [*ids(100, "test"), "clip-7"])


def test_rows_of_the_threshold_are_refused_for_scoring_too() -> None:
    told = np.linspace(0.1, 1, 50)
    threshold = threshold_at_risk(told, told > 0.4, ids(50, "more"), 0.1, delta=None)
    calibration = replace(fitted(100), threshold=threshold)
    with pytest.raises(ConfigError, match=r"2 rows of scoring were seen in calibration \(more-3, clip-7\)"):
        refuse_fitted_rows(calibration, ["more-3", "clip-7", "test-1"])


# ---------------------------------------------------------------- bad input


def test_rows_of_a_single_class_are_refused() -> None:
    opinions, _ = drawn(60, 2.0)
    with pytest.raises(ConfigError, match="all 60 calibration rows are 'bad'; give rows of at least two labels"):
        calibrate(opinions, [BOTH] * 60, label_target(["bad"] * 60, MOOD), ids(60), data="d", trained_rows=())


def test_beta_rows_without_any_contrast_are_refused() -> None:
    opinions, _ = drawn(60, 2.0, kind="beta")
    with pytest.raises(ConfigError, match="no label both occurs and is absent among the 60 calibration rows"):
        calibrate(opinions, [BOTH] * 60, np.tile([1.0, 0, 0], (60, 1)), ids(60), data="d", trained_rows=())


def test_vacuous_opinions_alone_are_refused_and_some_are_not() -> None:
    opinions, target = drawn(60, 2.0)
    nothing = dirichlet("mood", MOOD, [0, 0, 0], trained=True)
    with pytest.raises(OpinionError, match="all 60 opinions are vacuous"):
        calibrate([nothing] * 60, [BOTH] * 60, target, ids(60), data="d", trained_rows=())
    calibration = calibrate([*opinions[:59], nothing], [BOTH] * 60, target, ids(60), data="d", trained_rows=())
    assert confidence(nothing, calibration, BOTH) == pytest.approx(1 / 3)


def test_opinions_over_different_label_sets_are_refused() -> None:
    opinions, target = drawn(60, 2.0)
    opinions[3] = dirichlet("other", MOOD, [1, 0, 0], trained=True)
    with pytest.raises(OpinionError, match="has label_set 'mood', clip-3 has 'other': bring them to one label set"):
        calibrate(opinions, [BOTH] * 60, target, ids(60), data="d", trained_rows=())


@pytest.mark.parametrize(
    ("change", "letter"),
    [
        ({"rows": ids(59)}, "60 opinions, 60 sets of views, 60 targets and 59 row ids; give one of each"),
        ({"rows": [*ids(59), "clip-4"]}, r"1 calibration rows stand there twice \(clip-4\)"),
        ({"views": [BOTH] * 59 + [()]}, r"1 calibration rows have no view \(clip-59\)"),
        (
            {"target": np.full((60, 3), 0.5)},
            r"60 targets are no shares that sum to 1 \(first row 0: \[0.5, 0.5, 0.5\]\)",
        ),
        ({"target": np.full((60, 3), np.nan)}, "60 targets are no shares"),
        ({"target": np.ones((60, 1))}, "targets have 1 labels, and the opinions 3; map them first"),
        ({"opinions": [dirichlet("mood", MOOD, [1, 0, 0])] * 60}, "60 opinions are not trained"),
    ],
)
def test_wrong_rows_are_refused(change: dict[str, object], letter: str) -> None:
    opinions, target = drawn(60, 2.0)
    given = {"opinions": opinions, "views": [BOTH] * 60, "target": target, "rows": ids(60)} | change
    with pytest.raises((ConfigError, OpinionError), match=letter):
        calibrate(**given, data="d", trained_rows=())  # type: ignore[arg-type]


# ---------------------------------------------------------------- JSON


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_a_calibration_goes_through_json_unchanged(method: str) -> None:
    told = np.linspace(0.1, 1, 50)
    threshold = threshold_at_risk(told, told > 0.4, ids(50, "more"), 0.1, delta=None)
    calibration = replace(fitted(method=method), threshold=threshold)
    assert read_calibration(write_calibration(calibration)) == calibration


def test_foreign_and_broken_json_is_refused() -> None:
    calibration = fitted()
    with pytest.raises(ConfigError, match="this is not Calibration JSON"):
        read_calibration("{}")
    with pytest.raises(ConfigError, match=r"schema 'other/1', and this emer reads emer.calibration/1; update emer"):
        read_calibration(write_calibration(replace(calibration, schema="other/1")))
    broken = replace(calibration, sets=(replace(calibration.sets[0], temperature=(0.0,)),))
    with pytest.raises(ConfigError, match=r"views audio visual: \[0.0\] must be 1 temperatures above 0"):
        read_calibration(write_calibration(broken))
