"""Other people's metrics, made loadable."""

import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest


def torch_uncertainty(topic: str) -> ModuleType:
    """One file of torch-uncertainty, such as `classification/risk_coverage`; skips where it is not installed.

    The package as a whole imports trainers that the metrics do not need, so the file is loaded by itself.
    """
    pytest.importorskip("torchmetrics")
    spec = find_spec("torch_uncertainty")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("torch-uncertainty is not installed")
    path = Path(spec.submodule_search_locations[0]) / "metrics" / f"{topic}.py"
    name = f"oracle_{path.stem}"
    if name not in sys.modules:
        own = spec_from_file_location(name, path)
        assert own is not None
        assert own.loader is not None
        sys.modules[name] = module_from_spec(own)
        own.loader.exec_module(sys.modules[name])
    return sys.modules[name]
