"""The task of OV-MERD+ loads as lmms-eval loads it, and scores real answers as the original scorer does."""

import csv
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from emer.emotions.parsing import published
from emer.errors import ConfigError, OutputError
from emer.integrations.lmms_eval import ROWS, path, prepare
from emer.integrations.lmms_eval.__main__ import main

SCRIPT = """
import csv, json, sys
from lmms_eval.tasks import TaskManager, get_task_dict

manager = TaskManager(include_path=sys.argv[1], include_defaults=False)
task = get_task_dict(["ovmerd_plus"], manager)["ovmerd_plus"]
answers = {row["name"]: row["openset"] for row in csv.DictReader(open(sys.argv[2]))}
items = {}
for doc in task.eval_docs:
    text = "The voice trembles.\\n\\nEmotions: " + answers[doc["name"]]
    for metric, item in task.process_results(doc, [text]).items():
        items.setdefault(metric, []).append(item)
doc = task.task_docs[0]
found = {metric: task.aggregation()[metric](items[metric]) for metric in items}
print(json.dumps({
    "scores": found, "n": len(task.eval_docs), "text": task.doc_to_text(doc), "visual": task.doc_to_visual(doc),
    "target": task.doc_to_target(doc), "better": task.higher_is_better(),
    "until": task.config.generation_kwargs["until"],
}))
"""


def read(file: Path) -> dict[str, str]:
    with file.open(encoding="utf-8") as lines:
        return {row["name"]: row.get("label") or row["openset"] for row in csv.DictReader(lines)}


