"""nano learns to read and to write: next-token training of the language model, on answers and, less, on prompts.

Conversations are tokenised once, and sounds are vectors that the ear gave beforehand, so that a step costs the language
model and nothing else. A run is taken up at its last checkpoint and then goes on as if it had not stopped.
"""

import math
import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

EVERY = 100
"""Steps between checkpoints and lines of the log."""
WARM_UP = 0.04
DECAY = 0.05
BETAS = (0.9, 0.98)
LARGEST_GRADIENT = 1.0
PROMPT_WEIGHT = 0.3
"""Of a token of a prompt beside one of an answer. Prompts say times and words twice, which is practice in copying."""
ROUND = 32
"""Lengths are filled up to multiples of this. For every size of a product that it has not met, the processor's library
makes and keeps code: with each length by itself, a step took a fifth longer, and memory grew by 40 MB for each."""
DRILL = 8, 100
"""Shortest and longest sequence that a drill has repeated, in tokens."""


@dataclass(frozen=True, slots=True)
class Item:
    """One lesson as ids; placeholders in `prompt` are as many as `sound` has vectors."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    sound: Float[Tensor, "vector hidden"] | None = None

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.answer)


@dataclass(frozen=True, slots=True)
class Batch:
    ids: Int[Tensor, "row length"]
    following: Int[Tensor, "row length"]
    """At each place the token that follows it."""
    weight: Float[Tensor, "row length"]
    """Of that token: 1 in answers, 0 for sounds and padding."""
    sounds: Float[Tensor, "vector hidden"] | None


@dataclass(frozen=True, slots=True)
class Course:
    """How long and how fast."""

    steps: int
    rate: float
    tokens: int = 4096
    """Of one batch, padding included."""
    seed: int = 0


def teach(model: Any, taught: Sequence[Item], held_out: Sequence[Item], course: Course, path: Path) -> list[float]:
    """Train the language model inside of `model`; the checkpoint at `path` is taken up and kept up to date.

    The ear is not touched: sounds come as vectors. Returns the validation losses (nats a token), one a checkpoint.
    """
    words = model.model
    parameters = [*words.parameters()]
    optimizer = torch.optim.AdamW(_groups(words), lr=course.rate, betas=BETAS)
    step, losses = _taken_up(path, words, optimizer)
    words.train()
    began, tokens = time.monotonic(), 0
    batches = batches_of(taught, course, step)
    sound_id = model.config.audio_token_index
    while step < course.steps:
        for group in optimizer.param_groups:
            group["lr"] = course.rate * pace(step, course.steps)
        batch = next(batches)
        loss = loss_of(words, batch, sound_id)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, LARGEST_GRADIENT)
        optimizer.step()
        optimizer.zero_grad()
        step, tokens = step + 1, tokens + batch.ids.numel()
        if step % EVERY == 0 or step == course.steps:
            losses.append(held_out_loss(words, held_out, course.tokens, sound_id))
            _keep(path, words, optimizer, step, losses)
            pace_told = tokens / (time.monotonic() - began)
            print(f"{path.stem} {step}: {loss.item():.3f}, held out {losses[-1]:.3f}, {pace_told:.0f}/s", flush=True)
    words.eval()
    return losses


def pace(step: int, steps: int) -> float:
    """Share of the learning rate: grows to 1, then falls as a cosine."""
    warm = max(1, round(WARM_UP * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))) + 1e-3


def loss_of(words: Any, batch: Batch, sound_id: int) -> Float[Tensor, ""]:
    """Weighted mean cross-entropy over the places whose next token counts; logits at no other place.

    bfloat16 inside of products: fast where the processor has such instructions, and no loss in quality was seen.
    """
    with torch.autocast("cpu", torch.bfloat16):
        embedded = words.embed_tokens(batch.ids)
        if batch.sounds is not None:
            embedded = embedded.masked_scatter((batch.ids == sound_id)[..., None], batch.sounds.to(embedded.dtype))
        states = words(inputs_embeds=embedded).last_hidden_state
        where = _filled(batch.weight.flatten().nonzero()[:, 0])
        logits = linear(states.flatten(0, 1)[where], words.embed_tokens.weight)
    each = cross_entropy(logits.float(), batch.following.flatten()[where], reduction="none")
    weight = batch.weight.flatten()[where]
    # a place that only fills up stands for the last one, which counts once
    weight = weight * (torch.arange(len(where)) < int((batch.weight > 0).sum()))
    return (each * weight).sum() / weight.sum()


def _filled(places: Int[Tensor, "place"]) -> Int[Tensor, "filled"]:
    """The places, the last one repeated, so that few sizes occur: see `ROUND`."""
    missing = -len(places) % (8 * ROUND)
    return torch.cat([places, places[-1:].expand(missing)])


@torch.no_grad()
def held_out_loss(words: Any, items: Sequence[Item], tokens: int, sound_id: int) -> float:
    """Mean over the tokens of answers alone."""
    words.eval()
    total, count = 0.0, 0
    for group in packed(sorted(items, key=lambda item: item.length), tokens):
        known = sum(len(item.answer) for item in group)
        loss = loss_of(words, collated(group, prompts=0.0), sound_id)
        total, count = total + float(loss) * known, count + known
    words.train()
    return total / count


def drills(tokenizer: Any, count: int, seed: int) -> Iterator[Item]:
    """Random tokens, to be said once more: practice in copying whatever stands in a prompt.

    Attention heads that continue what they saw before form early on such sequences (Olsson et al. 2022, In-context
    learning and induction heads, arXiv:2209.11895), and on texts of 20,000 lessons alone they came late.
    """
    chance = random.Random(seed)
    known = sorted(set(tokenizer.get_vocab().values()) - set(tokenizer.all_special_ids))
    for _ in range(count):
        said = tuple(chance.choices(known, k=chance.randint(*DRILL)))
        yield Item(said, said)


# ---------------------------------------------------------------- batches


def batches_of(items: Sequence[Item], course: Course, skip: int = 0) -> Iterator[Batch]:
    """Batches without end, of like length, shuffled anew each time through; the same for the same seed."""
    epoch = 0
    while True:
        chance = random.Random(f"{course.seed}-{epoch}")
        order = sorted(items, key=lambda item: item.length + chance.uniform(0, 40))
        groups = list(packed(order, course.tokens))
        chance.shuffle(groups)
        for group in groups[skip:]:
            yield collated(group)
        skip, epoch = max(0, skip - len(groups)), epoch + 1


def packed(items: Sequence[Item], tokens: int) -> Iterator[list[Item]]:
    """Neighbours together, as many as fit into `tokens` with padding."""
    group: list[Item] = []
    longest = 0
    for item in items:
        longest = max(longest, filled_up(item.length))
        if group and longest * (len(group) + 1) > tokens:
            yield group
            group, longest = [], filled_up(item.length)
        group.append(item)
    yield group


def filled_up(length: int) -> int:
    """The next multiple of `ROUND`.

    >>> filled_up(5), filled_up(64)
    (32, 64)
    """
    return math.ceil(length / ROUND) * ROUND


def collated(items: Sequence[Item], prompts: float = PROMPT_WEIGHT) -> Batch:
    """Padded at the right, where nothing looks: attention is causal. `prompts` is the weight of their tokens."""
    length = max(filled_up(item.length) for item in items)
    ids = torch.zeros(len(items), length, dtype=torch.long)
    weight = torch.zeros(len(items), length)
    for row, item in enumerate(items):
        ids[row, : item.length] = torch.tensor(item.prompt + item.answer)
        # a placeholder follows from the one before it, and random tokens from nothing
        weight[row, : len(item.prompt) - 1] = prompts if item.sound is None and item.prompt != item.answer else 0.0
        weight[row, len(item.prompt) - 1 : item.length - 1] = 1.0
    sounds = [item.sound for item in items if item.sound is not None]
    return Batch(ids, ids.roll(-1, dims=1), weight, torch.cat(sounds).float() if sounds else None)


# ---------------------------------------------------------------- state


def _groups(words: Any) -> list[dict[str, Any]]:
    """Matrices decay, norms and biases do not."""
    matrices = [p for p in words.parameters() if p.dim() > 1]
    others = [p for p in words.parameters() if p.dim() <= 1]
    return [{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]


def _keep(path: Path, words: Any, optimizer: Any, step: int, losses: list[float]) -> None:
    """Whole or not at all."""
    beside = path.with_suffix(".part")
    state = {"words": words.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "losses": losses}
    torch.save(state, beside)
    os.replace(beside, path)


def _taken_up(path: Path, words: Any, optimizer: Any) -> tuple[int, list[float]]:
    """The step and losses of a checkpoint, its state put in place; the beginning without one."""
    if not path.exists():
        return 0, []
    state = torch.load(path, weights_only=True)
    words.load_state_dict(state["words"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"]), list(state["losses"])
