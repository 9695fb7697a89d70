"""`emer export`: what it writes is what servers read, does what the trained adapter does, or is not there."""

import json
import shutil
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from adapted_models import Adapted, adapt
from safetensors.torch import load_file, save_file
from tiny_folders import tiny

from emer.adapters.files import read_adapter, read_heads, write_adapter
from emer.backbones.opening import transformers
from emer.cli import main
from emer.engines.tuned import tuned
from emer.evidence.head_files import HeadRecord, TrainedHeads
from emer.evidence.heads import HeadSpec, MultiViewHeads
from emer.evidence.verdict_spec import VerdictSpec

MOOD = VerdictSpec(label_set="mood", labels=("good", "bad", "flat"))
PROMPT, OTHER_PROMPT = (5, 17, 2, 44, 61), (3, 71, 8)
CLASSES = {
    "qwen2_5_omni": "Qwen2_5OmniThinkerForConditionalGeneration",
    "qwen3_omni": "Qwen3OmniMoeThinkerForConditionalGeneration",
    "gemma4": "Gemma4ForConditionalGeneration",
    "text_clues": "Qwen2ForCausalLM",
}
OMNI = ("qwen2_5_omni", "qwen3_omni")
pytestmark = pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`:UserWarning")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Adapted]:
    """An adapter on every family's tiny model; not to be changed."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("trained")
    return {family: adapt(tiny(family), folder / family, MOOD, probe=PROMPT) for family in CLASSES}


def export(one: Adapted, out: Path, *form: str, base: Path | None = None) -> int:
    return main(["export", str(one.adapter), *form, "--base", str(base or one.model), "--out", str(out)])


def stock(family: str, folder: Path) -> Any:
    """As transformers alone loads it."""
    return getattr(transformers(), CLASSES[family]).from_pretrained(folder, dtype=torch.float32).eval()


def logits(model: Any, prompt: tuple[int, ...]) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=torch.tensor([prompt])).logits[0, -1]
    return found


def in_stock_peft(family: str, one: Adapted, prompt: tuple[int, ...]) -> torch.Tensor:
    return logits(peft.PeftModel.from_pretrained(stock(family, one.model), one.adapter).eval(), prompt)


def left_behind(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---------------------------------------------------------------- vLLM's names


@pytest.mark.parametrize("family", ["qwen2_5_omni", "qwen3_omni", "text_clues"])
def test_lora_that_is_added_to_the_checkpoint_s_tensors_of_the_same_names_gives_the_trained_model(
    family: str, trained: dict[str, Adapted], tmp_path: Path
) -> None:
    """Oracle: what vLLM does with an adapter, by hand on the files; then stock transformers, and stock PEFT."""
    one = trained[family]
    assert export(one, tmp_path / "vllm", "--to", "vllm") == 0
    config = json.loads((tmp_path / "vllm" / "adapter_config.json").read_text())
    lora = load_file(tmp_path / "vllm" / "adapter_model.safetensors")
    shutil.copytree(one.model, tmp_path / "base")
    weights = load_file(one.model / "model.safetensors")
    tied = "lm_head.weight" if family == "text_clues" else None
    if tied:  # the checkpoint has the embedding alone
        weights[tied] = weights["model.embed_tokens.weight"].clone()
    for name in [name for name in lora if name.endswith("lora_A.weight")]:
        module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        a, b = lora[name], lora[name.replace("lora_A", "lora_B")]
        weights[f"{module}.weight"] += config["lora_alpha"] / config["r"] * (b @ a)
    save_file(weights, tmp_path / "base" / "model.safetensors", metadata={"format": "pt"})
    if tied:
        changed = json.loads((tmp_path / "base" / "config.json").read_text()) | {"tie_word_embeddings": False}
        (tmp_path / "base" / "config.json").write_text(json.dumps(changed))
    served = stock(family, tmp_path / "base")
    for prompt in (PROMPT, OTHER_PROMPT):
        assert torch.allclose(logits(served, prompt), in_stock_peft(family, one, prompt), atol=1e-4)
    probe = read_adapter(one.adapter).record.probe
    assert probe is not None
    assert logits(served, PROMPT)[list(one.rows)].tolist() == pytest.approx(probe.logits, abs=1e-4)


def test_it_says_how_near_the_verdict_came(
    trained: dict[str, Adapted], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(trained["qwen2_5_omni"], tmp_path / "vllm", "--to", "vllm") == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{tmp_path / 'vllm'}: live. The verdict is the trainer's to ")
    assert "in logits (float32)" in said.out
    assert said.err == ""


def test_a_family_that_vllm_serves_merged_only_is_told(
    trained: dict[str, Adapted], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(trained["gemma4"], tmp_path / "out" / "vllm", "--to", "vllm") == 2
    assert "take no adapter with a verdict on gemma4; export with --merged" in capsys.readouterr().err
    assert left_behind(tmp_path / "out") == []


def test_a_base_whose_files_have_other_names_than_vllm_reads_is_told(
    trained: dict[str, Adapted], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = thinker_alone(tmp_path / "alone")
    one = adapt(alone, tmp_path / "adapter", MOOD, probe=PROMPT)
    assert export(one, tmp_path / "vllm", "--to", "vllm") == 2
    error = capsys.readouterr().err
    assert "vLLM would look for thinker." in error
    assert "export with --merged" in error
    assert not (tmp_path / "vllm").exists()


def thinker_alone(folder: Path) -> Path:
    """The thinker as transformers saves it by itself: without the full model's configuration and names."""
    model = stock("qwen2_5_omni", tiny())
    shutil.copytree(tiny(), folder)
    model.save_pretrained(folder)
    return folder


# ---------------------------------------------------------------- merged


@pytest.mark.parametrize("family", CLASSES)
def test_a_merged_folder_loads_in_stock_transformers_and_answers_as_the_adapter_does(
    family: str, trained: dict[str, Adapted], tmp_path: Path
) -> None:
    one = trained[family]
    assert export(one, tmp_path / "merged", "--merged") == 0
    model = stock(family, tmp_path / "merged")
    for prompt in (PROMPT, OTHER_PROMPT):
        assert torch.allclose(logits(model, prompt), in_stock_peft(family, one, prompt), atol=1e-4)
    assert model.generation_config.suppress_tokens == list(one.rows)
    assert left_behind(tmp_path) == ["merged"]


@pytest.mark.parametrize("family", OMNI)
def test_a_merged_omni_model_has_the_names_and_the_configuration_that_vllm_reads(
    family: str, trained: dict[str, Adapted], tmp_path: Path
) -> None:
    """What vLLM 0.32 asks for, as trials had it; oracle of the names: the base, which vLLM reads."""
    export(trained[family], tmp_path / "merged", "--merged")
    config = json.loads((tmp_path / "merged" / "config.json").read_text())
    base = json.loads((trained[family].model / "config.json").read_text())
    assert (config["model_type"], config["architectures"]) == (base["model_type"], base["architectures"])
    assert config["enable_audio_output"] is False
    assert config["thinker_config"]["text_config"]["vocab_size"] == 640
    ours, theirs = (load_file(at / "model.safetensors") for at in (tmp_path / "merged", trained[family].model))
    assert {name: each.shape for name, each in ours.items()} == {name: each.shape for name, each in theirs.items()}
    assert str(tmp_path) not in (tmp_path / "merged" / "config.json").read_text()
    assert str(trained[family].model) not in (tmp_path / "merged" / "config.json").read_text()


def test_a_base_that_speaks_is_merged_without_its_voice(trained: dict[str, Adapted], tmp_path: Path) -> None:
    """As released folders are: the talker's tensors beside the thinker's, and a configuration that promises voice."""
    base = Path(shutil.copytree(trained["qwen2_5_omni"].model, tmp_path / "speaking"))
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"enable_audio_output": True}))
    tensors = load_file(base / "model.safetensors") | {"talker.model.norm.weight": torch.ones(8)}
    save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})
    one = adapt(base, tmp_path / "adapter", MOOD, probe=PROMPT)
    assert export(one, tmp_path / "merged", "--merged") == 0
    made = json.loads((tmp_path / "merged" / "config.json").read_text())
    assert made["enable_audio_output"] is False
    assert made["architectures"] == ["Qwen2_5OmniForConditionalGeneration"]
    names = set(load_file(tmp_path / "merged" / "model.safetensors"))
    assert names == set(tensors) - {"talker.model.norm.weight"}
    assert export(one, tmp_path / "vllm", "--to", "vllm") == 0


def test_a_thinker_by_itself_is_merged_into_a_folder_of_the_full_model(tmp_path: Path) -> None:
    one = adapt(thinker_alone(tmp_path / "alone"), tmp_path / "adapter", MOOD, probe=PROMPT)
    assert export(one, tmp_path / "merged", "--merged") == 0
    config = json.loads((tmp_path / "merged" / "config.json").read_text())
    assert config["architectures"] == ["Qwen2_5OmniForConditionalGeneration"]
    assert set(load_file(tmp_path / "merged" / "model.safetensors")) == set(load_file(tiny() / "model.safetensors"))


@pytest.mark.parametrize("form", [("--to", "vllm"), ("--merged",)])
def test_a_base_in_half_precision_is_exported_in_it_and_held_to_probabilities(
    form: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As real bases are; the adapter was trained in full precision."""
    base = Path(shutil.copytree(tiny("text_clues"), tmp_path / "half"))
    tensors = {name: each.to(torch.bfloat16) for name, each in load_file(base / "model.safetensors").items()}
    save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"dtype": "bfloat16"}))
    one = adapt(base, tmp_path / "adapter", MOOD, probe=PROMPT)
    assert export(one, tmp_path / "out", *form) == 0
    assert "in probability (bfloat16)" in capsys.readouterr().out
    if form == ("--merged",):
        merged = load_file(tmp_path / "out" / "model.safetensors")
        assert {each.dtype for each in merged.values()} == {torch.bfloat16}
        rows = merged["lm_head.weight"][list(one.rows)]
        assert torch.equal(rows, one.head.rows.to(torch.bfloat16))  # rounded once


def test_a_tied_model_is_untied_in_its_files(trained: dict[str, Adapted], tmp_path: Path) -> None:
    export(trained["text_clues"], tmp_path / "merged", "--merged")
    tensors = load_file(tmp_path / "merged" / "model.safetensors")
    assert json.loads((tmp_path / "merged" / "config.json").read_text())["tie_word_embeddings"] is False
    rows = list(trained["text_clues"].rows)
    assert torch.allclose(tensors["lm_head.weight"][rows], trained["text_clues"].head.rows, atol=1e-6)
    before = load_file(trained["text_clues"].model / "model.safetensors")["model.embed_tokens.weight"]
    assert torch.equal(tensors["model.embed_tokens.weight"], before)


def test_emer_asks_a_merged_folder_for_its_verdict(trained: dict[str, Adapted], tmp_path: Path) -> None:
    export(trained["qwen2_5_omni"], tmp_path / "merged", "--merged")
    found = tuned(str(tmp_path / "merged"), None, "cpu", "auto")
    assert found.rows == trained["qwen2_5_omni"].rows
    assert found.record is not None
    assert found.record.names == "merged"


def test_heads_of_the_adapter_s_own_travel_along_and_are_no_weights_of_the_model(
    trained: dict[str, Adapted], tmp_path: Path
) -> None:
    """Servers take the files that the index names, else every .safetensors file of the folder."""
    one = trained["qwen2_5_omni"]
    spec = HeadSpec(label_set="mood", labels=MOOD.labels, features={"audio": ("pitch", "pace")}, hidden=())
    heads = TrainedHeads(MultiViewHeads(spec), HeadRecord(spec=spec, data="made up", trained_rows=()))
    write_adapter(tmp_path / "adapter", read_adapter(one.adapter), heads=heads, licence="Share alike.\n")
    own = Adapted(one.model, tmp_path / "adapter", one.head, one.rows)
    assert export(own, tmp_path / "merged", "--merged") == 0
    index = json.loads((tmp_path / "merged" / "model.safetensors.index.json").read_text())
    assert set(index["weight_map"].values()) == {"model.safetensors"}
    assert set(index["weight_map"]) == set(load_file(one.model / "model.safetensors"))
    assert (tmp_path / "merged" / "LICENSE").read_text() == "Share alike.\n"
    assert export(own, tmp_path / "vllm", "--to", "vllm") == 0
    for folder in ("merged", "vllm"):
        again = read_heads(tmp_path / folder)
        assert again is not None
        assert again.record.data == "made up"


# ---------------------------------------------------------------- refused, and nothing left behind


@pytest.mark.parametrize("form", [("--to", "vllm"), ("--merged",)])
def test_without_a_probe_nothing_is_exported(
    form: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = adapt(tiny("text_clues"), tmp_path / "adapter", MOOD)
    assert export(one, tmp_path / "out", *form) == 2
    error = capsys.readouterr().err
    assert "has no verdict with a probe, so nothing proves it live; train it with a verdict" in error
    assert error.count("\n") == 1
    assert left_behind(tmp_path) == ["adapter"]


@pytest.mark.parametrize("form", [("--to", "vllm"), ("--merged",)])
@pytest.mark.parametrize("which", ["logits", "base_logits"])
def test_an_export_that_answers_otherwise_than_the_trainer_is_not_kept(
    form: tuple[str, ...],
    which: str,
    trained: dict[str, Adapted],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = Path(shutil.copytree(trained["text_clues"].adapter, tmp_path / "adapter"))
    record = json.loads((folder / "emer.json").read_text())
    record["probe"][which][0] += 0.01
    (folder / "emer.json").write_text(json.dumps(record))
    older = tmp_path / "out"
    one = Adapted(trained["text_clues"].model, folder, trained["text_clues"].head, trained["text_clues"].rows)
    assert export(trained["text_clues"], older, *form) == 0
    before = {path.name: path.read_bytes() for path in older.iterdir()}
    capsys.readouterr()
    assert export(one, older, *form) == 2
    told = {"logits": "the verdict differs from the trainer's by 0.01", "base_logits": "the base without the adapter"}
    assert told[which] in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in older.iterdir()} == before
    assert left_behind(tmp_path) == ["adapter", "out"]


def test_another_base_is_refused(
    trained: dict[str, Adapted], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(trained["qwen2_5_omni"], tmp_path / "out", "--merged", base=tiny("text_clues")) == 2
    assert "the adapter was trained on qwen2_5_omni (weights " in capsys.readouterr().err
    assert export(trained["qwen2_5_omni"], tmp_path / "out", "--merged", base=tmp_path / "nowhere") == 2
    assert "nowhere is neither a folder nor a downloaded model" in capsys.readouterr().err


def test_places_that_hold_something_else_are_refused(
    trained: dict[str, Adapted], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = trained["text_clues"]
    other = Path(shutil.copytree(one.adapter, tmp_path / "other"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    for place, told in (
        (one.adapter, "is the adapter or the base itself"),
        (one.model, "is the adapter or the base itself"),
        (other, "holds an adapter or model with peft names, which is not replaced"),
        (tmp_path / "mine", "holds other files, and no emer.json: it is not replaced"),
    ):
        assert export(one, place, "--merged") == 2
        assert told in capsys.readouterr().err
    assert (tmp_path / "mine" / "thesis.txt").is_file()
    assert read_adapter(other).record.names == "peft"


def test_an_export_is_no_adapter_to_export(
    trained: dict[str, Adapted], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = trained["text_clues"]
    export(one, tmp_path / "merged", "--merged")
    again = Adapted(one.model, tmp_path / "merged", one.head, one.rows)
    assert export(again, tmp_path / "again", "--merged") == 2
    assert "is a whole model with its adapter merged in; load it as a model" in capsys.readouterr().err


@pytest.mark.parametrize("form", [("--to", "vllm"), ("--merged",)])
def test_an_export_for_vllm_is_told_from_an_adapter_before_its_base_is_loaded(
    trained: dict[str, Adapted], tmp_path: Path, capsys: pytest.CaptureFixture[str], form: tuple[str, ...]
) -> None:
    one = trained["qwen2_5_omni"]
    assert export(one, tmp_path / "vllm", "--to", "vllm") == 0
    capsys.readouterr()
    again = Adapted(one.model, tmp_path / "vllm", one.head, one.rows)
    assert export(again, tmp_path / "again", *form) == 2
    told = f"emer: {tmp_path / 'vllm'} is an export for vLLM; give the folder that emer train wrote\n"
    assert capsys.readouterr().err == told
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("form", [(), ("--to", "vllm", "--merged"), ("--to", "ollama")])
def test_one_form_has_to_be_named(form: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["export", "adapter", *form, "--base", "b", "--out", "o"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
