"""The work of `emer bench evidence`: train each method on each fold from each seed, keep what it says of held-out rows.

One piece of work is one folder of files; the last of them is written whole or not at all, and a piece that has it is
not done again. Folds that train on the same rows (the two halves of MOSI's test part) share one training.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float

from emer.bench.configuration import BenchConfig, BenchData
from emer.bench.corruption import gaussian, missing, spreads, swapped
from emer.bench.predictions import Predictions, write
from emer.data.splits import Split
from emer.data.tables import FeatureTable
from emer.emotions.label_sets import mapping, name_of
from emer.errors import EmerError
from emer.evidence.method import Spoken
from emer.training.heads import HeadsConfig, Trained, one_thread, train
from emer.training.rows import batch_of
from emer.training.sources import data_folder, disagreeing, folds_of, parts_of, table_named

Told: TypeAlias = Callable[["Piece", str | None], None]
"""Called after each piece, with what went wrong or None."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One training: a method on the training rows of one fold, from one seed."""

    data: str
    method: str
    fold: str
    """`fold3`, or `main` where all folds train on the same rows."""
    seed: int

    def file(self, folder: Path) -> Path:
        """Where its predictions on held-out rows lie."""
        return folder / "predictions" / self.data / self.method / f"{self.fold}-seed{self.seed}.npz"

    def extra(self, folder: Path, level: str) -> Path:
        """Where its predictions on disturbed test rows, or on other data, lie."""
        return self.file(folder).with_name(f"{self.fold}-seed{self.seed}-{level}.npz")


def pieces(config: BenchConfig) -> Iterator[Piece]:
    """All the work, data set by data set."""
    for data in config.data:
        for fold in trainings(data.name):
            for seed in config.seeds:
                for method in config.methods_on(data):
                    yield Piece(data.name, method, fold, seed)


def trainings(data: str) -> dict[str, tuple[Split, ...]]:
    """Name of each distinct training to the folds that are served by it."""
    folds = folds_of(data)
    together: dict[tuple[str, ...], list[Split]] = {}
    for fold in folds:
        together.setdefault((*fold.train, "|", *fold.validation), []).append(fold)
    if len(together) == 1:
        return {"main": folds}
    return {served[0].name.rpartition("/")[2]: tuple(served) for served in together.values()}


# ---------------------------------------------------------------- all pieces


def run(config: BenchConfig, methods: dict[str, HeadsConfig], told: Told) -> dict[Piece, str]:
    """Do all pieces that are not done yet; the answer is what failed, and why. One failure stops no other piece."""
    waiting = [piece for piece in pieces(config) if not done(piece, config)]
    failed: dict[Piece, str] = {}
    with ProcessPoolExecutor(config.workers, mp_context=get_context("spawn"), initializer=one_thread) as pool:
        jobs = {pool.submit(work, piece, config, methods[piece.method]): piece for piece in waiting}
        try:
            for job in as_completed(jobs):
                reason = _outcome(job.result)
                if reason is not None:
                    failed[jobs[job]] = reason
                told(jobs[job], reason)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failed


def done(piece: Piece, config: BenchConfig) -> bool:
    """Whether all files of a piece are there that its configuration asks for."""
    data = next(one for one in config.data if one.name == piece.data)
    names = trainings(data.name)
    wanted = [piece.file(Path(config.out))]
    if piece.fold == list(names)[-1]:
        how = config.corruptions
        levels = [f"gaussian-{sd:g}" for sd in how.gaussian] if data.corrupted else []
        levels += [f"at-{other}" for other in data.elsewhere]
        wanted += [piece.extra(Path(config.out), level) for level in levels]
    return all(file.is_file() for file in wanted)


def _outcome(result: Callable[[], None]) -> str | None:
    """What a piece came to: None, or why it failed. A bug is a failure of its piece too, and keeps its name."""
    try:
        result()
    except BrokenProcessPool:
        raise
    except EmerError as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


# ---------------------------------------------------------------- one piece


