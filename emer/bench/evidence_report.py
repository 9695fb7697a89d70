"""The report of `emer bench evidence`: tables as Markdown, and one page that needs no network.

Every figure is mean ± standard deviation over seeds. **Bold** is the best mean of a column. In the columns with a
paired bootstrap (AURC, accuracy or F1, NLL, Brier) `≈` marks what is not shown to be worse than the best.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from emer.bench.comparison import Measure, Spread
from emer.bench.sections import Claim, Section, Table
from emer.errors import ConfigError

LEGEND = (
    "Mean ± standard deviation over seeds. Bold: best mean. ≈: not shown worse than the best "
    "(paired bootstrap, 95 %, over speakers where they are known, else over rows)."
)
MIME = {".png": "image/png", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Column:
    heading: str
    figure: str
    """Its name among `emer.bench.scoring.figures`."""
    better: int
    """1 larger, -1 smaller, 0 neither (a floor, a coverage): nothing is bold then."""
    measure: Measure | None = None
    """By which methods are compared here."""
    decimals: int = 3


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    best: bool = False
    near: bool = False
    """Not shown worse than the best."""


@dataclass(frozen=True, slots=True)
class Grid:
    """One table as it is shown; the first column holds the names of the methods."""

    caption: str
    headings: tuple[str, ...]
    lines: tuple[tuple[Cell, ...], ...]


INSIDE = "inside"
"""The one figure that is a count of seeds and no mean."""

QUALITY = {
    "dirichlet": (
        Column("accuracy", "accuracy", 1, "accuracy"),
        Column("UAR", "uar", 1),
        Column("weighted F1", "weighted_f1", 1),
    ),
    "beta": (
        Column("sample F1", "sets.sample_f1", 1, "accuracy"),
        Column("Jaccard", "sets.jaccard", 1),
        Column("micro P", "sets.micro.precision", 1),
        Column("micro R", "sets.micro.recall", 1),
        Column("micro F1", "sets.micro.f1", 1),
        Column("macro P", "sets.macro.precision", 1),
        Column("macro R", "sets.macro.recall", 1),
        Column("macro F1", "sets.macro.f1", 1),
    ),
}
SELECTIVE = (
    Column("AURC", "aurc", -1, "aurc", 4),
    Column("E-AURC", "e_aurc", -1, decimals=4),
    Column("AUROC", "auroc", 1),
    Column("AUROC of 1−u", "certainty_auroc", 1),
    Column("mean u", "uncertainty", 0),
    Column("mean conflict", "conflict", 0),
)
CALIBRATED = (
    Column("ECE", "ece", -1),
    Column("band up to", "ece_band", 0),
    Column("seeds inside", INSIDE, 0),
    Column("debiased ECE", "debiased_ece", -1),
    Column("ECE raw", "ece_raw", -1),
    Column("NLL", "nll", -1, "nll", 4),
    Column("NLL raw", "nll_raw", -1),
    Column("Brier", "brier", -1, "brier", 4),
    Column("Brier raw", "brier_raw", -1),
    Column("total variation", "total_variation", -1),
)
TRUSTED = (
    Column("precision", "trusted.precision", 1),
    Column("recall", "trusted.recall", 1),
    Column("F1", "trusted.f1", 1),
    Column("floor", "trusted.floor", 0),
    Column("gain", "trusted.gain", 1, decimals=4),
    Column("accuracy", "trusted.accuracy", 1),
    Column("coverage", "trusted.coverage", 0),
    Column("at target risk: precision", "at_risk.precision", 0),
    Column("recall there", "at_risk.recall", 1),
    Column("F1 there", "at_risk.f1", 0),
    Column("coverage there", "at_risk.coverage", 1),
    Column("oracle F1", "oracle.f1", 1),
)


# ---------------------------------------------------------------- tables


def grids(table: Table) -> tuple[Grid, ...]:
    """The four tables of one set of rows: right or wrong, selective, calibration, trusted."""
    right = "Right or wrong" if table.kind == "dirichlet" else "Label sets"
    claims = "" if table.kind == "dirichlet" else " of the labels given"
    at_risk = "" if table.target_risk is None else f"; target risk: at most {table.target_risk:.0%} wrong"
    named = (
        (right, QUALITY[table.kind]),
        ("Selective prediction, uncertainty and conflict", SELECTIVE),
        ("Calibration (15 bins of equal mass)", CALIBRATED),
        (f"Trusted scores{claims}, thresholds from calibration rows{at_risk} (the oracle knows the answers)", TRUSTED),
    )
    return tuple(grid(table, columns, caption) for caption, columns in named)


def grid(table: Table, columns: Sequence[Column], caption: str) -> Grid:
    """One table; columns that no method has are left out."""
    kept = [column for column in columns if any(column.figure in told for told in table.spreads.values())]
    best = {column: _best(table, column) for column in kept}
    lines = tuple(
        (Cell(name), *(_cell(table, name, column, best[column]) for column in kept)) for name in table.spreads
    )
    return Grid(caption, ("method", *(column.heading for column in kept)), lines)


def _cell(table: Table, name: str, column: Column, best: frozenset[str]) -> Cell:
    found = table.spreads[name].get(column.figure)
    if found is None:
        return Cell("–")
    if column.figure == INSIDE:
        return Cell(f"{round(found.mean * found.seeds)} of {found.seeds}")
    beside = table.beside_best.get(column.measure, {}).get(name) if column.measure else None
    near = beside is not None and beside.finding != "worse"
    return Cell(shown(found, column.decimals), name in best, near and name not in best)


def _best(table: Table, column: Column) -> frozenset[str]:
    """Every method whose mean looks like the best one's, so that equal figures are equally bold."""
    if not column.better:
        return frozenset()
    means = {
        name: round(told[column.figure].mean, column.decimals)
        for name, told in table.spreads.items()
        if column.figure in told
    }
    top = max(means.values(), key=lambda mean: column.better * mean)
    return frozenset(name for name, mean in means.items() if mean == top)


