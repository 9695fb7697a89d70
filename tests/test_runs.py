"""Run folders: taken up again with the same configuration, refused with another."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from emer.errors import ConfigError
from emer.runs import CONFIG, run_folder


@dataclass(frozen=True)
class Config:
    rate: float = 0.1
    seeds: tuple[int, ...] = (0, 1)


def test_a_folder_keeps_the_resolved_configuration_and_the_command(tmp_path: Path) -> None:
    run_folder(tmp_path / "run", Config(), "emer train x.yaml")
    text = (tmp_path / "run" / CONFIG).read_text()
    assert text.startswith("# emer train x.yaml\n")
    assert yaml.safe_load(text) == {"rate": 0.1, "seeds": [0, 1]}


def test_the_same_configuration_takes_a_run_up_again(tmp_path: Path) -> None:
    (run_folder(tmp_path, Config(), "one").path / "piece").write_text("done")
    again = run_folder(tmp_path, Config(), "two")
    assert again.has("piece")
    assert not again.has("other")


def test_another_configuration_is_refused_and_what_differs_is_told(tmp_path: Path) -> None:
    run_folder(tmp_path, Config(), "one")
    with pytest.raises(ConfigError, match=r"rate was 0.1 and is 0.2; seeds was \[0, 1\] and is \[0\]"):
        run_folder(tmp_path, Config(rate=0.2, seeds=(0,)), "two")


def test_keys_that_may_change_do(tmp_path: Path) -> None:
    run_folder(tmp_path, Config(), "one", may_change=("seeds",))
    run_folder(tmp_path, Config(seeds=(0, 1, 2)), "two", may_change=("seeds",))
    assert yaml.safe_load((tmp_path / CONFIG).read_text())["seeds"] == [0, 1, 2]
