"""Is a sentence borne out by the clues that it cites?

`check` gives every sentence of an explanation a status. A *claim* is a sentence with a number, a citation or a
behaviour word (`claims`, `shares`); other sentences are kept as statements too, always "uncheckable", and do not count.

    grounded      each cited clue exists and is spoken of; behaviours, directions, numbers, times and quotations agree
    contradicted  a number, a direction or a behaviour is not what the cited clue (or the clues at that time) says
    unsupported   a cited clue does not exist or speaks of something else, or no clue knows of the behaviour or number
    uncheckable   no clue can measure it: "sobs", "hides anger [a3]", "does not smile" where nothing contradicts that

A sentence is as good as the worst part of it. Its interpretation ("…, which hints at anger") is not checked: clues
measure behaviour, not feeling.

Known limits:

* Behaviour words are English. Chinese text is split into sentences, and its numbers and citations are checked.
* Strength ("slightly", "strongly") and length ("a long pause") without a comparison are not checked.
* Numbers within one group of citations may belong to any clue of the group.
* Without a citation a time matches every clue that it overlaps, and one matching clue anywhere in the clip suffices
  where no time is given.
* Pronouns are not resolved ("it falls again"), and "she" or "he" is never checked: clues know no person.
* Vague times ("early on", "in the last third") are not checked.
* A citation on words that name no behaviour ("at odds with the words [t2]") makes the sentence uncheckable.
* "Neither the smile nor the frown fits joy" is read as a denial of both.
* Irony, hypotheticals and double negation are read literally.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from emer.grounding.agreement import directions_of
from emer.grounding.judge import judge
from emer.grounding.reading import read
from emer.grounding.sentences import sentences
from emer.types import Clue, Statement, Status

__all__ = ["check", "claims", "directions_of", "shares"]


def check(text: str, clues: Sequence[Clue], transcript: str = "") -> tuple[Statement, ...]:
    """Every sentence of `text` with the clues that it cites and its status; the line of labels is no sentence.

    >>> [s.status for s in check("The voice trembles. It is a fine day.", [])]
    ['unsupported', 'uncheckable']
    """
    return tuple(_statement(sentence, clues, transcript) for sentence in sentences(text))


def claims(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements that claim something: with a number, a citation or a behaviour word."""
    return tuple(statement for statement in statements if read(statement.text).is_claim)


def shares(statements: Sequence[Statement]) -> Mapping[Status, float]:
    """The share of claims with each status; every claim counts. All zero when there is none.

    >>> shares(check("The voice trembles. It is a fine day.", []))["unsupported"]
    1.0
    """
    found = Counter(statement.status for statement in claims(statements))
    names: tuple[Status, ...] = ("grounded", "contradicted", "unsupported", "uncheckable")
    return {name: found[name] / max(1, found.total()) for name in names}


def _statement(sentence: str, clues: Sequence[Clue], transcript: str) -> Statement:
    reading = read(sentence)
    status: Status = judge(reading, clues, transcript) if reading.is_claim else "uncheckable"
    return Statement(sentence, reading.clue_ids, status)
