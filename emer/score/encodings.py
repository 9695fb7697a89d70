"""Which encoding a text file has: its mark decides, else UTF-8; nothing is guessed, but the likely one is named."""

import codecs
from pathlib import Path

from emer.errors import ConfigError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SIGNATURES = (
    (b"PK\x03\x04", "a zip archive or spreadsheet; save it as .csv"),
    (b"\x1f\x8b", "gzip-compressed; unpack it first"),
    (b"PAR1", "a parquet file; name it .parquet"),
    (b"\x93NUMPY", "a numpy array; save names and labels as .csv"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet; save it as .csv"),
)
SAMPLE = 4096
"""Bytes that are looked at before a file is read."""
DIAGNOSED = 1 << 26
"""Bytes that are looked at when a file could not be read."""


def encoding_of(path: Path, asked: str | None = None) -> str:
    """The name that `open` takes.

    Raises ConfigError for a file that is empty, unreadable or no text, and for an unknown encoding.
    """
    head = _head(path)
    if asked is not None:
        return _known(asked)
    marked = next((name for mark, name in MARKS if head.startswith(mark)), None)
    if marked is not None:
        return marked
    signature = next((what for start, what in SIGNATURES if head.startswith(start)), None)
    if signature is not None:
        raise ConfigError(f"{path} is no text: it is {signature}")
    if b"\0" in head:
        raise ConfigError(f"{path} is no UTF-8 text: {_with_zeros(head)}")
    return "utf-8"


def misread(path: Path, encoding: str) -> ConfigError:
    """The letter for a file that is not in `encoding`, naming the encoding in which it makes sense."""
    with path.open("rb") as file:
        data = file.read(DIAGNOSED)
    try:
        codecs.getincrementaldecoder(encoding)().decode(data)
        where = "after its first 64 MB"
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"line {line}, byte {error.start} is 0x{data[error.start]:02x}"
    except UnicodeError as error:  # UTF-16 without a mark
        where = str(error)
    what = f"{path} is not {encoding.upper()} text ({where})"
    if encoding != "utf-8" and _decodes(data, "utf-8"):
        return ConfigError(f"{what}, but it can be read as UTF-8; leave --encoding out, and save all files as UTF-8")
    likely = "gb18030" if _chinese(data) else "latin-1"
    return ConfigError(f"{what}; save it as UTF-8, or add --encoding {likely} if it is that")


def _head(path: Path) -> bytes:
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ConfigError(f"{path} is no regular file, and is read more than once; save it to a file first")
    try:
        with path.open("rb") as file:
            head = file.read(SAMPLE)
    except FileNotFoundError as error:
        raise ConfigError(f"there is no file {path}; check the spelling") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path} is a folder; name a file in it") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if not head:
        raise ConfigError(f"{path} is empty (0 bytes); check how it was written")
    return head


def _known(asked: str) -> str:
    try:
        "a".encode(asked)  # hex and rot13 are codecs too, but of no text
        return codecs.lookup(asked).name
    except (LookupError, UnicodeError) as error:
        raise ConfigError(f"no encoding is called {asked!r}; try utf-8, utf-16, gb18030 or latin-1") from error


def _with_zeros(head: bytes) -> str:
    """What a text with zero bytes probably is: in UTF-16 every second byte of Latin text is zero."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) / 8 and min(even, odd) < max(even, odd) / 8:
        return f"it looks like UTF-16 without a mark; add --encoding utf-16-{'be' if even > odd else 'le'}"
    return "it holds zero bytes; it may be another kind of file, or damaged"


def _chinese(data: bytes) -> bool:
    """Whether the bytes make sense as GB18030: they decode (but for a cut end), and most that is not ASCII is Han."""
    if not _decodes(data, "gb18030"):
        return False
    text = codecs.getincrementaldecoder("gb18030")().decode(data)
    foreign = [character for character in text[:100_000] if character > "\x7f"]
    han = sum("\u4e00" <= character <= "\u9fff" or "\u3000" <= character <= "\u303f" for character in foreign)
    return han > len(foreign) / 2


def _decodes(data: bytes, encoding: str) -> bool:
    """Whether bytes make sense in an encoding; a character that is cut at the end does no harm."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeError:
        return False
    return True
