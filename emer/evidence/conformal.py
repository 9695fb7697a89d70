"""Sets of labels that hold the right one as often as promised: split conformal prediction.

On n calibration clips each right label gets a score, small where the opinion was right; the set of a new clip
holds every label whose score is at most the `ceil((n + 1) level)`-th smallest of those. Then the right label is in
the set with probability at least `level`, whatever the opinions are worth (Vovk, Gammerman & Shafer 2005), over
clips drawn exchangeably with the calibration clips.

**No guarantee for new speakers.** Clips of a speaker who was not among the calibration clips are not
exchangeable with them. So `coverage` is also given speaker by speaker, and a promise for a new person
should be read off there, not off the level.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from emer.errors import ConfigError
from emer.evidence.rows import refuse_seen, row_hashes

Score = Literal["simple", "aps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conformal:
    """Which labels go into the set of a clip: those with a score of at most `quantile`."""

    labels: tuple[str, ...]
    score: Score
    level: float
    """Promised share of clips whose set holds the right label."""
    quantile: float | None
    """None where n is too small for the level: every set then holds all labels."""
    data: str
    n: int
    rows: tuple[str, ...]
    """Hashes of the calibration rows (`emer.evidence.rows`)."""


@dataclass(frozen=True, slots=True)
class SpeakerCoverage:
    speaker: str
    coverage: float
    n: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the sets held the right label, and how large they were."""

    coverage: float
    n: int
    mean_size: float
    empty: int
    """Sets without any label (possible with the simple score alone)."""
    speakers: tuple[SpeakerCoverage, ...] = ()
    """The worst covered first."""


def scores(probability: Float[np.ndarray, "row label"], score: Score) -> Float[np.ndarray, "row label"]:
    """Score of every label: `simple` is 1 - p; `aps` the sum of all probabilities that are at least p.

    Sources: Sadinle, Lei & Wasserman 2019; Romano, Sesia & Candes 2020, without their random part, so that sets
    of `aps` are never empty and cover somewhat more than promised. Labels of equal p are taken together.

    >>> scores(np.array([[0.7, 0.2, 0.1]]), "aps").round(2).tolist()
    [[0.7, 0.9, 1.0]]
    """
    if score == "simple":
        return np.asarray(1 - probability)
    # From the least probable label up: what is strictly below p; one minus that is the sum of all at least p.
    rising = np.sort(probability, axis=1)
    below = np.concatenate([np.zeros((len(rising), 1)), rising.cumsum(axis=1)], axis=1)
    place = (rising[:, None, :] < probability[:, :, None]).sum(axis=2)
    return np.asarray(below[:, -1:] - np.take_along_axis(below, place, axis=1))


def fit_conformal(
    probability: Float[np.ndarray, "row label"],
    right: Int[np.ndarray, "row"],
    rows: Sequence[str],
    labels: Sequence[str],
    *,
    data: str,
    level: float = 0.9,
    score: Score = "aps",
    used_rows: Collection[str] = (),
) -> Conformal:
    """The quantile from calibration clips; `right` is the place of the right label.

    `used_rows`: hashes of rows of training and of the calibration that made the probabilities; the promise needs
    others. Raises ConfigError for rows among them, a level outside (0, 1), or numbers that do not fit.
    """
    if not 0 < level < 1:
        raise ConfigError(f"the level of label sets is {level:g}; give a number between 0 and 1, such as 0.9")
    _refuse_wrong(probability, right, labels)
    if len(rows) != len(right):
        raise ConfigError(f"{len(rows)} row ids for {len(right)} rows; give one per row")
    refuse_seen(rows, used_rows, "label sets", "training or calibration")
    n = len(right)
    given = np.sort(scores(probability, score)[np.arange(n), right])
    rank = ceil((n + 1) * level - 1e-9)
    return Conformal(
        labels=tuple(labels),
        score=score,
        level=level,
        quantile=float(given[rank - 1]) if rank <= n else None,
        data=data,
        n=n,
        rows=row_hashes(rows),
    )


def label_sets(conformal: Conformal, probability: Float[np.ndarray, "row label"]) -> Bool[np.ndarray, "row label"]:
    """Which labels are in the set of each clip. Raises ConfigError for another number of labels."""
    _refuse_wrong(probability, np.zeros(len(probability), dtype=int), conformal.labels)
    if conformal.quantile is None:
        return np.ones(probability.shape, dtype=bool)
    # Rounding must not put a label out that has exactly the score of the quantile.
    return np.asarray(scores(probability, conformal.score) <= conformal.quantile + 1e-12)


def coverage(
    sets: Bool[np.ndarray, "row label"], right: Int[np.ndarray, "row"], speakers: Sequence[str] | None = None
) -> Coverage:
    """Share of clips whose set holds the right label, overall and speaker by speaker, each with its n.

    >>> sets = np.array([[True, False], [True, True], [True, False]])
    >>> coverage(sets, np.array([0, 1, 1]), ["ann", "ann", "bob"]).speakers
    (SpeakerCoverage(speaker='bob', coverage=0.0, n=1), SpeakerCoverage(speaker='ann', coverage=1.0, n=2))
    """
    _refuse_wrong(sets, right, range(sets.shape[1]))
    if speakers is not None and len(speakers) != len(right):
        raise ConfigError(f"{len(speakers)} speakers for {len(right)} rows; give one per row")
    held = sets[np.arange(len(right)), right]
    people = np.asarray(speakers if speakers is not None else [], dtype=str)
    each = [
        SpeakerCoverage(str(who), float(held[people == who].mean()), int((people == who).sum()))
        for who in np.unique(people)
    ]
    return Coverage(
        coverage=float(held.mean()),
        n=len(held),
        mean_size=float(sets.sum(axis=1).mean()),
        empty=int((~sets.any(axis=1)).sum()),
        speakers=tuple(sorted(each, key=lambda one: (one.coverage, one.speaker))),
    )


def _refuse_wrong(
    numbers: Float[np.ndarray, "row label"] | Bool[np.ndarray, "row label"],
    right: Int[np.ndarray, "n"],
    labels: Sequence[object],
) -> None:
    if len(numbers) == 0 or len(numbers) != len(right) or numbers.shape[1] != len(labels):
        raise ConfigError(
            f"{numbers.shape[0]} rows over {numbers.shape[1]} labels, {len(right)} right labels out of {len(labels)}; "
            "give one row per clip and one number per label"
        )
    if not np.isfinite(numbers).all() or (right < 0).any() or (right >= len(labels)).any():
        raise ConfigError("probabilities must be finite, and right labels places in the label set")
