"""Files of lines that outlive whoever writes them: appended line by line, replaced whole, locked while in use."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from emer.errors import OutputError
from emer.files import replacing
from emer.jsonio import dumps


class Appended:
    """A file that only grows; a line that cannot be written whole is taken back. Raises OutputError."""

    def __init__(self, path: Path, *, sync: bool = True) -> None:
        """With `sync`, a line is on the disk when `line` returns. The file is opened by its first line."""
        self.path, self.sync = path, sync
        self._file: int | None = None
        self._size = 0

    def line(self, value: object) -> None:
        """Append a value as JSON. Raises OutputError, and then the file is as it was."""
        line = dumps(value).encode() + b"\n"
        file = self._opened() if self._file is None else self._file
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(file, rest) :]
            if self.sync:
                os.fsync(file)
        except OSError as error:
            with suppress(OSError):  # what stays behind is a torn line, which is cut off when the file is next opened
                os.ftruncate(file, self._size)
            raise _unwritable(self.path, error) from error
        self._size += len(line)

    def close(self) -> None:
        """Let go of the file; what was appended stays."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
            self._size = _whole(self._file)
            os.ftruncate(self._file, self._size)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        return self._file


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} cannot be written ({error.strerror or error}); make room and run the same command again: "
        "every answer so far is kept"
    )


def _whole(file: int) -> int:
    """Bytes up to the end of the last whole line."""
    end = os.fstat(file).st_size
    while end:
        start = max(0, end - 65_536)
        at = os.pread(file, end - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def write_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Replace a file by these lines, whole or not at all. Raises OutputError."""
    with replacing(path) as draft, open(draft, "xb") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time in a folder; the lock goes with its process, however that ends. Raises OutputError."""
    place = folder / ".lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(place, os.O_WRONLY | os.O_CREAT, 0o666)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror}); choose another place with out=…") from error
    try:
        _lock(file, folder)
        yield
    finally:
        os.close(file)


def _lock(file: int, folder: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(f"another run is writing to {folder}; wait for it, or name another with out=…") from error
