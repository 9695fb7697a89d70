"""Whom to trust: the lowest confidence above which at most a target share is wrong."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import beta

from emer.errors import ConfigError
from emer.evidence.rows import refuse_seen, row_hashes

COVERAGES = 20
"""Thresholds that are tried: those that keep 100 %, 95 %, ... 5 % of the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A clip is trusted when its confidence is above `value`; None trusts none."""

    value: float | None
    """-1 trusts every clip that has a confidence."""
    target_risk: float
    """Share of trusted clips that may be wrong."""
    risk: float | None
    """Share that was wrong among the trusted rows it was fitted on; None where there were none."""
    coverage: float
    """Share of the rows that was trusted."""
    n: int
    guarantee: str | None
    """What is promised, in words; None when nothing is."""
    rows: tuple[str, ...]
    """Hashes of the rows (`emer.evidence.rows`)."""

    def trusts(self, confidence: float | None) -> bool | None:
        """Whether a confidence is trusted; None without one."""
        return None if confidence is None else self.value is not None and confidence > self.value


def threshold_at_risk(
    confidence: Float[np.ndarray, "row"],
    right: Bool[np.ndarray, "row"],
    rows: Sequence[str],
    target_risk: float,
    *,
    delta: float | None = 0.05,
    used_rows: Collection[str] = (),
) -> Threshold:
    """The threshold of largest coverage that keeps the risk at or below `target_risk`.

    With `delta`: of `COVERAGES` thresholds, fixed by rank, those pass whose Clopper-Pearson bound on the risk, at
    level delta / COVERAGES each (Bonferroni), is below the target; so with probability 1 - delta over the draw of
    the rows the risk on further clips is at most the target (after Geifman & El-Yaniv 2017). It holds for clips
    drawn as the rows were, one independent of the other: several clips of one speaker weaken it, and new speakers
    are not covered. Without `delta` the risk on the rows themselves must be below the target, and nothing is promised.

    Confidence should come from a calibration fitted on other rows: pass their hashes, and those of training, as
    `used_rows`. Raises ConfigError for rows among them, wrong numbers, or lengths that differ.
    """
    _refuse_wrong(confidence, right, rows, target_risk, delta)
    refuse_seen(rows, used_rows, "the threshold", "training or calibration")
    order = np.argsort(confidence, kind="stable")
    rising, wrong_above = confidence[order], np.append((~right[order])[::-1].cumsum()[::-1], 0)
    # The first threshold lies below every confidence and trusts all.
    tried = np.concatenate([[-1.0], rising[_ranks(len(rising))] if delta is not None else np.unique(rising)])
    left_out = np.searchsorted(rising, tried, side="right")
    kept, wrong = len(rising) - left_out, wrong_above[left_out]
    bound = _risk_bound(wrong, kept, delta)
    passing = np.flatnonzero((kept > 0) & (bound <= target_risk))
    if len(passing) == 0:
        return _threshold(None, 0, 0, rows, target_risk, delta)
    best = passing[0]
    return _threshold(float(tried[best]), int(wrong[best]), int(kept[best]), rows, target_risk, delta)


def _ranks(n: int) -> list[int]:
    """Ranks of the confidences at which thresholds are tried, from the lowest up."""
    return sorted({int(np.ceil(n * step / COVERAGES)) - 1 for step in range(1, COVERAGES)})


def _risk_bound(
    wrong: Int[np.ndarray, "threshold"], kept: Int[np.ndarray, "threshold"], delta: float | None
) -> Float[np.ndarray, "threshold"]:
    """What the risk is at most, at each threshold; 1 where nothing or nothing right is left."""
    right = kept - wrong
    if delta is None:
        return np.asarray(np.where(right > 0, wrong / np.maximum(kept, 1), 1.0))
    upper = beta.ppf(1 - delta / COVERAGES, wrong + 1, np.maximum(right, 1))
    return np.asarray(np.where(right > 0, upper, 1.0))


def _threshold(
    value: float | None, wrong: int, kept: int, rows: Sequence[str], target_risk: float, delta: float | None
) -> Threshold:
    promised = None
    if delta is not None and value is not None:
        promised = (
            f"with probability {1 - delta:g} at most {target_risk:g} of trusted clips are wrong, "
            "for independent clips drawn like these rows"
        )
    return Threshold(
        value=value,
        target_risk=target_risk,
        risk=wrong / kept if kept else None,
        coverage=kept / len(rows),
        n=len(rows),
        guarantee=promised,
        rows=row_hashes(rows),
    )


def _refuse_wrong(
    confidence: Float[np.ndarray, "row"],
    right: Bool[np.ndarray, "row"],
    rows: Sequence[str],
    target_risk: float,
    delta: float | None,
) -> None:
    if not len(confidence) == len(right) == len(rows) > 0:
        raise ConfigError(
            f"{len(confidence)} confidences, {len(right)} outcomes and {len(rows)} row ids; give one of each per row"
        )
    if not (np.isfinite(confidence).all() and confidence.min() >= 0 and confidence.max() <= 1):
        raise ConfigError("confidences must be numbers from 0 to 1; leave rows without confidence out")
    if not 0 < target_risk < 1 or (delta is not None and not 0 < delta < 1):
        raise ConfigError(f"target risk {target_risk:g} and delta {delta} must lie between 0 and 1")
