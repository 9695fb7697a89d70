"""Emotion words as they are meant: denied, strengthened or weakened by the words near them.

Rules, after the triggers, pseudo-triggers and terminators of Chapman et al. 2001 (`modifiers.yaml` has the lists):

* a negator (also any ...n't) denies the emotion words that follow within five words of the same clause
  (Chinese: two words): "not happy", "never afraid", "isn't angry at all", "no longer sad", "nothing to fear";
* the clause ends at punctuation, at "but", "because", ..., and at "and" before a new subject;
* "not only", "no wonder", "can't help" deny nothing; "never been so happy", "couldn't be prouder" strengthen;
* "afraid of nothing" is denied by its object;
* the weight of a word is its intensity, times 1.3 for each strengthener and .6 for each weakener close before it,
  times 1.2 where the word stands in capitals or is drawn out; at most 1; 0 when it is denied.

A denied emotion is not taken for its opposite: "not happy" says nothing of sadness.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from emer.emotions.lexicon import WORD, Entry, lexicon, normal, segment
from emer.tables import table

STRENGTHENED, WEAKENED, STRESSED = 1.3, 0.6, 1.2
REACH = {"en": 5, "zh": 2}
"""Words between a negator and the last emotion word that it denies."""
DEGREE_REACH = 3
"""Degree words that are looked at before an emotion word."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An emotion word in its place: `text[start:end]` is the word, `text[from_:end]` the word with its modifiers."""

    entry: Entry
    start: int
    end: int
    from_: int
    weight: float
    """0 (denied) to 1."""
    negator: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a listed phrase of a text, or a mark that ends a clause (role `stop`)."""

    text: str
    start: int
    end: int
    role: str
    """`negator`, `pseudo`, `ends`, `strengthener`, `weakener`, `emotion`, `stop` or `word`."""
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Finds readings in one language. `reader(language)` makes one and keeps it."""

    language: str
    roles: Mapping[str, str]
    """Listed word or phrase to role."""
    subjects: frozenset[str]
    states: frozenset[str]
    raising: frozenset[str]
    empty_objects: frozenset[str]

    def readings(self, text: str) -> tuple[Reading, ...]:
        """The emotion words of `text` in order, each with its weight.

        >>> [(r.entry.label, r.weight, r.negator) for r in reader("en").readings("I'm not sad, just a bit worried.")]
        [('sad', 0.0, 'not'), ('worried', 0.36, None)]
        """
        tokens = self.tokens(text)
        return tuple(self._reading(text, tokens, i) for i, token in enumerate(tokens) if token.role == "emotion")

    def tokens(self, text: str) -> tuple[Token, ...]:
        """Words, listed phrases, emotion words and clause marks of `text` in order; the longest phrase first."""
        pieces = sorted(_stops(text) + list(self._spans(text)))
        found: list[Token] = []
        emotions = {match.start: match for match in lexicon(self.language).find(text)}
        end_of_emotion = 0
        for start, end in pieces:
            if start in emotions:
                end_of_emotion = emotions[start].end
                word = text[start:end_of_emotion]
                found.append(Token(word.lower(), start, end_of_emotion, "emotion", emotions[start].entry))
            elif start >= end_of_emotion:
                word = normal(text[start:end])
                role = "stop" if not WORD.match(word) else self.roles.get(word) or _by_ending(word)
                found.append(Token(word, start, end, role))
        return tuple(found)

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Words and listed phrases, as spans."""
        if self.language == "zh":
            emotion = lexicon("zh")
            known = emotion.by_word.keys() | emotion.never | self.roles.keys()
            yield from segment(text, known, max(map(len, known)))
            return
        words = [match.span() for match in WORD.finditer(text)]
        i = 0
        while i < len(words):
            length = next((n for n in (4, 3, 2) if i + n <= len(words) and self._is_phrase(text, words, i, n)), 1)
            yield words[i][0], words[i + length - 1][1]
            i += length

    def _is_phrase(self, text: str, words: list[tuple[int, int]], i: int, n: int) -> bool:
        return normal(text[words[i][0] : words[i + n - 1][1]]) in self.roles

    def _reading(self, text: str, tokens: tuple[Token, ...], i: int) -> Reading:
        token = tokens[i]
        assert token.entry is not None
        negator, raised = self._negator(tokens, i)
        negator = negator or self._empty_object(tokens, i)
        factor, from_ = self._degree(tokens, i)
        if raised:
            factor = max(factor, STRENGTHENED)
        if is_stressed(text[token.start : token.end], text):
            factor *= STRESSED
        weight = 0.0 if negator else round(min(1.0, token.entry.intensity * factor), 3)
        return Reading(token.entry, token.start, token.end, from_, weight, negator)

    def _degree(self, tokens: tuple[Token, ...], i: int) -> tuple[float, int]:
        """The factor of the degree words just before token `i`, and where the first of them starts."""
        factor, from_ = 1.0, tokens[i].start
        for token in reversed(tokens[max(0, i - DEGREE_REACH) : i]):
            if token.role == "strengthener":
                factor *= STRENGTHENED
            elif token.role == "weakener":
                factor *= WEAKENED
            else:
                break
            from_ = token.start
        return factor, from_

    def _negator(self, tokens: tuple[Token, ...], i: int) -> tuple[str | None, bool]:
        """What denies token `i`, and whether a negated state raises it instead (never been so happy)."""
        between: list[Token] = []
        for token in reversed(tokens[:i]):
            if token.role in ("stop", "ends", "pseudo"):
                break
            if token.role == "negator":
                raised = self._raises(between, tokens[i])
                return (None if raised else token.text), raised
            if token.text == "and" and between and between[-1].text in self.subjects:
                break
            between.append(token)
            if len(between) > REACH[self.language]:
                break
        return None, False

    def _raises(self, between: list[Token], emotion: Token) -> bool:
        """Whether a state and a word of comparison stand between the negator and the emotion word."""
        texts = {token.text for token in between}
        assert emotion.entry is not None
        # "prouder" is a comparative, "anger" is none: only a form that the table itself lacks can be one.
        comparative = emotion.text.endswith("er") and emotion.text not in lexicon(self.language).by_word
        return bool(texts & self.states) and (comparative or bool(texts & self.raising))

    def _empty_object(self, tokens: tuple[Token, ...], i: int) -> str | None:
        """`nothing` in `afraid of nothing`: an object that empties the emotion word before it."""
        rest = [token.text for token in tokens[i + 1 : i + 4]]
        if rest[:1] == ["of"]:
            rest = rest[1:]
        candidates = (" ".join(rest[:n]) for n in (1, 2))
        return next((words for words in candidates if words in self.empty_objects), None)


@cache
def reader(language: str) -> Reader:
    """The reader of a language that has emotion words (ConfigError for another)."""
    lexicon(language)
    rows = table("emer.emotions", "modifiers.yaml")[language]
    names = {"negators": "negator", "pseudo": "pseudo", "ends": "ends"}
    names |= {"strengtheners": "strengthener", "weakeners": "weakener"}
    roles = {word: role for name, role in names.items() for word in rows[name]}
    sets = (frozenset(rows[name]) for name in ("subjects", "states", "raising", "empty_objects"))
    return Reader(language, roles, *sets)


def is_stressed(word: str, text: str) -> bool:
    """Whether `word` stands in capitals in an otherwise mixed `text`, or is drawn out (`soooo`)."""
    capitals = len(word) > 1 and word.isupper() and not mostly_capitals(text)
    return capitals or is_drawn_out(word)


def is_drawn_out(word: str) -> bool:
    """Three equal letters in a row; `www` and Roman numerals are not speech.

    >>> [w for w in ("sooo", "happyyy", "www", "III", "good") if is_drawn_out(w)]
    ['sooo', 'happyyy']
    """
    return re.search(r"([^\W\d_])\1\1", word.lower()) is not None and re.fullmatch(r"www|[IVXL]+", word) is None


def mostly_capitals(text: str) -> bool:
    """Whether a text is set in capitals as a whole, so that they stress nothing."""
    letters = [letter for letter in text if letter.isalpha() and letter.lower() != letter.upper()]
    return bool(letters) and sum(letter.isupper() for letter in letters) >= 0.9 * len(letters)


def _stops(text: str) -> list[tuple[int, int]]:
    """Marks that end a clause; a hyphen inside a word and a dot inside a number end none."""
    return [match.span() for match in re.finditer(r"[,;:!?…，。！？；：、—–()\[\]]|\.(?!\d)|\s-+\s", text)]


def _by_ending(word: str) -> str:
    return "negator" if word.endswith("n't") else "word"
