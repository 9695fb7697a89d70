"""A report of texts that are not plain, of data sets that lie where only the environment says, of engines with bugs."""

import json
from pathlib import Path

import pytest
from made_run import about, failed, made_run, said

from emer.bench.report import report
from emer.bench.report_run import read_run_folder
from emer.bench.report_scores import scored
from emer.bench.report_worst import clips_of


def test_line_separators_inside_a_text_end_no_line_of_json(tmp_path: Path) -> None:
    """U+2028, U+0085 and the form feed end lines for `str.splitlines`, and none in JSON lines (RFC 8259, section 7)."""
    text = "he\u2028frowns\u0085and\x0csighs"
    folder = made_run(
        tmp_path,
        {"mine": (about("mine", "war_uar"), [{"name": "a\u2028b", "labels": ["sad"], "explanation": text}])},
        {"mine": {"one": [said("a\u2028b", "sad")]}},
    )
    for path in [*folder.glob("gold/*"), *folder.glob("predictions/*/*"), *folder.glob("timings/*/*")]:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    assert read_run_folder(folder).data[0].gold[0].explanation == text
    report(folder)


def test_a_data_set_that_only_the_environment_names_is_found_for_its_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = tmp_path / "all" / "ovmerd_plus"
    release.mkdir(parents=True)
    (release / "ovlabel.csv").write_text("name,openset\nclip_1,\"['sad']\"\n")
    (release / "subtitle_eng.csv").write_text("name,sentence\nclip_1,I am fine\n")
    monkeypatch.setenv("EMER_DATA", str(tmp_path / "all"))
    rows = [{"name": "clip_1", "labels": ["sad"]}]
    folder = made_run(
        tmp_path / "run",
        {"ovmerd_plus": (about("ovmerd_plus", "wheel_f1"), rows)},
        {"ovmerd_plus": {"one": [said("clip_1", "happy")]}},
    )
    run = read_run_folder(folder)
    assert clips_of(run, run.data[0])["clip_1"].said == "I am fine"


def test_a_bug_of_an_engine_costs_its_page_and_not_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = tmp_path / "one.wav"
    clip.write_bytes(b"RIFF")
    manifest = tmp_path / "mine.jsonl"
    manifest.write_text(json.dumps({"path": str(clip), "id": "one", "labels": ["sad"]}) + "\n")

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("emer.explain.Explainer.explain", broken)
    folder = made_run(
        tmp_path / "run",
        {"mine": (about("mine", "war_uar"), [{"name": "one", "labels": ["sad"]}])},
        {"mine": {"composer": [said("one", "happy")]}},
        manifests={"mine": manifest},
    )
    assert "RuntimeError: a bug" in report(folder)[1].read_text(encoding="utf-8")


def test_a_small_draw_is_scored_in_the_label_set_of_its_data_set(tmp_path: Path) -> None:
    """Two clips of IEMOCAP's six classes, both sad: by the gold of the draw alone an answer of "frustrated" would be
    mapped to the angry of four classes, and the floor would be that of another task."""
    rows = [{"name": name, "labels": [label]} for name, label in (("a", "sad"), ("b", "angry"))]
    folder = made_run(
        tmp_path,
        {"iemocap6": (about("iemocap6", "war_uar", label_set="iemocap6"), rows)},
        {"iemocap6": {"one": [said("a", "sad"), said("b", "frustrated")]}},
    )
    (found,) = scored(read_run_folder(folder))
    score = found.systems[0].scores["war_uar"]
    assert score.score == 0.5
    assert "labels are mapped to labels of iemocap6, others by their emer8 cluster" in score.detail["notes"]
    assert "frustrated" in report(folder)[1].read_text(encoding="utf-8").split("gold in rows")[1]


@pytest.mark.parametrize("gold", [{"labels": ["qwertz"]}, {"labels": ["🎉", "情感" * 200]}, {}])
@pytest.mark.parametrize("metric", ["wheel_f1", "hit_rate", "war_uar", "sentiment", "jaccard"])
def test_gold_that_no_metric_knows_is_reported_without_a_score(tmp_path: Path, metric: str, gold: dict) -> None:
    folder = made_run(
        tmp_path,
        {"mine": (about("mine", metric), [{"name": name, **gold} for name in "abc"])},
        {"mine": {"one": [said(name, "sad", confidence=0.5) for name in "abc"], "two": [said("a", "happy")]}},
    )
    assert "## Made set mine" in report(folder)[1].read_text(encoding="utf-8")


def test_failures_that_count_as_right_are_told(tmp_path: Path) -> None:
    """Where no emotion holds, an answer without labels is right (Jaccard of two empty sets), and a failure is one."""
    folder = made_run(
        tmp_path,
        {"mine": (about("mine", "jaccard"), [{"name": "a", "labels": ["sad"]}, {"name": "b"}, {"name": "c"}])},
        {"mine": {"one": [said("a", "sad"), failed("b"), said("c", "sad")]}},
    )
    page = report(folder)[1].read_text(encoding="utf-8")
    assert "one: 1 of its failures are on clips without a gold label, and count as right." in page
