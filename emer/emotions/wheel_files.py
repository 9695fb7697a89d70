"""Emotion tables by path: emer's own, the released ones of 2025 and 2026, or others of their layout.

Tables are known by what they say, not by their name: the same words in other packing (csv for xlsx) are the same
tables. Tables that emer does not know are read all the same, under a name that says so (`WheelTables.note`).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from emer.emotions import wheel_cache
from emer.emotions.wheel_own import own_sha256, own_tables
from emer.emotions.wheel_released import MAPS, files_of_2025, is_folder_of_2025, read_2025, read_2026
from emer.emotions.wheels import UNKNOWN_TABLES, WheelTables
from emer.errors import ConfigError
from emer.jsonio import pack

RELEASED = {
    "d7ce7cd16497a847679280de8bebcc4fe31da456033bce8f8b520b6177d6dd24": "AffectGPT 2025",
    "5fef223b1baac988793713d277a2bd3e6676559e60ccbfc4cb75ac76ae548ac8": "MER2026",
}
"""Hash of the content (`content_hash`) to the name that scores give."""
PICKLED = "wheel_mapping.npz"
"""As the challenge of 2026 packed its maps."""


def load_wheels(path: str | Path | None = None) -> WheelTables:
    """The tables at a path: a folder of the 2025 layout, a `wheel_mapping.json` or the folder of one.

    For None, the tables that ship with emer. What was read once is kept compiled in the cache folder (`EMER_CACHE`).
    Raises ConfigError where nothing is found, files are missing, or one of them cannot be read.
    """
    if path is None:
        return _compiled(own_sha256(), own_tables)
    files = _files(Path(path))
    data = [_bytes(file) for file in files]
    sha256 = _hash_of_files(data)
    tables = _compiled(sha256, lambda: _read(files, data, sha256))
    # Named when loaded, not when compiled: a later emer may know more releases.
    return replace(tables, name=RELEASED.get(tables.name, UNKNOWN_TABLES))


def _compiled(sha256: str, compile_them: Callable[[], WheelTables]) -> WheelTables:
    known = wheel_cache.kept(sha256)
    if known is None:
        known = compile_them()
        wheel_cache.keep(known)
    return known


def _read(files: Sequence[Path], data: Sequence[bytes], sha256: str) -> WheelTables:
    """The tables, with the hash of their content for a name."""
    parts = read_2026(files[0], data[0]) if len(files) == 1 else read_2025(files)
    tables = WheelTables("", sha256, *parts)
    return replace(tables, name=content_hash(tables))


def content_hash(tables: WheelTables) -> str:
    """One hash for what the tables say: equal for the same words in other files."""
    rings = [[sorted(ring.items()) for ring in wheel.rings] for wheel in tables.wheels]
    return hashlib.sha256(pack([sorted(tables.forms.items()), sorted(tables.synonyms.items()), rings])).hexdigest()


def _files(path: Path) -> tuple[Path, ...]:
    """The files of a release: seven of 2025, or one of 2026."""
    if path.suffix == ".npz":
        raise _pickled(path)
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise ConfigError(f"there are no emotion tables at {path}; name the folder of a release, or its {MAPS}")
    if (maps := path / MAPS).is_file():
        return (maps,)
    if is_folder_of_2025(path):
        return files_of_2025(path)
    if (archive := path / PICKLED).is_file():
        raise _pickled(archive)
    inside = ", ".join(sorted(entry.name for entry in path.iterdir())[:5]) or "nothing"
    raise ConfigError(
        f"{path} holds no emotion tables, only {inside}; name the folder with format.csv, synonym.xlsx and "
        f"wheel1.xlsx to wheel5.xlsx (2025), or with {MAPS} (2026)"
    )


def _pickled(path: Path) -> ConfigError:
    return ConfigError(
        f"{path} is a pickled archive, which may run any code when it is opened, so emer does not open it; "
        "save its three maps as JSON (format_mapping, raw_mapping, wheel_map_whole) and name that file"
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); look at its permissions") from error


def _hash_of_files(data: list[bytes]) -> str:
    """Of one file its own hash, as `sha256sum` prints it; of several that of their hashes, in the order of reading."""
    hashes = [hashlib.sha256(some).hexdigest() for some in data]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()
