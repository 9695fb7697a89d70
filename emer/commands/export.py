"""`emer export`: an adapter as a server takes it, loaded afresh and proved live; or nothing, and the reason.

    emer export ADAPTER --to vllm --base MODEL --out DIR     a second folder with vLLM's tensor names
    emer export ADAPTER --merged --base MODEL --out DIR      a whole model, LoRA and verdict in its own weights

The base is loaded once in its own precision, a merged model once more after it; never both at a time.
"""

import gc
import json
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from emer.adapters.base_hash import base_sha256, model_folder
from emer.adapters.checkpoint import read_checkpoint
from emer.adapters.files import LICENCE, RECORD, Adapter, read_adapter, read_heads, read_record
from emer.adapters.merging import merge, save_merged
from emer.adapters.proof import LiveProof, last_logits, provable, prove_in_transformers, prove_merged
from emer.adapters.record import Names, refuse_other_base
from emer.adapters.renaming import to_vllm
from emer.adapters.vllm_proof import prove_for_vllm
from emer.adapters.whole_folder import replacing_folder
from emer.backbones.backbone import Backbone
from emer.backbones.loading import load
from emer.backbones.opening import quietly
from emer.backbones.whole_model import whole_model
from emer.errors import ModelError, OutputError

SPEAKING = ("talker.", "token2wav.", "code2wav.")
"""Tensors of the parts of an omni model that speak, which a merged model does without."""


@dataclass(frozen=True, slots=True)
class Source:
    """The adapter that is exported, and what it was trained on."""

    folder: Path
    adapter: Adapter
    base: Path
    device: str


def run(options: Namespace) -> int:
    """Export into a draft, prove it, and only then give it its name. Raises EmerError; then nothing is left."""
    names: Names = "merged" if options.merged else "vllm"
    source = source_of(options)
    _refuse_place(Path(options.out), source, names)
    export: Callable[[Source, Path], LiveProof] = merged if options.merged else for_vllm
    with replacing_folder(options.out, RECORD) as draft, quietly():
        proof = export(source, draft)
    unit = "in logits" if proof.precision == "float32" else "in probability"
    print(f"{options.out}: live. The verdict is the trainer's to {proof.error:.2g} {unit} ({proof.precision});")
    print(f"the adapter changes its logits by up to {proof.change:.2g}.")
    return 0


def source_of(options: Namespace) -> Source:
    """The adapter and its base. Raises ModelError where they do not belong together, or nothing could prove them."""
    adapter = read_adapter(options.adapter)
    if adapter.record.names != "peft":
        raise ModelError(f"{options.adapter} is an export for vLLM; give the folder that emer train wrote")
    provable(adapter.record)
    refuse_other_base(adapter.record, base_sha256(options.base))
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    return Source(Path(options.adapter), adapter, model_folder(options.base), device)


def _refuse_place(out: Path, source: Source, names: Names) -> None:
    """Raises OutputError for a place where something else would be lost: only an older export is replaced."""
    if out.resolve() in (source.folder.resolve(), source.base.resolve()):
        raise OutputError(f"{out} is the adapter or the base itself; give the name of a new folder")
    if (out / RECORD).is_file() and (found := read_record(out).names) != names:
        raise OutputError(f"{out} holds an adapter or model with {found} names, which is not replaced; choose another")


# ---------------------------------------------------------------- vLLM's names


def for_vllm(source: Source, folder: Path) -> LiveProof:
    """A copy with vLLM's names, proved against the base's checkpoint and on the base in transformers."""
    backbone = _loaded(source.base, source, adapter=source.folder)
    if "adapter" not in backbone.exports:
        raise ModelError(f"servers take no adapter with a verdict on {backbone.family}; export with --merged")
    prove_in_transformers(backbone.model, source.adapter.record)
    to_vllm(source.folder, folder, backbone.vllm_name)
    written = read_adapter(folder)
    return prove_for_vllm(source.adapter, written, backbone.model, read_checkpoint(source.base), backbone.vllm_name)


# ---------------------------------------------------------------- merged


def merged(source: Source, folder: Path) -> LiveProof:
    """The whole model with the adapter in its weights, loaded again from its files and asked the probe."""
    record = source.adapter.record
    base_logits = _write_merged(source, folder)
    gc.collect()  # the model that was written makes room for the one that is read
    fresh = _loaded(folder, source)
    missing = set(provable(record)[0].rows) - set(fresh.model.generation_config.suppress_tokens or ())
    if missing:
        raise ModelError(f"the merged model would write the verdict rows {sorted(missing)}; report this")
    _prove_layout(source, folder, fresh)
    return prove_merged(fresh.model, record, base_logits)


def _write_merged(source: Source, folder: Path) -> list[float]:
    """Write the merged model; what the base alone says of the probe."""
    record = source.adapter.record
    verdict, probe = provable(record)
    backbone = _loaded(source.base, source)
    base_logits: list[float] = last_logits(backbone.model, probe.tokens)[list(verdict.rows)].tolist()
    model = whole_model(merge(backbone.model, source.adapter), source.base)
    licence = source.folder / LICENCE
    save_merged(
        folder,
        model,
        record,
        processor=backbone.processor,
        heads=read_heads(source.folder),
        licence=licence.read_text(encoding="utf-8") if licence.is_file() else None,
    )
    return base_logits


def _prove_layout(source: Source, folder: Path, fresh: Backbone) -> None:
    """Raises ModelError unless the folder has the tensors that the base has in vLLM, by name, and says so of itself."""
    base, made = read_checkpoint(source.base).files, read_checkpoint(folder).files
    wanted = {fresh.vllm_name(name) for name in base if not name.startswith(SPEAKING)}
    output = fresh.vllm_name(f"{source.adapter.record.base.output_layer}.weight")  # a tied base has none of its own
    if odd := sorted((wanted | {output}) ^ set(made)):
        raise ModelError(
            f"the merged model has not the tensor names of its base ({len(odd)} differ, first {odd[0]}), so servers "
            "would not read it; this transformers writes other names: take the version that the base was saved with"
        )
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config.get("enable_audio_output"):
        raise ModelError("the merged model's configuration promises a voice that is not there; report this")


def _loaded(path: Path, source: Source, adapter: Path | None = None) -> Backbone:
    """A backbone whose tokenizer leaves the verdict's rows free. Raises ModelError where it does not fit, or is too
    large for the device."""
    try:
        backbone = load(path, device=source.device, adapter=adapter)
    except torch.OutOfMemoryError as error:
        raise ModelError(f"{path} does not fit into the memory of {source.device}; try --device cpu") from error
    backbone.check_verdict_rows(provable(source.adapter.record)[0].rows)
    return backbone
