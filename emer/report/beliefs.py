"""An opinion as lengths of a bar: belief per label and uncertainty, which together make one.

Subjective logic (Jøsang 2016, ch. 3.5; Sensoy et al. 2018): `S = Σe + W`, `b_k = e_k / S`, `u = W / S`,
`p_k = b_k + a_k u`.
"""

from dataclasses import dataclass
from typing import Literal

from emer.types import Opinion

Role = Literal["belief", "against", "uncertainty"]


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
        pieces = [
            ("belief", label, i, e) for i, (label, e) in enumerate(zip(opinion.labels, opinion.evidence, strict=True))
        ]
        return (_bar("", pieces, opinion.prior_weight),)
    pairs = zip(opinion.evidence[::2], opinion.evidence[1::2], strict=True)
    return tuple(
        _bar(label, [("belief", label, i, yes), ("against", label, i, no)], opinion.prior_weight)
        for i, (label, (yes, no)) in enumerate(zip(opinion.labels, pairs, strict=True))
    )


def uncertainty(opinion: Opinion) -> float:
    """0 (certain) to 1 (vacuous); of a Beta opinion the mean over its labels."""
    found = bars(opinion)
    return sum(bar.uncertainty for bar in found) / len(found)


def expected_probability(opinion: Opinion) -> tuple[float, ...]:
    """Per label: belief plus its base rate's share of the uncertainty."""
    found = bars(opinion)
    if opinion.kind == "dirichlet":
        beliefs = [part.share for part in found[0].parts if part.role == "belief"]
        return tuple(b + a * found[0].uncertainty for b, a in zip(beliefs, opinion.base_rate, strict=True))
    return tuple(bar.parts[0].share + a * bar.uncertainty for bar, a in zip(found, opinion.base_rate, strict=True))


def _bar(title: str, pieces: list[tuple[Role, str, int, float]], prior_weight: float) -> Bar:
    total = sum(evidence for *_, evidence in pieces) + prior_weight
    parts: list[Part] = []
    now = 0.0
    for role, label, index, evidence in [*pieces, ("uncertainty", "uncertain", -1, prior_weight)]:
        parts.append(Part(role, label, index, now, evidence / total))
        now += evidence / total
    return Bar(title, tuple(parts))
