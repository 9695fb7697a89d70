"""A model's tensors as they lie on the disk: names, shapes and single rows, without loading the model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from torch import Tensor

from emer.adapters.base_hash import model_folder
from emer.errors import ModelError

INDEX = "model.safetensors.index.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The `.safetensors` files of one model."""

    files: Mapping[str, Path]
    """Tensor to the file that holds it."""

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor that is there."""
        with safe_open(self.files[name], "pt") as file:
            return tuple(file.get_slice(name).get_shape())

    def rows(self, name: str, ids: Sequence[int]) -> Float[Tensor, "row column"]:
        """Some rows of a matrix, in float32; the others are not read."""
        with safe_open(self.files[name], "pt") as file:
            matrix = file.get_slice(name)
            return torch.cat([matrix[row : row + 1] for row in ids]).float()


def read_checkpoint(path_or_id: str | Path) -> Checkpoint:
    """The tensors of a folder or of a downloaded hub id. Raises ModelError where none can be read."""
    folder = model_folder(path_or_id)
    files: dict[str, Path] = {}
    try:
        for path in _weight_files(folder):
            with safe_open(path, "pt") as file:
                files |= dict.fromkeys(file.keys(), path)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"{folder}: its weights cannot be read ({reason}); download or save the model again"
        ) from error
    if not files:
        raise ModelError(f"{folder} holds no .safetensors files; give the folder of a base model")
    return Checkpoint(files)


def _weight_files(folder: Path) -> list[Path]:
    """Those that the index names; without an index, all there are."""
    if (folder / INDEX).is_file():
        named = json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"]
        return sorted({folder / name for name in named.values()})
    return sorted(path for path in folder.glob("*.safetensors") if path.is_file())
