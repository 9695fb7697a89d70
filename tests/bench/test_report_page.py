"""The report as it is shown: one order for published rows and floors, honest means, a page that stands alone."""

import base64
import hashlib
import html
import re
import wave
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from made_run import about, failed, made_run, said

from emer.bench.report import report
from emer.bench.report_grids import Grid, line, markdown_grid
from emer.bench.report_run import read_run_folder
from emer.bench.report_scores import scored
from emer.bench.report_worst import file_name, worst, worst_first
from emer.emotions.wheel_files import load_wheels

EVIL = "<script>alert(1)</script>|`x`"
MELD = [{"name": f"dia{i}", "labels": ["joy" if i % 2 else "anger"]} for i in range(24)]
SIMS = [{"name": f"video{i}", "value": 0.4 if i % 3 else -0.6} for i in range(24)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sure = [said(f"dia{i}", "joyful", confidence=0.3 + 0.025 * i, trusted=i > 12) for i in range(24)]
    other = [said(f"dia{i}", "furious", EVIL) for i in range(23)] + [failed("dia23", "MediaError", EVIL)]
    glad = [said(f"video{i}", "happy", sentiment="positive") for i in range(24)]
    return made_run(
        tmp_path_factory.mktemp("page") / "run",
        {
            "meld": (about("meld", "hit_rate", note=EVIL), MELD),
            "ch_sims": (about("ch_sims", "sentiment"), SIMS),
        },
        {"meld": {"sure": sure, "other": other}, "ch_sims": {"sure": glad}},
        skipped={"cmu_mosi": "there is no folder of it"},
    )


@pytest.fixture(scope="module")
def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in report(folder)}


def column(text: str, heading: str) -> list[tuple[str, float]]:
    """First cell and score of each line of the main table of a section."""
    lines = text[text.index(heading) :].splitlines()
    found = []
    for each in lines[lines.index("") :]:
        parts = [part.strip().strip("*") for part in each.split("|")[1:-1]]
        if len(parts) == 8 and re.fullmatch(r"[\d.]+", parts[1]):
            found.append((parts[0], float(parts[1])))
        if each.startswith("### ") and found:
            break
    return found


def test_published_rows_ours_and_floors_stand_in_one_order(texts: dict[str, str]) -> None:
    rows = column(texts["report.md"], "hit\\_rate, percent, best first")
    scores = [score for _, score in rows]
    assert scores == sorted(scores, reverse=True)
    names = dict(rows)
    assert names["Qwen-Audio (A+T)"] == 49.09  # AffectGPT paper, Table 2
    assert names["sure"] == 50.0  # joy on the twelve clips of 24 that are joy
    assert names[next(name for name in names if name.startswith("always \\[angry, happy, neutral"))] == 100.0


def test_every_published_row_says_which_checkpoint_it_took(texts: dict[str, str]) -> None:
    lines = [one for one in texts["report.md"].splitlines() if one.startswith("| AffectGPT (A+V+T) |")]
    assert len(lines) == 3  # all sets, MELD, CH-SIMS
    assert all("best per test set" in one for one in lines)
    assert "72.0 to 74.0" in texts["report.md"]


def test_the_mean_is_over_the_sets_that_were_run_and_says_which(texts: dict[str, str]) -> None:
    told = texts["report.md"]
    assert "The mean is over meld, ch\\_sims; published rows are averaged over the same sets." in told
    assert "cmu\\_mosi (there is no folder of it)" in told
    # (55.65 + 88.49) / 2 by hand
    assert "| AffectGPT (A+V+T) | 55.65 | 88.49 | 72.07 |" in told
    other = next(one for one in told.splitlines() if one.startswith("| other |"))
    assert other.endswith("| – | **–** | one; this run |")


def test_all_data_sets_stand_at_a_glance_with_those_that_were_not_run(texts: dict[str, str]) -> None:
    told = texts["report.md"]
    assert told.index("## At a glance") < told.index("## MER-UniBench") < told.index("## Made set meld")
    assert "Not run: cmu_mosi: there is no folder of it" in told
    row = next(one for one in told.splitlines() if one.startswith("| Made set ch\\_sims |"))
    # 16 of 24 are positive: always positive has a weighted F1 of 2/3 * 2 * 16 / (16 + 24), and so has the system.
    _, metric, clips, missing, ours, *_, floor = (cell.strip() for cell in row.strip("|").split("|"))
    assert (metric, clips, missing, floor) == ("sentiment", "24", "0", "53.33")
    assert ours.startswith("53.33 ")


def test_what_sets_ours_apart_from_published_rows_is_told_above_them(texts: dict[str, str]) -> None:
    meld = texts["report.md"].split("## Made set meld")[1]
    assert "Not like with like: published rows are on 2,610 clips, ours on 24; published rows were made with" in meld
    assert "the tables AffectGPT 2025, ours with emer 1" in meld
    assert "Not like with like on meld, ch\\_sims" in texts["report.md"]
    sims = texts["report.md"].split("## Made set ch\\_sims")[1]
    assert "lexicon" not in sims  # its answers say their sentiment themselves


