"""A clue in plain English: the clauses of `phrases.yaml`, numbers with units, times, citations."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any
from zlib import crc32

import yaml

from emer.grounding import check, claims, directions_of
from emer.kinds import kinds
from emer.types import Clue, Modality, Span

NAMES: dict[Modality, str] = {"audio": "voice", "visual": "face", "text": "words"}

_QUOTE = re.compile(r"“([^”]+)”|\"([^\"]+)\"|‘([^’]+)’|(?<!\w)'([^']+)'(?!\w)|「([^」]+)」")
_LONGEST_QUOTE = 8
"""Words. A longer sentence is quoted up to here."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How one kind of clue is worded: a row of `phrases.yaml`."""

    noun: str
    scale: float
    weight: float
    above: str | None = None
    below: str | None = None
    subject: str | None = None
    say: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    many: str | None = None
    unit: str | None = None
    usual: tuple[float, ...] = ()


@cache
def phrases() -> Mapping[str, Any]:
    """The table `phrases.yaml`."""
    table: Mapping[str, Any] = yaml.safe_load(files("emer.engines").joinpath("phrases.yaml").read_text("utf-8"))
    return table


@cache
def wording(kind: str) -> Wording:
    """The row of a kind. A kind without one is worded by its title."""
    row: dict[str, Any] = dict(phrases()["kinds"].get(kind, {}))
    if not row:
        title = kinds()[kind].title
        return Wording(noun=f"the {title}", scale=1.0, weight=0.3, subject=f"the {title}")
    return Wording(**row | {name: tuple(row.get(name, ())) for name in ("say", "bare", "usual")})


# ---------------------------------------------------------------- clauses


def clause(clue: Clue, within: Span, doubt: bool = True) -> str:
    """One clue as a clause with its citation, in lower case, without a full stop.

    `within` is what the text is about: a level over a part of it is given its time. A doubtful clue says so if `doubt`.
    """
    row = wording(clue.kind)
    said = _level(clue, row) if row.subject else _event(clue, row)
    if not kinds()[clue.kind].event and clue.span.duration < 0.8 * within.duration and clue.modality != "text":
        said = f"{_when(clue)} {said}"
    care = ", to be taken with care" if clue.quality and doubt else ""
    return f"{said}{care} {cite([clue])}"


def repeated(clues: Sequence[Clue]) -> str:
    """Several clues of one kind as one clause: "the voice pauses 3 times [a2] [a5] [a7]"; two are given their times."""
    many = wording(clues[0].kind).many or f"{wording(clues[0].kind).noun} comes {{n}} times"
    if len(clues) > 2:
        return f"{many.format(n=len(clues))} {cite(clues)}"
    first, second = (f"{_when(clue)} {cite([clue])}" for clue in clues)
    return f"{many.replace('{n} times', 'twice')}, {first} and {second}"


def noun(clue: Clue) -> str:
    """The behaviour as a thing, with its citation: "the smile [v2]"."""
    quote = _quote(clue) if clue.kind == "emotion_word" else None
    row = wording(clue.kind)
    sided = {1: row.above, -1: row.below}.get(sum(directions_of(clue)))
    return f"{f'{_term(quote)} {quote}' if quote else sided or row.noun} {cite([clue])}"


def _event(clue: Clue, row: Wording) -> str:
    quote, amount = _quote(clue), _amount(clue)
    templates = row.bare if row.bare and quote is None else row.say
    template = templates[crc32(f"{clue.id}{clue.start:.2f}".encode()) % len(templates)]
    template = re.sub(r"\[([^\]]*)\]", r"\1" if amount else "", template)
    return template.format(
        amount=amount or "a measured share",
        reference=_reference(clue),
        when=_when(clue),
        at=f"at {_clock(clue.start, clue.start)}",
        quote=quote,
        term=_term(quote),
        denied=", but denied" if " denied by " in clue.text else "",
    )


