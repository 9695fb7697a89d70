"""The merged export: LoRA added to the base's own weights, verdict rows put in place, one model without an adapter.

For servers that take no LoRA on the output layer (vLLM above 258,048 vocabulary rows: Gemma).
"""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from emer.adapters.card import adapter_card
from emer.adapters.checkpoint import INDEX, read_checkpoint
from emer.adapters.files import CARD, LICENCE, RECORD, Adapter, alpha_of, rank_of
from emer.adapters.record import AdapterRecord, write_record
from emer.adapters.rows import rows_of_lora
from emer.adapters.whole_folder import replacing_folder
from emer.errors import ModelError, OutputError
from emer.evidence.head_files import TrainedHeads, save_heads


def merge(model: Any, adapter: Adapter) -> Any:
    """Put an adapter into the weights of its base, a plain transformers model, in place; the answer is the model.

    Each product is added in float32 and then rounded to the model's precision; verdict rows are those of the head,
    rounded once. Tied embeddings are untied first: verdict rows are no embeddings. `generation_config` suppresses the
    verdict rows. Raises ModelError for another class of model or other shapes, before anything is changed.
    """
    layers = {name: _layer(model, name, pair) for name, pair in adapter.pairs.items()}
    _refuse_other(model, adapter.record)
    verdict, output = adapter.record.verdict, adapter.record.base.output_layer
    with torch.no_grad():
        if verdict is not None:
            untie(model)
            weight = layers.pop(output).weight
            ids = list(verdict.rows)
            weight[ids] = rows_of_lora(adapter.output_lora, weight[ids].float().cpu(), ids).to(weight)
            before = model.generation_config.suppress_tokens or []
            model.generation_config.suppress_tokens = list(dict.fromkeys([*before, *ids]))
        for name, layer in layers.items():
            a, b = adapter.pairs[name]
            scaling = alpha_of(adapter.config, name) / rank_of(adapter.config, name)
            added = scaling * (b.float() @ a.float())
            layer.weight.copy_(layer.weight.float() + added.to(layer.weight.device))
    return model


def untie(model: Any) -> None:
    """Give the output layer weights of its own, where it shares those of the embedding."""
    output = model.get_output_embeddings()
    if output.weight is model.get_input_embeddings().weight:
        output.weight = nn.Parameter(output.weight.detach().clone(), requires_grad=output.weight.requires_grad)
    for config in (model.config, model.config.get_text_config()):
        config.tie_word_embeddings = False


def save_merged(
    folder: str | Path,
    model: Any,
    record: AdapterRecord,
    *,
    processor: Any = None,
    heads: TrainedHeads | None = None,
    licence: str | None = None,
) -> AdapterRecord:
    """Write a merged model whole or not at all, with `emer.json` beside it; `processor` may be a tokenizer, `heads` are
    the adapter's own. Raises OutputError when it cannot be written.
    """
    with replacing_folder(folder, RECORD) as draft:
        try:
            model.save_pretrained(draft)
        except SafetensorError as error:  # its writer tells of a full disk so
            raise OutputError(f"{folder} cannot be written ({error}); make room or choose another place") from error
        if processor is not None:
            processor.save_pretrained(draft)
        if heads is not None:
            _write_index(draft)
            save_heads(draft, heads.network, heads.record)
        files = {path.name: _sha256(path) for path in sorted(draft.glob("*.safetensors"))}
        written = replace(record, names="merged", files=files)
        (draft / RECORD).write_text(write_record(written) + "\n", encoding="utf-8")
        (draft / CARD).write_text(adapter_card(written), encoding="utf-8")
        if licence is not None:
            (draft / LICENCE).write_text(licence, encoding="utf-8")
    return written


def _write_index(folder: Path) -> None:
    """Which file holds which tensor of the model. Servers that find no index load every .safetensors file of a folder,
    and would take the heads for weights of the model."""
    if (folder / INDEX).is_file():
        return
    files = read_checkpoint(folder).files
    size = sum(path.stat().st_size for path in set(files.values()))
    made = {"metadata": {"total_size": size}, "weight_map": {name: path.name for name, path in files.items()}}
    (folder / INDEX).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


def _layer(model: Any, name: str, pair: tuple[Tensor, Tensor]) -> Any:
    """The linear layer of that name, if its weight takes the product of the pair."""
    try:
        layer = model.get_submodule(name)
    except AttributeError as error:
        kind = type(model).__name__
        raise ModelError(f"the adapter is for a layer {name}, and {kind} has none; give its base") from error
    weight = getattr(layer, "weight", None)
    shape = [pair[1].shape[0], pair[0].shape[1]]
    if weight is None or not weight.is_floating_point() or list(weight.shape) != shape:
        found = "no weights" if weight is None else f"{weight.dtype} weights of shape {list(weight.shape)}"
        raise ModelError(
            f"the adapter is for a layer {name} of shape {shape}, and the model has {found}; give its base, unquantised"
        )
    return layer


def _refuse_other(model: Any, record: AdapterRecord) -> None:
    if record.names != "peft":
        raise ModelError(f"the adapter has {record.names} names; merge the folder that emer train wrote")
    if type(model).__name__ != record.base.model_class:
        wanted = record.base.model_class
        raise ModelError(f"the adapter is for {wanted}, and the model is {type(model).__name__}; load it as {wanted}")


def _sha256(path: Path) -> str:
    digest = sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 24):
            digest.update(block)
    return digest.hexdigest()
