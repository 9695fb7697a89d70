"""Configurations of `emer bench run`: what they may say, and every mistake at once."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tiny_folders import tiny

from emer.adapters.base_hash import base_sha256
from emer.bench.run_configuration import RunConfig, RunData, RunSystem, read_run
from emer.bench.run_systems import check, explainer_of, record_of
from emer.config import shipped
from emer.errors import ConfigError

SMALL = "task: predict\ndata: [{name: ravdess}]\nsystems: [{name: composer}]\nout: out\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text)
    return path


def test_changes_on_the_command_line_reach_inside(tmp_path: Path) -> None:
    config = read_run(written(tmp_path, SMALL), ["folders.ravdess=/sets/r", "limit=3", "reports.worst=0"])
    assert (config.limit, config.reports.worst) == (3, 0)
    assert config.folder_named(config.data[0]) == "/sets/r"


def test_a_folder_lies_inside_that_of_all_sets_unless_it_is_named_itself() -> None:
    sets = (RunData(name="meld", folder="meld-process"), RunData(name="ravdess"))
    config = RunConfig(data=sets, systems=(RunSystem(name="x"),), out="o", data_folder="all", folders={"ravdess": "r"})
    assert [config.folder_named(data) for data in sets] == ["all/meld-process", "r"]


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = SMALL + "workers: 0\nseed: -1\nfolders: {meld: there}\ntimeout: 0\n"
    text = text.replace("[{name: composer}]", "[{name: a/b}, {name: c}, {name: C}]")
    with pytest.raises(ConfigError) as caught:
        read_run(written(tmp_path, text))
    for told in (
        "workers is 0",
        "seed is -1",
        "folders names meld",
        "'a/b' among systems",
        "'c' comes twice",
        "timeout",
    ):
        assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SMALL.replace("predict", "heads"), "has task 'heads'; emer bench run takes configurations that open with"),
        (SMALL.replace("task: predict\n", ""), "has task None"),
        (SMALL.replace("[{name: ravdess}]", "ravdess"), "data must be a list of mappings, each with a name"),
        (SMALL.replace("[{name: ravdess}]", "[]"), "data must not be empty"),
        (SMALL.replace("name: ravdess", "name: ravdess, limt: 3"), "data[0].limt is not known (did you mean limit?)"),
        (SMALL.replace("out: out\n", ""), "out is missing"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=r"run\.yaml") as caught:
        read_run(written(tmp_path, text))
    assert told in str(caught.value)


def test_what_no_engine_here_takes_is_refused_by_name() -> None:
    systems = (
        RunSystem(name="large", model="some/model", prompt="explain"),
        RunSystem(name="odd", engine="nobody"),
        RunSystem(name="bare", weights="no/such/folder"),
        RunSystem(name="set", settings={"temperature": 1}),
    )
    with pytest.raises(ConfigError) as caught:
        check(systems, 0)
    assert "large: model, prompt is set, and the engine composer takes no such thing" in str(caught.value)
    assert "odd: 'nobody' is not known here; choose one of composer" in str(caught.value)
    assert "bare: no/such/folder holds no heads" in str(caught.value)
    assert "temperature is set" in str(caught.value)


def test_settings_are_arguments_of_the_explainer() -> None:
    made = explainer_of(RunSystem(name="x", weights=None, settings={"reliabilities": {"audio": 0.5}}), 0)
    assert made.reliabilities == {"audio": 0.5}


def test_other_settings_are_those_of_the_engine_and_a_model_is_known_by_its_weights() -> None:
    system = RunSystem(name="x", engine="transformers", model=str(tiny("text_clues")), settings={"max_new_tokens": 7})
    assert explainer_of(system, 3).answering.max_new_tokens == 7
    check((system,), 3)
    record, other = record_of(system, 3), record_of(replace(system, model=str(tiny("qwen2_5_omni"))), 3)
    assert record["model_sha256"] == base_sha256(tiny("text_clues"))
    assert record["model_sha256"] != other["model_sha256"]
    with pytest.raises(ConfigError, match="x: beams is set, and the engine transformers takes no such thing"):
        check((replace(system, settings={"beams": 4}),), 3)


def test_the_record_of_a_system_knows_its_heads_by_their_content(tmp_path: Path) -> None:
    system = RunSystem(name="x", weights=str(tmp_path))
    (tmp_path / "heads.json").write_text("{}")
    before = record_of(system, 0)
    (tmp_path / "heads.json").write_text('{"other": 1}')
    assert record_of(system, 0)["weights"]["name"] == before["weights"]["name"]
    assert record_of(system, 0) != before
    assert record_of(system, 1) != record_of(system, 0)


def test_the_record_of_a_system_holds_the_hash_of_its_prompts_text() -> None:
    record = record_of(RunSystem(name="x", prompt="sentiment", weights="none"), 0)
    text = (Path(__file__).parents[2] / "prompts" / "sentiment.en.md").read_bytes()
    assert record["prompt"] == {"name": "sentiment", "sha256": hashlib.sha256(text).hexdigest()}


@pytest.mark.parametrize("name", ["mer_unibench", "ravdess_composer"])
def test_a_configuration_that_ships_opens_with_the_command_that_runs_it(name: str) -> None:
    path = shipped("bench", name)
    assert path.read_text().startswith(f"# emer bench run configs/bench/{name}.yaml ")
    assert read_run(name).out == f"runs/bench/{name}"


def test_mer_unibench_has_nine_sets_and_the_metrics_of_its_authors() -> None:
    """Table 2 of arXiv 2501.16566: hit rate on four sets, weighted F1 of sentiment on four, wheel F on OV-MERD+."""
    values = yaml.safe_load(shipped("bench", "mer_unibench").read_text())
    metrics = [data["metric"] for data in values["data"]]
    assert metrics == ["hit_rate"] * 4 + ["sentiment"] * 4 + ["wheel_f1"]
    assert {data["part"] for data in values["data"]} == {"test"}
