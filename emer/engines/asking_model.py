"""One window of requests through a loaded model: all its questions, in batches, and the answers that come of them.

Loads torch: import it only where a model is asked.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

from emer.backbones.attached import Attached, Conversation
from emer.backbones.attaching import attach
from emer.engines.asking import STREAMS
from emer.engines.batches import Failed, failed, in_batches
from emer.engines.generation import Writing, Written, write
from emer.engines.model_answers import answer_of, is_complete, needs_asking_again, so_far
from emer.engines.model_requests import (
    DESCRIBE,
    EXPLAIN,
    Question,
    alone,
    asking_again,
    describing,
    explaining,
    left_out,
    merging,
    modalities,
)
from emer.engines.reading_answers import read_answer
from emer.engines.transformers_engine import Transformers
from emer.engines.tuned import Tuned
from emer.engines.verdicts import ALONE
from emer.errors import EmerError
from emer.prompts import Prompt, prompt
from emer.types import MODALITIES, Answer, Modality, Notice, Request

logger = logging.getLogger("emer")

TEXT, VERDICT, AGAIN = "text", "verdict", "again"
LABEL_TOKENS = 96
"""New tokens for a line of labels alone."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model wrote to one question, and what it was not given of the clip."""

    written: Written
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A question and where its request stands in the window."""

    place: int
    question: Question


class Asked:
    """Requests that are asked together; `first` is the place of the first of them among all."""

    def __init__(self, engine: Transformers, tuned: Tuned, requests: Sequence[Request], first: int) -> None:
        self.engine, self.tuned, self.requests, self.first = engine, tuned, requests, first
        self.media = tuned.perceives_media
        self.replies: dict[str, dict[int, Reply | Failed]] = {}
        """By question, then by place; who was not asked is absent."""
        self.attached: dict[int, Attached] = {}
        self.sent: dict[int, str] = {}

    def answers(self) -> list[Answer]:
        """One answer a request, in order."""
        full = self.engine.max_new_tokens
        if self.engine.stages == 2:
            for modality, name in DESCRIBE.items():
                self._ask(name, partial(self._describing, modality), full)
            self._ask(TEXT, self._merging, full)
            if self.tuned.verdict is not None:
                self._ask(VERDICT, self._explaining, 1)
        else:
            self._ask(TEXT, self._explaining, full)
        if self.engine.views == "full":
            for modality in MODALITIES:
                self._ask(ALONE[modality], partial(self._alone, modality), 1)
        self._ask(AGAIN, self._asking_again, LABEL_TOKENS)
        return [self._answer(place) for place in range(len(self.requests))]

    # ------------------------------------------------------------ questions

    def _explaining(self, place: int) -> Question:
        request = self.requests[place]
        name = EXPLAIN if self.engine.stages == 2 else self.engine.prompt_name
        return explaining(request, name, self.engine.language_of(request), media=self.media)

    def _alone(self, modality: Modality, place: int) -> Question | None:
        request = self.requests[place]
        if modality not in modalities(request, media=self.media):
            return None
        name = EXPLAIN if self.engine.stages == 2 else self.engine.prompt_name
        return alone(request, modality, name, self.engine.language_of(request), media=self.media)

    def _describing(self, modality: Modality, place: int) -> Question | None:
        request = self.requests[place]
        if modality not in modalities(request, media=self.media):
            return None
        return describing(request, modality, self.engine.language_of(request), media=self.media)

    def _merging(self, place: int) -> Question:
        request = self.requests[place]
        descriptions: dict[Modality, str] = {}
        for modality, name in DESCRIBE.items():
            reply = self.replies[name].get(place)
            if isinstance(reply, Reply):
                descriptions[modality] = read_answer(reply.written.text).explanation
        return merging(request, self.engine.prompt_name, descriptions, self.engine.language_of(request))

    def _asking_again(self, place: int) -> Question | None:
        reply = self.replies[TEXT][place]
        assert isinstance(reply, Reply)
        read = read_answer(reply.written.text)
        if not needs_asking_again(read):
            return None
        request = self.requests[place]
        return asking_again(request, read.explanation, self.engine.language_of(request))

    # ------------------------------------------------------------ asking

    def _ask(self, name: str, question: Callable[[int], Question | None], tokens: int) -> None:
        """Ask about all requests that did not fail before, where there is something to ask."""
        found: dict[int, Reply | Failed] = {}
        waiting: list[Placed] = []
        for place in range(len(self.requests)):
            if self._failure(place) is not None:
                continue
            try:
                asked = question(place)
            except EmerError as error:
                found[place] = failed(error)
            else:
                waiting += [] if asked is None else [Placed(place, asked)]
        work = partial(self._work, name == TEXT, tokens)
        done = in_batches(waiting, work, size=self.engine.batch_size, length=attrgetter("question.length"))
        found.update((placed.place, reply) for placed, reply in zip(waiting, done, strict=True))
        self.replies[name] = found

    def _work(self, told: bool, tokens: int, batch: Sequence[Placed]) -> list[Reply]:
        """One batch through the model."""
        backbone, engine = self.tuned.backbone, self.engine
        attached = [self._attached(placed) for placed in batch]
        conversations = [
            Conversation(placed.question.messages, each) for placed, each in zip(batch, attached, strict=True)
        ]
        encoded = backbone.encode(conversations, room=tokens).to(backbone.device, backbone.model.dtype)
        written = write(
            backbone.model,
            backbone.tokenizer,
            backbone.lm_head,
            encoded.inputs,
            rows=self.tuned.rows,
            seeds=[placed.question.seed(engine.seed) for placed in batch],
            writing=Writing(max_new_tokens=tokens, temperature=engine.temperature, top_p=engine.top_p),
            complete=is_complete,
            heard=partial(self._hear, batch) if told and engine.told is not None else None,
        )
        return [Reply(each, media.notices) for each, media in zip(written, attached, strict=True)]

    def _attached(self, placed: Placed) -> Attached:
        """What the messages name of the clip. Where several questions need it, it is decoded once."""
        request, media = placed.question.request, placed.question.media
        if request.media is None or not media or not self.media:
            return Attached()
        several = self.engine.stages == 2 or self.engine.views == "full"
        if placed.place in self.attached:
            whole = self.attached[placed.place]
        else:
            named = STREAMS.values() if several else media
            left = {modality for modality, stream in STREAMS.items() if stream not in named} | left_out(request)
            caps = self.engine.caps or self.tuned.backbone.caps
            whole = attach(request.media, request.span, caps, frames=self.engine.frames, without=left)
        if several:
            self.attached[placed.place] = whole
        return whole.only(audio="audio" in media, video="video" in media)

    def _hear(self, batch: Sequence[Placed], row: int, text: str) -> None:
        self._tell(batch[row].place, so_far(text))

    def _tell(self, place: int, text: str) -> None:
        """Tell what is new of a text; a text that is written once more, in a smaller batch, is not told twice."""
        sent = self.sent.get(place, "")
        if self.engine.told is not None and len(text) > len(sent) and text.startswith(sent):
            self.engine.told(self.first + place, text[len(sent) :])
            self.sent[place] = text

    # ------------------------------------------------------------ answers

    def _failure(self, place: int) -> Failed | None:
        """Why a request has no answer. That labels could not be asked for once more is no reason."""
        found = (replies.get(place) for name, replies in self.replies.items() if name != AGAIN)
        return next((reply for reply in found if isinstance(reply, Failed)), None)

    def _given(self, place: int) -> Iterator[tuple[str, Reply]]:
        for name, replies in self.replies.items():
            reply = replies.get(place)
            if isinstance(reply, Reply):
                yield name, reply

    def _answer(self, place: int) -> Answer:
        failure = self._failure(place)
        if failure is not None:
            return Answer("", error=failure.reason)
        try:
            return self._made(place, dict(self._given(place)))
        except EmerError as error:
            return Answer("", error=failed(error).reason)
        except Exception as error:
            logger.warning("what a model wrote could not be read", exc_info=True)
            return Answer("", error=failed(error).reason)

    def _made(self, place: int, given: dict[str, Reply]) -> Answer:
        request = self.requests[place]
        again = given[AGAIN].written.text if AGAIN in given else None
        notices = [notice for name, reply in given.items() if name != AGAIN for notice in reply.notices]
        asked = None if request.messages else prompt(self.engine.prompt_name, self.engine.language_of(request))
        answer = answer_of(request, given[TEXT].written.text, again, self.tuned.cluster)
        self._tell(place, answer.text)
        verdict = given.get(VERDICT, given[TEXT]).written.logits
        alone = {view: self.tuned.opinion(given[view].written.logits) for view in ALONE.values() if view in given}
        return Answer(
            answer.text,
            answer.labels,
            answer.statements,
            verdict=self.tuned.opinion(verdict),
            alone={view: opinion for view, opinion in alone.items() if opinion is not None},
            prompt=None if asked is None else asked.record,
            warnings=(*dict.fromkeys(notices), *self._prompt_notices(request, asked), *answer.warnings),
            usage=usage(given.values()),
        )

    def _prompt_notices(self, request: Request, asked: Prompt | None) -> Iterator[Notice]:
        """That the verdict is read behind another prompt than the one that it was trained behind."""
        record = self.tuned.record
        if record is None or record.verdict is None or record.prompt is None:
            return
        behind = prompt(EXPLAIN, self.engine.language_of(request)) if self.engine.stages == 2 else asked
        if behind is None or behind.sha256 != record.prompt.sha256:
            read = "messages of its own" if behind is None else f"{behind.record.name} ({behind.sha256[:8]}…)"
            told = f"{record.prompt.name} ({record.prompt.sha256[:8]}…)"
            yield Notice("other_prompt", f"the verdict was trained behind the prompt {told} and is read behind {read}")


def usage(replies: Iterable[Reply]) -> dict[str, float]:
    """Tokens and seconds of all questions about one request."""
    written = [reply.written for reply in replies]
    return {
        "prompt_tokens": float(sum(each.prompt_tokens for each in written)),
        "new_tokens": float(sum(each.new_tokens for each in written)),
        "seconds": sum(each.seconds for each in written),
    }
