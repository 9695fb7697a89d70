"""From the predictions of `emer bench evidence` to its report: answers, sections, pictures, results.json."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emer.bench import plots
from emer.bench.answers import Answers, Fold, answers
from emer.bench.configuration import BenchConfig, BenchData
from emer.bench.evidence_report import Grid
from emer.bench.extras import disagreement_grid, disturbed_grids, foreign_grids
from emer.bench.foreign import Foreign, foreign
from emer.bench.label_sets import label_set_grid
from emer.bench.predictions import Predictions, read
from emer.bench.scoring import Scores, figures, scores
from emer.bench.sections import Claim, Picture, Section, Table, claims, section
from emer.bench.training import Piece, trainings
from emer.data.splits import Split
from emer.errors import ConfigError

ByMethod = dict[str, list[Answers]]
SHOWN = ("emer", "softmax_concat", "softmax_ensemble", "tmc", "ecml", "lddu", "tical_derived")
"""Methods that have a colour in the plots; the others are grey."""


@dataclass(frozen=True, slots=True)
class Disturbed:
    """Scores at each level of one corruption, `methods[name][level]` a list over seeds; level 0 is undisturbed."""

    about: str
    levels: tuple[float | str, ...]
    methods: dict[str, tuple[tuple[Scores, ...], ...]]


@dataclass(frozen=True, slots=True)
class Result:
    """All that is told of one data set."""

    data: BenchData
    section: Section
    extras: tuple[Grid, ...]
    """Tables beside those of the section: disturbed clips, foreign clips, conflict and disagreement."""
    disturbed: dict[str, Disturbed]
    foreign: Foreign | None


def result(config: BenchConfig, data: BenchData, say: Callable[[str], None]) -> Result | None:
    """Score one data set and draw its pictures; None where no method has finished on it.

    Methods with pieces missing are left out and named, so that no table compares different seeds or folds.
    """
    folder = Path(config.out)
    done = {name: _seeds(config, data, name) for name in config.methods_on(data)}
    unfinished = [name for name, seeds in done.items() if len(seeds) < len(config.seeds)]
    if unfinished:
        say(f"{data.name}: {', '.join(unfinished)} left out: not all seeds and folds are there")
    methods: ByMethod = {
        name: [answers(folds_of_seed(config, data, name, seed), target_risk=config.target_risk) for seed in seeds]
        for name, seeds in done.items()
        if name not in unfinished
    }
    if not methods:
        return None
    disturbed = _disturbed(config, data, methods) if data.corrupted else {}
    abroad = foreign(config, data, list(methods), held_out, _folds_last) if data.elsewhere else None
    pictures = [*_pictures(data, methods, folder), *_disturbed_pictures(data, disturbed, folder)]
    if abroad is not None:
        pictures.append(_foreign_picture(data, abroad, folder))
    note = " ".join(part for part in (data.note, _left_out(unfinished)) if part)
    told = section(
        data.title,
        methods,
        ours=config.ours,
        baselines=config.baselines,
        single=config.single,
        note=note,
        pictures=pictures,
        replicates=config.replicates,
    )
    if data.unseen:
        told = replace(told, claims=_claims(config, data, list(methods)))
    sets = label_set_grid(list(methods), config.seeds, lambda name, seed: folds_of_seed(config, data, name, seed))
    extras = (*_extras(methods, disturbed, abroad), *([sets] if sets else []))
    return Result(data, told, extras, disturbed, abroad)


def _extras(methods: ByMethod, disturbed: Mapping[str, Disturbed], abroad: Foreign | None) -> Iterator[Grid]:
    for each in disturbed.values():
        yield from disturbed_grids(each.about, each.levels, each.methods)
    if abroad is not None:
        yield from foreign_grids(abroad)
    if (grid := disagreement_grid(methods)) is not None:
        yield grid


def as_json(result: Result) -> dict[str, Any]:
    """The numbers of one data set, for results.json."""
    table, apart = result.section.table, result.section.disagree
    return {
        "title": result.data.title,
        "note": result.section.note,
        "calibrated_on": list(result.data.calibrate_on),
        "all": _table_json(table),
        "disagree": None if apart is None else _table_json(apart),
        "claims": list(result.section.claims),
        "disturbed": {
            name: {
                "levels": list(each.levels),
                "methods": {m: [[figures(s) for s in seeds] for seeds in by] for m, by in each.methods.items()},
            }
            for name, each in result.disturbed.items()
        },
        "elsewhere": None if result.foreign is None else result.foreign.as_json(),
    }


def _table_json(table: Table) -> dict[str, Any]:
    return {
        "n": table.n,
        "speakers": table.speakers,
        "seeds": table.seeds,
        "methods": {name: [figures(one) for one in seeds] for name, seeds in table.scores.items()},
        "best": table.best,
        "beside_best": table.beside_best,
    }


def _claims(config: BenchConfig, data: BenchData, methods: Sequence[str]) -> tuple[Claim, ...]:
    """Claims on the folds alone whose test rows had no part in choosing a preset."""
    if unknown := sorted(set(data.unseen) - set(trainings(data.name))):
        raise ConfigError(f"{data.name} has no fold {', '.join(unknown)}; it has {', '.join(trainings(data.name))}")
    seen: ByMethod = {
        name: [
            answers(folds_of_seed(config, data, name, seed, data.unseen), target_risk=config.target_risk)
            for seed in config.seeds
        ]
        for name in methods
    }
    found = claims(
        seen, ours=config.ours, baselines=config.baselines, single=config.single, replicates=config.replicates
    )
    where = f"on {', '.join(data.unseen)}"
    return tuple(replace(claim, text=f"{claim.text} ({where})") for claim in found)


# ---------------------------------------------------------------- reading predictions


def folds_of_seed(
    config: BenchConfig, data: BenchData, method: str, seed: int, only: Collection[str] = ()
) -> list[Fold]:
    """Calibration and test predictions of every fold (or of those named), from one seed."""
    made = []
    for name, served in trainings(data.name).items():
        if only and name not in only:
            continue
        held = read(Piece(data.name, method, name, seed).file(Path(config.out)))
        made += [held_out(data, fold, held) for fold in served]
    return made


def held_out(data: BenchData, fold: Split, held: Predictions, test: Predictions | None = None) -> Fold:
    """The rows of a fold that calibrate, and those that are tested (or `test` in their place)."""
    calibrating = {member for part in data.calibrate_on for member in fold.members(part)}
    return Fold(_of(held, fold, calibrating), _of(held if test is None else test, fold, set(fold.test)))


def _of(predictions: Predictions, fold: Split, members: set[str]) -> Predictions:
    keys: Sequence[str] = predictions.rows if fold.unit == "row" else predictions.speakers or ()
    return predictions.take([i for i, key in enumerate(keys) if key in members])


def _seeds(config: BenchConfig, data: BenchData, method: str) -> list[int]:
    """Seeds of which every fold is finished."""
    folder = Path(config.out)
    names = list(trainings(data.name))
    return [
        seed
        for seed in config.seeds
        if all(Piece(data.name, method, name, seed).file(folder).is_file() for name in names)
    ]


def _folds_last(data: BenchData) -> tuple[str, tuple[Split, ...]]:
    """The last training of a data set and the folds it serves: disturbed and foreign rows are shown to that one."""
    return list(trainings(data.name).items())[-1]


def _left_out(names: Sequence[str]) -> str:
    return f"Not finished, hence not shown: {', '.join(names)}." if names else ""


# ---------------------------------------------------------------- corruption


def _disturbed(config: BenchConfig, data: BenchData, methods: ByMethod) -> dict[str, Disturbed]:
    how = config.corruptions
    views = _views(config, data)
    plans: dict[str, tuple[str, tuple[float | str, ...]]] = {
        "gaussian": ("standard deviations of noise on all views", (0.0, *how.gaussian))
    }
    if len(views) > 1:
        plans["swapped"] = ("share of clips with one view from another", (0.0, *how.swapped))
        if how.missing:
            plans["missing"] = ("view taken out", ("all views", *views))
    return {
        name: Disturbed(
            about,
            levels,
            {
                method: tuple(
                    tuple(_scores_at(config, data, method, seed, name, level) for seed in config.seeds)
                    for level in levels
                )
                for method in methods
            },
        )
        for name, (about, levels) in plans.items()
    }


def _scores_at(config: BenchConfig, data: BenchData, method: str, seed: int, how: str, level: float | str) -> Scores:
    """Scores of the last fold's test rows at one level; temperature and thresholds are from undisturbed rows."""
    name, served = _folds_last(data)
    piece, folder = Piece(data.name, method, name, seed), Path(config.out)
    held, test = read(piece.file(folder)), None
    if level not in (0.0, "all views"):
        shown = level if isinstance(level, str) else f"{level:g}"
        test = read(piece.extra(folder, f"{how}-{shown}"))
    folds = [held_out(data, fold, held, test) for fold in served]
    plain = [replace(fold, calibration=_undisputed(fold.calibration), test=_undisputed(fold.test)) for fold in folds]
    return scores(answers(plain, target_risk=config.target_risk))


