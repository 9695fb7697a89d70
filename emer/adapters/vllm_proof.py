"""What can be proved of an adapter with vLLM's names where there is no vLLM.

vLLM adds each LoRA to the tensor of the checkpoint that its name says, and passes over names that it does not know
without a word. So three things are shown: every name is that of one tensor of the checkpoint and of its shape, every
number is the trained adapter's, and the verdict comes out when the checkpoint's own rows and the written LoRA are
multiplied by hand with the state that the model has at the probe's last token:

    z = softcap(W[rows] h + s B[rows] (A h))

What stays open is what a server does with it all; it proves the adapter live once more when it starts.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from emer.adapters.checkpoint import Checkpoint
from emer.adapters.files import Adapter
from emer.adapters.proof import LiveProof, last_state, precision_of, prove_live
from emer.errors import ModelError
from emer.evidence.verdict import capped


def prove_for_vllm(
    source: Adapter, written: Adapter, model: Any, checkpoint: Checkpoint, vllm_name: Callable[[str], str]
) -> LiveProof:
    """Hold an adapter with vLLM's names against the trained one and against its base's checkpoint.

    `model` is the `PeftModel` that has loaded `source`. Raises ModelError that says what does not hold.
    """
    output = _output_tensor(source, model, checkpoint, vllm_name)
    _prove_names(written, checkpoint, output)
    _prove_tensors(source, written, vllm_name)
    return _prove_verdict(written, model, checkpoint, output)


def _output_tensor(source: Adapter, model: Any, checkpoint: Checkpoint, vllm_name: Callable[[str], str]) -> str:
    """The checkpoint's tensor that the output layer reads: its own, or the embedding where they are tied."""
    own = vllm_name(f"{source.record.base.output_layer}.weight")
    base = model.get_base_model()
    if own in checkpoint.files or not base.config.get_text_config().tie_word_embeddings:
        return own
    shared = base.get_input_embeddings()
    return vllm_name(next(name for name, module in base.named_modules() if module is shared) + ".weight")


def _prove_names(written: Adapter, checkpoint: Checkpoint, output: str) -> None:
    layer = written.record.base.output_layer
    for module, (a, b) in written.pairs.items():
        name = output if module == layer else f"{module}.weight"
        if name not in checkpoint.files:
            raise ModelError(
                f"vLLM would look for {name}, and the base's files hold no such tensor (but {min(checkpoint.files)}, "
                "…); give the base as it was released, or export with --merged"
            )
        if checkpoint.shape(name) != (b.shape[0], a.shape[1]):
            raise ModelError(
                f"{name} has shape {list(checkpoint.shape(name))} in the base, and the adapter is for "
                f"{[b.shape[0], a.shape[1]]}; give the base that it was trained on"
            )


def _prove_tensors(source: Adapter, written: Adapter, vllm_name: Callable[[str], str]) -> None:
    expected = {vllm_name(name): each for name, each in source.tensors.items()}
    equal = expected.keys() == written.tensors.keys() and all(
        torch.equal(each, written.tensors[name]) for name, each in expected.items()
    )
    if not equal:
        raise ModelError("the written tensors are not those of the trained adapter; the disk may be damaged")


def _prove_verdict(written: Adapter, model: Any, checkpoint: Checkpoint, output: str) -> LiveProof:
    probe, verdict = written.record.probe, written.record.verdict
    assert probe is not None
    assert verdict is not None
    rows = checkpoint.rows(output, verdict.rows)
    cap = written.record.base.softcap
    served = _by_hand(written, rows, verdict.rows, last_state(model, probe.tokens).cpu())
    with model.disable_adapter():
        base = rows @ last_state(model, probe.tokens).cpu()
    if cap is not None:
        served, base = capped(served, cap), capped(base, cap)
    return prove_live(probe, served.tolist(), base.tolist(), verdict.spec, precision_of(model))


def _by_hand(
    written: Adapter, rows: Float[Tensor, "row hidden"], ids: Sequence[int], state: Float[Tensor, "hidden"]
) -> Float[Tensor, "row"]:
    """The logits of the verdict's rows as a server computes them."""
    lora = written.output_lora
    added = lora.b[list(ids)].float() @ (lora.a.float() @ state)
    return rows @ state + lora.alpha / lora.rank * added
