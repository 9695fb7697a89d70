"""What a score says of itself, and the two columns that it is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from emer.types import Emotion


@dataclass(frozen=True, slots=True)
class TablesRecord:
    """The emotion tables that a score used."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Score:
    """One number with everything that is needed to believe it; the JSON of `emer score --json`."""

    metric: str
    score: float
    """A fraction."""
    interval: tuple[float, float] | None
    """95 %, from resampled clips (speakers, where they are known); None when it was not asked for."""
    n_scored: int
    n_skipped: int
    skipped: Mapping[str, int]
    """Reason to number of clips."""
    unknown_share: float | None
    """Of the predicted words, those that the tables do not know; None for metrics without tables."""
    floors: Mapping[str, float]
    """What constant answers get on this gold: `[angry, sad, happy]` and the like."""
    tables: TablesRecord | None
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Further columns of the metric: precision, recall, each wheel, counts of unknown words, notes."""
    unit: Literal["fraction"] = "fraction"


@dataclass(frozen=True)
class Column:
    """One answer or one truth a clip, as a file or a run gave it; every sequence has one entry a name."""

    source: str
    """Where it came from, for errors: a file name, or `emer on meld`."""
    names: Sequence[str]
    labels: Sequence[Sequence[str]]
    """Parsed, lower-case labels."""
    values: Sequence[float | None] | None = None
    """Sentiment of gold rows, on the data set's own scale."""
    sentiment: Sequence[str | None] | None = None
    """`positive`, `negative` or `neutral`, where an answer says so itself."""
    emotions: Sequence[Sequence[Emotion]] | None = None
    """Labels with confidences, for trusted scores."""
    confidence: Sequence[float | None] | None = None
    """One number a clip, for trusted scores."""
    speakers: Sequence[str] | None = None
    texts: Sequence[str | None] | None = None
    """Explanations, for the scores that read them."""
    notes: Sequence[str] = ()
    """What was guessed while reading, said to the user."""
