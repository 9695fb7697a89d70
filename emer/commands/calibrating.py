"""From opinions on labelled rows to a calibration with a trust threshold, for heads and for models.

The rows are cut into two halves, disjoint in speakers where those are known: one fits the temperature of each set of
views, the other the threshold, so that neither is fitted on what the other has seen.

A row may speak several times, each time by another set of views (a clip that a model is shown in part). Every set gets
its temperature from all of its own; the threshold is fitted on each row once, as `emer explain` would take it, because
several answers about one clip are no independent witnesses.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from emer.commands.labelled import Labelled
from emer.data.rows import some
from emer.errors import ConfigError
from emer.evidence.calibrate import calibrate
from emer.evidence.calibration import Calibration, confidence
from emer.evidence.calibration import probability as calibrated_probability
from emer.evidence.opinion import probability
from emer.evidence.rows import row_hashes
from emer.evidence.selective import Threshold, threshold_at_risk
from emer.types import Opinion

LEAST = 20
"""Rows of a half below which a temperature or a threshold is chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How a calibration is fitted."""

    target_risk: float = 0.1
    """Share of trusted clips that may be wrong."""
    delta: float | None = 0.05
    """The promise holds with probability 1 - delta; null promises nothing and asks the risk of the rows alone."""
    method: Literal["temperature", "isotonic"] = "temperature"
    crossed: bool = False
    """For few clips or speakers: both halves fit both, each threshold row judged by the temperatures of the other."""
    seed: int = 0
    """Of the halves."""
    name: str = ""
    """What explanations call the data; empty takes the name of the file."""


@dataclass(frozen=True)
class Spoken:
    """What is said of rows, one entry each time that something is said."""

    rows: Labelled
    """As long as the opinions; a row that speaks several times stands there several times."""
    opinions: tuple[Opinion, ...]
    views: tuple[tuple[str, ...], ...]
    partial: tuple[bool, ...] = field(default=())
    """Whether this is less than all that could be said of the row; empty where every row speaks once."""

    @property
    def whole(self) -> "Spoken":
        """Every row once, with all that could be said of it."""
        return self.take(np.flatnonzero(~np.array(self.partial))) if self.partial else self

    def take(self, places: np.ndarray) -> "Spoken":
        picked = [int(place) for place in places]
        return Spoken(
            self.rows.take(places),
            tuple(self.opinions[i] for i in picked),
            tuple(self.views[i] for i in picked),
            tuple(self.partial[i] for i in picked) if self.partial else (),
        )

    def and_(self, other: "Spoken") -> "Spoken":
        partial = self.partial + other.partial
        return Spoken(self.rows.and_(other.rows), self.opinions + other.opinions, self.views + other.views, partial)

    @property
    def names(self) -> tuple[str, ...]:
        """A name of its own for every entry."""
        named = zip(self.rows.ids, self.views, self.partial or [False] * len(self.opinions), strict=True)
        return tuple(f"{row} ({' + '.join(views)})" if partial else row for row, views, partial in named)


def calibrated(spoken: Spoken, seen: Collection[str], wanted: Wanted) -> tuple[Calibration, list[str]]:
    """The calibration, and what was fitted on what, a line each. `seen` are hashes of rows that served for training.

    Raises ConfigError for too few rows, rows of one label alone, and rows among `seen`.
    """
    first, second, how = halves(spoken, wanted.seed)
    count = len(spoken.whole.opinions)
    found = (fit_crossed if wanted.crossed else fit)(first, second, seen, wanted)
    told = f"all {count} rows for both, crossed: {how}" if wanted.crossed else how
    return found, [told, *describe(found)]


def refuse_few(spoken: Spoken, labels: Sequence[str]) -> None:
    """Raises ConfigError where there are too few rows, or where all have one label."""
    found = spoken.whole.rows
    count = len(found.ids)
    refuse_fewer(count)
    if (found.target == found.target[0]).all():
        only = some(label for label, held in zip(labels, found.target[0], strict=True) if held)
        raise ConfigError(f"all {count} calibration rows are {only or 'without a label'}; give at least two labels")


def refuse_fewer(count: int) -> None:
    """Raises ConfigError where so many rows are too few."""
    if count < 2 * LEAST:
        raise ConfigError(f"{count} rows are too few to calibrate on; give at least {2 * LEAST} with an opinion")


def halves(spoken: Spoken, seed: int) -> tuple[Spoken, Spoken, str]:
    """Two halves, disjoint in speakers where those are known, and how they were made, in words."""
    draw, rows = np.random.default_rng(seed), spoken.whole.rows
    speakers, count = rows.speakers, len(rows.ids)
    if speakers is None or len(set(speakers)) < 2:
        order = draw.permutation(count)
        parts = (np.sort(order[: count // 2]), np.sort(order[count // 2 :]))
        how = f"cut by chance, {'speakers unknown' if speakers is None else 'all of one speaker'}"
    else:
        parts = _by_speaker(speakers, draw)
        how = f"no one of {len(set(speakers))} speakers is in both"
    if min(map(len, parts)) < LEAST:
        raise ConfigError(
            f"a half of these rows holds only {min(map(len, parts))} of at least {LEAST}; give more rows or speakers"
        )
    told = f"{len(parts[0])} rows for the temperature, {len(parts[1])} for the threshold ({how})"
    first, second = ({rows.ids[int(place)] for place in part} for part in parts)
    return _only(spoken, first), _only(spoken, second), told


def _only(spoken: Spoken, ids: Collection[str]) -> Spoken:
    """All that is said of these rows."""
    return spoken.take(np.flatnonzero([row in ids for row in spoken.rows.ids]))


def _by_speaker(speakers: Sequence[str], draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Speakers in turn, those with most rows first, to the half that has fewer rows."""
    counts = Counter(speakers)
    names = [str(name) for name in draw.permutation(sorted(counts))]
    sides: tuple[set[str], set[str]] = (set(), set())
    for name in sorted(names, key=lambda name: -counts[name]):
        smaller = min(sides, key=lambda side: sum(counts[one] for one in side))
        smaller.add(name)
    first, second = (np.flatnonzero([name in side for name in speakers]) for side in sides)
    return first, second