def test_no_mean_is_made_of_a_single_set(tmp_path: Path) -> None:
    folder = made_run(
        tmp_path, {"meld": (about("meld", "hit_rate"), MELD)}, {"meld": {"one": [said("dia0", "joy"), said("dia1")]}}
    )
    assert "MER-UniBench" not in report(folder)[1].read_text(encoding="utf-8").replace("72.0", "")


def test_pictures_are_drawn_where_confidence_is_stated(folder: Path, texts: dict[str, str]) -> None:
    assert sorted(path.name for path in (folder / "plots").iterdir()) == ["meld.reliability.svg", "meld.risk.svg"]
    drawn = (folder / "plots" / "meld.risk.svg").read_text()
    assert "sure" in drawn
    assert "other" not in drawn  # it states none
    assert texts["report.html"].count("data:image/svg+xml;base64,") == 2


class _Whole(HTMLParser):
    """Every tag that is opened is closed in order."""

    VOID = frozenset({"meta", "img", "br", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.links += [value for name, value in attrs if name == "href" and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_runs_nothing_and_asks_nothing_of_the_network(texts: dict[str, str]) -> None:
    page, read = html.unescape(texts["report.html"]), _Whole()
    read.feed(texts["report.html"])
    assert read.open == []
    assert read.scripts == 0
    assert all(link.startswith("#section") for link in read.links)
    style = page[page.index("<style>") + 7 : page.index("</style>")]
    assert f"style-src 'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in page
    assert "default-src 'none'" in page
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", page)


def test_what_files_say_is_text_in_page_and_markdown(texts: dict[str, str]) -> None:
    assert "&lt;script&gt;alert(1)" in texts["report.html"]
    assert "<script" not in texts["report.html"]
    assert "<script" not in texts["report.md"]
    assert "&lt;script>alert(1)&lt;/script>\\|\\`x\\`" in texts["report.md"]


def test_a_label_of_a_hundred_thousand_letters_does_not_fill_the_page(tmp_path: Path) -> None:
    answers = [said("dia0", "x" * 100_000), failed("dia1", "MediaError", "y" * 100_000)]
    folder = made_run(tmp_path, {"meld": (about("meld", "hit_rate"), MELD[:2])}, {"meld": {"one": answers}})
    assert len(report(folder)[2].read_text(encoding="utf-8")) < 60_000


def test_a_table_in_markdown_keeps_its_columns_whatever_the_cells_hold() -> None:
    text = markdown_grid(Grid("c", ("a", "b"), (line(["x|y\nz", "w"]),)))
    assert text.splitlines()[-1].replace("\\|", "") == "| xy z | w |"


# ---------------------------------------------------------------- the worst clips


def test_the_worst_clips_are_those_most_wrong_and_among_them_the_surest(folder: Path) -> None:
    found = scored(read_run_folder(folder))[0]
    sure = found.systems[0]
    names = [sure.judged.names[place] for place in worst_first(sure)]
    # Even clips are angry, so joyful is wrong there; confidence grows with the number.
    assert names == [f"dia{i}" for i in range(22, -1, -2)]
    (first, *_) = worst(read_run_folder(folder), found, 1)
    assert (first.name, first.gold, first.said, first.page) == ("dia22", "anger", "joyful", None)
    assert first.why_not == "its data set is not found here; name its folder as for the run"


def test_a_page_of_its_own_is_made_for_a_clip_that_is_there(tmp_path: Path) -> None:
    clip = tone(tmp_path / "one.wav")
    manifest = tmp_path / "mine.jsonl"
    manifest.write_text(f'{{"path": "{clip}", "id": "one/1", "labels": ["disgust"]}}\n')
    folder = made_run(
        tmp_path / "run",
        {"mine": (about("mine", "war_uar"), [{"name": "one/1", "labels": ["disgust"]}])},
        {"mine": {"composer": [said("one/1", "happy", key="0123456789")]}},
        manifests={"mine": manifest},
    )
    page = report(folder)[2].read_text(encoding="utf-8")
    link = "worst/mine/composer/one_1.01234567.html"
    assert f'<a href="{link}">one/1</a>' in page
    assert "<title>" in (folder / link).read_text(encoding="utf-8")
    before = (folder / link).stat().st_mtime_ns
    report(folder)
    assert (folder / link).stat().st_mtime_ns == before  # made once for each answer
    assert "worst/" not in report(folder, most_worst=0)[2].read_text(encoding="utf-8")


def tone(path: Path, seconds: float = 2.0) -> Path:
    """A sound that any recorder could have made: 200 Hz at 16 kHz."""
    samples = np.sin(2 * np.pi * 200 * np.arange(int(16_000 * seconds)) / 16_000)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((8_000 * samples).astype("<i2").tobytes())
    return path


def test_an_id_becomes_a_file_inside_its_folder() -> None:
    assert file_name("../../etc/passwd").count("/") == 0
    assert not file_name("..").startswith(".")
    assert file_name("情感") == "情感"
    assert len(file_name("情" * 300).encode()) == 159  # three bytes each; file systems take 255 with key and ending


def test_the_emotion_tables_of_the_scores_are_named(texts: dict[str, str]) -> None:
    tables = load_wheels(None)
    assert f"Emotion tables: {tables.name}, sha256 {tables.sha256[:16]}." in texts["report.md"]
