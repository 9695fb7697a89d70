"""The emotion tables that ship with emer (`emer 1`): the lexicon's words in families, and five wheels from theory.

    a form       worriedly          the lexicon's lists, `families.yaml` and rules of inflection
    its word     worry              F: one word a form, so that nothing depends on the alphabet
    its family   anxiety            S: one family a word (`families.yaml`, `families_zh.yaml`)
    a wheel      nervousness, fear  rings 2 and 1: every family stands once on every wheel

The wheels are Plutchik's, Shaver's, the Geneva wheel, Ekman's and Russell's circle (`own_wheels/*.yaml`, each with its
source and what was decided where the source is silent). Willcox's feeling wheel of 1982 is left out: it is a drawing
under copyright, and two of the released wheels are already after it.

Unlike the released tables these have a place for neutral, and know fear as fear. Scores with them compare with no
published score; what they change is measured in benchmarks/README.md.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from importlib.resources import files
from typing import Any

from emer.emotions.lexicon import TABLES, lexicon, normal
from emer.emotions.wheels import Wheel, WheelTables
from emer.errors import ConfigError
from emer.tables import table

PACKAGE = "emer.emotions"
FOLDER = "own_wheels"
FAMILIES = {"en": f"{FOLDER}/families.yaml", "zh": f"{FOLDER}/families_zh.yaml"}
OWN_WHEELS = ("plutchik", "shaver", "geneva", "ekman", "russell")
OWN_NAME = "emer 1"
"""The number goes up with every change of content: two scores under one name are from the same tables."""


def own_sha256() -> str:
    """Of the files that the tables are made from."""
    names = (*TABLES.values(), "wheel_own.py", *FAMILIES.values(), *(f"{FOLDER}/{name}.yaml" for name in OWN_WHEELS))
    hashes = [hashlib.sha256(files(PACKAGE).joinpath(name).read_bytes()).hexdigest() for name in names]
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def own_tables() -> WheelTables:
    """The tables, made from their files."""
    forms: dict[str, tuple[str, ...]] = {}
    synonyms: dict[str, tuple[str, ...]] = {}
    for language in FAMILIES:
        families = dict(_members(language))
        synonyms |= {word: (family,) for word, family in families.items()}
        forms |= {form: (word,) for form, word in _forms(language, families).items()}
    return WheelTables(OWN_NAME, own_sha256(), forms, synonyms, tuple(_wheel(name) for name in OWN_WHEELS))


def wheel_source(name: str) -> str:
    """What a wheel was made from."""
    return str(_file(name)["source"])


def clusters(name: str) -> tuple[str, ...]:
    """The inner ring of one of emer's wheels, in the order of its file. Raises ConfigError for an unknown wheel."""
    return tuple(_file(name)["rings"])


def _file(name: str) -> Any:
    if name not in OWN_WHEELS:
        raise ConfigError(f"emer has no wheel {name!r}; choose one of {', '.join(OWN_WHEELS)}")
    return table(PACKAGE, f"{FOLDER}/{name}.yaml")


def _wheel(name: str) -> Wheel:
    places = [
        (family, inner, middle)
        for inner, middles in _file(name)["rings"].items()
        for middle, families in middles.items()
        for family in families
    ]
    return Wheel(
        name, ({family: inner for family, inner, _ in places}, {family: middle for family, _, middle in places})
    )


def _lists(language: str) -> Iterator[tuple[str, list[str]]]:
    """Each family, and one list of forms for each of its words, the word at the head."""
    for family, members in table(PACKAGE, FAMILIES[language]).items():
        for member in members.split():
            yield family, [form.replace("_", " ") for form in member.split("|")]


def _members(language: str) -> Iterator[tuple[str, str]]:
    """Each word and its family."""
    words = lexicon(language)
    for family, (head, *_) in _lists(language):
        entry = words.by_word.get(normal(head))
        yield (entry.lemma if entry and normal(entry.lemma) == normal(head) else head), family


def _forms(language: str, families: Mapping[str, str]) -> dict[str, str]:
    """Every form and its word. Where two claim a form, the lexicon's goes first, then the earlier family's."""
    words = lexicon(language)
    known = {form: entry.lemma for form, entry in words.by_word.items() if entry.lemma in families}
    for _, listed in _lists(language):
        head = known.get(normal(listed[0]), listed[0])
        for form in listed:
            known.setdefault(normal(form), head)
    if language == "en":
        _inflect(known, words.never)
    hyphenated = {form.replace(" ", "-"): word for form, word in known.items() if " " in form}
    return dict(sorted((known | hyphenated).items()))


def _inflect(known: dict[str, str], never: Collection[str]) -> None:
    """Add what endings make of the words, where no word is spelt so itself."""
    for word, base in tuple(known.items()):
        for form in inflected(word):
            if form not in never:
                known.setdefault(form, base)


def inflected(word: str) -> tuple[str, ...]:
    """A word with the endings that `inflection.py` takes off, in English spelling; some are no words, and harm nobody.

    >>> inflected("worry")[:4], inflected("calm")[:5]
    (('worries', 'worrying', 'worried', 'worrier'), ('calms', 'calming', 'calmed', 'calmer', 'calmest'))
    """
    soft = word[:-1] + "i" if re.search("[^aeiou]y$", word) else word
    plural = soft + "es" if soft != word or word.endswith(("s", "x", "z", "ch", "sh", "o")) else word + "s"
    stems = [word[:-1]] if word.endswith("e") else [soft]
    if re.search("[^aeiou][aeiou][^aeiouwxy]$", word):
        stems.append(word + word[-1])
    verbs = [word + "ing"] if soft != word else [stem + "ing" for stem in stems]
    degrees = [stem + ending for stem in stems for ending in ("ed", "er", "est")]
    adverb = word[:-1] + "y" if word.endswith("le") else soft + "ly"
    return (plural, *verbs, *degrees, adverb, soft + "ness", soft + "ful")