def work(piece: Piece, config: BenchConfig, method: HeadsConfig) -> None:
    """Train one method and write what it says of all rows that it was not trained on."""
    data = next(one for one in config.data if one.name == piece.data)
    table = _table(data.name, config.data_folder)
    served = trainings(data.name)[piece.fold]
    parts = parts_of(table, served[0])
    trained = train(method, parts["train"], parts["validation"], piece.seed)
    folder = Path(config.out)
    if data.corrupted and served[-1] == folds_of(data.name)[-1]:
        for level, disturbed in corruptions(table, parts["train"], config, served):
            write(predictions(trained, disturbed), piece.extra(folder, level))
    if served[-1] == folds_of(data.name)[-1]:
        for other in data.elsewhere:
            write(elsewhere(other, trained, config.data_folder), piece.extra(folder, f"at-{other}"))
    trained_on = {*parts["train"].rows}
    held_out = np.array([i for i, row in enumerate(table.rows) if row not in trained_on])
    write(predictions(trained, table.take(held_out), disagree=_disagree(data, config, held_out)), piece.file(folder))


def predictions(
    trained: Trained,
    table: FeatureTable,
    *,
    target: Float[np.ndarray, "row label"] | None = None,
    disagree: Bool[np.ndarray, "row"] | None = None,
) -> Predictions:
    """What a trained method says of the rows of a table; `target` stands in for the table's own."""
    with torch.no_grad():
        spoken: Spoken = trained.method.speak(batch_of(table).inputs)
    return Predictions(
        rows=table.rows,
        labels=trained.method.shape.labels,
        kind=trained.method.shape.kind,
        target=table.target if target is None else target,
        fused=spoken.fused.numpy(),
        views=spoken.views,
        alpha=spoken.alpha.numpy(),
        present=spoken.present.numpy(),
        prior=None if spoken.prior is None else spoken.prior.numpy(),
        speakers=table.speakers,
        disagree=disagree,
    )


def corruptions(
    table: FeatureTable, training: FeatureTable, config: BenchConfig, served: Sequence[Split]
) -> Iterator[tuple[str, FeatureTable]]:
    """The test rows of a fold, disturbed: `gaussian-1`, `swapped-0.4`, `missing-text` and so on."""
    tests = {member for fold in served for member in fold.test}
    keys = table.rows if served[0].unit == "row" else table.speakers or ()
    test = table.take(np.array([i for i, key in enumerate(keys) if key in tests]))
    spread, how = spreads(training), config.corruptions
    for sd in how.gaussian:
        yield f"gaussian-{sd:g}", gaussian(test, spread, sd, seed=how.seed)
    if len(table.views) > 1:
        for share in how.swapped:
            yield f"swapped-{share:g}", swapped(test, share=share, seed=how.seed)
        for view in table.views if how.missing else ():
            yield f"missing-{view}", missing(test, [view])


def elsewhere(name: str, trained: Trained, folder: str | None) -> Predictions:
    """What a method says of another data set, whose labels are mapped to its own as far as a mapping is written down.

    Where none is (noise has no emotion), nobody knows the truth: targets of zeros.
    """
    table, labels = _table(name, folder), trained.method.shape.labels
    source, goal = name_of(table.labels), name_of(labels)
    counterpart = _counterparts(source, goal)
    columns = [[float(counterpart.get(label) == goal_label) for goal_label in labels] for label in table.labels]
    return predictions(trained, table, target=table.target @ np.array(columns))


def _counterparts(source: str | None, goal: str | None) -> dict[str, str]:
    if source is None or goal is None:
        return {}
    return mapping(source, goal)


@cache
def _table(name: str, folder: str | None) -> FeatureTable:
    return table_named(name, folder)


def _disagree(data: BenchData, config: BenchConfig, at: np.ndarray) -> np.ndarray | None:
    """Where people who only heard and people who only saw chose different labels, as far as that is known."""
    known = disagreeing(data.name, data_folder(config.data_folder))
    return None if known is None else known[at]
