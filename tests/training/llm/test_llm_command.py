"""`emer train` for a language model, from the command line to an adapter that explains a clip."""

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from llm_runs import command, configuration, losses, manifest
from tiny_folders import tiny

from emer.adapters.files import read_adapter, read_heads
from emer.adapters.record import AdapterRecord, ShownRecord
from emer.backbones.loading import load
from emer.cli import main
from emer.emotions import label_set
from emer.engines.transformers_engine import Transformers
from emer.evidence.opinion import vacuous
from emer.evidence.rows import row_hashes
from emer.media import open as open_media
from emer.prompts import prompt
from emer.training.llm.configuration import read_llm_config
from emer.types import Caps, Clip, Clues, Request

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run with heads of views, of a model that listens; what it printed stands in `printed`."""
    folder = tmp_path_factory.mktemp("command")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMER_CACHE", str(folder / "cache"))
        manifest(folder, sound=True)
        configuration(
            folder,
            views=["audio", "text"],
            evaluation={"generate": 1, "max_new_tokens": 4, "every": 1},
            verdict={"label_map": {"glorpish": "happy"}},
            caps={"seconds": 0.3},
        )
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            assert main(command(folder, family="qwen2_5_omni")) == 0
        (folder / "printed").write_text(said.getvalue())
    return folder


def record_of(run: Path) -> AdapterRecord:
    return read_adapter(run / "run" / "adapter").record


def test_a_run_leaves_what_is_needed_to_use_and_to_judge_it(run: Path) -> None:
    names = {path.name for path in (run / "run").iterdir()}
    assert names >= {"config.resolved.yaml", "log.jsonl", "adapter", "results.json", "loss.png", "checkpoints"}
    assert (run / "run" / "loss.png").read_bytes().startswith(b"\x89PNG")
    resolved = yaml.safe_load((run / "run" / "config.resolved.yaml").read_text())
    assert (resolved["task"], resolved["verdict"]["prior_weight"], resolved["lora"]["rank"]) == ("llm", 0.8, 4)
    results = json.loads((run / "run" / "results.json").read_text())
    assert results["clips"] == {"train": 8, "validation": 2}
    assert (results["steps"], len(results["course"])) == (8, 2)
    assert set(results["validation"]) == {"text_loss", "loss", "nll", "accuracy", "aurc", "in_form", "wheel_f1"}
    assert len(losses(run)) == 8
    assert all({"view_audio", "view_text", "fused"} <= line.keys() for line in losses(run).values())


def test_its_last_lines_say_where_the_adapter_is_and_what_comes_next(run: Path) -> None:
    lines = (run / "printed").read_text().splitlines()
    adapter, base = run / "run" / "adapter", tiny("qwen2_5_omni")
    assert lines[0].startswith("8 train, 2 validation clips; 8 steps; kept is the state of step ")
    assert f"adapter: {adapter} (loaded again and proved live" in lines[-4]
    assert lines[-2] == f"  emer calibrate {adapter} model={base} data=CLIPS_THAT_TRAINING_HAS_NOT_SEEN.jsonl"
    assert lines[-1] == f"  emer explain CLIP --model {base} --adapter {adapter}"


def test_the_adapter_says_what_it_was_trained_on_and_with(run: Path) -> None:
    record = record_of(run)
    assert record.verdict is not None
    assert (record.verdict.spec.label_set, record.verdict.spec.weight) == ("emer8", 0.8)
    assert record.verdict.rows == load(tiny("qwen2_5_omni")).verdict_rows(8)
    assert record.prompt == prompt("explain", "en").record
    assert record.base.name == "qwen2_5_omni"
    assert str(run) not in record.base.name
    assert set(row_hashes([f"clip{i}" for i in range(10)])) <= set(record.trained_rows)
    assert len(record.trained_rows) == 20  # each clip by its name and by its content
    assert record.seed == 0
    assert record.verdict.label_map == {"glorpish": "happy"}
    assert record.shown == ShownRecord(frames="full", caps=Caps(seconds=0.3))
    # by hand: of clips 8 and 9 both have a label and clip 9 an explanation, and one is answered in full
    counts = {name: said.partition(" (n = ")[2].removesuffix(", validation)") for name, said in record.figures.items()}
    assert {"loss": "2", "nll": "2", "accuracy": "2", "text loss": "1", "in form": "1"}.items() <= counts.items()
    assert record.probe is not None
    assert str(run) not in (run / "run" / "adapter" / "adapter_config.json").read_text()


def test_heads_of_views_travel_in_the_adapter(run: Path) -> None:
    heads = read_heads(run / "run" / "adapter")
    assert heads is not None
    assert heads.network.views == ("audio", "text")
    assert heads.record.spec.weight == 0.8
    assert len(heads.record.spec.features["text"]) == 16
    assert heads.record.trained_rows == record_of(run).trained_rows


def test_the_adapter_explains_a_clip(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adapter, base = run / "run" / "adapter", tiny("qwen2_5_omni")
    assert main(["explain", str(run / "tone1.wav"), "--model", str(base), "--adapter", str(adapter), "--json"]) == 0
    explained = json.loads(capsys.readouterr().out)
    assert explained["opinions"]["verdict"]["trained"]
    assert explained["opinions"]["verdict"]["label_set"] == "emer8"
    assert explained["confidence"] is None


def test_a_dry_run_says_what_would_be_trained_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hand count: rank 4 on seven projections of two layers of 128 and 256 numbers, and eight rows of 128."""
    manifest(tmp_path)
    configuration(tmp_path)
    assert main(command(tmp_path, "--dry-run")) == 0
    said = capsys.readouterr().out
    hidden, inner = 128, 256
    lora = 2 * 4 * (4 * (hidden + hidden) + 3 * (hidden + inner))
    assert f"{lora + 8 * hidden:,}" in said
    assert said.count("They say that they are here") >= 1
    assert not (tmp_path / "run").exists()


