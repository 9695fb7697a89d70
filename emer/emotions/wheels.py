"""Emotion wheels: from a free-text label to the cluster that it stands in, through inflections and synonyms.

    F[form]     the words that `form` may be an inflection of, itself included where a table lists it
    S[word]     the words that `word` is a synonym of, itself included where it is one of the wheels' words
    a wheel     words on three rings; ring 1 maps each to its inner cluster, ring 2 to its middle one

    case1                  M1(x) = first of F[x]
    case2                  M2(x) = first of S[M1(x)]
    case3_wheelW_levelL    the first word of {r : f in F[x], r in S[f]} that stands in wheel W, then its ring-L cluster

"First" is alphabetical. A label that a mapping does not know is mapped to the empty text and dropped.

Source: AffectGPT (Lian et al. 2025, ICML, https://arxiv.org/abs/2501.16566), section on evaluation; the names of the
mappings are those of its released tables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from emer.errors import ConfigError

UNKNOWN = ""
"""What a mapping gives for a label that it does not know."""
RINGS = (1, 2)
UNKNOWN_TABLES = "unknown tables"
"""The name of tables whose content emer does not recognise."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """One emotion wheel."""

    name: str
    rings: tuple[Mapping[str, str], Mapping[str, str]]
    """Word to its cluster, for ring 1 and for ring 2."""


@dataclass(frozen=True)
class WheelTables:
    """Inflections, synonyms and wheels that belong together; lists of words are sorted and hold each word once."""

    name: str
    """As every score names it: `AffectGPT 2025`, `MER2026`, `emer 1`."""
    sha256: str
    """Of the files that it was read from."""
    forms: Mapping[str, tuple[str, ...]]
    synonyms: Mapping[str, tuple[str, ...]]
    wheels: tuple[Wheel, ...]

    @cached_property
    def mappings(self) -> tuple[str, ...]:
        """The names of all mappings: `case1`, `case2`, then the wheels with both rings."""
        wheels = range(1, len(self.wheels) + 1)
        return ("case1", "case2", *(f"case3_wheel{w}_level{ring}" for w in wheels for ring in RINGS))

    def ring(self, ring: int) -> tuple[str, ...]:
        """The mappings to one ring of every wheel."""
        return tuple(name for name in self.mappings if name.endswith(f"_level{ring}"))

    @property
    def note(self) -> str | None:
        """What the reader of a score must know about these tables; None where there is nothing."""
        if self.name != UNKNOWN_TABLES:
            return None
        return (
            f"emer does not know these tables (sha256 {self.sha256[:12]}…): their scores compare with no published ones"
        )

    def map(self, mapping: str, word: str) -> str:
        """The cluster of a lower-case word, or `UNKNOWN`. Raises ConfigError for an unknown mapping."""
        known = self._mapped.get(mapping)
        if known is None:
            raise ConfigError(f"{self.name} has no mapping {mapping!r}; choose one of {', '.join(self.mappings)}")
        if word not in self.forms:
            return UNKNOWN
        if word not in known:
            known[word] = self._clusters[mapping](word)
        return known[word]

    def knows(self, word: str) -> bool:
        """Whether a lower-case word has a cluster on any wheel."""
        return word in self.forms and any(root in wheel.rings[0] for wheel in self.wheels for root in self._roots(word))

    @cached_property
    def _mapped(self) -> dict[str, dict[str, str]]:
        """What `map` answered: it is asked for the same words again, by floors and by other files."""
        return {mapping: {} for mapping in self.mappings}

    @cached_property
    def _clusters(self) -> Mapping[str, Callable[[str], str]]:
        """Each mapping as a function of a word that has a form."""
        rings = (partial(self._on_ring, ring) for wheel in self.wheels for ring in wheel.rings)
        return dict(zip(self.mappings, (self._first_form, self._first_synonym, *rings), strict=True))

    def _first_form(self, word: str) -> str:
        return next(iter(self.forms[word]), UNKNOWN)

    def _first_synonym(self, word: str) -> str:
        return next(iter(self.synonyms.get(self._first_form(word), ())), UNKNOWN)

    def _on_ring(self, ring: Mapping[str, str], word: str) -> str:
        return next((ring[root] for root in self._roots(word) if root in ring), UNKNOWN)

    @cached_property
    def _found_roots(self) -> dict[str, tuple[str, ...]]:
        return {}

    def _roots(self, word: str) -> tuple[str, ...]:
        """{r : f in F[word], r in S[f]}, sorted; remembered, as every ring asks anew."""
        if word not in self._found_roots:
            roots = {root for form in self.forms.get(word, ()) for root in self.synonyms.get(form, ())}
            self._found_roots[word] = tuple(sorted(roots))
        return self._found_roots[word]
