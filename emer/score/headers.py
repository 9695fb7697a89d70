"""Which column of a file is what: the names of `emer score`, and what other people call them.

A name that is not emer's own is a guess, and every guess is told.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from emer.data.rows import some
from emer.errors import ConfigError

Kind = Literal["predictions", "gold"]

OWN = {
    "predictions": {
        "name": ("name",),
        "labels": ("openset", "labels", "emotions"),
        "sentiment": ("sentiment",),
        "confidence": ("confidence",),
        "confidences": ("confidences",),
        "error": ("error",),
        "text": ("explanation",),
    },
    "gold": {
        "name": ("name",),
        "labels": ("label", "labels", "openset", "emotions"),
        "value": ("value",),
        "speaker": ("speaker",),
        "text": ("explanation",),
    },
}
"""Role to column names, the first of those that are there."""
LABELS = (
    *("openset", "labels", "label", "emotions", "emotion", "discrete", "prediction", "predictions", "pred"),
    *(
        "predicted",
        "answer",
        "answers",
        "fileitems",
        "tags",
        "category",
        "标签",
        "情感标签",
        "情绪标签",
        "情绪",
        "情感",
        "预测",
    ),
)
FOREIGN = {
    "name": (
        *("names", "id", "ids", "clip", "clip_id", "clipid", "video", "video_id", "videoid", "video_name", "filename"),
        *("filenames", "file_name", "file", "utterance", "utterance_id", "utt_id", "sample", "sample_id", "key"),
        *("名称", "名字", "文件名", "视频", "视频名", "视频名称", "样本", "样本名", "编号", "片段"),
    ),
    "labels": LABELS,
    "sentiment": ("polarity", "sentiment_label", "情感极性", "情感倾向", "极性"),
    "confidence": ("置信度",),
    "value": ("val", "valence", "sentiment_value", "sentiment_score", "sentiment", "情感值", "效价", "情感强度"),
    "speaker": ("speakers", "speaker_id", "spk", "spk_id", "actor", "说话人", "演员"),
    "text": ("reason", "description", "解释", "描述"),
}
NEEDED = {"predictions": ("labels", "sentiment", "text"), "gold": ("labels", "value", "text")}
"""Besides the name, one of these must be there."""


@dataclass(frozen=True, slots=True)
class Header:
    """The column of each role that was found, and what was guessed."""

    columns: dict[str, str]
    notes: tuple[str, ...]
    guessed: frozenset[str] = frozenset()
    """Roles whose column has a name that is not emer's own."""


def read_header(path: object, names: Sequence[str], kind: Kind) -> Header:
    """What the columns of a file are.

    >>> found = read_header("gold.csv", ["名称", "情感"], "gold")
    >>> found.columns, found.notes[0]
    ({'name': '名称', 'labels': '情感'}, "gold.csv: column '名称' is read as name")

    Raises ConfigError when there is no column of names or nothing to score, or a name comes twice.
    """
    known = {_plain(name): name for name in reversed(names)}
    columns: dict[str, str] = {}
    notes: list[str] = []
    guessed: set[str] = set()
    for role, own in OWN[kind].items():
        free = {plain: name for plain, name in known.items() if name not in columns.values()}
        there = [free[plain] for plain in own if plain in free]
        foreign = [free[plain] for plain in FOREIGN.get(role, ()) if plain in free]
        if there or foreign:
            columns[role] = (there or foreign)[0]
            guessed |= set() if there else {role}
            notes += _told(str(path), role, there, foreign)
    _refuse_unusable(path, names, columns, kind)
    return Header(columns, tuple(notes), frozenset(guessed))


def _told(path: str, role: str, there: list[str], foreign: list[str]) -> list[str]:
    if len(there) > 1:
        return [f"{path}: {role} are read from {there[0]!r}, not from {', '.join(map(repr, there[1:]))}"]
    return [] if there else [f"{path}: column {foreign[0]!r} is read as {role}"]


def _refuse_unusable(path: object, names: Sequence[str], columns: dict[str, str], kind: Kind) -> None:
    times = Counter(names)
    doubled = sorted({name for name in columns.values() if times[name] > 1})
    if doubled:
        raise ConfigError(f"{path} has the column {some(doubled)} twice; keep one of them")
    listed = some([repr(name) for name in names]) or "none"
    if "name" not in columns:
        raise ConfigError(f"{path} has no column with the names of clips (its columns: {listed}); call it `name`")
    if not set(NEEDED[kind]) & set(columns):
        wanted = "`openset`, `labels` or `sentiment`" if kind == "predictions" else "`label`, `labels` or `value`"
        raise ConfigError(f"{path} has no column to score (its columns: {listed}); call one {wanted}")


def _plain(name: str) -> str:
    return name.strip().strip("\ufeff").lower().replace(" ", "_").replace("-", "_")
