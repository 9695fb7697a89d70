"""What a verdict is trained towards: from labels that people wrote freely to numbers over its label set.

A label reaches the set by the user's own map first, else by itself where the set has it, else through the tables of
`emer.emotions`: the wheel's ring 1 for `ring1/<wheel>`, the lexicon's clusters for emer8. A label that none of them
knows is listed and never guessed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from emer.emotions.label_sets import RING, label_set
from emer.emotions.labels import cluster_of
from emer.emotions.wheel_files import load_wheels
from emer.emotions.wheel_own import OWN_WHEELS
from emer.emotions.wheels import UNKNOWN
from emer.errors import ConfigError
from emer.evidence.verdict_spec import VerdictSpec
from emer.types import Annotation

CANONICAL = "emer8"


def default_spec(name: str = "ring1/plutchik") -> VerdictSpec:
    """The verdict for free-text labels: for every cluster of a wheel's inner ring, evidence for it and against it.

    Raises ConfigError for an unknown label set.

    >>> spec = default_spec("ring1/ekman")
    >>> spec.kind, spec.rows == 2 * len(spec.labels)
    ('beta', True)
    """
    return VerdictSpec(label_set=name, labels=label_set(name), kind="beta")


@dataclass(frozen=True, slots=True)
class LabelMap:
    """From free-text labels to those of a verdict. Raises ConfigError when `own` leads to labels outside the set."""

    spec: VerdictSpec
    own: Mapping[str, str] = field(default_factory=dict)
    """The user's words to labels of the set; they go before every table. Letter case does not matter."""

    def __post_init__(self) -> None:
        wrong = sorted({label for label in self.own.values() if label not in self.spec.labels})
        if wrong:
            known = f"{self.spec.label_set} has {', '.join(self.spec.labels)}"
            raise ConfigError(f"the label map leads to {', '.join(wrong)}, and {known}; mend the map")
        object.__setattr__(self, "own", {_plain(word): label for word, label in self.own.items()})

    def of(self, word: str) -> str | None:
        """The label of the set that a word stands for; None when nothing knows it.

        >>> LabelMap(default_spec("ring1/plutchik")).of("Worried"), LabelMap(default_spec()).of("table")
        ('fear', None)
        """
        plain = _plain(word)
        if plain in self.own:
            return self.own[plain]
        if plain in self.spec.labels:
            return plain
        found = _by_table(plain, self.spec.label_set)
        return found if found in self.spec.labels else None


def _plain(word: str) -> str:
    return " ".join(word.lower().split())


def _by_table(word: str, name: str) -> str | None:
    if name == CANONICAL:
        return cluster_of(word)
    wheel = name.removeprefix(RING)
    if name.startswith(RING) and wheel in OWN_WHEELS:
        cluster = load_wheels().map(f"case3_wheel{OWN_WHEELS.index(wheel) + 1}_level1", word)
        return None if cluster == UNKNOWN else cluster
    return None


@dataclass(frozen=True, slots=True)
class Targets:
    """What people said of each clip, over a verdict's label set."""

    target: Float[np.ndarray, "clip label"]
    """A distribution over the labels (dirichlet), or the share of raters who see each label (beta)."""
    known: Bool[np.ndarray, "clip"]
    """False where no label of a clip reaches the set: there the target is 0 and teaches nothing."""
    unmapped: Mapping[str, int]
    """Words that reach no label, and in how many clips each stands, the most frequent first."""


def targets(annotations: Sequence[Annotation], words: LabelMap) -> Targets:
    """Targets of annotated clips. Votes go before labels; several labels of one clip are one vote each.

    Raises ConfigError for votes that are negative or not finite.

    >>> said = [Annotation(votes={"worried": 3, "glad": 1}), Annotation(labels=("xyzzy",))]
    >>> made = targets(said, LabelMap(VerdictSpec(label_set="ring1/plutchik", labels=("joy", "fear"))))
    >>> made.target.tolist(), made.known.tolist(), dict(made.unmapped)
    ([[0.25, 0.75], [0.0, 0.0]], [True, False], {'xyzzy': 1})
    """
    unmapped: Counter[str] = Counter()
    rows = [_row(annotation, words, unmapped) for annotation in annotations]
    target = np.array(rows, dtype=float).reshape(len(rows), len(words.spec.labels))
    return Targets(target, target.sum(axis=1) > 0, dict(unmapped.most_common()))


def _row(annotation: Annotation, words: LabelMap, unmapped: Counter[str]) -> Float[np.ndarray, "label"]:
    votes = _votes(annotation)
    shares = dict.fromkeys(words.spec.labels, 0.0)
    for word, count in votes.items():
        label = words.of(word)
        if label is None:
            unmapped[word] += 1
        else:
            shares[label] += count
    row = np.array(list(shares.values()))
    if words.spec.kind == "beta":
        return _held(row, votes, by_raters=bool(annotation.votes))
    return np.asarray(row / row.sum()) if row.sum() > 0 else row


def _held(
    row: Float[np.ndarray, "label"], votes: Mapping[str, float], *, by_raters: bool
) -> Float[np.ndarray, "label"]:
    """Which labels hold: 1 for each that a clip has; or, of votes, each label's share of all raters, those whose word
    reached no label among them."""
    if not by_raters:
        return np.asarray((row > 0).astype(float))
    total = sum(votes.values())
    return np.asarray(row / total) if total > 0 else row


def _votes(annotation: Annotation) -> dict[str, float]:
    if not annotation.votes:
        return dict.fromkeys(annotation.labels, 1.0)
    for word, count in annotation.votes.items():
        if not 0 <= count < np.inf:
            raise ConfigError(f"{word!r} has {count:g} votes; give numbers from 0 up")
    return dict(annotation.votes)
