"""Whether a published number and ours are of the same clips and made in the same way.

They stand in one table, so whatever sets them apart is told above it: other clips (a limit, another part, missing
files), other emotion tables, and sentiment that a lexicon read out of labels. AffectGPT's evaluation code asks a
language model for the sentiment of each list of labels (`openset_to_sentiment`, Lian et al. 2025).
"""

from collections.abc import Iterator

from emer.bench.published import PublishedRow, benchmark, published
from emer.bench.report_scores import DataScores


def comparable(found: DataScores) -> list[PublishedRow]:
    """Published rows of the metric that is reported."""
    return [row for row in published(found.data.name) if row.metric == found.data.metric]


def unlike(found: DataScores) -> tuple[str, ...]:
    """What sets our scores apart from the published ones beside them; empty where nothing is known, or none are."""
    return (*_clips(found), *_tables(found), *_sentiment(found)) if comparable(found) else ()


def _clips(found: DataScores) -> Iterator[str]:
    theirs, ours = benchmark().clips.get(found.data.name), len(found.data.gold)
    if theirs is None:
        yield "on which clips the published rows are was not read"
    elif theirs != ours:
        yield f"published rows are on {theirs:,} clips, ours on {ours:,}"


def _tables(found: DataScores) -> Iterator[str]:
    scores = [system.scores.get(found.data.metric) for system in found.systems]
    used = {score.tables.name for score in scores if score is not None and score.tables is not None}
    if others := sorted(used - {benchmark().tables}):
        yield (
            f"published rows were made with the tables {benchmark().tables}, ours with {', '.join(others)} "
            "(wheels=DIR takes the released ones)"
        )


def _sentiment(found: DataScores) -> Iterator[str]:
    answers = (answer for told in found.data.systems.values() for answer in told.values())
    if found.data.metric == "sentiment" and any(answer.emotions and not answer.sentiment for answer in answers):
        yield "in published rows a language model turned labels into sentiment, in ours a lexicon"
