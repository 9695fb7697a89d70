"""What a system said of a clip, as `emer bench run` keeps it: one JSON object a line, and nothing that changes from run
to run (how long it took stands in a file of its own), so that a run that was killed and taken up again ends in the
same bytes as one that was not.
"""

from dataclasses import dataclass

from emer.types import Emotion, Statement


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no answer."""

    kind: str
    """The class of the exception."""
    reason: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """One clip, one system. Either `error` is None, or there are no emotions and no text."""

    name: str
    """Id of the row in its data set."""
    emotions: tuple[Emotion, ...] = ()
    sentiment: str | None = None
    explanation: str = ""
    statements: tuple[Statement, ...] = ()
    confidence: float | None = None
    trusted: bool | None = None
    out_of_domain: bool = False
    clip_sha256: str | None = None
    warnings: tuple[str, ...] = ()
    """Codes of the explanation's warnings, and `NAME_failed` for each extractor that gave nothing."""
    error: Refusal | None = None
    key: str | None = None
    """Hash of all that the answer depends on: the clip's content, part and words, engine, prompt, weights, settings."""
