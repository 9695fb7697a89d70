"""Rule tables (`rules/*.yaml`): what published work says a voice, a face or words speak for.

A table names one view, its norms and its rules. A rule fires on departures from the norm, in standard
deviations, and says for which labels it is evidence, how it moves arousal and valence, and who found so.
Tables are data: another rule is another row. Everything wrong with a table is reported at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any, Literal, TypeVar

import msgspec

from emer.emotions import label_set
from emer.errors import ConfigError
from emer.kinds import kinds
from emer.tables import parse, table
from emer.types import MODALITIES, Modality

Side = Literal["high", "low", "near"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Norm:
    """What is usual for one feature, in the feature's own unit."""

    mean: float
    sd: float
    """Spread over people and recordings; used where the speaker's own baseline is unknown."""
    sd_own: float
    """Spread of one person's recordings among themselves; used around the speaker's own baseline."""
    source: str
    own_only: bool = False
    """Means nothing without the speaker's baseline (for instance loudness, which the microphone decides)."""
    per: str | None = None
    """For counts: the feature that says how much there was to count in (`word_count`)."""
    within: float = 1.0
    """A count in more than this much of `per` is scaled down to this much; in less it stays as it is."""


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    title: str
    """The rule's condition in words, as an explanation may use it: `wide pitch range`."""
    when: dict[str, Side]
    """Feature to side of its norm; all of them must hold."""
    kinds: tuple[str, ...]
    """Clue kinds in which a reader finds the same behaviour (`emer/kinds.yaml`)."""
    source: tuple[str, ...]
    """Keys of the table's `sources`."""
    says: dict[str, float] = field(default_factory=dict)
    """Label to weight of evidence, when the rule fires in full."""
    arousal: float = 0.0
    valence: float = 0.0


@dataclass(frozen=True, slots=True)
class RuleTable:
    view: Modality
    label_set: str
    norms: dict[str, Norm]
    rules: tuple[Rule, ...]
    sources: dict[str, str]
    """Key to citation."""
    weigh_by: str | None = None
    """A feature between 0 and 1 by which all strengths are multiplied: how much of the view was seen."""

    @property
    def labels(self) -> tuple[str, ...]:
        return label_set(self.label_set)


@cache
def rule_table(view: str) -> RuleTable:
    """The table that ships for a view. Raises ConfigError for a view without one."""
    if view not in MODALITIES:
        raise ConfigError(f"there are no rules for the view {view!r}; choose one of {', '.join(MODALITIES)}")
    return _checked(table("emer.evidence", f"rules/{view}.yaml"), f"rules/{view}.yaml")


def read_table(text: str, name: str) -> RuleTable:
    """A table from YAML text. Raises ConfigError that lists every mistake; `name` is what it calls the table.

    >>> read_table("view: audio", "mine.yaml")
    Traceback (most recent call last):
    emer.errors.ConfigError: mine.yaml: no label_set; no norms; no rules; no sources
    """
    return _checked(parse(text, name), name)


def _checked(raw: object, name: str) -> RuleTable:
    if not isinstance(raw, dict):
        raise ConfigError(f"{name}: the table must be a mapping with view, label_set, norms, rules and sources")
    mistakes = list(_form_mistakes(raw))
    if not mistakes:
        mistakes = list(_meaning_mistakes(found := msgspec.convert(raw, RuleTable)))
    if mistakes:
        raise ConfigError(f"{name}: " + "; ".join(mistakes))
    return found


# ---------------------------------------------------------------- form: keys and types


def _form_mistakes(raw: dict[str, Any]) -> Iterator[str]:
    yield from _keys_mistakes(raw, RuleTable, "")
    norms, rules = raw.get("norms", {}), raw.get("rules", [])
    if not isinstance(norms, dict) or not isinstance(rules, list):
        yield "norms must be a mapping and rules a list"
        return
    for feature, row in norms.items():
        yield from _row_mistakes(row, Norm, f"norm {feature}: ")
    for number, row in enumerate(rules, 1):
        called = row.get("name", number) if isinstance(row, dict) else number
        yield from _row_mistakes(row, Rule, f"rule {called}: ")
    head = {key: value for key, value in raw.items() if key not in ("norms", "rules")}
    yield from _type_mistakes({"norms": {}, "rules": []} | head, RuleTable, "")


def _row_mistakes(row: object, kind: type[T], where: str) -> Iterator[str]:
    if not isinstance(row, dict):
        yield f"{where}must be a mapping, not {row!r}"
        return
    yield from _keys_mistakes(row, kind, where)
    yield from _type_mistakes(row, kind, where)


def _keys_mistakes(row: Mapping[str, object], kind: Any, where: str) -> Iterator[str]:
    known = [f.name for f in fields(kind)]
    optional = {f.name for f in fields(kind) if not (f.default is MISSING and f.default_factory is MISSING)}
    yield from (f"{where}no {key}" for key in known if key not in row and key not in optional)
    yield from (f"{where}unknown key {key}" for key in row if key not in known)


def _type_mistakes(row: Mapping[str, object], kind: type[T], where: str) -> Iterator[str]:
    try:
        msgspec.convert(row, kind)
    except msgspec.ValidationError as error:
        if "missing required" not in str(error):
            yield f"{where}{str(error).lower()}"


# ---------------------------------------------------------------- meaning: names and ranges


def _meaning_mistakes(table: RuleTable) -> Iterator[str]:
    try:
        labels = table.labels
    except ConfigError as error:
        yield str(error)
        labels = ()
    for feature, norm in table.norms.items():
        if not (norm.sd > 0 and norm.sd_own > 0):
            yield f"norm {feature}: sd and sd_own must be above 0"
        if not norm.within > 0:
            yield f"norm {feature}: within must be above 0"
        if not norm.source.strip():
            yield f"norm {feature}: no source"
    names = [rule.name for rule in table.rules]
    yield from (f"rule {name}: stands there twice" for name in sorted({n for n in names if names.count(n) > 1}))
    for rule in table.rules:
        yield from (f"rule {rule.name}: {mistake}" for mistake in _rule_mistakes(rule, table, labels))
    cited = {key for rule in table.rules for key in rule.source}
    yield from (f"source {key} is cited by no rule" for key in table.sources if key not in cited)


def _rule_mistakes(rule: Rule, table: RuleTable, labels: tuple[str, ...]) -> Iterator[str]:
    if not rule.when:
        yield "no condition"
    yield from (f"no norm for {feature}" for feature in rule.when if feature not in table.norms)
    yield from (f"unknown label {label}" for label in rule.says if labels and label not in labels)
    yield from (f"weight of {label} must be above 0" for label, weight in rule.says.items() if not weight > 0)
    if not (-1 <= rule.arousal <= 1 and -1 <= rule.valence <= 1):
        yield "arousal and valence must lie between -1 and 1"
    if not (rule.says or rule.arousal or rule.valence):
        yield "says nothing"
    if not rule.source:
        yield "no source"
    yield from (f"unknown source {key}" for key in rule.source if key not in table.sources)
    if not rule.kinds:
        yield "names no kind of clue"
    for kind in rule.kinds:
        if kind not in kinds() or kinds()[kind].modality != table.view:
            yield f"{kind} is no kind of {table.view} clue"
