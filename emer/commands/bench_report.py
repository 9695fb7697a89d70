"""`emer bench report`: score the answers of a run and write its report."""

from argparse import Namespace
from pathlib import Path

from emer.bench.report import report
from emer.bench.run_configuration import read_run
from emer.errors import ConfigError


def run(options: Namespace) -> int:
    """Write results.json, report.md and report.html into the folder of a run."""
    for path in report(folder_of(options.folder)):
        print(path)
    return 0


def folder_of(name: str) -> Path:
    """The folder itself, or the one that a configuration of `emer bench run` writes to. Raises ConfigError."""
    if Path(name).is_dir():
        return Path(name)
    try:
        return Path(read_run(name).out)
    except ConfigError as error:
        raise ConfigError(f"{name} is no folder of a run, and no configuration of one: {error}") from error
