"""From a trained model to the folder of its adapter: LoRA as PEFT saves it, and the verdict's rows beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from emer.adapters.files import Adapter, tensor, write_adapter
from emer.adapters.proof import probe_of
from emer.adapters.record import AdapterRecord, BaseRecord
from emer.adapters.rows import rows_as_lora, scaling_of, with_output_lora
from emer.errors import ConfigError
from emer.evidence.head_files import TrainedHeads
from emer.evidence.verdict import VerdictHead, whole

VERSIONS = ("torch", "transformers", "peft")


def base_record(model: Any, name: str, sha256: str) -> BaseRecord:
    """What an adapter must remember of its base: a transformers model, or the `PeftModel` around one.

    `name` is the hub id, or a folder's own name; `sha256` comes from `emer.adapters.base_hash`.
    """
    base = _plain_model(model)
    layer = base.get_output_embeddings()
    weight = _weight(layer)
    softcap = getattr(base.config.get_text_config(), "final_logit_softcapping", None)
    return BaseRecord(
        name=name,
        sha256=sha256,
        model_class=type(base).__name__,
        output_layer=next(path for path, module in base.named_modules() if module is layer),
        hidden=weight.shape[1],
        vocabulary=weight.shape[0],
        softcap=None if softcap is None else float(softcap),
    )


def export_adapter(
    folder: str | Path,
    model: Any,
    record: AdapterRecord,
    head: VerdictHead | None = None,
    *,
    probe: tuple[str, Sequence[int]] | None = None,
    heads: TrainedHeads | None = None,
    licence: str | None = None,
) -> AdapterRecord:
    """Write the adapter of a trained `PeftModel` and of its verdict head; the answer is the record as written.

    `record` tells of base, verdict, prompt and data; `probe` is a prompt of text and its tokens, by which servers prove
    the adapter live. Raises ConfigError for LoRA that cannot hold the rows, and for a record of another base or head;
    OutputError where the folder cannot be written.
    """
    adapter = adapter_of(model, record, head)
    if head is not None and record.verdict is not None and probe is not None:
        made = probe_of(model, head, record.verdict.rows, *probe)
        adapter = replace(adapter, record=replace(adapter.record, probe=made))
    return write_adapter(folder, adapter, heads=heads, licence=licence)


def adapter_of(model: Any, record: AdapterRecord, head: VerdictHead | None = None) -> Adapter:
    """The adapter of a trained `PeftModel` in memory. Raises ConfigError as `export_adapter`.

    Where FSDP has spread the weights over processes, every one of them must call this, and one alone should write.
    """
    from peft import get_peft_model_state_dict

    _refuse_other(model, record, head)
    config = plain_config(model.peft_config[model.active_adapter].to_dict(), record.base.name)
    # False: with the output layer among the targets PEFT would store the whole layer of the base beside the adapter.
    found = get_peft_model_state_dict(model, adapter_name=model.active_adapter, save_embedding_layers=False)
    tensors = {name: whole(each) for name, each in found.items()}
    if broken := [name for name, each in tensors.items() if not each.isfinite().all()]:
        raise ConfigError(f"{len(broken)} LoRA tensors are not finite (first {broken[0]}): training diverged")
    record = replace(record, versions={**_versions(), **record.versions})
    if head is None or record.verdict is None:
        return Adapter(record, config, tensors)
    layer, ids = record.base.output_layer, record.verdict.rows
    lora = rows_as_lora(head.rows, base_rows(model, ids), ids, record.base.vocabulary, scaling_of(config))
    added = {tensor(layer, "A"): lora.a, tensor(layer, "B"): lora.b}
    return Adapter(record, with_output_lora(config, layer, lora), {**tensors, **added})


def base_rows(model: Any, ids: Sequence[int]) -> Float[Tensor, "row hidden"]:
    """The base's own output rows, in float32 on the CPU."""
    weight = whole(_weight(_plain_model(model).get_output_embeddings()).detach())
    return weight[list(ids)].float().cpu()


def plain_config(config: Mapping[str, Any], base: str) -> dict[str, Any]:
    """A LoRA configuration as JSON has it: sets in order, enumerations by value, and no path of this machine.

    >>> plain_config({"target_modules": {"v_proj", "q_proj"}, "base_model_name_or_path": "models/tiny"}, "me/tiny")
    {'target_modules': ['q_proj', 'v_proj'], 'base_model_name_or_path': 'me/tiny', 'inference_mode': True}
    """
    made = {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()}
    made = {key: getattr(value, "value", value) for key, value in made.items()}
    return {**made, "base_model_name_or_path": base, "inference_mode": True}


# ---------------------------------------------------------------- checks


def _refuse_other(model: Any, record: AdapterRecord, head: VerdictHead | None) -> None:
    ours = base_record(model, record.base.name, record.base.sha256)
    if ours != record.base:
        raise ConfigError(f"the record is of the base {record.base}, and the model is {ours}; make it by base_record")
    if (head is None) != (record.verdict is None):
        raise ConfigError("a verdict needs both its head and its place in the record; give both, or neither")
    if head is None or record.verdict is None:
        return
    if head.spec != record.verdict.spec or head.softcap != record.base.softcap:
        raise ConfigError(
            f"the head speaks over {head.spec} with soft cap {head.softcap}, and the record has {record.verdict.spec} "
            f"with {record.base.softcap}; make the record from the head and the model that were trained together"
        )


def _plain_model(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _weight(layer: nn.Module) -> Tensor:
    weight = getattr(layer, "weight", None)
    if not isinstance(weight, Tensor) or weight.ndim != 2 or not torch.is_floating_point(weight):
        raise ConfigError(
            "the output layer has no plain matrix of weights (it is quantised, or spread over processes); "
            "leave it unquantised, and gather it before the export"
        )
    return weight


def _versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in VERSIONS}
