"""The report in a real browser: what people click, type and see. Skipped where there is no Chromium."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sample
import small_clip

from emer.report import html
from emer.types import Explanation

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def by_id(name: str) -> Any:
    return next(clue for clue in sample.CLUES if clue.id == name)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: reports were not opened")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_clip.make(tmp_path_factory.mktemp("clip") / "interview.mp4", sample.END)


class Reader:
    """One open report, and all that it asked for or complained about."""

    def __init__(self, browser: Any, report: Path, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": DESK, **options})
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(report.as_uri())
        if self.page.locator("#media").count():
            self.until("document.getElementById('media').readyState >= 1")

    def until(self, condition: str) -> None:
        """Wait for a condition. The page's policy forbids playwright's own way, which evaluates strings in it."""
        for _ in range(400):
            if self.run(condition):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"after 20 s still not: {condition}")

    def time(self) -> float:
        """Where the player is (s), once it has arrived."""
        self.until("!document.getElementById('media').seeking")
        return float(self.page.evaluate("document.getElementById('media').currentTime"))

    def run(self, script: str) -> Any:
        return self.page.evaluate(script)


@pytest.fixture
def read(browser: Any, clip: Path, tmp_path: Path) -> Iterator[Any]:
    """Opens a report of an explanation; at the end, no report may have complained or asked the network for anything."""
    readers: list[Reader] = []

    def open_report(
        whole: Explanation | None = None, media: Path | None = clip, limit: int = 10**9, **options: Any
    ) -> Reader:
        path = tmp_path / f"report{len(readers)}.html"
        path.write_text(html.render(whole or sample.explanation(), media, beside=path, limit=limit), encoding="utf-8")
        readers.append(Reader(browser, path, **options))
        return readers[-1]

    yield open_report
    for reader in readers:
        reader.context.close()
        assert reader.complaints == []
        assert [url for url in reader.requests if not url.startswith(("file:", "data:", "blob:"))] == []


def test_a_click_on_a_mark_goes_to_the_time_of_its_clue(read: Any) -> None:
    reader = read()
    for name in ("a5", "v5", "t1"):
        reader.page.locator(f"[data-mark={name}] .glyph").click()
        assert reader.time() == pytest.approx(by_id(name).start, abs=0.1)


def test_a_click_on_a_citation_goes_to_the_time_of_its_clue_and_shows_it(read: Any) -> None:
    reader = read()
    reader.page.locator("#explanation a.cite[data-clue=a4]").click()
    assert reader.time() == pytest.approx(3.5, abs=0.1)
    assert reader.page.locator("#now").inner_text() == "3.5 s"
    assert "lit" in str(reader.page.locator("[data-mark=a4]").get_attribute("class"))
    assert reader.run("location.hash") == ""


def test_a_click_on_the_timeline_and_a_drag_move_the_clip(read: Any) -> None:
    reader = read()
    reader.page.locator("#timeline").scroll_into_view_if_needed()
    box = reader.page.locator("#timeline").bounding_box()
    at = reader.run(
        "(() => { const t = document.querySelector('.plot-ground').getBoundingClientRect(); return t.left; })()"
    )
    # the plot runs from 176 px to 14 px before the end: its middle is half of the clip
    middle = at + 176 + (box["width"] - 2 - 176 - 14) / 2
    reader.page.mouse.click(middle, box["y"] + 12)
    assert reader.time() == pytest.approx(sample.END / 2, abs=0.1)
    reader.page.mouse.move(middle, box["y"] + 12)
    reader.page.mouse.down()
    reader.page.mouse.move(middle + 100, box["y"] + 12, steps=4)
    reader.page.mouse.up()
    assert reader.time() == pytest.approx(sample.END / 2 + 100 / (box["width"] - 2 - 190) * sample.END, abs=0.15)


def test_the_keyboard_alone_moves_through_the_clip(read: Any) -> None:
    reader = read()
    slider = reader.page.locator("[role=slider]")
    slider.focus()
    for key, expected in (("End", 14.2), ("Home", 0), ("ArrowRight", 1), ("Shift+ArrowRight", 1.1), ("PageUp", 11.1)):
        reader.page.keyboard.press(key)
        assert reader.time() == pytest.approx(expected, abs=0.05)
    assert slider.get_attribute("aria-valuetext") == "11.1 s"
    reader.page.keyboard.press("Tab")
    first = reader.run("document.activeElement.dataset.mark")
    assert first == "v2"  # the first clue in time
    reader.page.keyboard.press("ArrowRight")
    reader.page.keyboard.press("Enter")
    assert reader.time() == pytest.approx(1.3, abs=0.1)  # a3, the next


def test_space_plays_and_the_playhead_follows(read: Any) -> None:
    reader = read()
    reader.run("document.getElementById('media').muted = true")
    reader.page.locator("[role=slider]").focus()
    before = float(reader.page.locator(".head").get_attribute("x1"))
    reader.page.keyboard.press(" ")
    reader.until("document.getElementById('media').currentTime > 0.6")
    assert reader.page.locator("#play").inner_text() == "Pause"
    reader.page.keyboard.press(" ")
    assert reader.run("document.getElementById('media').paused")
    after = float(reader.page.locator(".head").get_attribute("x1"))
    width = float(reader.page.locator("#plot rect").get_attribute("width")) - 16
    assert (after - before) / width * sample.END == pytest.approx(reader.time(), abs=0.3)


def test_a_sentence_and_its_clues_light_up_each_other(read: Any) -> None:
    reader = read()
    sentence = reader.page.locator("#explanation .sentence").nth(1)
    sentence.hover()
    lit = reader.run("[...document.querySelectorAll('.mark.lit')].map(m => m.dataset.mark).sort().join()")
    assert lit == "v2,v5"
    reader.page.locator("#clue-v3").hover()
    texts = reader.run("[...document.querySelectorAll('#explanation .sentence.lit')].map(s => s.textContent)")
    assert len(texts) == 1
    assert texts[0].startswith("The speaker frowns")
    reader.page.keyboard.press("Escape")
    assert reader.page.locator(".lit").count() == 0


def test_a_segment_s_button_goes_there_and_marks_it(read: Any) -> None:
    reader = read()
    reader.page.locator(".parts .seek").nth(2).click()
    assert reader.time() == pytest.approx(9.8, abs=0.1)
    assert reader.run("[...document.querySelectorAll('.parts li')].findIndex(p => p.classList.contains('now'))") == 2


def test_zooming_in_draws_less_of_the_clip_and_the_same_time(read: Any) -> None:
    reader = read()
    reader.page.locator("a.cite[data-clue=v5]").first.click()
    reader.page.locator("#zoom-in").click()
    reader.page.locator("#zoom-in").click()
    assert reader.page.locator("[data-mark=a3]").count() == 0
    assert reader.page.locator("[data-mark=v5]").count() == 1
    assert reader.time() == pytest.approx(10.6, abs=0.1)
    reader.page.locator("#zoom-out").click()
    reader.page.locator("#zoom-out").click()
    assert reader.page.locator("[data-mark=a3]").count() == 1


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


def test_a_part_of_a_longer_file_keeps_the_clock_of_the_file(read: Any) -> None:
    whole = replace(sample.explanation(), clip=replace(sample.clip(), start=3.0, end=9.0, duration=6.0))
    reader = read(whole)
    reader.until("document.getElementById('media').currentTime >= 2.99")
    assert reader.page.locator("[role=slider]").get_attribute("aria-valuemin") == "3"
    reader.page.locator("[data-mark=a5] .glyph").click()
    assert reader.time() == pytest.approx(5.2, abs=0.1)
    reader.page.locator("[role=slider]").focus()
    reader.page.keyboard.press("End")
    assert reader.time() == pytest.approx(9.0, abs=0.1)


def test_a_linked_clip_plays_as_well(read: Any) -> None:
    reader = read(limit=1000)
    assert str(reader.page.locator("video").get_attribute("src")).endswith("interview.mp4")
    reader.page.locator("[data-mark=v5] .glyph").click()
    assert reader.time() == pytest.approx(10.6, abs=0.1)


def test_without_a_clip_the_timeline_still_moves(read: Any) -> None:
    reader = read(sample.explanation(), media=None)
    reader.page.locator("[data-mark=a6] .glyph").click()
    assert reader.page.locator("#now").inner_text() == "10.4 s"
    assert reader.page.locator("#play").is_hidden()


def test_a_clip_that_the_browser_cannot_play_is_said_and_the_timeline_works(read: Any, tmp_path: Path) -> None:
    (tmp_path / "old.avi").write_bytes(b"RIFF....AVI LIST nothing to play")
    reader = read(sample.explanation(), media=None)  # the plain page is quiet: see the fixture
    path = tmp_path / "broken.html"
    html.write(sample.explanation(), path, tmp_path / "old.avi")
    reader.page.goto(path.as_uri())
    reader.page.wait_for_selector("#media-note:not([hidden])")
    assert "cannot play the clip" in reader.page.locator("#media-note").inner_text()
    reader.page.locator("[data-mark=a6] .glyph").click()
    assert reader.page.locator("#now").inner_text() == "10.4 s"


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


def test_every_clue_of_a_cited_range_can_be_reached(read: Any) -> None:
    """Of a short range each clue is a link; of a long one, the link between its ends goes through them in turn."""
    short, long = "The voice moves [a2]–[a4].", "Much of it can be read in the list [a1]–[a7]."
    text = f"{short} {long}\n\nEmotions: []"
    statements = (
        replace(sample.STATEMENTS[0], text=short, clue_ids=("a2", "a3", "a4")),
        replace(sample.STATEMENTS[0], text=long, clue_ids=tuple(f"a{n}" for n in range(1, 8))),
    )
    reader = read(replace(sample.explanation(), explanation=text, statements=statements))
    cited = reader.page.locator("#explanation .sentence:first-child a.cite")
    assert cited.all_inner_texts() == ["a2", "a3", "a4"]
    between = reader.page.locator("#explanation a.cite[data-clues]")
    assert between.inner_text() == "5 more"
    reached = []
    for _ in range(5):
        between.click()
        reached.append(reader.time())
    assert reached == pytest.approx([by_id(f"a{n}").start for n in range(2, 7)], abs=0.1)
