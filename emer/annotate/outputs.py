"""What a run leaves in its folder: the manifest, what was rejected and why, figures, and pages for a person to review.

manifest.jsonl    explanations to learn from, as `emer.data.manifest` reads them
rejected.jsonl    the others, each with its reason; clips that failed are among them
stats.json        how many, how well grounded, what was taken out
review.html       a page to accept, edit and reject (review-2.html, … where there are many)
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emer.annotate.records import Line
from emer.data.manifest import BadRow
from emer.emotions import cluster_of
from emer.files import write_text
from emer.grounding import claims
from emer.jsonio import dumps
from emer.version import __version__

MANIFEST, REJECTED, STATS = "manifest.jsonl", "rejected.jsonl", "stats.json"


def write(folder: Path, lines: Sequence[Line], bad: Sequence[BadRow], made_by: Mapping[str, object]) -> dict[str, Any]:
    """Write manifest, rejections and figures, each whole or not at all. Returns the figures. Raises OutputError."""
    write_lines(folder / MANIFEST, (taught(line) for line in lines if line.outcome == "kept"))
    write_lines(
        folder / REJECTED, [*(_rejection(line) for line in lines if line.outcome != "kept"), *map(_unread, bad)]
    )
    figures = stats(lines, bad) | {"made_by": {"emer": __version__, **made_by}}
    write_text(folder / STATS, dumps(figures) + "\n")
    return figures


def write_lines(path: Path, values: Iterable[object]) -> None:
    """JSON lines, whole or not at all. Raises OutputError."""
    write_text(path, "".join(dumps(value) + "\n" for value in values))


def taught(line: Line) -> dict[str, Any]:
    """The row with its explanation and labels. Votes are labels already, so that those of the draft do not come in."""
    labels = {} if "votes" in line.record or not line.labels else {"labels": list(line.labels)}
    return {**line.record, **labels, "explanation": line.explanation}


def stats(lines: Sequence[Line], bad: Sequence[BadRow] = ()) -> dict[str, Any]:
    """Counts and shares; every share is that of a count that stands beside it."""
    kept = [line for line in lines if line.outcome == "kept"]
    drafts = [line for line in lines if line.claims or line.statements]
    claimed = sum(line.claims for line in drafts)
    left = [claim for line in kept for claim in claims(line.statements)]
    reasons = Counter(line.reason for line in lines if line.outcome != "kept")
    words = Counter(label for line in kept for label in line.labels)
    return {
        "clips": len(lines) + len(bad),
        "kept": len(kept),
        "rejected": sum(line.outcome == "rejected" for line in lines),
        "failed": sum(line.outcome == "failed" for line in lines) + len(bad),
        "reasons": dict(reasons.most_common()) | ({"unreadable_row": len(bad)} if bad else {}),
        "drafts": len(drafts),
        "strayed": sum(line.strayed is not None for line in drafts),
        "claims_of_drafts": claimed,
        "grounded_of_drafts": _share(sum(line.grounded * line.claims for line in drafts), claimed),
        "sentences_dropped": dict(Counter(one.why for line in drafts for one in line.dropped)),
        "claims_kept": len(left),
        "claims_per_clip": _share(len(left), len(kept)),
        "grounded_kept": _share(sum(claim.status == "grounded" for claim in left), len(left)),
        "labels": dict(words.most_common()),
        "unmapped_labels": sorted(word for word in words if cluster_of(word) is None),
        "splits": dict(Counter(str(line.record.get("split", "none")) for line in kept)),
    }


def summary(figures: Mapping[str, Any]) -> str:
    """The figures in two lines.

    >>> print(summary(stats([])))
    0 of 0 clips have an explanation to learn from: 0 rejected, 0 failed
    """
    first = (
        f"{figures['kept']} of {figures['clips']} clips have an explanation to learn from: "
        f"{figures['rejected']} rejected, {figures['failed']} failed"
    )
    why = ", ".join(f"{count} {reason}" for reason, count in figures["reasons"].items())
    lines = [f"{first} ({why})" if why else first]
    if figures["kept"]:
        dropped = sum(figures["sentences_dropped"].values())
        lines.append(
            f"{figures['claims_per_clip']:.1f} claims a clip, {figures['grounded_kept']:.0%} of them grounded "
            f"({figures['grounded_of_drafts']:.0%} of {figures['claims_of_drafts']} before {dropped} sentences went)"
        )
    return "\n".join(lines)


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _rejection(line: Line) -> dict[str, Any]:
    return {
        "id": line.id,
        "path": line.record["path"],
        "outcome": line.outcome,
        "reason": line.reason,
        "told": line.told,
        "gold": line.gold,
        "labels": line.labels,
        "explanation": line.explanation,
        "dropped": line.dropped,
    }


def _unread(row: BadRow) -> dict[str, Any]:
    told = {"outcome": "failed", "reason": "unreadable_row", "told": row.reason}
    return {"line": row.line, "path": row.path, **told}
