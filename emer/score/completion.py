"""What answers leave out: labels are drawn from their explanations, sentiment is asked for, where a score needs them.

Without an endpoint labels come from the explanation by rule (`emer.emotions.extraction`); with one its model reads
them, and says what sentiment labels have and which of them belong together. A note of the column says which it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from emer.endpoint import Endpoint
from emer.score.result import Column
from emer.score.wheel import Grouping

OF_TEXT = frozenset({"explanation", "chrf", "chrf_words", "embedding", "bertscore", "clue_overlap"})
"""Metrics that read explanations and no labels."""
Progress = Callable[[int, int], None]


def completed(
    column: Column, metric: str, endpoint: Endpoint | None = None, progress: Progress | None = None
) -> Column:
    """The answers with what the metric needs: labels, where only explanations are given; sentiment, where asked."""
    if metric in OF_TEXT:
        return column
    if column.texts is not None and not any(column.labels) and column.sentiment is None:
        column = _with_labels(column, endpoint, progress)
    if metric == "sentiment" and column.sentiment is None and endpoint is not None:
        from emer.score.asked import with_sentiment

        return with_sentiment(column, endpoint, progress=progress)
    return column


def _with_labels(column: Column, endpoint: Endpoint | None, progress: Progress | None) -> Column:
    if endpoint is not None:
        from emer.score.asked import with_labels

        return with_labels(column, endpoint, progress=progress)
    from emer.emotions.extraction import extract_labels

    labels = [extract_labels(text or "") for text in column.texts or ()]
    note = f"{column.source}: it has no labels; they are drawn from its explanations by rule"
    return replace(column, labels=labels, notes=(*column.notes, note))


def grouping_by(endpoint: Endpoint, progress: Progress | None = None) -> Grouping:
    """The metric of MER2024-OV with the groups that a model makes, clip by clip."""
    from emer.score.asked import groups_of

    def ask(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> tuple[list[Mapping[str, str]], str]:
        asked = groups_of(endpoint, gold, predicted, progress=progress)
        lost = f"; {len(asked.unusable)} replies could not be used, labels of those clips are groups of their own"
        said = f"those of {asked.record}" + (lost if asked.unusable else "")
        return [groups or {} for groups in asked.values], said

    return Grouping(ask)
