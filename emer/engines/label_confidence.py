"""How sure a model seems of the labels that it generated, by other ways than its verdict: raw numbers from 0 to 1.

    token, token_plain   the probability of the label's own tokens as they were written: their geometric mean, which
                         does not punish long words (Malinin & Gales 2021, Uncertainty estimation in autoregressive
                         structured prediction), and their plain product
    sampled              self-consistency: the share of answers, drawn anew, that hold the label or another of its
                         cluster (Wang et al. 2022, https://arxiv.org/abs/2203.11171)
    verbalised           the model is asked how sure it is, in percent (Tian et al. 2023,
                         https://arxiv.org/abs/2305.14975)

None of them is calibrated: `emer.evidence.label_calibration` fits that on labelled clips.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp

from emer.types import Emotion

TOKEN, TOKEN_PLAIN, SAMPLED, VERBALISED = "token", "token_plain", "sampled", "verbalised"
WAYS = (TOKEN, SAMPLED, VERBALISED)
"""What can be asked for; `token` gives both numbers of tokens."""
RATING = "confidence"
"""The prompt that asks for percentages, in the turn behind the answer."""

# ---------------------------------------------------------------- tokens


@dataclass(frozen=True, slots=True)
class Piece:
    """One token of a text."""

    start: int
    end: int
    """Where its letters stand in the text. Tokens that hold parts of one character all stand at that character."""
    log_p: float
    """Logarithm of its probability by the model itself: at temperature 1, among all that may be written."""


def token_scores(text: str, pieces: Sequence[Piece], labels: Sequence[str]) -> dict[str, dict[str, float]]:
    """Probabilities of labels by the tokens that hold any of their letters; labels that stand nowhere are left out.

    A token that also holds a quotation mark or a comma counts in full: what it would be alone is not known.

    >>> pieces = [Piece(0, 2, -0.1), Piece(2, 5, -0.3), Piece(5, 7, -0.5), Piece(7, 9, -0.1)]
    >>> found = token_scores('["uneasy"]', pieces, ["uneasy"])["uneasy"]
    >>> {way: round(p, 3) for way, p in found.items()}  # exp(-.3), exp(-.9)
    {'token': 0.741, 'token_plain': 0.407}
    """
    found = {}
    for label in labels:
        place = place_of(text, label)
        own = [] if place is None else [p.log_p for p in pieces if p.start < place[1] and place[0] < p.end > p.start]
        if own:
            found[label] = {TOKEN: exp(sum(own) / len(own)), TOKEN_PLAIN: exp(sum(own))}
    return found


def place_of(text: str, label: str) -> tuple[int, int] | None:
    """Where a label stands in what was written: the last time in quotation marks, else the last time as words.

    >>> place_of('She is sad [a1].\\nEmotions: ["ill at ease", "at ease", "Sad"]', "sad")
    (55, 58)
    """
    words = r"\s+".join(re.escape(word) for word in label.split())
    for pattern in (rf'(?<=["“”]){words}(?=["“”])', rf"(?<!\w){words}(?!\w)"):
        if found := list(re.finditer(pattern, text, re.IGNORECASE)):
            return found[-1].span()
    return None


# ---------------------------------------------------------------- samples


def sampled_scores(labels: Sequence[Emotion], samples: Sequence[Sequence[Emotion]]) -> dict[str, float]:
    """The share of samples that name each label, or a label of its cluster.

    >>> glad, relieved, odd = Emotion("glad", "happy"), Emotion("relieved", "calm"), Emotion("odd")
    >>> sampled_scores([glad, odd], [[Emotion("cheerful", "happy")], [relieved, odd], [], [glad]])
    {'glad': 0.5, 'odd': 0.25}
    """
    if not samples:
        return {}
    return {
        label.label: sum(any(_same(label, other) for other in sample) for sample in samples) / len(samples)
        for label in labels
    }


def _same(one: Emotion, other: Emotion) -> bool:
    return one.label == other.label or (one.cluster is not None and one.cluster == other.cluster)


# ---------------------------------------------------------------- words


def percentages(reply: str, count: int) -> tuple[float, ...] | None:
    """The shares that a reply states, one a label: a JSON list of so many numbers from 0 to 100, and nothing else.

    None for any other reply: a number that was meant otherwise is worse than none.

    >>> percentages(" [80, 7.5]\\n", 2), percentages("80 %", 1), percentages("[0.8, 120]", 2)
    ((0.8, 0.075), None, None)
    """
    try:
        told = json.loads(reply)
    except (ValueError, RecursionError):  # words, half a list, ten thousand brackets
        return None
    if not isinstance(told, list) or len(told) != count:
        return None
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in told):
        return None
    return tuple(number / 100 for number in told) if all(0 <= number <= 100 for number in told) else None


def is_list(text: str) -> bool:
    """Whether a list has closed: nothing needs to be written after it."""
    return text.rstrip().endswith("]")


# ---------------------------------------------------------------- together


def merged(labels: Sequence[str], found: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """The numbers of each label by all ways; labels of which nothing is known are left out.

    >>> merged(["glad", "odd"], [{"glad": {"token": 0.9}}, {"glad": {"sampled": 0.6}}])
    {'glad': {'token': 0.9, 'sampled': 0.6}}
    """
    every = {label: {way: p for each in found for way, p in each.get(label, {}).items()} for label in labels}
    return {label: scores for label, scores in every.items() if scores}
