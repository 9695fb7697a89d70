"""Is a clip like those that a head was trained on? A density over its features, and how far out a clip may lie.

Features are standardised over the training rows, and their correlations described by the principal components that
hold 95 % of their variance, with the rest as noise alike in all (Tipping and Bishop 1999, "Probabilistic principal
component analysis", J R Statist Soc B 61:611-622): with hundreds of features, more numbers than clips could settle are
not asked for. A clip's distance is the squared Mahalanobis length of what its measured features say of the components,
divided by their number: about 1 for a clip like the others, whatever could be measured (Lee et al. 2018, "A simple
unified framework for detecting out-of-distribution samples", NeurIPS, use such a distance on deep features).

Chosen on speech of RAVDESS, 12 actors against 8 others, EmoDB and sounds without speech: with 389 features the
distances of EmoDB are told from those of new actors with AUROC .96, and .93 by a shrunk covariance of all features.

How far out is too far is a quantile of the distances of held-out speakers: never of training rows, which lie nearer,
and never of test rows. A clip of which far fewer features could be measured than of those is outside too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Float64
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from emer.errors import ConfigError, OpinionError
from emer.evidence.rows import refuse_seen, row_hashes
from emer.files import write_bytes, write_text
from emer.jsonio import dumps, loads
from emer.types import Features

SCHEMA = "emer.domain/1"
ARRAYS, RECORD = "domain.safetensors", "domain.json"
QUANTILE = 0.99
LEAST_SHARE = 0.8
"""A clip is outside with less than this share of the features that nearly all held-out clips have: a feature more or
less changes nothing, as distances leave out what was not measured."""
LEAST_ROWS = 20
"""Held-out rows below which a quantile of their distances means nothing."""
VARIANCE = 0.95
"""Share of the variance that the components hold."""
NEGLIGIBLE = 1e-9
"""Share of the largest eigenvalue below which measured features say nothing of a direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRecord:
    """What is known of one view's domain but its arrays."""

    names: tuple[str, ...]
    """Of the features, in the order of the arrays."""
    data: str
    limit: float
    """The largest distance inside."""
    least: int
    """The fewest measured features inside."""
    quantile: float
    """Share of the held-out rows that lie within `limit`."""
    n_train: int
    n_held_out: int
    held_out_rows: tuple[str, ...]
    """Hashes of the rows (`emer.evidence.rows`) that set the limit."""


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    """The density of one view, and how far out a clip may lie."""

    record: DomainRecord
    mean: Float64[np.ndarray, "feature"]
    scale: Float64[np.ndarray, "feature"]
    """1 / standard deviation; 0 for features that never vary, which are not looked at."""
    loadings: Float64[np.ndarray, "feature component"]
    """What a component of variance 1 does to each standardised feature."""
    noise: float
    """Variance of each standardised feature besides."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a clip lies."""

    distance: float | None
    """None where nothing was measured."""
    inside: bool
    why: str
    """In words, why it is outside; empty inside."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Features of many clips. What stands where `mask` is False is not looked at."""

    rows: tuple[str, ...]
    values: Float[np.ndarray, "row feature"]
    mask: Bool[np.ndarray, "row feature"]


# ---------------------------------------------------------------- fitting


def fit_domain(
    train: Measured, held_out: Measured, names: Sequence[str], *, data: str, quantile: float = QUANTILE
) -> Domain:
    """The density of the training rows, with the limit that `quantile` of the held-out rows keep.

    Raises ConfigError when rows are in both, when there are too few, or when shapes or the quantile are wrong;
    OpinionError for measured features that are not finite.
    """
    _refuse_wrong(train, held_out, names, quantile)
    refuse_seen(held_out.rows, row_hashes(train.rows), "the limit of the domain", "its training")
    mean, scale = _mean_and_scale(train)
    z = np.where(train.mask, (train.values.astype(np.float64) - mean) * scale, 0.0)
    domain = Domain(_record(train, held_out, names, data, quantile), mean, scale, *components(z))
    far = distances(domain, held_out.values, held_out.mask)
    counts = (held_out.mask & (scale > 0)).sum(axis=1)
    record = _record(
        train,
        held_out,
        names,
        data,
        quantile,
        limit=float(np.quantile(far[np.isfinite(far)], quantile, method="higher")),
        least=max(1, int(LEAST_SHARE * np.quantile(counts, 1 - quantile, method="lower"))),
    )
    return replace(domain, record=record)


