"""Compiled emotion tables are kept: reading the released sheets takes a second, their copy a few milliseconds.

An entry is the hash of what follows, then MessagePack. One that is damaged, half written by another system or of
another version is passed over and made anew; where none can be written, scoring goes on without.
"""

import hashlib
import logging
from pathlib import Path

import msgspec

from emer.emotions.wheels import WheelTables
from emer.errors import OutputError
from emer.files import cache_folder, write_bytes
from emer.jsonio import pack, unpack

logger = logging.getLogger("emer")

FORMAT = "1"
"""Changes when the reading of tables, or the layout of entries, does."""
_HASH = hashlib.sha256().digest_size


def kept(sha256: str) -> WheelTables | None:
    """The compiled tables of files with this hash, or None when there is no sound copy."""
    try:
        data = _place(sha256).read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data[_HASH:]).digest() != data[:_HASH]:
        logger.warning("the compiled emotion tables in %s are damaged; they are made anew", _place(sha256))
        return None
    try:
        return unpack(data[_HASH:], WheelTables)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        logger.warning("the compiled emotion tables in %s cannot be read (%s)", _place(sha256), error)
        return None


def keep(tables: WheelTables) -> None:
    """Keep compiled tables under the hash of their files. A folder that cannot be written costs time alone."""
    data = pack(tables)
    try:
        write_bytes(_place(tables.sha256), hashlib.sha256(data).digest() + data)
    except OutputError as error:
        logger.info("compiled emotion tables cannot be kept: %s", error)


def _place(sha256: str) -> Path:
    return cache_folder() / "wheels" / FORMAT / f"{sha256}.msgpack"
