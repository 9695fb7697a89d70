"""Free-text emotion labels to clusters of emer8."""

from functools import lru_cache

from emer.emotions.lexicon import HAN, WORD, Lexicon, lexicon
from emer.emotions.scope import reader
from emer.tables import table


@lru_cache(maxsize=4096)
def cluster_of(label: str) -> str | None:
    """The emer8 cluster of a free-text label (English or Chinese), or None: it is never guessed.

    Besides one emotion word a label may hold degree words and a few words without content. A label with any other
    word, with a negation, or with words of two clusters, maps to None.

    >>> cluster_of("Worried"), cluster_of("a deep sense of relief"), cluster_of("not happy"), cluster_of("table")
    ('fearful', 'calm', None, None)
    """
    language = "zh" if HAN.search(label) else "en"
    words = lexicon(language)
    if entry := words.entry(label):
        return entry.cluster
    matches = tuple(words.all_matches(label))
    clusters = {match.entry.cluster for match in matches}
    rest = label
    for match in reversed(matches):
        rest = rest[: match.start] + " " + rest[match.end :]
    return clusters.pop() if len(clusters) == 1 and _only_filler(rest, words) else None


def _only_filler(text: str, words: Lexicon) -> bool:
    filler = frozenset(table("emer.emotions", "modifiers.yaml")[words.language]["label_filler"])
    tokens = (token for token in reader(words.language).tokens(text) if WORD.match(token.text))
    return all(token.role in ("strengthener", "weakener") or token.text in filler for token in tokens)
