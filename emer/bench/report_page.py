"""The report as one HTML page that needs no network and runs no script.

Its Content-Security-Policy allows the one style sheet, by hash, and pictures that are inside the page. Links lead to
files beside it: the reports of single clips. All text is escaped: names, labels and reasons come from files.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from emer.bench.report_grids import Section
from emer.errors import ConfigError

MIME = {".png": "image/png", ".svg": "image/svg+xml"}


def page(title: str, about: Sequence[str], sections: Sequence[Section], folder: Path) -> str:
    """The page as text; `folder` is where pictures lie. Raises ConfigError for a picture that is not there."""
    style = _file("evidence.css") + _file("bench_report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    names = {
        "title": title,
        "about": about,
        "sections": sections,
        "style": Markup(style),
        "policy": (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
        ),
        "picture": lambda path: _embedded(folder / path),
    }
    text = _environment().from_string(_file("bench_report.html.j2")).render(names)
    return text.encode("utf-8", "replace").decode()


def _embedded(path: Path) -> str:
    """The picture as a data URI."""
    if path.suffix.lower() not in MIME or not path.is_file():
        raise ConfigError(f"{path} is no picture that is there; draw it again")
    return f"data:{MIME[path.suffix.lower()]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _file(name: str) -> str:
    return files("emer.bench").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
