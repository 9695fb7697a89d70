"""`emer bench report`: score the answers of a run and write its report."""

from argparse import Namespace
from pathlib import Path

from emer.bench.report import report
from emer.bench.run_configuration import read_run


def run(options: Namespace) -> int:
    """Write results.json, report.md and report.html into the folder of a run."""
    for path in report(folder_of(options.folder)):
        print(path)
    return 0


def folder_of(name: str) -> Path:
    """The folder itself, or the one that a configuration of `emer bench run` writes to."""
    return Path(name) if Path(name).is_dir() else Path(read_run(name).out)
