"""The page that people copy from: its losses are those of `emer train`, and its adapter is one like any other."""

import ast
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import torch
from clips import make_clip, tone
from tiny_folders import tiny

from emer.adapters.files import read_adapter
from emer.adapters.proof import prove_in_transformers
from emer.backbones.loading import load
from emer.cli import main
from emer.training.llm.configuration import LlmConfig, read_llm_config
from emer.training.llm.running import joint_of, loader_of, prepare

PAGE = Path(__file__).parents[2] / "examples" / "finetune_peft.py"
SETTINGS = """
task: llm
lora: {rank: 16, alpha: 32, dropout: 0.0}
schedule: {epochs: 3, batch_size: 1, accumulation: 2, group_by_length: false, precision: float32}
"""
"""The page's own settings in the words of `emer train`; all else is that command's defaults, modality dropout too."""


@pytest.fixture(scope="module")
def page() -> Iterator[ModuleType]:
    """The page as a module, with two clips a step and without LoRA's own dropout: two loops draw otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    made = importlib.util.spec_from_file_location("finetune_peft", PAGE)
    assert made is not None
    assert made.loader is not None
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    module.CLIPS_A_STEP, module.LORA_DROPOUT = 2, 0.0
    yield module
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five clips to learn from, among them one without labels, one without an explanation and one with a word that no
    wheel knows; and one to validate on."""
    folder = tmp_path_factory.mktemp("clips")
    make_clip(folder / "face.mp4", 1.0)
    for name, pitch in (("low", 110.0), ("high", 440.0), ("middle", 220.0), ("held", 300.0)):
        make_clip(folder / f"{name}.wav", 1.0, sound=tone(pitch), picture=None)
    rows = [
        {"path": "face.mp4", "labels": ["happy", "Calm"], "explanation": "A steady tone, and a grey picture."},
        {"path": "low.wav", "labels": ["sad"], "explanation": "The voice is low [a1]. Somebody is at rest."},
        {"path": "high.wav", "explanation": "The tone is high, and nobody speaks."},
        {"path": "middle.wav", "labels": ["angry"], "text": "Enough!"},
        {"path": "middle.wav", "labels": ["xyzzy"], "explanation": "Nobody can tell.", "start": 0.0, "end": 0.5},
        {"path": "held.wav", "labels": ["fear"], "explanation": "A tone.", "split": "validation"},
    ]
    lines = [{"id": f"clip {i}", "split": "train", "text": "I see.", **row} for i, row in enumerate(rows)]
    (folder / "clips.jsonl").write_text("".join(json.dumps(line) + "\n\n" for line in lines))
    return folder / "clips.jsonl"


@dataclass(frozen=True)
class Ran:
    """What the page gave."""

    course: list[tuple[float, float]]
    adapter: Path


@pytest.fixture(scope="module")
def ran(page: ModuleType, manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The page's training of the tiny omni model."""
    folder = tmp_path_factory.mktemp("ran")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMER_CACHE", str(folder / "cache"))
        course = page.train(str(tiny()), str(manifest), str(folder / "adapter"))
    return Ran(course, folder / "adapter")


def by_emer_train(folder: Path, base: Path, manifest: Path) -> list[tuple[float, float]]:
    """Text and verdict loss of each step of the command's own trainer."""
    from emer.training.llm.trainer import JointTrainer

    folder.mkdir()
    (folder / "settings.yaml").write_text(SETTINGS)
    config: LlmConfig = read_llm_config(folder / "settings.yaml", [f"base={base}", f"data={manifest}"])
    prepared = prepare(config, folder)
    joint, collator = joint_of(config, prepared)
    JointTrainer(joint, config, loader_of(config, prepared, collator), folder).train()
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [(line["text"], line["verdict"]) for line in log if "loss" in line]


def test_its_losses_are_those_of_emer_train_step_by_step(ran: Ran, manifest: Path, tmp_path: Path) -> None:
    """Five clips, two a step, three epochs: nine steps, with media, clue sentences and words withheld at random."""
    theirs = by_emer_train(tmp_path / "run", tiny(), manifest)
    assert len(ran.course) == len(theirs) == 9
    for step, (one, other) in enumerate(zip(ran.course, theirs, strict=True)):
        assert one == pytest.approx(other, abs=1e-5), f"step {step + 1}"
    verdicts = [verdict for _, verdict in ran.course if verdict > 0]
    assert verdicts[-1] < verdicts[0] - 0.1  # or the equality would be one of models that learn nothing


@pytest.mark.long
def test_a_text_model_has_the_losses_of_emer_train_too(page: ModuleType, manifest: Path, tmp_path: Path) -> None:
    ours = page.train(str(tiny("text_clues")), str(manifest), str(tmp_path / "adapter"))
    theirs = by_emer_train(tmp_path / "run", tiny("text_clues"), manifest)
    assert len(ours) == len(theirs) == 9
    for step, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        assert one == pytest.approx(other, abs=1e-5), f"step {step + 1}"


def test_the_text_loss_is_the_one_that_transformers_computes_from_all_logits(page: ModuleType, manifest: Path) -> None:
    """Oracle: the loss of the model itself, the mean over the answer's tokens."""
    backbone = load(tiny(), dtype=torch.float32)
    spec = page.default_spec(page.LABEL_SET)
    examples = list(page.read_examples(manifest, page.LabelMap(spec)))
    head = page.VerdictHead(backbone.hidden_size, spec)
    for example in examples[:2]:
        batch = page.encoded(backbone, example, 0)
        with torch.no_grad():
            text, _ = page.losses(backbone, head, batch, example)
            whole = backbone.model(**batch.inputs, labels=batch.labels).loss
        assert float(text) / int((batch.labels != -100).sum()) == pytest.approx(float(whole), abs=1e-5)


def test_its_adapter_is_exported_and_live(ran: Ran, tmp_path: Path) -> None:
    record = read_adapter(ran.adapter).record
    served = load(tiny(), dtype=torch.float32, adapter=ran.adapter)
    assert prove_in_transformers(served.model, record).error < 1e-3
    assert (record.base.name, record.data) == ("qwen2_5_omni", "clips")
    assert len(record.trained_rows) == 5
    words = ["--to", "vllm", "--base", str(tiny()), "--out", str(tmp_path / "vllm")]
    assert main(["export", str(ran.adapter), *words]) == 0


def test_the_page_is_one_and_a_half_hundred_lines_at_most_and_leans_on_no_trainer() -> None:
    text = PAGE.read_text()
    assert len(text.splitlines()) <= 150
    imported = {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
    assert not {"emer.training.llm.trainer", "emer.training.llm.joint_model", "emer.training.llm.running"} & imported
    assert "Trainer" not in text


@pytest.mark.long
def test_without_arguments_it_says_how_it_is_called() -> None:
    done = subprocess.run([sys.executable, str(PAGE)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "python examples/finetune_peft.py Qwen/Qwen2.5-Omni-7B clips.jsonl my_adapter" in done.stderr
    assert "Traceback" not in done.stderr
