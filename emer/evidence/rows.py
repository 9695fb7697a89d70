"""Which rows a head or a calibration has seen: ids kept as hashes, so that a file names no clip and no person."""

from collections.abc import Collection, Iterable
from hashlib import sha256

from emer.errors import ConfigError

NAMED = 3
"""How many rows an error names."""


def row_hashes(rows: Iterable[str]) -> tuple[str, ...]:
    """The hash of each row id (16 hexadecimal digits of its SHA-256), sorted, each once.

    >>> row_hashes(["clip-2", "clip-1", "clip-2"])
    ('2844a9782fc36af6', '70a273391cb26be1')
    """
    return tuple(sorted({_hashed(row) for row in rows}))


def refuse_seen(rows: Iterable[str], seen: Collection[str], use: str, before: str) -> None:
    """Raises ConfigError when rows of `use` are among the hashes `seen`, which served for `before`.

    >>> refuse_seen(["clip-1"], row_hashes(["clip-1"]), "calibration", "training")
    Traceback (most recent call last):
    emer.errors.ConfigError: 1 row of calibration was seen in training (clip-1); take it out or give other rows
    """
    known = frozenset(seen)
    again = [row for row in dict.fromkeys(rows) if _hashed(row) in known]
    if not again:
        return
    some = ", ".join(again[:NAMED]) + (", …" if len(again) > NAMED else "")
    one = len(again) == 1
    raise ConfigError(
        f"{len(again)} {'row' if one else 'rows'} of {use} {'was' if one else 'were'} seen in {before} ({some}); "
        f"take {'it' if one else 'them'} out or give other rows"
    )


def _hashed(row: str) -> str:
    return sha256(row.encode()).hexdigest()[:16]
