"""Which trained heads a clip is explained with: those of the distribution `emer-weights`, those of a folder, or none.

A folder of weights holds `audio/` (heads on features as measured) and `audio_baseline/` (heads on differences from the
speaker's neutral recordings), or it is itself a folder of heads. Nothing here loads torch.
"""

import json
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from emer.errors import ConfigError

INSTALLED, NONE = "installed", "none"
PACKAGE, DISTRIBUTION = "emer_weights", "emer-weights"
PLAIN, BASELINE = "audio", "audio_baseline"
HEADS = "heads.json"


@dataclass(frozen=True, slots=True)
class Weights:
    """Where trained heads lie. One of the two folders is there."""

    name: str
    plain: Path | None
    baseline: Path | None
    """Heads that read differences from the speaker's neutral recordings."""
    installed: bool = False
    """Part of the installation, not asked for by the user: heads that do not fit are a note, not an error."""

    def folder(self, *, with_baseline: bool) -> Path | None:
        """The heads to run, with or without recordings of the speaker's neutral voice; None where there are none."""
        return (self.baseline or self.plain) if with_baseline else self.plain


def find_weights(where: str | Path | None) -> Weights | None:
    """`installed`: the distribution emer-weights, or None where it is absent; None and `none`: none; else a folder.

    Raises ConfigError for a folder without heads.
    """
    if where is None or where == NONE:
        return None
    if where == INSTALLED:
        return _installed()
    folder = Path(where)
    found = _in_folder(folder, folder.resolve().name, installed=False)
    if found is None:
        raise ConfigError(
            f"{folder} holds no heads; name a folder with {HEADS}, or with {PLAIN}/{HEADS}, or give --weights none"
        )
    return found


def _installed() -> Weights | None:
    spec = find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return _in_folder(Path(places[0]), f"{DISTRIBUTION} {_version()}".strip(), installed=True) if places else None


def _version() -> str:
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:  # the package lies on the path without having been installed
        return ""


def _in_folder(folder: Path, name: str, *, installed: bool) -> Weights | None:
    if (folder / HEADS).is_file():
        own = folder if _variant(folder) != "baseline" else None
        return Weights(name, own, None if own else folder, installed)
    plain, baseline = ((folder / part if (folder / part / HEADS).is_file() else None) for part in (PLAIN, BASELINE))
    return Weights(name, plain, baseline, installed) if plain or baseline else None


def _variant(folder: Path) -> object:
    """What the heads read; a record that cannot be read is told of when it is loaded."""
    try:
        record = json.loads((folder / HEADS).read_bytes())
    except (OSError, ValueError):
        return None
    return record.get("variant") if isinstance(record, dict) else None
