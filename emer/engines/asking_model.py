"""One window of requests through a loaded model: all its questions, in batches, and the answers that come of them.

Loads torch: import it only where a model is asked.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter

from emer.backbones.attached import Attached, Conversation
from emer.backbones.attaching import attach
from emer.engines.asking import STREAMS
from emer.engines.batches import Failed, failed, in_batches
from emer.engines.generation import Complete, Writing, write
from emer.engines.label_confidence import SAMPLED, TOKEN, VERBALISED, is_list
from emer.engines.making_answers import AGAIN, SAMPLE, TEXT, VERDICT, Given, Maker, Reply, about_labels, second_list
from emer.engines.model_answers import is_complete, labels_of, needs_asking_again, so_far
from emer.engines.model_requests import (
    DESCRIBE,
    Question,
    alone,
    asking_again,
    describing,
    explaining,
    left_out,
    merging,
    modalities,
    rating,
)
from emer.engines.reading_answers import read_answer
from emer.engines.transformers_engine import Transformers
from emer.engines.tuned import Tuned
from emer.engines.verdicts import ALONE
from emer.errors import EmerError
from emer.types import MODALITIES, Answer, Modality, Request

logger = logging.getLogger("emer")

LABEL_TOKENS = 96
"""New tokens for a line of labels alone."""
RATING_TOKENS = 64
"""New tokens for a list of percentages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a question is to be answered."""

    writing: Writing
    complete: Complete = is_complete
    draw: int = 0
    """Above 0: which of several answers to the same question."""
    told: bool = False
    """Whether pieces of the text are told as it grows."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A question and where its request stands in the window."""

    place: int
    question: Question