def components(z: Float64[np.ndarray, "row feature"]) -> tuple[Float64[np.ndarray, "feature component"], float]:
    """Loadings and noise of greatest likelihood (Tipping and Bishop 1999, equations 7 and 8) for centred rows.

    As many components as hold `VARIANCE` of the variance; the noise is the mean of what the others hold.
    """
    eigenvalues, vectors = np.linalg.eigh(z.T @ z / len(z))
    eigenvalues, vectors = np.maximum(eigenvalues[::-1], 0.0), vectors[:, ::-1]
    held = np.cumsum(eigenvalues) / eigenvalues.sum()
    count = min(int(np.searchsorted(held, VARIANCE)) + 1, len(eigenvalues))
    rest = eigenvalues[count:]
    noise = float(rest.mean()) if len(rest) else 0.0
    return vectors[:, :count] * np.sqrt(eigenvalues[:count] - noise), noise


def _mean_and_scale(rows: Measured) -> tuple[Float64[np.ndarray, "feature"], Float64[np.ndarray, "feature"]]:
    values = np.where(rows.mask, rows.values, 0.0).astype(np.float64)
    count = np.maximum(rows.mask.sum(axis=0), 1)
    mean = values.sum(axis=0) / count
    spread = np.sqrt((np.where(rows.mask, values - mean, 0.0) ** 2).sum(axis=0) / count)
    varies = spread > 1e-6 * np.maximum(np.abs(mean), 1e-6)
    return mean, np.where(varies, 1 / np.where(varies, spread, 1.0), 0.0)


def _record(
    train: Measured,
    held_out: Measured,
    names: Sequence[str],
    data: str,
    quantile: float,
    limit: float = np.inf,
    least: int = 1,
) -> DomainRecord:
    return DomainRecord(
        names=tuple(names),
        data=data,
        limit=limit,
        least=least,
        quantile=quantile,
        n_train=len(train.rows),
        n_held_out=len(held_out.rows),
        held_out_rows=row_hashes(held_out.rows),
    )


def _refuse_wrong(train: Measured, held_out: Measured, names: Sequence[str], quantile: float) -> None:
    for what, rows in (("training", train), ("held-out", held_out)):
        if not (rows.values.shape == rows.mask.shape == (len(rows.rows), len(names))):
            raise ConfigError(
                f"{len(rows.rows)} {what} rows and {len(names)} names have values of shape {rows.values.shape} "
                f"and masks of shape {rows.mask.shape}; give one of each per row and feature"
            )
        if len(rows.rows) < LEAST_ROWS or not rows.mask.any():
            raise ConfigError(
                f"{len(rows.rows)} {what} rows are too few for a domain; give at least {LEAST_ROWS}, with features"
            )
        if not np.isfinite(rows.values[rows.mask]).all():
            raise OpinionError(f"{what} rows have features that are NaN or infinite; mask what could not be measured")
    if not 0.5 < quantile < 1:
        raise ConfigError(f"the quantile {quantile:g} of the domain must lie between 0.5 and 1")


# ---------------------------------------------------------------- use


def distances(
    domain: Domain, values: Float[np.ndarray, "row feature"], mask: Bool[np.ndarray, "row feature"]
) -> Float64[np.ndarray, "row"]:
    """Squared Mahalanobis length of the components, as the measured features tell them, over their number.

    With loadings L and noise v over the measured features, A = L'L and b = L'z, the components are estimated as
    `(v I + A)^-1 b`, whose covariance is `(v I + A)^-1 A`; so the squared length is `b' (v A + A A)^-1 b`. With every
    feature measured that is the sum over components of squared scores over eigenvalues. Infinite where nothing was
    measured.
    """
    seen = mask & (domain.scale > 0)
    z = np.where(seen, (values.astype(np.float64) - domain.mean) * domain.scale, 0.0)
    found = np.full(len(z), np.inf)
    alike: dict[bytes, list[int]] = {}
    for row, pattern in enumerate(seen):
        alike.setdefault(pattern.tobytes(), []).append(row)
    for rows in alike.values():
        if seen[rows[0]].any():
            found[rows] = _lengths(domain, seen[rows[0]], z[rows])
    return found


