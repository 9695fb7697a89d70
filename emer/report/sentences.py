"""The explanation taken apart for the page: sentences, citations inside them, and whether the clues bear them out."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from emer.report.wording import CITATION, prose
from emer.types import Explanation, Statement, Status

STATUS_TEXT: dict[Status, str] = {
    "grounded": "borne out by the clues it cites",
    "contradicted": "contradicted by the clues",
    "unsupported": "no clue bears this out",
    "uncheckable": "nothing in it can be checked against a clue",
}


FEW = 6
"""Clues of a cited range that are all shown; of a longer one, the ends and a link through those between."""
MOST_NAMED = 16
"""Clues of one sentence; one that cites more counts them instead of naming them."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of plain text, a citation of one clue (`known`: the clue exists), or of all `between` two."""

    text: str
    clue: str | None = None
    known: bool = True
    between: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence; `status` is None for text between statements, which nobody checked."""

    runs: tuple[Run, ...]
    clues: tuple[str, ...] = ()
    status: Status | None = None


def sentences(explanation: Explanation) -> tuple[Sentence, ...]:
    """The text in order, cut at its statements; where statements are not found in it, the statements alone."""
    known = {clue.id for clue in explanation.clues}
    text = prose(explanation)
    found: list[Sentence] = []
    position = 0
    for statement in explanation.statements:
        start = text.find(statement.text, position)
        if start < 0:
            return tuple(_alone(statement, known) for statement in explanation.statements)
        found += _between(text[position:start], known)
        found.append(Sentence(runs(statement.text, known), statement.clue_ids, statement.status))
        position = start + len(statement.text)
    return (*found, *_between(text[position:], known))


def runs(text: str, known: Collection[str]) -> tuple[Run, ...]:
    """Plain text and citations in turn: `up [a3, v2].` gives `up `, a3, v2, `.`; `[a3]–[a5]` gives a3, a4, a5."""
    found: list[Run] = []
    position = 0
    for match in CITATION.finditer(text):
        names = re.split(r"[\s,;]+", match[1])
        before = text[position : match.start()]
        passed = _between_ends(found[-1].clue, names[0]) if found and before.strip() in ("–", "-") else ()
        found += _range(passed, known) if passed else [Run(before)]
        found += [Run(name, name, name in known) for name in names]
        position = match.end()
    found.append(Run(text[position:]))
    return tuple(run for run in found if run.text)


def _between_ends(first: str | None, last: str) -> tuple[str, ...]:
    """The ids that a range passes over: a3 and a6 give a4, a5."""
    if first is None or first[0] != last[0]:
        return ()
    return tuple(f"{last[0]}{n}" for n in range(int(first[1:]) + 1, int(last[1:])))


def _range(passed: Sequence[str], known: Collection[str]) -> list[Run]:
    """Each clue of a short range, so that each can be followed; one link for those of a long one."""
    if len(passed) + 2 <= FEW:
        return [Run(" "), *(run for name in passed for run in (Run(name, name, name in known), Run(" ")))]
    inside = tuple(name for name in passed if name in known)
    return [Run(" "), Run(f"{len(passed)} more", between=inside), Run(" ")]


def named_clues(explanation: Explanation) -> set[str]:
    """What sentences cite, but for those that only refer to the long rest of a list."""
    return {name for s in explanation.statements if len(s.clue_ids) <= MOST_NAMED for name in s.clue_ids}


def grounding_line(explanation: Explanation) -> str:
    """How many sentences have which status, in words."""
    count = Counter(statement.status for statement in explanation.statements)
    if not count:
        return ""
    total = sum(count.values())
    line = f"{count['grounded']} of {total} {'sentence is' if total == 1 else 'sentences are'} borne out by the clues"
    others = [f"{count[status]} {status}" for status in ("contradicted", "unsupported", "uncheckable") if count[status]]
    line += f" ({', '.join(others)})." if others else "."
    if explanation.provenance.engine == "composer":
        line += " The composer writes from the clues, so this is a self-test, not a result."
    return line


def _between(text: str, known: Collection[str]) -> list[Sentence]:
    return [Sentence(runs(text, known))] if text else []


def _alone(statement: Statement, known: Collection[str]) -> Sentence:
    """A statement with the citations that its text does not already hold."""
    inside = runs(statement.text, known)
    cited = {run.clue for run in inside}
    missing = tuple(Run(name, name, name in known) for name in statement.clue_ids if name not in cited)
    return Sentence((*inside, *missing, Run(" ")), statement.clue_ids, statement.status)
