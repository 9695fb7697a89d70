"""Tables of explanations and of clips without an answer."""

from collections.abc import Iterable, Iterator

from emer.bench.report_grids import Grid, Line, Part, line, percent, percents, short
from emer.bench.report_score_grids import best_floor
from emer.bench.report_scores import DataScores, SystemScores
from emer.metrics.bootstrap import Interval
from emer.metrics.claims import STATUSES

NOT_VALIDATED = "Automatic scores of explanations: not validated against people."
SELF_TEST = "self-test, no result"


def explanations(found: DataScores) -> Part:
    grids = (*claims_grids(found), *reference_grids(found))
    return Part("Explanations", (NOT_VALIDATED,) if grids else (), grids)


def reference_grids(found: DataScores) -> tuple[Grid, ...]:
    """Explanations against those that people wrote, with the floor of another clip's explanation."""
    lines = [
        line(
            (
                system.name,
                each.metric,
                percent(each.score),
                percents(each.interval),
                f"{each.n_scored:,}",
                best_floor(each),
            ),
            "here",
        )
        for system in found.systems
        for each in system.explanations
    ]
    headings = ("system", "score", "percent", "95 % interval", "clips", "highest floor")
    return (Grid("Against reference explanations", headings, tuple(lines)),) if lines else ()


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
            shares = [_share(told.shares[status]) for status in STATUSES]
            counts = (f"{told.per_clip.score:.2f}", f"{told.n_claims:,}", f"{told.n_silent:,} of {told.n_clips:,}")
            yield line((system.name, *shares, *counts), "here")


def _share(found: Interval) -> str:
    """A single replicate is no interval: none was asked for."""
    interval = f" {percents((found.low, found.high))}" if found.replicates > 1 else ""
    return f"{percent(found.score, 1)}{interval}"


def failure_grids(found: DataScores) -> tuple[Grid, ...]:
    """Kinds of failures, most frequent first, with the first few reasons in their own words."""
    lines = [
        line((system.name, kind, f"{n:,}", " | ".join(short(reason) for reason in reasons)))
        for system in found.systems
        for kind, (n, reasons) in system.failures.items()
    ]
    return (
        (Grid("Clips without an answer", ("system", "kind", "clips", "first reasons"), tuple(lines)),) if lines else ()
    )
