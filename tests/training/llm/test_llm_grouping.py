"""Batches of like length: whole, shuffled, the same for every process and every run."""

from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from clips import grey, make_clip
from tiny_folders import tiny

from emer import media
from emer.backbones.attached import Caps
from emer.backbones.loading import load
from emer.emotions import label_set
from emer.evidence.opinion import vacuous
from emer.training.llm.collating import Collator, Draw
from emer.training.llm.configuration import LlmConfig
from emer.training.llm.example import Example
from emer.training.llm.grouping import LengthGroupedBatches, estimated_length, lengths
from emer.types import Annotation, Clip, Clues, Request, Transcript

LENGTHS = tuple(int(length) for length in np.random.default_rng(0).integers(100, 3000, 203))


def padding(batches: list[list[int]]) -> float:
    """The share of a padded batch's places that hold no token."""
    used = sum(LENGTHS[i] for batch in batches for i in batch)
    return 1 - used / sum(len(batch) * max(LENGTHS[i] for i in batch) for batch in batches)


def test_every_example_comes_in_every_epoch_in_whole_batches() -> None:
    sampler = LengthGroupedBatches(LENGTHS, 4)
    for epoch in range(3):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler) == 51  # 203 / 4, rounded up
        assert {len(batch) for batch in batches} == {4}
        counts = Counter(chain(*batches))
        assert set(counts) == set(range(203))
        assert sum(counts.values()) - 203 == 1  # one comes twice, to fill the last batch


def test_epochs_differ_and_the_same_epoch_is_the_same() -> None:
    sampler = LengthGroupedBatches(LENGTHS, 4, seed=5)
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    sampler.set_epoch(0)
    assert list(sampler) == first != second
    assert list(LengthGroupedBatches(LENGTHS, 4, seed=5)) == first
    assert list(LengthGroupedBatches(LENGTHS, 4, seed=6)) != first


def test_little_of_a_batch_is_padding() -> None:
    grouped = padding(list(LengthGroupedBatches(LENGTHS, 8)))
    by_chance = padding(list(LengthGroupedBatches(LENGTHS, 8, grouped=False)))
    # Of eight numbers drawn evenly from 100 to 3000 the largest is 2,678 on average, the mean 1,550: 42 % is padding.
    assert by_chance == pytest.approx(1 - 1550 / 2678, abs=0.06)
    assert grouped < 0.1


def test_batches_come_in_no_order_of_length_but_the_longest_first() -> None:
    means = [np.mean([LENGTHS[i] for i in batch]) for batch in LengthGroupedBatches(LENGTHS, 4)]
    assert max(LENGTHS) in [LENGTHS[i] for i in next(iter(LengthGroupedBatches(LENGTHS, 4)))]
    assert abs(np.corrcoef(means[1:], range(len(means) - 1))[0, 1]) < 0.4


@pytest.mark.parametrize(("processes", "size"), [(2, 3), (4, 2), (3, 1)])
def test_processes_share_the_examples_evenly_without_talking(processes: int, size: int) -> None:
    own = [list(LengthGroupedBatches(LENGTHS, size, processes=processes, rank=rank)) for rank in range(processes)]
    whole = LengthGroupedBatches(LENGTHS, size, processes=processes)
    assert len({len(batches) for batches in own}) == 1
    assert len(own[0]) == whole.steps
    assert list(whole) == [batches[step] for step in range(whole.steps) for batches in own]
    assert set(chain(*chain(*own))) == set(range(203))
    assert len(whole) == processes * whole.steps


def test_two_processes_take_in_a_step_what_one_takes_with_twice_the_batch() -> None:
    two = [list(LengthGroupedBatches(LENGTHS, 3, processes=2, rank=rank)) for rank in range(2)]
    one = list(LengthGroupedBatches(LENGTHS, 6))
    assert [sorted(a + b) for a, b in zip(*two, strict=True)] == [sorted(batch) for batch in one]


def test_a_run_is_taken_up_behind_the_steps_that_it_took() -> None:
    sampler = LengthGroupedBatches(LENGTHS, 4, processes=2)
    sampler.set_epoch(2)
    whole = list(sampler)
    sampler.set_epoch(2, skip=10)
    assert list(sampler) == whole[20:]
    assert len(sampler) == len(whole) - 20


def test_fewer_examples_than_processes_come_again() -> None:
    own = [list(LengthGroupedBatches((5.0, 7.0), 2, processes=3, rank=rank)) for rank in range(3)]
    assert [len(batch) for batches in own for batch in batches] == [2, 2, 2]
    with pytest.raises(ValueError, match="0 examples in batches of 2"):
        LengthGroupedBatches((), 2)


# ---------------------------------------------------------------- how long an example is


@pytest.mark.parametrize("family", ["qwen2_5_omni", "text_clues"])
def test_lengths_are_about_those_of_the_encoded_examples(family: str, tmp_path: Path) -> None:
    backbone = load(tiny(family), dtype=torch.float32)
    config = LlmConfig(caps=Caps(frames=4, pixels=16 * 28 * 28))
    examples = []
    for place, (name, seconds) in enumerate((("short.wav", 0.5), ("film.mp4", 1.0), ("long.mp4", 4.0), ("v.wav", 3.0))):
        path = make_clip(tmp_path / name, seconds, picture=grey(320, 240), fps=10)
        clip = media.open(Clip(str(path)))
        said = Transcript("Oh no. " * (1 + 10 * place), "data set", "en")
        asked = Request(clip, Clues((), {}, said), clip.facts.span, {}, vacuous("emer8", label_set("emer8")), said)
        examples.append(Example(id=name, request=asked, annotation=Annotation(("sad",), "She is tired. " * place)))
    true = Collator(backbone, config)([Draw(each, training=False) for each in examples]).lengths
    assert true is not None
    about = lengths(examples, backbone, config)
    assert list(np.argsort(about)) == list(np.argsort(true.numpy()))
    assert np.array(about) == pytest.approx(true.numpy(), rel=0.05)
    assert estimated_length(examples[0], backbone, config) == about[0]
