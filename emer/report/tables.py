"""CSV: one row a clue, or one row a segment."""

import csv
import io
from collections.abc import Iterable

from emer.evidence.opinion import probability
from emer.report.beliefs import mean_uncertainty
from emer.report.wording import label_list, prose
from emer.types import Explanation

CLUE_COLUMNS = ("id", "modality", "kind", "start", "end", "value", "unit", "reference", "text", "quality", "cited")
SEGMENT_COLUMNS = ("segment", "start", "end", "emotions", "text", "explanation", "uncertainty")


def clues_csv(explanation: Explanation) -> str:
    """One row a clue, times in seconds; `cited` is 1 where a sentence of the explanation cites it."""
    cited = {name for statement in explanation.statements for name in statement.clue_ids}
    rows = (
        (c.id, c.modality, c.kind, c.start, c.end, c.value, c.unit, c.reference, c.text, c.quality, int(c.id in cited))
        for c in explanation.clues
    )
    return _csv(CLUE_COLUMNS, rows)


def segments_csv(explanation: Explanation) -> str:
    """One row a segment (the whole clip where it has none), with p_LABEL: expected probability of the fused opinion."""
    parts = explanation.segments or (explanation,)
    rows = (
        (
            number,
            part.clip.start,
            part.clip.end,
            label_list(part.emotions),
            part.transcript.text if part.transcript else None,
            prose(part),
            round(mean_uncertainty(part.fused), 4),
            *(round(p, 4) for p in probability(part.fused).tolist()),
        )
        for number, part in enumerate(parts, 1)
    )
    return _csv((*SEGMENT_COLUMNS, *(f"p_{label}" for label in explanation.fused.labels)), rows)


def _csv(columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, "CSV injection")."""
    if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{cell}"
    return cell
