"""What an engine is."""

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from emer.types import Answer, Request


@runtime_checkable
class Engine(Protocol):
    """Answers requests: one answer each, in their order. Batching and waiting stay inside.

    A request that cannot be answered gives `Answer.error` (with the type of the exception) and never stops the others.
    """

    name: str

    def answer(self, requests: Sequence[Request]) -> Iterator[Answer]: ...
