"""Feature tables made worse on purpose, to see whether a method notices: noise, missing views, swapped views.

All of it is drawn from a seed, and grows with its level: a larger share takes the rows of a smaller one and more,
a larger standard deviation stretches the same noise. Ids and targets stay, so that the rows are scored as before.

`conflictive` is made after the protocol of ECML (Xu et al. 2024, "Reliable conflictive multi-view learning", AAAI):
noise on random views of a share of the rows, and in a share one view taken from a clip with another label. The shares
are choices made here; noise is in standard deviations of the training rows, the foreign clip is drawn at random.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64, Int64

from emer.data.rows import some
from emer.data.tables import FeatureTable, View
from emer.errors import ConfigError

NOISE_SD = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Standard deviations of the training rows."""
SWAPPED_SHARE = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)

Spreads = Mapping[str, Float64[np.ndarray, "feature"]]


def spreads(training: FeatureTable) -> dict[str, Float64[np.ndarray, "feature"]]:
    """Standard deviation of each feature over the training rows in which it was measured; 0 where none was."""
    found = {}
    for name, view in training.views.items():
        values, count = view.values.astype(np.float64), np.maximum(view.mask.sum(axis=0), 1)
        mean = (values * view.mask).sum(axis=0) / count
        found[name] = np.sqrt(((values - mean) ** 2 * view.mask).sum(axis=0) / count)
    return found


def gaussian(
    table: FeatureTable,
    spread: Spreads,
    sd: float,
    *,
    seed: int,
    views: Sequence[str] | None = None,
    share: float = 1.0,
) -> FeatureTable:
    """Gaussian noise of `sd` training standard deviations on measured features of these views (default: all).

    With a share, on that share of the rows, the same for all views.
    """
    if not 0 <= sd < np.inf:
        raise ConfigError(f"the noise has a standard deviation of {sd}; give a number of 0 or more")
    hit = _drawn(len(table.rows), share, _generator(seed, "rows"))
    return _each(table, _named(table, views), lambda name, view: _noisy(view, spread[name] * sd, hit, seed, name))


def missing(table: FeatureTable, views: Sequence[str], *, share: float = 1.0, seed: int = 0) -> FeatureTable:
    """These views taken out, in a share of the rows that is drawn view by view; nothing else stands in for them."""
    rows = len(table.rows)
    gone = {name: _drawn(rows, share, _generator(seed, name)) for name in _named(table, views)}

    def without(name: str, view: View) -> View:
        mask = view.mask & ~gone[name][:, None]
        return replace(view, mask=mask, values=np.where(mask, view.values, np.float32(0)))

    return _each(table, tuple(gone), without)


def swapped(table: FeatureTable, view: str | None = None, *, share: float = 1.0, seed: int) -> FeatureTable:
    """In a share of the rows one view comes from another clip with another label: the views contradict each other.

    The view is the one named, or drawn row by row. Another label: another likeliest one, for label sets another set.
    Rows to which no clip has another label keep their own.
    """
    names = tuple(table.views) if view is None else _named(table, [view])
    rng = _generator(seed, "swap")
    hit = _drawn(len(table.rows), share, rng)
    which = rng.integers(0, len(names), size=len(table.rows))
    donors = _donors(_label_codes(table), rng)

    def foreign(name: str, own: View) -> View:
        here = hit & (which == names.index(name))
        return own.take(np.where(here, donors, np.arange(len(donors))))

    return _each(table, names, foreign)


def conflictive(
    table: FeatureTable,
    spread: Spreads,
    *,
    seed: int,
    noise_share: float = 0.5,
    sd: float = 1.0,
    swapped_share: float = 0.4,
) -> FeatureTable:
    """Conflictive rows after ECML: noise on half the rows, in a random half of their views; then swapped views.

    Which rows get noise and which a foreign view is drawn apart, so that some get both.
    """
    rng = _generator(seed, "views")
    noisy = rng.random((len(table.views), len(table.rows))) < 0.5
    # A row that is to be noisy is so in one view at least.
    noisy[rng.integers(0, len(table.views), size=len(table.rows)), np.arange(len(table.rows))] = True
    hit = _drawn(len(table.rows), noise_share, _generator(seed, "rows"))
    place = {name: i for i, name in enumerate(table.views)}
    worse = _each(
        table,
        tuple(table.views),
        lambda name, view: _noisy(view, spread[name] * sd, hit & noisy[place[name]], seed, name),
    )
    return swapped(worse, share=swapped_share, seed=seed)


def touched(before: FeatureTable, after: FeatureTable) -> Bool[np.ndarray, "view row"]:
    """Which views of which rows a corruption changed, in the order of `before.views`."""
    return np.stack(
        [
            ((view.values != after.views[name].values) | (view.mask != after.views[name].mask)).any(axis=1)
            for name, view in before.views.items()
        ]
    )


# ---------------------------------------------------------------- drawing


def _generator(seed: int, what: str) -> np.random.Generator:
    """Draws of their own for each purpose and view, so that one does not depend on the others."""
    return np.random.default_rng([seed, *what.encode()])


def _drawn(rows: int, share: float, rng: np.random.Generator) -> Bool[np.ndarray, "row"]:
    """A share of the rows, rounded; a larger share holds the rows of a smaller one."""
    if not 0 <= share <= 1:
        raise ConfigError(f"the share of rows is {share}; it must lie in [0, 1]")
    return np.asarray(np.argsort(rng.permutation(rows)) < round(share * rows))


def _noisy(view: View, sd: Float64[np.ndarray, "feature"], hit: Bool[np.ndarray, "row"], seed: int, name: str) -> View:
    noise = _generator(seed, name).standard_normal(view.values.shape) * sd
    values = np.where(view.mask & hit[:, None], view.values + noise, view.values)
    return replace(view, values=values.astype(np.float32))


def _label_codes(table: FeatureTable) -> Int64[np.ndarray, "row"]:
    if table.kind == "multi":
        return np.unique(table.target, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return np.asarray(table.target.argmax(axis=1).astype(np.int64))


def _donors(code: Int64[np.ndarray, "row"], rng: np.random.Generator) -> Int64[np.ndarray, "row"]:
    """For each row a random one with another label, each such row equally likely; itself where there is none.

    Rows stand sorted by label, so those of other labels are the ones outside a block.
    """
    order = np.argsort(code, kind="stable")
    ranked = code[order]
    first, last = np.searchsorted(ranked, code), np.searchsorted(ranked, code, side="right")
    others = len(code) - (last - first)
    pick = rng.integers(0, np.maximum(others, 1))
    chosen = order[np.where(pick < first, pick, np.minimum(pick + last - first, len(code) - 1))]
    return np.asarray(np.where(others > 0, chosen, np.arange(len(code))))


# ---------------------------------------------------------------- tables


def _named(table: FeatureTable, views: Sequence[str] | None) -> tuple[str, ...]:
    if unknown := [name for name in views or () if name not in table.views]:
        raise ConfigError(f"{table.name} has no view {some(unknown)}; choose from {', '.join(table.views)}")
    return tuple(table.views if views is None else views)


def _each(table: FeatureTable, names: tuple[str, ...], change: Callable[[str, View], View]) -> FeatureTable:
    return replace(
        table, views={name: change(name, view) if name in names else view for name, view in table.views.items()}
    )
