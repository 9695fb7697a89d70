"""Adapters that were damaged or changed are told, never loaded."""

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_models import VOCABULARY, Exported

from emer.adapters.files import CONFIG, RECORD, TENSORS, read_adapter, read_heads, read_record, write_adapter
from emer.errors import ModelError
from emer.evidence.head_files import HeadRecord, TrainedHeads
from emer.evidence.heads import HeadSpec, MultiViewHeads

LM_HEAD_A = "base_model.model.lm_head.lora_A.weight"


# ---------------------------------------------------------------- damaged


@pytest.mark.parametrize("name", [TENSORS, CONFIG, RECORD])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_file_is_told(copy: Path, name: str, share: float) -> None:
    data = (copy / name).read_bytes()
    (copy / name).write_bytes(data[: int(share * len(data))])
    with pytest.raises(ModelError, match=r"copy.*(copy or export the adapter again|copy the whole folder again)"):
        read_adapter(copy)


@pytest.mark.parametrize("name", [TENSORS, CONFIG, RECORD])
def test_a_missing_file_is_told(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelError, match=rf"no adapter can be read there \({re.escape(name)}: No such file"):
        read_adapter(copy)


def rewritten(folder: Path, tensors: dict[str, torch.Tensor], *, with_hash: bool) -> None:
    save_file(tensors, folder / TENSORS)
    if with_hash:
        record = json.loads((folder / RECORD).read_text())
        record["files"][TENSORS] = sha256((folder / TENSORS).read_bytes()).hexdigest()
        (folder / RECORD).write_text(json.dumps(record))


@pytest.mark.parametrize("with_hash", [True, False])
def test_a_tensor_of_another_shape_is_told(copy: Path, with_hash: bool) -> None:
    tensors = load_file(copy / TENSORS)
    tensors[LM_HEAD_A] = tensors[LM_HEAD_A][:2].clone()
    rewritten(copy, tensors, with_hash=with_hash)
    with pytest.raises(ModelError, match=r"lm_head.lora_A.weight has shape \[2, 32\], and its rank is 4"):
        read_adapter(copy)


def test_an_output_layer_of_another_size_is_told(copy: Path) -> None:
    tensors = load_file(copy / TENSORS)
    name = "base_model.model.lm_head.lora_B.weight"
    tensors[name] = tensors[name][:-1].clone()
    rewritten(copy, tensors, with_hash=True)
    with pytest.raises(ModelError, match="lm_head has LoRA of 95 by 32, and the base has 96 by 32"):
        read_adapter(copy)


def test_a_changed_number_is_told(copy: Path) -> None:
    tensors = load_file(copy / TENSORS)
    tensors[LM_HEAD_A][0, 0] += 1
    rewritten(copy, tensors, with_hash=False)
    with pytest.raises(ModelError, match=r"adapter_model.safetensors is not the file that emer.json describes"):
        read_adapter(copy)


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        (LM_HEAD_A, r"lm_head.lora_B.weight has no counterpart"),
        ("lm_head", r"lm_head has no LoRA, which would hold the verdict"),
    ],
)
def test_missing_tensors_are_told(copy: Path, gone: str, message: str) -> None:
    tensors = {name: each for name, each in load_file(copy / TENSORS).items() if gone not in name}
    rewritten(copy, tensors, with_hash=True)
    with pytest.raises(ModelError, match=message):
        read_adapter(copy)


def test_weights_of_the_base_do_not_belong_into_an_adapter(copy: Path) -> None:
    tensors = load_file(copy / TENSORS) | {"base_model.model.lm_head.weight": torch.zeros(VOCABULARY, 32)}
    rewritten(copy, tensors, with_hash=True)
    with pytest.raises(ModelError, match=r"base_model.model.lm_head.weight is no LoRA tensor"):
        read_adapter(copy)


def test_heads_of_another_adapter_are_told(omni: Exported, tmp_path: Path) -> None:
    spec = HeadSpec(label_set="mood", labels=("good", "bad"), features={"audio": ("pitch",)}, hidden=(3,))
    heads = TrainedHeads(MultiViewHeads(spec), HeadRecord(spec=spec, data="made up", trained_rows=()))
    write_adapter(tmp_path / "a", read_adapter(omni.folder), heads=heads)
    record = json.loads((tmp_path / "a" / RECORD).read_text())
    record["files"]["heads.safetensors"] = "0" * 64
    (tmp_path / "a" / RECORD).write_text(json.dumps(record))
    with pytest.raises(ModelError, match=r"heads.safetensors is not the file that emer.json describes"):
        read_heads(tmp_path / "a")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("rows", [90, 93], r"rows \[90, 93\] must be 3 different ones for 3 labels"),
        ("rows", [90, 90, 91], r"rows \[90, 90, 91\] must be 3 different ones"),
        ("rows", [90, 93, 96], r"rows \[96\] are not among the 96"),
    ],
)
def test_a_record_that_contradicts_itself_is_told(copy: Path, key: str, value: object, message: str) -> None:
    record = json.loads((copy / RECORD).read_text())
    record["verdict"][key] = value
    (copy / RECORD).write_text(json.dumps(record))
    with pytest.raises(ModelError, match=message):
        read_record(copy)


def test_a_record_of_a_later_schema_is_told(copy: Path) -> None:
    text = (copy / RECORD).read_text().replace("emer.adapter/1", "emer.adapter/9")
    (copy / RECORD).write_text(text)
    with pytest.raises(ModelError, match=r"schema 'emer.adapter/9', and this emer reads emer.adapter/1; update emer"):
        read_record(copy)
