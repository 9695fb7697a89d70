"""Tables of scores: systems of a run, published rows and floors in one order; what scores are made of; differences."""

from collections.abc import Iterator

from emer.bench.published import PublishedRow, published
from emer.bench.report_grids import Cell, Grid, Line, line, percent, percents
from emer.bench.report_likeness import comparable, unlike
from emer.bench.report_scores import DataScores
from emer.bench.run_seen import met_before
from emer.score.result import Score

FEW_SPEAKERS = 10


def main_grid(found: DataScores) -> Grid:
    """Systems of this run, published rows and floors in one order, so that a floor above a system is seen."""
    metric = found.data.metric
    rows = [*_ours(found), *_theirs(found), *_floors(found)]
    lines = tuple(each for _, each in sorted(rows, key=lambda row: -row[0]))
    headings = ("system", metric, "95 % interval", "clips", "skipped", "unknown words", "checkpoint", "source")
    return Grid(f"{metric}, percent, best first", headings, lines)


def _ours(found: DataScores) -> Iterator[tuple[float, Line]]:
    for system in found.systems:
        score = system.scores.get(found.data.metric)
        if score is None:
            why = system.refused.get(found.data.metric, "not scored")
            yield -1.0, line((system.name, "–", "–", "0", why, "–", "one", "this run"), "here")
            continue
        texts = (
            Cell(percent(score.score), strong=True),
            percents(score.interval),
            f"{score.n_scored:,}",
            skipped(score),
            percent(score.unknown_share, 1),
            "one",
            "this run",
        )
        yield score.score, line((system.name, *texts), "here")


def _theirs(found: DataScores) -> Iterator[tuple[float, Line]]:
    rows = comparable(found)
    sources = list(dict.fromkeys(row.source for row in rows))
    for row in rows:
        name = f"{row.system} ({row.inputs})"
        source = f"[{sources.index(row.source) + 1}]"
        told = "; ".join(text for text in (row.checkpoint, row.note) if text)
        texts = (f"{row.score:.2f}", "–", "–", "–", "–", told, source)
        yield row.score / 100, line((name, *texts), "published")


def _floors(found: DataScores) -> Iterator[tuple[float, Line]]:
    """Once each: all systems that were asked about the same clips have the same floors."""
    told: dict[tuple[str, str], tuple[float, int, list[str]]] = {}
    for system in found.systems:
        score = system.scores.get(found.data.metric)
        for name, value in (score.floors if score else {}).items():
            told.setdefault((name, percent(value)), (value, score.n_scored if score else 0, []))[2].append(system.name)
    for (name, text), (value, n, systems) in told.items():
        whose = "" if len(systems) == len(found.systems) else f", on the clips of {', '.join(systems)}"
        always = name if name.startswith("always") else f"always {name}"
        yield value, line((f"{always}{whose}", text, "–", f"{n:,}", "–", "–", "–", "floor"), "floor")


def skipped(score: Score) -> str:
    """How many clips and why."""
    reasons = [(n, reason) for reason, n in score.skipped.items() if n]
    if len(reasons) == 1:
        return f"{score.n_skipped:,}: {reasons[0][1]}"
    return f"{score.n_skipped:,}" + (f": {', '.join(f'{n:,} {reason}' for n, reason in reasons)}" if reasons else "")


def cited(row: PublishedRow) -> str:
    """Citation, table, and in which form the number was read."""
    return f"{row.source.citation}, {row.source.table}; read in {row.source.seen_in}"


def _tables(score: Score) -> str:
    return f"{score.tables.name}, sha256 {score.tables.sha256[:16]}" if score.tables else "none"


