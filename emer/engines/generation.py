"""Writing with a model: many conversations at once, each with random numbers of its own, and the verdict beside.

The verdict's raw logits are those of its vocabulary rows at the last prompt token: the pass over the prompt that every
text begins with gives them, so that a verdict costs no pass of its own. The rows are never written.

A draw is the largest of scores and Gumbel noise (Gumbel 1954, Statistical theory of extreme values; Maddison, Tarlow &
Minka 2014, A* sampling, NeurIPS), which samples from the softmax. Every text has a generator of its own: what stands
beside it in the batch changes no draw.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from emer.engines.label_confidence import Piece

Complete = Callable[[str], bool]
"""Whether nothing needs to be written after a text."""
Heard = Callable[[int, str], None]
"""Told (row, the whole text so far) as a text grows."""
UNFINISHED = "\N{REPLACEMENT CHARACTER}"
"""What a decoder writes for a character of which tokens are still missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How a text is drawn."""

    max_new_tokens: int = 512
    temperature: float = 0.0
    """0 takes the likeliest token each time."""
    top_p: float = 1.0
    """Draws among the likeliest tokens that together have at least this probability (Holtzman et al. 2020)."""
    probabilities: bool = False
    """Whether the probability of each token is kept (`Written.pieces`)."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of one conversation."""

    text: str
    logits: tuple[float, ...]
    """Raw, of the verdict rows at the last prompt token, in their order."""
    prompt_tokens: int
    new_tokens: int
    seconds: float
    """The row's share of the batch."""
    ended: bool
    """False where the text was cut off at `max_new_tokens`."""
    pieces: tuple[Piece, ...] = ()
    """Its tokens in order, where `Writing.probabilities` asks for them."""


def never(text: str) -> bool:
    """A `Complete` that waits for the model to end."""
    return False


@torch.inference_mode()
def write(
    model: Any,
    tokenizer: Any,
    lm_head: nn.Module,
    inputs: Mapping[str, Tensor],
    *,
    rows: Sequence[int] = (),
    seeds: Sequence[int] = (),
    writing: Writing = Writing(),
    complete: Complete = never,
    heard: Heard | None = None,
) -> list[Written]:
    """One text for each row of `inputs` (`input_ids` and `attention_mask` of shape "row token", padded on the left).

    `lm_head` gives the logits of `model`; `rows` are the verdict's ids in it. `seeds`, one a row, matter where the
    temperature is above 0. One call at a time: the first logits are taken at the model's own output layer.
    """
    began = time.perf_counter()
    draws = _Draws(rows, seeds, writing)
    texts = _Texts(tokenizer, len(inputs["input_ids"]), _ends(model, tokenizer), complete, heard, draws)
    with _first_logits(lm_head, rows) as first:
        model.generate(
            **inputs,
            generation_config=_settings(texts.ends, writing),
            logits_processor=[draws],
            stopping_criteria=[texts],
        )
    share = (time.perf_counter() - began) / len(texts.said)
    prompts = inputs["attention_mask"].sum(dim=1).tolist()
    return [
        Written(said, tuple(logits), int(prompt), count, share, ended, tuple(pieces))
        for said, logits, prompt, count, ended, pieces in zip(
            texts.said, first[0], prompts, texts.counts, texts.ended, texts.pieces, strict=True
        )
    ]


@contextmanager
def _first_logits(lm_head: nn.Module, rows: Sequence[int]) -> Iterator[list[list[list[float]]]]:
    """The logits of `rows` at the last position of the first pass, one list a row of the batch."""
    found: list[list[list[float]]] = []

    def look(module: nn.Module, given: Any, logits: Tensor) -> None:
        if not found:
            found.append(logits[:, -1, list(rows)].float().cpu().tolist())

    handle = lm_head.register_forward_hook(look)
    try:
        yield found
    finally:
        handle.remove()


