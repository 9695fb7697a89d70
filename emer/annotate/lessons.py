"""What a teacher is told about a clip, and what it writes."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from emer.data.rows import Row
from emer.jsonio import dumps
from emer.types import Annotation, Request


@dataclass(frozen=True, slots=True)
class Lesson:
    """One clip, measured; and the labels that its explanation has to agree with."""

    request: Request
    gold: tuple[str, ...] = ()
    """What people say; empty where nobody said anything, or where the teacher is to be left in the dark."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a teacher wrote; `error` where it wrote nothing that can be used."""

    explanation: str = ""
    labels: tuple[str, ...] = ()
    strayed: str | None = None
    error: str | None = None


@runtime_checkable
class Teacher(Protocol):
    """Writes one draft a lesson, in their order. One without an answer has `Draft.error` and stops no other."""

    @property
    def at_once(self) -> int:
        """How many lessons it wants together."""
        ...

    def drafts(self, lessons: Sequence[Lesson]) -> Iterator[Draft]: ...

    def record(self) -> Mapping[str, object]:
        """What a result must name: model, prompts with their hashes, settings."""
        ...


def gold_of(annotation: Annotation) -> tuple[str, ...]:
    """The labels that people gave, or those with the most votes.

    >>> gold_of(Annotation(votes={"sad": 3, "tired": 3, "happy": 1}))
    ('sad', 'tired')
    """
    if annotation.labels:
        return annotation.labels
    most = max(annotation.votes.values(), default=0.0)
    return tuple(label for label, count in annotation.votes.items() if count == most)


def record_of(row: Row, folder: Path) -> dict[str, Any]:
    """The row as a line of a manifest in `folder`: paths are relative to it, keys without a value are left out."""
    clip, said = row.clip, row.annotation
    paths = {"path": clip.path, "transcript": clip.transcript, "speaker_baseline": clip.speaker_baseline}
    values = {
        "id": row.id,
        **{key: _relative(path, folder) for key, path in paths.items() if path is not None},
        "start": clip.start,
        "end": clip.end,
        "text": clip.said,
        "labels": list(said.labels),
        "votes": dict(said.votes),
        "value": said.value,
        "speaker": row.speaker,
        "split": row.part,
        "language": row.language,
        "context": row.context,
        "licence": row.licence,
    }
    return {key: value for key, value in values.items() if value not in (None, [], {})}


def _relative(path: str, folder: Path) -> str:
    """The path as seen from the folder. Links on the way are followed, for `..` behind a link leads elsewhere; the name
    of the clip itself is kept, for its transcript lies beside it."""
    return os.path.relpath(Path(path).parent.resolve() / Path(path).name, folder.resolve())


def key_of(record: dict[str, Any]) -> str:
    """A name for all that a manifest says of a clip: said otherwise, it is annotated anew."""
    return hashlib.sha256(dumps(record).encode()).hexdigest()[:24]
