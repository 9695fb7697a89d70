"""Trained heads on disk: `heads.safetensors` (numbers) and `heads.json` (what they mean); nothing is pickled."""

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from emer.errors import ConfigError, OutputError
from emer.evidence.heads import HeadSpec, MultiViewHeads
from emer.jsonio import dumps, loads
from emer.version import __version__

SCHEMA = "emer.heads/1"
TENSORS, RECORD = "heads.safetensors", "heads.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRecord:
    """What a file of heads says about itself."""

    spec: HeadSpec
    data: str
    """Name of the data they were trained on."""
    trained_rows: tuple[str, ...]
    """Hashes of the rows they were trained on (`emer.evidence.rows`): calibration refuses these."""
    licence: str = ""
    """Licence of the weights, where the data asks for one."""
    fusion: str = "weighted"
    """The rule by which their views are to be fused."""
    reliabilities: dict[str, float] | None = None
    """View to reliability, for the weighted rule."""
    variant: Literal["plain", "baseline"] = "plain"
    """baseline: they read differences from the speaker's neutral recordings (`emer.evidence.speaker_baseline`)."""
    figures: dict[str, str] = field(default_factory=dict)
    """What they reach on people they have not heard, in words: measure to value with its interval and n."""
    limits: tuple[str, ...] = ()
    """What they should not be used for, a sentence each."""
    tensors_sha256: str = ""
    """Of the file of numbers; written by `save_heads`."""
    emer: str = __version__
    schema: str = SCHEMA


@dataclass(frozen=True, slots=True)
class TrainedHeads:
    """Heads that are ready to speak, and their record."""

    network: MultiViewHeads
    record: HeadRecord


def save_heads(folder: Path, network: MultiViewHeads, record: HeadRecord) -> HeadRecord:
    """Write heads into a folder, which is made where it is missing; the answer is the record as written.

    Raises ConfigError when `record` describes other heads, OutputError when the folder cannot be written.
    """
    if record.spec != network.spec:
        raise ConfigError("the record describes other heads than those to be saved; give it the network's own spec")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    data = save_tensors(tensors)
    values = {name: getattr(record, name) for name in HeadRecord.__dataclass_fields__}
    written = HeadRecord(**(values | {"tensors_sha256": sha256(data).hexdigest()}))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / TENSORS).write_bytes(data)
        (folder / RECORD).write_text(dumps(written) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{folder}: heads cannot be written there ({error.strerror}); choose another folder"
        ) from error
    return written


def load_heads(folder: Path) -> TrainedHeads:
    """Heads that `save_heads` wrote, ready to speak (no dropout). Raises ConfigError when they cannot be read."""
    record = _record(folder)
    data = _bytes(folder / TENSORS)
    if sha256(data).hexdigest() != record.tensors_sha256:
        raise ConfigError(f"{folder / TENSORS} is not the file that {RECORD} describes; copy both from one place")
    network = MultiViewHeads(record.spec)
    try:
        network.load_state_dict(load_tensors(data))
    except (SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{folder / TENSORS} does not fit {RECORD} ({reason}); train the heads again") from error
    return TrainedHeads(network.eval().requires_grad_(False), record)


def _record(folder: Path) -> HeadRecord:
    text = _bytes(folder / RECORD)
    try:
        record = loads(text, HeadRecord)
    except ConfigError as error:
        raise ConfigError(f"{folder / RECORD}: {error}") from error
    if record.schema != SCHEMA:
        raise ConfigError(f"{folder / RECORD} has schema {record.schema!r}, and this emer reads {SCHEMA}; update emer")
    return record


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: no heads can be read there ({error.strerror}); name a folder of heads") from error
