"""Batches without a model: order, length, failures, memory."""

from collections.abc import Sequence

import pytest
import torch

from emer.engines.batches import TOO_LARGE, Failed, in_batches, out_of_memory, windows
from emer.errors import ModelError


def doubled(jobs: Sequence[int]) -> list[int]:
    return [2 * job for job in jobs]


def test_results_stand_where_their_jobs_stood() -> None:
    jobs = [5, 1, 4, 2, 3, 9, 7]
    assert in_batches(jobs, doubled, size=3, length=float) == [10, 2, 8, 4, 6, 18, 14]


def test_jobs_of_like_length_go_together_and_the_longest_go_first() -> None:
    seen: list[list[int]] = []

    def work(jobs: Sequence[int]) -> list[int]:
        seen.append(list(jobs))
        return doubled(jobs)

    in_batches([1, 9, 2, 8], work, size=2, length=float)
    assert seen == [[9, 8], [2, 1]]


def test_one_bad_job_costs_its_own_answer_alone() -> None:
    def work(jobs: Sequence[int]) -> list[int]:
        if 4 in jobs:
            raise ModelError("four is too\nlong")
        return doubled(jobs)

    assert in_batches([1, 4, 3], work, size=3, length=float) == [2, Failed("ModelError: four is too long"), 6]


def test_without_room_for_a_batch_smaller_ones_are_tried_and_later_ones_begin_smaller() -> None:
    sizes: list[int] = []

    def work(jobs: Sequence[int]) -> list[int]:
        sizes.append(len(jobs))
        if len(jobs) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return doubled(jobs)

    assert in_batches(list(range(16)), work, size=8, length=float) == doubled(range(16))
    assert sizes == [8, 4, *[2] * 8]  # the second eight are not tried whole again


def test_a_single_job_without_room_is_told_what_to_do() -> None:
    def work(jobs: Sequence[int]) -> list[int]:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    (failed,) = in_batches([1], work, size=4, length=float)
    assert failed == Failed(f"RuntimeError: {TOO_LARGE}")


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [(MemoryError(), True), (torch.OutOfMemoryError("x"), True), (RuntimeError("shape mismatch"), False)],
)
def test_what_counts_as_a_lack_of_memory(error: Exception, is_memory: bool) -> None:
    assert out_of_memory(error) is is_memory


def test_an_interruption_is_no_failure_of_a_job() -> None:
    def work(jobs: Sequence[int]) -> list[int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_batches([1, 2], work, size=2, length=float)


def test_windows_cover_all_jobs_in_order() -> None:
    stretches = list(windows(list(range(40)), 2))
    assert [len(stretch) for stretch in stretches] == [16, 16, 8]
    assert [job for stretch in stretches for job in stretch] == list(range(40))
