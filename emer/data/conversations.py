"""Conversations about clips, as ms-swift and LLaMA-Factory keep them: JSON lines, or a list in one JSON file.

    {"messages": [{"role": "user", "content": "<video>What does she feel?"},
                  {"role": "assistant", "content": "Her voice drops. Emotions: [\"sad\"]"}], "videos": ["a.mp4"]}

Read are the forms of both tools (their documentation of custom datasets): `messages` with role and content (OpenAI),
`conversations` with from and value (ShareGPT), `conversation` of pairs human and assistant, `instruction`, `input` and
`output` (Alpaca), and `query` and `response`; clips in `videos`, `audios` and `images`, one path or a list; marks
`<video>`, `<audio>`, `<image>` in the text; `objects` for `<ref-object>` and `<bbox>`; `chosen` in place of an answer.
A `dataset_info.json` beside the file, as LLaMA-Factory wants it, may name columns and roles in another way.

A row is one clip: the video, else the sound, else the picture. The last answer is its explanation. Labels are those of
the line `Emotions: […]` at its end, else of `label`, `labels`, `emotions` or `openset` beside the conversation.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from emer.data.rows import Row, refuse
from emer.emotions.parsing import tolerant
from emer.errors import ConfigError
from emer.types import Annotation, Clip

MEDIA = ("videos", "audios", "images")
"""The best first: a video has sound and picture."""
MARKS: Mapping[str, str] = {"videos": "<video>", "audios": "<audio>", "images": "<image>"}
LABEL_KEYS = ("labels", "label", "emotions", "openset")
EMOTIONS = re.compile(r"Emotions:\s*(\[[^\]]*\])\s*$")
ANSWERING = ("assistant", "gpt", "bot", "model")
ASKING = ("user", "human")
SUFFIXES = (".jsonl", ".json")


@dataclass(frozen=True, slots=True)
class Names:
    """How a file calls what is read from it: LLaMA-Factory's `columns` and `tags`, with its defaults."""

    columns: Mapping[str, str] = field(default_factory=dict)
    role: str | None = None
    content: str | None = None
    asking: tuple[str, ...] = ASKING
    answering: tuple[str, ...] = ANSWERING

    def get(self, record: Mapping[str, Any], column: str, *others: str) -> Any:
        """The first of a column's names that the record has."""
        names = (self.columns.get(column, column), *(() if column in self.columns else others))
        return next((record[name] for name in names if record.get(name) is not None), None)


def read_conversations(path: str | Path) -> tuple[Row, ...]:
    """The clips of a file of conversations, in its order; relative paths are relative to the file.

    Ids are `id`, else the path of the clip as written (with `#2` where it comes a second time). Raises ConfigError that
    lists every mistake: no clip or several, no answer, marks that do not fit the clips.
    """
    file = Path(path)
    names = _names_beside(file)
    mistakes: list[str] = []
    rows = []
    seen: Counter[str] = Counter()
    for place, record in _records(file, mistakes):
        row = _row(file.parent, record, names)
        if isinstance(row, str):
            mistakes.append(f"{place}: {row}")
            continue
        seen[row.id] += 1
        rows.append(row if seen[row.id] == 1 else replace(row, id=f"{row.id}#{seen[row.id]}"))
    refuse(mistakes, f"{path} has conversations that cannot be read")
    if not rows:
        raise ConfigError(f"{path} has no conversations; give one JSON object a line, or a list of them")
    return tuple(rows)


def is_conversations(path: str | Path) -> bool:
    """Whether a .jsonl or .json file holds conversations: its first object has turns, and no `path` of a clip.

    False for what cannot be read: whoever reads it says why.
    """
    file = Path(path)
    if file.suffix.lower() not in SUFFIXES or not file.is_file():
        return False
    try:
        _, first = next(_records(file, []), ("", {}))
        names = _names_beside(file)
    except ConfigError:
        return False
    return "path" not in first and not isinstance(_turns(first, names), str)


# ---------------------------------------------------------------- files


