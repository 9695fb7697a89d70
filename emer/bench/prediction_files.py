"""Answers on disk: one JSON object a line, each safe as soon as it is written, in the order of the rows at the end.

    predictions/DATA/SYSTEM.jsonl     one `emer.bench.records.Prediction` a line
    spare/DATA/SYSTEM.jsonl           answers about clips that are not asked for now (a smaller --limit, say)

Whoever kills the process, at whatever moment: the lines that are whole stay, a torn last line goes, and what is still
to be asked follows from what is there. An answer holds as long as its key does (`Prediction.key`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from emer.bench.records import Prediction
from emer.bench.run_lines import Appended, write_lines
from emer.errors import OutputError

_decoder = msgspec.json.Decoder(Prediction)


def read_lines(path: Path) -> Iterator[tuple[bytes, Prediction | None]]:
    """Each line of a file of predictions, and what it says; None for one that is torn or damaged.

    A file that is not there has no lines. Raises OutputError for one that cannot be read.
    """
    try:
        with open(path, "rb") as file:
            for line in file:
                yield line, _decoded(line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{path} cannot be read ({error.strerror}); mend that and run the same command") from error


def _decoded(line: bytes) -> Prediction | None:
    if not line.endswith(b"\n"):  # torn, even where what is there happens to be whole JSON
        return None
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


@dataclass(slots=True)
class _Sorted:
    """The lines of both files: those that hold, those that are not asked for, and what is wrong with the rest."""

    lines: dict[str, bytes] = field(default_factory=dict)
    spare: dict[str, bytes] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    stale: int = 0
    damaged: int = 0

    def add(self, line: bytes, prediction: Prediction | None, keys: Mapping[str, str], retry_failed: bool) -> None:
        if prediction is None:
            self.damaged += 1
        elif prediction.name not in keys:
            self.spare.setdefault(prediction.name, line)
        elif prediction.key != keys[prediction.name]:
            self.stale += 1
        elif prediction.name not in self.lines and not (prediction.error and retry_failed):
            self.lines[prediction.name] = line
            self.failed |= {prediction.name} if prediction.error else set()


class PredictionFile:
    """The answers of one system on one data set. One process at a time may have it open (`run_lines.locked`)."""

    def __init__(self, folder: Path, data: str, system: str, keys: Mapping[str, str], *, retry_failed: bool = False):
        """`keys`: each row that is asked for, in the order of the data set, and the key of a valid answer about it.

        What does not hold any more is taken out of the file; with `retry_failed`, failures too. Raises OutputError.
        """
        self.path = folder / "predictions" / data / f"{system}.jsonl"
        self.keys = keys
        spare = folder / "spare" / data / f"{system}.jsonl"
        found, in_place = _Sorted(), []
        for path in (self.path, spare):
            for line, prediction in read_lines(path):
                in_place.append((path, line))
                found.add(line, prediction, keys, retry_failed)
        wanted = [(self.path, line) for line in found.lines.values()] + [(spare, x) for x in found.spare.values()]
        if in_place != wanted:
            # The spare file first: killed in between, an answer lies in both files, and counts once.
            if found.spare or spare.exists():
                write_lines(spare, found.spare.values())
            write_lines(self.path, found.lines.values())
        self.answered: set[str] = set(found.lines)
        """Rows that have an answer, failures included."""
        self.failed: set[str] = found.failed
        """Rows whose answer is a failure."""
        self.stale: int = found.stale
        """Answers taken out because the clip has changed since."""
        self.damaged: int = found.damaged
        """Lines taken out because they could not be read."""
        self._appended = Appended(self.path)

    @property
    def left(self) -> tuple[str, ...]:
        """Rows that have no answer yet, in order."""
        return tuple(name for name in self.keys if name not in self.answered)

    @property
    def complete(self) -> bool:
        return len(self.answered) == len(self.keys)

    def append(self, prediction: Prediction) -> None:
        """Write an answer; it is on the disk when this returns. Raises OutputError, and then nothing was written."""
        self._appended.line(prediction)
        self.answered.add(prediction.name)
        if prediction.error is not None:
            self.failed.add(prediction.name)

    def finish(self) -> None:
        """Put the lines into the order of the data set, once all are there; nothing is appended after that."""
        self.close()
        lines = {prediction.name: line for line, prediction in read_lines(self.path) if prediction is not None}
        if list(lines) != list(self.keys):
            write_lines(self.path, (lines[name] for name in self.keys))

    def close(self) -> None:
        """Let go of the file; what was appended stays."""
        self._appended.close()
