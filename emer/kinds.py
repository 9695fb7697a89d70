"""The vocabulary of clue kinds (`kinds.yaml`), shared by extractors, composer, grounding and report."""

from dataclasses import dataclass
from functools import cache

from emer.tables import table
from emer.types import Modality


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    modality: Modality
    event: bool
    title: str
    unit: str
    opposite: str | None = None
    words: tuple[str, ...] = ()


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by name.

    >>> kinds()["pitch_rise"].opposite
    'pitch_fall'
    """
    rows = table("emer", "kinds.yaml")["kinds"]
    return {name: Kind(name, **{**row, "words": tuple(row.get("words", ()))}) for name, row in rows.items()}