def _records(file: Path, mistakes: list[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Where each object stands, and the object."""
    if file.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{file} is no file of conversations; give one that ends in .jsonl or .json")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}; give a file of UTF-8 text") from error
    listed = text.lstrip().startswith("[")
    for place, part in [("the list", text)] if listed else _lines(text):
        try:
            found = json.loads(part)
        except (ValueError, RecursionError) as error:
            mistakes.append(f"{place}: this is not JSON ({error})")
            continue
        for number, record in enumerate(found if listed else [found], start=1):
            where = f"item {number}" if listed else place
            if isinstance(record, dict):
                yield where, record
            else:
                mistakes.append(f"{where}: this is not an object")


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.split("\n"), start=1):  # splitlines() would cut at U+2028 inside a text
        if line.strip():
            yield f"line {number}", line


def _names_beside(file: Path) -> Names:
    """What `dataset_info.json` in the same folder says of this file; the usual names where it says nothing."""
    path = file.parent / "dataset_info.json"
    if not path.is_file() or file.name == path.name:
        return Names()
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read as JSON: {error}; mend it, or take it away") from error
    listed = entries.values() if isinstance(entries, dict) else []
    entry = next((one for one in listed if isinstance(one, dict) and one.get("file_name") == file.name), {})
    columns, tags = ({} if not isinstance(part := entry.get(key), dict) else part for key in ("columns", "tags"))
    return Names(
        columns={str(key): str(value) for key, value in columns.items()},
        role=str(tags["role_tag"]) if "role_tag" in tags else None,
        content=str(tags["content_tag"]) if "content_tag" in tags else None,
        asking=(str(tags["user_tag"]),) if "user_tag" in tags else ASKING,
        answering=(str(tags["assistant_tag"]),) if "assistant_tag" in tags else ANSWERING,
    )


# ---------------------------------------------------------------- one conversation


def _row(folder: Path, record: Mapping[str, Any], names: Names) -> Row | str:
    """The row, or what is wrong with the conversation."""
    turns = _turns(record, names)
    if isinstance(turns, str):
        return turns
    media = {kind: _paths(names.get(record, kind, kind.removesuffix("s"))) for kind in MEDIA}
    for kind, found in _inside(record, names).items():
        media[kind] = media[kind] or found
    if wrong := _wrong_media(media, turns):
        return wrong
    clip = next(path for kind in MEDIA for path in media[kind])
    answers = [text for answering, text in turns if answering]
    if not answers:
        return "nobody answers in it"
    answer = _with_objects(answers[-1], [text for _, text in turns], record.get("objects"))
    if answer is None:
        return "its objects do not fit the marks <ref-object> and <bbox>"
    told = EMOTIONS.search(answer)
    labels = tolerant(told.group(1)) if told else _labels(record)
    explanation = _unmarked(answer[: told.start()] if told else answer)
    name = record.get("id")
    return Row(
        str(name) if isinstance(name, str | int) and not isinstance(name, bool) else clip,
        Clip(str(folder / clip)),
        Annotation(tuple(labels), explanation or None),
    )


def _turns(record: Mapping[str, Any], names: Names) -> list[tuple[bool, str]] | str:
    """Who speaks (True where the model answers) and what, in order; or what is wrong."""
    messages = names.get(record, "messages", "conversations", "conversation")
    if messages is None:
        return _pairs(record, names)
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        return "its messages are no list of objects"
    turns: list[tuple[bool, str]] = []
    for message in messages:
        if names.role is None and {"human", "assistant"} <= set(message):
            turns += [(False, str(message["human"])), (True, str(message["assistant"]))]
            continue
        role = message.get(names.role or ("role" if "role" in message else "from"))
        text = _text(message.get(names.content or ("content" if "content" in message else "value")))
        if text is None:
            return f"a message of {role!r} has no text"
        turns += [(role in names.answering, text)] if role in (*names.asking, *names.answering) else []
    chosen = names.get(record, "chosen")
    if isinstance(chosen, dict) and isinstance(better := chosen.get("value", chosen.get("content")), str):
        turns.append((True, better))
    return turns


def _pairs(record: Mapping[str, Any], names: Names) -> list[tuple[bool, str]] | str:
    """Alpaca and query-response: earlier rounds, then a question and its answer."""
    history = names.get(record, "history") or []
    if not isinstance(history, list) or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in history):
        return "its history is no list of pairs"
    asked = names.get(record, "prompt", "instruction")
    more = names.get(record, "query", "input") if asked is not None else None
    question = [part for part in (asked if asked is not None else names.get(record, "query"), more) if part]
    answer = names.get(record, "response", "output", "chosen")
    if not isinstance(answer, str) or not all(isinstance(part, str) for part in question):
        return "it has neither messages nor an answer to an instruction"
    earlier = [(place == 1, str(text)) for pair in history for place, text in enumerate(pair)]
    return [*earlier, (False, "\n".join(question)), (True, answer)]


def _text(content: object) -> str | None:
    """A content as text; lists of parts, as chat services take them, are joined, with marks for their media."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        return None
    marks = {kind.removesuffix("s"): mark for kind, mark in MARKS.items()}
    texts = [part.get("text") if part.get("type") == "text" else marks.get(str(part.get("type"))) for part in content]
    return None if not all(isinstance(text, str) for text in texts) else "".join(str(text) for text in texts)


def _inside(record: Mapping[str, Any], names: Names) -> dict[str, list[str]]:
    """Media that stand in parts of a message: {"type": "video", "video": "a.mp4"}."""
    found: dict[str, list[str]] = {kind: [] for kind in MEDIA}
    messages = names.get(record, "messages", "conversations", "conversation")
    for message in messages if isinstance(messages, list) else []:
        content = message.get(names.content or "content") if isinstance(message, dict) else None
        for part in content if isinstance(content, list) else []:
            kind = str(part.get("type")) if isinstance(part, dict) else ""
            if f"{kind}s" in found:
                found[f"{kind}s"] += _paths(part.get(kind))
    return found


# ---------------------------------------------------------------- clips, labels, marks


def _paths(value: object) -> list[str]:
    """One path, or a list of them; objects name theirs as path or url."""
    items = value if isinstance(value, list) else [value]
    named = [item.get("path") or item.get("url") if isinstance(item, dict) else item for item in items]
    return [item for item in named if isinstance(item, str) and item]


def _wrong_media(media: Mapping[str, Sequence[str]], turns: Sequence[tuple[bool, str]]) -> str | None:
    present = [kind for kind in MEDIA if media[kind]]
    if not present:
        return "it names no video, sound or picture"
    if len(media[present[0]]) > 1:
        return f"it is about {len(media[present[0]])} {present[0]}, and a row is one clip"
    if "://" in media[present[0]][0]:
        return f"its clip lies at {media[present[0]][0]}; download it and name the file"
    for kind in MEDIA:
        marked = sum(text.count(MARKS[kind]) for _, text in turns)
        if marked and marked != len(media[kind]):
            return f"it has {marked} marks {MARKS[kind]} and {len(media[kind])} {kind}"
    return None


def _labels(record: Mapping[str, Any]) -> list[str]:
    """Labels beside the conversation: a text, or a list of texts. Numbers and truth values are another task's."""
    given: Any = next((record[key] for key in LABEL_KEYS if record.get(key) is not None), [])
    listed = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    return tolerant(given) if all(isinstance(label, str) for label in listed) and listed else []


def _with_objects(answer: str, texts: Sequence[str], objects: object) -> str | None:
    """The answer with names and boxes in place of their marks; None where there are too few of them.

    Marks of the whole conversation are counted, since objects are listed over all of it.
    """
    given = objects if isinstance(objects, dict) else {}
    for mark, key in (("<ref-object>", "ref"), ("<bbox>", "bbox")):
        listed = given.get(key) if isinstance(given.get(key), list) else []
        if (marked := sum(text.count(mark) for text in texts)) > len(listed or []):
            return None
        own = answer.count(mark)
        for item in (listed or [])[marked - own : marked]:
            answer = answer.replace(mark, item if isinstance(item, str) else json.dumps(item), 1)
    return answer


def _unmarked(text: str) -> str:
    for mark in MARKS.values():
        text = text.replace(mark, "")
    return text.strip()
