"""Many questions in batches of like size: the order stays, and what goes wrong with one concerns it alone.

A batch that fails is halved, down to single questions. So a batch for which there is no memory becomes two smaller
ones, and a damaged clip takes no other answer with it.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from emer.errors import EmerError

Job = TypeVar("Job")
Result = TypeVar("Result")

logger = logging.getLogger("emer")

WINDOW = 8
"""Batches that are sorted by length together: the more, the less padding, and the longer the wait for the first."""
TOO_LARGE = "out of memory with a single clip; allow fewer seconds or frames, or take a smaller model or another device"


@dataclass(frozen=True, slots=True)
class Failed:
    """A question without an answer, and why: the name of the exception and what it says, in one line."""

    reason: str


def windows(jobs: Sequence[Job], size: int) -> Iterator[Sequence[Job]]:
    """Stretches of the jobs, in order, each long enough for `WINDOW` batches of `size`."""
    for start in range(0, len(jobs), size * WINDOW):
        yield jobs[start : start + size * WINDOW]


def in_batches(
    jobs: Sequence[Job],
    work: Callable[[Sequence[Job]], Sequence[Result]],
    *,
    size: int,
    length: Callable[[Job], float],
) -> list[Result | Failed]:
    """What `work` makes of the jobs, in their order, asked in batches of at most `size` jobs of like length.

    The longest come first: where memory runs out it does so at once, and the batches after it are smaller.

    >>> in_batches([1, 0, 2], lambda jobs: [6 // job for job in jobs], size=3, length=float)
    [6, Failed(reason='ZeroDivisionError: integer division or modulo by zero'), 3]
    """
    order = sorted(range(len(jobs)), key=lambda place: -length(jobs[place]))
    waiting = deque(order[start : start + size] for start in range(0, len(order), size))
    results: dict[int, Result | Failed] = {}
    most = size
    while waiting:
        batch = waiting.popleft()
        if len(batch) > most:
            waiting.extendleft(reversed(_halves(batch)))
            continue
        error = _attempt(batch, jobs, work, results)
        if error is None:
            continue
        if out_of_memory(error):
            _free()
            most = max(1, len(batch) // 2)
        if len(batch) > 1:
            waiting.extendleft(reversed(_halves(batch)))
        else:
            results[batch[0]] = failed(error)
    return [results[place] for place in range(len(jobs))]


def _attempt(
    batch: Sequence[int],
    jobs: Sequence[Job],
    work: Callable[[Sequence[Job]], Sequence[Result]],
    results: dict[int, Result | Failed],
) -> Exception | None:
    """Put the batch's results where they belong, or give back what went wrong."""
    try:
        done = work([jobs[place] for place in batch])
    except Exception as error:
        # Frames that the traceback holds keep their tensors alive, which the next try may need the room of.
        if not isinstance(error, EmerError) and not out_of_memory(error) and len(batch) == 1:
            logger.warning("a clip could not be answered", exc_info=True)
        return error.with_traceback(None)
    results.update(zip(batch, done, strict=True))
    return None


def _halves(batch: list[int]) -> tuple[list[int], list[int]]:
    middle = (len(batch) + 1) // 2
    return batch[:middle], batch[middle:]


def failed(error: Exception) -> Failed:
    """What is kept of an exception."""
    told = TOO_LARGE if out_of_memory(error) else " ".join(str(error).split())
    return Failed(f"{type(error).__name__}: {told}")


def out_of_memory(error: BaseException) -> bool:
    """Whether there was no room, on whichever device: on a CPU torch raises a plain RuntimeError."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    told = str(error)
    return isinstance(error, RuntimeError) and ("out of memory" in told or "can't allocate memory" in told)


def _free() -> None:
    """Give what torch keeps for later back to the device."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