@pytest.fixture
def release(tmp_path: Path, real_data: Path) -> Path:
    """A release with the real labels, empty clips and one subtitle."""
    folder = tmp_path / "ovmerdplus-process"
    (folder / "video").mkdir(parents=True)
    gold = read(real_data / "parity" / "ovmerdplus.gold.csv")
    with (folder / "ovlabel.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("name", "openset"), *gold.items()])
    for name in gold:
        (folder / "video" / f"{name}.mp4").touch()
    (folder / "subtitle_eng.csv").write_text(f'name,sentence\n{next(iter(gold))},"What is it?"\n')
    return folder


@pytest.fixture
def task(release: Path, tmp_path: Path) -> Path:
    return prepare(release, tmp_path / "tasks")


def loaded(folder: Path) -> tuple[dict[str, Any], ModuleType]:
    """The configuration with `!function file.name` resolved as lmms-eval does: from files beside it."""
    spec = importlib.util.spec_from_file_location("task_functions", folder / "utils.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    class Loader(yaml.SafeLoader):
        pass

    def function(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Callable[..., Any]:
        file, name = str(loader.construct_scalar(node)).split(".")
        assert (folder / f"{file}.py").is_file()
        found: Callable[..., Any] = getattr(module, name)
        return found

    Loader.add_constructor("!function", function)
    return yaml.load((folder / "ovmerd_plus.yaml").read_text(), Loader), module


# ---------------------------------------------------------------- the folder that ships


def test_every_metric_that_the_task_lists_is_given_for_each_answer_and_has_an_aggregation() -> None:
    config, module = loaded(Path(path()))
    doc = {"name": "clip", "video": "clip.mp4", "subtitle": "", "openset": ["sad"]}
    given = config["process_results"](doc, ["Emotions: [sad]"])
    assert [metric["metric"] for metric in config["metric_list"]] == list(given) == list(module.METRICS)
    assert all(callable(metric["aggregation"]) for metric in config["metric_list"])
    assert all(0 <= metric["aggregation"]([given[metric["metric"]]] * 1) <= 1 for metric in config["metric_list"][:1])


def test_the_question_holds_the_words_that_are_said_and_nothing_of_the_truth() -> None:
    config, _ = loaded(Path(path()))
    doc = {"name": "clip_7", "video": "/data/clip_7.mp4", "subtitle": "What is it?", "openset": ["nostalgic"]}
    text = config["doc_to_text"](doc, {"pre_prompt": "<", "post_prompt": ">"})
    assert text.startswith("<What is said: What is it?\n")
    assert text.endswith(">")
    assert not any(word in text for word in ("clip_7", "/data", "nostalgic"))
    assert config["doc_to_visual"](doc) == ["/data/clip_7.mp4"]


def test_labels_are_read_from_the_last_line_of_an_explanation() -> None:
    _, module = loaded(Path(path()))
    doc = {"name": "clip", "openset": ["sad"]}
    answer = 'She does not look happy [v1].\n\nEmotions: ["Sad", "lonely"]'
    assert module.process_results(doc, [answer])["wheel_f1"]["labels"] == ["sad", "lonely"]


def test_one_right_answer_of_two_scores_what_hand_and_pencil_give(monkeypatch: pytest.MonkeyPatch) -> None:
    """Precision and recall are means over clips: (1 + 0) / 2 each, so F1 is a half on every wheel."""
    monkeypatch.delenv("EMER_WHEELS", raising=False)
    _, module = loaded(Path(path()))
    items = [
        module.process_results({"name": name, "openset": gold}, [answer])["wheel_f1"]
        for name, gold, answer in (("a", ["sad"], "[sad]"), ("b", ["angry"], "[]"))
    ]
    assert module.wheel_f1(items) == pytest.approx(0.5)
    assert module.wheel_f1_low(items) <= 0.5 <= module.wheel_f1_high(items)


# ---------------------------------------------------------------- with real rows


@pytest.mark.parametrize("run", ["ep50", "ep35"])
def test_real_answers_score_as_in_the_original_scorer(
    task: Path, real_data: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMER_WHEELS", str(real_data / "wheels" / "2025"))
    _, module = loaded(task)
    answers = read(real_data / "parity" / f"ovmerdplus.{run}.pred.csv")
    docs = [json.loads(line) for line in (task / ROWS).read_text(encoding="utf-8").splitlines()]
    items = [
        module.process_results(doc, [f"So it seems.\nEmotions: {answers[doc['name']]}"])["wheel_f1"] for doc in docs
    ]
    expected = json.loads((real_data / "parity" / "expected.json").read_text())["2025"]["ovmerdplus"][run][0]
    assert len(items) == 532
    assert 100 * module.wheel_f1(items) == pytest.approx(expected, abs=1e-6)
    assert module.wheel_f1_floor(items) < module.wheel_f1_low(items) < module.wheel_f1(items)


def test_lmms_eval_itself_loads_and_scores_the_task(task: Path, tmp_path: Path, real_data: Path) -> None:
    """In a process of its own, without a network and without a model."""
    if importlib.util.find_spec("lmms_eval") is None:
        pytest.skip("lmms-eval is not installed")
    answers = real_data / "parity" / "ovmerdplus.ep50.pred.csv"
    offline = dict.fromkeys(("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"), "1") | {"HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(task.parent), str(answers)],
        env={**os.environ, **offline, "EMER_WHEELS": str(real_data / "wheels" / "2025")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    expected = json.loads((real_data / "parity" / "expected.json").read_text())["2025"]["ovmerdplus"]["ep50"][0]
    assert found["n"] == 532
    assert 100 * found["scores"]["wheel_f1"] == pytest.approx(expected, abs=1e-6)
    assert found["text"].startswith("What is said: What is it?\nHow does the person")
    assert found["visual"][0].endswith(".mp4")
    assert isinstance(found["target"], list)
    assert (found["better"]["wheel_f1"], found["better"]["unknown_share"], found["until"]) == (True, False, [])


def test_rows_hold_what_the_release_says(task: Path, real_data: Path) -> None:
    rows = [json.loads(line) for line in (task / ROWS).read_text(encoding="utf-8").splitlines()]
    gold = read(real_data / "parity" / "ovmerdplus.gold.csv")
    assert {row["name"]: row["openset"] for row in rows} == {name: published(cell) for name, cell in gold.items()}
    assert [row["subtitle"] for row in rows[:2]] == ["What is it?", ""]
    assert all(Path(row["video"]).is_file() for row in rows)


def test_an_incomplete_release_is_refused_in_one_line(
    release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    next((release / "video").iterdir()).unlink()
    with pytest.raises(ConfigError, match="1 of 532 clips are missing"):
        prepare(release, tmp_path / "tasks")
    assert main([str(release), str(tmp_path / "tasks")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_refused(release: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        prepare(release, tmp_path / "taken")


def test_the_command_says_how_to_go_on(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(release), str(tmp_path / "tasks")]) == 0
    assert "--tasks ovmerd_plus" in capsys.readouterr().out