def _lengths(
    domain: Domain, pattern: Bool[np.ndarray, "feature"], z: Float64[np.ndarray, "row feature"]
) -> Float64[np.ndarray, "row"]:
    left_out, noise = domain.loadings[~pattern], domain.noise
    # Loadings are orthogonal over all features: from their squared lengths what was not measured is taken away.
    product = np.diag(np.square(domain.loadings).sum(axis=0)) - left_out.T @ left_out
    told = z @ domain.loadings
    if pattern.sum() > 2 * len(product):  # features enough to tell every component
        solved = np.linalg.solve(noise * product + product @ product, told.T).T
        return np.asarray((told * solved).sum(axis=1) / len(product))
    eigenvalues, vectors = np.linalg.eigh(product)
    known = eigenvalues > NEGLIGIBLE * eigenvalues[-1]
    along = told @ vectors[:, known]
    return np.asarray((along**2 / (eigenvalues[known] * (noise + eigenvalues[known]))).sum(axis=1) / known.sum())


def place(domain: Domain, features: Features) -> Place:
    """Where one clip lies. Raises ConfigError without a feature that the domain needs, OpinionError for NaN."""
    where = {name: i for i, name in enumerate(features.names)}
    if missing := [name for name in domain.record.names if name not in where]:
        raise ConfigError(f"{features.view} features lack {', '.join(missing)}; measure the clip again")
    order = [where[name] for name in domain.record.names]
    values, mask = np.asarray(features.values, dtype=np.float64)[order], np.asarray(features.mask, dtype=bool)[order]
    if not np.isfinite(values[mask]).all():
        raise OpinionError(f"{features.view} features are NaN or infinite; mask what could not be measured")
    count = int((mask & (domain.scale > 0)).sum())
    if count == 0:
        return Place(None, False, f"nothing of the {features.view} features could be measured")
    far = float(distances(domain, values[None], mask[None])[0])
    if count < domain.record.least:
        why = f"only {count} of {len(order)} {features.view} features could be measured"
        return Place(far, False, f"{why}, and at least {domain.record.least} in {domain.record.data}")
    if far > domain.record.limit:
        why = f"the {features.view} features lie at distance {far:.1f} from {domain.record.data}"
        share = f"{100 * domain.record.quantile:g} %"
        return Place(far, False, f"{why}, where {share} of held-out clips lie within {domain.record.limit:.1f}")
    return Place(far, True, "")


# ---------------------------------------------------------------- files


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    views: dict[str, DomainRecord]
    arrays_sha256: str
    schema: str = SCHEMA


def save_domains(folder: Path, domains: Mapping[str, Domain]) -> None:
    """Write the domains of views beside their heads: `domain.json` and `domain.safetensors`. Raises OutputError."""
    arrays = {
        f"{view}.{name}": np.ascontiguousarray(getattr(domain, name))
        for view, domain in domains.items()
        for name in ("mean", "scale", "loadings")
    } | {f"{view}.noise": np.array([domain.noise]) for view, domain in domains.items()}
    data = save_arrays(arrays)
    record = _File(views={view: d.record for view, d in domains.items()}, arrays_sha256=sha256(data).hexdigest())
    write_bytes(folder / ARRAYS, data)
    write_text(folder / RECORD, dumps(record) + "\n")


def load_domains(folder: Path) -> dict[str, Domain]:
    """Domains by view; empty where the folder has none. Raises ConfigError when they cannot be read."""
    if not (folder / RECORD).exists():
        return {}
    try:
        file, data = loads((folder / RECORD).read_bytes(), _File), (folder / ARRAYS).read_bytes()
        if file.schema != SCHEMA:
            raise ConfigError(f"it has schema {file.schema!r}, and this emer reads {SCHEMA}; update emer")
        if sha256(data).hexdigest() != file.arrays_sha256:
            raise ConfigError(f"{ARRAYS} is not the file that it describes; copy both from one place")
        arrays = load_arrays(data)
        return {view: _domain(view, record, arrays) for view, record in file.views.items()}
    except (OSError, SafetensorError, KeyError, ConfigError) as error:
        raise ConfigError(f"{folder / RECORD} cannot be used: {error}") from error


def _domain(view: str, record: DomainRecord, arrays: Mapping[str, np.ndarray]) -> Domain:
    mean, scale, loadings, noise = (arrays[f"{view}.{name}"] for name in ("mean", "scale", "loadings", "noise"))
    count = len(record.names)
    if not (mean.shape == scale.shape == (count,) and loadings.shape[:1] == (count,) and noise.shape == (1,)):
        raise ConfigError(f"the arrays of {view} do not have {count} features")
    return Domain(record, mean, scale, loadings, float(noise[0]))
