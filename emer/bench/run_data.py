"""The clips that a run asks about: rows of data sets and manifests, those that are missing, and what each clip is.

Beside the answers, a run folder tells what was asked, for `emer bench report` and `emer score`:

    data/DATA.json        what is known of the data set, and how many of its rows were asked about
    gold/DATA.jsonl       name and what people said of it: labels, value, votes, explanation; speaker, language
    clips/DATA.jsonl      name, path, start and end of the clip, and its content's hash
    missing/DATA.txt      id and path of every clip that is not there, one a line, with a tab between
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from emer.bench.run_configuration import RunConfig, RunData
from emer.clues.cache import key_of
from emer.data.dataset import About, open_dataset
from emer.data.making_splits import by_chance
from emer.data.manifest import read_manifest
from emer.data.rows import Row
from emer.errors import ConfigError
from emer.files import write_text
from emer.jsonio import dumps, to_builtins
from emer.media.transcript import SUFFIXES
from emer.types import Clip

METRIC = "wheel_f1"
"""Of a manifest that names none: its labels are anybody's words."""


EVERY = 10.0
"""Seconds between two words on how far it is."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ClipFile:
    """Which file a row is about, as it was when a run last looked."""

    name: str
    path: str
    start: float | None
    end: float | None
    size: int
    modified: int
    """Nanoseconds, by the clock of the file system."""
    sha256: str | None
    """None where the file cannot be read."""


@dataclass(frozen=True)
class Asked:
    """The rows of one data set that a run asks about."""

    data: RunData
    about: About
    rows: tuple[Row, ...]
    """Those whose clip is there, in the order of the data set."""
    missing: tuple[Row, ...]
    n_rows: int
    """Rows of the part, before a limit."""
    contents: Mapping[str, str]
    """Row to hash of its clip, as `content_of` tells it."""
    files: tuple[ClipFile, ...] = ()
    """The file of each row."""


def asked(config: RunConfig, data: RunData, folder: Path | None, say: Callable[[str], None]) -> Asked:
    """Read a data set, draw from it where there is a limit, and look at every clip.

    The draw is by hash of seed and row id: with the same seed, a larger limit asks for the same clips and more.
    `folder` is None for a manifest; `say` is told how far it is, where that takes a while. Raises ConfigError for what
    cannot be read.
    """
    about, everything = _rows(data, folder)
    limits = [limit for limit in (config.limit, data.limit) if limit is not None]
    drawn = set(by_chance([row.id for row in everything], config.seed)[: min(limits, default=None)])
    wanted = [row for row in everything if row.id in drawn]
    here = {row.id for row in wanted if os.path.isfile(row.clip.path)}
    there = tuple(row for row in wanted if row.id in here)
    missing = tuple(row for row in wanted if row.id not in here)
    looking = clip_files(there, Path(config.out) / "clips" / f"{data.stem}.jsonl")
    files = tuple(_patiently(looking, len(there), f"clips of {data.stem}", say))
    beside = Beside()
    contents = {row.id: content_of(row.clip, file, beside) for row, file in zip(there, files, strict=True)}
    found = Asked(data, about, there, missing, len(everything), contents, files)
    _write(found, files, Path(config.out))
    return found


def _rows(data: RunData, folder: Path | None) -> tuple[About, tuple[Row, ...]]:
    if folder is None:
        rows = tuple(row for row in read_manifest(data.name, missing_clips=True) if data.part in (None, row.part))
        if not rows:
            raise ConfigError(f"{data.name} has no rows with split {data.part}; name another part")
        title = f"manifest {Path(data.name).name}"
        return About(data.stem, title, "the user's own", "not stated", METRIC), rows
    found = open_dataset(data.name, folder)
    return found.about, found.part(data.part)


# ---------------------------------------------------------------- what a clip is


def clip_files(rows: Sequence[Row], before: Path) -> Iterator[ClipFile]:
    """The file of each row. Contents are hashed anew only where size or time differ from those in `before`."""
    known = {(file.path, file.size, file.modified): file.sha256 for file in _known(before)}
    for row in rows:
        path = os.path.abspath(row.clip.path)
        state = os.stat(path)
        key = (path, state.st_size, state.st_mtime_ns)
        if known.get(key) is None:
            known[key] = _sha256(path)
        yield ClipFile(row.id, path, row.clip.start, row.clip.end, *key[1:], known[key])


def _patiently(items: Iterable[T], total: int, what: str, say: Callable[[str], None]) -> Iterator[T]:
    """The items; it is told how many there were, now and then."""
    last = time.monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            say(f"{number} of {total} {what} are looked at")


def _known(before: Path) -> list[ClipFile]:
    try:
        return [msgspec.json.decode(line, type=ClipFile) for line in before.read_bytes().splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return []  # it only saves hashing


def _sha256(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None  # explaining it will say why


@dataclass(slots=True)
class Beside:
    """The transcripts that lie beside clips. A folder is listed once: clips of a set often lie together."""

    listed: dict[Path, dict[str, list[str]]] = field(default_factory=dict)

    def clip(self, path: Path) -> list[str]:
        """Files that may be the clip's transcript, `clip.srt` or `clip.en.srt`; sorted."""
        if path.parent not in self.listed:
            self.listed[path.parent] = _transcripts(path.parent)
        return self.listed[path.parent].get(path.stem, [])


