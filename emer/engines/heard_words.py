"""General words on a modality: "The voice is rough. The speech is rather slow.", without a number and without an id.

That is what a model can say which hears or sees and is told no clue. Training teaches it in place of sentences that
cite clues, and the grounding check bears it out by the clues that it comes from.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from emer.engines.composer import told_of
from emer.engines.salience import Told
from emer.engines.wording import wording
from emer.grounding import directions_of
from emer.grounding.reading import read
from emer.kinds import kinds
from emer.tables import table
from emer.types import MODALITIES, Clue, Modality, Request

MOST = 4
"""Things told of one modality."""


def heard(request: Request, modality: Modality, language: str = "en", most: int = MOST) -> str:
    """What is most telling of one modality, in `en` or `zh`; empty where nothing about it stands out."""
    told = told_of(request, most)[modality]
    sentences = (*_levels(told, language), *_events(told, language))
    return str(_words()["between"][language]).join(sentences)


def nothing(modality: Modality, language: str = "en") -> str:
    """That a modality shows nothing in particular.

    >>> nothing("audio")
    'Nothing about the voice stands out.'
    """
    return str(_words()["nothing"][modality][language])


def spoken_of(sentence: str) -> frozenset[Modality]:
    """The modalities of which a sentence tells something, by its behaviours and nouns; citations are not looked at.

    >>> sorted(spoken_of("She smiles, and her voice is warm.")), sorted(spoken_of("她面带微笑。"))
    (['audio', 'visual'], ['visual'])
    """
    meant = [{kinds()[kind].modality for kind, _ in mention.meanings} for mention in read(sentence).mentions]
    # A phrase of several modalities ("speaks softly of …") is no proof of any.
    sure = {modality for modalities in meant if len(modalities) == 1 for modality in modalities}
    return frozenset(sure | {modality for modality in MODALITIES if _nouns(modality).search(sentence.lower())})


@cache
def _words() -> Mapping[str, Any]:
    words: Mapping[str, Any] = table("emer.engines", "heard_words.yaml")
    return words


@cache
def _nouns(modality: Modality) -> re.Pattern[str]:
    nouns = _words()["nouns"][modality]
    return re.compile(rf"\b(?:{'|'.join(nouns['en'])})\b|{'|'.join(nouns['zh'])}")


# ---------------------------------------------------------------- levels, then events


def _levels(told: Told, language: str) -> Iterator[str]:
    """One sentence for each thing that has levels: "The voice is loud and rather rough."."""
    levels = _words()["levels"]
    found: dict[str, list[str]] = {}
    for clue in told.clues:
        side = sum(directions_of(clue))
        if clue.kind in levels and side:
            whose, above, below = levels[clue.kind][language]
            found.setdefault(whose, []).append(_degree(clue, language) + (above if side > 0 else below))
    for whose, adjectives in found.items():
        between = "" if language == "zh" else " "
        yield _sentence(f"{whose}{between}{_listed(adjectives, language)}", language)


def _degree(clue: Clue, language: str) -> str:
    slight = clue.value is not None and abs(clue.value) < wording(clue.kind).scale
    return str(_words()["rather"][language]) if slight else ""


def _events(told: Told, language: str) -> Iterator[str]:
    """What happens, two things a sentence."""
    words = _words()
    clauses: list[str] = []
    for clue in told.clues:
        usual = wording(clue.kind).usual
        if clue.kind in words["events"]:
            clauses.append(words["events"][clue.kind][language])
        elif clue.kind in words["often"] and clue.value is not None and clue.value > usual[1]:
            clauses.append(words["often"][clue.kind][language])
    different = list(dict.fromkeys(clauses))
    for first in range(0, len(different), 2):
        yield _sentence(_listed(different[first : first + 2], language), language)


def _listed(words: Sequence[str], language: str) -> str:
    """
    >>> _listed(["high", "rough", "rather loud"], "en"), _listed(["偏高", "略粗糙"], "zh")
    ('high, rough and rather loud', '偏高、略粗糙')
    """
    *before, last = words
    comma, last_comma = _words()["comma"][language], _words()["and"][language]
    return last_comma.join([comma.join(before), last]) if before else last


def _sentence(text: str, language: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{_words()['stop'][language]}"
