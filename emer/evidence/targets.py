"""What people said, as numbers over a label set: right labels, or the shares of votes."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from emer.errors import ConfigError

NAMED = 5
"""How many unknown labels an error names."""


def label_target(given: Sequence[str], labels: Sequence[str]) -> Float[np.ndarray, "row label"]:
    """One-hot rows for one right label each. Raises ConfigError for labels outside the set.

    >>> label_target(["sad", "happy"], ["happy", "sad"]).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    _refuse_unknown(given, labels)
    places = np.array([list(labels).index(label) for label in given], dtype=int)
    return np.asarray(np.eye(len(labels))[places])


def label_sets_target(given: Sequence[Iterable[str]], labels: Sequence[str]) -> Float[np.ndarray, "row label"]:
    """1 for each label that holds in a row, for heads of kind beta. Raises ConfigError for labels outside the set.

    >>> label_sets_target([["sad", "tired"], []], ["happy", "sad", "tired"]).tolist()
    [[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    """
    rows = [set(row) for row in given]
    _refuse_unknown([label for row in rows for label in row], labels)
    return np.array([[float(label in row) for label in labels] for row in rows]).reshape(len(rows), len(labels))


def vote_target(votes: Sequence[Mapping[str, float]], labels: Sequence[str]) -> Float[np.ndarray, "row label"]:
    """Shares of each row's votes. Raises ConfigError for labels outside the set, negative votes, rows without votes.

    >>> vote_target([{"sad": 3, "happy": 1}], ["happy", "sad"]).tolist()
    [[0.25, 0.75]]
    """
    _refuse_unknown([label for row in votes for label in row], labels)
    counts = np.array([[float(row.get(label, 0)) for label in labels] for row in votes]).reshape(len(votes), -1)
    wrong = ~((counts >= 0).all(axis=1) & np.isfinite(counts).all(axis=1) & (counts.sum(axis=1) > 0))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise ConfigError(
            f"{int(wrong.sum())} rows lack votes or have wrong ones (first row {first}: {dict(votes[first])}); "
            "give numbers from 0 up, not all 0"
        )
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _refuse_unknown(given: Iterable[str], labels: Sequence[str]) -> None:
    unknown = sorted({label for label in given if label not in labels})
    if unknown:
        some = ", ".join(repr(label) for label in unknown[:NAMED]) + (", …" if len(unknown) > NAMED else "")
        raise ConfigError(f"{len(unknown)} labels are not in the label set ({some}); it has {', '.join(labels)}")
