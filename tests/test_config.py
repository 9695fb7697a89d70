"""Configuration: YAML to dataclass, changes, and all mistakes in one letter."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emer.config import build, overridden, read_yaml, shipped
from emer.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Inner:
    rate: float = 0.1
    sizes: tuple[int, ...] = (64,)

    def __post_init__(self) -> None:
        if self.rate < 0:
            raise ConfigError(f"rate is {self.rate:g} and must be from 0 up")


@dataclass(frozen=True, kw_only=True)
class Outer:
    task: str
    inner: Inner = field(default_factory=Inner)
    seeds: tuple[int, ...] = (0,)


def test_values_fill_nested_dataclasses_and_leave_defaults() -> None:
    made = build(Outer, {"task": "heads", "inner": {"sizes": [8, 4]}}, "x.yaml")
    assert made == Outer(task="heads", inner=Inner(rate=0.1, sizes=(8, 4)), seeds=(0,))


def test_a_number_that_yaml_takes_for_a_text_is_still_a_number() -> None:
    # YAML 1.1: floats need a dot, so 2e-4 is read as text
    assert build(Outer, overridden({"task": "heads"}, ["inner.rate=2e-4"]), "x.yaml").inner.rate == 0.0002


def test_every_mistake_is_told_at_once_with_its_place_and_a_guess() -> None:
    with pytest.raises(ConfigError) as told:
        build(Outer, {"tsak": "heads", "inner": {"rate": "fast"}, "seeds": ["a"]}, "x.yaml")
    message = str(told.value)
    assert message.startswith("x.yaml has 4 mistakes: tsak is not known (did you mean task?)")
    assert "inner.rate is 'fast': expected `float`" in message
    assert "seeds is ['a']" in message
    assert "task is missing" in message


def test_what_a_dataclass_itself_refuses_is_one_of_the_mistakes() -> None:
    with pytest.raises(ConfigError, match=r"x.yaml has 2 mistakes: seed is not known .*; inner: rate is -1 and must"):
        build(Outer, {"task": "heads", "inner": {"rate": -1}, "seed": [1]}, "x.yaml")


def test_changes_reach_inside_and_touch_nobody_elses_values() -> None:
    given = {"task": "heads", "inner": {"rate": 0.1}}
    assert overridden(given, ["inner.rate=2e-4", "seeds=[1,2]"]) == {
        "task": "heads",
        "inner": {"rate": "2e-4"},
        "seeds": [1, 2],
    }
    assert given == {"task": "heads", "inner": {"rate": 0.1}}


@pytest.mark.parametrize("change", ["seeds", "=3", "a..b=1"])
def test_a_change_without_key_or_value_is_refused(change: str) -> None:
    with pytest.raises(ConfigError, match="write key=value"):
        overridden({}, [change])


def test_a_change_inside_a_plain_value_is_refused() -> None:
    with pytest.raises(ConfigError, match="task is a plain value and has no keys inside"):
        overridden({"task": "heads"}, ["task.name=x"])


def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("- a\n- b\n")
    with pytest.raises(ConfigError, match="holds no mapping"):
        read_yaml(tmp_path / "x.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path / "y.yaml")


def test_a_shipped_configuration_goes_by_its_name_or_by_its_place_in_the_checkout() -> None:
    assert shipped("heads", "tmc").samefile(shipped("heads", "configs/heads/tmc.yaml"))
    with pytest.raises(ConfigError, match=r"there is no configuration tcm; give a file, or one of .*ecml.*tmc"):
        shipped("heads", "tcm")
