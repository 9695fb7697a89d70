"""What is told of one data set: its scores among published ones and floors, confidence, explanations, failures."""

from collections.abc import Iterator, Sequence
from statistics import median

from emer.bench.published import note
from emer.bench.report_confusion import confusions
from emer.bench.report_grids import Drawing, Grid, Part, Section, line, percent, plural
from emer.bench.report_score_grids import further_grids, gap_grids, main_grid, score_words
from emer.bench.report_scores import DataScores
from emer.bench.report_text_grids import explanations, failure_grids
from emer.bench.report_trust_grids import selective_grids, trust_grids, trust_words
from emer.bench.report_worst import Worst, worst_grid


def section(found: DataScores, drawings: Sequence[Drawing], worst: Sequence[Worst]) -> Section:
    """Everything about one data set, in the order in which it should be read."""
    return Section(
        title=found.data.record.title,
        facts=tuple(facts(found)),
        parts=(
            Part("Scores", tuple(score_words(found)), (main_grid(found), *further_grids(found))),
            Part("Differences between systems", grids=gap_grids(found)),
            Part("What was answered", grids=(answered_grid(found),)),
            Part("Trusted clips and the rest", trust_words(found), trust_grids(found)),
            Part("Confidence", grids=selective_grids(found), drawings=tuple(drawings)),
            Part("Gold and predicted labels", grids=confusions(found)),
            explanations(found),
            Part("Failures", grids=failure_grids(found)),
            Part("Worst clips", grids=worst_grid(worst)),
        ),
    )


def facts(found: DataScores) -> Iterator[tuple[str, str]]:
    """Source, licence, size, what is missing, whether the reader was checked against the release."""
    record, data = found.data.record, found.data
    asked = f"{plural(record.n_asked, 'clip')} asked about"
    part = f" of {plural(record.n_rows, 'row')}" + (f" in its part {record.part}" if record.part else "")
    yield "Source", record.source
    yield "Licence", record.licence
    yield "Clips", asked + part + (f"; {plural(record.n_missing, 'clip')} not there" if record.n_missing else "")
    if data.missing:
        yield "Not there", f"no score counts them; missing/{data.name}.txt lists all {record.n_missing}"
    if not record.verified:
        yield "verified", "false: layout and counts were not held against the release itself"
    if record.note:
        yield "Note", record.note
    if told := note(data.name):
        yield "Published", told
    yield "Rows", f"sha256 {record.sha256[:16]}"


def answered_grid(found: DataScores) -> Grid:
    """How many clips have an answer, how many have none and why not."""
    lines = []
    for system in found.systems:
        failed = sum(n for n, _ in system.failures.values())
        sure = sum(answer.confidence is not None for answer in found.data.systems[system.name].values())
        seconds = found.data.seconds.get(system.name, ())
        asked = len(system.truths)
        texts = (
            f"{system.n_answered:,}",
            f"{failed:,}",
            f"{len(found.data.gold) - asked:,}",
            f"{sure:,}",
            f"{system.n_out_of_domain:,} ({percent(system.n_out_of_domain / asked if asked else None, 1)} %)",
            f"{median(seconds):.2f}" if seconds else "–",
        )
        lines.append(line((system.name, *texts), "here"))
    headings = ("system", "answered", "failed", "not yet asked", "with confidence", "out of domain", "median s a clip")
    return Grid("Clips; a failed clip counts as an answer without labels", headings, tuple(lines))
