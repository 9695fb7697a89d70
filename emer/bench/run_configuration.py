"""What `emer bench run` does: which systems explain the clips of which data sets, and where their answers go."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from emer.config import build, overridden, read_yaml, shipped
from emer.data.manifest import is_manifest
from emer.data.rows import Part, refuse
from emer.errors import ConfigError
from emer.types import Modality

TASK = "predict"
MAY_CHANGE = (
    *("data", "systems", "data_folder", "folders", "limit", "workers", "timeout", "wheels", "bootstrap", "reports"),
    "out",
)
"""What a folder may be taken up again with. Each system's own settings and each clip's own content are held against
its answers one by one, so data sets and systems may be added."""
FILE_NAME = re.compile(r"\w[\w .+-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunData:
    """One data set, or the user's own clips."""

    name: str
    """A public data set (`emer.registry.DATASETS`), or a manifest (.jsonl or .csv)."""
    folder: str | None = None
    """Where the release lies, inside `data_folder` where that is given; None leaves it to `emer.data.folders`."""
    part: Part | None = None
    """The official part that is explained; None is all of it."""
    limit: int | None = None
    """At most as many clips, drawn by the seed."""
    metric: str | None = None
    """A metric of `emer score`; None is the one that the field reports on this set."""
    metrics: tuple[str, ...] = ()
    """Further ones."""

    @property
    def is_manifest(self) -> bool:
        return is_manifest(self.name)

    @property
    def stem(self) -> str:
        """What its files are called."""
        return Path(self.name).stem if self.is_manifest else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSystem:
    """One way to explain clips: an engine with its settings, in the words of `emer.Explainer`."""

    name: str
    """What its files are called."""
    engine: str = "composer"
    weights: str | None = "installed"
    """Trained heads: `installed`, `none`, or a folder."""
    fusion: str | None = None
    transcriber: str | None = None
    without: tuple[Modality, ...] = ()
    """Modalities that the system does not get."""
    prompt: str | None = None
    adapter: str | None = None
    model: str | None = None
    url: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the explainer, such as `reliabilities`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Which clips get a page of their own when the report is made."""

    worst: int = 5
    """As many of each data set and system; 0 makes none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """Fields of a configuration of `emer bench run`."""

    data: tuple[RunData, ...]
    systems: tuple[RunSystem, ...]
    out: str
    task: Literal["predict"] = "predict"
    data_folder: str | None = None
    """What holds the folders of the data sets, each under its `folder`, or under its name."""
    folders: Mapping[str, str] = field(default_factory=dict)
    """Data set to folder, so that `folders.meld=DIR` names one on the command line; goes before all else."""
    limit: int | None = None
    """At most as many clips of each data set, drawn by the seed."""
    seed: int = 0
    """Draws the clips where there is a limit, and is handed to engines that draw."""
    workers: int = 1
    """Processes that explain clips side by side, one thread each."""
    timeout: float | None = None
    """Seconds after which a clip has failed; None waits."""
    wheels: str | None = None
    """Emotion tables for the report, as in `emer score --wheels`."""
    bootstrap: int = 1000
    """Replicates of the intervals in the report."""
    reports: Reports = field(default_factory=Reports)

    def __post_init__(self) -> None:
        limits = {"limit": self.limit} | {f"limit of {data.name}": data.limit for data in self.data}
        mistakes = [f"{name} is {n} and must be at least 1" for name, n in limits.items() if n is not None and n < 1]
        mistakes += [f"workers is {self.workers} and must be at least 1"] if self.workers < 1 else []
        mistakes += [f"seed is {self.seed}; give 0 or more"] if self.seed < 0 else []
        mistakes += [f"bootstrap is {self.bootstrap}; give 0 or more"] if self.bootstrap < 0 else []
        if self.timeout is not None and not self.timeout > 0:
            mistakes.append(f"timeout is {self.timeout} and must be more than 0 seconds")
        mistakes += _names("data", [data.stem for data in self.data])
        mistakes += _names("systems", [system.name for system in self.systems])
        if strangers := sorted(set(self.folders) - {data.name for data in self.data}):
            mistakes.append(f"folders names {', '.join(strangers)}, and data does not")
        if mistakes:
            raise ConfigError("; ".join(mistakes))

    def folder_named(self, data: RunData) -> str | None:
        """Where the configuration says that a data set lies; None where it does not."""
        if data.name in self.folders:
            return self.folders[data.name]
        if self.data_folder is not None:
            return str(Path(self.data_folder) / (data.folder or data.name))
        return data.folder


def read_run(path: str | Path, changes: Sequence[str] = ()) -> RunConfig:
    """A configuration, with `key=value` changes. Raises ConfigError with every mistake."""
    values = overridden(read_yaml(shipped("bench", path)), changes)
    if (task := values.get("task")) != TASK:
        raise ConfigError(
            f"{path} has task {task!r}; emer bench run takes configurations that open with `task: {TASK}`"
        )
    lists = [key for key in ("data", "systems") if not isinstance(values.get(key, []), list)]
    refuse([f"{key} must be a list of mappings, each with a name" for key in lists], str(path))
    return build(RunConfig, values, str(path))


def _names(what: str, names: Sequence[str]) -> list[str]:
    """Names become names of files, so they must be fit for that, and differ also where case does not count."""
    if not names:
        return [f"{what} must not be empty"]
    mistakes = [
        f"the name {name!r} among {what} cannot be that of a file; use up to 100 letters, digits, dots, dashes"
        for name in names
        if not FILE_NAME.fullmatch(name)
    ]
    doubled = [name for name, count in Counter(name.lower() for name in names).items() if count > 1]
    return mistakes + [f"{name!r} comes twice among {what}" for name in doubled]
