"""The adapter folder, written whole and read with suspicion; nothing in it is pickled.

adapter_config.json, adapter_model.safetensors    as PEFT has them
emer.json                                         what they mean (`emer.adapters.record`)
heads.safetensors, heads.json                     its own heads, where it has some (`emer.evidence.head_files`)
README.md, LICENSE                                a model card; a licence where the data asks for one
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from emer.adapters.card import adapter_card
from emer.adapters.record import AdapterRecord, parse_record, write_record
from emer.adapters.rows import OutputLora
from emer.adapters.whole_folder import replacing_folder
from emer.errors import ConfigError, ModelError
from emer.evidence import head_files
from emer.evidence.head_files import TrainedHeads, load_heads, save_heads

CONFIG, TENSORS, RECORD = "adapter_config.json", "adapter_model.safetensors", "emer.json"
CARD, LICENCE = "README.md", "LICENSE"
PREFIX = "base_model.model."
"""What PEFT puts before the name of every module."""
_LORA = re.compile(rf"{re.escape(PREFIX)}(.+)\.lora_([AB])\.weight")


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter in memory."""

    record: AdapterRecord
    config: Mapping[str, Any]
    """As `adapter_config.json` has it."""
    tensors: Mapping[str, Tensor]
    """As `adapter_model.safetensors` has them."""

    @property
    def pairs(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Module to its LoRA, by name: A of shape "rank in", B of shape "out rank"."""
        modules = sorted({found.group(1) for name in self.tensors if (found := _LORA.fullmatch(name))})
        return {module: (self.tensors[tensor(module, "A")], self.tensors[tensor(module, "B")]) for module in modules}

    @property
    def output_lora(self) -> OutputLora:
        """The LoRA that holds the verdict's rows. Raises ModelError where there is no verdict."""
        layer = self.record.base.output_layer
        if self.record.verdict is None:
            raise ModelError("the adapter has no verdict; train it with one")
        a, b = self.pairs[layer]
        return OutputLora(a, b, rank_of(self.config, layer), round(alpha_of(self.config, layer)))


def tensor(module: str, side: str) -> str:
    """The name of a LoRA tensor.

    >>> tensor("lm_head", "A")
    'base_model.model.lm_head.lora_A.weight'
    """
    return f"{PREFIX}{module}.lora_{side}.weight"


def rank_of(config: Mapping[str, Any], module: str) -> int:
    """The rank of a module's LoRA: its pattern's, else r."""
    return int(_by_pattern(config.get("rank_pattern") or {}, module, config["r"]))


def alpha_of(config: Mapping[str, Any], module: str) -> float:
    """The alpha of a module's LoRA: its pattern's, else `lora_alpha`."""
    alpha: float = _by_pattern(config.get("alpha_pattern") or {}, module, config["lora_alpha"])
    return alpha


def _by_pattern(patterns: Mapping[str, Any], module: str, default: Any) -> Any:
    """As PEFT looks patterns up: the first that matches the end of the name, from a dot on."""
    return next((value for key, value in patterns.items() if re.match(rf"(.*\.)?({key})$", module)), default)


# ---------------------------------------------------------------- writing


def write_adapter(
    folder: str | Path, adapter: Adapter, *, heads: TrainedHeads | None = None, licence: str | None = None
) -> AdapterRecord:
    """Write an adapter's folder, whole or not at all; the answer is the record as written, with the files' hashes.

    `heads` are the adapter's own, which go before those that are installed; `licence` is the text of `LICENSE`. An
    older adapter at the same place is replaced. Raises ModelError for tensors that do not belong together, OutputError
    when the folder cannot be written.
    """
    refuse_broken(adapter, "the adapter")
    data = save_tensors({name: each.detach().cpu().contiguous() for name, each in adapter.tensors.items()})
    with replacing_folder(folder, RECORD) as draft:
        files = {TENSORS: sha256(data).hexdigest()}
        (draft / TENSORS).write_bytes(data)
        if heads is not None:
            written = save_heads(draft, heads.network, heads.record)
            files[head_files.TENSORS] = written.tensors_sha256
        record = replace(adapter.record, files=files)
        (draft / CONFIG).write_text(json.dumps(adapter.config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        (draft / RECORD).write_text(write_record(record) + "\n", encoding="utf-8")
        (draft / CARD).write_text(adapter_card(record), encoding="utf-8")
        if licence is not None:
            (draft / LICENCE).write_text(licence, encoding="utf-8")
    return record


# ---------------------------------------------------------------- reading


def read_record(folder: str | Path) -> AdapterRecord:
    """What an adapter says about itself. Raises ModelError where there is no adapter of emer's."""
    path = Path(folder) / RECORD
    text = _bytes(path)
    try:
        return parse_record(text)
    except ConfigError as error:
        raise ModelError(f"{path}: {error}; copy or export the adapter again") from error


def read_adapter(folder: str | Path) -> Adapter:
    """An adapter that `write_adapter` wrote. Raises ModelError for files that are missing, cut short or changed."""
    folder = Path(folder)
    record = read_record(folder)
    if record.names == "merged":
        raise ModelError(f"{folder} is a whole model with its adapter merged in; load it as a model")
    data = _bytes(folder / TENSORS)
    try:
        config = json.loads(_bytes(folder / CONFIG))
        adapter = Adapter(record, config, load_tensors(data))
    except (ValueError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{folder}: the adapter cannot be read ({reason}); copy the whole folder again") from error
    refuse_broken(adapter, str(folder))
    if sha256(data).hexdigest() != record.files.get(TENSORS):
        raise ModelError(f"{folder / TENSORS} is not the file that {RECORD} describes; copy both from one place")
    return adapter


def read_heads(folder: str | Path) -> TrainedHeads | None:
    """The adapter's own heads; None where it has none. Raises ModelError where they cannot be read."""
    folder = Path(folder)
    wanted = read_record(folder).files.get(head_files.TENSORS)
    if wanted is None:
        return None
    heads = load_heads(folder)
    if heads.record.tensors_sha256 != wanted:
        raise ModelError(f"{folder / head_files.TENSORS} is not the file that {RECORD} describes; copy both again")
    return heads


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"no adapter can be read there ({path.name}: {error.strerror}); name a folder that emer train or export "
            "wrote"
        ) from error


# ---------------------------------------------------------------- do the tensors belong together?


def refuse_broken(adapter: Adapter, where: str) -> None:
    """Raises ModelError that lists every tensor that is not what configuration and record say."""
    if mistakes := list(_mistakes(adapter)):
        some = "; ".join(mistakes[:5]) + (f"; and {len(mistakes) - 5} more" if len(mistakes) > 5 else "")
        raise ModelError(f"{where}: its tensors are not those of its record ({some}); copy or export it again")


def _mistakes(adapter: Adapter) -> Iterator[str]:
    config, base = adapter.config, adapter.record.base
    if not isinstance(config, dict) or "r" not in config or "lora_alpha" not in config:
        yield f"{CONFIG} is no configuration of LoRA"
        return
    for name, each in sorted(adapter.tensors.items()):
        found = _LORA.fullmatch(name)
        if found is None:
            yield f"{name} is no LoRA tensor"
            continue
        module, side = found.groups()
        other = adapter.tensors.get(tensor(module, "B" if side == "A" else "A"))
        rank = rank_of(config, module)
        if other is None:
            yield f"{name} has no counterpart"
        elif each.ndim != 2 or each.shape[0 if side == "A" else 1] != rank:
            yield f"{name} has shape {list(each.shape)}, and its rank is {rank}"
    yield from _output_mistakes(adapter.tensors, config, base.output_layer, adapter.record)


def _output_mistakes(
    tensors: Mapping[str, Tensor], config: Mapping[str, Any], layer: str, record: AdapterRecord
) -> Iterator[str]:
    a, b = tensors.get(tensor(layer, "A")), tensors.get(tensor(layer, "B"))
    if record.verdict is None:
        if a is not None or b is not None:
            yield f"{layer} has LoRA, and the adapter has no verdict"
        return
    if a is None or b is None:
        yield f"{layer} has no LoRA, which would hold the verdict"
        return
    base, rows = record.base, record.verdict.spec.rows
    if rank_of(config, layer) < rows:
        yield f"{layer} has rank {rank_of(config, layer)} for {rows} verdict rows"
    if a.ndim == b.ndim == 2 and (a.shape[1], b.shape[0]) != (base.hidden, base.vocabulary):
        yield f"{layer} has LoRA of {b.shape[0]} by {a.shape[1]}, and the base has {base.vocabulary} by {base.hidden}"
