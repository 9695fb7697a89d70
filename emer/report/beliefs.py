"""An opinion as lengths of a bar: belief per label and uncertainty, which together make one."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from emer.evidence.opinion import belief, uncertainty
from emer.types import Opinion

Role = Literal["belief", "against", "uncertainty"]
Piece = tuple[Role, str, int, float]
"""Role, label, index of the label, share."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a bar: `share` of its length (0 to 1), beginning at `start`; `index` of the label it is about."""

    role: Role
    label: str
    index: int
    start: float
    share: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: of a whole Dirichlet opinion (title empty), or of one label of a Beta opinion."""

    title: str
    parts: tuple[Part, ...]

    @property
    def uncertainty(self) -> float:
        return sum(part.share for part in self.parts if part.role == "uncertainty")


def bars(opinion: Opinion) -> tuple[Bar, ...]:
    """One bar for a Dirichlet opinion, one per label for a Beta opinion; each adds up to 1."""
    if opinion.kind == "dirichlet":
        shares = belief(opinion).tolist()
        pieces: list[Piece] = [
            ("belief", label, i, share) for i, (label, share) in enumerate(zip(opinion.labels, shares, strict=True))
        ]
        return (_bar("", pieces),)
    return tuple(
        _bar(label, [("belief", label, i, float(yes)), ("against", label, i, float(no))])
        for i, (label, (yes, no)) in enumerate(zip(opinion.labels, belief(opinion), strict=True))
    )


def mean_uncertainty(opinion: Opinion) -> float:
    """0 (certain) to 1 (vacuous); of a Beta opinion the mean over its labels."""
    return float(np.mean(uncertainty(opinion)))


def _bar(title: str, pieces: list[Piece]) -> Bar:
    """Parts one after the other; what belief leaves over is uncertainty."""
    parts: list[Part] = []
    now = 0.0
    rest = max(0.0, 1 - sum(share for *_, share in pieces))
    whole: list[Piece] = [*pieces, ("uncertainty", "uncertain", -1, rest)]
    for role, label, index, share in whole:
        parts.append(Part(role, label, index, now, share))
        now += share
    return Bar(title, tuple(parts))
