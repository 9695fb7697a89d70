"""What every multimodal language model can be asked, whatever its family.

A family says how media become placeholders and tensors; templates, padding, labels, verdict rows and the read-out of
hidden states are the same for all of them.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from emer.backbones.attached import Attached, Caps, Conversation
from emer.backbones.encoding import Medium, Row, pad_rows, stack_media
from emer.backbones.reading import Outputs, read_at
from emer.backbones.templates import Template
from emer.backbones.vocabulary import check_unused, unused_rows
from emer.errors import ConfigError, ModelError
from emer.types import Modality

Export = Literal["adapter", "merged"]
MEDIA_FLOATS = ("input_features", "pixel_values_videos")
"""Inputs that are given the model's own precision; times stay in fp32."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Conversations as tensors; `inputs` are what the model's `forward` and `generate` take by name."""

    inputs: Mapping[str, Tensor]
    labels: Int[Tensor, "batch length"] | None
    """Ids of the answers, -100 at prompts and padding; None where no answers were given."""
    last_prompt: Int[Tensor, "batch"]
    """Column of each row's last prompt token, where the verdict is read."""

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> "Batch":
        """The same elsewhere; `dtype` is that of the model and is given to media alone."""
        inputs = {
            name: value.to(device, dtype if value.is_floating_point() and name in MEDIA_FLOATS else None)
            for name, value in self.inputs.items()
        }
        labels = None if self.labels is None else self.labels.to(device)
        return Batch(inputs, labels, self.last_prompt.to(device))


