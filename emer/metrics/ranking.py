"""Predictions ranked by confidence; what `trusted` and `selective` count on.

Rows with the same confidence stand together: no threshold can part them, so no score may depend on their order.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64, Shaped


@dataclass(frozen=True, slots=True)
class Steps:
    """The accepted set as the threshold falls: one step for each distinct confidence, the highest first."""

    threshold: Float64[np.ndarray, "step"]
    accepted: Int64[np.ndarray, "step"]
    """How many rows have at least that confidence."""
    total: Float64[np.ndarray, "step"]
    """Sum of the counted quantity (risk, or 1 for right) over those rows."""

    @property
    def n(self) -> int:
        return int(self.accepted[-1])

    def totals(self) -> Float64[np.ndarray, "row"]:
        """Expected sum over the k most confident rows, for k = 1 to n.

        Between two steps it is a straight line: tied rows in random order each add their mean.

        >>> steps(np.array([0.9, 0.5, 0.5]), np.array([0.0, 1.0, 0.0])).totals()
        array([0. , 0.5, 1. ])
        """
        k = np.arange(1, self.n + 1)
        return np.asarray(np.interp(k, np.append(0, self.accepted), np.append(0.0, self.total)))


def steps(confidence: Float64[np.ndarray, "row"], counted: Shaped[np.ndarray, "row"]) -> Steps:
    """Ranks checked rows; `counted` is what is summed (numbers or booleans)."""
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    last = np.append(ranked[1:] != ranked[:-1], True)
    totals = np.cumsum(counted[order], dtype=np.float64)
    return Steps(ranked[last], np.flatnonzero(last) + 1, totals[last])
