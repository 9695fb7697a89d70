"""Predictions on disk and in memory; conflict against `emer.evidence.conflict`, opinion by opinion."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from made_predictions import LABELS, made

from emer.bench.predictions import JOINT, Predictions, conflict_degrees, joined, read, write
from emer.errors import ConfigError
from emer.evidence import heads
from emer.evidence import opinion as op
from emer.evidence.conflict import conflict

KINDS = ("dirichlet", "beta")


def opinion(p: Predictions, view: int, row: int) -> op.Opinion:
    """The same opinion as a value of `emer.types`, vacuous where the view is absent."""
    here = bool(p.present[view, row])
    evidence = p.alpha[view, row] - p.prior if here else np.zeros_like(p.prior)
    make = op.beta if p.kind == "beta" else op.dirichlet
    return replace(make("mood", LABELS, evidence, trained=True), present=here)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_written_is_read_back_unchanged(kind: str, tmp_path: Path) -> None:
    for p in (made(7, 1, kind=kind), replace(made(7, 1, kind=kind), prior=None, speakers=None, disagree=None)):
        write(p, tmp_path / "p.npz")
        back = read(tmp_path / "p.npz")
        for field in fields(p):
            ours, theirs = getattr(p, field.name), getattr(back, field.name)
            same = ours is theirs is None or np.array_equal(np.asarray(ours), np.asarray(theirs))
            assert same, field.name


def test_a_method_without_views_of_its_own_is_kept_too(tmp_path: Path) -> None:
    p = replace(made(5, 0), views=(), alpha=np.zeros((0, 5, 3)), present=np.zeros((0, 5), dtype=bool))
    write(p, tmp_path / "p.npz")
    assert read(tmp_path / "p.npz").views == ()
    assert np.isnan(p.conflict).all()


def test_pickles_and_other_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "pickled.npz", rows=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ConfigError, match="pickled Python objects"):
        read(tmp_path / "pickled.npz")
    np.savez(tmp_path / "other.npz", rows=np.array(["a"]))
    with pytest.raises(ConfigError, match="holds no predictions; these arrays are missing: labels; kind"):
        read(tmp_path / "other.npz")
    with pytest.raises(ConfigError, match="there is no file"):
        read(tmp_path / "nothing.npz")


def test_parts_that_do_not_fit_are_all_named_at_once() -> None:
    p = made(4, 0)
    with pytest.raises(ConfigError, match=r"row ids come more than once \(a\).*target has the shape \(4, 2\)"):
        replace(p, rows=("a", "a", "b", "c"), target=np.ones((4, 2)))
    with pytest.raises(ConfigError, match=r"1 fused alphas are not above 0 and finite \(rows clip0002\)"):
        replace(p, fused=np.where(np.arange(4)[:, None] == 2, np.nan, p.fused))
    with pytest.raises(ConfigError, match="targets do not sum to 1"):
        replace(p, target=p.target * 2)


@pytest.mark.parametrize("kind", KINDS)
def test_conflict_of_a_table_is_that_of_its_opinions_one_by_one(kind: str) -> None:
    """Oracle: `emer.evidence.conflict.conflict`."""
    p = made(40, 3, kind=kind)
    alpha = np.concatenate([p.alpha, p.alpha[:1, ::-1]])
    present = np.random.default_rng(0).random((3, 40)) < 0.7
    p = replace(p, views=("voice", "face", "text"), alpha=np.where(_wide(present, alpha), alpha, 0.0), present=present)
    found = p.conflict
    for row in range(40):
        told = conflict({view: opinion(p, i, row) for i, view in enumerate(p.views)}).degree
        assert np.isnan(found[row]) if told is None else found[row] == pytest.approx(told)
    assert np.isnan(found).any()
    assert not np.isnan(found).all()


def _wide(present: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return present.reshape(*present.shape, *[1] * (alpha.ndim - 2))


def test_the_joint_view_contradicts_nobody() -> None:
    assert JOINT == heads.JOINT
    p = replace(made(9, 0), views=("voice", JOINT))
    assert np.isnan(p.conflict).all()


def test_without_evidence_conflict_is_the_distance_of_two_distributions() -> None:
    """Total variation of (.8, .2) and (.3, .7) is .5."""
    alpha = np.array([[[0.8, 0.2]], [[0.3, 0.7]]])
    assert conflict_degrees(alpha, np.ones((2, 1), dtype=bool), None, "dirichlet") == pytest.approx([0.5])


@pytest.mark.parametrize("kind", KINDS)
def test_uncertainty_and_probability_are_those_of_the_opinion(kind: str) -> None:
    p = made(5, 2, kind=kind)
    for row in range(5):
        one = opinion(replace(p, alpha=p.fused[None], views=("all",), present=p.present[:1]), 0, row)
        assert p.probability[row] == pytest.approx(op.probability(one))
        assert p.uncertainty[row] == pytest.approx(np.mean(op.uncertainty(one)))


def test_folds_are_joined_row_by_row() -> None:
    whole = made(10, 5)
    both = joined([whole.take(range(4)), whole.take(range(4, 10))])
    assert both.rows == whole.rows
    assert both.speakers == whole.speakers
    assert np.array_equal(both.alpha, whole.alpha)
    assert np.array_equal(both.disagree, whole.disagree)
    with pytest.raises(ConfigError, match="folds differ in views"):
        joined([whole.take([0]), replace(whole.take([1]), views=("voice", "text"))])
