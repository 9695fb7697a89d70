"""What the report tells beside its tables: disturbed clips, foreign clips, and conflict against human disagreement."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from emer.bench.answers import Answers
from emer.bench.evidence_report import Cell, Grid
from emer.bench.foreign import Abroad, Foreign
from emer.bench.scoring import Scores, disagreement_auroc


def disturbed_grids(
    about: str, levels: Sequence[float | str], methods: Mapping[str, Sequence[Sequence[Scores]]]
) -> tuple[Grid, ...]:
    """Accuracy, mean u and mean conflict at every level, means over seeds; `methods[name][level]` one score a seed."""
    told: tuple[tuple[str, Callable[[Scores], float | None]], ...] = (
        ("accuracy", lambda one: one.accuracy),
        ("sample F1", lambda one: None if one.sets is None else one.sets.sample_f1),
        ("mean u", lambda one: one.uncertainty),
        ("mean conflict", lambda one: one.conflict),
    )
    headings = ("method", *(level if isinstance(level, str) else f"{level:g}" for level in levels))
    grids = []
    for name, figure in told:
        lines = [(Cell(method), *(_cell([figure(s) for s in seeds]) for seeds in by)) for method, by in methods.items()]
        kept = tuple(line for line in lines if any(cell.text != "–" for cell in line[1:]))
        if kept:
            grids.append(Grid(f"{name}, by {about}", headings, kept))
    return tuple(grids)


def foreign_grids(found: Foreign) -> tuple[Grid, ...]:
    """A table per foreign source, and one for what the density of the features says."""
    made = [
        Grid(
            f"{source} (n = {next(iter(found.methods.values()))[source].n})",
            (
                "method",
                "AUROC of flagging by confidence",
                "by u",
                "confidence",
                "at home",
                "accuracy",
                "at home",
                "AURC",
                "ECE",
                "at home",
            ),
            tuple(_abroad(name, found.known[name], told[source]) for name, told in found.methods.items()),
        )
        for source in next(iter(found.methods.values()))
    ]
    told = tuple(
        (Cell(source), _number(auroc), Cell(f"{share:.0%}")) for source, (auroc, share) in found.domain.items()
    )
    headings = ("clips", "AUROC of flagging", "called out of domain")
    return (*made, Grid("what out_of_domain says: distance of the features", headings, told))


def disagreement_grid(methods: Mapping[str, Sequence[Answers]]) -> Grid | None:
    """Conflict between voice and face against the disagreement of people; None where that is not known."""
    lines = []
    for name, seeds in methods.items():
        known = [auroc for each in seeds if (auroc := disagreement_auroc(each)) is not None]
        if known:
            lines.append((Cell(name), _number(float(np.mean(known)))))
    caption = "AUROC with which conflict between the views finds clips where people disagree (votes define both)"
    return Grid(caption, ("method", "AUROC"), tuple(lines)) if lines else None


def _abroad(name: str, home: Abroad, there: Abroad) -> tuple[Cell, ...]:
    return (
        Cell(name),
        _number(there.flagged_by_confidence),
        _number(there.flagged_by_uncertainty),
        _number(there.confidence),
        _number(home.confidence),
        _number(there.accuracy),
        _number(home.accuracy),
        _number(there.aurc),
        _number(there.ece),
        _number(home.ece),
    )


def _cell(values: Sequence[float | None]) -> Cell:
    known = [value for value in values if value is not None]
    return _number(float(np.mean(known)) if known else None)


def _number(value: float | None) -> Cell:
    return Cell("–" if value is None else f"{value:.3f}".replace("0.", ".", 1))
