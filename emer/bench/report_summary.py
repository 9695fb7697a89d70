"""All data sets of a run at a glance, and the nine sets of MER-UniBench with a mean that says which sets it is of.

A published mean is of all nine sets. Ours is of the sets that were run; while these are not the nine, no mean of ours
stands beside a published one, but the published rows are averaged again over the same sets.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

from emer.bench.published import Benchmark, PublishedRow, benchmark, means, published
from emer.bench.report_grids import Cell, Grid, Line, Part, Section, line, percent, percents
from emer.bench.report_likeness import unlike
from emer.bench.report_scores import DataScores


def summary(found: Sequence[DataScores], absent: Mapping[str, str]) -> tuple[Section, ...]:
    """What stands before the single data sets; nothing where there is but one and none was left out."""
    return (*_overview(found, absent), *_unibench(found, absent))


def _overview(found: Sequence[DataScores], absent: Mapping[str, str]) -> tuple[Section, ...]:
    """Every data set with the score of every system; scores of different metrics have no mean."""
    if len(found) + len(absent) < 2:
        return ()
    systems = list(dict.fromkeys(system.name for each in found for system in each.systems))
    lines = [_glance(each, systems) for each in found]
    headings = ("data set", "metric", "clips", "not there", *systems, "highest floor")
    left = tuple((f"Not run: {name}", reason) for name, reason in absent.items())
    grid = Grid("Percent, with 95 % intervals", headings, tuple(lines))
    return (Section("At a glance", left, (Part("All data sets", grids=(grid,)),)),)


def _glance(found: DataScores, systems: Sequence[str]) -> Line:
    told = {system.name: system.scores.get(found.data.metric) for system in found.systems}
    scores = [told.get(name) for name in systems]
    cells = ["–" if score is None else f"{percent(score.score)} {percents(score.interval)}" for score in scores]
    floors = [floor for score in told.values() if score for floor in score.floors.values()]
    counts = (f"{len(found.data.gold):,}", f"{found.data.record.n_missing:,}")
    return line((found.data.record.title, found.data.metric, *counts, *cells, percent(max(floors, default=None))))


def _unibench(found: Sequence[DataScores], absent: Mapping[str, str]) -> tuple[Section, ...]:
    """The table over the sets of MER-UniBench that were run; none where fewer than two were."""
    told = benchmark()
    run = [name for name in told.sets if any(_counts(each, told, name) for each in found)]
    if len(run) < 2:
        return ()
    left = [name for name in told.sets if name not in run]
    facts = (
        ("Run", f"{len(run)} of {len(told.sets)} sets: {', '.join(run)}"),
        ("Not run", "; ".join(f"{name} ({absent.get(name, 'not in the configuration')})" for name in left) or "none"),
        ("Published", told.note),
    )
    words: tuple[str, ...] = (
        f"The mean is over {', '.join(run)}; published rows are averaged over the same sets."
        if left
        else "The mean is over all nine sets.",
    )
    apart = [each.data.name for each in found if each.data.name in run and unlike(each)]
    if apart:
        words += (f"Not like with like on {', '.join(apart)}: what is told of each of these sets says why.",)
    return (Section(told.title, facts, (Part("All sets", words, (mean_grid(found, told, run),)), _published_means())),)


def _counts(found: DataScores, told: Benchmark, name: str) -> bool:
    """Whether a data set of the run is this one of the benchmark, under its metric."""
    return (
        found.data.name == name
        and found.data.metric == told.sets[name]
        and any(found.data.metric in s.scores for s in found.systems)
    )


def mean_grid(found: Sequence[DataScores], told: Benchmark, run: Sequence[str]) -> Grid:
    """Rows by mean, best first; a system that was not run on all of `run` has no mean."""
    data = {each.data.name: each for each in found if each.data.name in run}
    names = list(dict.fromkeys(system.name for each in data.values() for system in each.systems))
    rows = [_ours(name, data, run) for name in names] + _theirs(run)
    lines = tuple(each for _, each in sorted(rows, key=lambda row: -row[0]))
    return Grid("Percent, by mean", ("system", *run, "mean", "checkpoint"), lines)


def _ours(name: str, data: Mapping[str, DataScores], run: Sequence[str]) -> tuple[float, Line]:
    scores = [_score(name, data[one]) for one in run]
    known = [score for score in scores if score is not None]
    mean = sum(known) / len(known) if len(known) == len(run) else None
    cells: list[str | Cell] = [*(percent(score) for score in scores), Cell(percent(mean), strong=True), "one; this run"]
    return (mean if mean is not None else -1.0), line((name, *cells), "here")


def _score(name: str, found: DataScores) -> float | None:
    """Of a system on a data set, if it was run and could be scored there."""
    told = [
        system.scores[found.data.metric]
        for system in found.systems
        if system.name == name and found.data.metric in system.scores
    ]
    return told[0].score if told else None


def _theirs(run: Sequence[str]) -> list[tuple[float, Line]]:
    """Published systems that have a score on every set that was run."""
    metric = benchmark().sets
    rows = [(one, row) for one in run for row in published(one) if row.metric == metric[one]]
    rows.sort(key=lambda pair: _who(pair[1]))
    found = []
    for _, group in groupby(rows, key=lambda pair: _who(pair[1])):
        scores = dict(group)
        if set(scores) == set(run):
            row, mean = next(iter(scores.values())), sum(each.score for each in scores.values()) / len(run)
            cells = (*(f"{scores[one].score:.2f}" for one in run), f"{mean:.2f}", row.checkpoint)
            found.append((mean / 100, line((f"{row.system} ({row.inputs})", *cells), "published")))
    return found


def _who(row: PublishedRow) -> tuple[str, str, str]:
    return row.system, row.inputs, row.source.citation


def _published_means() -> Part:
    """Systems of which only the mean over all nine sets was read."""
    nine = {_who(row) for row in published(next(iter(benchmark().sets)))}
    lines = tuple(
        line(
            (row.system, f"{row.score:.2f}", "; ".join(t for t in (row.protocol, row.source.citation, row.note) if t)),
            "published",
        )
        for row in reversed(means())
        if _who(row) not in nine
    )
    grid = Grid("Mean over all nine sets, as printed", ("system", "mean", "which checkpoint; source"), lines)
    return Part("Only a mean was published", grids=(grid,))
