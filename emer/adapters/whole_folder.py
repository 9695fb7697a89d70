"""Folders appear whole or not at all: written beside their place, then renamed into it."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emer.errors import OutputError


@contextmanager
def replacing_folder(path: str | Path, mark: str) -> Iterator[Path]:
    """An empty folder beside `path` to write into; it takes the place of `path` when the block ends well.

    When the block fails, nothing is left behind and an older folder at `path` stays as it was. An older folder is
    replaced only where it holds the file `mark`, which says that it is one of the same kind. Raises OutputError when
    nothing can be written, when `path` is a file, and when it is a folder of other things.
    """
    target = Path(path).resolve()
    _refuse_other(Path(path), target, mark)
    draft = target.with_name(f".{target.name[:40]}.{secrets.token_hex(4)}.part")
    try:
        draft.mkdir(parents=True)
        yield draft
        for file in draft.iterdir():
            _flush(file)
        _put_in_place(draft, target)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror or error}); choose another place") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # gone already where all went well


def _refuse_other(path: Path, target: Path, mark: str) -> None:
    if target.exists() and not target.is_dir():
        raise OutputError(f"{path} is a file; give the name of a folder")
    if target.is_dir() and any(target.iterdir()) and not (target / mark).is_file():
        raise OutputError(f"{path} holds other files, and no {mark}: it is not replaced; give the name of a new folder")


def _flush(file: Path) -> None:
    """Onto the disk, before the name says that it is there."""
    with open(file, "rb") as handle:
        os.fsync(handle.fileno())


def _put_in_place(draft: Path, target: Path) -> None:
    """Rename; an older folder steps aside first, and comes back if that fails."""
    if not target.exists():
        draft.rename(target)
        return
    aside = target.with_name(draft.name.removesuffix(".part") + ".old")
    target.rename(aside)
    try:
        draft.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