class Backbone(ABC):
    """One loaded model with its tokenizer and processors. `model` may be replaced by a PEFT model around it."""

    family: ClassVar[str]
    exports: ClassVar[tuple[Export, ...]] = ("adapter", "merged")
    """Which exports a server can take."""
    lora_targets: ClassVar[str]
    """Regular expression over whole module names: the language model's projections, and no encoder's."""
    perceives: frozenset[Modality] = frozenset({"audio", "visual", "text"})
    """What it takes; other media are passed over. A model may take less than its family (`loading.perceived`)."""
    caps: ClassVar[Caps] = Caps()
    """What this family is given of a clip unless told otherwise."""

    def __init__(self, model: Any, processor: Any) -> None:
        self.model = model
        self.processor = processor
        self.tokenizer = getattr(processor, "tokenizer", processor)
        self._template = Template(processor, self.tokenizer)

    @classmethod
    @abstractmethod
    def load(
        cls,
        path_or_id: str | Path,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype | Literal["auto"] = "auto",
        adapter: str | Path | None = None,
        **options: Any,
    ) -> "Backbone":
        """The model of a folder or hub id, in evaluation mode, with an adapter on it where one is named.

        `options` go to transformers' `from_pretrained` as they are (`quantization_config`, `attn_implementation`, …).
        Raises ModelError when nothing is there, when it is of another family, or when the adapter does not fit.
        """

    @abstractmethod
    def audio(self, attached: Attached) -> Medium:
        """The sound as placeholders and tensors."""

    @abstractmethod
    def video(self, attached: Attached, index: int) -> Medium:
        """One of `attached.videos` as placeholders and tensors."""

    # ------------------------------------------------------------ encoding

    def encode(
        self,
        conversations: Sequence[Conversation],
        answers: Sequence[str | None] | None = None,
        *,
        side: Literal["left", "right"] = "left",
        room: int = 0,
    ) -> Batch:
        """Tensors of conversations, ready for an answer, or with `answers` and the end of the turn behind them.

        The prompt's ids are the same with and without an answer; where an answer is None the row ends with its prompt.
        Nothing is cut off: raises ModelError that says by how much when prompt, answer and `room` for tokens to come
        exceed the model's context.
        """
        if answers is not None and len(answers) != len(conversations):
            raise ValueError(f"{len(conversations)} conversations and {len(answers)} answers")
        rows = [
            self.row(conversation, None if answers is None else answers[i], room=room)
            for i, conversation in enumerate(conversations)
        ]
        return self.batch(rows, side=side, answered=answers is not None)

    def batch(self, rows: Sequence[Row], *, side: Literal["left", "right"] = "left", answered: bool = False) -> Batch:
        """Rows, padded, as the tensors of one batch; with labels where they are `answered`."""
        inputs, labels, last = pad_rows(rows, self.pad_id, side)
        inputs.update(stack_media([medium for row in rows for medium in row.media]))
        inputs.update(self.extra_inputs(inputs))
        return Batch(inputs, labels if answered else None, last)

    def extra_inputs(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What a family needs beside ids, mask and media."""
        return {}

    def row(self, conversation: Conversation, answer: str | None = None, *, room: int = 0) -> Row:
        """One conversation as ids, with its media. Raises ModelError where it is longer than the model's context."""
        attached = conversation.attached
        media: list[Medium] = []
        counts: list[int] = []
        for message in conversation.messages:
            if "audio" in message.media and attached.samples is not None and "audio" in self.perceives:
                media.append(self.audio(attached))
            if "video" in message.media and "visual" in self.perceives:
                media += [self.video(attached, index) for index in range(len(attached.videos))]
            counts.append(len(media))
        prompt = self._template.prompt(conversation, media, counts)
        row = Row(prompt, () if answer is None else self._template.answer(answer), tuple(media))
        self._check_length(row, room)
        return row

    def _check_length(self, row: Row, room: int) -> None:
        length = len(row.prompt) + len(row.answer) + room
        if length > self.context:
            raise ModelError(
                f"prompt and answer take {length:,} tokens, {length - self.context:,} more than the model's context of "
                f"{self.context:,}; allow fewer frames or seconds, or shorten the text"
            )

    # ------------------------------------------------------------ reading

    def hidden_at(
        self, batch: Batch, positions: Int[Tensor, "batch"] | Bool[Tensor, "batch length"]
    ) -> Float[Tensor, "place hidden"]:
        """Final-normed states as they enter `lm_head`: one column per row, or wherever a mask holds (row by row)."""
        return self.outputs_at(batch, positions).hidden

    def outputs_at(self, batch: Batch, positions: Int[Tensor, "batch"] | Bool[Tensor, "batch length"]) -> Outputs:
        """States and logits at these places alone: prompts are long, and logits of all their tokens would be too."""
        ids = batch.inputs["input_ids"]
        where = positions
        if where.dtype != torch.bool:
            where = torch.zeros(ids.shape, dtype=torch.bool, device=ids.device)
            where[torch.arange(len(ids), device=ids.device), positions] = True
        return read_at(self.model, self.lm_head, {**batch.inputs, **self.positions(batch.inputs)}, where)

    def positions(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Position ids for one plain pass, where the model does not derive them from the mask by itself."""
        mask = inputs["attention_mask"].long()
        return {"position_ids": (mask.cumsum(-1) - 1).clamp(min=0)}

    # ------------------------------------------------------------ what adapters and exports must know

    @property
    def lm_head(self) -> nn.Module:
        head = self.model.get_output_embeddings()
        assert isinstance(head, nn.Module)
        return head

    def lora_layers(self, targets: str | None = None) -> list[str]:
        """Names of the layers that LoRA goes on: those whose whole name is like `targets`, or the family's own.

        PEFT is given the names and not the expression. Of mixtures of experts it keeps but the last word of what an
        expression matches, and encoders have layers that are called so too. Raises ConfigError for what is no regular
        expression.
        """
        try:
            like = re.compile(targets or self.lora_targets)
        except re.error as error:
            raise ConfigError(f"{targets!r} is no regular expression ({error}); write lora.targets as one") from error
        return [name for name, _ in self.model.named_modules() if like.fullmatch(name)]

    @property
    def text_config(self) -> Any:
        return self.model.config.get_text_config()

    @property
    def hidden_size(self) -> int:
        return int(self.text_config.hidden_size)

    @property
    def rows(self) -> int:
        """Rows of the vocabulary, used or not."""
        return int(self.text_config.vocab_size)

    @property
    def context(self) -> int:
        """The most tokens of prompt and answer together."""
        return int(self.text_config.max_position_embeddings)

    @property
    def softcap(self) -> float | None:
        """Logits are `softcap · tanh(logit / softcap)` where the model has one."""
        cap = getattr(self.text_config, "final_logit_softcapping", None)
        return None if cap is None else float(cap)

    @property
    def device(self) -> torch.device:
        device: torch.device = next(iter(self.model.parameters())).device
        return device

    @property
    def dtype(self) -> torch.dtype:
        dtype: torch.dtype = self.lm_head.weight.dtype  # type: ignore[assignment]
        return dtype

    @property
    def pad_id(self) -> int:
        return int(self.tokenizer.pad_token_id if self.tokenizer.pad_token_id is not None else self.end_id)

    @property
    def end_id(self) -> int:
        """The token that ends an answer."""
        return self._template.end_id

    def verdict_rows(self, count: int) -> tuple[int, ...]:
        """The first `count` rows of the vocabulary that no token uses. Raises ModelError when there are too few."""
        return unused_rows(self.tokenizer, self.model, count, self.reserved)

    def check_verdict_rows(self, rows: Sequence[int]) -> None:
        """Raises ModelError when a row is used by a token, stands twice, or is not there."""
        check_unused(rows, self.tokenizer, self.model, self.reserved)

    reserved: ClassVar[re.Pattern[str] | None] = None
    """Tokens that the family keeps free: their rows count as unused."""

    def vllm_name(self, name: str) -> str:
        """What vLLM calls a tensor of an adapter or checkpoint that was saved from `model`."""
        return name
