"""Opinions against closed forms and against torch.distributions."""

import math
from dataclasses import replace

import numpy as np
import pytest

from emer import jsonio
from emer.errors import OpinionError
from emer.evidence import dirichlet as arithmetic
from emer.evidence import opinion as op
from emer.types import Opinion

MOOD = ("good", "bad", "flat")


def test_an_opinion_without_evidence_is_its_base_rate() -> None:
    o = op.dirichlet("mood", MOOD, [0, 0, 0], base_rate=[0.5, 0.25, 0.25])
    assert op.uncertainty(o) == 1.0
    assert op.probability(o).tolist() == [0.5, 0.25, 0.25]
    assert op.belief(o).tolist() == [0.0, 0.0, 0.0]


def test_a_dirichlet_opinion_by_hand() -> None:
    """e = (4, 1, 0), W = K = 3: alpha = (5, 2, 1), S = 8."""
    o = op.dirichlet("mood", MOOD, [4, 1, 0])
    assert op.alpha(o) == pytest.approx([5, 2, 1])
    assert op.strength(o) == 8.0
    assert op.belief(o).tolist() == [0.5, 0.125, 0.0]
    assert op.uncertainty(o) == 0.375
    assert op.probability(o) == pytest.approx([5 / 8, 2 / 8, 1 / 8])


def test_a_smaller_prior_weight_makes_the_same_evidence_surer() -> None:
    """R-EDL's W = .1 K: u = .3 / 5.3."""
    assert op.uncertainty(op.dirichlet("mood", MOOD, [4, 1, 0], prior_weight=0.3)) == pytest.approx(0.3 / 5.3)


def test_a_beta_opinion_is_one_binomial_opinion_per_label() -> None:
    """(3, 1) with W = 2, a = .2: alpha = (3.4, 2.6), u = 2/6; (0, 0) with a = .5: u = 1."""
    o = op.beta("moods", ["good", "tired"], [[3, 1], [0, 0]], base_rate=[0.2, 0.5])
    assert o.evidence == (3.0, 1.0, 0.0, 0.0)
    assert op.alpha(o) == pytest.approx(np.array([[3.4, 2.6], [1.0, 1.0]]))
    assert op.uncertainty(o) == pytest.approx([1 / 3, 1])
    assert op.probability(o) == pytest.approx([3.4 / 6, 0.5])
    assert op.belief(o) == pytest.approx(np.array([[0.5, 1 / 6], [0, 0]]))


def test_dirichlet_probability_and_variance_agree_with_torch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for _ in range(50):
        k = int(rng.integers(2, 9))
        o = op.dirichlet(
            "set",
            [f"l{i}" for i in range(k)],
            rng.exponential(10.0, k),
            prior_weight=float(rng.uniform(0.1, 10)),
            base_rate=rng.dirichlet(np.full(k, 5.0)).tolist(),
        )
        oracle = torch.distributions.Dirichlet(torch.tensor(op.alpha(o)))
        assert op.probability(o) == pytest.approx(oracle.mean.numpy(), rel=1e-9)
        assert op.variance(o) == pytest.approx(oracle.variance.numpy(), rel=1e-9)


def test_beta_probability_and_variance_agree_with_torch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    for _ in range(50):
        o = op.beta("set", ["a", "b", "c"], rng.exponential(5.0, (3, 2)), base_rate=rng.uniform(0.05, 0.95, 3).tolist())
        a = torch.tensor(op.alpha(o))
        oracle = torch.distributions.Beta(a[:, 0], a[:, 1])
        assert op.probability(o) == pytest.approx(oracle.mean.numpy(), rel=1e-9)
        assert op.variance(o) == pytest.approx(oracle.variance.numpy(), rel=1e-9)


def test_belief_and_uncertainty_add_to_one() -> None:
    rng = np.random.default_rng(2)
    for _ in range(100):
        o = op.dirichlet("mood", MOOD, rng.exponential(10.0 ** rng.integers(-6, 6), 3))
        assert op.belief(o).sum() + op.uncertainty(o) == pytest.approx(1.0)
        assert op.probability(o).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["dirichlet", "beta"])
def test_belief_and_uncertainty_lead_back_to_the_evidence(kind: str) -> None:
    rng = np.random.default_rng(3)
    make = op.dirichlet if kind == "dirichlet" else op.beta
    for _ in range(20):
        o = make("mood", MOOD, rng.exponential(3.0, 3 if kind == "dirichlet" else 6), prior_weight=1.5)
        back = op.from_belief("mood", MOOD, op.belief(o), op.uncertainty(o), o.kind, prior_weight=1.5)
        assert back.evidence == pytest.approx(o.evidence)


