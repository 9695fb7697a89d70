"""Clues are measured once: a store of extracts by content hash, extractor version and all that they were told.

The folder is `EMER_CACHE`, or the user's cache folder. Entries appear whole or not at all (`emer.files`); one that
cannot be read (another version, a damaged disk) is made anew.
"""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from emer.errors import OutputError
from emer.files import write_bytes
from emer.jsonio import pack, unpack

T = TypeVar("T")
logger = logging.getLogger("emer")

FORMAT = "1"
"""Changes when the layout of entries does."""


@dataclass(frozen=True, slots=True)
class Cache:
    """Entries by key, as MessagePack files. `folder` None keeps nothing."""

    folder: Path | None

    def get(self, key: str, kind: type[T]) -> T | None:
        """The entry, or None when there is none that can be read."""
        if self.folder is None:
            return None
        place = self._place(key)
        try:
            return unpack(place.read_bytes(), kind)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
            logger.warning("the cached clues in %s cannot be read (%s); they are measured again", place, error)
            return None

    def put(self, key: str, value: object) -> None:
        """Keep the entry. A cache that cannot be written costs time, not the result: it is only warned of."""
        if self.folder is None:
            return
        try:
            write_bytes(self._place(key), pack(value))
        except OutputError as error:
            logger.warning("clues cannot be cached: %s; set EMER_CACHE to a folder that can be written", error)

    def _place(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / "clues" / key[:2] / f"{key}.msgpack"


def key_of(*parts: object) -> str:
    """One key for everything that an entry depends on.

    >>> key_of("abc", 1) == key_of("abc", 1), key_of("abc", 1) == key_of("abc", 2)
    (True, False)
    """
    return hashlib.sha256(pack((FORMAT, *parts))).hexdigest()
