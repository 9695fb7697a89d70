"""Batches of examples of like length, so that little of a batch is padding; the same for every process and every run.

    sampler = LengthGroupedBatches(lengths(examples, backbone, config), 2, seed=0, processes=2)
    sampler.set_epoch(3)
    list(sampler)                  # [[17, 4], [9, 12], …]: the processes' batches in turn

What all processes take in one step has about one length too: the fastest would wait for the slowest.
"""

import math
import random
from collections.abc import Iterator, Sequence

from emer.backbones.attached import Caps
from emer.backbones.attaching import fitting_size, frame_count
from emer.backbones.backbone import Backbone
from emer.engines.model_requests import TOKENS_PER_SECOND
from emer.training.llm.configuration import LlmConfig
from emer.training.llm.dropout import everything, lesson
from emer.training.llm.example import Example
from emer.types import Span

STEPS_SORTED = 50
"""Steps whose examples are sorted together: few enough to mix the data, enough to find examples of like length."""
PICTURES_PER_VECTOR = 2
"""Encoders of the Qwen families merge two pictures in time; others take more, which changes little in the order."""


class LengthGroupedBatches:
    """A batch sampler over all processes; batch i is taken by process i modulo their number.

    Every epoch has the same number of whole batches for every process: where examples do not fill the last ones, some
    come twice. The step with the longest example comes first, so that what does not fit into memory is known at once.
    With `rank`, only that process's batches are given.
    """

    drop_last = False

    def __init__(
        self,
        lengths: Sequence[float],
        batch_size: int,
        *,
        seed: int = 0,
        processes: int = 1,
        rank: int | None = None,
        grouped: bool = True,
    ) -> None:
        if not lengths or batch_size < 1 or processes < 1:
            raise ValueError(f"{len(lengths)} examples in batches of {batch_size} for {processes} processes")
        self.lengths, self.batch_size = tuple(lengths), batch_size
        self.seed, self.processes, self.rank, self.grouped = seed, processes, rank, grouped
        self.epoch, self.skipped = 0, 0

    def set_epoch(self, epoch: int, skip: int = 0) -> None:
        """Choose the epoch, from 0 on, and how many steps of it (a batch for every process) were taken before."""
        self.epoch, self.skipped = epoch, skip

    @property
    def steps(self) -> int:
        """Batches of one process in a whole epoch."""
        return math.ceil(len(self.lengths) / (self.batch_size * self.processes))

    def __len__(self) -> int:
        left = max(0, self.steps - self.skipped)
        return left if self.rank is not None else left * self.processes

    def __iter__(self) -> Iterator[list[int]]:
        for step in self._ordered()[self.skipped :]:
            batches = [step[process :: self.processes] for process in range(self.processes)]
            yield from batches if self.rank is None else [batches[self.rank]]

    def _ordered(self) -> list[list[int]]:
        """What all processes take together in each step of the epoch."""
        draw = random.Random(f"{self.seed}/{self.epoch}")
        order = list(range(len(self.lengths)))
        draw.shuffle(order)
        size = self.batch_size * self.processes
        order += [order[i % len(order)] for i in range(self.steps * size - len(order))]
        if not self.grouped:
            return _cut(order, size)
        steps = [
            step
            for together in _cut(order, STEPS_SORTED * size)
            for step in _cut(sorted(together, key=lambda i: -self.lengths[i]), size)
        ]
        draw.shuffle(steps)
        longest = max(range(len(steps)), key=lambda i: max(self.lengths[place] for place in steps[i]))
        return [steps.pop(longest), *steps]


def _cut(order: Sequence[int], size: int) -> list[list[int]]:
    return [list(order[i : i + size]) for i in range(0, len(order), size)]


# ---------------------------------------------------------------- how long an example is


def lengths(examples: Sequence[Example], backbone: Backbone, config: LlmConfig) -> tuple[int, ...]:
    """About how many tokens each takes when all of it is shown; those of the text are counted, no media decoded."""
    return tuple(estimated_length(example, backbone, config) for example in examples)


def estimated_length(example: Example, backbone: Backbone, config: LlmConfig) -> int:
    """Tokens of prompt and answer, of the media by their seconds and size."""
    what = everything(example.request, backbone.perceives)
    taught = lesson(example, what, config.prompt, config.language, perceives=backbone.perceives)
    texts = [message.text for message in taught.messages] + ([] if taught.answer is None else [taught.answer])
    written = sum(len(backbone.tokenizer(text)["input_ids"]) for text in texts)
    return written + media_tokens(example, taught.media, config.caps or backbone.caps, config.frames)


def media_tokens(example: Example, media: frozenset[str], caps: Caps, frames: str) -> int:
    """About what the attached media take: 25 tokens a second of sound, one a patch of a pair of pictures."""
    request = example.request
    if request.media is None or not media:
        return 0
    facts, span = request.media.facts, request.span
    stretch = Span(span.start, min(span.end, span.start + caps.seconds))
    count = round(TOKENS_PER_SECOND["audio"] * stretch.duration) if "audio" in media else 0
    if "video" in media and facts.width and facts.height:
        width, height = fitting_size(facts.width, facts.height, caps)
        whole, face = width * height / caps.multiple**2, (caps.face_side / caps.multiple) ** 2
        picture = {"full": whole, "face": face, "both": whole + face}[frames]
        count += round(picture * math.ceil(frame_count(request.media, stretch, caps)[1] / PICTURES_PER_VECTOR))
    return count
