"""What every score asks of its input, said in one voice.

Each function gives the array back in the one form that the formulas want, or raises MetricError.
"""

from collections.abc import Collection

import numpy as np
from jaxtyping import Bool, Float64, Int64, Shaped

from emer.metrics.errors import MetricError

SUM_TOLERANCE = 1e-3
"""How far from 1 a row of probabilities may sum: float16 rows of eight labels stay within it."""


def fractions(name: str, values: Shaped[np.ndarray, "row"]) -> Float64[np.ndarray, "row"]:
    """One row of numbers in [0, 1]: confidences, risks, or shares of people."""
    array = _finite(name, values, dimensions=1)
    _refuse(name, "outside [0, 1]", array, (array < 0) | (array > 1))
    return array


def rights(name: str, values: Shaped[np.ndarray, "row"]) -> Bool[np.ndarray, "row"]:
    """One row of yes and no, as booleans or as 0 and 1."""
    array = np.asarray(values)
    if array.dtype == bool and array.ndim == 1 and array.size:
        return array
    array = _finite(name, array, dimensions=1)
    _refuse(name, "neither 0 nor 1", array, (array != 0) & (array != 1))
    return np.asarray(array == 1)


def distributions(name: str, values: Shaped[np.ndarray, "row label"]) -> Float64[np.ndarray, "row label"]:
    """Probabilities over labels, one distribution a row."""
    array = _finite(name, values, dimensions=2)
    _refuse(name, "outside [0, 1]", array, (array < 0) | (array > 1))
    sums = array.sum(axis=1)
    wrong = np.abs(sums - 1) > SUM_TOLERANCE
    if wrong.any():
        first = int(np.argmax(wrong))
        raise MetricError(f"row {first} of {name} sums to {sums[first]:.6g}; probabilities over labels must sum to 1")
    return array


def numbers(name: str, values: Shaped[np.ndarray, "row column"]) -> Float64[np.ndarray, "row column"]:
    """A table of finite numbers."""
    return _finite(name, values, dimensions=2)


def label_ids(name: str, values: Shaped[np.ndarray, "row"], labels: int | None = None) -> Int64[np.ndarray, "row"]:
    """One row of label numbers from 0 up, below `labels` where that is given."""
    array = np.asarray(values)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise MetricError(f"{name} must be whole numbers, one label each; it holds {array.dtype}")
    array = _shaped(name, array, dimensions=1).astype(np.int64)
    _refuse(name, "negative: label numbers start at 0", array, array < 0)
    if labels is not None:
        _refuse(name, f"not one of the {labels} labels (0 to {labels - 1})", array, array >= labels)
    return array


def label_sets(name: str, values: Shaped[np.ndarray, "row label"]) -> Bool[np.ndarray, "row label"]:
    """Sets of labels, one a row: yes or no for each label."""
    array = np.asarray(values)
    if array.dtype == bool and array.ndim == 2 and array.size:
        return array
    array = _finite(name, array, dimensions=2)
    _refuse(name, "neither 0 nor 1", array, (array != 0) & (array != 1))
    return np.asarray(array == 1)


def row_ids(name: str, values: Collection[str] | Collection[int] | Shaped[np.ndarray, "row"]) -> list[str | int]:
    """What rows, clips or speakers are called: words, or whole numbers from 0 up."""
    array = values if isinstance(values, np.ndarray) else np.asarray(list(values))
    array = _shaped(name, array, dimensions=1)
    if array.dtype.kind == "U" or (array.dtype == object and all(isinstance(value, str) for value in array)):
        return list(array.tolist())
    if not np.issubdtype(array.dtype, np.integer):
        raise MetricError(f"{name} must be words or whole numbers; they are {array.dtype}")
    _refuse(name, "negative; who is unknown needs a number of their own, from 0 up", array, array < 0)
    return list(array.tolist())


def same_length(**arrays: Collection[object] | Shaped[np.ndarray, "..."]) -> None:
    """Refuses arrays with different numbers of rows, naming them."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise MetricError(f"numbers of rows differ: {told}; give one of each per prediction")


def same_labels(**arrays: Shaped[np.ndarray, "..."]) -> None:
    """Refuses tables with different numbers of columns, naming them."""
    widths = {name: array.shape[1] for name, array in arrays.items()}
    if len(set(widths.values())) > 1:
        told = ", ".join(f"{name} has {width}" for name, width in widths.items())
        raise MetricError(f"numbers of labels differ: {told}; give both over the same label set")


def positive(name: str, value: int) -> int:
    """A count of at least 1."""
    if value < 1:
        raise MetricError(f"{name} is {value}; it must be 1 or more")
    return value


def fraction(name: str, value: float) -> float:
    """One number in [0, 1]."""
    if not 0 <= value <= 1:
        raise MetricError(f"{name} is {value}; it must lie in [0, 1]")
    return float(value)


def _shaped(name: str, array: Shaped[np.ndarray, "..."], dimensions: int) -> Shaped[np.ndarray, "..."]:
    if array.size == 0:
        raise MetricError(f"{name} is empty: there is nothing to score")
    if array.ndim != dimensions:
        wanted = "one number a row" if dimensions == 1 else "a table with one row a prediction"
        raise MetricError(f"{name} has shape {array.shape}; give {wanted}")
    return array


def _finite(name: str, values: Shaped[np.ndarray, "..."], dimensions: int) -> Float64[np.ndarray, "..."]:
    array = _shaped(name, np.asarray(values), dimensions)
    if array.dtype.kind not in "fiub":
        raise MetricError(f"{name} must be numbers; it holds {array.dtype}")
    array = array.astype(np.float64, copy=False)
    _refuse(name, "not a finite number", array, ~np.isfinite(array))
    return array


def _refuse(name: str, why: str, array: Shaped[np.ndarray, "*shape"], wrong: Bool[np.ndarray, "*shape"]) -> None:
    if not wrong.any():
        return
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    more = int(wrong.sum()) - 1
    others = f" (and {more} more)" if more else ""
    raise MetricError(f"{name} is {array[first]:.6g} in row {first[0]}{others}: {why}")
