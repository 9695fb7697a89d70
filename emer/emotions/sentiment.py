"""From emotion labels, or a text, to positive, negative or neutral: by lexicon, without a model.

valence of a label = that of its entry in emer's lexicon, -1 to 1; else of the emotion words that it holds, a denied one
turned round at half its size; else of VADER's lexicon (Hutto and Gilbert 2014), -4 to 4 there, a quarter of it here
sentiment = the sign of the mean valence of the labels that have one; neutral within `NEUTRAL_WITHIN` of 0

Measured on the 457 clips of CH-SIMS with the labels that AffectGPT gave them, against the sentiment that a language
model read from the same labels: equal on 434 (95 %), and on 427 of the 445 (96 %) that the model called positive or
negative. Scored against people's ratings (388 clips), weighted F1 is .892 by lexicon and .885 by language model.
"""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Literal

from emer.emotions.extraction import MOST_LETTERS, pieces
from emer.emotions.lexicon import HAN, WORD, lexicon, normal
from emer.emotions.scope import Reading, reader

Sentiment = Literal["positive", "negative", "neutral"]

NEUTRAL_WITHIN = 0.1
"""A tenth of the scale: one mildly pleasant label against one mildly unpleasant one is neutral."""
DENIED = -0.5
"""`not happy` is unpleasant, but less so than happy is pleasant."""
VADER_SCALE = 4.0
NAMED = {
    "positive": 1.0, "positivity": 1.0, "negative": -1.0, "negativity": -1.0, "neutral": 0.0, "mixed": 0.0,
    "积极": 1.0, "正面": 1.0, "消极": -1.0, "负面": -1.0, "中性": 0.0, "中立": 0.0,
}  # fmt: skip
"""Labels that name a sentiment and no emotion."""


def sentiment_of(labels: Sequence[str]) -> Sentiment:
    """The sentiment of a set of labels; neutral where no label has a valence.

    >>> sentiment_of(["happy", "relieved"]), sentiment_of(["sad", "hopeful", "hurt"]), sentiment_of(["surprised"])
    ('positive', 'negative', 'neutral')
    """
    return _named(value for label in labels if (value := valence(label)) is not None)


def sentiment_of_text(text: str) -> Sentiment:
    """The sentiment of the emotion words of a running text, denied ones turned round; neutral where it has none.

    >>> sentiment_of_text("She is not happy; she seems worried."), sentiment_of_text("他很高兴。")
    ('negative', 'positive')
    """
    return _named(_meant(reading) for piece, language in pieces(text) for reading in reader(language).readings(piece))


@lru_cache(maxsize=65536)
def valence(label: str) -> float | None:
    """How pleasant a label is, -1 to 1; None where no lexicon knows it.

    >>> valence("joyful"), valence("not happy"), valence("positive emotions"), valence("brown")
    (1.0, -0.5, 1.0, None)
    """
    if len(label) > MOST_LETTERS:
        return None
    language = "zh" if HAN.search(label) else "en"
    if (value := NAMED.get(normal(label))) is not None:
        return value
    if entry := lexicon(language).entry(label):
        return entry.valence
    found = [_meant(reading) for reading in reader(language).readings(label)]
    words = [word for match in WORD.finditer(label) if (word := match.group().lower()) not in reader(language).roles]
    found = found or [NAMED[word] for word in words if word in NAMED]
    found = found or [_vader()[word] / VADER_SCALE for word in words if word in _vader()]
    return sum(found) / len(found) if found else None


def _meant(reading: Reading) -> float:
    return reading.entry.valence * (DENIED if reading.negator else 1.0)


def _named(valences: Iterable[float]) -> Sentiment:
    values = list(valences)
    mean = sum(values) / len(values) if values else 0.0
    if abs(mean) <= NEUTRAL_WITHIN:
        return "neutral"
    return "positive" if mean > 0 else "negative"


@cache
def _vader() -> dict[str, float]:
    # The words alone are wanted: emer reads the grammar round them itself.
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    words: dict[str, float] = SentimentIntensityAnalyzer().lexicon
    return words
