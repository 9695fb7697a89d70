"""How much two views contradict each other: a number of its own, beside the fused uncertainty.

Fusion hides disagreement (Dempster's uncertainty even falls under it), so it is measured before fusing:

    degree = 1/2 sum_k |p1_k - p2_k| (1 - u1) (1 - u2)

Source: Xu et al. 2024, "Reliable conflictive multi-view learning", AAAI (the method ECML): projected distance times
conjunctive certainty. Between two beta opinions each label has a degree of its own, |p1 - p2| (1 - u1) (1 - u2), and
the largest counts: views that agree on what is absent still conflict over what is there.
"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from emer.evidence.opinion import checked, probability, refuse_unlike, uncertainty
from emer.types import JOINT, Conflict, Opinion


def degree(a: Opinion, b: Opinion) -> float:
    """Conflict between two opinions: 0 none, 1 full. Raises OpinionError when they differ in label set or kind.

    >>> from emer.evidence.opinion import dirichlet
    >>> good, bad = dirichlet("mood", ["good", "bad"], [6, 0]), dirichlet("mood", ["good", "bad"], [0, 6])
    >>> degree(good, bad), degree(good, good)
    (0.421875, 0.0)
    """
    refuse_unlike({"one view": checked(a), "the other view": checked(b)})
    apart = np.abs(probability(a) - probability(b))
    certain = (1 - np.asarray(uncertainty(a))) * (1 - np.asarray(uncertainty(b)))
    if a.kind == "dirichlet":
        return float(apart.sum() / 2 * certain)
    return float(np.max(apart * certain))


def conflict(opinions: Mapping[str, Opinion]) -> Conflict:
    """The largest conflict between two trained views that are present, and which two; None when there are fewer.

    Hints never enter it, nor does the joint view, which only repeats what the others say. Raises OpinionError when
    trained views differ in label set or kind.
    """
    trained = sorted(view for view, o in opinions.items() if o.trained and o.present and view != JOINT)
    pairs = {pair: degree(opinions[pair[0]], opinions[pair[1]]) for pair in combinations(trained, 2)}
    if not pairs:
        return Conflict(None)
    between = max(pairs, key=lambda pair: pairs[pair])
    return Conflict(pairs[between], between)
