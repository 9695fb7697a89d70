"""One model, two lessons: what it writes, and how sure it is. Both are read from one pass over prompt and answer.

    L = CE(answer) + lambda(t) [ L(alpha_verdict) + sum_v L(alpha_v) + L(alpha_fused) ]

CE is the mean over the answer tokens of a step, the opinions' losses are means over its clips whose label is known. A
step is all that one call of the optimizer sees: several batches, and those of all processes. `Counts` says how many
tokens and clips that are, so that their losses add up to that of one large batch.

The verdict is read at the last prompt token, which is also the place that predicts the first token of the answer.
Logits are computed at these places alone (`Backbone.outputs_at`).
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from emer.adapters.rows import scaling_of
from emer.backbones.backbone import Backbone, Batch
from emer.backbones.encoding import IGNORED
from emer.errors import ConfigError, MissingExtra
from emer.evidence.heads import MultiViewHeads
from emer.evidence.verdict import VerdictHead, verdict_loss
from emer.evidence.view_losses import Objective
from emer.training.llm.configuration import LlmConfig, LoraSettings
from emer.training.llm.example import JointBatch
from emer.training.llm.view_heads import view_losses


class Counts(NamedTuple):
    """By what a step's losses are divided."""

    tokens: Int[Tensor, ""]
    """Answer tokens."""
    known: Int[Tensor, ""]
    """Clips whose label is known."""


class JointOutputs(NamedTuple):
    """What one pass gives. A named tuple, because sharding and mixed precision look for tensors in tuples alone."""

    loss: Float[Tensor, ""]
    text: Float[Tensor, ""]
    """Cross-entropy in nats a token."""
    verdict: Float[Tensor, ""]
    views: Float[Tensor, "view"]
    """One loss a view head, in the order of the heads; empty without them."""
    fused: Float[Tensor, ""]
    """Of the average of verdict and views; 0 without view heads."""
    verdict_logits: Float[Tensor, "batch row"]
    """In float32; no columns without a verdict."""
    tokens: Int[Tensor, ""]
    """Answer tokens of this batch."""
    known: Int[Tensor, ""]
    """Clips of this batch whose label is known."""


class JointModel(nn.Module):
    """A language model with LoRA, its verdict head in float32, and evidential heads on measured features.

    `backbone.model` is the `PeftModel`; whatever is trained lies in this module.
    """

    accepts_loss_kwargs = True  # tells transformers' Trainer that losses are divided here

    def __init__(
        self,
        backbone: Backbone,
        head: VerdictHead | None,
        objective: Objective | None = None,
        views: MultiViewHeads | None = None,
    ) -> None:
        super().__init__()
        if views is not None and head is None:
            raise ConfigError("heads of views are trained beside a verdict, and there is none; give verdict settings")
        self.backbone = backbone
        self.model = backbone.model
        self.head, self.views = head, views
        self.objective = objective or Objective()

    def forward(
        self, joint: JointBatch, evidence_weight: float = 1.0, *, counts: Counts | None = None, epoch: int = 0
    ) -> JointOutputs:
        """Losses of one batch. `counts` are those of the whole step; None: this batch is the step.

        `epoch` (from 0) anneals the objective's regulariser. Rows without labels add exactly nothing, and every
        trained parameter is in the graph whatever the rows have.
        """
        wanted = next_tokens(joint.batch)
        where, place = asked_places(joint.batch, wanted)
        read = self.backbone.outputs_at(joint.batch, where)
        here = counts_of(joint)
        counts = counts or here
        # 0, in the graph, at prompt ends that no answer follows
        summed = nn.functional.cross_entropy(read.logits.float(), wanted[where], ignore_index=IGNORED, reduction="sum")
        text = summed / counts.tokens.clamp(min=1)
        if self.head is None:
            nothing = text.new_zeros(())
            empty = text.new_zeros(len(joint.known), 0)
            return JointOutputs(text, text.detach(), nothing, text.new_zeros(0), nothing, empty, *here)
        logits = self.head(read.hidden[place])
        known = counts.known.clamp(min=1)
        verdict = self._verdict_loss(logits, joint, epoch).sum() / known
        views, fused = view_losses(self.views, joint, logits, self.head.spec, self.objective, epoch)
        views, fused = views / known, fused / known
        loss = text + evidence_weight * (verdict + views.sum() + fused)
        text, verdict, views, fused, logits = (part.detach() for part in (text, verdict, views, fused, logits))
        return JointOutputs(loss, text, verdict, views, fused, logits, *here)

    def _verdict_loss(
        self, logits: Float[Tensor, "batch row"], joint: JointBatch, epoch: int
    ) -> Float[Tensor, "batch"]:
        assert self.head is not None
        return verdict_loss(logits, joint.target, joint.known, self.head.spec, self.objective, epoch)


