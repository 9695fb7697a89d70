"""Pictures of a benchmark: calibration, selective prediction, corruption, missing views, other data.

Each function writes one file, whole or not at all; its ending (.png, .svg) says how. Few methods are drawn in colour
(`shown`, by default the first seven), the others in grey: thirteen colours cannot be told apart. The palette is that
of Okabe & Ito 2008, which people with any colour vision can read; markers differ as well.

matplotlib is loaded when the first picture is drawn, without a display.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Real
from scipy.stats import binom

from emer.bench.answers import Answers
from emer.bench.scoring import BINS, Scores
from emer.errors import ConfigError, MissingExtra
from emer.files import replacing
from emer.metrics.calibration_error import reliability
from emer.metrics.selective import risk_coverage

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#b5b5b5"
MOST_POINTS = 300
"""Points of a curve that are drawn: more cannot be seen."""
PERFECT = "Grey: 95 % of what perfect calibration shows in a bin."
TICKS = "A dot a seed; the line is {whole}."
STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "#555555",
    "axes.labelcolor": "#222222",
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "svg.hashsalt": "emer",
    "svg.fonttype": "none",
}

ByMethod = Mapping[str, Sequence[Answers]]
"""Answers of each method, one a seed."""


def reliability_diagrams(methods: ByMethod, path: str | Path, *, note: str = "") -> None:
    """Share right against confidence, a panel a method, a point a bin and seed; grey: what perfect calibration shows.

    The band holds 95 % of what a bin of that size shows when each row is right as often as it says.
    """
    columns = min(4, len(methods))
    lines = -(-len(methods) // columns)
    with figure_file(path, (2.2 * columns + 0.4, 2.25 * lines + 0.75), _told(methods, f"{PERFECT} {note}")) as figure:
        panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for panel, (name, seeds) in zip(panels, methods.items(), strict=False):
            _reliability_panel(panel, name, seeds)
        for panel in panels[len(methods) :]:
            panel.set_axis_off()
        some = next(iter(methods.values()))[0]
        right = "share of people who chose it" if some.votes else "share right"
        figure.supxlabel("stated probability" if _sets(methods) else "confidence", fontsize=9)
        figure.supylabel("share that holds" if _sets(methods) else right, fontsize=9)


def risk_coverage_curves(
    methods: ByMethod, path: str | Path, *, shown: Sequence[str] | None = None, note: str = ""
) -> None:
    """Risk of the most confident rows as more of them are answered; the mean over seeds, with its area (AURC)."""
    with figure_file(path, (6.6, 4.2), _told(methods, note)) as figure:
        panel = figure.subplots()
        for name, look in _looks(methods, shown):
            curves = [risk_coverage(each.confidence, each.risk) for each in methods[name]]
            risk = np.mean([curve.risk for curve in curves], axis=0)
            keep = np.unique(np.linspace(0, len(risk) - 1, MOST_POINTS).astype(int))
            label = f"{name}  {risk.mean():.4f}" if look["zorder"] > 1 else None
            panel.plot(curves[0].coverage[keep], risk[keep], label=label, **(look | {"marker": None}))
        panel.set(xlim=(0, 1), xlabel="coverage: share of clips answered, the most confident first")
        panel.set_ylabel("risk: 1 − F1 of the label set" if _sets(methods) else "risk: share wrong")
        # The first few rows are either all right or not: the axis is for what follows them.
        tail = [risk_coverage(s[0].confidence, s[0].risk).risk[len(s[0].rows) // 50 :] for s in methods.values()]
        panel.set_ylim(0, 1.08 * max(float(part.max()) for part in tail))
        _legend(panel, "AURC", grey=len(methods) > len(panel.get_legend_handles_labels()[0]))


def corruption_curves(
    levels: Sequence[float],
    methods: Mapping[str, Sequence[Sequence[Scores]]],
    path: str | Path,
    *,
    axis: str,
    shown: Sequence[str] | None = None,
    note: str = "",
) -> None:
    """Accuracy (label sets: sample F1), mean u and mean conflict against the level of a corruption.

    `methods[name][level]` holds the scores of each seed; the mean is drawn. `axis` says what a level is.
    """
    for name, by_level in methods.items():
        if len(by_level) != len(levels):
            raise ConfigError(f"{name} has scores at {len(by_level)} levels instead of {len(levels)}; give all")
    some = next(iter(methods.values()))[0]
    right = "accuracy" if some[0].sets is None else "sample F1"
    with figure_file(path, (8.6, 3.5), _counted(some, note)) as figure:
        panels = figure.subplots(1, 3)
        for panel, what in zip(panels, (right, "uncertainty", "conflict"), strict=True):
            for name, look in _looks(methods, shown):
                means = [_mean([_figure_of(scores, what) for scores in seeds]) for seeds in methods[name]]
                panel.plot(levels, means, label=name if look["zorder"] > 1 else None, **look)
            panel.set_title(what if what == right else f"mean {'u' if what == 'uncertainty' else what}")
            # Whole axes: a rise from .3981 to .3985 must look like none.
            panel.set_ylim(0, 1.02 if what != "conflict" else max(0.2, 1.05 * panel.get_ylim()[1]))
            panel.set_xlabel(axis)
        if len(methods) > len(panels[0].get_legend_handles_labels()[0]):
            panels[0].plot([], [], color=GREY, linewidth=0.8, label="other methods")
        handles = panels[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside upper center", ncols=min(4, max(1, len(handles[0]))), fontsize=8)


def missing_views(
    methods: Mapping[str, Mapping[str, Sequence[Scores]]],
    path: str | Path,
    *,
    whole: str = "all views",
    note: str = "",
) -> None:
    """Accuracy (label sets: sample F1) with views taken out: a panel a condition, a bar a method, a dot a seed.

    `methods[name][condition]` holds the scores of each seed; a condition is the name of the view that is missing, or
    `whole`, the accuracy of which is the line on each bar.
    """
    conditions = list(next(iter(methods.values())))
    some = next(iter(next(iter(methods.values())).values()))
    right = "accuracy" if some[0].sets is None else "sample F1"
    names = list(methods)[::-1]
    with figure_file(
        path,
        (1.6 + 1.9 * len(conditions), 1.3 + 0.24 * len(names)),
        _counted(some, f"{TICKS.format(whole=whole)} {note}"),
    ) as figure:
        panels = figure.subplots(1, len(conditions), sharey=True, sharex=True, squeeze=False)[0]
        for panel, condition in zip(panels, conditions, strict=True):
            for place, name in enumerate(names):
                values = [_figure_of(scores, right) for scores in methods[name][condition]]
                panel.barh(place, _mean(values), height=0.62, color="#cfd8dc", edgecolor="none")
                panel.plot(values, [place] * len(values), "o", color=COLOURS[1], markersize=2.6)
                if condition != whole and whole in methods[name]:
                    before = _mean([_figure_of(scores, right) for scores in methods[name][whole]])
                    panel.plot([before, before], [place - 0.36, place + 0.36], color="#333333", linewidth=1.1)
            panel.set_title(condition if condition == whole else f"without {condition}")
            panel.set(xlim=(0, 1), xlabel=right, xticks=(0, 0.5, 1))
            panel.set_yticks(range(len(names)), names)
            panel.tick_params(axis="y", length=0)


def out_of_domain(
    methods: Mapping[str, Mapping[str, Real[np.ndarray, "_"]]],
    path: str | Path,
    *,
    axis: str = "calibrated confidence",
    note: str = "",
) -> None:
    """How confident a method is on known and on foreign clips: a line a method, a histogram a source.

    `methods[name][source]` holds one number in [0, 1] a prediction, the known source first; its median is drawn in all.
    """
    sources = list(next(iter(methods.values())))
    counts = ", ".join(f"{source} {len(next(iter(methods.values()))[source]):,}" for source in sources)
    size = (1.4 + 2.1 * len(sources), 0.95 + 0.8 * len(methods))
    with figure_file(path, size, f"Predictions: {counts}. Dashed: median of the known. {note}".strip()) as figure:
        panels = figure.subplots(len(methods), len(sources), sharex=True, sharey="row", squeeze=False)
        for line, (name, told) in zip(panels, methods.items(), strict=True):
            known = float(np.median(told[sources[0]]))
            for column, source in enumerate(sources):
                _histogram(line[column], told[source], known, COLOURS[1 if column == 0 else 2])
            line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for column, source in enumerate(sources):
            panels[0][column].set_title(source)
        figure.supxlabel(axis, fontsize=9)


def _histogram(panel: Any, values: Real[np.ndarray, "_"], known: float, colour: str) -> None:
    panel.hist(values, bins=20, range=(0, 1), weights=np.full(len(values), 1 / len(values)), color=colour)
    panel.axvline(known, color="#333333", linewidth=0.8, linestyle=(0, (3, 2)))
    panel.set(yticks=[], xticks=(0, 0.5, 1))
    panel.spines["left"].set_visible(False)


# ---------------------------------------------------------------- parts


def _reliability_panel(panel: Any, name: str, seeds: Sequence[Answers]) -> None:
    claims = len(seeds[0].pairs[0])
    size, grid = max(1, claims // BINS), np.linspace(0, 1, 101)
    low, high = (binom.ppf(q, size, grid) / size for q in (0.025, 0.975))
    panel.fill_between(grid, low, high, color="#dddddd", linewidth=0)
    panel.plot([0, 1], [0, 1], color="#888888", linewidth=0.7)
    for each in seeds:
        bins = reliability(*each.pairs, bins=BINS)
        panel.plot(bins.confidence, bins.right, "o", color=COLOURS[1], markersize=3, alpha=0.65, markeredgewidth=0)
    panel.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    panel.set_title(name)


def _looks(methods: Mapping[str, object], shown: Sequence[str] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Grey methods first, so that coloured ones lie above them."""
    coloured = [name for name in (shown or list(methods)) if name in methods][: len(COLOURS)]
    for name in methods:
        if name not in coloured:
            yield name, {"color": GREY, "linewidth": 0.8, "zorder": 1}
    for name, colour, marker in zip(coloured, COLOURS, cycle(MARKERS), strict=False):
        yield name, {"color": colour, "marker": marker, "markersize": 3.5, "linewidth": 1.3, "zorder": 2}


