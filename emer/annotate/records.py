"""One line for each clip that is done, in a file that only grows: killed, a run loses at most the clip in hand."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from emer.annotate.filtering import Dropped
from emer.errors import ConfigError, OutputError
from emer.jsonio import dumps, loads
from emer.types import Clue, Statement

DONE = "done.jsonl"


@dataclass(frozen=True, slots=True)
class Line:
    """What became of a clip."""

    key: str
    id: str
    outcome: Literal["kept", "rejected", "failed"]
    """Failed: it could not be measured, or nobody answered; the next run tries again."""
    record: Mapping[str, Any]
    """The row as a manifest in the folder has it, without an explanation."""
    gold: tuple[str, ...] = ()
    reason: str | None = None
    told: str = ""
    explanation: str = ""
    labels: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    claims: int = 0
    grounded: float = 0.0
    strayed: str | None = None
    clues: tuple[Clue, ...] = ()
    said: str = ""


@dataclass
class Journal:
    """The lines of a folder. The last line of a clip counts; a torn last line is left out and written over."""

    folder: Path
    lines: dict[str, Line] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lines = {line.key: line for line in read_lines(self.path)}

    @property
    def path(self) -> Path:
        return self.folder / DONE

    def is_done(self, key: str) -> bool:
        """Whether a clip need not be looked at again."""
        return key in self.lines and self.lines[key].outcome != "failed"

    def add(self, line: Line) -> None:
        """Keep a line; it is on the disk when this returns. Raises OutputError, and then the file is as it was."""
        data = dumps(line).encode() + b"\n"
        try:
            with open(self.path, "r+b" if self.path.exists() else "w+b", buffering=0) as file:
                end = _whole(file.seek(0, os.SEEK_END), self.path)
                file.truncate(end)
                file.seek(end)
                try:
                    _write(file.fileno(), data)
                except OSError:
                    file.truncate(end)
                    raise
        except OSError as error:
            raise OutputError(
                f"{self.path} cannot be written ({error.strerror or error}); make room and run the same command again: "
                "what is done so far is kept"
            ) from error
        self.lines[line.key] = line


def read_lines(path: Path) -> list[Line]:
    """Every whole line. Raises ConfigError for one that emer did not write."""
    if not path.exists():
        return []
    *whole, _ = path.read_bytes().split(b"\n")
    try:
        return [loads(line, Line) for line in whole if line]
    except ConfigError as error:
        raise ConfigError(f"{path} is damaged ({error}); remove it, and annotate anew") from error


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
    os.fsync(file)


def _whole(size: int, path: Path) -> int:
    """Bytes up to the end of the last whole line."""
    with open(path, "rb") as file:
        end = size
        while end:
            start = max(0, end - 65_536)
            file.seek(start)
            at = file.read(end - start).rfind(b"\n")
            if at >= 0:
                return start + at + 1
            end = start
    return 0