def _ends(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """The tokens that end a text: those of the model's own settings, and the tokenizer's."""
    told = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    listed = told if isinstance(told, list) else [told]
    return tuple(dict.fromkeys(end for end in (*listed, tokenizer.eos_token_id) if end is not None))


def _settings(ends: Sequence[int], writing: Writing) -> Any:
    """Greedy for transformers: `_Draws` has made the choice. What is not set here would come from the model's files."""
    from transformers import GenerationConfig

    return GenerationConfig(
        max_new_tokens=writing.max_new_tokens,
        do_sample=False,
        num_beams=1,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
        use_cache=True,
        eos_token_id=list(ends) or None,
        pad_token_id=ends[0] if ends else 0,
    )


class _Draws:
    """Scores with the verdict rows out of reach and, above temperature 0, noise that makes the largest a draw."""

    def __init__(self, rows: Sequence[int], seeds: Sequence[int], writing: Writing) -> None:
        self.rows = list(rows)
        self.writing = writing
        # On the CPU, so that one seed gives one text whatever the device.
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.log_p: Float[Tensor, "row word"] | None = None
        """Of the present step, where probabilities are wanted."""

    def __call__(self, input_ids: Int[Tensor, "row token"], scores: Float[Tensor, "row word"]) -> Tensor:
        # Out of reach before anything is normalised: a row's large evidence would take probability from every word.
        scores[:, self.rows] = -torch.inf
        if self.writing.probabilities:
            self.log_p = scores.float().log_softmax(dim=-1)
        if self.writing.temperature <= 0:
            return scores
        kept = nucleus(scores.float() / self.writing.temperature, self.writing.top_p)
        return kept + self._noise(kept.shape[1]).to(kept.device)

    def of_tokens(self, tokens: Int[Tensor, "row"]) -> list[float]:
        """Log-probability of the token that each row has just been given; 0 where nobody asked."""
        if self.log_p is None:
            return [0.0] * len(tokens)
        found: list[float] = self.log_p.gather(1, tokens[:, None].to(self.log_p.device))[:, 0].tolist()
        return found

    def _noise(self, words: int) -> Float[Tensor, "row word"]:
        """Standard Gumbel: minus the logarithm of a standard exponential."""
        return torch.stack([-torch.empty(words).exponential_(generator=own).log() for own in self.generators])


def nucleus(scores: Float[Tensor, "row word"], top_p: float) -> Float[Tensor, "row word"]:
    """Scores of the likeliest words that together have at least probability `top_p`; minus infinity elsewhere.

    >>> nucleus(torch.tensor([[0.5, 0.3, 0.2]]).log(), 0.7).exp()
    tensor([[0.5000, 0.3000, 0.0000]])
    """
    if top_p >= 1:
        return scores
    ordered, order = scores.sort(dim=-1, descending=True)
    p = ordered.softmax(dim=-1)
    before = p.cumsum(dim=-1) - p
    dropped: Bool[Tensor, "row word"] = torch.zeros_like(scores, dtype=torch.bool)
    dropped.scatter_(-1, order, before >= top_p)
    return scores.masked_fill(dropped, -torch.inf)


class _Texts:
    """The texts of a batch as they grow: a stopping criterion that also tells them.

    The generator calls it once a step with all tokens so far; a row that has ended gets no more.
    """

    def __init__(
        self,
        tokenizer: Any,
        rows: int,
        ends: tuple[int, ...],
        complete: Complete,
        heard: Heard | None,
        draws: _Draws,
    ) -> None:
        self.tokenizer, self.ends, self.complete, self.heard, self.draws = tokenizer, ends, complete, heard, draws
        self.ids: list[list[int]] = [[] for _ in range(rows)]
        self.said = [""] * rows
        self.ended = [False] * rows
        self.counts = [0] * rows
        self.pieces: list[list[Piece]] = [[] for _ in range(rows)]

    def __call__(self, input_ids: Int[Tensor, "row token"], scores: Any, **_: Any) -> Bool[Tensor, "row"]:
        log_p = self.draws.of_tokens(input_ids[:, -1])
        for row, token in enumerate(input_ids[:, -1].tolist()):
            if not self.ended[row]:
                self._add(row, token, log_p[row])
        return torch.tensor(self.ended, device=input_ids.device)

    def _add(self, row: int, token: int, log_p: float) -> None:
        self.counts[row] += 1
        if token in self.ends:
            self.ended[row] = True
            return
        self.ids[row].append(token)
        # Tidying of spaces would change what was told before.
        said = self.tokenizer.decode(self.ids[row], skip_special_tokens=True, clean_up_tokenization_spaces=False)
        # A character may need several tokens; until it is whole the decoder shows a replacement for it.
        before = len(self.said[row].rstrip(UNFINISHED))
        self.said[row] = str(said)
        if self.draws.writing.probabilities:
            self.pieces[row].append(Piece(before, len(self.said[row]), log_p))
        self.ended[row] = self.complete(self.said[row])
        if self.heard is not None and not self.said[row].endswith(UNFINISHED):
            self.heard(row, self.said[row])
