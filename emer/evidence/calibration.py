"""From an opinion to a confidence that keeps its word: fitted once on labelled clips, per set of present views.

Evidential opinions are not calibrated by themselves, and one temperature does not fit a clip without a face and a
clip with one. So each set of present views has its own temperature on log alpha (`emer.evidence.temperature`),
beta opinions one for each label, and, by choice, a rising curve over that. A set with too few rows takes the
temperature of all rows together and says so. A set that was never seen is out of domain: no confidence.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from emer.errors import ConfigError, OpinionError
from emer.evidence.opinion import alpha
from emer.evidence.rows import refuse_seen
from emer.evidence.selective import Threshold
from emer.evidence.temperature import Curve, tempered
from emer.jsonio import dumps, loads
from emer.types import CalibrationRecord, Opinion
from emer.version import __version__

SCHEMA = "emer.calibration/1"

Method = Literal["temperature", "isotonic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSet:
    """What was fitted for the clips that have just these views."""

    views: tuple[str, ...]
    """In alphabetical order."""
    n: int
    """Calibration rows with this set of views."""
    temperature: tuple[float, ...]
    """One number, or one per label for beta opinions."""
    curve: tuple[Curve, ...] = ()
    """For isotonic calibration: one, or one per label for beta opinions; applied after the temperature."""
    fallback: tuple[str, ...] = ()
    """In words: what could not be fitted on these rows alone, why, and what stands in for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How confidence is made, and on what that was fitted."""

    data: str
    """Name of the data."""
    label_set: str
    labels: tuple[str, ...]
    kind: Literal["dirichlet", "beta"]
    prior_weight: float
    method: Method
    n: int
    """Calibration rows in all."""
    sets: tuple[ViewSet, ...]
    rows: tuple[str, ...]
    """Hashes of the rows it was fitted on (`emer.evidence.rows`): never to be scored with it."""
    threshold: Threshold | None = None
    """Above it a clip is trusted."""
    prompt: str = ""
    """SHA-256 of the prompt behind which a model's verdicts were read; empty for heads, and where it was not one."""
    emer: str = __version__
    schema: str = SCHEMA

    def of(self, views: Iterable[str]) -> ViewSet | None:
        """What was fitted for this set of views; None when no calibration row had just these."""
        key = tuple(sorted(set(views)))
        return next((one for one in self.sets if one.views == key), None)

    def out_of_domain(self, views: Iterable[str]) -> bool:
        """Whether no calibration row had just these views, so that nothing can be said of the confidence."""
        return self.of(views) is None


# ---------------------------------------------------------------- use


def confidence(opinion: Opinion, calibration: Calibration | None, views: Iterable[str]) -> float | None:
    """How often an answer like this one is right, 0 to 1: the calibrated probability of the most probable label.

    `views` are those that the opinion was fused from. None without calibration, for hints, for a vacuous opinion of
    a clip without views, and out of domain. For a beta opinion it is the probability that its most probable label
    holds. Raises OpinionError for an opinion over other labels than those of the calibration.
    """
    views = tuple(views)
    if calibration is None or not (opinion.trained and opinion.present):
        return None
    _refuse_other(opinion, calibration)
    one = calibration.of(views)
    if one is None:
        return None
    p = _per_label(alpha(opinion)[None], one, calibration.kind)[0]
    if calibration.kind == "dirichlet" and one.curve:
        return float(one.curve[0](np.asarray(p.max())))
    return float(p.max())


def probability(opinion: Opinion, calibration: Calibration, views: Iterable[str]) -> Float[np.ndarray, "label"] | None:
    """Calibrated probability of each label; None where `confidence` is None.

    The curve of an isotonic dirichlet calibration concerns the confidence alone; here stands the temperature's.
    """
    views = tuple(views)
    if confidence(opinion, calibration, views) is None:
        return None
    one = calibration.of(views)
    assert one is not None
    return np.asarray(_per_label(alpha(opinion)[None], one, calibration.kind)[0])


def probabilities(
    alphas: Float[np.ndarray, "row *outcome"], calibration: Calibration, views: Iterable[str]
) -> Float[np.ndarray, "row label"]:
    """Calibrated probabilities of many clips with one set of views, given alpha: for tables and bulk runs.

    Raises ConfigError out of domain.
    """
    key = tuple(views)
    one = calibration.of(key)
    if one is None:
        known = "; ".join(" ".join(each.views) for each in calibration.sets)
        raise ConfigError(
            f"no row of the calibration on {calibration.data} had just the views {' '.join(key) or '(none)'} "
            f"(it had: {known}); calibrate on such clips"
        )
    return _per_label(alphas, one, calibration.kind)


def refuse_fitted_rows(calibration: Calibration, rows: Iterable[str]) -> None:
    """Raises ConfigError when rows that are to be scored were those that the calibration or its threshold was
    fitted on."""
    threshold = () if calibration.threshold is None else calibration.threshold.rows
    refuse_seen(rows, {*calibration.rows, *threshold}, "scoring", "calibration")


def record(calibration: Calibration, views: Iterable[str]) -> CalibrationRecord | None:
    """What an explanation says about its confidence: data, rows with this set of views, and the set."""
    one = calibration.of(views)
    return None if one is None else CalibrationRecord(calibration.data, one.n, one.views)


def _per_label(
    alphas: Float[np.ndarray, "row *outcome"], one: ViewSet, kind: Literal["dirichlet", "beta"]
) -> Float[np.ndarray, "row label"]:
    if kind == "dirichlet":
        return tempered(alphas, one.temperature[0])
    holds = tempered(alphas, np.asarray(one.temperature)[None])[..., 0]
    if not one.curve:
        return holds
    return np.stack([curve(holds[:, k]) for k, curve in enumerate(one.curve)], axis=-1)


def _refuse_other(opinion: Opinion, calibration: Calibration) -> None:
    for name in ("label_set", "labels", "kind", "prior_weight"):
        ours, theirs = getattr(opinion, name), getattr(calibration, name)
        if ours != theirs:
            raise OpinionError(
                f"the opinion has {name} {ours!r}, and the calibration on {calibration.data} has {theirs!r}; "
                "calibrate for these opinions"
            )


# ---------------------------------------------------------------- JSON


def write_calibration(calibration: Calibration) -> str:
    """The calibration as one line of JSON."""
    return dumps(calibration)


def read_calibration(text: str | bytes) -> Calibration:
    """The calibration that `write_calibration` wrote. Raises ConfigError for anything else."""
    calibration = loads(text, Calibration)
    if calibration.schema != SCHEMA:
        raise ConfigError(
            f"the calibration has schema {calibration.schema!r}, and this emer reads {SCHEMA}; update emer"
        )
    if mistakes := list(_mistakes(calibration)):
        raise ConfigError(f"calibration on {calibration.data}: " + "; ".join(mistakes))
    return calibration


def _mistakes(calibration: Calibration) -> Iterable[str]:
    count = 1 if calibration.kind == "dirichlet" else len(calibration.labels)
    for one in calibration.sets:
        name = " ".join(one.views)
        if len(one.temperature) != count or not all(0 < t < np.inf for t in one.temperature):
            yield f"views {name}: {list(one.temperature)} must be {count} temperatures above 0"
        if len(one.curve) not in (0, count) or any(len(c.at) != len(c.becomes) or not c.at for c in one.curve):
            yield f"views {name}: curves must be none or {count}, each with as many values as points"
