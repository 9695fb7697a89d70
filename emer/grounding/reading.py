"""What one sentence says: which clues it cites, which behaviours, directions, numbers and quotations it has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from emer.grounding.numbers import Number, numbers
from emer.grounding.phrases import (
    Found,
    absence_phrases,
    alternatives,
    behaviour_phrases,
    find_all,
    unmeasured_phrases,
    words,
)
from emer.kinds import kinds

_ID = r"[avt]\d+"
_RANGE = rf"{_ID}(?:\s*(?:\]\s*(?:–|—|-|to)\s*\[|–|—|-)\s*{_ID})?"
_BRACKET = re.compile(rf"\[\s*{_RANGE}(?:\s*(?:,|;|\band\b|&)?\s*{_RANGE})*\s*\]", re.IGNORECASE)
_QUOTATION = re.compile(r"\"([^\"]{1,300})\"|“([^”]{1,300})”|«([^»]{1,300})»|「([^」]{1,300})」")
_SAYING = re.compile(
    r"\b(?:say|says|said|words?|utter\w*|phrases?|sentences?|transcript|ask\w*|exclaim\w*|speaks? of|repl\w+)\b"
)


@dataclass(frozen=True, slots=True)
class Citation:
    """Citations that stand together: `[a1] and [v2]` is one group."""

    start: int
    end: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mention:
    """A behaviour: any of `meanings` (kind, direction) would bear it out."""

    start: int
    end: int
    meanings: frozenset[tuple[str, int]]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Direction:
    """A comparison: 1 above, -1 below a reference."""

    start: int
    end: int
    sign: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """A number that counts behaviours (`meanings`), or clues of a modality (empty: of any)."""

    start: int
    end: int
    number: Number
    meanings: frozenset[tuple[str, int]] = frozenset()
    modality: str | None = None


@dataclass(frozen=True, slots=True)
class Quotation:
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """All that can be checked in one sentence. Positions are characters of the sentence."""

    citations: tuple[Citation, ...]
    mentions: tuple[Mention, ...]
    directions: tuple[Direction, ...]
    numbers: tuple[Number, ...]
    counts: tuple[Count, ...]
    quotations: tuple[Quotation, ...]
    absences: tuple[Found, ...]
    unmeasured: tuple[Found, ...]

    @property
    def is_claim(self) -> bool:
        """A sentence with a number, a citation or a behaviour word."""
        return any(
            (self.citations, self.mentions, self.numbers, self.counts, self.quotations, self.absences, self.unmeasured)
        )

    @property
    def clue_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for group in self.citations for name in group.ids))


@lru_cache(maxsize=1024)
def read(sentence: str) -> Reading:
    """Read one sentence."""
    quotations = _quotations(sentence)
    text = _blank(sentence.lower(), [(q.start, q.end) for q in quotations])
    citations = _citations(sentence)
    said = tuple(quotations) if _SAYING.search(text) or any(n[0] == "t" for c in citations for n in c.ids) else ()
    text = _blank(text, [(c.start, c.end) for c in citations])
    absences = find_all(absence_phrases(), text)
    unmeasured = find_all(unmeasured_phrases(), text)
    rest = _blank(text, [(found.start, found.end) for found in absences])
    mentions = [_mention(found, rest) for found in find_all(behaviour_phrases(), rest)]
    measures, counts = _counted(numbers(rest), mentions, rest)
    return Reading(
        citations,
        tuple(mentions),
        tuple(_directions(rest, mentions)),
        tuple(measures),
        tuple(counts),
        said,
        tuple(absences),
        tuple(unmeasured),
    )


def _blank(text: str, spans: Sequence[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _quotations(sentence: str) -> list[Quotation]:
    return [Quotation(*m.span(), next(g for g in m.groups() if g is not None)) for m in _QUOTATION.finditer(sentence)]


def _citations(sentence: str) -> tuple[Citation, ...]:
    """Brackets of clue ids; those that only a comma, a dash or "and" parts are one group."""
    groups: list[Citation] = []
    for match in _BRACKET.finditer(sentence):
        found = Citation(*match.span(), _expand(match[0].lower()))
        between = sentence[groups[-1].end : match.start()] if groups else "x"
        link = between.strip()
        if groups and link in ("–", "—", "-", "to"):
            both = _expand(sentence[groups[-1].start : match.end()].lower())
            groups[-1] = Citation(groups[-1].start, match.end(), tuple(dict.fromkeys((*groups[-1].ids, *both))))
        elif groups and link in ("", ",", ";", "and", "&", ", and", "or", "as well as"):
            groups[-1] = Citation(groups[-1].start, match.end(), tuple(dict.fromkeys((*groups[-1].ids, *found.ids))))
        else:
            groups.append(found)
    return tuple(groups)


def _expand(bracket: str) -> tuple[str, ...]:
    """The ids of a bracket: `[a2]–[a4]` and `[a2–a4]` stand for a2, a3, a4.

    >>> _expand("[a2]–[a4], v1")
    ('a2', 'a3', 'a4', 'v1')
    """
    ids: list[str] = []
    pattern = r"([avt])(\d+)(?:\s*\]?\s*(?:–|—|-|to)\s*\[?\s*([avt])(\d+))?"
    for first, low, second, high in re.findall(pattern, bracket):
        if second == first and 0 < int(high) - int(low) < 10_000:
            ids += [f"{first}{n}" for n in range(int(low), int(high) + 1)]
        else:
            ids += [f"{first}{low}", *([f"{second}{high}"] if second else [])]
    return tuple(dict.fromkeys(ids))


def _mention(found: Found, text: str) -> Mention:
    """A behaviour with its negation. A mere dimension ("the pitch does not change") cannot be negated."""
    meant = {kind for kind, _ in found.meanings}
    checkable = any(
        direction or (kinds()[kind].event and kinds()[kind].opposite not in meant) for kind, direction in found.meanings
    )
    return Mention(found.start, found.end, found.meanings, checkable and _negated(found.start, found.end, text))


@cache
def _negation_patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    negation = rf"(?:\b(?:{alternatives('negations')})\b|n['’]t\b)"
    word = r"(?!(?:but|while|whereas|yet|because|so)\b)[^\s,;:.()]+"
    return (
        re.compile(rf"{negation}(?:\s+{word}){{0,4}}\s*$"),
        re.compile(rf"\b(?:{alternatives('not_negations')})\b"),
        re.compile(
            rf"^\s*(?:(?:is|was|are|were|remains?|stays?)\s+(?:{alternatives('absent')})"
            r"|(?:is|was|are|were)n['’]t|never"
            r"|(?:(?:do|does|did)\s+not|(?:do|does|did)n['’]t)\s+(?:appear|occur|show|come|return|happen))\b"
        ),
        re.compile(negation),
    )


def _negated(start: int, end: int, text: str) -> bool:
    before, exception, after, anywhere = _negation_patterns()
    head = exception.sub(lambda m: "x" * len(m[0]), text[:start])
    if len(before.findall(head)) and not re.search(r"\bno\s+(?:more|less)\s+than\s*$", head):
        return True
    return bool(anywhere.search(exception.sub("", text[start:end])) or after.search(text[end:]))


@cache
def _direction_pattern() -> re.Pattern[str]:
    up, down = alternatives("directions", "up"), alternatives("directions", "down")
    never = alternatives("directions", "not_before")
    return re.compile(rf"\b(?:(?P<up>{up})|(?P<down>{down}))\b(?!\s+(?:{never})\b)")


@lru_cache(maxsize=4096)
def directions_in(text: str) -> frozenset[int]:
    """The comparisons that a clue's own text makes.

    >>> directions_in("voice 4.1 semitones above this clip's median")
    frozenset({1})
    """
    return frozenset(1 if match["up"] else -1 for match in _direction_pattern().finditer(text.lower()))


def _directions(text: str, mentions: Sequence[Mention]) -> list[Direction]:
    """Comparisons outside the behaviours, which have their direction in themselves."""
    return [
        Direction(*match.span(), 1 if match["up"] else -1, _negated(*match.span(), text))
        for match in _direction_pattern().finditer(text)
        if not any(m.start <= match.start() < m.end for m in mentions)
    ]


def _counted(found: Sequence[Number], mentions: Sequence[Mention], text: str) -> tuple[list[Number], list[Count]]:
    """Tell counts from measures: "two pauses", "smiles twice", "3 more clues of the face"."""
    measures, counts = [], []
    for number in found:
        count = _count(number, mentions, text) if number.unit is None and len(number.values) == 1 else None
        if count is not None:
            counts.append(count)
        elif number.role != "count":
            measures.append(number)
    return measures, counts


def _count(number: Number, mentions: Sequence[Mention], text: str) -> Count | None:
    """What a bare number counts, or None when it counts nothing that clues know."""
    if number.values[0] != int(number.values[0]) or number.half not in (0.0, 0.5):
        return None
    number = replace(number, half=0.0 if number.relation == "equal" else number.half, role="count")
    after = text[number.end :]
    times = re.match(r"\s*(?:more\s+)?times\b", after)
    if times or text[number.start : number.end] in ("twice", "thrice"):
        near = [m for m in mentions if m.end <= number.start] or list(mentions)
        return Count(number.start, number.end, number, near[-1].meanings) if near else None
    if clues := re.match(
        r"\s+(?:[\w-]+\s+){0,2}?(?:clues?|measurements?)\b(?:\s+(?:of|from|in)\s+the\s+(\w+))?", after
    ):
        return Count(number.start, number.end + clues.end(), number, modality=_modality(clues[0]))
    for mention in mentions:
        gap = text[number.end : mention.start]
        if mention.start >= number.start and re.fullmatch(r"\s*(?:[\w-]+\s+){0,2}", gap):
            return Count(number.start, number.end, number, mention.meanings)
    return None


def _modality(noun_phrase: str) -> str | None:
    for modality, nouns in words()["counted"].items():
        if re.search(rf"\b(?:{'|'.join(nouns)})\b", noun_phrase):
            return str(modality)
    return None
