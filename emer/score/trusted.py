"""Trusted scores of generated label sets: how good are the labels that a system itself vouches for?

label level   one row for each cluster that an answer names; right: it is in the gold set; confidence: the label's own
clip level    one row a clip; right to the degree q = F1 of the two sets; confidence: one number a clip

The headline is the trusted F1 at label level, or at clip level where labels have no confidence of their own; with
graded rows, trusted precision is the mean q of trusted rows, and so on: for q of 0 and 1 these are the usual scores.
The threshold is a number, or fitted on other clips: the rows that are scored never choose it.

Source: TER, Trusted Emotion Recognition (2025), see `emer.metrics.trusted`; label sets: `emer.metrics.generated`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Float64, Int64

from emer.data.rows import some
from emer.emotions.wheels import UNKNOWN
from emer.errors import ConfigError
from emer.metrics import generated, selective, trusted
from emer.metrics.ratios import share
from emer.metrics.trusted import from_counts
from emer.score.label_sets import label_in
from emer.score.metric import Measured, skipping, unknown_words
from emer.score.options import Options
from emer.score.pairs import Pairs, pairs
from emer.score.result import TablesRecord
from emer.score.wheel import NO_GOLD, is_wheel, record, tables_of
from emer.types import Emotion

Means = Float[np.ndarray, "*batch column"]
Level = Literal["label", "clip"]
CANONICAL = "emer8"
TRUSTED_N, RIGHT, BOTH, ROWS = range(4)
"""The columns of a clip: its trusted rows, its right ones, those that are both, and all."""


@dataclass(frozen=True)
class Rows:
    """What trusted scores count: labels, or clips."""

    level: Level
    confidence: Float64[np.ndarray, "row"]
    right: Float64[np.ndarray, "row"]
    """To which degree a row is right; 0 or 1 for labels."""
    clip: Int64[np.ndarray, "row"]
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class Mapped:
    """Answers and gold in clusters."""

    answers: Sequence[Sequence[Emotion]]
    gold: Sequence[frozenset[str]]
    to: Callable[[str], str | None]
    said: str
    tables: TablesRecord | None


def trusted_f1(means: Means) -> Float64[np.ndarray, "*batch"]:
    """Trusted F1 of column means."""
    return share(2 * means[..., BOTH], np.asarray(means[..., TRUSTED_N] + means[..., RIGHT]))


@dataclass(frozen=True)
class Trusted:
    """Trusted F1 with its floor, its gain and the coverage."""

    def measure(self, pairs: Pairs, options: Options) -> Measured:
        mapped = _mapped(pairs, options)
        rows = _rows(pairs, mapped)
        threshold, fitted = _threshold(rows, pairs, options)
        words, gold, predicted = pairs.vocabulary
        reasons = {
            NO_GOLD: np.diff(gold.starts) == 0,
            "no gold label has a cluster": np.array([not clusters for clusters in mapped.gold]),
        }
        clips, skipped = skipping(len(pairs.names), reasons)
        columns = _columns(rows, threshold, len(pairs.names))[clips]
        return Measured(
            clips=clips,
            columns=columns,
            of_means=trusted_f1,
            skipped=skipped,
            detail={
                "level": rows.level,
                **_scores(columns),
                "threshold": threshold,
                "fitted": fitted,
                "left_out": dict(rows.left_out),
                "oracle": _oracle(rows),
                "clips": _selective(pairs, mapped),
            },
            unknown=unknown_words(words, predicted, lambda word: mapped.to(word) is not None),
            tables=mapped.tables,
            notes=(f"labels are right or wrong as {mapped.said}",),
        )

    def floors(self, pairs: Pairs, options: Options) -> Mapping[str, float]:
        """What trusting everything gets."""
        columns = self.measure(pairs, options).columns
        return {"trusting everything": _scores(columns)["floor"]}


def _columns(rows: Rows, threshold: float, clips: int) -> Float64[np.ndarray, "clip 4"]:
    sure = rows.confidence >= threshold
    parts = (sure.astype(float), rows.right, rows.right * sure, np.ones(len(sure)))
    return np.stack([np.bincount(rows.clip, weights=part, minlength=clips) for part in parts], axis=1)


def _scores(columns: Float64[np.ndarray, "clip 4"]) -> dict[str, float]:
    """As `emer.metrics.trusted.TrustedScores`, for graded rows too."""
    sure, right, both, n = (float(total) for total in columns.sum(axis=0))
    found = asdict(from_counts(int(n), right, sure, both))
    return {name: value for name, value in found.items() if name != "threshold"}


# ---------------------------------------------------------------- rows


def _mapped(pairs: Pairs, options: Options) -> Mapped:
    name = options.label_set or CANONICAL
    to, tables, said = _mapping(name, options)
    emotions = pairs.emotions or [[Emotion(label) for label in labels] for labels in pairs.labels]
    answers = [[_in_cluster(emotion, to) for emotion in answer] for answer in emotions]
    gold = [frozenset(c for label in labels if (c := to(label)) is not None) for labels in pairs.gold.labels]
    return Mapped(answers, gold, to, said, tables)


def _mapping(name: str, options: Options) -> tuple[Callable[[str], str | None], TablesRecord | None, str]:
    if not is_wheel(name):
        return cache(label_in(name)), None, f"labels of {name}"
    tables = tables_of(options.wheels)
    mapping = f"case3_{name}_level{options.ring}"

    def cluster(word: str) -> str | None:
        found = tables.map(mapping, word)
        return None if found == UNKNOWN else found

    return cache(cluster), record(tables), f"clusters of {name}, ring {options.ring}, of {tables.name}"


def _in_cluster(emotion: Emotion, to: Callable[[str], str | None]) -> Emotion:
    """The cluster of the label's word; where that has none, of the cluster that the answer itself states."""
    return replace(emotion, cluster=to(emotion.label) or (to(emotion.cluster) if emotion.cluster else None))