def score_words(found: DataScores) -> Iterator[str]:
    if apart := unlike(found):
        yield f"Not like with like: {'; '.join(apart)}."
    tables = {_tables(score) for system in found.systems for score in system.scores.values() if score.tables}
    if tables:
        yield f"Emotion tables: {'; '.join(sorted(tables))}."
    rows = comparable(found)
    for number, source in enumerate(dict.fromkeys(row.source for row in rows), 1):
        yield f"[{number}] {source.citation}, {source.table}; read in {source.seen_in}."
    for checkpoint, means in sorted({(row.checkpoint, row.protocol) for row in rows}):
        yield f"Checkpoint “{checkpoint}”: {means}."
    others = [row for row in published(found.data.name) if row.metric != found.data.metric]
    if others:
        told = "; ".join(f"{row.system} {row.score:g} ({row.metric}; {cited(row)})" for row in others)
        yield f"Published under other metrics, not comparable with this table: {told}."
    for name, met in found.data.seen.items():
        if words := met_before(met, name, len(found.data.gold)):
            yield f"{words}."
    for system in found.systems:
        answers = found.data.systems[system.name]
        scored = zip(system.judged.names, system.judged.risk.tolist(), strict=True)
        if lucky := sum(risk == 0 and answers[name].error is not None for name, risk in scored):
            yield f"{system.name}: {lucky:,} of its failures are on clips without a gold label, and count as right."
    if few := _few_speakers(found):
        yield few
    partly = [s.name for s in found.systems if len(s.truths) < len(found.data.gold)]
    if partly:
        yield f"Unfinished: {', '.join(partly)}. Scores are over the clips that were answered so far."


def _few_speakers(found: DataScores) -> str:
    """Under about ten speakers, resampling them shows too little spread (`emer.metrics.bootstrap`)."""
    speakers = {truth.speaker for truth in found.data.gold} - {None}
    if not 1 < len(speakers) < FEW_SPEAKERS:
        return ""
    return f"Intervals resample {len(speakers)} speakers; with so few they are too narrow."


def further_grids(found: DataScores) -> tuple[Grid, ...]:
    """What the metric is made of (precision, recall, …), and the other metrics that the configuration asks for."""
    parts = {system.name: dict(_fractions(system.scores.get(found.data.metric))) for system in found.systems}
    names = list(dict.fromkeys(name for told in parts.values() for name in told))
    lines = [line((s, *(percent(told.get(name)) for name in names)), "here") for s, told in parts.items()]
    made_of = Grid(f"Beside {found.data.metric}, percent", ("system", *(_spaced(n) for n in names)), tuple(lines))
    others = _other_metrics(found)
    return (*((made_of,) if names else ()), *((others,) if others.lines else ()))


def _fractions(score: Score | None) -> Iterator[tuple[str, float]]:
    """Plain fractions among the details of a score that are not the score again."""
    for name, value in (score.detail if score else {}).items():
        if score and isinstance(value, float) and 0 <= value <= 1 and value != score.score:
            yield name, value


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _other_metrics(found: DataScores) -> Grid:
    lines = []
    for system in found.systems:
        for metric, score in system.scores.items():
            if metric != found.data.metric:
                texts = (system.name, percent(score.score), percents(score.interval), f"{score.n_scored:,}")
                lines.append(line((metric, *texts, best_floor(score)), "here"))
        for metric, why in system.refused.items():
            lines.append(line((metric, system.name, "–", "–", "0", why), "here"))
    headings = ("metric", "system", "percent", "95 % interval", "clips", "highest floor")
    return Grid("Further metrics", headings, tuple(lines))


def best_floor(score: Score) -> str:
    if not score.floors:
        return "–"
    name, value = max(score.floors.items(), key=lambda item: item[1])
    return f"{percent(value)} ({name})"


def gap_grids(found: DataScores) -> tuple[Grid, ...]:
    """Paired differences; an interval without 0 tells two systems apart."""
    lines = [
        line(
            (
                f"{gap.first} − {gap.second}",
                f"{100 * gap.score.score:+.2f}",
                percents(gap.score.interval),
                f"{gap.score.n_scored:,}",
                _verdict(gap.score),
            ),
            "here",
        )
        for gap in found.gaps
    ]
    headings = ("pair", "difference", "95 % interval", "clips", "told apart")
    caption = f"Paired differences of {found.data.metric}, percentage points, on the clips of both"
    return (Grid(caption, headings, tuple(lines)),) if lines else ()


def _verdict(score: Score) -> str:
    if score.interval is None:
        return "no interval was asked for"
    low, high = score.interval
    return "yes" if low > 0 or high < 0 else "no"
