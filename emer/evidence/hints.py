"""Hints: what published rules make of measured features, until trained heads take over.

A rule's condition holds by degrees: not below half a standard deviation from the norm, fully from two on,
in proportion between; `near` holds fully at the norm, and no more from one standard deviation on. A rule is as
strong as the weakest of its conditions. The strengths of all rules, times
what each says, add up to raw evidence t, which is scaled to `1.9 t / (1 + t)`: with K = 8 labels and prior
weight 8 the uncertainty stays above .8 whatever was measured. A hint is a direction to look in, not a verdict;
it enters neither confidence nor conflict (`trained` is False).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from emer.errors import OpinionError
from emer.evidence.opinion import dirichlet, vacuous
from emer.evidence.rule_table import Norm, Rule, RuleTable, Side, rule_table
from emer.types import Features, Opinion

MOST_EVIDENCE = 1.9
"""Total evidence of a hint stays below this: u > 8 / 9.9 = .808 over eight labels."""
ONSET, FULL = 0.5, 2.0
"""Standard deviations from the norm at which a condition begins to hold, and at which it holds fully."""
FAINT = 0.05
"""A rule that moves arousal or valence by less is not named."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that fired, and how strongly (0 to 1)."""

    view: str
    rule: str
    title: str
    """In words: `wide pitch range`."""
    strength: float
    labels: tuple[str, ...]
    """What it is evidence for, strongest first."""
    arousal: float
    valence: float
    """How far it moves each, in full strength, -1 to 1."""
    kinds: tuple[str, ...]
    """Clue kinds that show the same behaviour."""
    source: str
    """Citations."""


@dataclass(frozen=True, slots=True)
class Affect:
    """Arousal (-1 drowsy to 1 excited) and valence (-1 unpleasant to 1 pleasant), as far as rules can tell.

    None where nothing that speaks of it was measured; 0 where it was, and nothing departs from the norm.
    """

    arousal: float | None
    valence: float | None
    because: tuple[str, ...]
    """Titles of the rules that moved them, the strongest first, each with its view: `audio: wide pitch range`."""


# ---------------------------------------------------------------- what is asked


def hint(features: Features, baseline: Features | None = None) -> Opinion:
    """What one view's features speak for, over `emer8`; untrained, with uncertainty above .8 always.

    With a `baseline` (features of the speaker's neutral recordings) departures are from that person's own
    numbers, else from population norms. Where nothing could be measured the opinion is vacuous.

    >>> from emer.evidence.opinion import probability
    >>> words = Features("text", ("emo_happy", "compound"), (2.0, 0.9), (True, True), "1")
    >>> opinion = hint(words)
    >>> opinion.labels[probability(opinion).argmax()], opinion.trained
    ('happy', False)
    """
    table = rule_table(features.view)
    told = list(_told(table, features, baseline))
    if not told:
        return vacuous(table.label_set, table.labels)
    raw = np.array([sum(strength * rule.says.get(label, 0.0) for rule, strength in told) for label in table.labels])
    return dirichlet(table.label_set, table.labels, MOST_EVIDENCE * raw / (1 + raw.sum()))


def reasons(features: Features, baseline: Features | None = None) -> tuple[Reason, ...]:
    """The rules that fired on one view's features, the strongest first."""
    table = rule_table(features.view)
    fired = [_reason(table, *pair) for pair in _told(table, features, baseline) if pair[1] > 0]
    return tuple(sorted(fired, key=lambda reason: -reason.strength))


def affect(features: Mapping[str, Features], baselines: Mapping[str, Features] | None = None) -> Affect:
    """Arousal and valence from all views: the sum of what their rules say, bent into [-1, 1] by tanh.

    `baselines` holds the speaker's neutral features per view. Raises ConfigError for a view without rules.

    >>> affect({"text": Features("text", ("emo_happy",), (1.0,), (True,), "1")}).because
    ('text: words of joy',)
    """
    moves: list[tuple[str, float, float]] = []
    arousing = pleasing = False
    for view in sorted(features):
        for rule, strength in _told(rule_table(view), features[view], (baselines or {}).get(view)):
            moves.append((f"{view}: {rule.title}", strength * rule.arousal, strength * rule.valence))
            arousing, pleasing = arousing or rule.arousal != 0, pleasing or rule.valence != 0
    moves.sort(key=lambda move: -max(abs(move[1]), abs(move[2])))
    return Affect(
        arousal=math.tanh(sum(a for _, a, _ in moves)) if arousing else None,
        valence=math.tanh(sum(v for _, _, v in moves)) if pleasing else None,
        because=tuple(title for title, a, v in moves if max(abs(a), abs(v)) >= FAINT),
    )


# ---------------------------------------------------------------- how rules are applied


def _told(table: RuleTable, features: Features, baseline: Features | None) -> Iterator[tuple[Rule, float]]:
    """Every rule whose features were all measured, with its strength; 0 where its condition does not hold."""
    seen = None if table.weigh_by is None else _finite(features, table.weigh_by)
    weight = 1.0 if seen is None else min(1.0, max(0.0, seen))
    for rule in table.rules:
        degrees = [_degree(table, features, baseline, name, side) for name, side in rule.when.items()]
        known = [degree for degree in degrees if degree is not None]
        if len(known) == len(degrees):
            yield rule, weight * min(known)


def _degree(table: RuleTable, features: Features, baseline: Features | None, name: str, side: Side) -> float | None:
    """How far a condition holds, 0 to 1; None when it cannot be told."""
    z = _departure(table, features, baseline, name)
    if z is None:
        return None
    if side == "near":
        return max(0.0, 1 - abs(z))
    return min(1.0, max(0.0, ((z if side == "high" else -z) - ONSET) / (FULL - ONSET)))


def _departure(table: RuleTable, features: Features, baseline: Features | None, name: str) -> float | None:
    """Standard deviations from the speaker's own number where it is known, else from the population's."""
    norm = table.norms[name]
    value = _comparable(norm, features, name)
    own = None if baseline is None else _comparable(norm, baseline, name)
    if value is None or (own is None and norm.own_only):
        return None
    return (value - norm.mean) / norm.sd if own is None else (value - own) / norm.sd_own


def _comparable(norm: Norm, features: Features, name: str) -> float | None:
    """The feature; a count from a long stretch as if it came from a short one, or every long clip would have all."""
    value = _finite(features, name)
    size = None if norm.per is None else _finite(features, norm.per)
    return value if value is None or size is None else value * norm.within / max(norm.within, size)


def _finite(features: Features, name: str) -> float | None:
    value = features.get(name)
    if value is not None and not math.isfinite(value):
        raise OpinionError(f"{features.view} feature {name} is {value}; mask what could not be measured")
    return value


def _reason(table: RuleTable, rule: Rule, strength: float) -> Reason:
    return Reason(
        view=table.view,
        rule=rule.name,
        title=rule.title,
        strength=strength,
        labels=tuple(sorted(rule.says, key=lambda label: -rule.says[label])),
        arousal=rule.arousal,
        valence=rule.valence,
        kinds=rule.kinds,
        source="; ".join(table.sources[key] for key in rule.source),
    )
