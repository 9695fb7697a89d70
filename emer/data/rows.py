"""One clip with what people said about it, and how the mistakes of many rows become one error."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from emer.errors import ConfigError
from emer.types import Annotation, Clip

Part = Literal["train", "validation", "calibration", "test"]
PARTS: tuple[Part, ...] = get_args(Part)

SHOWN = 50
"""How many mistakes one error tells; the rest are counted."""
NAMED = 5
"""How many names a list in an error holds."""


@dataclass(frozen=True, slots=True)
class Row:
    """A clip and its annotation. `id` is unique in its data set and names no machine."""

    id: str
    clip: Clip
    annotation: Annotation
    speaker: str | None = None
    part: Part | None = None
    """Where the data set itself says so; other splits come from `emer.data.splits`."""
    language: str | None = None
    """ISO 639-1 code of what is spoken."""
    context: str | None = None
    """What came before, where a data set gives it: the lines of a dialogue, a scene."""
    licence: str | None = None
    """Of this clip, where it differs from that of its data set."""


def refuse(mistakes: Sequence[str], what: str) -> None:
    """Raises ConfigError with all mistakes in one line, when there are any.

    >>> refuse(["line 2 has no path", "line 5 has no path"], "clips.jsonl has 2 mistakes")
    Traceback (most recent call last):
    emer.errors.ConfigError: clips.jsonl has 2 mistakes: line 2 has no path; line 5 has no path
    """
    if mistakes:
        more = f"; and {len(mistakes) - SHOWN} more" if len(mistakes) > SHOWN else ""
        raise ConfigError(f"{what}: {'; '.join(mistakes[:SHOWN])}{more}")


def some(names: Iterable[object]) -> str:
    """The first few names, and that there are more.

    >>> some(range(7))
    '0, 1, 2, 3, 4, …'
    """
    listed = [str(name) for name in names]
    return ", ".join(listed[:NAMED]) + (", …" if len(listed) > NAMED else "")


def existing(folder: str | Path, inside: str, what: str) -> Path:
    """The path `inside` a data folder. Raises ConfigError that says what should lie there."""
    path = Path(folder) / inside
    if not path.exists():
        raise ConfigError(f"{folder} has no {inside}; put {what} there, or name the folder that holds it")
    return path
