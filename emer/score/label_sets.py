"""Free words into a closed set of labels: which set is meant, and which of its labels a word stands for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from emer.emotions.label_sets import label_set, mapping
from emer.emotions.labels import cluster_of
from emer.emotions.wheels import UNKNOWN
from emer.errors import ConfigError
from emer.metrics.open_vocabulary import numbered
from emer.score.options import Options
from emer.score.pairs import Pairs
from emer.score.result import TablesRecord
from emer.score.wheel import is_wheel, record, tables_of
from emer.tables import table


@dataclass(frozen=True)
class Closed:
    """The labels of a set, and the place among them of each word of the pairs (-1: of none)."""

    labels: Sequence[str]
    place: Int64[np.ndarray, "word"]
    said: str
    """How words were mapped, for the reader of the score."""
    tables: TablesRecord | None = None


def closed(pairs: Pairs, options: Options) -> Closed:
    """The set that is asked for, or the one that the gold labels belong to, or the gold labels themselves.

    In a named set a word is a label of that set, or else the label that its emer8 cluster is mapped to; in the
    clusters of a wheel it is what the tables say; among gold labels it is only itself.
    """
    words, gold, _ = pairs.vocabulary
    own = [words[i] for i in np.unique(gold.ids)]
    asked, set_of_own = options.label_set or _set_of(own), frozenset(own)
    if asked is None:
        names, place = numbered(words, lambda word: word if word in set_of_own else UNKNOWN)
        return Closed(names, place, "only the words of gold themselves")
    if is_wheel(asked):
        return _clusters(words, asked, options)
    return _named(words, asked, guessed=options.label_set is None)


def _set_of(labels: Sequence[str]) -> str | None:
    """The smallest named set that holds all these labels."""
    sets = table("emer.emotions", "label_sets.yaml")["sets"]
    holding = [name for name, known in sets.items() if set(labels) <= set(known)]
    return min(holding, key=lambda name: (len(sets[name]), name), default=None)


def _named(words: Sequence[str], name: str, *, guessed: bool) -> Closed:
    to = label_in(name)
    labels = label_set(name)
    why = " (to which all gold labels belong)" if guessed else ""
    place = {label: i for i, label in enumerate(labels)}
    found = [place.get(to(word) or "", -1) for word in words]
    return Closed(labels, np.array(found, dtype=np.int64), f"labels of {name}{why}, others by their emer8 cluster")


def label_in(name: str) -> Callable[[str], str | None]:
    """What each word is called in a named set; None where it has no counterpart. Raises ConfigError for no such set.

    >>> to = label_in("ekman7")
    >>> to("sadness"), to("worried"), to("table")
    ('sadness', 'fear', None)
    """
    labels = frozenset(label_set(name))
    try:
        counterpart = mapping("emer8", name)
    except ConfigError:  # no mapping is written down for this set: only its own labels count
        counterpart = {}
    return lambda word: word if word in labels else counterpart.get(cluster_of(word) or "")


def _clusters(words: Sequence[str], name: str, options: Options) -> Closed:
    tables = tables_of(options.wheels)
    mapping = f"case3_{name}_level{options.ring}"
    labels, place = numbered(words, lambda word: tables.map(mapping, word))
    return Closed(labels, place, f"clusters of {name}, ring {options.ring}, of {tables.name}", record(tables))
