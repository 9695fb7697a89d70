"""Clues in what is said: emotion words, sentiment, emphasis, with their times and places in the transcript.

Sentiment is VADER's (Hutto and Gilbert 2014; English only). Emotion words are the project's own
(`emer/emotions`; English and a smaller Chinese list). In another language there are no text clues, and that is said.

Features, for the clip and for each segment: `compound`, `positive` and `negative` are means over the sentences,
weighted by their words (no number outside English). `emo_X` is the sum of the weights of the emotion words of that
cluster: a weight is the word's intensity (0 to 1), raised by strengtheners, lowered by weakeners, 0 when denied
(`emer/emotions/scope.py` has the factors). The counts are plain counts; `first_person_ratio` is the share of words
in the first person singular. Chinese words are those of the lists, and single characters otherwise.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from emer.clues.listening import Listening
from emer.clues.sentences import Script, Times, blanked, read
from emer.clues.word_clues import SaidSentence, measure
from emer.emotions import Reading, label_set
from emer.emotions.lexicon import HAN
from emer.emotions.scope import mostly_capitals
from emer.types import Clue, Extract, Features, Media, Notice, Span, Transcript

VERSION = "3"
SPOKEN = label_set("emer8")[1:]
"""Clusters with an `emo_` feature: all but neutral."""
COUNTS = ("negation_count", "intensifier_count", "exclamation_count", "question_count")
NAMES = (
    *("compound", "positive", "negative", "word_count"),
    *(f"emo_{cluster}" for cluster in SPOKEN),
    *COUNTS,
    "first_person_ratio",
)
POLAR = 0.05
"""Compound from which on a sentence is positive, or below whose negative it is negative (Hutto and Gilbert 2014)."""
QUOTED = 80
"""Characters of a sentence that a clue quotes."""

_NAMES = """
    ar Arabic, cs Czech, da Danish, de German, el Greek, en English, es Spanish, fa Persian, fi Finnish, fr French,
    he Hebrew, hi Hindi, hu Hungarian, id Indonesian, it Italian, ja Japanese, ko Korean, nl Dutch, no Norwegian,
    pl Polish, pt Portuguese, ro Romanian, ru Russian, sv Swedish, th Thai, tr Turkish, uk Ukrainian, ur Urdu,
    vi Vietnamese, zh Chinese
