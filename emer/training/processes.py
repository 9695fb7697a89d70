"""One function over many clips, in processes side by side."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from emer.types import Clip

FEW = 16
"""Clips for which starting processes takes longer than it saves."""

Result = TypeVar("Result")


def in_processes(work: Callable[[Clip], Result], clips: Sequence[Clip], jobs: int | None) -> Iterator[Result]:
    """Results in the order of the clips, from `jobs` processes, one a core by default; `work` can be pickled.

    Processes are spawned: a fork would copy torch's threads half-way.
    """
    jobs = jobs or os.cpu_count() or 1
    if jobs == 1 or len(clips) < FEW:
        yield from map(work, clips)
        return
    with ProcessPoolExecutor(min(jobs, len(clips)), get_context("spawn"), _one_thread) as pool:
        yield from pool.map(work, clips, chunksize=4)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
