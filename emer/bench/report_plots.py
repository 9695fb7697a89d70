"""Pictures of a benchmark run: is confidence what it says, and does leaving out the doubtful clips help?

reliability   share right (or mean score of the label set) against confidence, a panel a system, a point a bin;
              the grey band holds 95 % of what perfect calibration shows in a bin of that size
risk          mean risk of the most confident clips as more of them are answered, a line a system
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binom

from emer.bench.plots import COLOURS, GREY, figure_file
from emer.bench.report_clips import Judged
from emer.bench.report_grids import Drawing
from emer.bench.scoring import BINS
from emer.metrics.calibration_error import reliability
from emer.metrics.selective import risk_coverage

FEWEST = 20
"""Clips with a confidence below which a curve shows nothing but chance."""


def drawings(systems: Mapping[str, Judged], folder: Path, stem: str) -> tuple[Drawing, ...]:
    """Both pictures of the systems that state a confidence on at least `FEWEST` clips; none where no system does.

    Files are written below `folder/plots`.
    """
    shown = {name: judged.sure for name, judged in systems.items() if len(judged.sure.confidence) >= FEWEST}
    if not shown:
        return ()
    paths = [f"plots/{stem}.{what}.svg" for what in ("reliability", "risk")]
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    draw_reliability(shown, folder / paths[0])
    draw_risk(shown, folder / paths[1])
    right = next(iter(shown.values())).right_means
    return (
        Drawing(
            paths[0], f"Reliability: {right} against stated confidence. Grey: 95 % of what perfect calibration shows."
        ),
        Drawing(paths[1], "Risk and coverage: the risk of the most confident clips as more are answered."),
    )


def draw_reliability(systems: Mapping[str, Judged], path: Path) -> None:
    """A panel a system."""
    columns = min(3, len(systems))
    lines = -(-len(systems) // columns)
    with figure_file(path, (2.3 * columns + 0.5, 2.3 * lines + 0.6), _counts(systems)) as figure:
        panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for panel, (name, judged) in zip(panels, systems.items(), strict=False):
            _reliability_panel(panel, name, judged)
        for panel in panels[len(systems) :]:
            panel.set_axis_off()
        figure.supxlabel("stated confidence", fontsize=9)
        figure.supylabel(next(iter(systems.values())).right_means, fontsize=9)


def draw_risk(systems: Mapping[str, Judged], path: Path) -> None:
    """A line a system; the first few clips, which are all right or not, do not stretch the axis."""
    with figure_file(path, (5.4, 3.6), _counts(systems)) as figure:
        panel, top = figure.subplots(), 0.0
        for place, (name, judged) in enumerate(systems.items()):
            curve = risk_coverage(judged.confidence, judged.risk)
            colour = COLOURS[place] if place < len(COLOURS) else GREY
            panel.plot(
                curve.coverage, curve.risk, color=colour, linewidth=1.3, label=f"{name}  {curve.risk.mean():.3f}"
            )
            panel.plot(1, curve.risk[-1], "o", color=colour, markersize=3.5, clip_on=False)
            top = max(top, float(curve.risk[len(curve.risk) // 20 :].max()))
        panel.set(xlim=(0, 1), ylim=(0, max(0.05, 1.08 * top)), xlabel="coverage: share of clips answered")
        panel.set_ylabel(next(iter(systems.values())).risk_means)
        panel.legend(title="system  area (AURC)", fontsize=8, title_fontsize=8, alignment="left", loc="best")


def _reliability_panel(panel: Any, name: str, judged: Judged) -> None:
    n = len(judged.confidence)
    bins = max(2, min(BINS, n // 10))
    grid, size = np.linspace(0, 1, 101), max(1, n // bins)
    low, high = (binom.ppf(q, size, grid) / size for q in (0.025, 0.975))
    panel.fill_between(grid, low, high, color="#dddddd", linewidth=0)
    panel.plot([0, 1], [0, 1], color="#888888", linewidth=0.7)
    points = reliability(judged.confidence, 1 - judged.risk, bins=bins)
    panel.plot(
        points.confidence,
        points.right,
        "o",
        color=COLOURS[1],
        markersize=4,
        alpha=0.8,
        markeredgewidth=0,
        clip_on=False,
    )
    panel.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    panel.set_title(name if len(name) <= 28 else f"{name[:27]}…")


def _counts(systems: Mapping[str, Judged]) -> str:
    """How many clips stand behind each system."""
    return "Clips with a confidence: " + ", ".join(f"{name} {len(j.confidence):,}" for name, j in systems.items()) + "."
