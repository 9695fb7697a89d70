"""Which language a text is in, where it is long enough to tell."""

import math
import re

MIN_LETTERS = 15
"""Letters below which a text of an alphabetic script is too short: "I am fine" is taken for Nigerian Pidgin."""
MIN_SYMBOLS = 5
"""The same for scripts that write a syllable or word with one sign (Han, kana, hangul)."""
MIN_PROBABILITY = 0.9

_SYMBOLS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_PAIRS = """
ara:ar bul:bg cat:ca ces:cs cze:cs dan:da deu:de ger:de ell:el gre:el eng:en est:et fas:fa per:fa fin:fi
fra:fr fre:fr heb:he hin:hi hrv:hr hun:hu ind:id isl:is ice:is ita:it jpn:ja kor:ko lav:lv lit:lt nld:nl
dut:nl nor:no nob:nb pol:pl por:pt ron:ro rum:ro rus:ru slk:sk slo:sk slv:sl spa:es srp:sr swe:sv tam:ta
tha:th tur:tr ukr:uk vie:vi zho:zh chi:zh
"""
_ISO_639_2 = dict(pair.split(":") for pair in _PAIRS.split())
"""Three-letter codes (ISO 639-2, both forms) as subtitle tracks state them, to two letters (ISO 639-1)."""


def language_of(text: str, stated: str | None = None) -> str | None:
    """ISO 639-1 code of the text's language (langid.py, Lui & Baldwin 2012); None when it cannot be told.

    A text that is too short, or that fits no language well, gets the `stated` code, as in `clip.en.srt`.
    """
    letters, symbols = sum(c.isalpha() for c in text), len(_SYMBOLS.findall(text))
    if letters >= MIN_LETTERS or symbols >= MIN_SYMBOLS:
        from py3langid import rank  # unpacks its model

        scores = rank(text)
        code, best = scores[0]
        probability = 1 / sum(math.exp(score - best) for _, score in scores)
        if probability >= MIN_PROBABILITY and len(code) == 2:
            return str(code)
    return two_letters(stated)


def two_letters(code: str | None) -> str | None:
    """ISO 639-1 form of a stated code.

    >>> two_letters("eng"), two_letters("en-GB"), two_letters("und")
    ('en', 'en', None)
    """
    first = (code or "").lower().split("-")[0].split("_")[0]
    if len(first) == 2 and first in _ISO_639_2.values():
        return first
    return _ISO_639_2.get(first)
