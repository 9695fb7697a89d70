"""Is an adapter live? Servers load one whose tensor names they do not know without an error and without effect.

The trainer leaves a probe in `emer.json`: a prompt, its verdict with the adapter, and without. Whoever serves the
adapter answers the same prompt both ways. Three things must hold: the base answers as the trainer's base did, the
adapter changes the answer, and with it the verdict is the trainer's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from emer.adapters.record import AdapterRecord, Precision, Probe, VerdictRecord
from emer.errors import ModelError
from emer.evidence.opinion import probability
from emer.evidence.verdict import VerdictHead, opinions
from emer.evidence.verdict_spec import VerdictSpec

TOLERANCES: dict[Precision, float] = {"float32": 1e-3, "bfloat16": 0.02}
"""Largest difference from the trainer: in logits (float32), in probability (bfloat16)."""


@dataclass(frozen=True, slots=True)
class LiveProof:
    """What was seen of an adapter that is live."""

    change: float
    """Largest change of a verdict logit that the adapter makes."""
    error: float
    """Largest difference from the trainer, in logits (float32) or in probability (bfloat16)."""
    precision: Precision


def prove_live(
    probe: Probe, served: Sequence[float], base: Sequence[float], spec: VerdictSpec, precision: Precision = "float32"
) -> LiveProof:
    """Hold a server's logits at the verdict rows, with the adapter (`served`) and without (`base`), against the probe.

    Logits are compared where both trainer and server computed in float32, else probabilities. Raises ModelError that
    says which of the three does not hold.

    >>> probe = Probe(text="", tokens=(1,), logits=(2.0, -1.0), base_logits=(0.5, 0.5))
    >>> mood = VerdictSpec(label_set="mood", labels=("good", "bad"))
    >>> prove_live(probe, [2.0, -1.0005], [0.5, 0.5], mood).change
    1.5005
    """
    for name, logits in (("served", served), ("base", base)):
        if len(logits) != spec.rows or not np.isfinite(logits).all():
            raise ModelError(
                f"the {name} logits {list(logits)} must be {spec.rows} finite numbers, one per verdict row"
            )
    coarser: Precision = "float32" if precision == probe.precision == "float32" else "bfloat16"
    limit = TOLERANCES[coarser]
    change = float(np.abs(np.subtract(served, base)).max())
    expected = float(np.abs(np.subtract(probe.logits, probe.base_logits)).max())
    base_error = _distance(base, probe.base_logits, spec, coarser)
    error = _distance(served, probe.logits, spec, coarser)
    if expected == 0:
        raise ModelError(
            "the probe shows no difference between adapter and base, so it proves nothing; export it again"
        )
    if change < expected / 2:
        raise ModelError(
            f"the adapter has no effect: the same prompt gives the same verdict logits with it and without "
            f"(largest change {change:.2g}, {expected:.2g} in training); its tensor names are not those of this server"
        )
    if base_error > limit:
        raise ModelError(
            f"the base without the adapter answers otherwise than in training (by {base_error:.2g}, allowed "
            f"{limit:g}); it is another base, or another request's adapter reaches it"
        )
    if error > limit:
        raise ModelError(
            f"the verdict differs from the trainer's by {error:.2g}, allowed {limit:g} ({coarser}); "
            "parts of the adapter were not loaded, or its scaling is read otherwise"
        )
    return LiveProof(change, error, coarser)


def _distance(ours: Sequence[float], theirs: Sequence[float], spec: VerdictSpec, precision: Precision) -> float:
    if precision == "float32":
        return float(np.abs(np.subtract(ours, theirs)).max())
    both = opinions(torch.tensor([list(ours), list(theirs)], dtype=torch.float64), spec)
    return float(np.abs(probability(both[0]) - probability(both[1])).max())


# ---------------------------------------------------------------- in transformers


def prove_merged(model: Any, record: AdapterRecord, base: Sequence[float]) -> LiveProof:
    """Prove a merged model live. `base` are the logits that the base alone had at the verdict's rows on the probe.
    Raises ModelError like `prove_live`, and where there is no probe."""
    verdict, probe = provable(record)
    served = last_logits(model, probe.tokens)[list(verdict.rows)]
    return prove_live(probe, served.tolist(), base, verdict.spec, precision_of(model))


def provable(record: AdapterRecord) -> tuple[VerdictRecord, Probe]:
    """What a proof needs. Raises ModelError where the adapter has no verdict or no probe."""
    if record.verdict is None or record.probe is None:
        raise ModelError(
            "the adapter has no verdict with a probe, so nothing proves it live; train it with a verdict, as "
            "emer train does, which leaves a probe in its record"
        )
    return record.verdict, record.probe


def prove_in_transformers(model: Any, record: AdapterRecord) -> LiveProof:
    """Prove an adapter live on a `PeftModel` that has loaded it. Raises ModelError like `prove_live`, and where the
    adapter has no verdict or no probe."""
    verdict, probe = provable(record)
    rows = list(verdict.rows)
    served = last_logits(model, probe.tokens)[rows]
    with model.disable_adapter():
        base = last_logits(model, probe.tokens)[rows]
    return prove_live(probe, served.tolist(), base.tolist(), verdict.spec, precision_of(model))


def probe_of(model: Any, head: VerdictHead, rows: Sequence[int], text: str, tokens: Sequence[int]) -> Probe:
    """The trainer's probe: the verdict that `head` reads from the states of a trained `PeftModel`, and its base's
    logits at the verdict rows. The output layer has no LoRA yet."""
    logits = head(last_state(model, tokens).to(head.linear.weight.device))
    with model.disable_adapter():
        base = last_logits(model, tokens)[list(rows)]
    return Probe(
        text=text,
        tokens=tuple(tokens),
        logits=_numbers(logits),
        base_logits=_numbers(base),
        precision=precision_of(model),
    )


def last_state(model: Any, tokens: Sequence[int]) -> Float[Tensor, "hidden"]:
    """What enters the output layer at the last of these tokens: the state after the last norm, in float32."""
    states: list[Tensor] = []
    hook = model.get_output_embeddings().register_forward_pre_hook(lambda _, given: states.append(given[0].detach()))
    try:
        last_logits(model, tokens)
    finally:
        hook.remove()
    return states[0].reshape(-1, states[0].shape[-1])[-1].float()


def last_logits(model: Any, tokens: Sequence[int]) -> Float[Tensor, "vocabulary"]:
    """Logits after the last token, in float32, as a model that is not in training has them."""
    training = model.training
    ids = torch.tensor([list(tokens)], device=model.device)
    try:
        model.eval()
        with torch.no_grad():
            logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits
    finally:
        model.train(training)
    return logits[0, -1].float().cpu()  # type: ignore[no-any-return]


def precision_of(model: Any) -> Precision:
    """What a model computes in."""
    return "float32" if model.dtype == torch.float32 else "bfloat16"


def _numbers(logits: Tensor) -> tuple[float, ...]:
    return tuple(logits.detach().float().cpu().tolist())
