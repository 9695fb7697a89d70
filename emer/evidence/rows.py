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


def clip_row(file_sha256: str, start: float | None = None, end: float | None = None) -> str:
    """The id of a clip by its content, whatever it is called: hash of the file, and the seconds if a part is meant.

    Heads that were trained on clips record these beside the ids of their rows, so that a clip is known again under
    another name.

    >>> clip_row("ab12"), clip_row("ab12", 1.5)
    ('clip:ab12', 'clip:ab12#1.5-')
    """
    if start is None and end is None:
        return f"clip:{file_sha256}"
    return f"clip:{file_sha256}#{start or 0:g}-{'' if end is None else f'{end:g}'}"


def seen_among(rows: Iterable[str], seen: Collection[str]) -> list[str]:
    """The rows that are among the hashes `seen`, each once.

    >>> seen_among(["clip-1", "clip-2"], row_hashes(["clip-2"]))
    ['clip-2']
    """
    known = frozenset(seen)
    return [row for row in dict.fromkeys(rows) if _hashed(row) in known]


def refuse_seen(rows: Iterable[str], seen: Collection[str], use: str, before: str) -> None:
    """Raises ConfigError when rows of `use` are among the hashes `seen`, which served for `before`.

    >>> refuse_seen(["clip-1"], row_hashes(["clip-1"]), "calibration", "training")
    Traceback (most recent call last):
    emer.errors.ConfigError: 1 row of calibration was seen in training (clip-1); take it out or give other rows
    """
    again = seen_among(rows, seen)
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
