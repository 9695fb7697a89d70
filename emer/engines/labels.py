"""Open-vocabulary labels from an opinion, arousal and valence."""

from emer.emotions import lexicon
from emer.evidence.opinion import belief
from emer.grounding import check, claims
from emer.types import Emotion, Opinion

LEAST = 0.01
"""Belief below which an opinion leans nowhere: a single rule that barely holds gives about this much."""
CLOSE = 0.75
"""A cluster with at least this share of the leading belief is named too."""
MOST = 3


def leaning(opinion: Opinion) -> tuple[str, ...]:
    """The clusters that an opinion leans to, strongest first; empty when evidence is next to nil."""
    if not opinion.present or opinion.kind != "dirichlet":
        return ()
    by_label = dict(zip(opinion.labels, (float(b) for b in belief(opinion)), strict=True))
    ranked = sorted(by_label, key=lambda label: (-by_label[label], opinion.labels.index(label)))
    top = by_label[ranked[0]]
    if top < LEAST:
        return ()
    return tuple(label for label in ranked if by_label[label] >= CLOSE * top)[:MOST]


def labels(clusters: tuple[str, ...], valence: float | None, arousal: float | None) -> tuple[Emotion, ...]:
    """For each cluster the lexicon's word for the measured point; without a cluster, no label.

    Valence and arousal are -1 to 1, None where nothing tells of them. Rules tell little, so the point lies half-way
    between the cluster's plain word and what was measured. Words that name a behaviour as well ("quiet", "tearful") are
    passed over: they would claim what nobody measured. Nothing is "neutral" unless the opinion says so: that
    nothing was found is not a finding. `confidence` is None: hints are not calibrated.
    """
    found: dict[str, Emotion] = {}
    for cluster in clusters:
        label = "neutral" if cluster == "neutral" else _word(cluster, valence, arousal)
        found.setdefault(label, Emotion(label, cluster, None))
    return tuple(found.values())


def _word(cluster: str, valence: float | None, arousal: float | None) -> str:
    words = lexicon("en")
    plain = next((entry for entry in words.entries if entry.cluster == cluster), None)
    if plain is None:
        return cluster
    v = plain.valence if valence is None else (plain.valence + valence) / 2
    a = plain.arousal if arousal is None else (plain.arousal + arousal) / 2
    near = words.near(cluster, v, a, len(words.entries))
    return next((label for label in near if not claims(check(label, ()))), near[0])
