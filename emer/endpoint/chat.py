"""A chat model behind an OpenAI-compatible address.

    endpoint = Endpoint("http://localhost:8000/v1", "some-model")
    endpoint.ask([Message("user", "…")])            # one answer, or EndpointError
    for reply in endpoint.ask_all(conversations):   # many at once, in their order; Reply.error where there is none

One thread for each request under way: requests take seconds, so that threads cost nothing beside them.

Answers are kept by model, messages and settings, not by address: asked again, the same answer comes from disk. A
temperature above 0 is no reason to ask twice: whoever wants another answer gives another seed.
"""

import contextlib
import http.client
import json
import threading
import urllib.error
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from emer.endpoint.failures import EndpointError, Unanswered
from emer.endpoint.kept import KeptAnswers, default_folder, name_of
from emer.endpoint.sending import AGAIN, CHAT, KEY_VARIABLE, Line, address, key_or_variable, short
from emer.types import Message

GIVE_UP = 20
"""So many failures in a row are no matter of single requests any more."""
WAITING = 4
"""Requests that wait for each thread; a long list is never submitted as a whole."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one request: a text, or why there is none."""

    text: str | None
    error: str | None = None
    kept: bool = False
    """Whether it was answered before and came from disk."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model at an address. Raises EndpointError for settings that cannot be."""

    url: str
    """Up to and with `/v1`."""
    model: str
    key: str | None = field(default=None, repr=False, compare=False)
    """None: the environment variable EMER_API_KEY, where it is set. It is sent, and neither kept nor printed."""
    seed: int = 0
    temperature: float = 0.0
    max_tokens: int = 1024
    timeout: float = 120.0
    """Seconds without a byte."""
    retries: int = 4
    """Further tries after the first."""
    pause: float = 1.0
    """Seconds before the second try; doubled for each further one, with up to as much again at random."""
    concurrency: int = 4
    """Requests under way at once."""
    kept_in: Path | None = field(default_factory=default_folder)
    """Folder of answers; None keeps none."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", address(self.url))
        if self.concurrency < 1 or self.retries < 0 or self.timeout <= 0 or self.max_tokens < 1:
            raise EndpointError("an endpoint needs concurrency and max_tokens from 1, retries from 0, timeout above 0")

    def ask(self, messages: Sequence[Message]) -> str:
        """The model's answer. Raises EndpointError, of which Unanswered concerns this request alone."""
        text = self._reply(messages, threading.Event()).text
        assert text is not None
        return text

    def ask_all(
        self, conversations: Sequence[Sequence[Message]], progress: Callable[[int, int], None] | None = None
    ) -> Iterator[Reply]:
        """One reply a conversation, in their order; equal ones are asked once. `progress` is told (done, all).

        A request without an answer gives `Reply.error` and stops nothing. Raises EndpointError where no request can
        succeed: a wrong address, key or model, nobody there, or `GIVE_UP` failures in a row.
        """
        stop, failed = threading.Event(), 0
        pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="endpoint")
        try:
            for done, reply in enumerate(self._in_order(conversations, pool, stop), 1):
                failed = failed + 1 if reply.error else 0
                if failed == GIVE_UP:
                    raise EndpointError(f"{GIVE_UP} requests in a row got no answer, the last because {reply.error}")
                if progress:
                    progress(done, len(conversations))
                yield reply
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)

    def models(self) -> tuple[str, ...]:
        """The models that the endpoint says it serves; none where it does not say."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, http.client.HTTPException, Unanswered):
            listed = json.loads(self._line.send("/models"))
            return tuple(sorted(str(entry["id"]) for entry in listed["data"]))
        return ()

    def record(self) -> dict[str, object]:
        """What a result keeps of the endpoint: neither address nor key."""
        return {"model": self.model, "seed": self.seed, "temperature": self.temperature, "max_tokens": self.max_tokens}

    @property
    def _line(self) -> Line:
        return Line(self.url, key_or_variable(self.key), self.timeout, self.retries, self.pause)

    def _in_order(
        self, conversations: Sequence[Sequence[Message]], pool: ThreadPoolExecutor, stop: threading.Event
    ) -> Iterator[Reply]:
        asked: dict[str, Future[Reply]] = {}
        waiting: deque[Future[Reply]] = deque()
        for messages in conversations:
            name = name_of(self._body(messages))
            if name not in asked:
                asked[name] = pool.submit(self._reply_or_error, messages, stop)
            waiting.append(asked[name])
            if len(waiting) > WAITING * self.concurrency:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _reply_or_error(self, messages: Sequence[Message], stop: threading.Event) -> Reply:
        try:
            return self._reply(messages, stop)
        except Unanswered as error:
            return Reply(None, str(error))

    def _reply(self, messages: Sequence[Message], stop: threading.Event) -> Reply:
        if any(message.media for message in messages):
            raise EndpointError("this client sends text alone; take the media out of the messages")
        kept, name = KeptAnswers(self.kept_in), name_of(self._body(messages))
        if (text := kept.get(name)) is not None:
            return Reply(text, kept=True)
        line = self._line
        try:
            text = self._text(line.post(self._body(messages), stop))
        except urllib.error.HTTPError as error:
            with error:
                self._explain(error, line)
        kept.put(name, self.model, text)
        return Reply(text)

    def _body(self, messages: Sequence[Message]) -> dict[str, object]:
        said = [{"role": message.role, "content": message.text} for message in messages]
        return {**self.record(), "messages": said}

    def _text(self, data: bytes) -> str:
        """The text inside a raw answer."""
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError) as error:
            shown = short(data[:400].decode("utf-8", "replace"))
            raise Unanswered(
                f"{self.url} did not answer in JSON ({shown}); give the address up to and with /v1"
            ) from error
        try:
            choice = answer["choices"][0]
            text, reason = choice["message"].get("content"), choice.get("finish_reason")
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise Unanswered(f"{self.url} sent JSON that is no chat answer: {short(str(answer))}") from error
        if reason == "length":
            raise Unanswered(f"the answer of {self.model} was cut after {self.max_tokens} tokens; allow more")
        if not isinstance(text, str) or not text.strip():
            raise Unanswered(f"{self.model} answered with no text (finish_reason {reason})")
        return text

    def _explain(self, error: urllib.error.HTTPError, line: Line) -> NoReturn:
        """Raises what a refusal means: for this request, or for all."""
        if error.code in (401, 403):
            # What the server says of it is not shown: some quote the key.
            raise EndpointError(
                f"{self.url} refuses the key ({error.code}); set {KEY_VARIABLE} to a valid one"
            ) from error
        said = line.said(error)
        if 300 <= error.code < 400:
            raise EndpointError(f"{self.url} sends on to another address ({error.code}); give that one") from error
        if error.code in (400, 404) and (served := self.models()) and self.model not in served:
            raise EndpointError(
                f"{self.url} serves no model {self.model!r}; it has {', '.join(served[:20])}"
            ) from error
        if error.code in (404, 405):
            raise EndpointError(
                f"{self.url}{CHAT} is not there ({error.code}: {said}); check the address, and the model {self.model!r}"
            ) from error
        tries = f" after {self.retries + 1} tries" if error.code in AGAIN else ""
        raise Unanswered(f"{self.url} answered {error.code}{tries}: {said}") from error
