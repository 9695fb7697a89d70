"""Files appear whole or not at all: written beside their place, then renamed into it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emer.errors import OutputError


def cache_folder() -> Path:
    """Where emer keeps what it can make anew: `$EMER_CACHE`, or `emer` in the user's cache folder."""
    if told := os.environ.get("EMER_CACHE"):
        return Path(told)
    from platformdirs import user_cache_path

    return user_cache_path("emer")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes the place of `path` when the block ends well.

    When the block fails, nothing is left behind and an older file at `path` stays as it was. A link is followed:
    the file that it points to is replaced. Missing folders are made. Raises OutputError when nothing can be written.
    """
    draft: Path | None = None
    try:
        target = _writable(Path(path))
        draft = target.with_name(f".{target.name[:40]}.{secrets.token_hex(4)}.part")
        yield draft
        os.replace(draft, target)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror or error}); choose another place") from error
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text whole or not at all; line ends stay as they are. Raises OutputError."""
    write_bytes(path, text.encode("utf-8", "replace"))


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write bytes whole or not at all. Raises OutputError."""
    with replacing(path) as draft, open(draft, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _writable(path: Path) -> Path:
    """The regular file that `path` is or may become, links followed."""
    target = path.resolve()
    if target.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file in it")
    if target.exists() and not target.is_file():
        raise OutputError(f"{path} is not a regular file; results are written to regular files only")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target
