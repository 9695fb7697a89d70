"""Predictions for tests: random opinions that know something of the truth, and human votes of CREMA-D as opinions."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from emer.bench.answers import Fold
from emer.bench.predictions import Predictions
from emer.data import cremad, splits

LABELS = ("calm", "happy", "sad")


def made(n: int, seed: int, *, kind: str = "dirichlet", prefix: str = "clip", skill: float = 2.0) -> Predictions:
    """Two views, each right in part; four rows a speaker."""
    rng = np.random.default_rng([seed, n])
    if kind == "dirichlet":
        target = np.eye(3)[rng.integers(0, 3, n)]
        side, prior = target, np.ones(3)
    else:
        target = (rng.random((n, 3)) < 0.4) * 1.0
        side, prior = np.stack([target, 1 - target], axis=2), np.ones((3, 2))
    evidence = np.exp(rng.normal(0, 1, (2, *side.shape))) * (1 + skill * side * rng.random((2, *side.shape)))
    return Predictions(
        rows=tuple(f"{prefix}{i:04d}" for i in range(n)),
        labels=LABELS,
        kind=kind,
        target=target,
        fused=evidence.mean(axis=0) + prior,
        views=("voice", "face"),
        alpha=evidence + prior,
        present=np.ones((2, n), dtype=bool),
        prior=prior,
        speakers=tuple(f"{prefix}{i // 4}" for i in range(n)),
        disagree=np.arange(n) % 3 == 0,
    )


def made_folds(seed: int = 0, *, kind: str = "dirichlet", n: int = 200, skill: float = 2.0) -> list[Fold]:
    """Two folds; the truth does not depend on the seed of the opinions, so that methods meet the same rows."""
    folds = []
    for number in (1, 2):
        calibration, test = (
            made(n, number, kind=kind, prefix=f"{part}{number}-", skill=skill) for part in ("calibration", "test")
        )
        rng = np.random.default_rng([seed, number])
        folds.append(Fold(*(_shaken(part, rng) for part in (calibration, test))))
    return folds


def _shaken(part: Predictions, rng: np.random.Generator) -> Predictions:
    return replace(part, fused=part.fused * np.exp(rng.normal(0, 0.2, part.fused.shape)))


def human_folds(folder: Path, kind: str = "single", *, face: float = 2.0, people: float = 9.0) -> list[Fold]:
    """Votes on voice and on face as opinions (evidence: nine people's votes), fused with the face weighted more."""
    table, disagree = _votes(folder, kind)
    evidence = people * np.stack([table.views[view].values.astype(float) for view in ("voice", "face")])
    fused = (evidence[0] + face * evidence[1]) / (1 + face)
    if kind == "multi":
        evidence, fused = (np.stack([e, people - e], axis=-1) for e in (evidence, fused))
    whole = Predictions(
        rows=table.rows,
        labels=table.labels,
        kind="beta" if kind == "multi" else "dirichlet",
        target=table.target,
        fused=fused + 1,
        views=("voice", "face"),
        alpha=evidence + 1,
        present=np.ones((2, len(table.rows)), dtype=bool),
        prior=np.ones((6, 2) if kind == "multi" else 6),
        speakers=table.speakers,
        disagree=disagree,
    )
    parts = [splits.places(fold, table.rows, table.speakers) for fold in splits.folds("cremad")]
    return [Fold(whole.take(part["calibration"]), whole.take(part["test"])) for part in parts]


@cache
def _votes(folder: Path, kind: str):
    said, table = cremad.votes(folder), cremad.table(folder, kind)
    apart = dict(zip(said.rows, said.disagree.tolist(), strict=True))
    return table, np.array([apart[row] for row in table.rows])
