"""English word forms by rule: from a form that is met in a text back to the words that it may come from.

The rules go backwards and propose; a table decides. They know -s, -ed, -ing, -er, -est, -ly, -ness, -ful with their
spellings (y to i, doubled consonants, a dropped e) and letters drawn out for emphasis.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

_ENDINGS = ("s", "es", "d", "ed", "ing", "r", "er", "st", "est", "ly", "ness", "ful")
_PEELS = 3
"""Endings taken off one after another: cheer-ful-ness, sad-den-ing, joy-ful-ly."""
_SHORTEST = 3
"""Letters that a proposed word must keep: `as` is no form of `a`."""


@lru_cache(maxsize=8192)
def sources(word: str) -> tuple[str, ...]:
    """Words that the lower-case `word` may be a form of, the least changed first, itself at the head.

    >>> sources("worries")[:4]
    ('worries', 'worrie', 'worri', 'worry')
    >>> "angry" in sources("angrily"), "mad" in sources("maddest"), "happy" in sources("haaappyyy")
    (True, True, True)
    """
    found = dict.fromkeys(_drawn_in(word))
    level = list(found)
    for _ in range(_PEELS):
        level = [shorter for longer in level for shorter in _peel(longer) if shorter not in found]
        found.update(dict.fromkeys(level))
    return tuple(found)


def _drawn_in(word: str) -> Iterator[str]:
    """`happyyy` as `happyyy`, `happyy`, `happy`: English doubles letters, but has none three times."""
    yield word
    if re.search(r"(.)\1\1", word):
        runs = r"(.)\1{2,}"
        yield re.sub(runs, r"\1\1", word)
        yield re.sub(runs, r"\1", word)
        # A doubled letter may be drawn out while another stands alone in the same word (haaappyyy).
        yield re.sub(r"([aeiouy])\1{2,}", r"\1", word)


def _peel(word: str) -> Iterator[str]:
    """`word` without each ending that it has, in the spellings that the ending may have changed."""
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= _SHORTEST and _may_precede(stem, ending):
            yield from _spellings(stem, ending)


def _may_precede(stem: str, ending: str) -> bool:
    """Whether English spells `ending` after `stem`: -es follows a hiss or i, bare -d, -r, -st an e."""
    if ending == "s":
        return stem[-1] not in "siu"
    if ending == "es":
        return stem.endswith(("s", "x", "z", "ch", "sh", "o", "i"))
    return ending not in ("d", "r", "st") or stem.endswith("e")


def _spellings(stem: str, ending: str) -> Iterator[str]:
    yield stem
    if stem.endswith("i"):
        yield stem[:-1] + "y"
    if ending in ("ed", "ing", "er", "est"):
        if stem[-1] == stem[-2] and stem[-1] not in "aeiou":
            yield stem[:-1]
        yield stem + "e"
    if ending == "ly":
        yield stem + "le"
