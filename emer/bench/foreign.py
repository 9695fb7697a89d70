"""Methods on data unlike those they were trained on: are they less sure there, and do they notice?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float64

from emer.bench.answers import Answers, Fold, answers
from emer.bench.configuration import BenchConfig, BenchData
from emer.bench.predictions import Predictions, read
from emer.bench.scoring import scores, told_apart
from emer.bench.training import Piece
from emer.data.splits import Split
from emer.data.tables import FeatureTable
from emer.evidence.domain import Measured, distances, fit_domain
from emer.training.heads import measured
from emer.training.sources import parts_of, table_named

Folds: TypeAlias = Callable[[BenchData], tuple[str, tuple[Split, ...]]]
HeldOut: TypeAlias = Callable[..., Fold]


@dataclass(frozen=True, slots=True)
class Abroad:
    """One method on one foreign source, means over seeds."""

    n: int
    flagged_by_confidence: float
    """AUROC of telling foreign from known test clips by low calibrated confidence."""
    flagged_by_uncertainty: float | None
    """The same by u; None without evidence."""
    confidence: float
    """Mean calibrated confidence."""
    accuracy: float | None
    """None where nobody knows the truth, as all that follows."""
    aurc: float | None
    ece: float | None


@dataclass(frozen=True, slots=True)
class Foreign:
    """What all methods say of foreign clips, and what the density of the features says."""

    known: dict[str, Abroad]
    """The last fold's own test clips, method by method; their AUROCs are .5."""
    methods: dict[str, dict[str, Abroad]]
    confidence: dict[str, dict[str, Float64[np.ndarray, "_"]]]
    """Method to source to calibrated confidence, all seeds together; the known clips first."""
    domain: dict[str, tuple[float, float]]
    """Source to the AUROC of the features' distance, and the share that is called out of domain."""

    def as_json(self) -> dict[str, Any]:
        """Everything but the single confidences."""
        domain = {source: {"auroc": told[0], "out_of_domain": told[1]} for source, told in self.domain.items()}
        return {"known": self.known, "methods": self.methods, "features": domain}


def foreign(config: BenchConfig, data: BenchData, methods: Sequence[str], held_out: HeldOut, folds: Folds) -> Foreign:
    """The methods of the last fold on the sources that the configuration names."""
    known: dict[str, Abroad] = {}
    told: dict[str, dict[str, Abroad]] = {}
    confidence: dict[str, dict[str, np.ndarray]] = {}
    for method in methods:
        own = [_own(config, data, method, seed, held_out, folds) for seed in config.seeds]
        known[method] = _mean([_abroad(one, one) for one in own])
        confidence[method] = {"known": np.concatenate([one.confidence for one in own])}
        for source in data.elsewhere:
            theirs = [_theirs(config, data, method, seed, source, held_out, folds) for seed in config.seeds]
            told.setdefault(method, {})[source] = _mean([_abroad(a, b) for a, b in zip(own, theirs, strict=True)])
            confidence[method][source] = np.concatenate([one.confidence for one in theirs])
    return Foreign(known, told, confidence, _domain(config, data, folds))


def _own(config: BenchConfig, data: BenchData, method: str, seed: int, held_out: HeldOut, folds: Folds) -> Answers:
    name, served = folds(data)
    held = read(Piece(data.name, method, name, seed).file(Path(config.out)))
    return answers([held_out(data, fold, held) for fold in served], target_risk=config.target_risk)


def _theirs(
    config: BenchConfig, data: BenchData, method: str, seed: int, source: str, held_out: HeldOut, folds: Folds
) -> Answers:
    """Foreign clips, calibrated as the known ones are: that is how they would be met."""
    name, served = folds(data)
    piece = Piece(data.name, method, name, seed)
    calibration: Predictions = held_out(data, served[0], read(piece.file(Path(config.out)))).calibration
    test = read(piece.extra(Path(config.out), f"at-{source}"))
    return answers([Fold(replace(calibration, disagree=None), test)], target_risk=config.target_risk)


def _abroad(own: Answers, theirs: Answers) -> Abroad:
    there = theirs is not own
    truth = np.isfinite(theirs.risk).all()
    found = scores(theirs) if truth else None
    doubt = None
    if own.certainty is not None and theirs.certainty is not None:
        doubt = told_apart(own.certainty, theirs.certainty) if there else 0.5
    return Abroad(
        n=len(theirs.rows),
        flagged_by_confidence=told_apart(own.confidence, theirs.confidence) if there else 0.5,
        flagged_by_uncertainty=doubt,
        confidence=float(theirs.confidence.mean()),
        accuracy=None if found is None else found.accuracy,
        aurc=None if found is None else found.aurc,
        ece=None if found is None else found.ece,
    )


def _mean(seeds: Sequence[Abroad]) -> Abroad:
    names = [name for name in Abroad.__dataclass_fields__ if name != "n"]
    columns = {name: [getattr(one, name) for one in seeds] for name in names}
    means: dict[str, Any] = {n: None if None in each else float(np.mean(each)) for n, each in columns.items()}
    return Abroad(n=seeds[0].n, **means)


def _domain(config: BenchConfig, data: BenchData, folds: Folds) -> dict[str, tuple[float, float]]:
    """What the density of the training features says, view by view the largest; the limit is from
    the rows that calibrate."""
    _, served = folds(data)
    parts = parts_of(table_named(data.name, config.data_folder), served[0])
    (view,) = parts["train"].views
    held = [measured(parts[part], view) for part in data.calibrate_on]
    held_out = Measured(
        tuple(row for one in held for row in one.rows),
        np.concatenate([one.values for one in held]),
        np.concatenate([one.mask for one in held]),
    )
    domain = fit_domain(measured(parts["train"], view), held_out, parts["train"].views[view].names, data=data.name)
    known = _distance(domain, parts["test"], view)
    found = {"known": (0.5, float((known > domain.record.limit).mean()))}
    for source in data.elsewhere:
        other = _distance(domain, table_named(source, config.data_folder), view)
        found[source] = (told_apart(_nearness(known), _nearness(other)), float((other > domain.record.limit).mean()))
    return found


def _distance(domain: Any, table: FeatureTable, view: str) -> Float64[np.ndarray, "row"]:
    return distances(domain, table.views[view].values, table.views[view].mask)


def _nearness(distance: Float64[np.ndarray, "row"]) -> Float64[np.ndarray, "row"]:
    """1 for distance 0, towards 0 for endless ones: `told_apart` asks for a number in [0, 1]."""
    return np.asarray(1 / (1 + distance))
