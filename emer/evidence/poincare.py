"""The Poincaré ball: points inside a sphere of radius 1/sqrt(c), distances growing without bound towards its border.

`c > 0` is the negative of the curvature; the last axis of every array is the coordinates of a point. Everything is
differentiable, with finite gradients at the origin and near the border; the border itself is never reached.

Sources: Ungar 2008, "Analytic hyperbolic geometry" (gyrovectors, midpoints); Ganea, Bécigneul & Hofmann 2018,
"Hyperbolic neural networks", section 2 (exponential map, distance).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

Points = Float[Tensor, "*points width"]

SMALLEST = 1e-15
"""Norms are not taken below this: the norm has no gradient at 0, and its square must not underflow in float32."""
BORDER = {torch.float32: 1e-3, torch.float64: 1e-7}
"""How near to the border points may come, as a share of the radius. Nearer, 1 - c|x|² loses its digits."""


def exp0(v: Points, c: float = 1.0) -> Points:
    """The point that lies at distance `2|v|` from the origin in the direction of `v`: tanh(√c|v|) v / (√c|v|).

    The tangent space at the origin has the metric 4 there, hence the 2 (Ganea et al. 2018, equation 12).
    """
    norm = math.sqrt(c) * _norm(v)
    return inside(norm.tanh() / norm * v, c)


def log0(x: Points, c: float = 1.0) -> Points:
    """The tangent vector at the origin that `exp0` maps to `x`."""
    norm = math.sqrt(c) * _norm(x)
    return norm.clamp(max=1 - _border(x)).atanh() / norm * x


def inside(x: Points, c: float = 1.0) -> Points:
    """Points on, beyond or too near to the border are drawn back towards the origin; others stay as they are."""
    largest = (1 - _border(x)) / math.sqrt(c)
    norm = _norm(x)
    return torch.where(norm > largest, x / norm * largest, x)


def add(x: Points, y: Points, c: float = 1.0) -> Points:
    """Möbius addition `x ⊕ y`. It neither commutes nor associates; `(-x) ⊕ (x ⊕ y) = y` (Ungar 2008)."""
    dot = (x * y).sum(-1, keepdim=True)
    xx, yy = _squared(x), _squared(y)
    above = (1 + 2 * c * dot + c * yy) * x + (1 - c * xx) * y
    return inside(above / (1 + 2 * c * dot + c**2 * xx * yy).clamp(min=SMALLEST), c)


def distance(
    x: Float[Tensor, "*#points width"], y: Float[Tensor, "*#points width"], c: float = 1.0
) -> Float[Tensor, "*points"]:
    """Length of the geodesic between two points, (2/√c) artanh(√c |(-x) ⊕ y|), broadcast over the leading axes.

    Computed as (2/√c) arsinh(√c|x - y| / √((1 - c|x|²)(1 - c|y|²))), which is the same number by
    sinh²(d/2) = (cosh(d) - 1) / 2, and keeps its digits where artanh nears its pole.
    """
    x, y = inside(x, c), inside(y, c)
    room = ((1 - c * _squared(x)) * (1 - c * _squared(y))).sqrt()
    return 2 / math.sqrt(c) * (math.sqrt(c) * _norm(x - y) / room).asinh().squeeze(-1)


def mean(
    x: Float[Tensor, "*batch point width"], weight: Float[Tensor, "*batch mean point"], c: float = 1.0
) -> Float[Tensor, "*batch mean width"]:
    """Weighted gyromidpoints, several over the same points: ½ ⊗ Σ w λ x / Σ w (λ - 1), with λ = 2 / (1 - c|x|²).

    Weights are from 0 up; without any weight the mean is the origin. For two points of equal weight it is the
    midpoint of their geodesic; it moves with the points under Möbius addition (Ungar 2008, chapter 6), and is the
    Einstein midpoint carried over from the Klein model.
    """
    x = inside(x, c)
    conformal = 2 / (1 - c * _squared(x))
    below = weight @ (conformal - 1)
    twice = (weight * conformal.transpose(-1, -2)) @ x / below.clamp(min=SMALLEST)
    # ½ ⊗ y = y / (1 + √(1 - c|y|²)): half the way from the origin to y.
    half = twice / (1 + (1 - c * _squared(twice)).clamp(min=0).sqrt())
    return inside(half, c)


def _squared(x: Points) -> Float[Tensor, "*points one=1"]:
    return x.square().sum(-1, keepdim=True)


def _norm(x: Points) -> Float[Tensor, "*points one=1"]:
    return _squared(x).clamp(min=SMALLEST**2).sqrt()


def _border(x: Points) -> float:
    return BORDER.get(x.dtype, BORDER[torch.float32])
