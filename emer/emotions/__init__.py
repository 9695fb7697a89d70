"""The vocabulary of emotion: label sets, their mappings, emotion words with their places, and how they are meant."""

from emer.emotions.label_sets import label_set, mapping
from emer.emotions.labels import cluster_of
from emer.emotions.lexicon import Entry, Lexicon, Match, lexicon
from emer.emotions.scope import Reader, Reading, reader

__all__ = [
    "Entry",
    "Lexicon",
    "Match",
    "Reader",
    "Reading",
    "cluster_of",
    "label_set",
    "lexicon",
    "mapping",
    "reader",
]
