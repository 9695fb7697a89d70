"""One opinion: made, checked, and read (`emer.types.Opinion` holds it).

Two kinds. A **dirichlet** opinion spreads its evidence over labels of which one is right. A **beta** opinion
holds an opinion of its own for each label: evidence for and against, label by label, and one base rate a label
(that of "for"). The arithmetic is in `emer.evidence.dirichlet`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from emer.errors import OpinionError
from emer.evidence import dirichlet as arithmetic
from emer.types import Opinion

Kind = Literal["dirichlet", "beta"]
Numbers = Sequence[float | int] | Sequence[Sequence[float | int]] | np.ndarray
PerOutcome = Float[np.ndarray, "label"] | Float[np.ndarray, "label two=2"]
PRIOR_WEIGHTS = (1e-6, 1e6)
"""A prior weight is between these; far outside, evidence or prior would no longer count."""


# ---------------------------------------------------------------- making


def dirichlet(
    label_set: str,
    labels: Sequence[str],
    evidence: Numbers,
    *,
    prior_weight: float | None = None,
    base_rate: Sequence[float] | None = None,
    trained: bool = False,
) -> Opinion:
    """An opinion on which one label is right: one number of evidence per label.

    Without more, the prior weight is the number of labels and the base rate is even, so that alpha = e + 1.
    Raises OpinionError.

    >>> o = dirichlet("mood", ["good", "bad"], [6, 0])
    >>> belief(o).tolist(), uncertainty(o), probability(o).tolist()
    ([0.75, 0.0], 0.25, [0.875, 0.125])
    """
    return _made("dirichlet", label_set, labels, evidence, prior_weight, base_rate, trained)


def beta(
    label_set: str,
    labels: Sequence[str],
    evidence: Numbers,
    *,
    prior_weight: float | None = None,
    base_rate: Sequence[float] | None = None,
    trained: bool = False,
) -> Opinion:
    """An opinion for each label by itself: (for, against) per label, flat or of shape "label 2".

    Without more, the prior weight is 2 and every base rate is a half. Raises OpinionError.

    >>> o = beta("moods", ["good", "tired"], [[6, 0], [0, 2]])
    >>> probability(o).tolist(), uncertainty(o).tolist()
    ([0.875, 0.25], [0.25, 0.5])
    """
    return _made("beta", label_set, labels, evidence, prior_weight, base_rate, trained)


def vacuous(
    label_set: str,
    labels: Sequence[str],
    kind: Kind = "dirichlet",
    prior_weight: float | None = None,
    base_rate: Sequence[float] | None = None,
) -> Opinion:
    """The opinion of a view that is not there: no evidence, uncertainty 1, `present` False.

    >>> uncertainty(vacuous("mood", ["good", "bad"]))
    1.0
    """
    nothing = np.zeros(len(labels) * (1 if kind == "dirichlet" else 2))
    return replace(_made(kind, label_set, labels, nothing, prior_weight, base_rate, False), present=False)


def from_belief(
    label_set: str,
    labels: Sequence[str],
    belief: Numbers,
    uncertainty: float | Numbers,
    kind: Kind = "dirichlet",
    *,
    prior_weight: float | None = None,
    base_rate: Sequence[float] | None = None,
    trained: bool = False,
) -> Opinion:
    """The opinion with this belief and uncertainty; together they must add to 1 (for beta, in each label).

    Uncertainty 0 would be infinite evidence and raises OpinionError.

    >>> from_belief("mood", ["good", "bad"], [0.75, 0.0], 0.25).evidence
    (6.0, 0.0)
    """
    b, u = np.asarray(belief, dtype=float), np.asarray(uncertainty, dtype=float)
    if kind == "beta":
        b = b.reshape(-1, 2) if b.size % 2 == 0 else b[:, None]
    if b.shape[:-1] != u.shape:
        raise OpinionError(
            f"opinion over {label_set}: belief of shape {b.shape} "
            f"needs uncertainty of shape {b.shape[:-1]}, not {u.shape}"
        )
    if not (np.all(u > 0) and np.all(b >= 0) and np.allclose(b.sum(axis=-1) + u, 1, atol=1e-6)):
        raise OpinionError(
            f"opinion over {label_set}: belief {b.tolist()} and uncertainty {u.tolist()} must add to 1, "
            "with belief from 0 up and uncertainty above 0"
        )
    weight = _default_weight(kind, labels) if prior_weight is None else prior_weight
    evidence = arithmetic.evidence_of(b, u, weight)
    return _made(kind, label_set, labels, evidence, weight, base_rate, trained)


def _default_weight(kind: Kind, labels: Sequence[str]) -> float:
    return float(len(labels)) if kind == "dirichlet" else 2.0


def _made(
    kind: Kind,
    label_set: str,
    labels: Sequence[str],
    evidence: Numbers,
    prior_weight: float | None,
    base_rate: Sequence[float] | None,
    trained: bool,
) -> Opinion:
    even = 1 / max(1, len(labels)) if kind == "dirichlet" else 0.5
    return checked(
        Opinion(
            label_set=label_set,
            labels=tuple(labels),
            kind=kind,
            evidence=tuple(np.asarray(evidence, dtype=float).ravel().tolist()),
            prior_weight=_default_weight(kind, labels) if prior_weight is None else float(prior_weight),
            base_rate=(even,) * len(labels) if base_rate is None else tuple(float(a) for a in base_rate),
            trained=trained,
        )
    )


# ---------------------------------------------------------------- checking


def checked(opinion: Opinion) -> Opinion:
    """The opinion itself. Raises OpinionError that lists everything wrong with it, in one line."""
    if mistakes := list(_mistakes(opinion)):
        raise OpinionError(f"opinion over {opinion.label_set}: " + "; ".join(mistakes))
    return opinion


def _mistakes(o: Opinion) -> Iterator[str]:
    count = len(o.labels)
    if count < (2 if o.kind == "dirichlet" else 1) or len(set(o.labels)) < count:
        yield f"labels {list(o.labels)} must differ from each other and be at least two (beta: one)"
    yield from _evidence_mistakes(o, names=o.labels if o.kind == "dirichlet" else _sides(o.labels))
    low, high = PRIOR_WEIGHTS
    if not low <= o.prior_weight <= high:
        yield f"prior weight is {o.prior_weight:g}; give a number above 0 (between {low:g} and {high:g})"
    yield from _base_rate_mistakes(o)
    if not o.present and any(o.evidence):
        yield "a view that is not present has evidence; make it with vacuous()"


def _sides(labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{side} {label}" for label in labels for side in ("for", "against"))


def _evidence_mistakes(o: Opinion, names: tuple[str, ...]) -> Iterator[str]:
    if len(o.evidence) != len(names):
        yield f"{len(o.evidence)} numbers of evidence for {len(o.labels)} labels; a {o.kind} opinion takes {len(names)}"
        return
    for name, e in zip(names, o.evidence, strict=True):
        if not 0 <= e <= arithmetic.LARGEST:
            yield f"evidence {name!r} is {e:g}; give a number from 0 to {arithmetic.LARGEST:g}"


def _base_rate_mistakes(o: Opinion) -> Iterator[str]:
    if len(o.base_rate) != len(o.labels):
        yield f"{len(o.base_rate)} base rates for {len(o.labels)} labels; give one per label"
    elif not all(0 < a < 1 for a in o.base_rate):
        yield f"base rates {list(o.base_rate)} must lie between 0 and 1, both excluded"
    elif o.kind == "dirichlet" and abs(sum(o.base_rate) - 1) > 1e-6:
        yield f"base rates sum to {sum(o.base_rate):g}; they must sum to 1"


def refuse_unlike(opinions: Mapping[str, Opinion], fields: Sequence[str] = ("label_set", "labels", "kind")) -> None:
    """Raises OpinionError unless all opinions agree in `fields`; the message names two views that do not."""
    views = sorted(opinions)
    for field in fields:
        first, *others = [(view, getattr(opinions[view], field)) for view in views]
        for view, value in others:
            if value != first[1]:
                raise OpinionError(
                    f"{first[0]} has {field} {first[1]!r}, {view} has {value!r}: "
                    "bring them to one label set and one form before they are combined"
                )


# ---------------------------------------------------------------- reading


def evidence(opinion: Opinion) -> PerOutcome:
    """Evidence as an array: one number per label, or (for, against) per label."""
    e = np.asarray(opinion.evidence, dtype=float)
    return e if opinion.kind == "dirichlet" else e.reshape(-1, 2)


def base_rate(opinion: Opinion) -> PerOutcome:
    """Base rate in the shape of `evidence`; for beta, against is one minus for."""
    a = np.asarray(opinion.base_rate, dtype=float)
    return a if opinion.kind == "dirichlet" else np.stack([a, 1 - a], axis=-1)


def alpha(opinion: Opinion) -> PerOutcome:
    """Parameters of the Dirichlet distribution, or of one Beta distribution per label (for, against)."""
    return arithmetic.concentration(evidence(opinion), base_rate(opinion), opinion.prior_weight)


def belief(opinion: Opinion) -> PerOutcome:
    """Belief in [0, 1] per label; for beta, (belief, disbelief) per label."""
    return arithmetic.belief(evidence(opinion), opinion.prior_weight)


def uncertainty(opinion: Opinion) -> float | Float[np.ndarray, "label"]:
    """Uncertainty in (0, 1]: one number, or one per label for a beta opinion."""
    return _plain(arithmetic.uncertainty(evidence(opinion), opinion.prior_weight))


def strength(opinion: Opinion) -> float | Float[np.ndarray, "label"]:
    """The sum of alpha: one number, or one per label for a beta opinion."""
    return _plain(arithmetic.strength(evidence(opinion), opinion.prior_weight))


def probability(opinion: Opinion) -> Float[np.ndarray, "label"]:
    """Expected probability of each label; sums to 1 for dirichlet, not for beta."""
    return _per_label(opinion, arithmetic.probability(evidence(opinion), base_rate(opinion), opinion.prior_weight))


def variance(opinion: Opinion) -> Float[np.ndarray, "label"]:
    """Variance of each label's probability."""
    return _per_label(opinion, arithmetic.variance(evidence(opinion), base_rate(opinion), opinion.prior_weight))


def _plain(numbers: Float[np.ndarray, "*label"]) -> float | Float[np.ndarray, "label"]:
    return float(numbers) if numbers.ndim == 0 else numbers


def _per_label(opinion: Opinion, numbers: PerOutcome) -> Float[np.ndarray, "label"]:
    return numbers if opinion.kind == "dirichlet" else numbers[:, 0]
