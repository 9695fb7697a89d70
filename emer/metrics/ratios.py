"""Division as scores want it."""

import numpy as np
from jaxtyping import Float64


def share(above: np.ndarray | np.generic, below: np.ndarray | np.generic) -> Float64[np.ndarray, "..."]:
    """above / below element by element, and 0 where below is 0.

    >>> share(np.array([1, 2, 3]), np.array([2, 0, 3]))
    array([0.5, 0. , 1. ])
    """
    whole = np.asarray(below)
    out = np.zeros(np.broadcast_shapes(np.shape(above), whole.shape))
    return np.asarray(np.divide(above, whole, out=out, where=whole > 0))
