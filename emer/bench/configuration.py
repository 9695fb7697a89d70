"""What `emer bench evidence` does: which methods on which data, from which seeds, and how they are disturbed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emer.config import build, overridden, read_yaml, shipped
from emer.data.rows import Part
from emer.errors import ConfigError
from emer.training.heads import HeadsConfig, read_config


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchData:
    """One table of the report."""

    name: str
    """A public data set of `emer.training.sources`."""
    title: str
    """Heading of its table."""
    calibrate_on: tuple[Part, ...] = ("calibration",)
    """Parts whose rows fit temperature and thresholds."""
    methods: tuple[str, ...] | None = None
    """Those that run on it; None is all."""
    corrupted: bool = False
    """Whether its test rows are also disturbed."""
    unseen: tuple[str, ...] = ()
    """Folds whose test rows had no part in choosing any preset: claims are checked on these alone; () is all."""
    elsewhere: tuple[str, ...] = ()
    """Other data with the same views, of which the methods of the last fold also speak: out of domain."""
    note: str = ""
    """What a reader of the table must know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corruptions:
    """How test rows are disturbed, level by level."""

    gaussian: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    """Standard deviations of noise, in those of the training rows, on every view."""
    swapped: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8, 1.0)
    """Shares of rows of which one view is replaced by that of a clip with another label."""
    missing: bool = True
    """Whether each view is taken out of all rows."""
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchConfig:
    """Fields of configs/bench/evidence.yaml."""

    methods: tuple[str, ...]
    """Names of configs/heads, or files, which go by their names without ending."""
    data: tuple[BenchData, ...]
    baselines: tuple[str, ...] = ("softmax_concat", "softmax_late", "softmax_ensemble")
    """Methods that the others are compared with."""
    single: tuple[str, ...] = ("softmax_concat", "softmax_late")
    """Baselines at the cost of one model."""
    ours: str = "emer"
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    corruptions: Corruptions = field(default_factory=Corruptions)
    target_risk: float = 0.1
    replicates: int = 1000
    """Of the bootstrap."""
    data_folder: str | None = None
    out: str = "runs/bench/evidence"
    workers: int = 2
    """Processes that train side by side, one thread each."""

    def __post_init__(self) -> None:
        mistakes = []
        if strangers := sorted({*self.baselines, self.ours} - set(self.methods)):
            mistakes.append(f"{', '.join(strangers)} must stand among the methods too")
        if not self.data or not self.seeds:
            mistakes.append("data and seeds must not be empty")
        if self.workers < 1:
            mistakes.append(f"workers is {self.workers} and must be at least 1")
        if mistakes:
            raise ConfigError("; ".join(mistakes))

    def methods_on(self, data: BenchData) -> tuple[str, ...]:
        """Methods that run on a data set, in the order of the table."""
        return self.methods if data.methods is None else data.methods


def read_bench(path: str | Path, changes: Sequence[str] = ()) -> tuple[BenchConfig, dict[str, HeadsConfig]]:
    """A configuration, with `key=value` changes, and those of its methods. Raises ConfigError with every mistake."""
    values = overridden(read_yaml(shipped("bench", path)), changes)
    if not isinstance(named := values.get("methods", []), list):
        raise ConfigError(f"{path}: methods is {named!r} and must be a list, for example [softmax_concat, emer]")
    files = {Path(str(name)).stem: name for name in named}
    config = build(BenchConfig, values | {"methods": list(files)}, str(path))
    return config, {name: read_config(file) for name, file in files.items()}
