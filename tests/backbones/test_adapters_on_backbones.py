"""What adapters and exports must know of a backbone: targets, verdict rows, tensor names, and whether they fit."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from emer.backbones.attached import Conversation
from emer.backbones.loading import family_of, load
from emer.errors import ConfigError, ModelError
from emer.types import Message

FAMILIES = ("qwen2_5_omni", "qwen3_omni", "gemma4", "text_clues")
pytestmark = pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`:UserWarning")
"""Stock PEFT says so of every adapter on a tied output layer."""
HELLO = Conversation((Message("user", "Hello."),))


def make_adapter(family, tiny_folder, folder, *, lm_head: bool = True):
    """An adapter as stock PEFT saves it, with weights that do something; the backbone that carries it."""
    peft = pytest.importorskip("peft")
    backbone = load(tiny_folder(family), dtype=torch.float32)
    targets = f"({backbone.lora_targets})|lm_head" if lm_head else backbone.lora_targets
    config = peft.LoraConfig(r=4, lora_alpha=8, target_modules=targets)
    torch.manual_seed(1)
    backbone.model = peft.get_peft_model(backbone.model, config).eval()
    for name, weight in backbone.model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weight, std=0.2)
    backbone.model.save_pretrained(folder, save_embedding_layers=False)
    return backbone


@pytest.mark.parametrize("family", FAMILIES)
def test_lora_goes_on_all_layers_of_the_language_model_and_on_no_encoder(family, tiny_backbone) -> None:
    """Hand count: two layers with four attention projections, and three of the feed-forward net unless of experts."""
    backbone = tiny_backbone(family)
    names = [name for name, _ in backbone.model.named_modules() if re.fullmatch(backbone.lora_targets, name)]
    assert len(names) == 2 * (4 if family == "qwen3_omni" else 7)
    assert not [name for name in names if "audio" in name or "vis" in name]
    assert all(isinstance(backbone.model.get_submodule(name), torch.nn.Linear) for name in names)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_adapter_is_loaded_and_read_through(family, tiny_folder, tmp_path) -> None:
    """Oracle: the PEFT model that saved it; and without the adapter the states are others."""
    made = make_adapter(family, tiny_folder, tmp_path)
    found = load(tiny_folder(family), dtype=torch.float32, adapter=tmp_path)
    plain = load(tiny_folder(family), dtype=torch.float32)
    batch = made.encode([HELLO])
    with torch.no_grad():
        expected, out, bare = (b.outputs_at(batch, batch.last_prompt) for b in (made, found, plain))
        whole = made.model(**batch.inputs).logits[:, -1]
    assert torch.allclose(out.hidden, expected.hidden, atol=1e-5)
    assert torch.allclose(out.logits, whole, atol=1e-4)
    assert (out.hidden - bare.hidden).abs().max() > 0.01


def test_states_carry_gradients_to_the_adapter_when_they_are_to_be_trained(tiny_folder, tmp_path) -> None:
    backbone = make_adapter("qwen2_5_omni", tiny_folder, tmp_path)
    batch = backbone.encode([HELLO], ["Hi."], side="right")
    backbone.outputs_at(batch, batch.labels != -100).logits.sum().backward()
    gradients = [weight.grad for name, weight in backbone.model.named_parameters() if "lora_" in name]
    assert gradients
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients)


def test_tensors_with_other_names_are_refused(tiny_folder, tmp_path) -> None:
    """PEFT alone goes on without them: names as a server wants them have no effect in transformers."""
    backbone = make_adapter("qwen2_5_omni", tiny_folder, tmp_path)
    tensors = load_file(tmp_path / "adapter_model.safetensors")
    renamed = {backbone.vllm_name(name): tensor for name, tensor in tensors.items()}
    assert all(name.startswith("base_model.model.thinker.") for name in renamed)
    save_file(renamed, tmp_path / "adapter_model.safetensors")
    with pytest.raises(ModelError, match=r"does not fit this model: \d+ tensor names differ, .*exported for a server"):
        load(tiny_folder("qwen2_5_omni"), adapter=tmp_path)


def test_a_tensor_of_another_shape_is_refused(tiny_folder, tmp_path) -> None:
    make_adapter("qwen2_5_omni", tiny_folder, tmp_path)
    tensors = load_file(tmp_path / "adapter_model.safetensors")
    name = next(name for name in tensors if "q_proj.lora_B" in name)
    save_file({**tensors, name: torch.zeros(7, 4)}, tmp_path / "adapter_model.safetensors")
    with pytest.raises(ModelError, match="does not fit this model"):
        load(tiny_folder("qwen2_5_omni"), adapter=tmp_path)


def test_folders_that_are_no_adapter_are_told(tiny_folder, tmp_path) -> None:
    with pytest.raises(ModelError, match=r"is no adapter: .* belong there"):
        load(tiny_folder("text_clues"), adapter=tmp_path)
    make_adapter("text_clues", tiny_folder, tmp_path, lm_head=False)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0notjson!")
    with pytest.raises(ModelError, match="its header cannot be read; copy it again"):
        load(tiny_folder("text_clues"), adapter=tmp_path)


# ---------------------------------------------------------------- verdict rows


@pytest.mark.parametrize("family", FAMILIES)
def test_verdict_rows_are_rows_that_no_text_ever_becomes(family, tiny_backbone) -> None:
    backbone = tiny_backbone(family)
    rows = backbone.verdict_rows(64)
    assert len(set(rows)) == 64
    spoken = set(backbone.tokenizer("".join(map(chr, range(1, 0x3000))), add_special_tokens=False)["input_ids"])
    controls = set(backbone.tokenizer.all_special_ids)
    if family == "gemma4":
        assert [backbone.tokenizer.convert_ids_to_tokens(row) for row in rows[:2]] == ["<unused0>", "<unused1>"]
        controls = {row for row in controls if "unused" not in backbone.tokenizer.convert_ids_to_tokens(row)}
    assert not set(rows) & (spoken | controls)
    assert max(rows) < backbone.lm_head.weight.shape[0]
    backbone.check_verdict_rows(rows)


def test_too_few_free_rows_say_how_many_there_are(tiny_backbone) -> None:
    """Hand count: 640 rows, of which the tokenizer uses its own length."""
    backbone = tiny_backbone("qwen2_5_omni")
    free = 640 - len(backbone.tokenizer)
    assert len(backbone.verdict_rows(free)) == free
    with pytest.raises(
        ModelError, match=rf"{free + 1} verdict rows are needed, .* of 640 rows has {free} that no token"
    ):
        backbone.verdict_rows(free + 1)


def test_rows_that_configurations_name_are_used_even_without_a_token(tiny_folder) -> None:
    backbone = load(tiny_folder("qwen2_5_omni"))
    first, second, third = backbone.verdict_rows(3)
    backbone.model.generation_config.eos_token_id = [backbone.end_id, first]
    backbone.model.config.user_token_id = second
    assert backbone.verdict_rows(1) == (third,)
    with pytest.raises(ModelError, match=rf"are used by tokens of this tokenizer: {second} \(its configuration\)"):
        backbone.check_verdict_rows([second])


def test_rows_that_are_used_missing_or_given_twice_are_refused(tiny_backbone) -> None:
    backbone = tiny_backbone("qwen2_5_omni")
    end = backbone.tokenizer.eos_token_id
    free = backbone.verdict_rows(2)
    with pytest.raises(ModelError, match=rf"are used by tokens of this tokenizer: {end} \(<\|im_end\|>\)"):
        backbone.check_verdict_rows([*free, end])
    with pytest.raises(ModelError, match="rows 640 lie outside of this model's 640 rows"):
        backbone.check_verdict_rows([*free, 640])
    with pytest.raises(ModelError, match=f"rows {free[0]} stand twice"):
        backbone.check_verdict_rows([free[0], *free])


# ---------------------------------------------------------------- models


def test_families_are_known_by_their_configuration(tiny_folder) -> None:
    assert [family_of(tiny_folder(family)) for family in FAMILIES] == list(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_seed_makes_the_same_model_and_another_seed_another(family, tiny_folder, tmp_path) -> None:
    from emer.backbones.tiny import make_tiny

    first = load_file(tiny_folder(family) / "model.safetensors")
    same = load_file(make_tiny(family, tmp_path / "same") / "model.safetensors")
    other = load_file(make_tiny(family, tmp_path / "other", seed=1) / "model.safetensors")
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    assert sum(tensor.numel() for tensor in first.values()) < 1_500_000


def test_the_folder_has_the_full_configuration_that_a_server_reads(tiny_folder) -> None:
    """What vLLM 0.32 asks for, as its source and our trials have it."""
    for family, model_type, architecture in (
        ("qwen2_5_omni", "qwen2_5_omni", "Qwen2_5OmniForConditionalGeneration"),
        ("qwen3_omni", "qwen3_omni_moe", "Qwen3OmniMoeForConditionalGeneration"),
    ):
        config = json.loads((tiny_folder(family) / "config.json").read_text())
        assert config["model_type"] == model_type
        assert config["architectures"] == [architecture]
        assert config["enable_audio_output"] is False
        text = config["thinker_config"]["text_config"]
        assert text["hidden_size"] // text["num_attention_heads"] >= 32
        names = load_file(tiny_folder(family) / "model.safetensors")
        assert all(name.startswith("thinker.") for name in names)
        if family == "qwen3_omni":
            assert "thinker.model.layers.1.mlp.experts.3.gate_proj.weight" in names


def test_stock_transformers_opens_the_folder_with_the_very_weights(tiny_folder) -> None:
    """Oracle: the tensors in the file; nothing is left at random numbers."""
    import transformers

    folder = tiny_folder("qwen2_5_omni")
    model = transformers.Qwen2_5OmniThinkerForConditionalGeneration.from_pretrained(folder)
    stored = load_file(folder / "model.safetensors")
    loaded = model.state_dict()
    assert set(stored) == {f"thinker.{name}" for name in loaded}
    assert all(torch.equal(stored[f"thinker.{name}"], tensor) for name, tensor in loaded.items())


def test_making_loading_and_encoding_keep_standard_error_clean(tmp_path) -> None:
    """In a fresh process, since transformers says most things once. Warnings are errors there."""
    code = (
        "from emer.backbones.tiny import make_tiny\n"
        "from emer.backbones.loading import load\n"
        "from emer.backbones.attached import Conversation\n"
        "from emer.types import Message\n"
        "asked = Conversation((Message('system', 'One.'), Message('user', 'Two.')))\n"
        "for family in ('qwen2_5_omni', 'gemma4'):\n"
        f"    load(make_tiny(family, {str(tmp_path)!r} + family)).encode([asked])\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_options_reach_transformers_and_other_attention_gives_the_same_state(tiny_folder) -> None:
    sdpa = load(tiny_folder("qwen2_5_omni"), attn_implementation="sdpa")
    eager = load(tiny_folder("qwen2_5_omni"), attn_implementation="eager")
    assert eager.model.config._attn_implementation == "eager"
    batch = sdpa.encode([HELLO])
    with torch.no_grad():
        states = [backbone.hidden_at(batch, batch.last_prompt) for backbone in (sdpa, eager)]
    assert torch.allclose(*states, atol=1e-4)


def test_half_precision_reaches_weights_and_media_and_leaves_times_alone(tiny_folder, clip_media) -> None:
    from emer.backbones.attaching import attach

    backbone = load(tiny_folder("qwen2_5_omni"), dtype=torch.bfloat16)
    attached = attach(clip_media("faces/single_face.mp4"), None, backbone.caps)
    asked = Conversation((Message("user", "What?", ("audio", "video")),), attached)
    batch = backbone.encode([asked]).to(backbone.device, backbone.dtype)
    kinds = {name: value.dtype for name, value in batch.inputs.items()}
    assert kinds["input_features"] == kinds["pixel_values_videos"] == backbone.dtype == torch.bfloat16
    assert kinds["video_second_per_grid"] == torch.float32
    assert kinds["input_ids"] == torch.int64
    with torch.no_grad():
        assert backbone.hidden_at(batch, batch.last_prompt).isfinite().all()


def test_a_model_of_another_family_is_refused(tiny_folder) -> None:
    with pytest.raises(ModelError, match="is a model of type 'qwen2'; this backbone takes qwen2_5_omni or"):
        load(tiny_folder("text_clues"), family="qwen2_5_omni")


def test_what_is_no_model_is_told_in_one_line(tiny_folder, tmp_path) -> None:
    with pytest.raises(ModelError, match="is no model that transformers can open") as told:
        load(tmp_path)
    assert "\n" not in str(told.value)
    with pytest.raises(ModelError, match="is no model that transformers can open"):
        load("nobody/no-such-model")
    with pytest.raises(ConfigError, match="'mamba' is not known here"):
        load(tiny_folder("text_clues"), family="mamba")


def test_missing_tensors_are_an_error_and_not_random_numbers(tiny_folder, tmp_path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(tiny_folder("qwen2_5_omni"), folder)
    tensors = load_file(folder / "model.safetensors")
    del tensors["thinker.model.norm.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 tensors of Qwen2_5Omni\w+, for instance model.norm.weight"):
        load(folder)


def test_a_family_without_a_recipe_is_told(tmp_path) -> None:
    from emer.backbones.tiny import make_tiny

    with pytest.raises(ConfigError, match="no tiny model of family 'llama'; choose one of qwen2_5_omni, "):
        make_tiny("llama", tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_template_that_knows_no_system_gets_its_text_with_the_users(family, tiny_folder) -> None:
    """Hand-written: one turn fewer, and the system's words before the user's."""
    backbone = load(tiny_folder(family))
    first = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system here') }}{% endif %}"
    backbone.processor.chat_template = first + backbone.processor.chat_template
    asked = (Message("system", "One."), Message("user", "Two."))
    text = backbone.tokenizer.decode(backbone.encode([Conversation(asked)]).inputs["input_ids"][0])
    assert "user\nOne.\n\nTwo.<" in text
    assert "system" not in text


def test_a_template_that_refuses_the_messages_is_told(tiny_folder) -> None:
    backbone = load(tiny_folder("text_clues"))
    backbone.tokenizer.chat_template = "{{ raise_exception('roles must alternate') }}"
    with pytest.raises(ModelError, match="chat template refuses these messages: roles must alternate"):
        backbone.encode([HELLO])


def test_a_language_model_without_a_chat_template_gets_paragraphs(tiny_folder, tmp_path) -> None:
    folder = tmp_path / "plain"
    shutil.copytree(tiny_folder("text_clues"), folder)
    (folder / "chat_template.jinja").unlink()
    backbone = load(folder)
    batch = backbone.encode([Conversation((Message("system", "One."), Message("user", "Two.")))], ["Three."])
    assert backbone.tokenizer.decode(batch.inputs["input_ids"][0]) == "One.\n\nTwo.\n\nThree.<|im_end|>"
