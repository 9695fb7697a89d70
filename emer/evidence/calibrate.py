"""Fitting a calibration on labelled clips: which rows may serve, and what each set of views gets."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from jaxtyping import Bool, Float

from emer.errors import ConfigError, OpinionError
from emer.evidence.calibration import Calibration, Method, ViewSet
from emer.evidence.opinion import alpha, checked, refuse_unlike
from emer.evidence.rows import refuse_seen, row_hashes
from emer.evidence.temperature import Curve, fit_curve, fit_temperature, tempered
from emer.types import Opinion

LEAST_ROWS = 50
"""A set of views with fewer rows takes the temperature of all rows: its own would be off by a quarter or more."""
LEAST_ROWS_CURVE = 200
"""A curve has many more freedoms; with fewer rows the temperature alone is used."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Calibration rows, all with one set of views or mixed. Beta rows are "row label 2", dirichlet "row 1 label"."""

    alpha: Float[np.ndarray, "row part outcome"]
    target: Float[np.ndarray, "row part outcome"]

    def __len__(self) -> int:
        return len(self.alpha)

    def where(self, mask: Bool[np.ndarray, "row"]) -> "_Rows":
        return _Rows(self.alpha[mask], self.target[mask])


def calibrate(
    opinions: Sequence[Opinion],
    views: Sequence[Collection[str]],
    target: Float[np.ndarray, "row label"],
    rows: Sequence[str],
    *,
    data: str,
    trained_rows: Collection[str],
    method: Method = "temperature",
) -> Calibration:
    """A calibration from the fused opinions of labelled clips.

    `views[i]` are the views that opinion i was fused from; `target` is one-hot, shares of votes, or for beta
    opinions 0 to 1 per label (`emer.evidence.targets`); `rows` are ids; `trained_rows` the hashes of the rows that
    heads or models were trained on (`HeadRecord.trained_rows`), of which none may be among `rows`.

    Raises ConfigError for rows seen in training, rows given twice, lengths that differ, wrong targets, and rows that
    all have one label; OpinionError for opinions over different label sets, hints, and opinions without evidence.
    """
    _refuse_wrong_rows(opinions, views, target, rows)
    refuse_seen(rows, trained_rows, "calibration", "training")
    first = _refuse_wrong_opinions(opinions, rows)
    _refuse_wrong_target(target, first)
    all_rows = _as_rows(opinions, target, first.kind)
    _refuse_one_class(all_rows, first)
    keys = [tuple(sorted(set(each))) for each in views]
    pooled = _pooled(all_rows, first)
    sets = [
        _view_set(key, all_rows.where(np.array([each == key for each in keys])), pooled, first, method)
        for key in sorted(set(keys))
    ]
    return Calibration(
        data=data,
        label_set=first.label_set,
        labels=first.labels,
        kind=first.kind,
        prior_weight=first.prior_weight,
        method=method,
        n=len(rows),
        sets=tuple(sets),
        rows=row_hashes(rows),
    )


# ---------------------------------------------------------------- fitting


def _pooled(rows: _Rows, like: Opinion) -> ViewSet:
    """What all rows together ask for; labels that one class alone has share a temperature."""
    shared = fit_temperature(_flat(rows.alpha), _flat(rows.target))
    own = [_fits(rows, part) for part in range(rows.alpha.shape[1])]
    temperature = tuple(
        fit_temperature(rows.alpha[:, part], rows.target[:, part]) if fits else shared for part, fits in enumerate(own)
    )
    idle = [label for label, fits in zip(like.labels, own, strict=False) if not fits]
    told = (f"{', '.join(idle)}: always or never there; the temperature of all labels stands in",) if idle else ()
    return ViewSet(views=(), n=len(rows), temperature=temperature, fallback=told)


def _view_set(key: tuple[str, ...], rows: _Rows, pooled: ViewSet, like: Opinion, method: Method) -> ViewSet:
    told: list[str] = []
    if len(rows) < LEAST_ROWS:
        told = [f"{len(rows)} rows of at least {LEAST_ROWS}; the temperature of all {pooled.n} stands in"]
        temperature = pooled.temperature
        told += pooled.fallback
    else:
        temperature = tuple(
            fit_temperature(rows.alpha[:, part], rows.target[:, part])
            if _fits(rows, part)
            else pooled.temperature[part]
            for part in range(rows.alpha.shape[1])
        )
        told += list(_idle(rows, pooled, like))
    fitted = ViewSet(views=key, n=len(rows), temperature=temperature, fallback=tuple(told))
    return fitted if method == "temperature" else _bent(fitted, rows, like)


def _idle(rows: _Rows, pooled: ViewSet, like: Opinion) -> Iterator[str]:
    """Which parts could not be fitted on a set's own rows."""
    idle = [part for part in range(rows.alpha.shape[1]) if not _fits(rows, part)]
    if idle:
        names = ", ".join(like.labels[part] for part in idle) if like.kind == "beta" else "rows of one label alone"
        yield f"{names}: nothing to tell a temperature from; that of all {pooled.n} rows stands in"


