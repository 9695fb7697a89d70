"""What a score is asked for beside its two files; `emer score` and `emer bench` say it in these words."""

from dataclasses import dataclass
from typing import Literal, get_args

from emer.data.rows import refuse
from emer.score.result import Column

Missing = Literal["error", "empty"]
Parser = Literal["published", "tolerant"]
Rule = Literal["max_f1", "max_accuracy", "target_risk"]
MOST_REPLICATES = 100_000
"""More would take hours, and moves an interval by less than it is worth."""


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of a score. Raises ConfigError with all mistakes at once."""

    wheels: str | None = None
    """Folder or file of released emotion tables; None takes emer's own."""
    nearest: str | None = None
    """Folder of a text encoder: words that the tables do not know take the clusters of their nearest known word, for
    the metrics of wheels. No published score is made so, and every such score says it."""
    ring: int = 1
    """1: inner clusters, 2: middle ones."""
    strict: bool = False
    """Predicted words that the tables do not know count as wrong labels instead of being dropped."""
    bootstrap: int = 1000
    """Replicates of the interval; 0 turns it off."""
    seed: int = 0
    missing: Missing = "error"
    """What a clip without an answer is: an error, or an answer without labels."""
    label_set: str | None = None
    """For closed labels: a set of `label_sets.yaml`, or `wheel1` … for the clusters of a wheel. None: the gold's own.
    For trusted scores: the clusters in which labels are right or wrong; None: emer8."""
    threshold: float | None = None
    """For trusted scores: labels (clips) with at least this confidence are trusted."""
    calibration: tuple[Column, Column] | None = None
    """For trusted scores without a number: answers and gold of other clips, on which a threshold is fitted."""
    rule: Rule = "max_f1"
    """How the threshold is fitted on them."""
    target_risk: float = 0.1
    """For the rule `target_risk`: the share of trusted labels that may be wrong."""
    groups: str | None = None
    """For mer2024_ov: a JSON file `{word: group}`, or `wheel1` … None: the first wheel, and the score says so."""

    def __post_init__(self) -> None:
        mistakes = [] if self.ring in (1, 2) else [f"ring is {self.ring}; it is 1 or 2"]
        if not 0 <= self.bootstrap <= MOST_REPLICATES:
            mistakes.append(f"bootstrap is {self.bootstrap}; give 0 to {MOST_REPLICATES:,} replicates")
        mistakes += [] if self.seed >= 0 else [f"seed is {self.seed}; give 0 or more"]
        mistakes += _not_one_of("missing", self.missing, get_args(Missing))
        mistakes += _not_one_of("rule", self.rule, get_args(Rule))
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            mistakes.append(f"threshold is {self.threshold}; confidences lie between 0 and 1")
        if not 0 <= self.target_risk <= 1:
            mistakes.append(f"target_risk is {self.target_risk}; it is a share between 0 and 1")
        refuse(mistakes, "the score cannot be made so")


def _not_one_of(name: str, value: str, known: tuple[str, ...]) -> list[str]:
    return [] if value in known else [f"{name} is {value!r}; choose one of {', '.join(known)}"]
