"""Words that the tables do not know, by the nearest word that they do: an option, and marked wherever it was used.

    tables = with_nearest(load_wheels(path), words, encoder.sentences, name=encoder.name)
    tables.name       # AffectGPT 2025, unknown words by all-MiniLM-L6-v2 (at least 0.7)

A word without a cluster takes the forms of the known word whose embedding has the largest cosine with its own, if that
is large enough; words farther from all stay unknown. Where two are as near, the first by alphabet wins.

No published score is made so: embeddings know that two words are about the same thing, not that they feel the same.
Measured with all-MiniLM-L6-v2 on 287 words of emer's tables that those of 2025 lack, against the clusters that emer's
tables give both words:

    least cosine                      0.4    0.5    0.6    0.7    0.75    0.8
    words with a neighbour            286    235    102     28      18     12
    of these, same basic emotion      50 %   56 %   65 %   82 %   94 %   100 %
    of these, pleasant alike          66 %   69 %   75 %   89 %   100 %  100 %
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from emer.emotions.wheels import WheelTables
from emer.errors import ConfigError

LEAST = 0.7
"""Cosine that a neighbour must have: below it every fourth neighbour feels otherwise (see above)."""

Embed = Callable[[Sequence[str]], Float[np.ndarray, "text dimension"]]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What an unknown word is read as."""

    word: str
    known: str
    cosine: float


def with_nearest(
    tables: WheelTables, words: Sequence[str], embed: Embed, *, name: str, least: float = LEAST
) -> WheelTables:
    """The tables with clusters for those of `words` that have a neighbour; their name says so, their hash stays.

    `embed` gives one vector a text, of any length but 0; `name` is what the reader shall know it by. Raises ConfigError
    when `least` is no cosine, or the vectors cannot be compared.

    >>> from emer.emotions.wheels import Wheel
    >>> rings = ({"sad": "sad", "mad": "angry"},) * 2
    >>> itself = {word: (word,) for word in ("sad", "mad")}
    >>> tables = WheelTables("toy", "", itself, itself, (Wheel("w", rings),))
    >>> first_letters = lambda texts: np.array([[ord(text[0]) - 96.0, 26.0] for text in texts])
    >>> more = with_nearest(tables, ["sad", "morose"], first_letters, name="first letters", least=.9)
    >>> more.map("case3_wheel1_level1", "morose"), more.name
    ('angry', 'toy, unknown words by first letters (at least 0.9)')
    """
    found = {pair.word: tables.forms[pair.known] for pair in neighbours(tables, words, embed, least)}
    said = f"{tables.name}, unknown words by {name} (at least {least:g})"
    return replace(tables, name=said, forms={**tables.forms, **found})


def neighbours(tables: WheelTables, words: Sequence[str], embed: Embed, least: float = LEAST) -> tuple[Neighbour, ...]:
    """Those of `words` that the tables do not know but have a neighbour for, each once, sorted."""
    if not -1 <= least <= 1:
        raise ConfigError(f"the least cosine is {least}; it lies between -1 and 1")
    strangers = sorted({word for word in words if word and not tables.knows(word)})
    known = sorted({word for listed in tables.forms.values() for word in listed if tables.knows(word)})
    if not strangers or not known:
        return ()
    cosines = _directions(embed(strangers), len(strangers)) @ _directions(embed(known), len(known)).T
    best = cosines.argmax(axis=1)
    return tuple(
        Neighbour(word, known[place], float(row[place]))
        for word, place, row in zip(strangers, best.tolist(), cosines, strict=True)
        if row[place] >= least
    )


def _directions(vectors: Float[np.ndarray, "text dimension"], count: int) -> Float[np.ndarray, "text dimension"]:
    """Vectors of length 1; a vector of length 0 is near nothing."""
    if len(vectors) != count or not np.isfinite(vectors).all():
        raise ConfigError(
            f"the model gave {len(vectors)} vectors for {count} words, or one that is not finite; try another"
        )
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1))
