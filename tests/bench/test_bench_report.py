"""Sections and the report: what is bold, what is marked, what is missed; the page in a real browser."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from made_predictions import made_folds

from emer.bench.answers import Answers, answers
from emer.bench.comparison import Spread
from emer.bench.evidence_report import grids, markdown, page, shown
from emer.bench.plots import risk_coverage_curves
from emer.bench.sections import Picture, Section, claims, section, table
from emer.errors import ConfigError
from emer.jsonio import dumps, loads

SOFTMAX = ("softmax_concat", "softmax_ensemble")


def seeds(skill: float, *which: int, kind: str = "dirichlet") -> list[Answers]:
    return [answers(made_folds(seed, skill=skill, kind=kind)) for seed in which]


@pytest.fixture(scope="module")
def methods() -> dict[str, list[Answers]]:
    return {
        "softmax_concat": seeds(0.5, 0, 1),
        "softmax_ensemble": seeds(6.0, 2),
        "twin": seeds(6.0, 2),
        "emer": seeds(2.0, 0, 1),
    }


@pytest.fixture(scope="module")
def report(methods: dict[str, list[Answers]]) -> Section:
    return section("Made | data", methods, baselines=SOFTMAX, single=SOFTMAX[:1], note="Nobody real.", replicates=200)


def cell(text: str, method: str, column: str, caption: str) -> str:
    """A cell of the first Markdown table under a caption."""
    lines = text[text.index(caption) :].splitlines()[2:]
    place = [name.strip() for name in lines[0].split("|")].index(column)
    return next(line for line in lines if line.startswith(f"| {method} |")).split("|")[place].strip()


def test_the_best_is_bold_and_what_is_not_shown_worse_is_marked(report: Section) -> None:
    text = markdown([report])
    selective = "Selective prediction"
    best = cell(text, "softmax_ensemble", "AURC", selective)
    assert best.startswith("**")
    assert cell(text, "twin", "AURC", selective) == best
    worse = cell(text, "softmax_concat", "AURC", selective)
    assert "*" not in worse
    assert "≈" not in worse
    assert " ± " in worse


def test_a_method_close_to_the_best_is_marked_and_not_bold() -> None:
    text = markdown([section("t", {"a": seeds(3.0, 0, 1), "b": seeds(3.0, 2, 3)}, replicates=200)])
    found = {name: cell(text, name, "AURC", "Selective prediction") for name in "ab"}
    assert sorted(value.count("**") for value in found.values()) == [0, 2]
    assert sum(value.endswith("≈") for value in found.values()) == 1


def test_the_figures_in_the_table_are_means_over_seeds(report: Section) -> None:
    told = [each.accuracy for each in report.table.scores["emer"]]
    mean, sd = sum(told) / 2, abs(told[0] - told[1]) / 2**0.5
    expected = f"{mean:.3f} ± {sd:.3f}".replace("0.", ".")
    assert cell(markdown([report]), "emer", "accuracy", "Right or wrong").removesuffix(" ≈").strip("*") == expected


def test_every_trusted_f1_stands_beside_its_floor_and_gain(report: Section) -> None:
    trusted = grids(report.table)[3]
    at = trusted.headings.index("F1")
    assert trusted.headings[at : at + 3] == ("F1", "floor", "gain")
    assert "target risk: at most 10% wrong" in trusted.caption
    assert "n = 400 clips of 100 speakers; 2 seeds" in markdown([report])


def test_what_was_not_shown_is_said_to_be_missed(report: Section) -> None:
    """emer lies between the weak softmax and the strong ensemble, by construction."""
    held = {claim.text: claim.held for claim in report.claims}
    assert not held["emer: best AURC, or not shown worse than the best"]
    assert not held["emer: AURC not shown worse than that of the ensemble"]
    assert held["emer: NLL not shown worse than temperature-scaled softmax"]
    text = markdown([report])
    assert text.count("**Missed.**") == sum(not claim.held for claim in report.claims) >= 3
    assert "emer less softmax_ensemble: +" in text


def test_a_data_set_without_our_method_claims_nothing(methods: dict[str, list[Answers]]) -> None:
    assert claims({"twin": methods["twin"]}, ours="emer") == ()


def test_rows_where_people_disagree_have_tables_of_their_own(report: Section) -> None:
    assert report.disagree is not None
    assert report.disagree.n == 134
    assert "### Where voice and face disagree\n\nn = 134 clips" in markdown([report])


def test_label_sets_have_columns_of_their_own() -> None:
    given = grids(table({"emer": seeds(2.0, 0, kind="beta")}, replicates=20))
    assert given[0].headings[:4] == ("method", "sample F1", "Jaccard", "micro P")
    assert "AUROC" not in given[1].headings


def test_a_section_goes_to_json_and_back(report: Section) -> None:
    back = loads(dumps(report), Section)
    assert markdown([back]) == markdown([report])


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Spread(0.82344, 0.00149, 5), ".823 ± .001"),
        (Spread(1.5, 0.25, 2), "1.500 ± .250"),
        (Spread(-0.0104, None, 1), "-.010"),
        (Spread(10.05, None, 1), "10.050"),
    ],
)
def test_numbers_are_short(found: Spread, text: str) -> None:
    assert shown(found) == text


class _Checked(HTMLParser):
    """Every tag that is opened is closed in order."""

    VOID = frozenset({"meta", "img", "br", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tables = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tables += tag == "table"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_nothing_of_the_network(report: Section, methods, tmp_path: Path) -> None:
    risk_coverage_curves(methods, tmp_path / "curves.png")
    drawn = Section(
        "<b>Evil</b>",
        report.note,
        report.table,
        report.disagree,
        report.claims,
        (Picture("curves.png", "Risk & more"),),
    )
    text = page([drawn, report], title="Evidence", folder=tmp_path)
    checked = _Checked()
    checked.feed(text)
    assert checked.open == []
    assert checked.tables == 16
    assert "<b>Evil" not in text
    assert "Risk &amp; more" in text
    assert "data:image/png;base64,iVBOR" in text
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", text)
    with pytest.raises(ConfigError, match="is no picture that is there"):
        page([drawn], title="Evidence", folder=tmp_path / "elsewhere")


@pytest.mark.browser
def test_tables_scroll_on_a_phone_and_the_page_does_not(report: Section, tmp_path: Path) -> None:
    api = pytest.importorskip("playwright.sync_api")
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    (tmp_path / "r.html").write_text(page([report], title="Evidence"), encoding="utf-8")
    with api.sync_playwright() as play:
        window = play.chromium.launch(executable_path=browser)
        for scheme in ("light", "dark"):
            view = window.new_page(viewport={"width": 390, "height": 800}, color_scheme=scheme)
            said: list[str] = []
            view.on("console", lambda message, said=said: said.append(message.text))
            view.goto((tmp_path / "r.html").as_uri())
            assert view.evaluate("document.documentElement.scrollWidth") <= 390
            assert view.evaluate("[...document.querySelectorAll('.scroll')].some(s => s.scrollWidth > s.clientWidth)")
            assert (_brightness(view, "color") > _brightness(view, "backgroundColor")) == (scheme == "dark")
            assert said == []
        window.close()


def _brightness(view: Any, name: str) -> float:
    colour = view.evaluate(f"getComputedStyle(document.documentElement).{name}")
    return sum(float(part) for part in re.findall(r"[0-9.]+", colour)[:3])
