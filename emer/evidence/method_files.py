"""Trained methods on disk: `method.safetensors` (numbers) and `method.json` (what they mean); nothing is pickled."""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from emer.config import build
from emer.errors import ConfigError
from emer.evidence.ensemble import Ensemble
from emer.evidence.method import Method, Shape
from emer.files import write_bytes, write_text
from emer.jsonio import dumps, loads
from emer.registry import METHODS, load
from emer.version import __version__

SCHEMA = "emer.method/1"
TENSORS, RECORD = "method.safetensors", "method.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRecord:
    """What a file of a trained method says about itself."""

    method: str
    """A name of `emer.registry.METHODS`, or `package.module:Class`."""
    options: dict[str, Any]
    shape: Shape
    members: int = 1
    """More than 1: an ensemble of so many."""
    data: str
    """Name and hash of the table it was trained on."""
    data_sha256: str
    trained_rows: tuple[str, ...]
    """Hashes of the rows it was trained on, or that chose its epoch (`emer.evidence.rows`)."""
    seed: int
    licence: str = ""
    tensors_sha256: str = ""
    """Of the file of numbers; written by `save_method`."""
    emer: str = field(default=__version__)
    schema: str = field(default=SCHEMA)


def make_method(name: str, shape: Shape, options: dict[str, Any]) -> Method:
    """A method that was not trained. Raises ConfigError for unknown names and options, all mistakes at once."""
    kind = load(name, METHODS)
    made = kind(shape, build(kind.Options, options, f"options of {name}"))
    assert isinstance(made, Method)
    return made


def save_method(folder: Path, method: nn.Module, record: MethodRecord) -> MethodRecord:
    """Write a method into a folder, which is made where it is missing; the answer is the record as written.

    Raises OutputError when the folder cannot be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in method.state_dict().items()}
    data = save_tensors(tensors)
    written = replace(record, tensors_sha256=sha256(data).hexdigest())
    write_bytes(folder / TENSORS, data)
    write_text(folder / RECORD, dumps(written) + "\n")
    return written


def read_method_record(folder: Path) -> MethodRecord:
    """What `save_method` wrote about a method. Raises ConfigError when it cannot be read."""
    record = loads(_bytes(folder / RECORD), MethodRecord)
    if record.schema != SCHEMA:
        raise ConfigError(f"{folder / RECORD} has schema {record.schema!r}, and this emer reads {SCHEMA}; update emer")
    return record


def load_method(folder: Path) -> tuple[Method | Ensemble, MethodRecord]:
    """A method that `save_method` wrote, ready to speak, and its record. Raises ConfigError when it cannot be read."""
    record = read_method_record(folder)
    data = _bytes(folder / TENSORS)
    if sha256(data).hexdigest() != record.tensors_sha256:
        raise ConfigError(f"{folder / TENSORS} is not the file that {RECORD} describes; copy both from one place")
    made = [make_method(record.method, record.shape, record.options) for _ in range(record.members)]
    method = made[0] if record.members == 1 else Ensemble(made)
    try:
        method.load_state_dict(load_tensors(data))
    except (SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{folder / TENSORS} does not fit {RECORD} ({reason}); train the method again") from error
    return method.eval().requires_grad_(False), record


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: no method can be read there ({error.strerror}); name a run's folder") from error