def _rows(pairs: Pairs, mapped: Mapped) -> Rows:
    """Labels where they have confidences, else clips. Raises ConfigError where neither has any."""
    if any(emotion.confidence is not None for answer in mapped.answers for emotion in answer):
        labels = generated.label_level(mapped.answers, mapped.gold)
        left = {"labels without a cluster": labels.unmapped, "clusters without a confidence": labels.unsure}
        return Rows("label", labels.confidence, labels.right.astype(float), labels.clip, left)
    if pairs.confidence is None:
        raise ConfigError(
            f"{pairs.source} says nowhere how sure it is; give a column `confidence` (a number a clip), `confidences` "
            "(one a label), or `emotions` with objects {label, confidence}; emer states none without calibrated heads"
        )
    clips = generated.clip_level(mapped.answers, mapped.gold, pairs.confidence)
    return Rows("clip", clips.confidence, 1 - clips.risk, clips.clip, {"clips without a confidence": clips.unsure})


# ---------------------------------------------------------------- threshold


def _threshold(rows: Rows, matched: Pairs, options: Options) -> tuple[float, dict[str, Any] | None]:
    """The number to use, and how it was come by. Raises ConfigError where scored clips would choose it."""
    if options.threshold is not None:
        return options.threshold, None
    if options.calibration is None:
        raise ConfigError(
            "trusted scores need a threshold: give --threshold, or --calibration PRED GOLD with answers to other clips"
        )
    other = pairs(*options.calibration, options.missing)
    own = sorted(set(other.names) & set(matched.names))
    if own:
        raise ConfigError(
            f"{len(own)} of the scored clips are also in {other.source} ({some(own)}): they would choose the threshold "
            "that they are scored with; calibrate on other clips"
        )
    found = _rows(other, _mapped(other, options))
    if found.level != rows.level:
        raise ConfigError(
            f"{other.source} states confidences of {found.level}s, {matched.source} of {rows.level}s; give both alike"
        )
    target = options.target_risk if options.rule == "target_risk" else None
    value = best_threshold(found.confidence, found.right, options.rule, target)
    return value, {"on": other.source, "rule": options.rule, "target_risk": target, "n": len(found.right)}


def best_threshold(
    confidence: Float[np.ndarray, "row"],
    right: Float[np.ndarray, "row"],
    rule: Literal["max_f1", "max_accuracy", "target_risk"],
    target: float | None = None,
) -> float:
    """`emer.metrics.trusted.fit_threshold` for rows that are right to a degree.

    >>> best_threshold(np.array([0.9, 0.8, 0.7, 0.2]), np.array([1.0, 0.0, 1.0, 0.0]), "max_f1")
    0.7
    """
    order = np.argsort(-confidence, kind="stable")
    sure, hits = confidence[order], np.cumsum(right[order])
    last = np.append(sure[1:] != sure[:-1], True)
    value, hit, taken = sure[last], hits[last], np.flatnonzero(last) + 1.0
    n, total = len(sure), hits[-1]
    if rule == "target_risk":
        kept = np.flatnonzero(1 - hit / taken <= (target or 0.0) + trusted.TIE)
        return float(value[kept[-1]]) if len(kept) else trusted.TRUST_NOTHING
    goal = 2 * hit / (taken + total) if rule == "max_f1" else (n - total - taken + 2 * hit) / n
    nothing = 0.0 if rule == "max_f1" else float(n - total) / n
    best = np.flatnonzero(goal >= goal.max() - trusted.TIE)[-1]
    useless = goal[best] <= 0 if rule == "max_f1" else goal[best] < nothing - trusted.TIE
    return trusted.TRUST_NOTHING if useless else float(value[best])


# ---------------------------------------------------------------- beside it


def _oracle(rows: Rows) -> dict[str, float] | None:
    """Break-even, which knows the answers: it ranks systems and is no result."""
    if rows.level == "clip":
        return None
    return {"break_even": trusted.break_even_oracle(rows.confidence, rows.right > 0).f1}


def _selective(pairs: Pairs, mapped: Mapped) -> dict[str, Any] | None:
    """Areas under risk and coverage of whole answers; None where no answer says how sure it is."""
    stated = pairs.confidence
    if stated is None and not any(e.confidence is not None for answer in mapped.answers for e in answer):
        return None
    rows = generated.clip_level(mapped.answers, mapped.gold, stated)
    return asdict(selective.selective_scores(rows.confidence, rows.risk)) | {"without_confidence": rows.unsure}


TRUSTED = Trusted()