def _legend(panel: Any, title: str, *, grey: bool) -> None:
    if grey:
        panel.plot([], [], color=GREY, linewidth=0.8, label="other methods")
    panel.legend(title=f"method  {title}", loc="upper left", fontsize=8, title_fontsize=8, alignment="left")


def _figure_of(scores: Scores, what: str) -> float:
    if what == "sample F1":
        return float("nan") if scores.sets is None else scores.sets.sample_f1
    value = getattr(scores, what)
    return float("nan") if value is None else float(value)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _sets(methods: ByMethod) -> bool:
    return next(iter(methods.values()))[0].kind == "beta"


def _told(methods: ByMethod, note: str) -> str:
    """What a reader must know of the rows: how many, of how many speakers, from how many seeds."""
    first = next(iter(methods.values()))
    speakers = None if first[0].speakers is None else len(set(first[0].speakers))
    return _caption(len(first[0].rows), speakers, len(first), note)


def _counted(seeds: Sequence[Scores], note: str) -> str:
    return _caption(seeds[0].n, seeds[0].speakers, len(seeds), note)


def _caption(n: int, speakers: int | None, seeds: int, note: str) -> str:
    who = f" of {speakers} speakers" if speakers else ""
    return f"n = {n:,} test clips{who}; {seeds} {'seed' if seeds == 1 else 'seeds'}. {note}".strip()


@contextmanager
def figure_file(path: str | Path, inches: tuple[float, float], caption: str) -> Iterator[Any]:
    """A figure that is written when the block ends. Raises MissingExtra, ConfigError (ending), OutputError."""
    ending = Path(path).suffix.lower().lstrip(".")
    if ending not in ("png", "svg"):
        raise ConfigError(f"{path} has no ending of a picture; give .png or .svg")
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"plots need {error.name}, which is not installed; install it with: pip install 'emer[plots]'"
        ) from error
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=inches, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        figure.text(0.01, -0.01, caption, fontsize=7.5, color="#555555", ha="left", va="top", wrap=False)
        metadata: dict[str, Any] = {"Date": None} if ending == "svg" else {"Software": None}
        with replacing(path) as draft:
            figure.savefig(draft, format=ending, dpi=140, bbox_inches="tight", pad_inches=0.08, metadata=metadata)