def fit(first: Spoken, second: Spoken, seen: Collection[str], wanted: Wanted) -> Calibration:
    """Temperatures from the first half, the threshold from the second."""
    calibration = temperatures(first, seen, wanted)
    judged, numbers = confidences(calibration, second.whole)
    held = right(judged.opinions, judged.rows.target, sure_of(calibration, judged))
    threshold = threshold_of(judged.rows, numbers, held, [*seen, *calibration.rows], wanted)
    return replace(calibration, threshold=threshold)


def fit_crossed(first: Spoken, second: Spoken, seen: Collection[str], wanted: Wanted) -> Calibration:
    """For few speakers: temperatures from all rows; the threshold from confidences that each half was given by the
    temperatures of the other, so that no row was judged by what it had fitted."""
    numbers, held, rows = [], [], []
    for one, other in ((first, second), (second, first)):
        calibration = temperatures(one, seen, wanted)
        judged, sure = confidences(calibration, other.whole)
        numbers.append(sure)
        held.append(right(judged.opinions, judged.rows.target, sure_of(calibration, judged)))
        rows.append(judged.rows)
    threshold = threshold_of(rows[0].and_(rows[1]), np.concatenate(numbers), np.concatenate(held), seen, wanted)
    return replace(temperatures(first.and_(second), seen, wanted), threshold=threshold)


def temperatures(spoken: Spoken, seen: Collection[str], wanted: Wanted) -> Calibration:
    """A calibration without a threshold."""
    calibration = calibrate(
        spoken.opinions,
        spoken.views,
        spoken.rows.target,
        spoken.names,
        data=wanted.name or spoken.rows.name,
        trained_rows=seen,
        method=wanted.method,
    )
    return replace(calibration, n=len(set(spoken.rows.ids)), rows=row_hashes(spoken.rows.known_as))


def confidences(calibration: Calibration, rows: Spoken) -> tuple[Spoken, Float[np.ndarray, "row"]]:
    """The rows whose set of views was calibrated, with their confidence. Raises ConfigError when there are none."""
    numbers = [confidence(o, calibration, v) for o, v in zip(rows.opinions, rows.views, strict=True)]
    known = np.flatnonzero([number is not None for number in numbers])
    if not len(known):
        raise ConfigError("no row of one half has a set of views that the other half has; give more rows")
    return rows.take(known), np.array([number for number in numbers if number is not None])


def threshold_of(
    rows: Labelled,
    numbers: Float[np.ndarray, "row"],
    held: Bool[np.ndarray, "row"],
    seen: Collection[str],
    wanted: Wanted,
) -> Threshold:
    """The threshold from these rows, none of which may be among the hashes `seen`."""
    found = threshold_at_risk(numbers, held, rows.ids, wanted.target_risk, delta=wanted.delta, used_rows=seen)
    return replace(found, rows=row_hashes(rows.known_as))


def sure_of(calibration: Calibration, rows: Spoken) -> list[int]:
    """Of which label each row's confidence is. A beta opinion has a temperature for each label, so that the label of
    which it is surest may be another than before."""
    found = [calibrated_probability(o, calibration, v) for o, v in zip(rows.opinions, rows.views, strict=True)]
    return [int(p.argmax()) for p in found if p is not None]


def right(
    opinions: Sequence[Opinion], target: Float[np.ndarray, "row label"], said: Sequence[int] | None = None
) -> Bool[np.ndarray, "row"]:
    """Whether the most probable label, or the one in `said`, is what people said: the most frequent one, or, for beta,
    one that holds."""
    best = np.array([int(probability(opinion).argmax()) for opinion in opinions] if said is None else said, dtype=int)
    if opinions[0].kind == "beta":
        return np.asarray(target[np.arange(len(best)), best] >= 0.5)
    return np.asarray(best == target.argmax(axis=1))


def describe(calibration: Calibration) -> list[str]:
    """What was fitted, a line each."""
    lines = []
    for one in calibration.sets:
        temperatures = ", ".join(f"{t:.2f}" for t in one.temperature)
        lines.append(f"{' + '.join(one.views)}: temperature {temperatures} (n = {one.n})")
        lines += [f"  {reason}" for reason in one.fallback]
    assert calibration.threshold is not None
    return [*lines, _threshold(calibration.threshold)]


def _threshold(threshold: Threshold) -> str:
    asked = f"at most {threshold.target_risk:g} of trusted clips wrong (n = {threshold.n})"
    if threshold.value is None:
        return f"threshold: none keeps {asked}; no clip will be trusted"
    promised = threshold.guarantee or "nothing is promised for further clips"
    kept = f"{100 * threshold.coverage:.0f} % of clips, of which {threshold.risk:.2f} were wrong"
    return (
        f"threshold: confidence above {max(threshold.value, 0):.2f} is trusted: {kept}; asked was {asked}; {promised}"
    )
