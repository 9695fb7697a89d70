"""A text into sentences: decimals, citations, quotes, ellipses, lists and Chinese full stops are not traps."""

import re
from collections.abc import Iterator

LABEL_LINE = re.compile(r"^\W*emotions?\W*:\W*\[.*\]\W*$", re.IGNORECASE)
"""The line of labels that ends a model's text. It is no sentence, hence no statement."""

_BULLET = re.compile(r"^\s*(?:[-*•#>]+|\d{1,2}[.)])\s+")
_QUOTES = {'"': '"', "“": "”", "«": "»", "「": "」", "『": "』"}
_ABBREVIATIONS = ("e.g", "i.e", "etc", "vs", "cf", "approx", "ca", "Dr", "Mr", "Mrs", "Ms", "No", "Fig")
_LONGEST_QUOTE = 300
"""Characters. A quotation mark that closes later than this is taken for a stray one."""
_TRAILING_CITATION = re.compile(r"\s*(?:\[[avt]\d[^\]]*\][\s–-]*)+(?=\s|$)")


def sentences(text: str) -> Iterator[str]:
    """The sentences of `text`, stripped of list marks and blanks, without the line of labels.

    >>> list(sentences("The pitch rises 2.3–3.1 s [a3]. It falls… then rests."))
    ['The pitch rises 2.3–3.1 s [a3].', 'It falls… then rests.']
    """
    for line in _paragraphs(text):
        if not LABEL_LINE.match(line):
            yield from (part for part in map(str.strip, _split(_BULLET.sub("", line))) if re.search(r"\w", part))


def _paragraphs(text: str) -> Iterator[str]:
    """Lines, where a line that goes on in lower case belongs to the one before it."""
    held = ""
    for line in (line.strip().replace("**", "") for line in text.splitlines()):
        if held and line[:1].islower() and not _ends(held):
            held = f"{held} {line}"
            continue
        if held:
            yield held
        held = line
    if held:
        yield held


def _ends(line: str) -> bool:
    return line.rstrip().endswith((".", "!", "?", ":", "。", "！", "？"))


def _split(line: str) -> Iterator[str]:
    begin = at = 0
    while at < len(line):
        closing = _closing_quote(line, at)
        if closing:
            at = closing
            continue
        if line[at] in ".!?…。！？" and (after := _boundary(line, begin, at)):
            yield line[begin:after]
            begin = at = after
            continue
        at += 1
    yield line[begin:]


def _closing_quote(line: str, at: int) -> int:
    """Position of the mark that closes the quotation which opens at `at`, else 0."""
    closing = _QUOTES.get(line[at])
    if closing is None:
        return 0
    return max(0, line.find(closing, at + 1, at + _LONGEST_QUOTE))


def _boundary(line: str, begin: int, at: int) -> int:
    """Where the next sentence begins if the mark at `at` ends one, else 0."""
    if line[at] in "。！？":
        return _with_citation(line, begin, at + 1)
    after = at + 1
    while after < len(line) and line[after] in ".!?…":
        after += 1
    while after < len(line) and line[after] in "\"”»’')*_":
        after += 1
    rest = line[after:]
    if rest and not rest[0].isspace() and not re.match(r"\[[avt]\d", rest):
        return 0
    goes_on = rest.lstrip()[:1].islower()
    if goes_on and (line[at] == "…" or line[at : at + 3] == "..." or line[at] in "!?"):
        return 0
    word = re.search(r"([\w.]+)$", line[begin:at])
    if line[at] == "." and word and (word[1] in _ABBREVIATIONS or re.fullmatch(r"[A-Z]", word[1])):
        return 0
    return _with_citation(line, begin, after)


def _with_citation(line: str, begin: int, after: int) -> int:
    """A citation behind the full stop belongs to a sentence that has none yet."""
    if re.search(r"\[[avt]\d", line[begin:after]):
        return after
    trailing = _TRAILING_CITATION.match(line, after)
    return trailing.end() if trailing else after
