"""What the shells of `emer score` share: rows of `evaluate` to columns, a score to flat numbers."""

from collections.abc import Sequence
from typing import Any

import datasets  # type: ignore[import-untyped]

from emer.emotions.parsing import published
from emer.score.options import Options
from emer.score.result import Column
from emer.score.scoring import score

Cell = str | list[str]

OPTIONS = """
wheels: path of released emotion tables (default: emer's own). ring: 1 or 2. strict: words that the tables do not know
count as wrong. bootstrap: resamples of the interval (0: none). seed: of the resamples.
"""


def features(reference: str = "string") -> list[Any]:
    """Labels as one text or as a list, in all combinations; `reference` is the type of a gold label."""
    kinds = [datasets.Value("string"), datasets.Sequence(datasets.Value("string"))]
    golds = kinds if reference == "string" else [datasets.Value(reference)]
    return [datasets.Features({"predictions": ours, "references": gold}) for ours in kinds for gold in golds]


def compute(
    metric: str,
    predictions: Sequence[Cell],
    gold: dict[str, Any],
    **options: Any,
) -> dict[str, Any]:
    """The score under the name of its metric, and what belongs to it; `gold` holds `labels` or `values`.

    >>> found = compute("hit_rate", ["[sad]", ["happy"]], {"labels": ["sad", "sad"]}, bootstrap=0)
    >>> found["hit_rate"], found["n_scored"]
    (0.5, 2)
    """
    names = [str(row) for row in range(len(predictions))]
    labels = [published(cell) for cell in gold.get("labels", [None] * len(names))]
    answers = Column("predictions", names, [published(cell) for cell in predictions])
    found = score(metric, answers, Column("references", names, labels, gold.get("values")), Options(**options))
    low, high = found.interval or (None, None)
    numbers = {key: value for key, value in found.detail.items() if isinstance(value, float)}
    return {
        **numbers,
        metric: found.score,
        "low": low,
        "high": high,
        "n_scored": found.n_scored,
        "n_skipped": found.n_skipped,
        "unknown_share": found.unknown_share,
        "floors": dict(found.floors),
        "tables": found.tables.name if found.tables else None,
    }
