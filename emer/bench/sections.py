"""One data set's results: the table of all methods, the same on rows where people disagree, and what was claimed.

Claims are checked here and told as held or missed, so that no report can leave a miss out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np

from emer.bench.answers import Answers
from emer.bench.comparison import Comparison, Measure, Spread, beside_best, best_method, compare, spreads
from emer.bench.predictions import Kind
from emer.bench.scoring import Scores, scores
from emer.errors import ConfigError
from emer.metrics.bootstrap import REPLICATES

ByMethod = Mapping[str, Sequence[Answers]]
"""Answers of each method, one a seed, in the order of the table."""


@dataclass(frozen=True, slots=True)
class Table:
    """All methods on the same rows."""

    kind: Kind
    n: int
    speakers: int | None
    """How many; None where nobody knows."""
    seeds: int
    """The most that any method has; an ensemble of all seeds is one."""
    target_risk: float | None
    """What `at_risk` thresholds were to keep on calibration rows."""
    scores: dict[str, tuple[Scores, ...]]
    """Of each method, one a seed."""
    spreads: dict[str, dict[str, Spread]]
    """Mean and standard deviation over seeds of each figure."""
    best: dict[Measure, str]
    """The best method by each measure."""
    beside_best: dict[Measure, dict[str, Comparison]]
    """The others, compared with it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that was to be shown, and whether it was."""

    text: str
    held: bool
    figures: str


@dataclass(frozen=True, slots=True)
class Picture:
    path: str
    """Where it lies, relative to the report."""
    about: str
    """What is seen, for those who cannot see it."""


@dataclass(frozen=True, slots=True)
class Section:
    """What the report says of one data set."""

    title: str
    note: str
    """What the reader must know of the data: splits, rows left out."""
    table: Table
    disagree: Table | None
    """The rows where people heard and saw different emotions; None where that is not known."""
    claims: tuple[Claim, ...]
    pictures: tuple[Picture, ...] = field(default=())


def section(
    title: str,
    methods: ByMethod,
    *,
    ours: str = "emer",
    baselines: Sequence[str] = (),
    single: Sequence[str] = (),
    note: str = "",
    pictures: Sequence[Picture] = (),
    replicates: int = REPLICATES,
) -> Section:
    """Scores, comparisons and claims of one data set.

    `baselines` are the softmax methods that `ours` must not lose to, `single` those of them that cost one model; the
    others are ensembles. Names that are not among the methods are passed over.
    """
    return Section(
        title=title,
        note=note,
        table=table(methods, replicates=replicates),
        disagree=disagreeing(methods, replicates=replicates),
        claims=claims(methods, ours=ours, baselines=baselines, single=single, replicates=replicates),
        pictures=tuple(pictures),
    )


def table(methods: ByMethod, *, replicates: int = REPLICATES) -> Table:
    """All scores of all methods, and every method beside the best one by each measure."""
    if not methods or not all(methods.values()):
        raise ConfigError("a table needs at least one method, and each method the answers of at least one seed")
    some = next(iter(methods.values()))[0]
    scored = {name: tuple(scores(each) for each in seeds) for name, seeds in methods.items()}
    measures: tuple[Measure, ...] = get_args(Measure)
    return Table(
        kind=some.kind,
        n=len(some.rows),
        speakers=None if some.speakers is None else len(set(some.speakers)),
        seeds=max(len(seeds) for seeds in methods.values()),
        target_risk=some.fitted[0].at_risk.target,
        scores=scored,
        spreads={name: spreads(seeds) for name, seeds in scored.items()},
        best={measure: best_method(methods, measure) for measure in measures},
        beside_best={measure: beside_best(methods, measure, replicates=replicates) for measure in measures},
    )


def disagreeing(methods: ByMethod, *, replicates: int = REPLICATES) -> Table | None:
    """The table of the rows where voice and face votes disagree; temperature and thresholds stay as they were."""
    apart: dict[str, list[Answers]] = {}
    for name, seeds in methods.items():
        for each in seeds:
            if each.disagree is None or not each.disagree.any():
                return None
            apart.setdefault(name, []).append(each.take(each.disagree))
    return table(apart, replicates=replicates)


# ---------------------------------------------------------------- claims


def claims(
    methods: ByMethod,
    *,
    ours: str,
    baselines: Sequence[str] = (),
    single: Sequence[str] = (),
    replicates: int = REPLICATES,
) -> tuple[Claim, ...]:
    """What `ours` is to show on one data set; none where it does not run there."""
    if ours not in methods:
        return ()
    present = [name for name in baselines if name in methods]
    alone = [name for name in single if name in methods]
    ensembles = [name for name in present if name not in alone]
    right = "accuracy" if methods[ours][0].kind == "dirichlet" else "sample F1"
    wanted: tuple[tuple[str, Measure, Sequence[str]], ...] = (
        ("best AURC, or not shown worse than the best", "aurc", list(methods)),
        ("NLL not shown worse than temperature-scaled softmax", "nll", alone),
        ("Brier score not shown worse than temperature-scaled softmax", "brier", alone),
        (f"{right} not shown worse than the best softmax baseline", "accuracy", present),
        ("AURC not shown worse than that of the ensemble", "aurc", ensembles),
    )
    told = [_against(f"{ours}: {text}", by, methods, ours, others, replicates) for text, by, others in wanted]
    return (_calibrated(methods[ours], ours), *(claim for claim in told if claim is not None))


def _against(
    text: str, measure: Measure, methods: ByMethod, ours: str, others: Sequence[str], replicates: int
) -> Claim | None:
    """Ours against the best of the others by this measure; None where there are none."""
    rivals = {name: methods[name] for name in others if name != ours}
    if not rivals:
        return None
    best = best_method(rivals, measure)
    found = compare(methods[ours], rivals[best], measure, replicates=replicates)
    told = f"{ours} less {best}: {found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}], {found.finding}"
    return Claim(text, found.finding != "worse", told)


def _calibrated(seeds: Sequence[Answers], ours: str) -> Claim:
    found = [scores(each) for each in seeds]
    error, band = (float(np.mean([getattr(each, name) for each in found])) for name in ("ece", "ece_band"))
    inside = sum(each.inside for each in found)
    told = f"ECE {error:.4f}, band up to {band:.4f} (means over seeds); inside in {inside} of {len(found)} seeds"
    return Claim(f"{ours}: ECE inside the 95 % band of perfect calibration", error <= band, told)