class Asked:
    """Requests that are asked together; `first` is the place of the first of them among all."""

    def __init__(self, engine: Transformers, tuned: Tuned, requests: Sequence[Request], first: int) -> None:
        self.engine, self.tuned, self.requests, self.first = engine, tuned, requests, first
        self.media = tuned.streams
        self.making = Maker(engine, tuned)
        self.replies: dict[str, dict[int, Reply | Failed]] = {}
        """By question, then by place; who was not asked is absent."""
        self.attached: dict[int, Attached] = {}
        self.sent: dict[int, str] = {}

    def answers(self) -> list[Answer]:
        """One answer a request, in order."""
        engine, text = self.engine, self._text
        full = self._writing(engine.max_new_tokens)
        kept = replace(full, probabilities=TOKEN in engine.label_confidence)
        if engine.stages == 2:
            for modality, name in DESCRIBE.items():
                self._ask(name, partial(self._describing, modality), Manner(writing=full))
            self._ask(TEXT, text, Manner(writing=kept, told=True))
            if self.tuned.verdict is not None:
                self._ask(VERDICT, self._explaining, Manner(writing=self._writing(1)))
        else:
            self._ask(TEXT, text, Manner(writing=kept, told=True))
        if engine.views == "full":
            for modality in MODALITIES:
                self._ask(ALONE[modality], partial(self._alone, modality), Manner(writing=self._writing(1)))
        self._ask(AGAIN, self._asking_again, Manner(writing=replace(kept, max_new_tokens=LABEL_TOKENS)))
        if SAMPLED in engine.label_confidence:
            drawn = replace(full, temperature=engine.sample_temperature)
            for draw in range(1, engine.samples + 1):
                self._ask(f"{SAMPLE}{draw}", text, Manner(writing=drawn, draw=draw))
        if VERBALISED in engine.label_confidence:
            self._ask(VERBALISED, self._rating, Manner(writing=self._writing(RATING_TOKENS), complete=is_list))
        found = [self._answer(place, self.making.whole) for place in range(len(self.requests))]
        for place, answer in enumerate(found):
            self._tell(place, answer.text)
        return found

    def verdicts(self) -> list[Answer]:
        """One answer a request, in order, that holds the verdict and no text."""
        self._ask(VERDICT, self._explaining, Manner(writing=self._writing(1)))
        return [self._answer(place, self.making.judged) for place in range(len(self.requests))]

    def _writing(self, tokens: int) -> Writing:
        return Writing(max_new_tokens=tokens, temperature=self.engine.temperature, top_p=self.engine.top_p)

    # ------------------------------------------------------------ questions

    def _explaining(self, place: int) -> Question:
        request = self.requests[place]
        return explaining(request, self.engine.verdict_prompt, self.engine.language_of(request), media=self.media)

    def _alone(self, modality: Modality, place: int) -> Question | None:
        request = self.requests[place]
        if modality not in modalities(request, media=self.media):
            return None
        name, language = self.engine.verdict_prompt, self.engine.language_of(request)
        return alone(request, modality, name, language, media=self.media)

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

    def _text(self, place: int) -> Question:
        """What the text of an answer is written from."""
        return self._merging(place) if self.engine.stages == 2 else self._explaining(place)

    def _asking_again(self, place: int) -> Question | None:
        reply = self.replies[TEXT][place]
        assert isinstance(reply, Reply)
        read = read_answer(reply.written.text)
        if not needs_asking_again(read):
            return None
        request = self.requests[place]
        return asking_again(request, read.explanation, self.engine.language_of(request))

    def _rating(self, place: int) -> Question | None:
        given = dict(self._given(place))
        request, labels = self.requests[place], labels_of(given[TEXT].written.text, second_list(given))
        if not labels:
            return None
        return rating(self._text(place), given[TEXT].written.text, labels, self.engine.language_of(request))

    # ------------------------------------------------------------ asking

    def _ask(self, name: str, question: Callable[[int], Question | None], manner: Manner) -> None:
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
        work = partial(self._work, manner)
        done = in_batches(waiting, work, size=self.engine.batch_size, length=attrgetter("question.length"))
        found.update((placed.place, reply) for placed, reply in zip(waiting, done, strict=True))
        self.replies[name] = found

    def _work(self, manner: Manner, batch: Sequence[Placed]) -> list[Reply]:
        """One batch through the model."""
        backbone, engine = self.tuned.backbone, self.engine
        attached = [self._attached(placed) for placed in batch]
        conversations = [
            Conversation(placed.question.messages, each) for placed, each in zip(batch, attached, strict=True)
        ]
        room = manner.writing.max_new_tokens
        encoded = backbone.encode(conversations, room=room).to(backbone.device, backbone.model.dtype)
        written = write(
            backbone.model,
            backbone.tokenizer,
            backbone.lm_head,
            encoded.inputs,
            rows=self.tuned.rows,
            seeds=[placed.question.seed(engine.seed, manner.draw) for placed in batch],
            writing=manner.writing,
            complete=manner.complete,
            heard=partial(self._hear, batch) if manner.told and engine.told is not None else None,
        )
        return [Reply(each, media.notices) for each, media in zip(written, attached, strict=True)]

    def _attached(self, placed: Placed) -> Attached:
        """What the messages name of the clip. Where several questions need it, it is decoded once."""
        request, media = placed.question.request, placed.question.media
        if request.media is None or not media or not self.media:
            return Attached()
        engine = self.engine
        many = {SAMPLED, VERBALISED} & set(engine.label_confidence)
        several = engine.stages == 2 or engine.views == "full" or bool(many)
        if placed.place in self.attached:
            whole = self.attached[placed.place]
        else:
            named = STREAMS.values() if several else media
            left = {modality for modality, stream in STREAMS.items() if stream not in named} | left_out(request)
            caps, frames = engine.caps or self.tuned.caps, engine.frames or self.tuned.frames
            whole = attach(request.media, request.span, caps, frames=frames, without=left)
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
        """Why a request has no answer. That something could not be asked about its labels is no reason."""
        found = (replies.get(place) for name, replies in self.replies.items() if not about_labels(name))
        return next((reply for reply in found if isinstance(reply, Failed)), None)

    def _given(self, place: int) -> Iterator[tuple[str, Reply]]:
        for name, replies in self.replies.items():
            reply = replies.get(place)
            if isinstance(reply, Reply):
                yield name, reply

    def _answer(self, place: int, make: Callable[[Request, Given], Answer]) -> Answer:
        failure = self._failure(place)
        if failure is not None:
            return Answer("", error=failure.reason)
        try:
            return make(self.requests[place], dict(self._given(place)))
        except EmerError as error:
            return Answer("", error=failed(error).reason)
        except Exception as error:
            logger.warning("what a model wrote could not be read", exc_info=True)
            return Answer("", error=failed(error).reason)
