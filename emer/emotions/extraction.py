"""Emotion labels from running text by rule: the words that are meant, not those that are denied."""

import re
from collections.abc import Iterator

from emer.emotions.lexicon import HAN
from emer.emotions.scope import reader

MOST_LETTERS = 1000
"""A piece of text is read at most so long at once, so that the time grows with the text and no faster."""

_SENTENCE = re.compile(rf"[^\n.!?。！？]{{1,{MOST_LETTERS}}}[.!?。！？]*")
_SCRIPT = re.compile(r"[\u3400-\u9fff\u3000-\u303f\uff00-\uffef][^A-Za-z]*|[^\u3400-\u9fff]+")


def extract_labels(text: str) -> tuple[str, ...]:
    """The emotions that a text ascribes to someone, each once, in order: the adjective of each word that is not denied.

    English and Chinese are read; each stretch of a mixed text by the rules of its own script. The rules, their source
    and their limits are those of `emer.emotions.scope`; an unknown word gives nothing, for it is never guessed.

    >>> extract_labels("She is not happy but worried, and he looked on angrily.")
    ('worried', 'angry')
    >>> extract_labels("他不高兴，显得很焦虑。")
    ('焦虑',)
    """
    found = (
        reading.entry.label
        for piece, language in pieces(text)
        for reading in reader(language).readings(piece)
        if not reading.negator
    )
    return tuple(dict.fromkeys(found))


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """Sentences of a text, cut further where the script changes, each with its language (`en` or `zh`).

    >>> list(pieces("I am sad. 他很高兴。"))
    [('I am sad.', 'en'), (' ', 'en'), ('他很高兴。', 'zh')]
    """
    for sentence in _SENTENCE.findall(text.replace("\0", " ")):
        if not HAN.search(sentence):
            yield sentence, "en"
            continue
        for stretch in _SCRIPT.findall(sentence):
            yield stretch, "zh" if HAN.search(stretch) else "en"