def test_a_folder_with_a_run_is_not_trained_over(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(run, family="qwen2_5_omni")) == 2
    assert "holds a run; continue it with --resume" in capsys.readouterr().err
    assert main(command(run, "lora.rank=8", "lora.alpha=16", "--resume", family="qwen2_5_omni")) == 2
    assert "holds a run with another configuration (lora was" in capsys.readouterr().err


@pytest.mark.long
def test_other_data_do_not_continue_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest(tmp_path)
    configuration(tmp_path, schedule={"most_steps": 1})
    assert main(command(tmp_path)) == 0
    manifest(tmp_path, training=6)
    assert main(command(tmp_path, "--resume")) == 2
    assert "was begun with other data; give the same" in capsys.readouterr().err


@pytest.mark.long
def test_without_a_verdict_the_adapter_is_proved_by_its_states(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest(tmp_path)
    configuration(tmp_path, verdict=None, schedule={"most_steps": 2}, evaluation={"choose_by": "text_loss"})
    assert main(command(tmp_path)) == 0
    assert "emer calibrate" not in capsys.readouterr().out
    assert read_adapter(tmp_path / "run" / "adapter").record.verdict is None


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_configuration_is_read_by_name_and_opens_with_its_command(path: Path) -> None:
    config = read_llm_config(path.stem)
    assert config == read_llm_config(path) == read_llm_config(f"configs/{path.name}")
    assert config.base
    first = path.read_text().splitlines()[0]
    assert f"train configs/{path.name} data=clips.jsonl" in first
    assert config.lora.alpha / config.lora.rank in (0.5, 1.0, 2.0, 4.0)


def test_the_configuration_of_nano_speaks_as_the_shipped_heads_do() -> None:
    spec = read_llm_config("nano_lora").verdict.spec  # type: ignore[union-attr]
    assert (spec.label_set, spec.kind, spec.weight) == ("emer8", "dirichlet", 0.8)


@pytest.mark.long
def test_beta_verdicts_over_a_wheel_are_trained_by_the_same_command(tmp_path: Path) -> None:
    manifest(tmp_path)
    verdict = {"label_set": "ring1/plutchik", "kind": "beta", "prior_weight": None}
    configuration(tmp_path, verdict=verdict, schedule={"most_steps": 2, "checkpointing": True})
    assert main(command(tmp_path)) == 0
    found = read_adapter(tmp_path / "run" / "adapter").record.verdict
    assert found is not None
    assert found.spec.kind == "beta"
    assert len(found.rows) == 2 * len(found.spec.labels)
    assert torch.isfinite(torch.tensor([line["loss"] for line in losses(tmp_path).values()])).all()


def test_an_engine_shows_the_model_what_training_showed_it_and_reads_labels_as_training_did(run: Path) -> None:
    engine = Transformers(model=str(tiny("qwen2_5_omni")), adapter=str(run / "run" / "adapter"), device="cpu")
    whole, cut = (list(engine_of.answer([request_of(run)])) for engine_of in (replace(engine, caps=Caps()), engine))
    assert [notice.code for notice in whole[0].warnings if notice.code == "model_seconds_capped"] == []
    assert "the model is given the first 0.3 s of 0.5 s" in [notice.text for notice in cut[0].warnings]
    assert engine.tuned.cluster("glorpish") == "happy"  # no table knows the word


def request_of(run: Path) -> Request:
    clip = Clip(str(run / "tone0.wav"))
    media = open_media(clip)
    return Request(media, Clues(items=(), features={}), media.facts.span, {}, vacuous("emer8", label_set("emer8")))
