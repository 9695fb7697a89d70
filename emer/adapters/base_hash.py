"""Which base model is this? A hash of its weights that takes a second, also at seven billion parameters.

Hashed are the name and shape of every tensor in the `.safetensors` files of a folder, in alphabetical order, and 256
values of each, from four places, rounded to bfloat16. So the hash is the same however the tensors are spread over
files, and for a float32 copy of a bfloat16 model; it needs neither torch's model classes nor memory, and holds for
quantised loading too, as it is read from the disk.

Any training moves nearly every weight, so samples tell models apart; a few weights changed by hand between the samples
go unseen. `config.json` is left out: other versions of transformers write more defaults into it. What a changed
configuration does to the verdict is seen when the adapter is proved live.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any

from emer.errors import ModelError
from emer.shipped import located

SCHEME = "emer.base/1"
PLACES, AT_ONCE = 4, 64
"""From so many places of each tensor, evenly spread from first to last, so many values."""
_LARGEST_HEADER = 100_000_000
"""Bytes; what claims more is no safetensors file."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """Where a tensor lies."""

    file: Path
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def base_sha256(path_or_id: str | Path) -> str:
    """The hash of a model's weights: of a folder, or of a hub id that was downloaded before.

    Raises ModelError where there are none that can be read.
    """
    stored = _stored(model_folder(path_or_id))
    digest = sha256(SCHEME.encode())
    for name in sorted(stored):
        digest.update(f"\n{name} {list(stored[name].shape)} ".encode())
        for values in _samples(stored[name]):
            digest.update(values)
    return digest.hexdigest()


def model_folder(path_or_id: str | Path) -> Path:
    """Where a model's files lie on this machine: the folder itself, or that of a hub id which was downloaded before.

    Raises ModelError where there is neither.
    """
    path_or_id = located(path_or_id)
    if Path(path_or_id).is_dir():
        return Path(path_or_id)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(str(path_or_id), local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError) as error:
        raise ModelError(
            f"{path_or_id} is neither a folder nor a downloaded model; download it or check the name"
        ) from error


def _stored(folder: Path) -> dict[str, _Stored]:
    files = sorted(path for path in folder.glob("*.safetensors") if path.is_file())
    if not files:
        raise ModelError(f"{folder} holds no .safetensors files; give the folder of a base model")
    tensors: dict[str, _Stored] = {}
    for file in files:
        tensors |= _header(file)
    return tensors


def _header(file: Path) -> dict[str, _Stored]:
    """The table at the head of a file: 8 bytes of length, then JSON (the safetensors format)."""
    try:
        with open(file, "rb") as handle:
            (length,) = struct.unpack("<Q", handle.read(8))
            if length > _LARGEST_HEADER:
                raise ValueError(f"a header of {length} bytes")
            table = json.loads(handle.read(length))
        start = 8 + length
        return {name: _entry(file, entry, start) for name, entry in table.items() if name != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise _broken(file, error) from error


def _entry(file: Path, entry: Mapping[str, Any], start: int) -> _Stored:
    begin, end = entry["data_offsets"]
    return _Stored(file, str(entry["dtype"]), tuple(map(int, entry["shape"])), start + begin, start + end)


def _samples(stored: _Stored) -> Iterator[bytes]:
    count = prod(stored.shape)
    if count == 0:
        return
    size = (stored.end - stored.begin) // count
    try:
        with open(stored.file, "rb") as handle:
            for first in _firsts(count):
                handle.seek(stored.begin + first * size)
                yield _rounded(_read(handle, min(AT_ONCE, count - first) * size), stored.dtype)
    except (OSError, EOFError) as error:
        raise _broken(stored.file, error) from error


def _read(handle: Any, length: int) -> bytes:
    data = bytes(handle.read(length))
    if len(data) < length:
        raise EOFError("it ends too early")
    return data


def _firsts(count: int) -> list[int]:
    """Where the samples of so many values begin.

    >>> _firsts(1000), _firsts(100), _firsts(3)
    ([0, 312, 624, 936], [0, 12, 24, 36], [0])
    """
    last = max(0, count - AT_ONCE)
    return sorted({last * place // (PLACES - 1) for place in range(PLACES)})


def _rounded(data: bytes, dtype: str) -> bytes:
    """Floating-point values as the bits of bfloat16; others as they are, with their type."""
    import torch

    kinds = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    if dtype not in kinds:
        return dtype.encode() + data
    values = torch.frombuffer(bytearray(data), dtype=kinds[dtype])
    return bytes(values.to(torch.bfloat16).view(torch.int16).numpy().tobytes())


def _broken(file: Path, error: Exception) -> ModelError:
    return ModelError(f"{file} is no whole .safetensors file ({error}); download or save the model again")
