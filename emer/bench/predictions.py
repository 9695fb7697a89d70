"""What a trained method said about the rows of one part, kept so that it can be scored without running it again.

On disk it is one .npz of plain arrays; nothing is pickled.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Float64

from emer.data.rows import refuse, some
from emer.data.table_files import read_arrays
from emer.errors import ConfigError
from emer.files import replacing
from emer.types import JOINT

Kind = Literal["dirichlet", "beta"]
SUM_TOLERANCE = 1e-4
"""How far from 1 the votes of a row may sum."""


@dataclass(frozen=True, eq=False, slots=True)
class Predictions:
    """Opinions of one method on some rows. Raises ConfigError when it is made of parts that do not fit.

    The outcomes are "label", or "label 2" (holds, does not) for kind beta. Every alpha is above 0; its share of the
    sum is the probability.
    """

    rows: tuple[str, ...]
    labels: tuple[str, ...]
    kind: Kind
    target: Float[np.ndarray, "row label"]
    """One-hot, shares of votes, or 0 and 1 per label for kind beta. A row of zeros (dirichlet) or nan: nobody knows."""
    fused: Float[np.ndarray, "row *outcome"]
    views: tuple[str, ...]
    """Views that speak for themselves, the joint one last; () where the method knows only the whole."""
    alpha: Float[np.ndarray, "view row *outcome"]
    present: Bool[np.ndarray, "view row"]
    """Where False, the view's alpha says nothing."""
    prior: Float[np.ndarray, "*outcome"] | None = None
    """`W a`, alpha without evidence; None for methods without evidence (softmax)."""
    speakers: tuple[str, ...] | None = None
    disagree: Bool[np.ndarray, "row"] | None = None
    """Where people heard and saw different emotions; None where that is not known."""

    def __post_init__(self) -> None:
        refuse(list(_mistakes(self)), "these predictions cannot be used")

    @property
    def probability(self) -> Float64[np.ndarray, "row label"]:
        """Of each label, before calibration; for kind beta that it holds."""
        return _probability(self.fused, self.kind)

    @property
    def uncertainty(self) -> Float64[np.ndarray, "row"] | None:
        """u = W / S of the fused opinion, for kind beta the mean over labels; None without evidence."""
        if self.prior is None:
            return None
        u = vacuity(self.fused, self.prior)
        return u if u.ndim == 1 else np.asarray(u.mean(axis=1))

    @property
    def conflict(self) -> Float64[np.ndarray, "row"]:
        """The largest conflict between two views; nan in a row where fewer than two are present."""
        own = [i for i, view in enumerate(self.views) if view != JOINT]
        return conflict_degrees(self.alpha[own], self.present[own], self.prior, self.kind)

    def take(self, places: Sequence[int] | np.ndarray) -> "Predictions":
        """The rows at `places`, in that order."""
        at = np.asarray(places, dtype=int)
        return Predictions(
            rows=tuple(self.rows[i] for i in at),
            labels=self.labels,
            kind=self.kind,
            target=self.target[at],
            fused=self.fused[at],
            views=self.views,
            alpha=self.alpha[:, at],
            present=self.present[:, at],
            prior=self.prior,
            speakers=None if self.speakers is None else tuple(self.speakers[i] for i in at),
            disagree=None if self.disagree is None else self.disagree[at],
        )


def joined(parts: Sequence[Predictions]) -> Predictions:
    """The rows of several folds, one after the other. Raises ConfigError when labels, kinds or views differ.

    The prior is that of the first part (folds of one method may have learned slightly different ones), so ask each
    part for its uncertainty and conflict where that matters.
    """
    if not parts:
        raise ConfigError("there are no predictions to join; give those of at least one fold")
    first = parts[0]
    for name in ("labels", "kind", "views"):
        if others := [part for part in parts if getattr(part, name) != getattr(first, name)]:
            raise ConfigError(f"folds differ in {name}: {getattr(first, name)} and {getattr(others[0], name)}")
    speakers = [part.speakers for part in parts if part.speakers is not None]
    disagree = [part.disagree for part in parts if part.disagree is not None]
    return Predictions(
        rows=tuple(row for part in parts for row in part.rows),
        labels=first.labels,
        kind=first.kind,
        target=np.concatenate([part.target for part in parts]),
        fused=np.concatenate([part.fused for part in parts]),
        views=first.views,
        alpha=np.concatenate([part.alpha for part in parts], axis=1),
        present=np.concatenate([part.present for part in parts], axis=1),
        prior=None if any(part.prior is None for part in parts) else first.prior,
        speakers=tuple(name for names in speakers for name in names) if len(speakers) == len(parts) else None,
        disagree=np.concatenate(disagree) if len(disagree) == len(parts) else None,
    )


# ---------------------------------------------------------------- arithmetic


def vacuity(
    alpha: Float[np.ndarray, "*batch outcome"], prior: Float[np.ndarray, "*#batch outcome"]
) -> Float64[np.ndarray, "*batch"]:
    """u = W / S, in (0, 1]: 1 without evidence. Methods that take evidence away are held at 1.

    >>> vacuity(np.array([9.0, 1.0]), np.array([1.0, 1.0])).item()
    0.2
    """
    return np.asarray(np.minimum(prior.sum(axis=-1, dtype=np.float64) / alpha.sum(axis=-1, dtype=np.float64), 1.0))


