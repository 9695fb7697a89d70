"""Cells and answers with emotion labels to lists of labels: the field's published parser, and a tolerant one.

`published` repeats the faults of the field's parser, for numbers that are to be compared with published ones.
`tolerant` reads what models really write: JSON, lists of many kinds, a last line `Emotions: […]`, prose. Neither fails
on any text, and both take time that grows with its length and no faster.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from emer.emotions.extraction import extract_labels
from emer.emotions.lexicon import HAN

LONGEST_LABEL = 200
"""Characters; what is longer is kept as it stands, or read as prose."""
MOST_WORDS = 3
MOST_HAN = 6
"""A longer item is prose: words of English, characters of Chinese."""

LABEL_KEYS = frozenset({
    "emotion", "emotions", "label", "labels", "openset", "open_set", "emotion_labels", "predicted_emotions", "answer",
    "情绪", "情感", "标签",
})  # fmt: skip
"""Keys of an object whose values are its labels; other objects give all their values."""
NOTHING = frozenset(["", "n/a", "na", "nan", "none", "null", "unknown", "no emotion", "no emotions", "无", "未知"])
"""Answers without a label."""
SENTENCE_WORDS = frozenset({
    "i", "you", "he", "she", "it", "we", "they", "this", "that", "there", "the", "a", "an", "his", "her",
    "their", "my", "your", "is", "are", "was", "were", "be", "been", "am", "feel", "feels", "felt", "seem",
    "seems", "look", "looks", "sound", "sounds", "appear", "appears", "express", "expresses", "show", "shows",
    "not", "no", "but", "because", "who", "which", "has", "have", "had",
})  # fmt: skip
SENTENCE_HAN = re.compile("[我你他她它这那是不没有了着很的]")
"""Signs of a sentence: an item that holds one is prose."""

_DECODER = json.JSONDecoder()
_LETTER = re.compile(r"[^\W\d_]")
_FENCE = re.compile(r"```[ \t]*(?:json|python|yaml|text|plaintext|markdown)?")
_ANSWER = re.compile(
    r"^[^:：\n]{0,60}?(?:(?<![a-z])(?:emotions?|labels?|open[ _-]?set|answer|mood)(?![a-z])|情绪|情感|标签|答案)"
    r"[^:：\n]{0,30}[:：]",
    re.IGNORECASE | re.MULTILINE,
)
_INSIDE_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_CLUE_ID = re.compile(r"\s*[avt]\d{1,4}\s*")
_BULLET = re.compile(r"^[ \t]{0,20}(?:[-*•·–+]|\d{1,3}[.)、](?!\d)|[(（]\d{1,3}[)）])[ \t]*(.+)$", re.MULTILINE)
_AFTER_BULLET = re.compile(r"[:：]| [-–—] ")
_REMARK = re.compile(r"(?<=\w)[*_]{0,2}\s?[(（][^()（）\n]{0,200}[)）]")
_SEPARATOR = re.compile(
    r"[,;/|、，；\n]|\s(?:and|or|&|\+)\s|\s[(（]?\d{1,2}[.)）]\s|(?<=[\u3400-\u9fff]{2})(?:以及|和|与|及)(?=[\u3400-\u9fff]{2})",
    re.IGNORECASE,
)
_SCORE = re.compile(r"^(?:\d+(?:\.\d+)?%?[ :]+)?(.*?)(?:[ :：=(-]+\d+(?:\.\d+)?(?:/\d+)?%?)?$", re.DOTALL)
_EDGES = " \t\r\n\"'`“”‘’「」『』*_#[](){}（）【】<>.!?:：。！？·•\ufeff"


def published(cell: object) -> list[str]:
    """The labels of a cell, just as the open-vocabulary scorers of the field read it; doubled ones stay.

    A list stays a list. Of a text one leading `[` and one trailing `]` are taken off, and it is cut at `'`, `"` and
    `,`. Labels are stripped and in lower case, empty ones are dropped; an empty text, None and NaN have none.
    So `can't wait` is two labels, `- happy` is one, and `happy; sad` is one: numbers that are to be compared with
    published ones need these faults. Definition: `string_to_list` of the released code of AffectGPT (Lian et al. 2025),
    which fails on a lone `[`; here that is an empty list.

    >>> published("['Worried', 'ill at ease']"), published("[happy]"), published(float("nan"))
    (['worried', 'ill at ease'], ['happy'], [])
    """
    if not isinstance(cell, str):
        return [] if is_missing(cell) else _of_value(cell)
    text = cell.removeprefix("[").removesuffix("]").replace("'", ",").replace('"', ",").lower()
    return [label for part in text.split(",") if (label := part.strip())]


def is_missing(cell: object) -> bool:
    """Whether a cell is None, NaN or another library's mark for nothing."""
    return cell is None or (not hasattr(cell, "__len__") and str(cell) in ("nan", "<NA>", "NaT"))


