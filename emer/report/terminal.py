"""An explanation as text for a terminal, a pipe or a log: at most 80 columns, no frames, colour only where it shows."""

import io
import re
import shutil
import sys
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from emer.report.beliefs import Bar, bars, mean_uncertainty
from emer.report.sentences import grounding_line, named_clues
from emer.report.wording import (
    CITATION,
    RESPONSIBLE_USE,
    confidence_line,
    conflict_line,
    fused_note,
    label_list,
    prose,
    seconds,
    trust_line,
    view_note,
    view_title,
)
from emer.types import Clue, Explanation, Opinion

COLOURS = {"audio": "blue", "visual": "magenta", "text": "green"}
BAR_WIDTH = 20
MOST_CLUES = 40
"""Above this, the clues that the explanation cites come first and the rest are counted."""

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters: a transcript must not move the cursor, recolour the screen or turn the text around."""

PLAIN = str.maketrans(
    {"█": "#", "░": ".", "–": "-", "—": "-", "·": "|", "…": ".", "“": '"', "”": '"', "‘": "'", "’": "'", "→": ">"}
)
"""What stands for these characters where the output cannot show them; each has the same width."""


@runtime_checkable
class Sink(Protocol):
    """What text is written to: a terminal, a pipe, a file, a buffer in memory."""

    def write(self, text: str, /) -> object: ...

    def isatty(self) -> bool: ...


def show(explanation: Explanation, file: Sink | None = None, width: int = 80) -> None:
    """Print to `file` (default: standard output). No character is beyond column `width`, or the terminal's own."""
    out: Sink | None = sys.stdout if file is None else file
    if out is None:  # standard output was closed (`>&-`): print() is silent then, and so is this
        return
    is_terminal = out.isatty()
    columns = min(width, shutil.get_terminal_size().columns) if is_terminal else width
    page = io.StringIO()
    console = Console(file=page, width=columns, force_terminal=is_terminal, highlight=False, emoji=False, markup=False)
    for part in _parts(explanation):
        console.print(part)
    lines = (line.rstrip() for line in page.getvalue().splitlines())
    out.write(_showable("\n".join(lines) + "\n", getattr(out, "encoding", None)))


def _showable(text: str, encoding: str | None) -> str:
    """The text as the file's encoding can hold it: an ASCII locale gets ASCII, never an error."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return text.translate(PLAIN).encode(encoding or "ascii", "replace").decode(encoding or "ascii")
    return text


def _safe(text: str) -> str:
    return UNSAFE.sub("\ufffd", " ".join(text.split()))


def _parts(explanation: Explanation) -> Iterator[RenderableType]:
    """The page from top to bottom, an empty line between its parts."""
    yield _head(explanation)
    yield Text()
    yield _prose(prose(explanation))
    if explanation.statements and explanation.provenance.engine != "composer":  # which writes what was measured
        yield Text(f"\n{grounding_line(explanation)}", style="dim")
    yield from _section("Views: belief, then uncertainty (u); a hint comes from rules, untrained", _views(explanation))
    if explanation.clues:
        yield from _section("Clues", _clues(explanation))
    if explanation.segments:
        yield from _section("Over the clip", _segments(explanation.segments))
    notes = [("note", notice.text) for notice in explanation.warnings]
    notes += [("failed", f"{failure.extractor}: {failure.reason}") for failure in explanation.failed]
    if notes:
        yield from _section("Before you believe this", *(Text(f"{kind}: {_safe(text)}") for kind, text in notes))
    yield Text()
    yield Text(RESPONSIBLE_USE, style="dim")


def _section(title: str, *content: RenderableType) -> Iterator[RenderableType]:
    yield Text()
    yield Text(title, style="bold")
    yield Padding(Group(*content), (0, 0, 0, 2))


def _head(explanation: Explanation) -> Text:
    clip = explanation.clip
    head = Text(f"{_safe(clip.path)}, {seconds(clip.start)} to {seconds(clip.end)}\n", style="dim", overflow="fold")
    head.append(_safe(label_list(explanation.emotions)), style="bold")
    lines = (confidence_line(explanation), trust_line(explanation), conflict_line(explanation.conflict))
    for line in filter(None, lines):
        head.append(f"\n{_safe(line)}")
    return head


def _prose(text: str) -> Text:
    page = Text(_safe(text), overflow="fold")
    letters = {"a": "audio", "v": "visual", "t": "text"}
    for match in CITATION.finditer(page.plain):
        page.stylize(COLOURS[letters[match[1][0]]], *match.span())
    return page


def _views(explanation: Explanation) -> Table:
    """One row per view and one for all; a Beta opinion has one row per label."""
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column()
    for view, opinion in {**explanation.opinions, "fused": explanation.fused}.items():
        note = fused_note(explanation) if view == "fused" else view_note(opinion).removesuffix(", untrained")
        if not opinion.present:
            table.add_row(_safe(view_title(view)), "", Text(note, style="dim"))
            continue
        for i, bar in enumerate(bars(opinion)):
            name = _safe(view_title(view)) if i == 0 else ""
            table.add_row(name, _bar(bar), _numbers(bar, opinion, note if i == 0 else ""))
    return table


def _bar(bar: Bar) -> Text:
    full = round(BAR_WIDTH * (1 - bar.uncertainty))
    return Text("█" * full, style="bold").append("░" * (BAR_WIDTH - full), style="dim")


def _numbers(bar: Bar, opinion: Opinion, note: str) -> Text:
    """Uncertainty, the strongest beliefs, and what to know of the view."""
    beliefs = sorted((p for p in bar.parts if p.role != "uncertainty"), key=lambda p: -p.share)
    shown = [p for p in beliefs if p.share >= 0.005][: 2 if opinion.kind == "dirichlet" else 1]
    names = [f"{'not ' if p.role == 'against' else ''}{_safe(p.label)} {p.share:.2f}" for p in shown]
    text = Text(f"u {bar.uncertainty:.2f}  {', '.join(names)}")
    return text.append(f"  ({note})", style="dim") if note else text


def _clues(explanation: Explanation) -> RenderableType:
    named = named_clues(explanation)
    ranked = sorted(explanation.clues, key=lambda clue: clue.id not in named)[:MOST_CLUES]
    shown = [clue for clue in explanation.clues if clue in ranked]
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for clue in shown:
        table.add_row(Text(_safe(clue.id), style=COLOURS[clue.modality]), _time(clue.start, clue.end), _clue_text(clue))
    left = len(explanation.clues) - len(shown)
    return Group(table, Text(f"and {left} more, all of them in --json", style="dim")) if left else table


def _clue_text(clue: Clue) -> Text:
    text = Text(_safe(clue.text), overflow="fold")
    return text.append(f" ({_safe(clue.quality)})", style="dim") if clue.quality else text


def _time(start: float, end: float) -> str:
    return f"{seconds(start).removesuffix(' s')}–{seconds(end)}" if end > start else seconds(start)


def _segments(segments: tuple[Explanation, ...]) -> Group:
    """One line each: when, which emotions, how uncertain, what was said; cut where the line ends."""
    rows = []
    for part in segments:
        line = Text(f"{_time(part.clip.start, part.clip.end):>13}  ", no_wrap=True, overflow="ellipsis")
        line.append(_safe(label_list(part.emotions)), style="bold")
        line.append(f"  u {mean_uncertainty(part.fused):.2f}")
        if part.transcript:
            line.append(f"  “{_safe(part.transcript.text)}”", style="dim")
        rows.append(line)
    return Group(*rows)
