"""Folders of results that can be taken up again: one configuration a folder, finished pieces stay finished."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from emer.config import read_yaml
from emer.errors import ConfigError
from emer.files import write_text

CONFIG, SPLIT = "config.resolved.yaml", "split.json"
"""SPLIT is what `emer.training.sources.open_data` writes where data bring no split."""
BEFORE_RESULTS = (CONFIG, SPLIT)
"""Files that a run writes anew before its first result."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A folder that holds the results of one configuration."""

    path: Path

    def has(self, name: str) -> bool:
        """Whether a finished piece lies there; pieces are written whole or not at all."""
        return (self.path / name).is_file()


def run_folder(
    path: str | Path,
    config: object,
    command: str,
    *,
    may_change: tuple[str, ...] = (),
    empty_may_change: bool = False,
) -> RunFolder:
    """The folder of a run, made where it is missing, with the resolved configuration in it.

    A folder that holds results of another configuration is refused, so that no table mixes two. Keys in `may_change`
    (how fast, how many) may differ, and what they are now is written; with `empty_may_change` all may, as long as
    a mistake kept the folder without any result. Raises ConfigError, or OutputError when nothing can be written.
    """
    folder = Path(path)
    values: dict[str, Any] = json.loads(msgspec.json.encode(config))
    empty = empty_may_change and not _has_results(folder)
    if (folder / CONFIG).is_file() and not empty:
        _refuse_other(folder, values, may_change)
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    write_text(folder / CONFIG, f"# {command}\n{text}")
    return RunFolder(folder)


def _has_results(folder: Path) -> bool:
    return folder.is_dir() and any(path.name not in BEFORE_RESULTS for path in folder.iterdir())


def _refuse_other(folder: Path, values: dict[str, Any], may_change: tuple[str, ...]) -> None:
    before = read_yaml(folder / CONFIG)
    keys = sorted({*values, *before} - set(may_change))
    if changed := [key for key in keys if values.get(key) != before.get(key)]:
        told = "; ".join(f"{key} was {before.get(key)!r} and is {values.get(key)!r}" for key in changed)
        raise ConfigError(f"{folder} holds a run with another configuration ({told}); name another folder with out=…")
