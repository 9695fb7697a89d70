"""One sentence against the clues: grounded, contradicted, unsupported or uncheckable."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from emer.grounding.agreement import (
    at,
    denies,
    directions_of,
    means,
    measures,
    measures_agree,
    times_agree,
    together_agree,
)
from emer.grounding.numbers import Number
from emer.grounding.phrases import Found
from emer.grounding.reading import Citation, Count, Direction, Mention, Quotation, Reading
from emer.kinds import kinds
from emer.types import Clue, Status

SEVERITY: tuple[Status, ...] = ("grounded", "uncheckable", "unsupported", "contradicted")
"""From best to worst. A sentence is as good as the worst part of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The judgement on one part of a sentence, and the clues that bear it out."""

    status: Status
    used: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pool:
    """Clues a part of a sentence is held against: those cited for it, or, without a citation, all."""

    clues: tuple[Clue, ...]
    everything: tuple[Clue, ...]
    cited: bool


def judge(reading: Reading, clues: Sequence[Clue], transcript: str) -> Status:
    """The status of one sentence.

    A citation governs what precedes it; where that does not bear the sentence out, what stands nearest to it.
    """
    if not reading.citations:
        return _uncited(reading, clues, transcript)
    status = _cited(reading, clues, transcript, _follows)
    if status != "grounded" and _cited(reading, clues, transcript, _nearest) == "grounded":
        return "grounded"
    return status


# ---------------------------------------------------------------- which clues a part is held against

Part = Mention | Direction | Number | Count | Quotation | Found
Share = Callable[[Part, Sequence[Citation]], int]


def _follows(part: Part, groups: Sequence[Citation]) -> int:
    """The first citation that ends behind the part; the last one for what trails."""
    return next((i for i, group in enumerate(groups) if group.end > part.end), len(groups) - 1)


def _nearest(part: Part, groups: Sequence[Citation]) -> int:
    return min(range(len(groups)), key=lambda i: max(groups[i].start - part.end, part.start - groups[i].end, 0))


def _cited(reading: Reading, clues: Sequence[Clue], transcript: str, share: Share) -> Status:
    """Each part against the clues that its citation names; a cited clue that bears out nothing is one too many."""
    by_id = {clue.id: clue for clue in clues}
    worst: list[Status] = ["unsupported" for name in reading.clue_ids if name not in by_id]
    pending: tuple[str, ...] = ()
    for i, group in enumerate(reading.citations):
        mine = _only(reading, _governed(share, reading.citations, i))
        ids = tuple(dict.fromkeys((*pending, *group.ids)))
        if not mine.is_claim and i + 1 < len(reading.citations):
            pending = ids
            continue
        pending = ()
        pool = Pool(tuple(by_id[name] for name in ids if name in by_id), tuple(clues), True)
        findings = list(_findings(mine, pool, transcript))
        worst += [finding.status for finding in findings]
        used = frozenset().union(*(finding.used for finding in findings))
        if not findings:
            worst.append("uncheckable")
        elif any(clue.id not in used for clue in pool.clues):
            worst.append("unsupported")
    return max(worst, key=SEVERITY.index)


def _uncited(reading: Reading, clues: Sequence[Clue], transcript: str) -> Status:
    """Each part against all clues, or against those at the times that the sentence names."""
    times = [number for number in reading.numbers if number.role == "time"]
    near = tuple(clue for clue in clues if not times or any(at(clue, time) for time in times))
    findings = list(_findings(reading, Pool(near, tuple(clues), False), transcript))
    return max((finding.status for finding in findings), key=SEVERITY.index, default="uncheckable")


def _governed(share: Share, groups: Sequence[Citation], number: int) -> Callable[[Part], bool]:
    return lambda part: share(part, groups) == number


def _only(reading: Reading, keep: Callable[[Part], bool]) -> Reading:
    return Reading(
        (),
        tuple(filter(keep, reading.mentions)),
        tuple(filter(keep, reading.directions)),
        tuple(filter(keep, reading.numbers)),
        tuple(filter(keep, reading.counts)),
        tuple(filter(keep, reading.quotations)),
        tuple(filter(keep, reading.absences)),
        tuple(filter(keep, reading.unmeasured)),
    )


def _findings(reading: Reading, pool: Pool, transcript: str) -> Iterator[Finding]:
    yield from (_behaviour(mention, pool) for mention in reading.mentions)
    spoken_of = _bearing(reading.mentions, pool)
    yield from (_direction(direction, pool, spoken_of) for direction in reading.directions)
    yield from (_count(count, pool) for count in reading.counts)
    yield from (_quotation(quotation, pool, transcript) for quotation in reading.quotations)
    yield from (_absence(found, pool, reading.numbers) for found in reading.absences)
    yield from (Finding("uncheckable") for _ in reading.unmeasured)
    for number in reading.numbers:
        if pool.cited or number.role != "time":
            yield _number(number, pool, spoken_of)
        elif not spoken_of and not reading.absences:
            yield Finding("uncheckable")


# ---------------------------------------------------------------- behaviours and directions


def _ids(clues: Iterable[Clue]) -> frozenset[str]:
    return frozenset(clue.id for clue in clues)


def _bearing(mentions: Iterable[Mention], pool: Pool) -> tuple[Clue, ...]:
    """The clues that the sentence speaks of."""
    wanted = [mention.meanings for mention in mentions]
    return tuple(clue for clue in pool.clues if any(means(clue, meanings) for meanings in wanted))


def _behaviour(mention: Mention, pool: Pool) -> Finding:
    agreeing = [clue for clue in pool.clues if means(clue, mention.meanings)]
    denying = [clue for clue in pool.clues if denies(clue, mention.meanings) and clue not in agreeing]
    if mention.negated:
        if agreeing:
            return Finding("contradicted")
        return Finding("grounded", _ids(denying)) if denying else Finding("uncheckable")
    if agreeing:
        return Finding("grounded", _ids(agreeing))
    return Finding("contradicted" if denying else "unsupported")


def _direction(direction: Direction, pool: Pool, spoken_of: Sequence[Clue]) -> Finding:
    """A comparison outside a behaviour word: some clue that is spoken of must say it too."""
    candidates = pool.clues if pool.cited else tuple(spoken_of)
    known = [clue for clue in candidates if directions_of(clue)]
    wanted = -direction.sign if direction.negated else direction.sign
    agreeing = [clue for clue in known if wanted in directions_of(clue)]
    if agreeing:
        return Finding("grounded", _ids(agreeing))
    return Finding("contradicted" if known else "unsupported")


# ---------------------------------------------------------------- numbers


def _number(number: Number, pool: Pool, spoken_of: Sequence[Clue]) -> Finding:
    candidates = pool.clues if pool.cited or not spoken_of else tuple(spoken_of)
    agreeing: list[Clue] = []
    if number.role in ("time", "either"):
        agreeing += [clue for clue in candidates if times_agree(clue, number)]
        agreeing = agreeing or together_agree(candidates, number)
    if number.role in ("measure", "either"):
        agreeing += [clue for clue in candidates if measures_agree(clue, number)]
    if agreeing:
        return Finding("grounded", _ids(agreeing))
    return Finding("contradicted" if candidates and (pool.cited or spoken_of) else "unsupported")


def _count(count: Count, pool: Pool) -> Finding:
    """ "Two pauses" needs two clues of pauses, or one clue that says two."""

    def counted(clues: Sequence[Clue]) -> list[Clue]:
        if count.meanings:
            meant = [clue for clue in clues if means(clue, count.meanings)]
            return [clue for clue in meant if kinds()[clue.kind].event] or meant
        return [clue for clue in clues if count.modality in (None, clue.modality)]

    mine, wanted = counted(pool.clues), count.number.values[0]
    if mine and count.number.agrees(wanted, len(mine)):
        return Finding("grounded", _ids(mine))
    meant = [clue for clue in pool.clues if means(clue, count.meanings)]
    telling = [clue for clue in meant if any(count.number.agrees(wanted, value) for value in measures(clue, None))]
    if telling:
        return Finding("grounded", _ids(telling))
    if mine and pool.cited and count.meanings and count.number.agrees(wanted, len(counted(pool.everything))):
        return Finding("grounded", _ids(mine))
    return Finding("contradicted" if mine else "unsupported")


# ---------------------------------------------------------------- words, and what is not there


def _quotation(quotation: Quotation, pool: Pool, transcript: str) -> Finding:
    """Quoted words stand in the cited clue where that quotes, else in the transcript."""
    texts = [clue for clue in pool.clues if clue.modality == "text"]
    quoted = _plain(quotation.text)
    agreeing = [clue for clue in texts if f" {quoted} " in f" {_plain(clue.text)} "]
    if agreeing:
        return Finding("grounded", _ids(agreeing))
    if pool.cited and any(re.search(r"[\"“‘«「]", clue.text) for clue in texts):
        return Finding("unsupported")
    return Finding("grounded" if f" {quoted} " in f" {_plain(transcript)} " else "unsupported")


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[\w']+", text.lower().replace("’", "'")))


def _absence(found: Found, pool: Pool, times: Sequence[Number]) -> Finding:
    """ "No face was seen" is true where no clue tells of one."""
    modality = next(iter(found.meanings))[0]
    when = [number for number in times if number.role == "time"]
    clues = [clue for clue in pool.everything if clue.modality == modality]
    if when:
        clues = [clue for clue in clues if kinds()[clue.kind].event and any(at(clue, time) for time in when)]
    absent = [clue for clue in clues if _tells_absence(clue)]
    if len(absent) < len(clues):
        return Finding("contradicted")
    if pool.cited and not absent:
        return Finding("unsupported")
    return Finding("grounded", _ids(absent))


def _tells_absence(clue: Clue) -> bool:
    return clue.kind == "face_disappears" or (clue.kind in ("face_presence", "face_count") and not clue.value)
