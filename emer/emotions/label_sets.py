"""Named sets of emotion labels, and the explicit mappings between them (`label_sets.yaml`).

`ring1/<wheel>` are the clusters of one of emer's own wheels (`emer/emotions/own_wheels/`).
"""

from collections.abc import Sequence
from functools import cache

from emer.emotions.wheel_files import load_wheels
from emer.emotions.wheel_own import OWN_WHEELS, clusters
from emer.emotions.wheels import UNKNOWN
from emer.errors import ConfigError
from emer.tables import table

RING = "ring1/"


@cache
def label_set(name: str) -> tuple[str, ...]:
    """The labels of a named set, in their fixed order. Raises ConfigError for an unknown name.

    >>> label_set("iemocap4"), label_set("ring1/plutchik")[:3]
    (('neutral', 'happy', 'sad', 'angry'), ('joy', 'trust', 'fear'))
    """
    if name.startswith(RING):
        return clusters(name.removeprefix(RING))
    sets = table("emer.emotions", "label_sets.yaml")["sets"]
    if name not in sets:
        known = ", ".join([*sorted(sets), *(RING + wheel for wheel in OWN_WHEELS)])
        raise ConfigError(f"no label set is called {name!r}; choose one of {known}")
    return tuple(sets[name])


def name_of(labels: Sequence[str]) -> str | None:
    """The named set that has just these labels in this order; None when there is none.

    >>> name_of(["negative", "neutral", "positive"])
    'sentiment3'
    """
    sets = table("emer.emotions", "label_sets.yaml")["sets"]
    return next((name for name, known in sets.items() if list(known) == list(labels)), None)


def mapping(source: str, target: str) -> dict[str, str]:
    """Label of `source` to label of `target`. A label without a counterpart is absent from the answer.

    Every set maps to the clusters of every wheel. Raises ConfigError for an unknown set, and for two sets between which
    no mapping is written down.

    >>> mapping("iemocap6", "emer8")["frustrated"], mapping("mafw11", "ring1/plutchik")["contempt"]
    ('angry', 'disgust')
    """
    labels = label_set(source)
    label_set(target)
    if source == target:
        return {label: label for label in labels}
    if target.startswith(RING):
        return _onto_wheel(labels, target.removeprefix(RING))
    targets = table("emer.emotions", "label_sets.yaml")["mappings"].get(source, {})
    if target not in targets:
        known = ", ".join(sorted(targets)) or "no other set"
        raise ConfigError(f"no mapping from {source} to {target} is written down; {source} maps to {known}")
    return {label: other for label, other in targets[target].items() if other is not None}


def _onto_wheel(labels: Sequence[str], wheel: str) -> dict[str, str]:
    tables, number = load_wheels(), OWN_WHEELS.index(wheel) + 1
    found = {label: tables.map(f"case3_wheel{number}_level1", label) for label in labels}
    return {label: cluster for label, cluster in found.items() if cluster != UNKNOWN}
