"""Which clues to tell: the most telling first, the rest by count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emer.engines.wording import wording
from emer.evidence.hints import Reason
from emer.kinds import kinds
from emer.types import Clue

SLIGHT = 0.25
"""Share of the noteworthy value below which a level is not told."""
REPEATED = 2, 8
"""From two to eight clues of one kind are told as one ("the voice pauses 3 times"); of more, the most telling alone."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one modality: single clues or groups of one kind, and what is left over."""

    items: tuple[tuple[Clue, ...], ...]
    rest: tuple[Clue, ...]

    @property
    def clues(self) -> tuple[Clue, ...]:
        return tuple(clue for item in self.items for clue in item)


def telling(clue: Clue, reasons: Sequence[Reason]) -> float:
    """How telling a clue is: its value over what is noteworthy, its kind's weight, and the rules that it feeds."""
    row = wording(clue.kind)
    size = 0.5 if clue.value is None else min(2.0, abs(clue.value) / row.scale)
    if not kinds()[clue.kind].event:
        size *= 0.6  # a level without an event is background
    fed = max((reason.strength for reason in reasons if clue.kind in reason.kinds), default=0.0)
    return row.weight * (size + fed) * (0.6 if clue.quality else 1.0)


def noteworthy(clue: Clue) -> bool:
    """Whether a clue is worth a mention: not a level that is as usual, nor one that hardly leaves its reference."""
    row = wording(clue.kind)
    if clue.value is None:
        return True
    if row.usual:
        return not row.usual[0] <= clue.value <= row.usual[1]
    return kinds()[clue.kind].event or abs(clue.value) >= SLIGHT * row.scale


def choose(clues: Sequence[Clue], reasons: Sequence[Reason], most: int) -> Told:
    """At most `most` items that are worth a mention, the most telling first; equally telling ones in time order.

    Of a kind that comes again and again only the strongest is told: in a long clip it would fill the text.
    """
    scores: Mapping[str, float] = {clue.id: telling(clue, reasons) for clue in clues}
    by_kind: dict[str, list[Clue]] = {}
    for clue in filter(noteworthy, clues):
        by_kind.setdefault(clue.kind, []).append(clue)
    items: list[tuple[Clue, ...]] = []
    for kind, same in by_kind.items():
        grouped = wording(kind).many is not None and REPEATED[0] <= len(same) <= REPEATED[1]
        if len(same) > REPEATED[1]:
            same = [max(same, key=lambda clue: (scores[clue.id], -clue.start))]
        items += [tuple(same)] if grouped else [(clue,) for clue in same]
    items.sort(key=lambda item: (-max(scores[clue.id] for clue in item), item[0].start, item[0].id))
    told = tuple(items[:most])
    shown = {clue.id for item in told for clue in item}
    return Told(told, tuple(clue for clue in clues if clue.id not in shown))