# ---------------------------------------------------------------- places and counts


def next_tokens(batch: Batch) -> Int[Tensor, "batch length"]:
    """At each column the answer token that follows it; IGNORED where none does."""
    if batch.labels is None:
        return torch.full_like(batch.inputs["input_ids"], IGNORED)
    last = torch.full_like(batch.labels[:, :1], IGNORED)
    return torch.cat([batch.labels[:, 1:], last], dim=1)


def asked_places(
    batch: Batch, wanted: Int[Tensor, "batch length"]
) -> tuple[Bool[Tensor, "batch length"], Int[Tensor, "batch"]]:
    """Where the model is read: before every answer token, and at each last prompt token; and which of these places, row
    by row, are the last prompt tokens."""
    rows = torch.arange(len(wanted), device=wanted.device)
    where = wanted != IGNORED
    where[rows, batch.last_prompt] = True
    number = where.flatten().cumsum(0).reshape(where.shape) - 1
    return where, number[rows, batch.last_prompt]


def counts_of(joint: JointBatch) -> Counts:
    """How many answer tokens and known labels one batch has."""
    return Counts((next_tokens(joint.batch) != IGNORED).sum(), joint.known.sum())


def warmed(weight: float, step: int, warm_up: float) -> float:
    """lambda at a step (counted from 0): it grows evenly from 0 and reaches `weight` after `warm_up` steps.

    >>> [warmed(0.5, step, 2.0) for step in range(4)]
    [0.0, 0.25, 0.5, 0.5]
    """
    return weight * min(1.0, step / warm_up) if warm_up > 0 else weight


# ---------------------------------------------------------------- from a configuration


def make_joint_model(config: LlmConfig, backbone: Backbone, views: MultiViewHeads | None = None) -> JointModel:
    """The model of a run: LoRA put on the backbone (first weights by the seed), the verdict's rows at zero.

    Raises ConfigError where no module has a name of the LoRA targets, or where LoRA cannot hold the verdict's rows;
    MissingExtra without peft.
    """
    verdict = config.verdict
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.schedule.seed)
        backbone.model = with_lora(backbone, config.lora, holds_rows=verdict is not None)
        head = None if verdict is None else VerdictHead(backbone.hidden_size, verdict.spec, softcap=backbone.softcap)
    if config.schedule.checkpointing:
        backbone.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    joint = JointModel(backbone, head, None if verdict is None else verdict.objective, views)
    for added in (joint.head, joint.views):
        if added is not None:
            added.to(backbone.device)
    return joint


def with_lora(backbone: Backbone, settings: LoraSettings, *, holds_rows: bool) -> Any:
    """A `PeftModel` around the backbone's model, everything else frozen."""
    try:
        import peft
    except ImportError as error:
        raise MissingExtra(f'training needs peft ({error}); run: pip install "emer[mllm]"') from error
    layers = backbone.lora_layers(settings.targets)
    if not layers:
        raise ConfigError(f"lora.targets {settings.targets!r} suit no module of this model; leave it out for its own")
    lora = peft.LoraConfig(
        r=settings.rank, lora_alpha=settings.alpha, lora_dropout=settings.dropout, target_modules=layers
    )
    if holds_rows:
        scaling_of(lora.to_dict())  # type: ignore[no-untyped-call]
    model = backbone.model
    if settings.quantised:
        model = peft.prepare_model_for_kbit_training(  # type: ignore[no-untyped-call]
            model, use_gradient_checkpointing=False
        )
    try:
        return peft.get_peft_model(model, lora)
    except ValueError as error:
        raise ConfigError(f"lora.targets {settings.targets!r} suit no module of this model: {error}") from error