def test_everything_is_finite_at_the_edges() -> None:
    for e in ([0, 0, 0], [1e12, 0, 0], [1e12, 1e12, 1e12], [1e100, 1e100, 1e100], [1e-300, 0, 0]):
        o = op.dirichlet("mood", MOOD, e)
        numbers = [*op.alpha(o), *op.belief(o), *op.probability(o), *op.variance(o), op.uncertainty(o), op.strength(o)]
        assert np.all(np.isfinite(numbers))
        assert 0 < op.uncertainty(o) <= 1


def test_a_vacuous_opinion_is_absent_and_knows_nothing() -> None:
    assert op.vacuous("mood", MOOD) == replace(op.dirichlet("mood", MOOD, [0, 0, 0]), present=False)
    assert np.asarray(op.uncertainty(op.vacuous("mood", MOOD, kind="beta"))).tolist() == [1.0, 1.0, 1.0]


def test_a_batch_gives_the_same_numbers_as_one_opinion_after_the_other() -> None:
    rng = np.random.default_rng(4)
    batch = rng.exponential(2.0, (5, 4, 3))
    rate = np.full(3, 1 / 3)
    p = arithmetic.probability(batch, rate, 3.0)
    u = arithmetic.uncertainty(batch, 3.0)
    one = op.dirichlet("mood", MOOD, batch[2, 1])
    assert p[2, 1] == pytest.approx(op.probability(one))
    assert u[2, 1] == pytest.approx(op.uncertainty(one))


def test_an_opinion_goes_to_json_and_back_unchanged() -> None:
    o = op.dirichlet("mood", MOOD, np.array([0.1, 2, 3]), trained=True)
    assert jsonio.loads(jsonio.dumps(o), Opinion) == o


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("change", "letter"),
    [
        ({"evidence": (1.0, -0.5, 0.0)}, "evidence 'bad' is -0.5; give a number from 0 to 1e+100"),
        ({"evidence": (1.0, math.nan, 0.0)}, "evidence 'bad' is nan; give a number from 0 to 1e+100"),
        ({"evidence": (1.0, math.inf, 0.0)}, "evidence 'bad' is inf; give a number from 0 to 1e+100"),
        ({"evidence": (1.0,)}, "1 numbers of evidence for 3 labels; a dirichlet opinion takes 3"),
        ({"kind": "beta"}, "3 numbers of evidence for 3 labels; a beta opinion takes 6"),
        ({"prior_weight": 0.0}, "prior weight is 0; give a number above 0 (between 1e-06 and 1e+06)"),
        ({"prior_weight": math.nan}, "prior weight is nan; give a number above 0 (between 1e-06 and 1e+06)"),
        ({"base_rate": (0.5, 0.5)}, "2 base rates for 3 labels; give one per label"),
        ({"base_rate": (0.5, 0.25, 0.5)}, "base rates sum to 1.25; they must sum to 1"),
        (
            {"base_rate": (0.5, 0.5, 0.0)},
            "base rates [0.5, 0.5, 0.0] must lie between 0 and 1, both excluded",
        ),
        ({"present": False}, "a view that is not present has evidence; make it with vacuous()"),
        (
            {"labels": ("good", "bad", "bad")},
            "labels ['good', 'bad', 'bad'] must differ from each other and be at least two (beta: one)",
        ),
    ],
)
def test_a_wrong_opinion_is_refused_in_one_line(change: dict, letter: str) -> None:
    wrong = replace(op.dirichlet("mood", MOOD, [1, 1, 1]), **change)
    with pytest.raises(OpinionError) as caught:
        op.checked(wrong)
    assert str(caught.value) == f"opinion over mood: {letter}"


def test_all_mistakes_of_an_opinion_are_told_at_once() -> None:
    with pytest.raises(OpinionError) as caught:
        op.dirichlet("mood", MOOD, [-1, 0, 0], prior_weight=-1.0, base_rate=[0.9, 0.9, 0.9])
    for part in ("evidence 'good'", "prior weight", "base rates sum to 2.7"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_against_is_named_when_the_evidence_of_a_beta_opinion_is_wrong() -> None:
    with pytest.raises(OpinionError, match="evidence 'against tired' is -2"):
        op.beta("moods", ["good", "tired"], [1, 1, 1, -2])


@pytest.mark.parametrize(
    ("belief", "uncertainty"), [([0.5, 0.1, 0.1], 0.5), ([0.5, 0.5, 0.0], 0.0), ([-0.5, 0.5, 0.5], 0.5)]
)
def test_belief_and_uncertainty_that_do_not_add_up_are_refused(belief: list[float], uncertainty: float) -> None:
    with pytest.raises(OpinionError, match="must add to 1"):
        op.from_belief("mood", MOOD, belief, uncertainty)


def test_belief_of_a_wrong_shape_is_refused() -> None:
    with pytest.raises(OpinionError, match="belief of shape"):
        op.from_belief("mood", MOOD, [0.25, 0.25, 0.25], [0.25])
