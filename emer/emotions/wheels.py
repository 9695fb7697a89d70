"""Emotion wheels: from a free-text label to the cluster that it stands in, through inflections and synonyms.

    F[form]     the words that `form` may be an inflection of, itself included where a table lists it
    S[word]     the words that `word` is a synonym of, itself included
    a wheel     words on three rings; ring 1 maps each to its inner cluster, ring 2 to its middle one

    case1                  M1(x) = first of F[x]
    case2                  M2(x) = first of S[M1(x)]
    case3_wheelW_levelL    the first word of {r : f in F[x], r in S[f]} that stands in wheel W, then its ring-L cluster

"First" is alphabetical. A label that a mapping does not know is mapped to the empty text and dropped.

Source: AffectGPT (Lian et al. 2025, ICML, https://arxiv.org/abs/2501.16566), section on evaluation; the names of the
mappings are those of its released tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from emer.errors import ConfigError

UNKNOWN = ""
"""What a mapping gives for a label that it does not know."""
RINGS = (1, 2)


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

    def map(self, mapping: str, word: str) -> str:
        """The cluster of a lower-case word, or `UNKNOWN`. Raises ConfigError for an unknown mapping."""
        if mapping not in self.mappings:
            raise ConfigError(f"{self.name} has no mapping {mapping!r}; choose one of {', '.join(self.mappings)}")
        if mapping == "case1":
            return self._first_form(word)
        if mapping == "case2":
            return next(iter(self.synonyms.get(self._first_form(word), ())), UNKNOWN)
        wheel, _, ring = mapping.removeprefix("case3_wheel").partition("_level")
        return self._on_wheel(word, self.wheels[int(wheel) - 1].rings[int(ring) - 1])

    def _first_form(self, word: str) -> str:
        return next(iter(self.forms.get(word, ())), UNKNOWN)

    def _on_wheel(self, word: str, clusters: Mapping[str, str]) -> str:
        roots = {root for form in self.forms.get(word, ()) for root in self.synonyms.get(form, ())}
        return min(((root, clusters[root]) for root in roots if root in clusters), default=("", UNKNOWN))[1]
