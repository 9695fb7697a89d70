"""What a person decided about drafts, and the manifest after that.

    {"schema": "emer.decisions/1", "decisions": [
        {"mark": "5f…", "id": "clip7", "decision": "accept"},
        {"mark": "0a…", "id": "clip8", "decision": "edit", "explanation": "…", "labels": ["relieved"]},
        {"mark": "c3…", "id": "clip9", "decision": "reject"}]}

A mark names a clip with the very draft that was looked at, so that no decision falls on another text.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from emer.annotate.outputs import taught, write_lines
from emer.annotate.records import Line
from emer.data.rows import refuse
from emer.errors import ConfigError
from emer.grounding import check, claims
from emer.jsonio import dumps, loads

SCHEMA = "emer.decisions/1"
REVIEWED = "reviewed.jsonl"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision; text and labels where they were edited."""

    mark: str
    id: str
    decision: Literal["accept", "edit", "reject"]
    explanation: str | None = None
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Decisions:
    """A file that the review page writes."""

    decisions: tuple[Decision, ...]
    schema: str = SCHEMA


@dataclass(frozen=True, slots=True)
class Reviewed:
    """How many drafts were decided in which way, and the claims of edited texts that the clues do not bear out."""

    counts: Mapping[str, int]
    doubtful: tuple[str, ...]
    """`ID: sentence (status)`. A person's word stands; this is to be known."""


def mark_of(line: Line) -> str:
    """A name for a clip with its draft."""
    return hashlib.sha256(dumps([line.key, line.explanation, line.labels]).encode()).hexdigest()[:24]


def read_decisions(path: Path) -> tuple[Decision, ...]:
    """The decisions of a file. Raises ConfigError for a file that is none."""
    try:
        found = loads(path.read_bytes(), Decisions)
    except OSError as error:
        raise ConfigError(
            f"the decisions {path} cannot be read ({error.strerror}); name what the page saved"
        ) from error
    except ConfigError as error:
        raise ConfigError(f"{path} holds no decisions of a review page ({error})") from error
    if found.schema != SCHEMA:
        raise ConfigError(f"{path} has the schema {found.schema!r}; this emer reads {SCHEMA}")
    return found.decisions


def apply(folder: Path, lines: Sequence[Line], decisions: Sequence[Decision]) -> Reviewed:
    """Write `reviewed.jsonl`: what was accepted, and what was edited as it was edited. Of several decisions about a
    draft the last counts; a draft that nobody decided about stays out.

    Raises ConfigError that tells every decision which fits no draft, and every edit that leaves nothing.
    """
    drafts = {mark_of(line): line for line in lines if line.explanation}
    decided = {decision.mark: decision for decision in decisions}
    refuse([wrong for one in decided.values() for wrong in _mistakes(one, drafts)], "these decisions cannot be used")
    kept, doubtful = [], []
    for mark, line in drafts.items():
        one = decided.get(mark)
        if one is None or one.decision == "reject":
            continue
        row = taught(line)
        if one.decision == "edit":
            row |= _edited(one, line)
            if one.labels is not None and list(one.labels) != list(line.labels):
                row.pop("votes", None)
                row["labels"] = list(one.labels)
            doubtful += _doubtful(replace(line, explanation=row["explanation"]))
        kept.append(row)
    write_lines(folder / REVIEWED, kept)
    counts: Counter[str] = Counter(one.decision for one in decided.values())
    counts["undecided"] = len(drafts) - len(decided)
    return Reviewed(dict(counts), tuple(doubtful))


def _edited(one: Decision, line: Line) -> dict[str, Any]:
    return {"explanation": (one.explanation if one.explanation is not None else line.explanation).strip()}


def _mistakes(one: Decision, drafts: Mapping[str, Line]) -> list[str]:
    if one.mark not in drafts:
        return [f"the draft of {one.id} is not in this folder any more; open its review page again"]
    told = []
    if one.explanation is not None and not one.explanation.strip():
        told.append(f"the edit of {one.id} leaves no explanation; reject it instead")
    if one.labels is not None and not (one.labels and all(label.strip() for label in one.labels)):
        told.append(f"the edit of {one.id} leaves no label; reject it instead")
    return told if one.decision == "edit" else []


def _doubtful(line: Line) -> list[str]:
    found = claims(check(line.explanation, line.clues, line.said))
    return [f"{line.id}: {one.text} ({one.status})" for one in found if one.status in ("contradicted", "unsupported")]
