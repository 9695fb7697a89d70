"""The report in a real browser: what people click and type, and where the clip goes then."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sample
from browsing import MARKS, by_id

from emer.report import html

pytestmark = MARKS


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
