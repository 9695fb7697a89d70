"""The numbers of a report on six clips that were counted by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_run import COMMAND, about, claim, failed, made_run, said

from emer.bench.report import report
from emer.bench.report_run import read_run_folder
from emer.bench.report_scores import DataScores, scored, vouched
from emer.errors import ConfigError
from emer.metrics.trusted import scores_at

GOLD = [("a", "sad"), ("b", "sad"), ("c", "happy"), ("d", "happy"), ("e", "angry"), ("f", "angry")]
ROWS = [{"name": name, "labels": [label], "speaker": f"s{i % 3}"} for i, (name, label) in enumerate(GOLD)]
FIRST = [
    said("a", "sad", confidence=0.9, trusted=True),
    said("b", "sad", confidence=0.8, trusted=True),
    said("c", "happy", confidence=0.7, trusted=True),
    said("d", "sad", confidence=0.6, trusted=False),
    said("e", "angry", confidence=0.5, trusted=False, out_of_domain=True),
    failed("f"),
]
SECOND = [
    *(said(name, "sad", statements=(claim("The voice trembles.", "unsupported"),)) for name in "abc"),
    said("d", "sad", statements=(claim("The voice rises.", "grounded"),)),
    said("e", "sad"),
    failed("f", "TooSlow", "took longer than 5 s"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_run(
        tmp_path_factory.mktemp("run") / "run",
        {"mine": (about("mine", "war_uar"), ROWS)},
        {"mine": {"first": FIRST, "composer_second": SECOND}},
        missing={"mine": ["g", "h"]},
        skipped={"meld": "there is no folder of it"},
    )


@pytest.fixture(scope="module")
def found(folder: Path) -> DataScores:
    return scored(read_run_folder(folder))[0]


@pytest.fixture(scope="module")
def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in report(folder)}


def cells(text: str, caption: str, first: str) -> list[str]:
    """The cells of the line that begins with `first` in the Markdown table under a caption."""
    lines = text[text.index(caption) :].splitlines()
    line = next(line for line in lines if line.startswith(f"| {first} |"))
    return [cell.strip().strip("*") for cell in line.split("|")[2:-1]]


def test_a_failed_clip_counts_as_an_answer_without_labels(found: DataScores) -> None:
    # Recalls 2/2 sad, 1/2 happy, 1/2 angry: the clip that failed is an angry one.
    score = found.systems[0].scores["war_uar"]
    assert score.n_scored == 6
    assert score.score == pytest.approx(2 / 3)
    assert score.detail["war"] == pytest.approx(4 / 6)


def test_trusted_clips_stand_against_the_rest(found: DataScores) -> None:
    # Three trusted, all right; of the three others one is right. 4 right in all: F1 = 2*3/(3+4), floor = 2*4/(6+4).
    trust = found.systems[0].trust
    assert (trust.n_trusted, trust.n_silent) == (3, 1)
    assert trust.trusted is not None
    assert trust.rest is not None
    assert trust.trusted.score == 1.0
    assert trust.rest.score == pytest.approx(0.5)  # happy 0/1, angry 1/1: the failed clip says nothing of trust
    assert trust.flags is not None
    assert trust.flags.precision == 1.0
    assert trust.flags.recall == pytest.approx(3 / 4)
    assert trust.flags.coverage == pytest.approx(3 / 5)
    assert trust.flags.floor == pytest.approx(2 * 4 / (5 + 4))


def test_flags_give_the_trusted_scores_of_a_threshold_between_them() -> None:
    rng = np.random.default_rng(3)
    trusted, right = rng.random(50) > 0.4, rng.random(50) > 0.3
    ours, theirs = vouched(trusted, right.astype(float)), scores_at(trusted.astype(float), right, 0.5)
    for name in ("precision", "recall", "f1", "accuracy", "coverage", "floor", "gain"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name)), name


def test_a_half_right_answer_is_half_a_right_one() -> None:
    told = vouched(np.array([True, False]), np.array([0.5, 0.5]))
    assert (told.precision, told.recall, told.f1) == (0.5, 0.5, 0.5)


def test_confidence_ranks_the_clips_that_have_one(found: DataScores) -> None:
    # By confidence: right, right, right, wrong, right. AURC = (0 + 0 + 0 + 1/4 + 1/5) / 5.
    told = found.systems[0].selective
    assert told is not None
    assert told.n == 5
    assert told.aurc == pytest.approx((1 / 4 + 1 / 5) / 5)
    assert found.systems[1].selective is None


def test_two_systems_are_compared_on_the_same_clips(found: DataScores) -> None:
    (gap,) = found.gaps
    assert (gap.first, gap.second) == ("first", "composer_second")
    assert gap.score.score == pytest.approx(2 / 3 - 1 / 3)
    assert gap.score.interval is not None


def test_claims_are_counted_by_status_and_a_composers_are_a_self_test(found: DataScores, texts: dict[str, str]) -> None:
    claims = found.systems[1].claims
    assert claims is not None
    assert (claims.n_claims, claims.n_silent, claims.n_clips) == (4, 1, 5)
    assert claims.shares["grounded"].score == pytest.approx(1 / 4)
    assert found.systems[0].claims is None
    told = cells(texts["report.md"], "percent of all claims (self-test, no result", "composer\\_second")
    assert told[0].startswith("25.0")
    assert "not validated against people" in texts["report.md"]
    assert "Claims by grounding status, percent of all claims:" not in texts["report.md"]


def test_failures_are_told_by_kind_with_their_reasons(texts: dict[str, str]) -> None:
    told = texts["report.md"]
    assert "| first | MediaError | 1 | no sound |" in told
    assert "| composer\\_second | TooSlow | 1 | took longer than 5 s |" in told


def test_what_was_not_scored_is_said(texts: dict[str, str]) -> None:
    told = texts["report.md"]
    assert "6 clips asked about of 8 rows; 2 clips not there" in told
    assert "verified: false" in told
    assert "Intervals resample 3 speakers; with so few they are too narrow." in told
    assert cells(told, "a failed clip counts", "first") == ["5", "1", "0", "5", "1 (16.7 %)", "0.50"]


def test_a_constant_answer_is_a_line_of_its_own(texts: dict[str, str]) -> None:
    # The majority label alone gives recalls 1, 0, 0, which is also what the second system says.
    floor = next(line for line in texts["report.md"].splitlines() if line.startswith("| always majority"))
    assert "33.33" in floor
    assert "floor" in floor


def test_the_confusion_counts_gold_in_rows(texts: dict[str, str]) -> None:
    assert cells(texts["report.md"], "first: gold in rows", "angry")[-1] == "0.500"
    assert cells(texts["report.md"], "first: gold in rows", "happy")[-1] == "0.500"


def test_results_hold_every_number_for_programs(texts: dict[str, str], found: DataScores) -> None:
    told: dict[str, Any] = json.loads(texts["results.json"])
    assert told["command"] == COMMAND
    assert told["not_run"] == {"meld": "there is no folder of it"}
    assert {"python", "numpy", "emer", "commit"} <= set(told["environment"])
    mine = told["data"]["mine"]
    assert mine["record"]["sha256"] == "ab" * 32
    first = mine["systems"]["first"]
    assert first["scores"]["war_uar"]["score"] == pytest.approx(2 / 3)
    assert first["scores"]["war_uar"]["interval"] == list(found.systems[0].scores["war_uar"].interval or ())
    assert first["failures"] == {"MediaError": 1}
    assert mine["differences"][0]["difference"] == pytest.approx(1 / 3)


def test_the_same_folder_gives_the_same_report(folder: Path, texts: dict[str, str]) -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in report(folder)} == texts


def test_a_run_that_is_not_finished_is_scored_on_what_is_there(tmp_path: Path) -> None:
    folder = made_run(tmp_path, {"mine": (about("mine", "war_uar"), ROWS)}, {"mine": {"first": FIRST[:3]}})
    with open(folder / "predictions" / "mine" / "first.jsonl", "a") as file:
        file.write('{"name": "d", "emo')  # killed while it wrote
    (one,) = scored(read_run_folder(folder))
    assert one.systems[0].scores["war_uar"].n_scored == 3
    told = report(folder)[1].read_text(encoding="utf-8")
    assert "Unfinished: first." in told
    assert cells(told, "a failed clip counts", "first")[:3] == ["3", "0", "3"]


def test_a_metric_that_cannot_be_computed_is_told_with_its_reason(tmp_path: Path) -> None:
    rows = [{"name": "a", "explanation": "She smiles."}]
    folder = made_run(tmp_path, {"mine": (about("mine", "sentiment"), rows)}, {"mine": {"one": [said("a", "happy")]}})
    (one,) = scored(read_run_folder(folder))
    assert "no sentiment to score against" in one.systems[0].refused["sentiment"]
    assert "no sentiment to score against" in report(folder)[1].read_text(encoding="utf-8")


def test_without_a_bootstrap_no_interval_is_shown(tmp_path: Path) -> None:
    sets = {"mine": (about("mine", "war_uar"), ROWS)}
    told = report(made_run(tmp_path, sets, {"mine": {"first": FIRST, "composer_second": SECOND}}, bootstrap=0))
    text = told[1].read_text(encoding="utf-8")
    assert "No intervals were asked for." in text
    assert cells(text, "percent of all claims", "composer\\_second")[0] == "25.0"
    assert cells(text, "Paired differences", "first − composer\\_second")[1:] == ["–", "6", "no interval was asked for"]


def test_explanations_are_held_against_those_that_people_wrote(tmp_path: Path) -> None:
    rows = [{"name": n, "labels": ["happy"], "explanation": text} for n, text in (("a", "She smiles."), ("b", "No."))]
    answers = [said("a", "happy", explanation="She smiles."), said("b", "happy", explanation="No.")]
    folder = made_run(tmp_path, {"mine": (about("mine", "war_uar"), rows)}, {"mine": {"one": answers}})
    (one,) = scored(read_run_folder(folder))
    assert {score.metric: score.score for score in one.systems[0].explanations}["chrf"] == pytest.approx(1.0)
    assert "Against reference explanations" in report(folder)[1].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("made", "said_of_it"),
    [(False, "holds no run: there is no config.resolved.yaml"), (True, "holds no answers yet")],
)
def test_a_folder_without_a_run_is_refused(tmp_path: Path, made: bool, said_of_it: str) -> None:
    if made:
        made_run(tmp_path, {"mine": (about("mine", "war_uar"), ROWS)}, {})
        config = (tmp_path / "config.resolved.yaml").read_text()
        (tmp_path / "config.resolved.yaml").write_text(config.replace("systems: []", "systems: [{name: one}]"))
    with pytest.raises(ConfigError, match=said_of_it):
        report(tmp_path)


def test_a_damaged_gold_file_is_named_with_its_line(tmp_path: Path) -> None:
    folder = made_run(tmp_path, {"mine": (about("mine", "war_uar"), ROWS)}, {"mine": {"first": FIRST}})
    (folder / "gold" / "mine.jsonl").write_text('{"name": "a"}\n{"labels": 3}\n')
    with pytest.raises(ConfigError, match=r"mine\.jsonl, line 2"):
        report(folder)
