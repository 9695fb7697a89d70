"""What training runs leave, made once for all tests of adapters."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from small_models import FAMILIES, Exported, exported, make, trained

os.environ["HF_HUB_OFFLINE"] = "1"
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exported]:
    """Every family of small models, trained and exported; not to be changed."""
    made = {}
    for family in FAMILIES:
        folder = tmp_path_factory.mktemp(family)
        made[family] = exported(folder / "adapter", trained(folder / "base", make(family)))
    return made


@pytest.fixture(params=FAMILIES)
def one(request: pytest.FixtureRequest, exports: dict[str, Exported]) -> Exported:
    """One family after the other."""
    return exports[request.param]


@pytest.fixture
def omni(exports: dict[str, Exported]) -> Exported:
    """The listening part of Qwen2.5-Omni."""
    return exports["omni"]


@pytest.fixture
def copy(omni: Exported, tmp_path: Path) -> Path:
    """A copy of an adapter's folder, to be damaged."""
    return Path(shutil.copytree(omni.folder, tmp_path / "copy"))