def _undisputed(predictions: Predictions) -> Predictions:
    return replace(predictions, disagree=None)


def _views(config: BenchConfig, data: BenchData) -> tuple[str, ...]:
    """Names of the views that were taken out, from the files that hold what was said without them."""
    name, _ = _folds_last(data)
    piece = Piece(data.name, config.methods_on(data)[0], name, config.seeds[0])
    stem = f"{piece.fold}-seed{piece.seed}-missing-"
    found = sorted(path.stem.removeprefix(stem) for path in piece.file(Path(config.out)).parent.glob(f"{stem}*.npz"))
    return tuple(found)


# ---------------------------------------------------------------- pictures


def _pictures(data: BenchData, methods: ByMethod, folder: Path) -> list[Picture]:
    reliability, curves = f"plots/{data.name}-reliability.png", f"plots/{data.name}-risk.png"
    plots.reliability_diagrams(methods, folder / reliability)
    plots.risk_coverage_curves(methods, folder / curves, shown=SHOWN)
    return [
        Picture(reliability, f"{data.title}: share right against confidence, method by method"),
        Picture(curves, f"{data.title}: risk against coverage"),
    ]


def _disturbed_pictures(data: BenchData, disturbed: Mapping[str, Disturbed], folder: Path) -> list[Picture]:
    made = []
    for name, each in disturbed.items():
        path = f"plots/{data.name}-{name}.png"
        if name == "missing":
            by_view = {m: dict(zip(map(str, each.levels), by, strict=True)) for m, by in each.methods.items()}
            plots.missing_views(by_view, folder / path)
        else:
            plots.corruption_curves(
                [float(level) for level in each.levels], each.methods, folder / path, axis=each.about, shown=SHOWN
            )
        made.append(Picture(path, f"{data.title}: accuracy, uncertainty and conflict; {each.about}"))
    return made


def _foreign_picture(data: BenchData, abroad: Foreign, folder: Path) -> Picture:
    path = f"plots/{data.name}-elsewhere.png"
    shown = {name: told for name, told in abroad.confidence.items() if name in SHOWN}
    plots.out_of_domain(shown, folder / path)
    return Picture(path, f"{data.title}: confidence on its own test clips and on foreign sounds")
