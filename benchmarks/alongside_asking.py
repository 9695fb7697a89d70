"""Asks a trained model about clips, condition by condition: what it writes, what its states and logits tell.

Loads torch. Each function gives one piece (`alongside_plan`); clips keep their order.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

import torch
from alongside_plan import Answered, Condition, Losses, Plan, ReadOff, Said, System
from alongside_says import LABELS, FirstTokens, first_tokens, of_tokens
from alongside_scores import turned
from jaxtyping import Float
from torch import Tensor

from emer.backbones.attached import Attached, Conversation
from emer.backbones.attaching import attach
from emer.backbones.backbone import Backbone
from emer.engines.asking import STREAMS
from emer.engines.reading_answers import read_answer, whole_answer
from emer.engines.transformers_engine import Transformers
from emer.evidence.verdict import evidence
from emer.grounding import claims
from emer.training.llm.configuration import LlmConfig
from emer.training.llm.dropout import everything, lesson, shown
from emer.training.llm.example import Example
from emer.types import Answer, Message, Request


class Model:
    """One trained model, loaded when it is first needed."""

    def __init__(self, plan: Plan, system: System, seed: int) -> None:
        self.plan, self.config = plan, plan.llm(system, seed)
        self.engine = Transformers(
            model=plan.base,
            adapter=str(plan.trained(system, seed) / "adapter"),
            prompt=self.config.prompt,
            max_new_tokens=plan.max_new_tokens,
            batch_size=plan.batch_size,
            frames=self.config.frames,
            caps=self.config.caps,
            dtype="float32",
            label_confidence=("token",),
        )

    @property
    def backbone(self) -> Backbone:
        found = self.engine.tuned.backbone
        assert isinstance(found, Backbone)
        return found

    def asked_how_sure(self) -> Transformers:
        """The same model, which is also asked for a number."""
        return self._other(label_confidence=("token", "verbalised"))

    def sampler(self, seed: int) -> Transformers:
        """The same model, drawing."""
        return self._other(label_confidence=(), temperature=self.plan.temperature, seed=seed)

    def _other(self, **settings: Any) -> Transformers:
        engine = replace(self.engine, **settings)
        vars(engine)["tuned"] = self.engine.tuned  # loaded once, not once a way of asking
        return engine

    def conversation(self, request: Request) -> Conversation:
        """A request with messages, and the media that they name."""
        named = {stream for message in request.messages for stream in message.media}
        if not named or request.media is None:
            return Conversation(request.messages, Attached())
        left = {modality for modality, stream in STREAMS.items() if stream not in named}
        caps = self.config.caps or self.backbone.caps
        return Conversation(
            request.messages, attach(request.media, request.span, caps, frames=self.config.frames, without=left)
        )


def requests_of(examples: Sequence[Example], condition: Condition, config: LlmConfig) -> list[Request]:
    """The clips as they are shown in a condition; where their sound is another clip's, all else stays their own."""
    heard = turned([each.id for each in examples]) if condition.other_sound else range(len(examples))
    return [
        replace(
            examples[other].request,
            clues=each.request.clues,
            transcript=each.request.transcript,
            messages=lesson(each, condition.shown, config.prompt, config.language).messages,
        )
        for each, other in zip(examples, heard, strict=True)
    ]


# ---------------------------------------------------------------- what it writes


def answered(engine: Transformers, examples: Sequence[Example], requests: Sequence[Request]) -> Answered:
    """One answer a clip."""
    began = time.perf_counter()
    answers = engine.answer(requests)
    said = tuple(_said(example.id, answer) for example, answer in zip(examples, answers, strict=True))
    return Answered(said, time.perf_counter() - began)


def _said(name: str, answer: Answer) -> Said:
    claimed = claims(answer.statements)
    return Said(
        name,
        read_answer(answer.text).explanation if answer.text else "",
        tuple(emotion.label for emotion in answer.labels),
        claims=len(claimed),
        grounded=sum(claim.status == "grounded" for claim in claimed),
        evidence=None if answer.verdict is None else answer.verdict.evidence,
        scores={label: dict(ways) for label, ways in answer.scores.items()},
        error=answer.error,
    )


# ---------------------------------------------------------------- what states and logits tell


def read_off(model: Model, requests: Sequence[Request], said: Answered, tokens: FirstTokens, head: Tensor) -> ReadOff:
    """Probabilities of the labels' first tokens behind the model's own explanation, and the post-hoc head's evidence.

    `head` are its rows, "label hidden".
    """
    began = time.perf_counter()
    mass, told = [], []
    size = model.plan.batch_size
    for start in range(0, len(requests), size):
        some = [model.conversation(request) for request in requests[start : start + size]]
        texts = [each.text for each in said.said[start : start + size]]
        states, probability = label_place(model.backbone, some, texts, tokens.ids)
        mass.append(probability)
        told.append(evidence(states @ head.to(states.device).T, model.plan.spec).cpu())
    shares = of_tokens(torch.cat(mass).numpy(), tokens)
    return ReadOff(
        tuple(map(tuple, shares.tolist())), tuple(map(tuple, torch.cat(told).tolist())), time.perf_counter() - began
    )