def conflict_degrees(
    alpha: Float[np.ndarray, "view row *outcome"],
    present: Bool[np.ndarray, "view row"],
    prior: Float[np.ndarray, "*outcome"] | None,
    kind: Kind,
) -> Float64[np.ndarray, "row"]:
    """The largest conflict between two present views, row by row; nan where there are fewer than two.

    `emer.evidence.conflict.degree` for whole tables: 1/2 sum_k |p1_k - p2_k| (1 - u1) (1 - u2), for beta opinions
    the largest over labels of |p1 - p2| (1 - u1) (1 - u2). A method without evidence counts as certain (u = 0), so
    that the conflict is the total variation between its views.

    >>> views = np.array([[[7.0, 1.0]], [[1.0, 7.0]]])
    >>> conflict_degrees(views, np.ones((2, 1), dtype=bool), np.ones(2), "dirichlet")
    array([0.421875])
    """
    count, rows = present.shape
    worst = np.full(rows, np.nan)
    # What stands in an absent view may be anything, zeros too.
    spoken = np.where(present.reshape(count, rows, *[1] * (alpha.ndim - 2)), alpha, 1.0)
    p = [_probability(view, kind) for view in spoken]
    sure = [np.ones(view.shape[:-1]) if prior is None else 1 - vacuity(view, prior) for view in spoken]
    for one in range(count):
        for other in range(one + 1, count):
            apart, certain = np.abs(p[one] - p[other]), sure[one] * sure[other]
            degree = apart.sum(axis=1) / 2 * certain if kind == "dirichlet" else (apart * certain).max(axis=1)
            worst = np.fmax(worst, np.where(present[one] & present[other], degree, np.nan))
    return worst


def _probability(alpha: Float[np.ndarray, "row *outcome"], kind: Kind) -> Float64[np.ndarray, "row label"]:
    exact = alpha.astype(np.float64)
    share = exact / exact.sum(axis=-1, keepdims=True)
    return np.asarray(share if kind == "dirichlet" else share[..., 0])


# ---------------------------------------------------------------- files


def write(predictions: Predictions, path: str | Path) -> None:
    """Write the predictions whole or not at all; `read` gives them back. Raises OutputError."""
    texts = {name: np.array(getattr(predictions, name), dtype=str) for name in ("rows", "labels", "kind", "views")}
    arrays = {name: getattr(predictions, name) for name in ("target", "fused", "alpha", "present", "prior", "disagree")}
    if predictions.speakers is not None:
        texts["speakers"] = np.array(predictions.speakers, dtype=str)
    kept: dict[str, Any] = texts | {name: array for name, array in arrays.items() if array is not None}
    with replacing(path) as draft, draft.open("xb") as file:
        np.savez_compressed(file, **kept)


def read(path: str | Path) -> Predictions:
    """The predictions that `write` wrote. Raises ConfigError for anything else."""
    if not Path(path).is_file():
        raise ConfigError(f"there is no file {path}; name predictions that exist")
    arrays = read_arrays(path)
    needed = ("rows", "labels", "kind", "views", "target", "fused", "alpha", "present")
    refuse([name for name in needed if name not in arrays], f"{path} holds no predictions; these arrays are missing")
    kind: Any = str(arrays["kind"])
    return Predictions(
        rows=_texts(arrays["rows"]),
        labels=_texts(arrays["labels"]),
        kind=kind,
        target=arrays["target"],
        fused=arrays["fused"],
        views=_texts(arrays["views"]),
        alpha=arrays["alpha"],
        present=arrays["present"],
        prior=arrays.get("prior"),
        speakers=_texts(arrays["speakers"]) if "speakers" in arrays else None,
        disagree=arrays.get("disagree"),
    )


def _texts(array: np.ndarray) -> tuple[str, ...]:
    return tuple(str(item) for item in array)


# ---------------------------------------------------------------- checks


def _mistakes(p: Predictions) -> Iterator[str]:
    if p.kind not in get_args(Kind):
        yield f"the kind {p.kind!r} is not known; choose one of {', '.join(get_args(Kind))}"
        return
    if not p.rows:
        yield "there are no rows"
        return
    if again := [row for row, times in Counter(p.rows).items() if times > 1]:
        yield f"row ids come more than once ({some(again)})"
    rows, outcome = len(p.rows), (len(p.labels),) if p.kind == "dirichlet" else (len(p.labels), 2)
    wanted: dict[str, tuple[int, ...]] = {
        "target": (rows, len(p.labels)),
        "fused": (rows, *outcome),
        "alpha": (len(p.views), rows, *outcome),
        "present": (len(p.views), rows),
        "prior": outcome,
        "disagree": (rows,),
    }
    given = {name: getattr(p, name) for name in wanted}
    wrong = [name for name, array in given.items() if array is not None and array.shape != wanted[name]]
    for name in wrong:
        yield f"{name} has the shape {given[name].shape} instead of {wanted[name]}"
    if p.speakers is not None and len(p.speakers) != rows:
        yield f"{len(p.speakers)} speakers stand beside {rows} rows"
    if not wrong:
        yield from _wrong_numbers(p)


def _wrong_numbers(p: Predictions) -> Iterator[str]:
    axes = tuple(range(1, p.fused.ndim))
    bad = ~((p.fused > 0) & np.isfinite(p.fused)).all(axis=axes)
    if bad.any():
        names = some(p.rows[i] for i in np.flatnonzero(bad))
        yield f"{int(bad.sum())} fused alphas are not above 0 and finite (rows {names})"
    spoken = p.alpha[p.present]
    if not ((spoken > 0) & np.isfinite(spoken)).all():
        yield "alphas of views that are present are not all above 0 and finite"
    sums = p.target.sum(axis=1)
    known = p.target[~np.isnan(sums)]
    whole = known.sum(axis=1)
    if p.kind == "dirichlet" and not ((np.abs(whole - 1) < SUM_TOLERANCE) | (whole == 0)).all():
        yield "targets do not sum to 1 (or to 0, where nobody knows)"
    if (known < 0).any() or (p.kind == "beta" and ((known != 0) & (known != 1)).any()):
        yield "targets are negative, or neither 0 nor 1 for labels that hold or not"
