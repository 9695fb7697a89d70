"""Models that ship by name: where they are found, what is told where they are not, and what nano perceives."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from tiny_folders import tiny

from emer import shipped
from emer.adapters.base_hash import base_sha256, model_folder
from emer.backbones.loading import BASE, load, perceived
from emer.engines.engine import record_folder
from emer.engines.transformers_engine import Transformers
from emer.errors import ModelError
from emer.shipped import located, shipped_adapter


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of weights in which nano is a tiny random model, found as an installed one would be."""
    name = "weights_for_this_test"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(shipped, "PACKAGE", name)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return folder


@pytest.fixture
def nano(package: Path) -> Path:
    shutil.copytree(tiny("qwen2_5_omni"), package / "nano")
    return package / "nano"


def test_every_other_name_is_left_as_it_is(package: Path) -> None:
    assert located("Qwen/Qwen2.5-Omni-7B") == "Qwen/Qwen2.5-Omni-7B"
    assert located(package) == package
    assert shipped_adapter("Qwen/Qwen2.5-Omni-7B") is None


def test_a_name_that_ships_is_its_folder_for_models_and_for_hashes(nano: Path) -> None:
    assert located("nano") == nano
    assert model_folder("nano") == nano
    assert base_sha256("nano") == base_sha256(nano)
    assert load("nano").family == "qwen2_5_omni"


def test_a_folder_of_the_same_name_is_meant_by_its_path(nano: Path) -> None:
    assert located("./nano") == "./nano"


def test_a_package_that_is_not_installed_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "PACKAGE", "no_such_package_here")
    with pytest.raises(ModelError, match=r"nano comes with emer-weights.*pip install emer-weights"):
        Transformers(model="nano")


def test_an_older_package_without_the_model_is_told(package: Path) -> None:
    with pytest.raises(ModelError, match=r"brings no model nano.*pip install --upgrade emer-weights"):
        located("nano")


def test_the_adapter_that_ships_is_taken_unless_another_is_named(nano: Path) -> None:
    assert record_folder("nano", None) is None
    adapter = nano.with_name("nano_adapter")
    adapter.mkdir()
    (adapter / "emer.json").write_text("{}")
    assert record_folder("nano", None) == str(adapter)
    assert record_folder("nano", "another") == "another"


def test_a_model_says_by_a_file_what_it_perceives(nano: Path) -> None:
    assert perceived("nano") == {"audio", "visual", "text"}
    (nano / BASE).write_text(json.dumps({"perceives": ["audio", "text"]}))
    assert load("nano").perceives == {"audio", "text"}
    assert load(tiny("qwen2_5_omni")).perceives == {"audio", "visual", "text"}


@pytest.mark.parametrize("said", ["{}", '{"perceives": ["audio"]}', '{"perceives": ["text", "smell"]}', "no json"])
def test_a_file_of_another_form_is_refused(nano: Path, said: str) -> None:
    (nano / BASE).write_text(said)
    with pytest.raises(ModelError, match="does not say what the model perceives"):
        load("nano")
