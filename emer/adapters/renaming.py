"""The same adapter with vLLM's tensor names, in a folder of its own.

vLLM loads an adapter whose names it does not recognise without an error and without effect, so it gets the names that
it knows, and the server proves the adapter live (`emer.adapters.proof`).
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from emer.adapters.files import (
    LICENCE,
    Adapter,
    alpha_of,
    rank_of,
    read_adapter,
    read_heads,
    tensor,
    write_adapter,
)
from emer.adapters.record import AdapterRecord
from emer.adapters.rows import MOST_ROWS_FOR_VLLM
from emer.errors import ConfigError

ENCODERS = frozenset({"audio_tower", "vision_tower", "visual", "embed_audio", "embed_vision", "multi_modal_projector"})
"""Modules that make of sound and pictures what the language model reads, as transformers names them."""


def to_vllm(source: str | Path, folder: str | Path, vllm_name: Callable[[str], str]) -> AdapterRecord:
    """Write a copy of an adapter with the names that `vllm_name` makes of a base's tensor names.

    `vllm_name` takes and gives names as the base's checkpoint has them, such as `lm_head.weight`. Raises ConfigError
    for an adapter that vLLM cannot take, and says what to do instead; OutputError where the folder cannot be written.
    """
    adapter = read_adapter(source)
    licence = Path(source) / LICENCE
    text = licence.read_text(encoding="utf-8") if licence.is_file() else None
    return write_adapter(folder, renamed(adapter, vllm_name), heads=read_heads(source), licence=text)


def renamed(adapter: Adapter, vllm_name: Callable[[str], str]) -> Adapter:
    """The adapter in memory with vLLM's names. Raises ConfigError as `to_vllm`."""
    record = adapter.record
    if record.names != "peft":
        raise ConfigError(f"the adapter has {record.names} names already; give the folder that emer train wrote")
    if record.verdict is not None and record.base.vocabulary > MOST_ROWS_FOR_VLLM:
        raise ConfigError(
            f"the output layer has {record.base.vocabulary:,} rows, and vLLM takes LoRA on at most "
            f"{MOST_ROWS_FOR_VLLM:,}; export with --merged"
        )
    _refuse_encoders(adapter)
    names = {module: vllm_name(f"{module}.weight").removesuffix(".weight") for module in adapter.pairs}
    if len(set(names.values())) < len(names):
        raise ConfigError("two layers would have one name in vLLM; this backbone's names are wrong: report it")
    tensors = {
        tensor(names[module], side): each
        for module, pair in adapter.pairs.items()
        for side, each in zip("AB", pair, strict=True)
    }
    base = replace(record.base, output_layer=names.get(record.base.output_layer, record.base.output_layer))
    return Adapter(replace(record, base=base, names="vllm"), _config(adapter, names), tensors)


def _refuse_encoders(adapter: Adapter) -> None:
    """vLLM leaves LoRA on encoders out without a word, and a probe of text would not show it."""
    outside = [module for module in adapter.pairs if ENCODERS & set(module.split("."))]
    if outside:
        raise ConfigError(
            f"the adapter has LoRA on {len(outside)} layers outside of the language model (first {outside[0]}), which "
            "vLLM leaves out; train the language model's layers only, or export with --merged"
        )


def _config(adapter: Adapter, names: dict[str, str]) -> dict[str, Any]:
    """Targets by their last names, as vLLM compares them; ranks by whole names, where one has another than r."""
    config = adapter.config
    ranks = {new: rank_of(config, old) for old, new in names.items()}
    alphas = {new: alpha_of(config, old) for old, new in names.items()}
    return {
        **config,
        "target_modules": sorted({new.rpartition(".")[2] for new in names.values()}),
        "exclude_modules": None,
        "rank_pattern": {name: rank for name, rank in ranks.items() if rank != config["r"]},
        "alpha_pattern": {name: alpha for name, alpha in alphas.items() if alpha != config["lora_alpha"]},
    }
