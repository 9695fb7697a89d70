"""Emotion words: what they name, how pleasant, how excited, how strong (`lexicon.yaml`, `lexicon_zh.yaml`)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from emer.emotions.inflection import sources
from emer.errors import ConfigError
from emer.tables import table

TABLES = {"en": "lexicon.yaml", "zh": "lexicon_zh.yaml"}

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
"""A word of a language that parts its words by spaces; `don't` is one."""
HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One family of emotion words."""

    lemma: str
    label: str
    """The adjective by which a person is described: `worried`."""
    cluster: str
    """Its family in emer8."""
    valence: float
    """-1 unpleasant to 1 pleasant, in steps of .5."""
    arousal: float
    """-1 drowsy to 1 excited, in steps of .5."""
    intensity: float
    """How strongly the word speaks of the emotion, 0 to 1."""
    forms: tuple[str, ...] = ()
    """Words of the family that no rule of inflection reaches."""
    also: tuple[str, ...] = ()
    """Second families, where the sources name two."""
    in_text: bool = True
    """False: a label for a person, but in running text the word mostly says something else (`blue`)."""

    @property
    def words(self) -> tuple[str, ...]:
        """Lemma, label and further forms, each once."""
        return tuple(dict.fromkeys((self.lemma, self.label, *self.forms)))


@dataclass(frozen=True, slots=True)
class Match:
    """An emotion word in a text: `text[start:end]`."""

    entry: Entry
    start: int
    end: int


@dataclass(frozen=True)
class Lexicon:
    """The emotion words of one language."""

    language: str
    entries: tuple[Entry, ...]
    by_word: Mapping[str, Entry]
    """Every word and phrase of the table, in lower case with single spaces."""
    never: frozenset[str]
    """Words that only look like a form of an entry."""
    longest: int
    """Words (Chinese: characters) in the longest phrase of the table."""

    def entry(self, word: str) -> Entry | None:
        """The entry of a word or phrase in any of its forms, or None.

        >>> lexicon().entry("worriedly").label
        'worried'
        """
        key = normal(word)
        if key in self.by_word:
            return self.by_word[key]
        if key in self.never or self.language != "en" or " " in key:
            return None
        found = (self.by_word.get(source) for source in sources(key) if source not in self.never)
        return next((entry for entry in found if entry is not None), None)

    def find(self, text: str) -> tuple[Match, ...]:
        """The emotion words of a running text in order, the longest phrase first, never overlapping.

        Words that are labels only (`Entry.in_text` False) are left out.

        >>> [(m.entry.cluster, m.start, m.end) for m in lexicon().find("I am worried and fed up.")]
        [('fearful', 5, 12), ('angry', 17, 23)]
        """
        return tuple(match for match in self.all_matches(text) if match.entry.in_text)

    def all_matches(self, text: str) -> Iterator[Match]:
        """Like `find`, with the words that are labels only."""
        if self.language == "zh":
            for start, end in segment(text, self.by_word.keys() | self.never, self.longest):
                if entry := self.by_word.get(text[start:end]):
                    yield Match(entry, start, end)
            return
        tokens = [match.span() for match in WORD.finditer(text)]
        i = 0
        while i < len(tokens):
            length, entry = self._longest_at(text, tokens, i)
            if entry is not None:
                yield Match(entry, tokens[i][0], tokens[i + length - 1][1])
            i += length

    def _longest_at(self, text: str, tokens: list[tuple[int, int]], i: int) -> tuple[int, Entry | None]:
        """How many tokens the longest entry that begins at token `i` takes up (1 when there is none)."""
        for length in range(min(self.longest, len(tokens) - i), 0, -1):
            phrase = text[tokens[i][0] : tokens[i + length - 1][1]]
            if length > 1 and not re.fullmatch(r"[\w'’\s-]+", phrase):
                continue
            if entry := self.entry(phrase):
                return length, entry
        return 1, None

    def near(self, cluster: str, valence: float, arousal: float, n: int) -> tuple[str, ...]:
        """At most `n` labels of a cluster, the nearest to a point of the valence-arousal plane first.

        Among equally near labels the order of the table decides, plain words first.

        >>> lexicon().near("calm", .5, -.5, 2)
        ('calm', 'relaxed')
        """
        family = [entry for entry in self.entries if entry.cluster == cluster]
        family.sort(key=lambda entry: (entry.valence - valence) ** 2 + (entry.arousal - arousal) ** 2)
        return tuple(dict.fromkeys(entry.label for entry in family))[:n]


@cache
def lexicon(language: str = "en") -> Lexicon:
    """The table of a language (`en`, `zh`). Raises ConfigError for another language."""
    if language not in TABLES:
        raise ConfigError(f"there are no emotion words for language {language!r}; choose one of {', '.join(TABLES)}")
    rows = table("emer.emotions", TABLES[language])
    entries = tuple(_entries(rows["words"], True)) + tuple(_entries(rows["labels_only"], False))
    by_word: dict[str, Entry] = {}
    for entry in entries:
        for word in entry.words:
            by_word.setdefault(normal(word), entry)
    longest = max(len(word) if language == "zh" else word.count(" ") + 1 for word in by_word)
    return Lexicon(language, entries, by_word, frozenset(rows["never"]), longest)


def segment(text: str, known: Iterable[str], longest: int) -> Iterator[tuple[int, int]]:
    """Chinese text cut by longest match: words of `known`, else single Han characters; the rest is passed over."""
    words = frozenset(known)
    i = 0
    while i < len(text):
        length = next((n for n in range(min(longest, len(text) - i), 1, -1) if text[i : i + n] in words), 1)
        if length > 1 or HAN.match(text[i]):
            yield i, i + length
        i += length


def _entries(rows: Mapping[str, list[list[Any]]], in_text: bool) -> Iterator[Entry]:
    for cluster, families in rows.items():
        for lemma, label, valence, arousal, intensity, others, *rest in families:
            also = tuple(rest[0]["also"]) if rest else ()
            yield Entry(
                lemma=lemma.replace("_", " "),
                label=label,
                cluster=cluster,
                valence=float(valence),
                arousal=float(arousal),
                intensity=float(intensity),
                forms=tuple(form.replace("_", " ") for form in others.split()),
                also=also,
                in_text=in_text,
            )


def normal(word: str) -> str:
    """Lower case, straight apostrophes, one space for hyphens and white space."""
    return re.sub(r"[\s-]+", " ", word.strip().lower().replace("’", "'"))
