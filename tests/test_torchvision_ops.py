"""Video processors work beside a torchvision whose compiled operators cannot be loaded."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from emer import torchvision_ops


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)


def test_torchvision_is_imported_and_its_transforms_work_after_declaring() -> None:
    if find_spec("torchvision") is None:
        pytest.skip("torchvision is absent")
    code = (
        "import emer.torchvision_ops, torch\n"
        "from torchvision.transforms.v2.functional import resize\n"
        "print(tuple(resize(torch.zeros(3, 8, 8), [4, 2]).shape))"
    )
    done = run(code)
    assert done.stdout == "(3, 4, 2)\n", done.stderr


def test_declaring_changes_nothing_where_the_compiled_operators_load(monkeypatch) -> None:
    monkeypatch.setattr(torchvision_ops, "_compiled_load", lambda: True)
    assert torchvision_ops.declare() == ()


def test_declaring_twice_or_without_torchvision_does_nothing(monkeypatch) -> None:
    assert torchvision_ops.declare() == ()
    monkeypatch.setattr(torchvision_ops, "find_spec", lambda name: None)
    assert torchvision_ops.declare() == ()
