"""The report of a run in a real browser: at a desk, at night, on a phone."""

import re
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_run import about, failed, made_run, said

from emer.bench.report import report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LABELS = ("happy", "sad", "angry")


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on MELD with two systems, a failure, confidences, and one clip that has a page of its own."""
    folder = tmp_path_factory.mktemp("browser")
    with wave.open(str(folder / "one.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((8_000 * np.sin(np.arange(16_000) / 12)).astype("<i2").tobytes())
    (folder / "mine.jsonl").write_text(f'{{"path": "{folder / "one.wav"}", "id": "one", "labels": ["sad"]}}\n')
    names = [f"dia{i}_with_a_long_name_of_its_own" for i in range(30)]
    gold = [{"name": name, "labels": [LABELS[i % 3]], "speaker": f"s{i % 5}"} for i, name in enumerate(names)]
    first = [said(n, LABELS[i % 2], confidence=0.2 + i / 50, trusted=i > 15) for i, n in enumerate(names)]
    second = [
        *(said(n, "happy") for n in names[:-1]),
        failed(names[-1], "MediaError", "it has neither sound nor picture"),
    ]
    run = made_run(
        folder / "run",
        {
            "meld": (about("meld", "hit_rate", note="Made by a test, nobody real."), gold),
            "mine": (about("mine", "war_uar"), [{"name": "one", "labels": ["sad"]}]),
        },
        {
            "meld": {"composer_of_a_long_name": first, "other": second},
            "mine": {"composer_of_a_long_name": [said("one", "happy")]},
        },
        missing={"meld": ["dia31"]},
        manifests={"mine": folder / "mine.jsonl"},
    )
    return report(run)[2]


class Opened:
    """The page in one window, and everything that it complained of or asked for."""

    def __init__(self, browser: Any, page: Path, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(page.as_uri())

    def run(self, script: str) -> Any:
        return self.page.evaluate(script)


@pytest.fixture
def read(browser: Any, page_file: Path) -> Iterator[Any]:
    """Opens the report; at the end nothing may have complained or asked the network for anything."""
    windows: list[Opened] = []

    def opened(**options: Any) -> Opened:
        windows.append(Opened(browser, page_file, **options))
        return windows[-1]

    yield opened
    for window in windows:
        window.context.close()
        assert window.complaints == []
        assert [url for url in window.requests if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.parametrize("width", [390, 360])
def test_on_a_phone_tables_scroll_in_their_box_and_the_page_does_not(read: Any, width: int) -> None:
    window = read(**(PHONE | {"viewport": {"width": width, "height": 800}}))
    assert window.run("document.documentElement.scrollWidth") <= width
    boxes = "[...document.querySelectorAll('.scroll')]"
    assert window.run(f"{boxes}.some(box => box.scrollWidth > box.clientWidth + 20)")
    window.run(f"{boxes}.forEach(box => box.scrollLeft = 200)")
    assert window.run(f"{boxes}.some(box => box.scrollLeft > 100)")


def test_no_line_of_a_table_is_squeezed_to_a_column_of_letters(read: Any) -> None:
    window = read(**PHONE)
    assert window.run("Math.max(...[...document.querySelectorAll('tr')].map(row => row.clientHeight))") < 160


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2 of a colour as CSS computes it, `rgb(1, 2, 3)`."""
    parts = [float(part) / 255 for part in re.findall(r"[\d.]+", colour)[:3]]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_line_can_be_read_by_day_and_by_night(read: Any, scheme: str) -> None:
    window = read(color_scheme=scheme)
    ground = luminance(window.run("getComputedStyle(document.documentElement).backgroundColor"))
    assert (ground > 0.5) == (scheme == "light")
    for where in (
        "tr.here td",
        "tr.published td",
        "tr.floor td",
        "tr.here th",
        "p.fine",
        "dt",
        "caption",
        "td a, th a",
    ):
        ink, paper = window.run(
            f"(() => {{ let e = document.querySelector('{where}'); const ink = getComputedStyle(e).color;"
            "while (getComputedStyle(e).backgroundColor === 'rgba(0, 0, 0, 0)') e = e.parentElement;"
            "return [ink, getComputedStyle(e).backgroundColor]; })()"
        )
        high, low = sorted((luminance(ink), luminance(paper)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, where  # WCAG 2.2, 1.4.3


def test_links_lead_to_what_is_there(read: Any, page_file: Path) -> None:
    window = read()
    links = window.run("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    inside = [link for link in links if link.startswith("#")]
    assert len(inside) == 3  # at a glance, and two data sets
    assert all(window.run(f"document.querySelector('{link}') !== null") for link in inside)
    files = [link for link in links if not link.startswith("#")]
    assert len(files) == 1
    assert (page_file.parent / files[0]).is_file()
    window.page.locator("td a, th a").first.click()
    window.page.wait_for_load_state()
    assert "one" in window.page.title()


def test_pictures_are_shown(read: Any) -> None:
    window = read()
    shown = window.run("[...document.images].map(image => image.complete && image.naturalWidth > 100)")
    assert shown == [True, True]
