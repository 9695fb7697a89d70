"""The Poincaré ball against geoopt, mpmath (the definitions with fifty digits) and what geometry itself demands.

geoopt holds points 1e-5 off the border and artanh off its pole, so it is asked up to .99 of the radius only.
"""

import math
import warnings
from typing import Any

import mpmath
import pytest
import torch
from torch import Tensor

from emer.evidence import poincare

torch.set_num_threads(1)
CURVATURES = [0.3, 1.0, 2.5]


@pytest.fixture(scope="module")
def geoopt() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses torch.jit.script, which torch deprecates
        return pytest.importorskip("geoopt", reason="geoopt is not installed")


def ball_of(geoopt: Any, c: float) -> Any:
    return geoopt.PoincareBall(c=torch.tensor(c, dtype=torch.float64))


def some_points(c: float, rows: int = 200, width: int = 5, nearest: float = 1e-2) -> Tensor:
    """Points from the origin to within `nearest` of the border (as a share of the radius), in all directions."""
    generator = torch.Generator().manual_seed(3)
    direction = torch.randn(rows, width, generator=generator, dtype=torch.float64)
    gap = torch.logspace(math.log10(nearest), 0, rows, dtype=torch.float64)[torch.randperm(rows, generator=generator)]
    return torch.nn.functional.normalize(direction, dim=-1) * (1 - gap)[:, None] / math.sqrt(c)


def exact_distance(x: Tensor, y: Tensor, c: float) -> float:
    """(2/√c) artanh(√c |(-x) ⊕ y|) with fifty digits, from the definition of Möbius addition (Ganea et al. 2018)."""
    with mpmath.workdps(50):
        c = mpmath.mpf(c)
        a, b = ([mpmath.mpf(v) for v in point.tolist()] for point in (-x, y))
        dot, aa, bb = (mpmath.fdot(p, q) for p, q in ((a, b), (a, a), (b, b)))
        below = 1 + 2 * c * dot + c**2 * aa * bb
        added = [((1 + 2 * c * dot + c * bb) * p + (1 - c * aa) * q) / below for p, q in zip(a, b, strict=True)]
        return float(2 / mpmath.sqrt(c) * mpmath.atanh(mpmath.sqrt(c * mpmath.fdot(added, added))))


@pytest.mark.parametrize("c", CURVATURES)
def test_maps_to_and_from_the_tangent_space_are_those_of_geoopt(geoopt: Any, c: float) -> None:
    ball = ball_of(geoopt, c)
    v = torch.randn(200, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64) / 2
    torch.testing.assert_close(poincare.exp0(v, c), ball.expmap0(v))
    x = some_points(c)
    torch.testing.assert_close(poincare.log0(x, c), ball.logmap0(x))


