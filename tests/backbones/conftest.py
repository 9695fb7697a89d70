"""Tiny models of every family, made once, and real clips as they would be attached. All of it offline."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a family's tiny model; it is not to be changed."""
    from emer.backbones.tiny import make_tiny

    root = tmp_path_factory.mktemp("tiny")
    return cache(lambda family: make_tiny(family, root / family))


@pytest.fixture(scope="session")
def tiny_backbone(tiny_folder):
    """A family's tiny model in fp32."""
    import torch

    from emer.backbones.loading import load

    torch.set_num_threads(1)
    return cache(lambda family: load(tiny_folder(family), dtype=torch.float32))


@pytest.fixture(scope="session")
def clip_media(real_data: Path):
    """A real clip, opened."""
    from emer.media import open as open_media
    from emer.types import Clip

    return cache(lambda name: open_media(Clip(str(real_data / "clips" / name))))
