"""The verdict's rows as LoRA on the output layer, so that any server that knows LoRA gives the verdict's logits.

    served logit of vocabulary row r:   softcap(W[r] h + s B[r] A h)
    wanted in verdict row r_i:          softcap(H[i] h)
    so                                  A[i] = H[i] - W[r_i],   B[r_i, i] = 1 / s,   everything else zero

Rows of the base that no token uses are not zero, hence the difference. `s = alpha / r` is a power of two, so that
`s B` is exactly one in every precision. The output layer has a rank of its own, at least the number of rows, padded
with zeros; its scaling is that of the other layers, since not every server reads one scaling per layer. LoRA: Hu et
al. 2021.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from emer.errors import ConfigError

MOST_ROWS_FOR_VLLM = 258_048
"""vLLM refuses LoRA on an output layer with more rows than this; such a model needs the merged export."""
_BASE_CHANGING = ("pissa", "olora", "corda", "loftq", "lora_ga")
"""Initialisations that change the base's weights: an adapter made with them is one of another base."""
_VARIANTS = (
    "alora_invocation_tokens",
    "arrow_config",
    "kasa_config",
    "layer_replication",
    "monteclora_config",
    "target_parameters",
    "use_bdlora",
    "use_qalora",
    "velora_config",
)
"""Settings of PEFT that make of LoRA something else than a product added to a weight."""


@dataclass(frozen=True, slots=True)
class OutputLora:
    """LoRA on the output layer that holds a verdict's rows."""

    a: Float[Tensor, "rank hidden"]
    b: Float[Tensor, "vocabulary rank"]
    rank: int
    alpha: int


# ---------------------------------------------------------------- which LoRA can hold rows


def scaling_of(config: Mapping[str, Any]) -> float:
    """`alpha / r` of an `adapter_config.json`. Raises ConfigError that lists every reason why it cannot hold rows.

    >>> scaling_of({"peft_type": "LORA", "r": 8, "lora_alpha": 16, "target_modules": ["q_proj"]})
    2.0
    """
    if reasons := list(_unfit(config)):
        raise ConfigError("the verdict's rows cannot ride in this LoRA: " + "; ".join(reasons))
    return float(config["lora_alpha"]) / float(config["r"])


def _unfit(config: Mapping[str, Any]) -> Iterator[str]:
    if str(config.get("peft_type")) not in ("LORA", "PeftType.LORA"):
        yield f"the adapter is of type {config.get('peft_type')}; train LoRA"
        return
    if not _is_power_of_two(config.get("lora_alpha"), config.get("r")):
        told = f"lora_alpha {config.get('lora_alpha')} / r {config.get('r')}"
        yield f"{told} is no power of two, so the rows would be rounded; choose for example lora_alpha = 2 r"
    if config.get("use_rslora"):
        yield "use_rslora scales by the root of the rank, and servers read alpha / r; turn it off"
    if config.get("use_dora"):
        yield "use_dora rescales whole rows, which would change the verdict's; turn it off"
    if config.get("fan_in_fan_out"):
        yield "fan_in_fan_out is for transposed weights, and an output layer has none; turn it off"
    if config.get("bias", "none") != "none" or config.get("lora_bias"):
        yield "trained biases would add to the rows; set bias to none and lora_bias to false"
    if config.get("modules_to_save") or config.get("trainable_token_indices"):
        yield "modules_to_save and trainable_token_indices save base weights, which vLLM refuses; leave them out"
    if config.get("layers_to_transform") is not None:
        yield "layers_to_transform shuts out the output layer; write the layers into target_modules instead"
    if str(config.get("init_lora_weights")).startswith(_BASE_CHANGING) or config.get("loftq_config"):
        yield f"init_lora_weights {config.get('init_lora_weights')!r} changes the base's weights; take the default"

    if variants := [name for name in _VARIANTS if config.get(name)]:
        yield f"{', '.join(variants)} make other than plain LoRA, which servers do not know; leave them out"


def _is_power_of_two(alpha: Any, rank: Any) -> bool:
    if not all(isinstance(number, int | float) and 0 < number < math.inf for number in (alpha, rank)):
        return False
    return math.frexp(alpha / rank)[0] == 0.5


# ---------------------------------------------------------------- rows in, LoRA out