def _transcripts(folder: Path) -> dict[str, list[str]]:
    """Transcript files of a folder, by the stems of the clips that they may belong to."""
    found: dict[str, list[str]] = {}
    for file in sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES):
        for stem in {file.stem, file.stem.rpartition(".")[0]} - {""}:
            found.setdefault(stem, []).append(str(file))
    return found


def content_of(clip: Clip, file: ClipFile, beside: Beside) -> str:
    """Hash of all in a clip that an answer depends on, whatever it is called: content, part, words, neutral voice."""
    words: list[str] = []
    if clip.transcript is not None:
        words = [clip.transcript]
    elif clip.said is None:
        words = beside.clip(Path(clip.path))
    parts = (file.sha256, clip.start, clip.end, clip.said, [_sha256(path) for path in words], sorted(clip.without))
    return key_of(*parts, _baseline(clip.speaker_baseline))


def _baseline(path: str | None) -> list[str | None] | None:
    if path is None:
        return None
    inside = sorted(Path(path).iterdir()) if Path(path).is_dir() else [Path(path)]
    return [_sha256(str(file)) for file in inside if file.is_file()]


# ---------------------------------------------------------------- what is written down


def _write(found: Asked, files: Sequence[ClipFile], folder: Path) -> None:
    gold = "".join(_gold(row) for row in found.rows)
    missing = "".join(
        "\t".join(" ".join(text.split()) for text in (row.id, row.clip.path)) + "\n" for row in found.missing
    )
    stem = found.data.stem
    write_text(folder / "gold" / f"{stem}.jsonl", gold)
    write_text(folder / "clips" / f"{stem}.jsonl", "".join(dumps(file) + "\n" for file in files))
    write_text(folder / "missing" / f"{stem}.txt", missing)
    write_text(folder / "data" / f"{stem}.json", json.dumps(_record(found, gold), indent=1, ensure_ascii=False) + "\n")


def _record(found: Asked, gold: str) -> dict[str, Any]:
    return asdict(found.about) | {
        "metric": found.data.metric or found.about.metric,
        "metrics": list(found.data.metrics),
        "part": found.data.part,
        "n_rows": found.n_rows,
        "n_asked": len(found.rows),
        "n_missing": len(found.missing),
        "sha256": key_of(gold, list(found.contents.values())),
    }


def _gold(row: Row) -> str:
    said = {key: value for key, value in to_builtins(row.annotation).items() if value}
    if row.annotation.value is not None:
        said["value"] = row.annotation.value  # 0 is a value
    beside = {"speaker": row.speaker, "language": row.language}
    return dumps({"name": row.id} | said | {key: value for key, value in beside.items() if value}) + "\n"