def _of_value(cell: object) -> list[str]:
    """The labels of a list, an array or a number."""
    listed: Any = cell.tolist() if hasattr(cell, "tolist") else cell
    parts = listed if isinstance(listed, list | tuple | set | frozenset) else [listed]
    return [label for part in parts if (label := str(part).lower().strip())]


# ---------------------------------------------------------------- the tolerant parser


def tolerant(cell: object) -> list[str]:
    """The labels of a cell or of a model's answer, whatever form they have; lower case, each once, in order.

    Tried in this order: the inside of the last code fence; JSON at the start; what follows the last `Emotions:`
    (labels, 情绪 and the like); a list in brackets; bullets and numbers, of which the part before a colon counts; short
    items between `,` `;` `/` `、` `and` `和` or line ends; prose, through `extract_labels`. Scores and remarks in
    parentheses are dropped. What is no label by its form (long, or with words of a sentence) is read as prose; in a
    list in brackets a short one stays where nothing can be read from it (`at a loss`).

    >>> tolerant('```json\\n{"emotions": ["Happy", "Sad"]}\\n```'), tolerant("1. **Happy**: she smiles\\n2. Sad (0.4)")
    (['happy', 'sad'], ['happy', 'sad'])
    >>> tolerant("happy and sad; angry"), tolerant("She is not happy but worried."), tolerant("高兴、惊讶和愤怒")
    (['happy', 'sad', 'angry'], ['worried'], ['高兴', '惊讶', '愤怒'])
    """
    if is_missing(cell):
        return []
    found = _of_text(cell) if isinstance(cell, str) else _of_tree(cell)
    return list(dict.fromkeys(label for label in found if label not in NOTHING and _LETTER.search(label)))


def _of_text(text: str) -> Iterable[str]:
    text = text.replace("\0", " ").rpartition("</think>")[2].strip("\ufeff \t\r\n")
    if text.lower() in NOTHING:
        return ()
    text = _inside_fence(text)
    below = _after_heading(text)
    for part in (text, below) if below is not text else (text,):
        if (tree := _json(part)) is not None:
            return _of_tree(tree)
    return _of_lists(below)


def _inside_fence(text: str) -> str:
    """What stands in the last code fence that holds something; the text itself where there is none."""
    if "```" not in text:
        return text
    inside = [part.strip() for part in _FENCE.split(text)[1::2]]
    return next((part for part in reversed(inside) if part), text)


def _json(text: str) -> Any:
    """The array or object that a text begins with, None when it begins with neither."""
    if not text.startswith(("[", "{")):
        return None
    try:
        return _DECODER.raw_decode(text)[0]
    except (ValueError, RecursionError):
        # Half a JSON, a Python list, ten thousand brackets: the rules for lists follow.
        return None