def rank_for(rows: int, scaling: float) -> int:
    """The smallest power of two that has room for the rows and makes alpha a whole number.

    >>> rank_for(8, 2.0), rank_for(11, 2.0), rank_for(3, 0.125)
    (8, 16, 8)
    """
    return max(1 << (rows - 1).bit_length(), math.ceil(1 / scaling))


def rows_as_lora(
    rows: Float[Tensor, "row hidden"],
    base: Float[Tensor, "row hidden"],
    ids: Sequence[int],
    vocabulary: int,
    scaling: float,
) -> OutputLora:
    """The rows H of a verdict as LoRA on an output layer of `vocabulary` rows; `base` is W at the rows `ids`.

    All in float32. Raises ConfigError for rows that are not there or stand twice, and for numbers that are not finite.
    """
    if len(set(ids)) < len(ids) or len(ids) != len(rows) or not all(0 <= row < vocabulary for row in ids):
        raise ConfigError(f"the verdict needs {len(rows)} different rows below {vocabulary}, not {list(ids)}")
    difference = rows.float() - base.float()
    if not difference.isfinite().all():
        raise ConfigError("the verdict's rows are not finite: training diverged; lower its learning rate")
    rank = rank_for(len(ids), scaling)
    a = torch.zeros(rank, rows.shape[1])
    a[: len(ids)] = difference
    b = torch.zeros(vocabulary, rank)
    b[list(ids), range(len(ids))] = 1 / scaling
    return OutputLora(a, b, rank, round(rank * scaling))


def rows_of_lora(
    lora: OutputLora, base: Float[Tensor, "row hidden"], ids: Sequence[int]
) -> Float[Tensor, "row hidden"]:
    """The rows H that `rows_as_lora` put in. Raises ConfigError where the LoRA is more or less than a verdict's rows.

    >>> h, w = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.5, 0.5]])
    >>> rows_of_lora(rows_as_lora(h, w, [3], 5, 2.0), w, [3]).tolist()
    [[1.0, 2.0]]
    """
    count = len(ids)
    wanted = torch.zeros_like(lora.b, dtype=torch.float32)
    wanted[list(ids), range(count)] = lora.rank / lora.alpha
    if count > lora.rank or not torch.equal(lora.b.float(), wanted) or lora.a[count:].any():
        raise ConfigError(
            f"the LoRA on the output layer does not hold just the {count} verdict rows {list(ids)}: "
            "the adapter was changed after its export; export it again"
        )
    return lora.a[:count].float() + base.float()


def with_output_lora(config: Mapping[str, Any], layer: str, lora: OutputLora) -> dict[str, Any]:
    """An `adapter_config.json` that also has the output layer `layer` (its full name) with a rank of its own.

    Raises ConfigError where it has LoRA already: then its rows would not be the verdict's.

    >>> lora = OutputLora(torch.zeros(4, 2), torch.zeros(9, 4), 4, 8)
    >>> made = with_output_lora({"r": 8, "lora_alpha": 16, "target_modules": r".*\\.[qv]_proj"}, "lm_head", lora)
    >>> made["target_modules"], made["rank_pattern"], made["alpha_pattern"]
    ('(?:.*\\\\.[qv]_proj)|lm_head', {'lm_head': 4}, {'lm_head': 8})
    """
    targets = config["target_modules"]
    if _is_target(targets, layer):
        raise ConfigError(
            f"target_modules {targets!r} take in {layer}, whose LoRA holds the verdict's rows; leave it out of them"
        )
    if config.get("exclude_modules") and _is_target(config["exclude_modules"], layer):
        raise ConfigError(f"exclude_modules takes out {layer}, which holds the verdict's rows; let it in")
    both = f"(?:{targets})|{re.escape(layer)}" if isinstance(targets, str) else sorted({*targets, layer})
    return {
        **config,
        "target_modules": both,
        # First: the first pattern that matches a layer counts.
        "rank_pattern": {layer: lora.rank, **(config.get("rank_pattern") or {})},
        "alpha_pattern": {layer: lora.alpha, **(config.get("alpha_pattern") or {})},
    }


def _is_target(targets: Any, layer: str) -> bool:
    if isinstance(targets, str):
        if targets == "all-linear":
            raise ConfigError(
                "target_modules 'all-linear' names no layers; save the configuration of the trained model"
            )
        return re.fullmatch(targets, layer) is not None
    return any(layer == name or layer.endswith(f".{name}") for name in targets)
