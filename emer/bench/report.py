"""`emer bench report`: what a run folder shows, as results.json, report.md and report.html.

    report("runs/unibench")

The page stands alone: no network, no script; pictures are inside it. Only the pages of single clips (`worst/`) lie
beside it. Nothing is computed here that the parts do not compute; the order of the work is the order of the page.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emer.bench.environment import environment
from emer.bench.published import published
from emer.bench.report_grids import Section, markdown
from emer.bench.report_likeness import unlike
from emer.bench.report_page import page
from emer.bench.report_plots import drawings
from emer.bench.report_run import Run, read_run_folder
from emer.bench.report_scores import DataScores, SystemScores, scored
from emer.bench.report_sections import section
from emer.bench.report_summary import summary
from emer.bench.report_worst import worst
from emer.files import write_text
from emer.jsonio import dumps

TITLE = "Benchmark run"


def report(folder: str | Path, *, most_worst: int | None = None) -> list[Path]:
    """Write results.json, report.md and report.html into a run folder, and the pages of its worst clips.

    `most_worst` clips a data set and system get a page (None: as the configuration says).
    Raises ConfigError where the folder holds no run, or no answers yet.
    """
    run = read_run_folder(folder)
    found = scored(run)
    most = run.config.reports.worst if most_worst is None else most_worst
    sections = [*summary(found, run.absent), *(_section(run, each, most) for each in found)]
    about = _about(run)
    paths = [run.folder / name for name in ("results.json", "report.md", "report.html")]
    write_text(paths[0], json.dumps(json.loads(dumps(results(run, found))), indent=1) + "\n")
    write_text(paths[1], markdown(TITLE, about, sections))
    write_text(paths[2], page(TITLE, about, sections, run.folder))
    return paths


def _section(run: Run, found: DataScores, most: int) -> Section:
    pictures = drawings({system.name: system.judged for system in found.systems}, run.folder, found.data.name)
    return section(found, pictures, worst(run, found, most))


def _about(run: Run) -> list[str]:
    systems = ", ".join(f"{system.name} ({system.engine})" for system in run.config.systems)
    interval = (
        f"Intervals: 95 %, {run.config.bootstrap:,} resamples of speakers where gold names them, else of clips."
        if run.config.bootstrap
        else "No intervals were asked for."
    )
    return [
        f"Made by {run.command or 'emer bench run'}.",
        f"Systems: {systems}. Seed {run.config.seed}. {interval}",
        f"Emotion tables: {run.config.wheels or 'those of emer'}.",
        "Each system run here is one configuration for all data sets. Published rows say which checkpoint they took.",
    ]


# ---------------------------------------------------------------- results.json


def results(run: Run, found: Sequence[DataScores]) -> dict[str, Any]:
    """Every number of the report, for programs."""
    return {
        "command": run.command,
        "seed": run.config.seed,
        "bootstrap": run.config.bootstrap,
        "wheels": run.config.wheels,
        "environment": environment(),
        "not_run": dict(run.absent),
        "data": {each.data.name: _data(each) for each in found},
    }


def _data(found: DataScores) -> dict[str, Any]:
    return {
        "record": asdict(found.data.record),
        "metric": found.data.metric,
        "systems": {system.name: _system(system) for system in found.systems},
        "differences": [
            {"first": gap.first, "second": gap.second, "difference": gap.score.score, "interval": gap.score.interval}
            for gap in found.gaps
        ],
        "published": [asdict(row) for row in published(found.data.name)],
        "unlike_published": unlike(found),
        "seen_before": {name: asdict(met) for name, met in found.data.seen.items()},
    }


def _system(system: SystemScores) -> dict[str, Any]:
    return {
        "engine": system.engine,
        "scores": {name: asdict(score) for name, score in system.scores.items()},
        "refused": dict(system.refused),
        "trusted": asdict(system.trust),
        "selective": None if system.selective is None else asdict(system.selective),
        "calibration": None if system.calibration is None else asdict(system.calibration),
        "explanations": {score.metric: asdict(score) for score in system.explanations},
        "claims": None if system.claims is None else asdict(system.claims),
        "failures": {kind: n for kind, (n, _) in system.failures.items()},
        "n_asked": len(system.truths),
        "n_answered": system.n_answered,
        "n_out_of_domain": system.n_out_of_domain,
    }
