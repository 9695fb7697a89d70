"""Does an automatic score of explanations agree with people?

People are shown two explanations of a clip and prefer one, or find them alike. A score that is worth ranking by puts
the preferred one higher.

    accuracy     share of pairs with a preference in which the preferred explanation scores higher; a tie counts half
    longer       the same for the length of the text: the baseline that any score must beat
    gain         accuracy - longer, paired
    kendall_tau  tau-b between the difference of scores and the preference (1, 0, -1), over all pairs: here pairs that
                 people found alike count too

Until that was measured, a score of explanations says "not validated against people" wherever it is printed.

Sources: Lian et al. 2025, "EmoPrefer", https://arxiv.org/abs/2507.04278 (pairs of emotion descriptions); Kendall 1945,
"The treatment of ties in ranking problems", Biometrika 33:239-251 (tau-b).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float64, Int64, Real

from emer.metrics import checks
from emer.metrics.bootstrap import Groups, Interval, difference_of_means, interval_of_means
from emer.metrics.errors import MetricError

Preferred = Literal["a", "b", "same"]
NOT_VALIDATED = "not validated against people"
HALF = 0.5
"""What a tied score is worth: it would be right in half of the draws of a coin."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A score of explanations against the preferences of people."""

    accuracy: Interval
    n: int
    """Pairs in which people preferred one."""
    same: int
    """Pairs that people found alike; they count in `kendall_tau` alone."""
    ties: int
    """Of the `n`, those that the score cannot tell apart."""
    kendall_tau: float
    """nan where the score tells no pair apart, or people prefer none or always the same side."""
    longer: float | None = None
    """Accuracy of preferring the longer text; None where the texts were not given."""
    gain: Interval | None = None
    data: str = ""
    """Whose preferences: `EmoPrefer-Data`."""


def agreement(
    scores_a: Real[np.ndarray, "pair"],
    scores_b: Real[np.ndarray, "pair"],
    preferred: Sequence[str],
    *,
    texts: tuple[Sequence[str], Sequence[str]] | None = None,
    clips: Groups | None = None,
    data: str = "",
    replicates: int = 1000,
    seed: int = 0,
) -> Agreement:
    """How often the higher score is the preferred explanation.

    `texts` are both explanations of each pair, for the baseline of length in characters; `clips` names the clip of each
    pair, or the rater, where several pairs share one. Raises MetricError for other words than a, b and same, for scores
    that are not finite, and where nobody prefers anything.

    >>> found = agreement(np.array([0.9, 0.2, 0.5]), np.array([0.1, 0.1, 0.5]), ["a", "b", "b"], replicates=20)
    >>> found.accuracy.score, found.n, found.ties
    (0.5, 3, 1)
    """
    difference = _difference(scores_a, scores_b, preferred)
    side = np.array([{"a": 1, "b": -1, "same": 0}[word] for word in preferred])
    told = side != 0
    if not told.any():
        raise MetricError(f"people found all {len(side)} pairs alike: nothing can be agreed with")
    groups = None if clips is None else np.asarray(list(clips))[told]
    ours = _right(difference[told], side[told])
    theirs = None if texts is None else _right(_longer(texts, preferred)[told], side[told])
    accuracy = interval_of_means(ours, groups=groups, replicates=replicates, seed=seed)
    return Agreement(
        accuracy=accuracy,
        n=int(told.sum()),
        same=int((~told).sum()),
        ties=int((difference[told] == 0).sum()),
        kendall_tau=kendall_tau(difference, side.astype(np.float64)),
        longer=None if theirs is None else float(theirs.mean()),
        gain=None
        if theirs is None
        else difference_of_means(ours, theirs, groups=groups, replicates=replicates, seed=seed),
        data=data,
    )


def validation_note(validated: Agreement | None) -> str:
    """What is printed beside every automatic score of explanations.

    >>> validation_note(None)
    'not validated against people'
    """
    if validated is None:
        return NOT_VALIDATED
    found = validated.accuracy
    length = "" if validated.longer is None else f"; the longer text: {100 * validated.longer:.1f} %"
    return (
        f"agrees with people on {100 * found.score:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}] of "
        f"{validated.n} pairs of {validated.data or 'unnamed data'} (chance: 50 %{length})"
    )


def kendall_tau(first: Float64[np.ndarray, "row"], second: Float64[np.ndarray, "row"]) -> float:
    """tau-b of two columns: pairs of rows in like order minus in unlike order, over the root of the untied of each.

    nan where a column is all alike. Takes time in the square of the rows, memory in their number.

    >>> kendall_tau(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])).__round__(4)
    0.3333
    """
    checks.same_length(first=first, second=second)
    agreeing = untied_first = untied_second = 0
    for row in range(1, len(first)):
        one, two = np.sign(first[:row] - first[row]), np.sign(second[:row] - second[row])
        agreeing += int((one * two).sum())
        untied_first += int(np.count_nonzero(one))
        untied_second += int(np.count_nonzero(two))
    below = float(np.sqrt(float(untied_first) * float(untied_second)))
    return agreeing / below if below else float("nan")


def _difference(
    scores_a: Real[np.ndarray, "pair"], scores_b: Real[np.ndarray, "other"], preferred: Sequence[str]
) -> Float64[np.ndarray, "pair"]:
    checks.same_length(scores_a=scores_a, scores_b=scores_b, preferred=preferred)
    strange = sorted(set(preferred) - set(get_args(Preferred)))
    if strange:
        raise MetricError(f"a preference is {strange[0]!r}; it must be a, b or same")
    table = checks.numbers("scores", np.column_stack([scores_a, scores_b]))
    return np.asarray(table[:, 0] - table[:, 1])


def _longer(texts: tuple[Sequence[str], Sequence[str]], preferred: Sequence[str]) -> Int64[np.ndarray, "pair"]:
    a, b = texts
    checks.same_length(texts_a=a, texts_b=b, preferred=preferred)
    return np.array([len(one) - len(other) for one, other in zip(a, b, strict=True)])


def _right(difference: Real[np.ndarray, "pair"], side: Int64[np.ndarray, "pair"]) -> Float64[np.ndarray, "pair 1"]:
    """1 where the higher one is preferred, a half where neither is higher."""
    return np.where(difference == 0, HALF, (np.sign(difference) == side).astype(np.float64))[:, None]
