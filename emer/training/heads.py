"""`emer train` for heads: a configuration in, one trained method per seed out, each saved with what it saw."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch

from emer.config import build, overridden, read_yaml, shipped
from emer.data.tables import FeatureTable
from emer.errors import ConfigError
from emer.evidence.domain import Domain, Measured, fit_domain
from emer.evidence.ensemble import Ensemble
from emer.evidence.evidential import Evidential
from emer.evidence.head_files import HeadRecord
from emer.evidence.method import Method
from emer.evidence.method_files import MethodRecord, make_method, save_method
from emer.evidence.rows import row_hashes
from emer.evidence.trained import write_weights
from emer.files import write_text
from emer.jsonio import dumps
from emer.training.fit import Epoch, FitSettings, Fitted, fit, seeded
from emer.training.rows import batch_of, shape_of
from emer.training.sources import contents

logger = logging.getLogger("emer")

MEMBER_SEEDS = 1_000
"""Seeds of an ensemble's members lie this far apart from those of the next seed's."""

Watch: TypeAlias = Callable[[int, Epoch], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadsConfig:
    """What `emer train configs/heads/x.yaml data=…` does."""

    task: Literal["heads"]
    method: str
    """A name of `emer.registry.METHODS`, or `package.module:Class`."""
    options: dict[str, Any] = field(default_factory=dict)
    """Fields of the method's own options."""
    training: FitSettings = field(default_factory=FitSettings)
    ensemble: int = 1
    """More than 1: so many are trained from seeds of their own, and their probabilities averaged."""
    data: str = ""
    """A public data set, a feature table (.npz, .csv, .parquet), or a manifest of clips (.jsonl)."""
    data_folder: str | None = None
    """Where public data sets lie; None takes EMER_TEST_DATA, or ../shared/data."""
    labels: tuple[str, ...] | None = None
    """The label set in order, where the data do not bring one."""
    views: tuple[str, ...] | None = None
    """Views that are used; None takes all."""
    split: str | None = None
    """A name of configs/splits or a file; None takes the data's own, or makes one that is disjoint in speakers."""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    out: str = ""
    """Folder of the run; empty: runs/heads/NAME-DATA."""
    licence: str = ""
    """Licence of the weights; empty takes that of the data."""

    def __post_init__(self) -> None:
        mistakes = []
        if self.ensemble < 1:
            mistakes.append(f"ensemble is {self.ensemble} and must be at least 1")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            mistakes.append(f"seeds are {list(self.seeds)}; give at least one, each once, from 0 up")
        if mistakes:
            raise ConfigError("; ".join(mistakes))


@dataclass(frozen=True)
class Trained:
    """One seed's method, ready to speak, and how its training went (one per member)."""

    method: Method | Ensemble
    fitted: tuple[Fitted, ...]
    seed: int


def read_config(path: str | Path, changes: Sequence[str] = ()) -> HeadsConfig:
    """The configuration in a file, or of a name in configs/heads, with `key=value` changes.

    Raises ConfigError that lists every mistake.
    """
    values = overridden(read_yaml(shipped("heads", path)), changes)
    return build(HeadsConfig, values, str(path))


def train(
    config: HeadsConfig, training: FeatureTable, validation: FeatureTable, seed: int, watch: Watch | None = None
) -> Trained:
    """One method, or one ensemble of methods, from one seed. Raises ConfigError and OpinionError as `fit` does."""
    seeds = [seed] if config.ensemble == 1 else [seed * MEMBER_SEEDS + i for i in range(config.ensemble)]
    shape, rows, held_out = shape_of(training), batch_of(training), batch_of(validation)
    methods, fitted = [], []
    for one in seeds:
        method = seeded(lambda: make_method(config.method, shape, config.options), one)
        fitted.append(fit(method, rows, held_out, config.training, seed=one, watch=watch))
        methods.append(method)
    return Trained(methods[0] if len(methods) == 1 else Ensemble(methods).eval(), tuple(fitted), seed)


def save(trained: Trained, folder: Path, config: HeadsConfig, training: FeatureTable, validation: FeatureTable) -> None:
    """Write the method, its history and, of evidential methods, the heads as `emer explain` reads them.

    Rows that trained or chose the epoch are recorded as hashes, clips by their content too: calibration refuses both.
    """
    rows = {*training.rows, *validation.rows}
    seen = row_hashes([*rows, *contents(config.data, rows)])
    licence = config.licence or training.licence
    record = MethodRecord(
        method=config.method,
        options=config.options,
        shape=trained.method.shape,
        members=config.ensemble,
        data=training.name,
        data_sha256=training.sha256,
        trained_rows=seen,
        seed=trained.seed,
        licence=licence,
    )
    write_text(folder / "history.jsonl", "".join(_history(trained)))
    if isinstance(trained.method, Evidential):
        weights = trained.method.reliability
        reliabilities = (
            None if weights is None else dict(zip(trained.method.heads.views, weights.tolist(), strict=True))
        )
        made = HeadRecord(
            spec=trained.method.heads.spec,
            data=training.name,
            trained_rows=seen,
            licence=licence,
            fusion=trained.method.options.fusion,
            reliabilities=reliabilities,
        )
        write_weights(folder, trained.method.heads, made, None, domains_of(training, validation))
    save_method(folder, trained.method, record)


def domains_of(training: FeatureTable, validation: FeatureTable) -> dict[str, Domain]:
    """Where the features of clips lie, for each view that emer itself measures; the limit is from validation rows.

    A view without enough validation rows has no domain, and a warning says so: its head is then asked about any clip.
    """
    found = {}
    for view in training.versions:
        try:
            found[view] = fit_domain(
                measured(training, view), measured(validation, view), training.views[view].names, data=training.name
            )
        except ConfigError as error:
            logger.warning("no domain of %s is kept, so that no clip is ever out of it: %s", view, error)
    return found


def measured(table: FeatureTable, view: str) -> Measured:
    """One view of a table, as domains take it."""
    return Measured(table.rows, table.views[view].values, table.views[view].mask)


def chosen_views(table: FeatureTable, views: tuple[str, ...] | None) -> FeatureTable:
    """The table with these views alone. Raises ConfigError for a view that it does not have."""
    if views is None:
        return table
    if unknown := [view for view in views if view not in table.views]:
        raise ConfigError(f"{table.name} has no view {', '.join(unknown)}; it has {', '.join(table.views)}")
    return replace(
        table,
        views={view: table.views[view] for view in views},
        versions={view: version for view, version in table.versions.items() if view in views},
    )


def _history(trained: Trained) -> Iterator[str]:
    for member, fitted in enumerate(trained.fitted):
        for number, epoch in enumerate(fitted.epochs):
            yield dumps({"member": member, "epoch": number, "kept": number == fitted.best, "scores": epoch}) + "\n"


def one_thread() -> None:
    """Training of small networks is fastest with one thread; several only wait for one another."""
    torch.set_num_threads(1)