@torch.inference_mode()
def label_place(
    backbone: Backbone, conversations: Sequence[Conversation], explanations: Sequence[str], ids: Sequence[int]
) -> tuple[Float[Tensor, "clip hidden"], Float[Tensor, "clip token"]]:
    """States at the last prompt token, and probabilities of tokens behind explanation and `Emotions: ["`."""
    batch = backbone.encode(conversations, [whole_answer(text, [LABELS[0]]) for text in explanations])
    place = batch.last_prompt + torch.tensor([opening(backbone, text) for text in explanations])
    where = torch.zeros(batch.inputs["input_ids"].shape, dtype=torch.bool)
    rows = torch.arange(len(where))
    where[rows, batch.last_prompt] = True
    where[rows, place] = True
    read = backbone.outputs_at(batch.to(backbone.device, backbone.dtype), where)
    states = read.hidden.reshape(len(where), 2, -1)[:, 0].float()
    logits = read.logits.reshape(len(where), 2, -1)[:, 1].float()
    return states, logits.softmax(dim=-1)[:, list(ids)].cpu()


def opening(backbone: Backbone, explanation: str) -> int:
    """How many tokens of an answer come before its first label: those that all answers with this explanation share."""
    every = [answer_ids(backbone, whole_answer(explanation, [label])) for label in LABELS]
    return sum(1 for _ in takewhile(lambda ids: len(set(ids)) == 1, zip(*every, strict=False)))


def answer_ids(backbone: Backbone, text: str) -> tuple[int, ...]:
    """Ids of an answer."""
    return backbone.row(Conversation((Message("user", "?"),)), text).answer


def label_tokens(backbone: Backbone, examples: Sequence[Example]) -> FirstTokens:
    """With which tokens the labels of training examples begin."""
    words = Counter(label for example in examples for label in example.annotation.labels)
    place = opening(backbone, "The voice is low.")
    return first_tokens(words, lambda word: answer_ids(backbone, whole_answer("The voice is low.", [word]))[place])


# ---------------------------------------------------------------- states for the post-hoc head, and the text's loss


@torch.no_grad()
def states_of(model: Model, examples: Sequence[Example], epochs: Sequence[int]) -> Float[Tensor, "clip hidden"]:
    """States at the last prompt token, epoch after epoch, with what the joint training would leave out in each.

    No epoch leaves nothing out.
    """
    seed, dropout, backbone = model.config.schedule.seed, model.config.dropout, model.backbone
    whole = [(each, everything(each.request, backbone.perceives)) for each in examples]
    draws = [
        (each, shown(each, dropout, seed=seed, epoch=epoch, perceives=backbone.perceives))
        for epoch in epochs
        for each in examples
    ]
    requests = [
        replace(each.request, messages=lesson(each, what, model.config.prompt, model.config.language).messages)
        for each, what in draws or whole
    ]
    parts = []
    for start in range(0, len(requests), model.plan.batch_size):
        some = [model.conversation(each) for each in requests[start : start + model.plan.batch_size]]
        batch = backbone.encode(some).to(backbone.device, backbone.dtype)
        parts.append(backbone.hidden_at(batch, batch.last_prompt).float().cpu())
    return torch.cat(parts)


@torch.inference_mode()
def text_losses(model: Model, examples: Sequence[Example], condition: Condition) -> Losses:
    """The loss of the reference explanations and labels, clip by clip, with everything of the condition shown."""
    began = time.perf_counter()
    never = model.backbone.verdict_rows(model.plan.spec.rows)
    nats: list[float] = []
    tokens: list[int] = []
    size, config = model.plan.batch_size, model.config
    for start in range(0, len(examples), size):
        some = examples[start : start + size]
        taught = [lesson(each, condition.shown, config.prompt, config.language) for each in some]
        asked = [
            model.conversation(replace(each.request, messages=one.messages))
            for each, one in zip(some, taught, strict=True)
        ]
        for total, count in answer_losses(model.backbone, asked, [one.answer or "" for one in taught], never):
            nats.append(total)
            tokens.append(count)
    names = tuple(each.id for each in examples)
    return Losses(names, tuple(nats), tuple(tokens), time.perf_counter() - began)


@torch.no_grad()
def answer_losses(
    backbone: Backbone, conversations: Sequence[Conversation], answers: Sequence[str], never: Sequence[int] = ()
) -> list[tuple[float, int]]:
    """Summed cross-entropy in nats, and number of tokens, of each answer.

    `never` are rows of the vocabulary that no answer holds, the verdict's: in an adapter their logits are evidence,
    which would take probability from every word. Who writes leaves them out too.
    """
    batch = backbone.encode(conversations, answers, side="right").to(backbone.device, backbone.dtype)
    assert batch.labels is not None
    where = torch.zeros_like(batch.labels, dtype=torch.bool)
    where[:, :-1] = batch.labels[:, 1:] >= 0
    logits = backbone.outputs_at(batch, where).logits.float()
    logits[:, list(never)] = -torch.inf
    loss = torch.nn.functional.cross_entropy(logits, batch.labels[:, 1:][where[:, :-1]], reduction="none")
    parts = torch.split(loss, where.sum(dim=1).tolist())
    return [(float(part.double().sum()), len(part)) for part in parts]
