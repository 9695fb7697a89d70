"""From messages to ids through the model's own chat template, placeholders of media expanded.

Text is data: where a transcript or a clue spells one of the model's control tokens, a zero-width space goes into it, so
that no subtitle can end a turn or ask for a picture.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from jinja2 import TemplateError

from emer.backbones.attached import Conversation
from emer.backbones.encoding import Medium
from emer.errors import ModelError
from emer.types import Message

ZERO_WIDTH_SPACE = "\u200b"
SETTINGS = {"enable_thinking": False}
"""What chat templates are told beside the messages where they ask for it: reasoning models are to answer at once."""
MARK = "emer-answer-stands-here"


class Template:
    """The chat template of a processor, or of a tokenizer alone. Without any, messages are paragraphs."""

    def __init__(self, processor: Any, tokenizer: Any) -> None:
        self._processor, self._tokenizer = processor, tokenizer
        self._multimodal = processor is not tokenizer
        self._written = bool(getattr(processor, "chat_template", None))
        known = str(getattr(processor, "chat_template", ""))
        self._settings = {name: value for name, value in SETTINGS.items() if name in known}

    def prompt(self, conversation: Conversation, media: Sequence[Medium], upto: Sequence[int]) -> tuple[int, ...]:
        """Ids of the messages, up to where the answer begins; message i holds the media before `upto[i]`."""
        starts = (0, *upto)
        messages = [
            self._message(message, media[starts[i] : starts[i + 1]]) for i, message in enumerate(conversation.messages)
        ]
        text = self._expanded(self._rendered(messages), iter(media), len(media))
        return tuple(self._tokenizer(text, add_special_tokens=not self._written)["input_ids"])

    def answer(self, text: str) -> tuple[int, ...]:
        """Ids of an answer and of the end of its turn."""
        ids = self._tokenizer(self.plain(text), add_special_tokens=False)["input_ids"]
        return (*ids, self.end_id)

    def plain(self, text: str) -> str:
        """The text without control tokens: they are kept readable, but are tokens no more."""
        if self._control is None:
            return text
        return self._control.sub(lambda found: found[0][0] + ZERO_WIDTH_SPACE + found[0][1:], text)

    @cached_property
    def end_id(self) -> int:
        """The first token that the template writes after an answer; without a template, the end of the text."""
        if self._written:
            asked = [self._message(Message("user", "?"), ()), self._message(Message("assistant", MARK), ())]
            behind = self._rendered(asked, answered=True).rpartition(MARK)[2]
            ids = self._tokenizer(behind, add_special_tokens=False)["input_ids"]
            if ids and ids[0] in self._tokenizer.all_special_ids:
                return int(ids[0])
        if self._tokenizer.eos_token_id is None:
            raise ModelError("the tokenizer has no token that ends a text; set its eos_token")
        return int(self._tokenizer.eos_token_id)

    @cached_property
    def _control(self) -> re.Pattern[str] | None:
        """All control tokens of the tokenizer; others that were added (tags, runs of spaces) are ordinary text."""
        added = self._tokenizer.added_tokens_decoder.values()
        names = sorted({str(token) for token in added if token.special}, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, names))) if names else None

    def _message(self, message: Message, media: Sequence[Medium]) -> dict[str, Any]:
        text = self.plain(message.text)
        if not self._multimodal:
            return {"role": message.role, "content": text}
        content: list[dict[str, str]] = [{"type": medium.kind} for medium in media]
        return {"role": message.role, "content": [*content, {"type": "text", "text": text}]}

    def _rendered(self, messages: list[dict[str, Any]], answered: bool = False) -> str:
        if not self._written:
            return "\n\n".join(message["content"] for message in messages) + "\n\n"
        try:
            return self._applied(messages, answered)
        except TemplateError as error:
            if messages[0]["role"] == "system" and len(messages) > 1:
                return self._rendered(_without_system(messages), answered)
            raise ModelError(f"the model's chat template refuses these messages: {error}") from error

    def _applied(self, messages: list[dict[str, Any]], answered: bool) -> str:
        text = self._processor.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=not answered, **self._settings
        )
        return str(text)

    def _expanded(self, text: str, media: Iterator[Medium], count: int) -> str:
        """The rendered text with each placeholder as long as its medium."""
        if not self._multimodal:
            return text
        names = {"audio": self._processor.audio_token, "video": self._processor.video_token}
        pattern = re.compile("|".join(re.escape(name) for name in names.values()))
        found = len(pattern.findall(text))
        if found != count:
            raise ModelError(f"the chat template wrote {found} placeholders for {count} media; is it this model's own?")
        return pattern.sub(lambda _: next(media).text, text)


def _without_system(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The system's text before the first message's own: some templates know no system."""
    system, first, *rest = messages
    if isinstance(first["content"], str):
        content: Any = f"{system['content']}\n\n{first['content']}"
    else:
        content = [*system["content"], {"type": "text", "text": "\n\n"}, *first["content"]]
    return [{**first, "content": content}, *rest]
