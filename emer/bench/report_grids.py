"""Tables and sections of a report as data, and as Markdown; the page shows the same data (`report_page`)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["here", "published", "floor", "plain"]
"""Whose line it is: a system of this run, a number of the field, what a constant answer gets, or none of them."""


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    href: str | None = None
    """A file below the run folder."""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    cells: tuple[Cell, ...]
    kind: Kind = "plain"


@dataclass(frozen=True, slots=True)
class Grid:
    """One table; the first cell of a line names it."""

    caption: str
    headings: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture file below the run folder."""

    path: str
    about: str


@dataclass(frozen=True, slots=True)
class Part:
    """One heading of a section with what stands below it; parts without tables, words and pictures are left out."""

    heading: str
    words: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
    drawings: tuple[Drawing, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.words or self.grids or self.drawings)


@dataclass(frozen=True, slots=True)
class Section:
    """What is told of one data set, or of all of them."""

    title: str
    facts: tuple[tuple[str, str], ...]
    """What a reader must know of the data: name and words."""
    parts: tuple[Part, ...]


def line(texts: Iterable[str | Cell], kind: Kind = "plain") -> Line:
    """A line of plain texts and ready cells."""
    return Line(tuple(text if isinstance(text, Cell) else Cell(text) for text in texts), kind)


# ---------------------------------------------------------------- numbers


def percent(value: float | None, digits: int = 2) -> str:
    """A fraction as the field prints it.

    >>> percent(0.62522881), percent(None), percent(-0.0123, 1)
    ('62.52', '–', '-1.2')
    """
    return "–" if value is None else f"{100 * value:.{digits}f}"


def percents(interval: tuple[float, float] | None) -> str:
    """An interval of fractions.

    >>> percents((0.6021, 0.6478)), percents(None)
    ('[60.2, 64.8]', '–')
    """
    return "–" if interval is None else f"[{percent(interval[0], 1)}, {percent(interval[1], 1)}]"


def plural(n: int, one: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> plural(1, "clip"), plural(1200, "clip")
    ('1 clip', '1,200 clips')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def short(text: str, most: int = 200) -> str:
    """The beginning of a text: a label or a reason may be a book.

    >>> short("a label", 4), short("fine")
    ('a la…', 'fine')
    """
    return text if len(text) <= most else f"{text[:most]}…"


# ---------------------------------------------------------------- Markdown


def markdown(title: str, about: Sequence[str], sections: Sequence[Section]) -> str:
    """The whole report."""
    heading = [f"# {plain(title)}", "", *(f"{plain(words)}\n" for words in about)]
    return "\n".join([*heading, *(markdown_section(section) for section in sections)])


def markdown_section(section: Section) -> str:
    facts = [f"* {name}: {plain(words)}" for name, words in section.facts]
    parts = [text for part in section.parts if not part.empty for text in _markdown_part(part)]
    return "\n".join([f"## {plain(section.title)}", "", *facts, "", *parts])


def _markdown_part(part: Part) -> list[str]:
    words = [f"{plain(words)}\n" for words in part.words]
    drawings = [f"![{plain(each.about)}]({each.path})\n" for each in part.drawings]
    return [f"### {part.heading}", "", *words, *(markdown_grid(grid) for grid in part.grids), *drawings]


def markdown_grid(grid: Grid) -> str:
    """One table with its caption.

    >>> print(markdown_grid(Grid("Scores", ("system", "F"), (line(["emer", Cell("62.5", strong=True)]),))))
    Scores:
    <BLANKLINE>
    | system | F |
    | --- | ---: |
    | emer | **62.5** |
    <BLANKLINE>
    """
    rules = ["---", *["---:"] * (len(grid.headings) - 1)]
    lines = [_row(grid.headings), _row(rules), *(_row([_shown(c) for c in each.cells]) for each in grid.lines)]
    return "\n".join([f"{plain(grid.caption)}:", "", *lines, ""])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(cell: Cell) -> str:
    text = plain(cell.text)
    linked = f"[{text}]({cell.href.replace(' ', '%20').replace(')', '%29')})" if cell.href else text
    return f"**{linked}**" if cell.strong else linked


def plain(text: str) -> str:
    """Text in which nothing is Markdown or HTML: names and reasons come from files that nobody vouches for.

    >>> plain("a|b <i>*c*</i>")
    'a\\\\|b &lt;i>\\\\*c\\\\*&lt;/i>'
    """
    one_line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{mark}" if mark in "\\`*_[]|" else mark for mark in one_line)
