"""What the task asks, and how answers are scored; lmms-eval loads this file by its path."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from emer.emotions.parsing import tolerant
from emer.score.options import Options
from emer.score.result import Column, Score
from emer.score.scoring import score

QUESTION = (
    "How does the person in this clip feel? Look at the face and the body, listen to the voice, and mind the words. "
    "Explain in a few sentences what you see and hear. Then name every emotion that fits, in words of your own choice, "
    'in one last line of this form: Emotions: ["…", "…"]'
)
METRICS = ("wheel_f1", "wheel_f1_low", "wheel_f1_high", "wheel_f1_floor", "unknown_share")
WHEELS = "EMER_WHEELS"
"""The environment variable with the emotion tables to score with; without it they are emer's own."""

Doc = Mapping[str, Any]
Item = Mapping[str, Any]


def doc_to_visual(doc: Doc) -> list[str]:
    """The clip."""
    return [doc["video"]]


def doc_to_text(doc: Doc, lmms_eval_specific_kwargs: Mapping[str, str] | None = None) -> str:
    """The question, with the subtitle where there is one; never labels, names or paths."""
    around = lmms_eval_specific_kwargs or {}
    said = f"What is said: {doc['subtitle']}\n" if doc.get("subtitle") else ""
    return f"{around.get('pre_prompt', '')}{said}{QUESTION}{around.get('post_prompt', '')}"


def process_results(doc: Doc, results: Sequence[str]) -> dict[str, Item]:
    """The labels of one answer beside the truth, once for each number that is made of all clips."""
    item = {"name": doc["name"], "labels": tolerant(results[0]), "gold": list(doc["openset"])}
    return dict.fromkeys(METRICS, item)


def wheel_f1(items: Sequence[Item]) -> float:
    """F1 over the five emotion wheels, inner ring, 0 to 1."""
    return _score(items).score


def wheel_f1_low(items: Sequence[Item]) -> float:
    """Where the middle 95 % of resampled clips begin."""
    return _interval(items)[0]


def wheel_f1_high(items: Sequence[Item]) -> float:
    """Where they end."""
    return _interval(items)[1]


def wheel_f1_floor(items: Sequence[Item]) -> float:
    """What the best of some constant answers gets on these clips."""
    return max(_score(items).floors.values())


def unknown_share(items: Sequence[Item]) -> float:
    """Share of the predicted words that the emotion tables do not know."""
    return _score(items).unknown_share or 0.0


def _interval(items: Sequence[Item]) -> tuple[float, float]:
    found = _score(items, bootstrap=1000).interval
    return found or (float("nan"), float("nan"))


def _score(items: Sequence[Item], bootstrap: int = 0) -> Score:
    names = [item["name"] for item in items]
    said = Column("the answers", names, [item["labels"] for item in items])
    gold = Column("the task", names, [item["gold"] for item in items])
    return score("wheel_f1", said, gold, Options(wheels=os.environ.get(WHEELS) or None, bootstrap=bootstrap))
