"""The second folder, with vLLM's tensor names."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_models import PROMPT, Exported, stock_peft

from emer.adapters.files import Adapter, read_adapter, write_adapter
from emer.adapters.proof import prove_in_transformers
from emer.adapters.renaming import renamed, to_vllm
from emer.adapters.rows import MOST_ROWS_FOR_VLLM
from emer.backbones.qwen_media import thinker_name
from emer.errors import ConfigError, ModelError


def test_names_of_the_thinker_become_those_of_the_whole_model(omni: Exported, tmp_path: Path) -> None:
    written = to_vllm(omni.folder, tmp_path / "vllm", thinker_name)
    before, after = read_adapter(omni.folder), read_adapter(tmp_path / "vllm")
    # vLLM answers to these and not to those without thinker (measured with vLLM 0.32)
    assert "base_model.model.thinker.model.layers.0.self_attn.q_proj.lora_A.weight" in after.tensors
    assert "base_model.model.thinker.lm_head.lora_B.weight" in after.tensors
    assert all(name.startswith("base_model.model.thinker.") for name in after.tensors)
    assert len(after.tensors) == len(before.tensors)
    for name, each in before.tensors.items():
        assert torch.equal(after.tensors[name.replace("base_model.model.", "base_model.model.thinker.")], each)
    assert written.names == "vllm"
    assert written.base.output_layer == "thinker.lm_head"
    assert after.output_lora.rank == before.output_lora.rank


def test_the_configuration_names_targets_and_ranks_as_vllm_reads_them(omni: Exported, tmp_path: Path) -> None:
    to_vllm(omni.folder, tmp_path / "vllm", thinker_name)
    config = json.loads((tmp_path / "vllm" / "adapter_config.json").read_text())
    assert config["target_modules"] == ["lm_head", "q_proj", "v_proj"]
    # the output layer has rank 4 as all others here, so that it needs none of its own
    assert (config["r"], config["lora_alpha"], config["rank_pattern"], config["alpha_pattern"]) == (4, 8, {}, {})


def test_a_rank_of_its_own_is_named_for_the_renamed_layer(omni: Exported) -> None:
    adapter = read_adapter(omni.folder)
    a, b = (torch.cat([each, torch.zeros_like(each)], dim) for dim, each in enumerate(adapter.pairs["lm_head"]))
    prefix = "base_model.model.lm_head.lora_"
    wider = Adapter(
        adapter.record,
        {**adapter.config, "rank_pattern": {"lm_head": 8}, "alpha_pattern": {"lm_head": 16}},
        {**adapter.tensors, f"{prefix}A.weight": a, f"{prefix}B.weight": b},
    )
    config = renamed(wider, thinker_name).config
    assert config["rank_pattern"] == {"thinker.lm_head": 8}
    assert config["alpha_pattern"] == {"thinker.lm_head": 16}


def test_the_licence_travels_along(omni: Exported, tmp_path: Path) -> None:
    write_adapter(tmp_path / "own", read_adapter(omni.folder), licence="Share alike.\n")
    to_vllm(tmp_path / "own", tmp_path / "vllm", thinker_name)
    assert (tmp_path / "vllm" / "LICENSE").read_text() == "Share alike.\n"


def test_a_folder_with_vllm_s_names_does_not_pass_for_one_of_peft(omni: Exported, tmp_path: Path) -> None:
    record = to_vllm(omni.folder, tmp_path / "vllm", thinker_name)
    with pytest.raises(ConfigError, match="has vllm names already; give the folder that emer train wrote"):
        to_vllm(tmp_path / "vllm", tmp_path / "again", thinker_name)
    with pytest.warns(UserWarning, match="missing adapter keys"):  # all that PEFT says of it
        dead = stock_peft(Exported(omni.trained, tmp_path / "vllm", record))
    with pytest.raises(ModelError, match="the adapter has no effect"):
        prove_in_transformers(dead, record)


def test_an_output_layer_that_vllm_does_not_take_is_told(omni: Exported) -> None:
    adapter = read_adapter(omni.folder)
    large = replace(adapter.record.base, vocabulary=MOST_ROWS_FOR_VLLM + 1)
    with pytest.raises(ConfigError, match=r"has 258,049 rows, and vLLM takes LoRA on at most 258,048; export with"):
        renamed(replace(adapter, record=replace(adapter.record, base=large)), thinker_name)


def test_lora_on_an_encoder_is_told_since_vllm_leaves_it_out(omni: Exported) -> None:
    adapter = read_adapter(omni.folder)
    tensors = {name.replace("model.layers.0", "audio_tower.layers.0"): each for name, each in adapter.tensors.items()}
    with pytest.raises(ConfigError, match=r"LoRA on 2 layers outside of the language model \(first audio_tower"):
        renamed(replace(adapter, tensors=tensors), thinker_name)


def test_names_that_fall_together_are_told(omni: Exported) -> None:
    with pytest.raises(ConfigError, match="two layers would have one name"):
        renamed(read_adapter(omni.folder), lambda name: "same.weight")


def test_the_probe_stays_as_it_was(omni: Exported, tmp_path: Path) -> None:
    record = to_vllm(omni.folder, tmp_path / "vllm", thinker_name)
    assert record.probe is not None
    assert record.probe == omni.record.probe
    assert record.probe.tokens == PROMPT