def _level(clue: Clue, row: Wording) -> str:
    """A level with its reference: "the pitch lies 2.4 semitones below this clip's median"."""
    amount, side = _amount(clue), {1: "above", -1: "below"}.get(sum(directions_of(clue)))
    if side and (amount is None or _is_distance(clue)):
        return " ".join(filter(None, (row.subject, "lies", amount, side, _reference(clue))))
    if amount is None:
        return f"{row.subject} was measured"
    return f"{row.subject} is {_amount(clue, signed=True)}" + (f", {side} {_reference(clue)}" if side else "")


def _is_distance(clue: Clue) -> bool:
    """Whether the clue's text gives its value as the distance from the reference: "4.1 semitones above …"."""
    told = re.search(r"(\d+(?:\.\d+)?)\D*?\b(?:above|below)\b", clue.text)
    return told is not None and clue.value is not None and abs(float(told[1]) - abs(clue.value)) <= 0.06


def _reference(clue: Clue) -> str:
    """What the clue is compared with, as its text names it, unless that would itself be read as a claim."""
    told = re.search(r"\b(?:above|below)\s+([^,;(]+)", clue.text)
    plain = (told[1] if told else clue.reference).strip(" .")
    return plain if plain and not claims(check(plain, [])) else "what it is compared with"


def _term(quote: str | None) -> str:
    return "the phrase" if quote and " " in quote else "the word"


# ---------------------------------------------------------------- numbers, times, quotations, citations


def _amount(clue: Clue, signed: bool = False) -> str | None:
    """The value with its unit, to a tenth; None when there is none to tell."""
    if clue.value is None:
        return None
    value = clue.value if signed or clue.unit == "compound" else abs(clue.value)
    whole = abs(value) >= 20 or value == int(value)
    digits = 2 if clue.unit == "compound" else 0 if whole else 1
    number = f"{value:.{digits}f}".replace("-", "−")
    unit = wording(clue.kind).unit or phrases()["units"].get(clue.unit, clue.unit)
    if number.lstrip("−") in ("1", "1.0"):
        unit = {"semitones": "semitone", "degrees": "degree"}.get(unit, unit)
    return f"{number} {unit}".strip()


def _when(clue: Clue) -> str:
    """The time of an event: "between 2.3 and 3.1 s", "at 2.3 s", "at 1:15.2"."""
    first, last = _clock(clue.start, clue.end), _clock(clue.end, clue.end)
    if first == last:
        return f"at {last}"
    return f"between {first.removesuffix(' s')} and {last}"


def _clock(time: float, like: float) -> str:
    """Seconds to a tenth; from a minute on (of `like`) minutes and seconds."""
    tenths = round(max(0.0, time) * 10)
    if round(like * 10) < 600:
        return f"{tenths / 10:.1f} s"
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def _quote(clue: Clue) -> str | None:
    """The words that the clue quotes, cut to a readable length."""
    match = _QUOTE.search(clue.text) if clue.modality == "text" else None
    if match is None:
        return None
    words = next(group for group in match.groups() if group).strip(" .…").split()
    cut = " …" if len(words) > _LONGEST_QUOTE else ""
    return f"“{' '.join(words[:_LONGEST_QUOTE])}{cut}”" if words else None


def cite(clues: Sequence[Clue]) -> str:
    """Citations; three and more neighbours are given as a range.

    >>> cite([Clue(f"a{n}", "audio", "pause", "", 0, 1, 1, "s", "") for n in (1, 4, 5, 6)])
    '[a1] [a4]–[a6]'
    """
    ids = sorted((clue.id[0], int(clue.id[1:])) for clue in clues)
    parts: list[str] = []
    for _, run in groupby(enumerate(ids), key=lambda item: (item[1][0], item[1][1] - item[0])):
        names = [f"[{letter}{number}]" for _, (letter, number) in run]
        parts += [f"{names[0]}–{names[-1]}"] if len(names) > 2 else names
    return " ".join(parts)
