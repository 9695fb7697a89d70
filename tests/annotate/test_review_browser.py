"""The review page in a real browser: by keyboard, by mouse, on a phone; hostile texts stay texts."""

import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import small_clip
from browsing import DESK, PHONE, Reader

from emer.annotate.decisions import apply, mark_of, read_decisions
from emer.annotate.filtering import Dropped
from emer.annotate.records import Line
from emer.annotate.review import ON_A_PAGE, render, write_pages
from emer.types import Clue, Statement

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
CLUES = (
    Clue("a1", "audio", "pitch_rise", "voice 4.1 semitones up", 1.2, 1.6, 4.1, "semitones", "median"),
    Clue("v1", "visual", "lip_corner_pull", "lip corners up by 9.4 %", 0.4, 1.9, 9.4, "%", "neutral", "half a face"),
)
HOSTILE = '</script><img src=x onerror="document.title=1"><b>bold</b> & [a1] "quoted"'


def line(name: str, outcome: Any = "kept", **more: Any) -> Line:
    told = f"The face smiles [v1] in {name}."
    values = {
        "explanation": f"{told} It rises [a1].",
        "labels": ("happy",),
        "statements": (Statement(told, ("v1",), "grounded"), Statement("It rises [a1].", ("a1",), "uncheckable")),
        "clues": CLUES,
        "gold": ("happy",),
    }
    return Line(f"key of {name}", name, outcome, {"id": name, "path": "clip.mp4"}, **(values | more))


LINES = [
    line("one"),
    line("two", said=HOSTILE, dropped=(Dropped("The hands shake.", "unsupported"),)),
    line("three"),
    line("four", "rejected", told="the draft says sad, people say happy", labels=("sad",)),
]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    small_clip.make(tmp_path / "clip.mp4", 2.0)
    (written,) = write_pages(tmp_path, LINES)
    return written


@pytest.fixture
def opened(browser: Any, page: Path) -> Iterator[Any]:
    readers: list[Reader] = []

    def open_page(**options: Any) -> Reader:
        readers.append(Reader(browser, page, **options))
        return readers[-1]

    yield open_page
    for reader in readers:
        reader.context.close()
        assert reader.complaints == []
        assert [url for url in reader.requests if not url.startswith(("file:", "data:", "blob:"))] == []


def saved(reader: Reader, to: Path) -> Path:
    with reader.page.expect_download() as download:
        reader.page.click("#save")
    download.value.save_as(to)
    assert download.value.suggested_filename == "decisions.json"
    return to