def _after_heading(text: str) -> str:
    """What follows the last line head like `Emotions:`: the rest of that line, or else the lines below it."""
    heads = list(_ANSWER.finditer(text)) if ":" in text or "：" in text else []
    if not heads:
        return text
    rest = text[heads[-1].end() :].strip(" \t*_")
    line = rest.partition("\n")[0].strip()
    whole = not line or (line.startswith("[") and "]" not in line)
    return rest.strip() if whole else line


def _of_lists(text: str) -> Iterable[str]:
    """The labels of a text that is no JSON: in brackets, in bullets, between separators, or in prose."""
    inside = [part for part in _INSIDE_BRACKETS.findall(text) if _is_list(part)]
    if text.startswith("[") or inside:
        return _of_items(_items(inside[-1] if inside else text), listed=True)
    if bullets := _BULLET.findall(text):
        return _of_items(item for line in bullets for item in _items(_AFTER_BULLET.split(line)[0]))
    items = [item for item in _items(text) if item]
    return items if all(_is_label(item) for item in items) else extract_labels(text)


def _is_list(inside: str) -> bool:
    """Whether brackets in a text hold labels: quoted or several, and neither times nor ids of clues (`[a3, v1]`)."""
    cites = all(_CLUE_ID.fullmatch(part) for part in inside.split(",", 50))
    return not cites and any(mark in inside for mark in "\"',、，") and _LETTER.search(inside) is not None


def _items(text: str) -> Iterator[str]:
    bare = _REMARK.sub("", text) if "(" in text or "（" in text else text
    return (_clean_short(part) if len(part) <= LONGEST_LABEL else _clean(part) for part in _SEPARATOR.split(bare))


def _of_items(items: Iterable[str], *, listed: bool = False) -> Iterator[str]:
    """Items of a list: labels stay, sentences are read; where each item was `listed` as a label, short ones stay."""
    for item in items:
        if len(item) > LONGEST_LABEL or _is_short_label(item):
            yield item
        elif found := extract_labels(item):
            yield from found
        elif listed and len(item.split()) <= MOST_WORDS:
            yield item


def _clean(item: str) -> str:
    """An item in lower case without quotes, marks at its edges and a score."""
    item = " ".join(item.lower().split()).strip(_EDGES).removeprefix("and ")
    if len(item) > LONGEST_LABEL:
        return item
    scored = _SCORE.match(item)
    assert scored is not None
    return scored.group(1).strip(_EDGES) or item


@lru_cache(maxsize=1 << 16)
def _clean_short(item: str) -> str:
    """The same for items that come again and again; long ones would fill the memory."""
    return _clean(item)


def _is_label(item: str) -> bool:
    """Whether an item has the form of a label: short, and without the words of a sentence."""
    return len(item) <= LONGEST_LABEL and _is_short_label(item)


@lru_cache(maxsize=1 << 16)
def _is_short_label(item: str) -> bool:
    if HAN.search(item):
        return len(item) <= MOST_HAN and not SENTENCE_HAN.search(item)
    words = item.split()
    return len(words) <= MOST_WORDS and SENTENCE_WORDS.isdisjoint(words)


def _of_tree(tree: object) -> Iterator[str]:
    """The labels of nested lists and objects, in order."""
    waiting = [tree]
    while waiting:
        value: Any = waiting.pop()
        value = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(value, str):
            yield from _of_items(_items(value), listed=True)
        elif isinstance(value, Mapping):
            waiting += reversed(_inside(value))
        elif isinstance(value, list | tuple | set | frozenset):
            waiting += reversed(list(value))


def _inside(members: Mapping[object, object]) -> list[object]:
    """What may hold labels in an object: values of known keys, else keys with a score above 0, else all values."""
    known = [value for key, value in members.items() if str(key).lower() in LABEL_KEYS]
    if known:
        return known
    if members and all(isinstance(value, int | float) for value in members.values()):
        return [key for key, score in members.items() if isinstance(score, int | float) and score > 0]
    return list(members.values())
