"""What a model answered: its explanation, its labels, and whether it kept the form that it was asked for.

    The voice rises [a3] while the brows go up [v2], which would fit surprise.

    Emotions: ["surprised", "curious"]

What can be read is read whatever the form; `strayed` says how it was left, so that the model can be asked once more.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from emer.emotions.extraction import extract_labels
from emer.emotions.parsing import tolerant

MOST_LABELS = 8
"""More labels than this are a list of all that a model knows, not a reading of a clip."""
MOST_LETTERS = 40
"""Letters of a label; what is longer is a sentence."""

_THOUGHT = re.compile(r"\A.*</think>", re.DOTALL)
_FENCE = re.compile(r"\A```\w*\n(.*?)\n?```\Z", re.DOTALL)
_HEAD = re.compile(
    r"^[ \t*_#>-]{0,20}(?:emotions?|emotion labels?|labels?|情绪(?:标签)?|情感(?:标签)?|标签)[ \t*_]{0,20}[:：](.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_STRICT = re.compile(r"Emotions: (\[.*\])")


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """A model's answer taken apart."""

    explanation: str
    """Without the line of labels."""
    labels: tuple[str, ...]
    """Lower case, each once, in the order given."""
    strayed: str | None = None
    """How the answer left the form that was asked for; None when it kept it."""


def label_line(labels: Sequence[str]) -> str:
    """The line that ends every answer.

    >>> label_line(["ill at ease", "释然"])
    'Emotions: ["ill at ease", "释然"]'
    """
    return f"Emotions: {json.dumps(list(labels), ensure_ascii=False)}"


def whole_answer(explanation: str, labels: Sequence[str]) -> str:
    """Explanation and labels in the form that models are asked for; `read_answer` takes it apart again."""
    return f"{explanation.strip()}\n\n{label_line(labels)}"


def read_answer(text: str) -> ReadAnswer:
    """Explanation and labels of an answer. Never fails; what was not in order stands in `strayed`.

    Thoughts before `</think>` and a code fence around the whole are taken off. Without a line of labels they are read
    from the text, where it ascribes emotions to someone.

    >>> read_answer('She smiles [v1].\\nEmotions: ["Happy"]')
    ReadAnswer(explanation='She smiles [v1].', labels=('happy',), strayed=None)
    >>> read_answer("She smiles [v1] and is happy.").strayed
    'the line Emotions: ["…"] is missing'
    """
    text = _bare(text)
    heads = list(_HEAD.finditer(text))
    if not heads:
        return ReadAnswer(text, _plain(extract_labels(text)), 'the line Emotions: ["…"] is missing')
    head = heads[-1]
    before, after = text[: head.start()].strip(), text[head.end() :].strip()
    explanation = _HEAD.sub("", before).strip() if len(heads) > 1 else before
    if (labels := _strict(head.group(0))) is not None:
        reasons = [] if not after else ["words follow the line of labels"]
    else:
        # Labels below the heading (a list of bullets) belong to it; otherwise they stand behind it.
        labels = _plain(tolerant(head.group(1).strip(" \t*_") or after))
        reasons = ["the line of labels is no JSON list of texts"]
    if len(heads) > 1:
        reasons.append("there is more than one line of labels")
    return ReadAnswer(explanation, labels, "; ".join([*reasons, *_mistakes(explanation, labels)]) or None)


def _bare(text: str) -> str:
    """The answer without thoughts and without a fence around it."""
    text = _THOUGHT.sub("", text.replace("\0", " ")).strip()
    fenced = _FENCE.match(text)
    return fenced.group(1).strip() if fenced else text


def _strict(line: str) -> tuple[str, ...] | None:
    """The labels of a line in the very form; None for any other."""
    kept = _STRICT.fullmatch(line.strip())
    if kept is None:
        return None
    try:
        labels = json.loads(kept.group(1))
    except (ValueError, RecursionError):  # ten thousand brackets are no list of labels either
        return None
    return _plain(labels) if all(isinstance(label, str) and label.strip() for label in labels) else None


def _plain(labels: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(" ".join(label.lower().split()) for label in labels))


def _mistakes(explanation: str, labels: Sequence[str]) -> list[str]:
    told = [] if explanation else ["there is no explanation before the line of labels"]
    if len(labels) > MOST_LABELS:
        told.append(f"{len(labels)} labels are more than {MOST_LABELS}")
    if any(len(label) > MOST_LETTERS for label in labels):
        told.append(f"a label is longer than {MOST_LETTERS} letters")
    return told