def test_by_keyboard_drafts_are_accepted_edited_and_rejected(opened: Any, tmp_path: Path) -> None:
    reader = opened()
    press = reader.page.keyboard.press
    assert reader.page.inner_text("#id") == "one"
    press("a")
    assert reader.page.inner_text("#id") == "two"
    press("e")
    assert reader.page.input_value("#text").startswith("The face smiles [v1] in two.")
    reader.page.keyboard.type("Are rare jokes red? ")
    reader.page.fill("#words", "amused, at ease")
    press("Control+Enter")
    assert reader.page.inner_text("#id") == "three"
    press("r")
    press("k")
    press("k")
    assert reader.page.inner_text("#id") == "two"
    assert "edited" in reader.page.inner_text("#state")
    assert "Are rare jokes red?" in reader.page.inner_text("#prose")
    assert reader.page.inner_text("#progress") == "3 of 4 decided"
    decisions = read_decisions(saved(reader, tmp_path / "decisions.json"))
    found = {one.id: (one.mark, one.decision, one.labels) for one in decisions}
    marks = {one.id: mark_of(one) for one in LINES}
    assert found == {
        "one": (marks["one"], "accept", None),
        "two": (marks["two"], "edit", ("amused", "at ease")),
        "three": (marks["three"], "reject", None),
    }
    assert apply(tmp_path, LINES, decisions).counts == {"accept": 1, "edit": 1, "reject": 1, "undecided": 1}
    rows = [json.loads(row) for row in (tmp_path / "reviewed.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == ["one", "two"]
    assert "Are rare jokes red?" in rows[1]["explanation"]


def test_by_mouse_decisions_are_made_undone_and_found_again_after_a_reload(opened: Any) -> None:
    reader = opened()
    reader.page.click("#accept")
    reader.page.click("#reject")
    reader.page.click("#list button >> nth=0")
    reader.page.click("#undo")
    assert reader.page.inner_text("#progress") == "1 of 4 decided"
    reader.page.reload()
    assert reader.page.inner_text("#progress") == "1 of 4 decided"
    assert "rejected" in str(reader.page.get_attribute("#list button >> nth=1", "aria-label"))
    reader.page.select_option("#filter", "open")
    assert reader.page.locator("#list button").count() == 3
    reader.page.click("#accept")
    assert reader.page.locator("#list button").count() == 2
    assert reader.page.inner_text("#id") == "three"


def test_saved_decisions_are_loaded_in_another_browser_and_strangers_are_told_of(opened: Any, tmp_path: Path) -> None:
    first = opened()
    first.page.keyboard.press("a")
    file = saved(first, tmp_path / "d.json")
    other = json.loads(file.read_text())
    other["decisions"].append({"mark": "of nobody", "id": "x", "decision": "accept"})
    file.write_text(json.dumps(other))
    second = opened()
    assert second.page.inner_text("#progress") == "0 of 4 decided"
    second.page.set_input_files("#file", str(file))
    second.until("document.getElementById('progress').textContent === '1 of 4 decided'")
    assert second.page.inner_text("#trouble") == "1 decisions belong to other drafts."
    (tmp_path / "bad.json").write_text("{")
    second.page.set_input_files("#file", str(tmp_path / "bad.json"))
    second.until("document.getElementById('trouble').textContent.startsWith('bad.json cannot be used')")


def test_an_edit_that_leaves_nothing_is_not_kept_and_escape_leaves_the_editor(opened: Any) -> None:
    reader = opened()
    reader.page.keyboard.press("e")
    reader.page.fill("#words", " , ")
    reader.page.keyboard.press("Control+Enter")
    assert "needs an explanation and a label" in reader.page.inner_text("#trouble")
    reader.page.keyboard.press("Escape")
    assert reader.page.is_hidden("#editor")
    assert reader.page.inner_text("#progress") == "0 of 4 decided"
    reader.page.keyboard.press("e")
    reader.page.keyboard.press("Control+Enter")
    reader.page.keyboard.press("k")
    assert "accepted" in reader.page.inner_text("#state"), "an edit that changes nothing accepts"


def test_the_clip_plays_and_a_citation_leads_to_its_clue_and_its_time(opened: Any) -> None:
    reader = opened()
    reader.until("document.getElementById('video').readyState >= 1")
    assert reader.page.is_visible("#video")
    reader.page.click(".cite.a >> nth=0")
    reader.until("!document.getElementById('video').seeking")
    assert abs(reader.run("document.getElementById('video').currentTime") - 1.2) < 0.05
    assert reader.page.get_attribute("#clue-a1", "class") == "lit"
    assert reader.page.get_attribute(".sentence >> nth=0", "class") == "sentence grounded"
    reader.page.click("h1")
    reader.page.keyboard.press(" ")
    reader.until("!document.getElementById('video').paused || document.getElementById('video').ended")


def test_what_the_filter_did_is_shown(opened: Any) -> None:
    reader = opened()
    reader.page.keyboard.press("j")
    assert reader.page.inner_text("#dropped") == "The hands shake. unsupported"
    assert reader.page.inner_text("#gold") == "People said: happy"
    reader.page.select_option("#filter", "rejected")
    assert reader.page.inner_text("#id") == "four"
    assert "the filter rejects it: the draft says sad, people say happy" in reader.page.inner_text("#state")


def test_hostile_texts_are_shown_as_texts(opened: Any) -> None:
    reader = opened()
    reader.page.keyboard.press("j")
    assert reader.page.inner_text("#said") == HOSTILE
    assert reader.page.locator("#said *").count() == 0
    assert reader.page.title() == "Review"


def test_nothing_runs_over_the_edge_of_a_phone(opened: Any) -> None:
    reader = opened(viewport=PHONE)
    assert reader.run("document.documentElement.scrollWidth") <= PHONE["width"]
    reader.page.click("#edit")
    assert reader.run("document.documentElement.scrollWidth") <= PHONE["width"]
    assert DESK["width"] > PHONE["width"]


def test_many_drafts_make_several_pages_and_kept_ones_come_first(tmp_path: Path) -> None:
    lines = [line("r", "rejected"), *(line(f"k{i}") for i in range(ON_A_PAGE))]
    first, second = write_pages(tmp_path, lines)
    assert (first.name, second.name) == ("review.html", "review-2.html")
    assert '"id":"k0"' in first.read_text()
    assert '"id":"r"' not in first.read_text()
    assert '"id":"r"' in second.read_text()
    assert "decisions-2.json" in second.read_text()
    assert write_pages(tmp_path, [line("x", explanation="")]) == []


def test_the_policy_of_the_page_allows_nothing_from_elsewhere(tmp_path: Path) -> None:
    head = html.unescape(render(LINES, tmp_path).partition("</head>")[0])
    assert "default-src 'none'" in head
    assert "http:" not in head.replace("http-equiv", "")
    assert "https:" not in head
    assert "unsafe" not in head
