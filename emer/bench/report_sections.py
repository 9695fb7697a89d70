"""What is told of one data set: its scores among published ones and floors, confidence, explanations, failures."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from emer.bench.published import PublishedRow, note, published
from emer.bench.report_confusion import confusions
from emer.bench.report_grids import Cell, Drawing, Grid, Line, Part, Section, line, percent, percents, plural
from emer.bench.report_scores import DataScores, SystemScores
from emer.bench.report_worst import Worst, worst_grid
from emer.metrics.claims import STATUSES
from emer.score.result import Score

NOT_VALIDATED = "Automatic scores of explanations: not validated against people."
SELF_TEST = "self-test, no result"
NAMED_REASONS = 3


def section(found: DataScores, drawings: Sequence[Drawing], worst: Sequence[Worst]) -> Section:
    """Everything about one data set, in the order in which it should be read."""
    return Section(
        title=found.data.record.title,
        facts=tuple(facts(found)),
        parts=(
            Part("Scores", tuple(_words(found)), (main_grid(found), *further_grids(found))),
            Part("Differences between systems", grids=gap_grids(found)),
            Part("What was answered", grids=(answered_grid(found),)),
            Part("Trusted clips and the rest", _trust_words(found), trust_grids(found)),
            Part("Confidence", grids=selective_grids(found), drawings=tuple(drawings)),
            Part("Gold and predicted labels", grids=confusions(found)),
            Part("Explanations", (NOT_VALIDATED,), claims_grids(found))
            if claims_grids(found)
            else Part("Explanations"),
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
        yield "Not there", f"no score counts them; missing/{data.name}.txt lists all {len(data.missing)}"
    if not record.verified:
        yield "verified", "false: layout and counts were not held against the release itself"
    if record.note:
        yield "Note", record.note
    if told := note(data.name):
        yield "Published", told
    yield "Rows", f"sha256 {record.sha256[:16]}"


# ---------------------------------------------------------------- scores


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
        name = f"{row.system} ({row.inputs}){'; ' if row.note else ''}{row.note}"
        source = f"[{sources.index(row.source) + 1}]"
        texts = (f"{row.score:.2f}", "–", "–", "–", "–", row.checkpoint, source)
        yield row.score / 100, line((name, *texts), "published")


def comparable(found: DataScores) -> list[PublishedRow]:
    """Published rows of the metric that is reported."""
    return [row for row in published(found.data.name) if row.metric == found.data.metric]


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
    reasons = ", ".join(f"{n:,} {reason}" for reason, n in score.skipped.items() if n)
    return f"{score.n_skipped:,}: {reasons}" if reasons else f"{score.n_skipped:,}"


def cited(row: PublishedRow) -> str:
    """Citation, table, and in which form the number was read."""
    return f"{row.source.citation}, {row.source.table}; read in {row.source.seen_in}"


def _tables(score: Score) -> str:
    return f"{score.tables.name}, sha256 {score.tables.sha256[:16]}" if score.tables else "none"


def _words(found: DataScores) -> Iterator[str]:
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
    partly = [s.name for s in found.systems if len(s.truths) < len(found.data.gold)]
    if partly:
        yield f"Unfinished: {', '.join(partly)}. Scores are over the clips that were answered so far."


def further_grids(found: DataScores) -> tuple[Grid, ...]:
    """The other metrics that the configuration asks for, and precision and recall where a metric has them."""
    lines = []
    for system in found.systems:
        for metric, score in system.scores.items():
            lines += _detail_lines(system.name, metric, score) if metric == found.data.metric else []
            if metric != found.data.metric:
                texts = (percent(score.score), percents(score.interval), f"{score.n_scored:,}", _best_floor(score))
                lines.append(line((f"{system.name}: {metric}", *texts), "here"))
        for metric, why in system.refused.items():
            lines.append(line((f"{system.name}: {metric}", "–", "–", "0", why), "here"))
    headings = ("system and figure", "percent", "95 % interval", "clips scored", "highest floor")
    return (Grid("Further figures", headings, tuple(lines)),) if lines else ()


def _detail_lines(system: str, metric: str, score: Score) -> list[Line]:
    """Plain fractions among the details of a metric: precision, recall, each wheel."""
    return [
        line((f"{system}: {name} of {metric}", percent(float(value)), "–", f"{score.n_scored:,}", "–"), "here")
        for name, value in score.detail.items()
        if isinstance(value, float) and 0 <= value <= 1 and value != score.score
    ]


def _best_floor(score: Score) -> str:
    if not score.floors:
        return "–"
    name, value = max(score.floors.items(), key=lambda item: item[1])
    return f"{percent(value)} (always {name})"


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


# ---------------------------------------------------------------- answers, trust, confidence


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


def _trust_words(found: DataScores) -> tuple[str, ...]:
    if not any(system.trust.trusted or system.trust.rest for system in found.systems):
        return ()
    return (
        "Trusted is what a system says of a clip itself, by a threshold that was fitted elsewhere. A trusted F1 says "
        "something only beside its floor, the F1 of trusting every clip.",
    )


def trust_grids(found: DataScores) -> tuple[Grid, ...]:
    """Both parts of each system that tells them apart, and trusted scores where answers are right or wrong."""
    telling = [system for system in found.systems if system.trust.trusted or system.trust.rest]
    parts = [_trust_line(system, found.data.metric) for system in telling]
    flags = [_flags_line(system) for system in telling if system.trust.flags]
    heads = (
        "system",
        "trusted",
        "coverage",
        "score of trusted",
        "interval",
        "the rest",
        "score of the rest",
        "interval",
    )
    told = ("system", "precision", "recall", "F1", "floor", "gain", "accuracy", "coverage", "clips")
    grids = (
        [Grid(f"{found.data.metric} of trusted clips and of the rest, percent", heads, tuple(parts))] if parts else []
    )
    grids += [Grid("Trusted scores of clips, percent", told, tuple(flags))] if flags else []
    return tuple(grids)


def _trust_line(system: SystemScores, metric: str) -> Line:
    trust = system.trust
    known = trust.n_trusted + trust.n_rest
    cells: list[str] = [f"{trust.n_trusted:,}", percent(trust.n_trusted / known if known else None, 1)]
    for n, score in ((None, trust.trusted), (trust.n_rest, trust.rest)):
        cells += [] if n is None else [f"{n:,}"]
        cells += ["–", "–"] if score is None else [percent(score.score), percents(score.interval)]
    return line((system.name, *cells), "here")


def _flags_line(system: SystemScores) -> Line:
    flags = system.trust.flags
    assert flags is not None
    values = (flags.precision, flags.recall, flags.f1, flags.floor, flags.gain, flags.accuracy, flags.coverage)
    return line((system.name, *(percent(value, 1) for value in values), f"{flags.n:,}"), "here")


def selective_grids(found: DataScores) -> tuple[Grid, ...]:
    """Does confidence rank answers by how good they are?"""
    lines = [
        line(
            (
                system.name,
                f"{told.aurc:.4f}",
                f"{told.e_aurc:.4f}",
                "–" if told.auroc is None else f"{told.auroc:.3f}",
                f"{told.risk:.4f}",
                f"{told.n:,}",
            ),
            "here",
        )
        for system in found.systems
        if (told := system.selective)
    ]
    if not lines:
        return ()
    meaning = found.systems[0].judged.risk_means
    headings = ("system", "AURC", "E-AURC", "AUROC", "risk of all", "clips")
    return (Grid(f"Selective prediction ({meaning}); smaller is better but for AUROC", headings, tuple(lines)),)


# ---------------------------------------------------------------- explanations and failures


def claims_grids(found: DataScores) -> tuple[Grid, ...]:
    """Claims by grounding status; a composer's own text is a self-test, in a table of its own."""
    return tuple(
        Grid(caption, ("system", *STATUSES, "claims a clip", "claims", "clips without"), tuple(lines))
        for self_test, caption in (
            (False, "Claims by grounding status, percent of all claims"),
            (
                True,
                f"Claims by grounding status, percent of all claims ({SELF_TEST}: text and check read the same clues)",
            ),
        )
        if (lines := list(_claim_lines(found.systems, self_test)))
    )


def _claim_lines(systems: Iterable[SystemScores], self_test: bool) -> Iterator[Line]:
    for system in systems:
        told = system.claims
        if told is not None and told.self_test == self_test:
            shares = [f"{percent(s.score, 1)} {percents((s.low, s.high))}" for s in (told.shares[n] for n in STATUSES)]
            counts = (f"{told.per_clip.score:.2f}", f"{told.n_claims:,}", f"{told.n_silent:,} of {told.n_clips:,}")
            yield line((system.name, *shares, *counts), "here")


def failure_grids(found: DataScores) -> tuple[Grid, ...]:
    """Kinds of failures, most frequent first, with the first few reasons in their own words."""
    lines = [
        line((system.name, kind, f"{n:,}", " | ".join(reasons)))
        for system in found.systems
        for kind, (n, reasons) in system.failures.items()
    ]
    return (
        (Grid("Clips without an answer", ("system", "kind", "clips", "first reasons"), tuple(lines)),) if lines else ()
    )