def _bent(fitted: ViewSet, rows: _Rows, like: Opinion) -> ViewSet:
    """With a curve after the temperature, where there are rows enough."""
    if len(rows) < LEAST_ROWS_CURVE:
        reason = f"{len(rows)} rows of at least {LEAST_ROWS_CURVE} for a curve; the temperature alone is used"
        return replace(fitted, fallback=(*fitted.fallback, reason))
    p = tempered(rows.alpha, np.asarray(fitted.temperature)[None])
    return replace(fitted, curve=tuple(_curves(p, rows.target, like)))


def _curves(
    p: Float[np.ndarray, "row part outcome"], target: Float[np.ndarray, "row part outcome"], like: Opinion
) -> Iterator[Curve]:
    if like.kind == "beta":
        yield from (fit_curve(p[:, part, 0], target[:, part, 0]) for part in range(p.shape[1]))
        return
    best = p[:, 0].argmax(axis=-1)
    each = np.arange(len(p))
    yield fit_curve(p[each, 0, best], target[each, 0, best])


def _fits(rows: _Rows, part: int) -> bool:
    """Whether the rows can tell a temperature: more than one outcome occurs, and some opinion prefers one."""
    occurs = (rows.target[:, part].sum(axis=0) > 0).sum() > 1
    return bool(occurs and _prefers(rows.alpha[:, part]))


def _prefers(alphas: Float[np.ndarray, "row outcome"]) -> bool:
    return bool((np.ptp(np.log(alphas), axis=-1) > 1e-9).any())


def _flat(numbers: Float[np.ndarray, "row part outcome"]) -> Float[np.ndarray, "each outcome"]:
    return numbers.reshape(-1, numbers.shape[-1])


def _as_rows(opinions: Sequence[Opinion], target: Float[np.ndarray, "row label"], kind: str) -> _Rows:
    alphas = np.stack([alpha(opinion) for opinion in opinions])
    if kind == "beta":
        return _Rows(alphas, np.stack([target, 1 - target], axis=-1))
    return _Rows(alphas[:, None], target[:, None].astype(float))


# ---------------------------------------------------------------- what is refused


def _refuse_wrong_rows(
    opinions: Sequence[Opinion],
    views: Sequence[Collection[str]],
    target: Float[np.ndarray, "row label"],
    rows: Sequence[str],
) -> None:
    if not len(opinions) == len(views) == len(target) == len(rows) > 0:
        raise ConfigError(
            f"{len(opinions)} opinions, {len(views)} sets of views, {len(target)} targets and {len(rows)} row ids; "
            "give one of each per row"
        )
    if len(set(rows)) < len(rows):
        twice = Counter(rows).most_common(1)[0][0]
        raise ConfigError(f"{len(rows) - len(set(rows))} calibration rows stand there twice ({twice}); give each once")
    if bare := [row for row, each in zip(rows, views, strict=True) if not each]:
        raise ConfigError(f"{len(bare)} calibration rows have no view ({bare[0]}); leave them out")


def _refuse_wrong_opinions(opinions: Sequence[Opinion], rows: Sequence[str]) -> Opinion:
    """The first opinion, after it was made sure that all are of its form, trained, and not all vacuous."""
    named = dict(zip(rows, opinions, strict=True))
    for opinion in opinions:
        checked(opinion)
    refuse_unlike(named, ("label_set", "labels", "kind", "prior_weight", "base_rate"))
    if hints := [row for row, opinion in named.items() if not opinion.trained]:
        raise OpinionError(f"{len(hints)} opinions are not trained ({hints[0]}); hints have no calibrated confidence")
    if not any(chain.from_iterable(opinion.evidence for opinion in opinions)):
        raise OpinionError(f"all {len(opinions)} opinions are vacuous: without evidence there is nothing to calibrate")
    return opinions[0]


def _refuse_wrong_target(target: Float[np.ndarray, "row label"], like: Opinion) -> None:
    if target.shape[1] != len(like.labels):
        raise ConfigError(f"targets have {target.shape[1]} labels, and the opinions {len(like.labels)}; map them first")
    within = np.isfinite(target).all(axis=1) & (target >= 0).all(axis=1) & (target <= 1 + 1e-9).all(axis=1)
    if like.kind == "dirichlet":
        within &= np.abs(target.sum(axis=1) - 1) < 1e-6
    if not within.all():
        first = int(np.flatnonzero(~within)[0])
        what = "shares that sum to 1" if like.kind == "dirichlet" else "numbers from 0 to 1"
        raise ConfigError(f"{int((~within).sum())} targets are no {what} (first row {first}: {target[first].tolist()})")


def _refuse_one_class(rows: _Rows, like: Opinion) -> None:
    if any(_fits(rows, part) for part in range(rows.alpha.shape[1])):
        return
    if like.kind == "dirichlet" and _prefers(rows.alpha[:, 0]):
        only = like.labels[int(rows.target[:, 0].sum(axis=0).argmax())]
        raise ConfigError(f"all {len(rows)} calibration rows are {only!r}; give rows of at least two labels")
    raise ConfigError(
        f"no label both occurs and is absent among the {len(rows)} calibration rows, or no opinion prefers any; "
        "give rows of both kinds"
    )
