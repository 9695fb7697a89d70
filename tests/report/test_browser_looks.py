"""The report in a real browser: that everyone can read it, and that a hostile text does nothing in it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sample
from browsing import MARKS, PHONE, Reader

from emer.report import html
from emer.types import Explanation

pytestmark = MARKS


@pytest.mark.parametrize("viewport", [PHONE, {"width": 360, "height": 640}], ids=["390 px", "360 px"])
@pytest.mark.parametrize("whole", [sample.explanation(), sample.trained()], ids=["untrained", "trained"])
def test_a_phone_shows_it_without_scrolling_sideways(read: Any, viewport: dict[str, int], whole: Explanation) -> None:
    reader = read(whole, viewport=viewport, has_touch=True, is_mobile=True)
    reader.run("for (const details of document.querySelectorAll('details')) details.open = true")
    assert reader.run("document.documentElement.scrollWidth") <= viewport["width"]
    reader.page.locator("[data-mark=a6] .glyph").tap()
    assert reader.time() == pytest.approx(10.4, abs=0.1)


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2 of a colour as CSS computes it, `rgb(1, 2, 3)`."""
    parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast_by_day_and_by_night(read: Any, scheme: str) -> None:
    reader = read(sample.explanation(), color_scheme=scheme)
    ground = luminance(reader.run("getComputedStyle(document.documentElement).backgroundColor"))
    assert (ground > 0.5) == (scheme == "light")
    for where in (
        "p.prose",
        ".fine",
        ".reference",
        ".doubt",
        "a.cite.a",
        "a.cite.v",
        "a.cite.t",
        ".badge",
        ".eyebrow",
        "h2",
    ):
        ink = luminance(reader.run(f"getComputedStyle(document.querySelector('{where}')).color"))
        high, low = max(ink, ground), min(ink, ground)
        assert (high + 0.05) / (low + 0.05) >= 4.5, where  # WCAG 2.2, 1.4.3


def test_marks_differ_in_shape_as_well_as_in_colour(read: Any) -> None:
    reader = read()
    shapes = [reader.run(f"document.querySelector('[data-mark={name}] .glyph').tagName") for name in ("a3", "v2", "t1")]
    assert len(set(shapes)) == 3


def test_every_control_has_a_name(read: Any) -> None:
    reader = read()
    nameless = reader.run(
        "[...document.querySelectorAll('button, a, summary, [role=button], [role=slider], [role=img], video')]"
        ".filter(e => !(e.getAttribute('aria-label') || e.textContent).trim()).length"
    )
    assert nameless == 0


def test_hostile_text_runs_nothing(read: Any) -> None:
    attack = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'><b>bold</b>"
    whole = sample.explanation()
    whole = replace(
        whole,
        explanation=attack,
        statements=(),
        clues=tuple(replace(clue, text=attack) for clue in whole.clues),
        transcript=replace(
            sample.TRANSCRIPT, text=attack, utterances=tuple(replace(u, text=attack) for u in sample.UTTERANCES)
        ),
    )
    reader = read(whole)
    assert reader.run("typeof window.hacked") == "undefined"
    assert reader.page.locator("b").count() == 0
    assert attack in reader.page.locator("#explanation").inner_text()
    assert attack in str(reader.page.locator("[data-mark=a3]").get_attribute("aria-label"))


def test_an_injected_script_would_be_stopped_by_the_policy(browser: Any, tmp_path: Path) -> None:
    text = html.render(sample.explanation())
    (tmp_path / "r.html").write_text(
        text.replace("</body>", "<script>window.hacked = 1</script></body>"), encoding="utf-8"
    )
    reader = Reader(browser, tmp_path / "r.html")
    hacked = reader.run("typeof window.hacked")
    reader.context.close()
    assert hacked == "undefined"
    assert any("Content Security Policy" in complaint for complaint in reader.complaints)