def shown(found: Spread, decimals: int = 3) -> str:
    """Mean and standard deviation, without the 0 before the point.

    >>> shown(Spread(0.8176, 0.0021, 5)), shown(Spread(-0.5, None, 1), 2)
    ('.818 ± .002', '-.50')
    """
    mean = _short(found.mean, decimals)
    return mean if found.sd is None else f"{mean} ± {_short(found.sd, decimals)}"


def _short(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def counts(table: Table) -> str:
    """How much stands behind a table.

    Rows, speakers and seeds: every figure is only as good as these.
    """
    who = f" of {table.speakers} speakers" if table.speakers is not None else " (speakers unknown: rows are resampled)"
    return f"n = {table.n:,} clips{who}; {table.seeds} {'seed' if table.seeds == 1 else 'seeds'}"


# ---------------------------------------------------------------- Markdown


def markdown(
    sections: Sequence[Section],
    *,
    title: str | None = None,
    level: int = 2,
    extras: Sequence[Sequence[Grid]] | None = None,
) -> str:
    """The whole report, or parts of benchmarks/README.md; headings start at `level`. `extras`: more tables for each."""
    heading = [f"{'#' * (level - 1)} {title}", ""] if title else []
    more = extras or [()] * len(sections)
    told = (markdown_section(each, level=level, extras=grids) for each, grids in zip(sections, more, strict=True))
    return "\n".join([*heading, LEGEND, "", *told])


def markdown_section(section: Section, *, level: int = 2, extras: Sequence[Grid] = ()) -> str:
    """One data set: what was to be shown, tables, pictures."""
    parts = [f"{'#' * level} {section.title}", "", f"{counts(section.table)}. {section.note}".strip(), ""]
    if section.claims:
        parts += [*(f"* **{verdict(claim)}** {claim.text}. {claim.figures}." for claim in section.claims), ""]
    parts += [_markdown_grid(each) for each in grids(section.table)]
    if section.disagree is not None:
        parts += [f"{'#' * (level + 1)} Where voice and face disagree", "", f"{counts(section.disagree)}.", ""]
        parts += [_markdown_grid(each) for each in grids(section.disagree)]
    parts += [_markdown_grid(each) for each in extras]
    parts += [f"![{picture.about}]({picture.path})\n" for picture in section.pictures]
    return "\n".join(parts)


def verdict(claim: Claim) -> str:
    return "Held." if claim.held else "Missed."


def _markdown_grid(grid: Grid) -> str:
    lines = [f"{grid.caption}:", "", _line(grid.headings), _line(["---", *["---:"] * (len(grid.headings) - 1)])]
    lines += [_line([_markdown_cell(cell) for cell in line]) for line in grid.lines]
    return "\n".join([*lines, ""])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cell(cell: Cell) -> str:
    text = cell.text.replace("|", "\\|")
    return f"**{text}**" if cell.best else f"{text} ≈" if cell.near else text


# ---------------------------------------------------------------- page


def page(
    sections: Sequence[Section],
    *,
    title: str,
    about: str = "",
    folder: str | Path = ".",
    extras: Sequence[Sequence[Grid]] | None = None,
) -> str:
    """The report as one HTML page; `folder` is where the paths of its pictures begin. Raises ConfigError.

    `extras`: more tables for each section.
    """
    style = _file("evidence.css")
    shown_sections = [
        {
            "section": each,
            "parts": [("", each.table), *([("Where voice and face disagree", each.disagree)] if each.disagree else [])],
            "extras": more,
            "pictures": [(picture.about, _embedded(Path(folder) / picture.path)) for picture in each.pictures],
        }
        for each, more in zip(sections, extras or [()] * len(sections), strict=True)
    ]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    names = {
        "title": title,
        "about": about,
        "legend": LEGEND,
        "sections": shown_sections,
        "style": Markup(style),
        "policy": f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'none'",
        "grids": grids,
        "counts": counts,
        "verdict": verdict,
    }
    return _environment().from_string(_file("evidence.html.j2")).render(names)


def _embedded(path: Path) -> str:
    """The picture as a data URI."""
    if path.suffix.lower() not in MIME or not path.is_file():
        raise ConfigError(f"{path} is no picture that is there; give a .png or .svg that was drawn")
    return f"data:{MIME[path.suffix.lower()]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _file(name: str) -> str:
    return files("emer.bench").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