"""
LANGUAGES = dict(pair.split() for pair in _NAMES.split(","))


class TextClues:
    """Reads the transcript that listening brought."""

    name = "text"
    version = VERSION

    def extract(self, media: Media, listening: Listening) -> Extract:
        """Clues per sentence and emotion word, one of the whole, and features; a notice where there can be none."""
        transcript = listening.transcript
        if transcript is None or not blanked(transcript.text).strip():
            return Extract((), None, warnings=(_no_words(transcript),))
        language, notices = _language(transcript)
        if language is None:
            return Extract((), None, warnings=notices)
        speech = listening.activity.speech if listening.activity else ()
        script = read(transcript, speech, media.facts.span)
        capitals_speak = not mostly_capitals(blanked(transcript.text))
        said = [measure(each, language, capitals_speak=capitals_speak) for each in script.sentences]
        quality = _quality(transcript, script, bool(speech))
        return Extract(
            clues=tuple(_clues(said, script.times, quality)),
            features=features(said),
            segment_features=tuple(features(group) for group in _by_segment(said, listening.segments)),
            warnings=notices,
        )


def features(said: Sequence[SaidSentence]) -> Features:
    """The named numbers of some sentences; sentiment and ratio are masked where there is nothing to measure."""
    words = sum(each.words for each in said)
    scored = [(each.sentiment, max(1, each.words)) for each in said if each.sentiment is not None]
    total = sum(weight for _, weight in scored)
    values: dict[str, float | None] = {
        "compound": sum(s.compound * w for s, w in scored) / total if total else None,
        "positive": sum(s.positive * w for s, w in scored) / total if total else None,
        "negative": sum(s.negative * w for s, w in scored) / total if total else None,
        "word_count": float(words),
        "negation_count": float(sum(each.negations for each in said)),
        "intensifier_count": float(sum(each.intensifiers for each in said)),
        "exclamation_count": float(sum(each.emphasis.exclamations for each in said)),
        "question_count": float(sum(each.questions for each in said)),
        "first_person_ratio": sum(each.first_person for each in said) / words if words else None,
    }
    for cluster in SPOKEN:
        weights = (r.weight for each in said for r in each.readings if r.entry.cluster == cluster)
        values[f"emo_{cluster}"] = float(sum(weights))
    row = [values[name] for name in NAMES]
    return Features("text", NAMES, tuple(v or 0.0 for v in row), tuple(v is not None for v in row), VERSION)


def _clues(said: Sequence[SaidSentence], times: Times, quality: str | None) -> Iterator[Clue]:
    if (whole := _whole(said, quality)) is not None:
        yield whole
    for each in said:
        for reading in each.readings:
            yield _emotion_word(each, reading, times, quality)
        if each.sentiment is not None and abs(each.sentiment.compound) >= POLAR:
            yield _polar(each, each.sentiment.compound, quality)
        if each.emphasis.marks:
            yield _emphasised(each, quality)


def _whole(said: Sequence[SaidSentence], quality: str | None) -> Clue | None:
    """The sentiment of all that is said."""
    compound = features(said).get("compound")
    if compound is None:
        return None
    polarity = "positive" if compound >= POLAR else "negative" if compound <= -POLAR else "neutral"
    over = f"mean of {len(said)} sentences" if len(said) > 1 else "one sentence"
    text = f"the words are {polarity} on the whole: compound {compound:+.2f}, {over}"
    span = Span(min(each.sentence.span.start for each in said), max(each.sentence.span.end for each in said))
    return _clue("sentiment", text, span, compound, "compound", "VADER compound, -1 to 1", quality)


def _emotion_word(each: SaidSentence, reading: Reading, times: Times, quality: str | None) -> Clue:
    first = each.sentence.first
    start, end = first + (reading.start if reading.negator else reading.from_), first + reading.end
    found = each.sentence.text[start - first : end - first]
    noun = "words" if start < first + reading.start or re.search(r"[\s-]", found) else "word"
    quoted = " ".join(found.split())
    denied = f' denied by "{reading.negator}"' if reading.negator else ""
    text = f'the {noun} "{quoted}" ({reading.entry.cluster}){denied}, characters {start}–{end} of the transcript'
    span = times.span(start, end) if times.exact else each.sentence.span
    return _clue("emotion_word", text, span, reading.weight, "weight", "emer lexicon, weight 0 to 1", quality)


def _polar(each: SaidSentence, compound: float, quality: str | None) -> Clue:
    kind = "positive_words" if compound > 0 else "negative_words"
    text = f"{kind.removesuffix('_words')} sentence, compound {compound:+.2f}: {_quote(each)}"
    return _clue(kind, text, each.sentence.span, compound, "compound", "VADER compound, -1 to 1", quality)


def _emphasised(each: SaidSentence, quality: str | None) -> Clue:
    marks = each.emphasis
    parts = [_counted(marks.exclamations, "exclamation mark")] if marks.exclamations else []
    parts += [f"in capitals {_listed(marks.capitals)}"] if marks.capitals else []
    parts += [f"drawn out {_listed(marks.drawn_out)}"] if marks.drawn_out else []
    text = f"emphasis, {', '.join(parts)}: {_quote(each)}"
    reference = "marks counted in this sentence"
    return _clue("emphasis", text, each.sentence.span, float(marks.marks), "marks", reference, quality)


def _clue(kind: str, text: str, span: Span, value: float, unit: str, reference: str, quality: str | None) -> Clue:
    return Clue("", "text", kind, text, span.start, span.end, round(value, 4), unit, reference, quality)


def _quote(each: SaidSentence) -> str:
    text = " ".join(each.sentence.text.split())
    return f'"{text}"' if len(text) <= QUOTED else f'"{text[:QUOTED].rstrip()} …"'


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("s" if n != 1 else "")


def _listed(words: Sequence[str]) -> str:
    return " ".join(f'"{word}"' for word in words)


def _by_segment(said: Sequence[SaidSentence], segments: Sequence[Span]) -> list[list[SaidSentence]]:
    """Each sentence in the segment that holds most of it; one that touches none is in none."""
    groups: list[list[SaidSentence]] = [[] for _ in segments]
    starts, ends = [segment.start for segment in segments], [segment.end for segment in segments]
    for each in said:
        span = each.sentence.span
        touched = range(bisect_right(ends, span.start), bisect_left(starts, span.end))
        if touched:
            overlaps = [segments[i].overlap(span) for i in touched]
            groups[touched[overlaps.index(max(overlaps))]].append(each)
    return groups


def _quality(transcript: Transcript, script: Script, has_speech: bool) -> str | None:
    doubts = []
    if script.times.estimated:
        doubts.append("times estimated" if has_speech else "times estimated over the whole clip")
    if "pocketsphinx" in transcript.source:
        doubts.append("unreliable speech recognition")
    if transcript.language is None:
        doubts.append("language assumed")
    return "; ".join(doubts) or None


def _language(transcript: Transcript) -> tuple[str | None, tuple[Notice, ...]]:
    """The language to read the words in, None when there are no lists for it; and what is to be said about it."""
    code = transcript.language.split("-")[0].lower() if transcript.language else _by_script(transcript.text)
    if code not in ("en", "zh"):
        language = f"{LANGUAGES[code]} ({code})" if code in LANGUAGES else f"language {code!r}" if code else "unknown"
        words = "the words are in a language that could not be told" if not code else f"the words are in {language}"
        text = f"{words}: emer reads emotion in English and Chinese words alone, so that there are no text clues"
        return None, (Notice("no_text_clues", text),)
    notices = []
    if transcript.language is None:
        text = f"the words are too few to tell their language; they were read as {LANGUAGES[code]}"
        notices.append(Notice("language_assumed", text))
    if code == "zh":
        text = (
            "the words are Chinese: emotion words come from a small list, and there is no sentiment (VADER is English)"
        )
        notices.append(Notice("no_sentiment", text))
    return code, tuple(notices)


def _by_script(text: str) -> str | None:
    """`zh` for Han characters without kana, `en` for plain Latin letters, else None."""
    letters = [letter for letter in text if letter.isalpha()]
    if any(HAN.match(letter) for letter in letters):
        return None if re.search(r"[\u3040-\u30ff\uac00-\ud7af]", text) else "zh"
    return "en" if letters and all(letter.isascii() for letter in letters) else None


def _no_words(transcript: Transcript | None) -> Notice:
    if transcript is not None:
        text = f"the transcript ({transcript.source}) holds nothing that is said: no text clues"
    else:
        text = (
            "no transcript, so no text clues: give --transcript FILE, put an .srt beside the clip, or use --asr MODEL"
        )
    return Notice("no_transcript", text)
