"""A page on which a person accepts, edits and rejects drafts: one file, without network, decisions kept in the browser.

Its Content-Security-Policy allows the style and the script that stand in it, by hash, and the clips: small ones are
inside the page, others are linked. The script writes whatever comes from clips and models as text, never as HTML.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from emer.annotate.decisions import SCHEMA, mark_of
from emer.annotate.records import Line
from emer.files import write_text
from emer.report.embed import Player, player
from emer.report.page import embedded
from emer.report.sentences import STATUS_TEXT

ON_A_PAGE = 500
"""Drafts; a page of more is slow to open."""
EMBEDDED = 40_000_000
"""Bytes of clips inside one page; those after it are linked."""


def write_pages(folder: Path, lines: Sequence[Line]) -> list[Path]:
    """The pages about all drafts, those that were kept first; each whole or not at all. Raises OutputError."""
    drafts = sorted((line for line in lines if line.explanation), key=lambda line: line.outcome != "kept")
    parts = [drafts[i : i + ON_A_PAGE] for i in range(0, len(drafts), ON_A_PAGE)]
    pages = [folder / (f"review-{n}.html" if n > 1 else "review.html") for n in range(1, len(parts) + 1)]
    for number, (path, part) in enumerate(zip(pages, parts, strict=True), start=1):
        write_text(path, render(part, folder, number, len(parts)))
    return pages


def render(drafts: Sequence[Line], folder: Path, number: int = 1, of: int = 1) -> str:
    """A page as text. Clips are looked for, and linked, relative to `folder`."""
    style, script = _file("review.css"), f'(() => {{\n"use strict";\n{_file("review.js")}}})();\n'
    data = {
        "schema": SCHEMA,
        "name": f"decisions-{number}.json" if of > 1 else "decisions.json",
        "status": STATUS_TEXT,
        "drafts": list(_drafts(drafts, folder)),
    }
    page = _environment().from_string(_file("review.html.j2"))
    return page.render(
        policy=_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        data=Markup(embedded(data)),
        title=f"Review {number} of {of}" if of > 1 else "Review",
    )


def _drafts(drafts: Sequence[Line], folder: Path) -> Iterator[dict[str, Any]]:
    """Each draft as the script needs it."""
    left = EMBEDDED
    for line in drafts:
        shown = player(folder / line.record["path"], folder / "review.html", left)
        left -= 0 if shown.linked else len(shown.source)
        yield {
            "mark": mark_of(line),
            "id": line.id,
            "kept": line.outcome == "kept",
            "told": line.told,
            "gold": line.gold,
            "labels": line.labels,
            "explanation": line.explanation,
            "sentences": [{"text": s.text, "clues": s.clue_ids, "status": s.status} for s in line.statements],
            "dropped": [{"text": s.text, "why": s.why} for s in line.dropped],
            "clues": [
                {"id": c.id, "text": c.text, "start": c.start, "end": c.end, "doubt": c.quality} for c in line.clues
            ],
            "said": line.said,
            "from": line.record.get("start", 0),
            "media": _media(shown),
        }


def _media(shown: Player) -> dict[str, str]:
    return {"kind": shown.kind, "source": shown.source, "note": shown.note}


def _policy(style: str, script: str) -> str:
    clips = "data: 'self' file:"
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            f"media-src {clips}",
            f"img-src {clips}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _file(name: str) -> str:
    return files("emer.annotate").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
