"""What a model wrote, made into an answer: its text in the asked form, labels with clusters, statements, warnings.

A model that leaves the form is asked once more, for the line of labels alone. If that is no list either, the labels
are those that its text holds by rule. Either way a warning says so.
"""

import json
import re
from collections.abc import Callable, Sequence

from emer.engines.reading_answers import MOST_LABELS, MOST_LETTERS, ReadAnswer, read_answer, whole_answer
from emer.grounding import check
from emer.types import Answer, Emotion, Notice, Request

REPAIR = "extract_labels"
"""The prompt that asks for the labels of a text, and for nothing else."""

_HELD = re.compile(r"[ \t*_#>-]*(?:emotion|label|情绪|情感|标签)", re.IGNORECASE)
_MARKUP = " \t*_#>-"
_HEADS = ("emotion", "label", "情绪", "情感", "标签")
_LIST = re.compile(r"\[.*\]", re.DOTALL)


def is_complete(text: str) -> bool:
    """Whether the last line is a closed line of labels: nothing needs to be written after it.

    >>> is_complete('She smiles.\\nEmotions: ["hap'), is_complete('She smiles.\\nEmotions: ["happy"] ')
    (False, True)
    """
    line = text.rstrip().rpartition("\n")[2]
    return line.startswith("Emotions: [") and line.endswith("]")


def so_far(text: str) -> str:
    """What can be told of a text while it grows: nothing that the finished answer might word otherwise.

    Held back are thoughts, a code fence, and everything from a line on that begins like the line of labels.

    >>> so_far("She smiles [v1].\\nEmo"), so_far('She smiles [v1].\\n\\nEmotions: ["happy"]')
    ('She smiles [v1].', 'She smiles [v1].')
    """
    text = text.replace("\0", " ")
    text = text.rpartition("</think>")[2] if "</think>" in text else text
    if text.lstrip().startswith(("<", "`")):
        return ""
    told: list[str] = []
    *lines, last = text.split("\n")
    for line in lines:
        if _HELD.match(line):
            return "\n".join(told).strip()
        told.append(line)
    return "\n".join(told if _may_be_head(last) else [*told, last]).strip()


def _may_be_head(line: str) -> bool:
    """Whether an unfinished line is, or may become, the line of labels."""
    begun = line.lstrip(_MARKUP).lower()
    return _HELD.match(line) is not None or any(head.startswith(begun) for head in _HEADS)


# ---------------------------------------------------------------- labels


def needs_asking_again(read: ReadAnswer) -> bool:
    """Whether the labels should be asked for once more: the form was left, and there is a text to read them from."""
    return read.strayed is not None and bool(read.explanation)


def listed(reply: str) -> tuple[str, ...] | None:
    """The labels of a reply that is a JSON list of short texts, whatever stands around it; None for any other.

    >>> listed('Sure: ["Worried", "ill at ease"]'), listed("worried"), listed("[]")
    (('worried', 'ill at ease'), None, ())
    """
    found = _LIST.search(reply)
    try:
        labels = json.loads(found[0]) if found else None
    except (ValueError, RecursionError):  # half a list, and ten thousand brackets
        return None
    if labels is None or len(labels) > MOST_LABELS or not all(isinstance(label, str) for label in labels):
        return None
    plain = tuple(dict.fromkeys(" ".join(label.lower().split()) for label in labels))
    return plain if all(0 < len(label) <= MOST_LETTERS for label in plain) else None


def repaired(read: ReadAnswer, reply: str | None) -> tuple[ReadAnswer, tuple[Notice, ...]]:
    """The answer with labels from a second question, or by rule, and what the reader should know of that.

    `reply` is None where nobody was asked again.
    """
    if read.strayed is None:
        return read, ()
    again = listed(reply) if reply is not None else None
    if again is not None:
        told = "the labels were asked for once more"
        read = ReadAnswer(read.explanation, again, read.strayed)
    elif reply is not None:
        told = "asked once more it gave no list either, so the labels were read from its text by rule"
    else:
        told = "it was read as far as it goes"
    return read, (Notice("answer_form", f"the model left the form of answers ({read.strayed}): {told}"),)


# ---------------------------------------------------------------- the answer


def labels_of(text: str, reply: str | None = None) -> tuple[str, ...]:
    """The labels of a text, or of the reply to a second question about them: those that `answer_of` gives.

    >>> labels_of('She smiles [v1].\\nEmotions: ["Happy"]'), labels_of("She smiles.", '["glad"]')
    (('happy',), ('glad',))
    """
    return repaired(read_answer(text), reply)[0].labels


def answer_of(
    request: Request,
    text: str,
    reply: str | None,
    cluster: Callable[[str], str | None],
    warnings: Sequence[Notice] = (),
) -> Answer:
    """The answer that a text gives: in the asked form, checked against the clues that it cites.

    `cluster` takes a label to the label set of the opinion that its confidence will come from.
    """
    read, notices = repaired(read_answer(text), reply)
    said = request.transcript.text if request.transcript else ""
    return Answer(
        whole_answer(read.explanation, read.labels).strip(),
        tuple(Emotion(label, cluster(label)) for label in read.labels),
        check(read.explanation, request.clues.items, said),
        warnings=(*warnings, *notices),
    )
