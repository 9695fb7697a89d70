"""The report: one page with the clip, its timeline, the explanation and every number behind it.

The page is one file and asks no network for anything: its Content-Security-Policy allows only the style and the
script that are named in it by hash, and the clip itself. Whatever comes from the clip (transcript, names, labels) is
escaped as text; the script never builds HTML from it.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from emer.files import write_text
from emer.report.embed import EMBED_LIMIT, Player, player
from emer.report.page import context
from emer.types import Explanation

SCRIPTS = ("clock.js", "rows.js", "timeline.js", "report.js")


def write(explanation: Explanation, path: str | Path, media: Path | None = None) -> None:
    """Write the page whole or not at all, the clip inside it or linked from it. Raises OutputError."""
    write_text(path, render(explanation, media, beside=Path(path)))


def render(
    explanation: Explanation, media: Path | None = None, *, beside: Path | None = None, limit: int = EMBED_LIMIT
) -> str:
    """The page as text. A clip of at most `limit` bytes is embedded, a larger one linked relative to `beside`."""
    shown = player(media, beside, limit)
    style, script = _file("report.css"), _script()
    names = context(explanation) | {
        "player": shown,
        "policy": _policy(shown, style, script),
        "style": Markup(style),
        "script": Markup(script),
    }
    names["data"] = Markup(names["data"])
    names["timed"] = names["timed"] and shown.kind != "image"
    page = _environment().from_string(_file("report.html.j2")).render(names)
    return page.encode("utf-8", "replace").decode()


def _policy(shown: Player, style: str, script: str) -> str:
    """Nothing may be loaded but what the page holds, and the clip beside it where it is linked."""
    clip = "'self' file:" if shown.linked else "data: blob:"
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            f"media-src {clip}",
            f"img-src {clip}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _script() -> str:
    """The scripts one after the other, in a scope of their own."""
    return '(() => {\n"use strict";\n' + "\n".join(_file(name) for name in SCRIPTS) + "})();\n"


def _file(name: str) -> str:
    return files("emer.report").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["share"] = lambda value: f"{100 * value:.2f}%"
    environment.filters["two"] = lambda value: "–" if value is None else f"{value:.2f}"
    return environment
