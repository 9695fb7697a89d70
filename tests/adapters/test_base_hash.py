"""A base is known by its weights, however they are stored."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_models import make

from emer.adapters.base_hash import base_sha256
from emer.errors import ModelError


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    make("plain").save_pretrained(folder)
    return folder


def test_the_hash_is_the_same_for_shards_and_with_another_configuration(base: Path, tmp_path: Path) -> None:
    make("plain").save_pretrained(tmp_path, max_shard_size="20KB")
    (tmp_path / "config.json").write_text("{}")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    assert base_sha256(tmp_path) == base_sha256(base)


def test_the_hash_is_the_same_for_a_copy_in_higher_precision(base: Path, tmp_path: Path) -> None:
    tensors = load_file(base / "model.safetensors")
    hashes = set()
    for dtype in (torch.bfloat16, torch.float32, torch.float64):
        folder = tmp_path / str(dtype)
        folder.mkdir()
        save_file({name: each.bfloat16().to(dtype) for name, each in tensors.items()}, folder / "model.safetensors")
        hashes.add(base_sha256(folder))
    assert hashes == {base_sha256(base)}  # bfloat16 is rounded to anyhow


@pytest.mark.parametrize("change", ["trained", "renamed", "reshaped"])
def test_another_base_has_another_hash(base: Path, tmp_path: Path, change: str) -> None:
    tensors = load_file(base / "model.safetensors")
    name = "model.layers.1.mlp.up_proj.weight"
    if change == "trained":
        tensors[name] = tensors[name] * 1.02
    elif change == "renamed":
        tensors["other"] = tensors.pop(name)
    else:
        tensors[name] = tensors[name].T.contiguous()
    save_file(tensors, tmp_path / "model.safetensors")
    assert base_sha256(tmp_path) != base_sha256(base)


def test_integers_of_quantised_models_count_as_they_are(tmp_path: Path) -> None:
    hashes = set()
    for i, values in enumerate(([1, 2, 3], [1, 2, 4])):
        (tmp_path / str(i)).mkdir()
        save_file({"q": torch.tensor(values, dtype=torch.int8)}, tmp_path / str(i) / "model.safetensors")
        hashes.add(base_sha256(tmp_path / str(i)))
    assert len(hashes) == 2


def test_a_hub_id_has_the_hash_of_its_download(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    cached = tmp_path / "models--me--tiny"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("abc")
    shutil.copytree(base, cached / "snapshots" / "abc")
    assert base_sha256("me/tiny") == base_sha256(base)
    for unknown in ("me/other", "no such: folder"):
        with pytest.raises(ModelError, match=rf"{unknown} is neither a folder nor a downloaded model"):
            base_sha256(unknown)


def test_a_folder_without_weights_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no .safetensors files; give the folder of a base model"):
        base_sha256(tmp_path)


@pytest.mark.parametrize("length", [0, 4, 200, -100])
def test_a_truncated_file_of_weights_is_told(base: Path, tmp_path: Path, length: int) -> None:
    data = (base / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(data[:length])
    with pytest.raises(ModelError, match=r"is no whole .safetensors file \(.*\); download or save the model again"):
        base_sha256(tmp_path)
