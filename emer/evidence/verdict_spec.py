"""What a verdict speaks about: the label set, the form of the opinion, and how logits become evidence."""

from dataclasses import dataclass
from typing import Literal

from emer.errors import ConfigError, OpinionError
from emer.evidence import opinion
from emer.evidence.evidence_head import Activation
from emer.types import Opinion


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictSpec:
    """A language model's own opinion, read from rows of its output layer. Raises ConfigError that lists every mistake.

    `dirichlet`: one row per label. `beta`: two rows per label, (for, against), label by label (label-major).

    >>> VerdictSpec(label_set="moods", labels=("good", "tired"), kind="beta").row_names
    ('for good', 'against good', 'for tired', 'against tired')
    """

    label_set: str
    labels: tuple[str, ...]
    kind: Literal["dirichlet", "beta"] = "dirichlet"
    activation: Activation = "softplus"
    prior_weight: float | None = None
    """W; None takes the number of labels (dirichlet) or 2 (beta)."""
    base_rate: tuple[float, ...] | None = None
    """One per label; None is even."""

    def __post_init__(self) -> None:
        try:
            _ = self.vacuous
        except OpinionError as error:
            raise ConfigError(f"verdict: {error}") from error

    @property
    def vacuous(self) -> Opinion:
        """The opinion of a verdict that was not asked."""
        return opinion.vacuous(self.label_set, self.labels, self.kind, self.prior_weight, self.base_rate)

    @property
    def weight(self) -> float:
        """The prior weight W."""
        return self.vacuous.prior_weight

    @property
    def rates(self) -> tuple[float, ...]:
        """The base rate of each label; for beta that of "for"."""
        return self.vacuous.base_rate

    @property
    def rows(self) -> int:
        """How many rows of the output layer it takes."""
        return len(self.labels) * (1 if self.kind == "dirichlet" else 2)

    @property
    def row_names(self) -> tuple[str, ...]:
        """What each row speaks for, in order."""
        if self.kind == "dirichlet":
            return self.labels
        return tuple(f"{side} {label}" for label in self.labels for side in ("for", "against"))