@pytest.mark.parametrize("c", CURVATURES)
def test_addition_and_distance_are_those_of_geoopt(geoopt: Any, c: float) -> None:
    ball = ball_of(geoopt, c)
    x = some_points(c)
    y = x.flip(0)
    torch.testing.assert_close(poincare.add(x, y, c), ball.mobius_add(x, y, project=False))
    torch.testing.assert_close(poincare.distance(x, y, c), ball.dist(x, y), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("c", CURVATURES)
def test_means_are_the_weighted_midpoints_of_geoopt(geoopt: Any, c: float) -> None:
    ball = ball_of(geoopt, c)
    x = some_points(c, rows=30)
    weight = torch.rand(3, 30, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    theirs = torch.stack([ball.weighted_midpoint(x, row, reducedim=[0]) for row in weight])
    torch.testing.assert_close(poincare.mean(x, weight, c), theirs, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("c", CURVATURES)
def test_gradients_of_the_distance_are_those_of_geoopt(geoopt: Any, c: float) -> None:
    ours, theirs = (some_points(c).requires_grad_() for _ in range(2))
    poincare.distance(ours, ours.detach().flip(0), c).sum().backward()
    ball_of(geoopt, c).dist(theirs, theirs.detach().flip(0)).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("c", CURVATURES)
def test_distances_near_the_border_are_those_of_the_definition(c: float) -> None:
    x = some_points(c, rows=40, nearest=1e-5)
    y = x.flip(0)
    exact = torch.tensor([exact_distance(a, b, c) for a, b in zip(x, y, strict=True)], dtype=torch.float64)
    assert exact.max() * math.sqrt(c) > 12
    torch.testing.assert_close(poincare.distance(x, y, c), exact, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("c", CURVATURES)
def test_a_tangent_vector_reaches_twice_its_length_and_comes_back(c: float) -> None:
    v = torch.tensor([[0.3, 0.4], [-1.2, 0.9]], dtype=torch.float64)
    x = poincare.exp0(v, c)
    torch.testing.assert_close(poincare.distance(x, torch.zeros_like(x), c), 2 * v.norm(dim=-1))
    torch.testing.assert_close(poincare.log0(x, c), v)


def test_the_mean_of_two_points_is_the_midpoint_of_their_geodesic() -> None:
    x, y = torch.tensor([[0.7, 0.1], [-0.2, 0.6]], dtype=torch.float64)
    middle = poincare.mean(torch.stack([x, y]), torch.ones(1, 2, dtype=torch.float64))[0]
    half = poincare.distance(x, y) / 2
    torch.testing.assert_close(poincare.distance(x, middle), half)
    torch.testing.assert_close(poincare.distance(y, middle), half)


def test_the_mean_moves_with_its_points() -> None:
    x, by = some_points(1.0, rows=12) * 0.9, torch.tensor([0.3, -0.2, 0.1, 0.4, 0.0], dtype=torch.float64)
    weight = torch.rand(1, 12, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    moved = poincare.mean(poincare.add(by.expand_as(x), x), weight)
    torch.testing.assert_close(moved, poincare.add(by[None], poincare.mean(x, weight)))


def test_adding_a_point_and_its_opposite_changes_nothing() -> None:
    x, y = some_points(1.0) * 0.95, some_points(1.0).flip(0) * 0.95
    torch.testing.assert_close(poincare.add(-x, poincare.add(x, y)), y)


def test_a_mean_without_any_weight_is_the_origin() -> None:
    assert poincare.mean(some_points(1.0, rows=4), torch.zeros(1, 4, dtype=torch.float64)).abs().max() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("c", CURVATURES)
def test_points_stay_inside_and_gradients_finite_at_the_origin_and_at_the_border(c: float, dtype: torch.dtype) -> None:
    lengths = torch.tensor([0.0, 1e-20, 1e-6, 1.0, 5.0, 50.0, 1e6], dtype=dtype)
    v = (lengths[:, None] * torch.tensor([0.6, -0.8], dtype=dtype)).requires_grad_()
    x = poincare.exp0(v, c)
    assert (x.norm(dim=-1) * math.sqrt(c) < 1).all()
    apart = poincare.distance(x[:, None], x[None], c)
    total = apart.sum() + poincare.log0(x, c).sum() + poincare.mean(x, torch.ones(1, 7, dtype=dtype), c).sum()
    total = total + poincare.add(x, x.flip(0), c).sum()
    total.backward()
    assert apart.isfinite().all()
    assert apart.detach().diagonal().max().item() == pytest.approx(0, abs=1e-7)
    assert v.grad is not None
    assert v.grad.isfinite().all()


def test_points_beyond_the_border_are_drawn_back_and_others_are_not_touched() -> None:
    x = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    drawn = poincare.inside(x)
    torch.testing.assert_close(drawn[0], torch.tensor([0.6, 0.8]) * (1 - 1e-3))
    assert torch.equal(drawn[1], x[1])


def test_small_distances_keep_their_digits_in_single_precision_near_the_border() -> None:
    x, y = torch.tensor([[0.99, 0.0], [0.99, 1e-4]])
    assert poincare.distance(x, y).item() == pytest.approx(exact_distance(x, y, 1.0), rel=1e-4)
