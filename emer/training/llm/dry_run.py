"""What a training run would do, told before it is begun: what learns, from what, how long, and how examples read."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

import numpy as np
from torch import nn

from emer.backbones.backbone import Backbone
from emer.data.rows import some
from emer.engines.asking import Shown
from emer.errors import EmerError, ModelError
from emer.grounding import claims
from emer.training.llm.collating import Collator, Draw
from emer.training.llm.configuration import LlmConfig
from emer.training.llm.example import Example
from emer.training.llm.examples import Taught
from emer.types import MODALITIES

T = TypeVar("T")

SAMPLED = 64
"""Examples whose tokens are counted, media decoded: evenly from all over the training rows."""
RENDERED = 3
"""Examples that are shown as the model reads them."""
LEAST_RUN = 8
"""The same token so many times and more is told by its number: the placeholders of sound and pictures."""
NAMED = 3
"""Layers that are named."""
LORA = ".lora_"
WRAPPED = "base_model.model."


def dry_run(
    config: LlmConfig, backbone: Backbone, taught: Taught, model: nn.Module | None = None, *, processes: int = 1
) -> str:
    """The whole report as text for a terminal.

    `model` holds all that learns (`backbone.model` by default, with LoRA on it already). Raises ModelError where the
    vocabulary has no room for the verdict, as training itself would.
    """
    training = taught.parts["train"]
    collator = Collator(backbone, config)
    sections = (
        _parameters(model or backbone.model),
        _layers(model or backbone.model),
        _verdict(config, backbone),
        _data(taught),
        _labels(config, taught),
        _tokens(counted(evenly(training, SAMPLED), collator), backbone.context),
        _steps(config, len(training), processes),
        *(_rendered(example, collator, config) for example in evenly(training, RENDERED)),
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines)


def evenly(examples: Sequence[T], most: int) -> tuple[T, ...]:
    """At most so many, from all over the sequence.

    >>> evenly("abcdefgh", 3)
    ('a', 'd', 'h')
    """
    places = np.linspace(0, len(examples) - 1, min(most, len(examples))).astype(int)
    return tuple(examples[place] for place in places)


# ---------------------------------------------------------------- what learns


def trainable(model: nn.Module) -> dict[str, int]:
    """How many numbers learn, by the kind of module; the most first."""
    found: Counter[str] = Counter()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            found[_kind(name)] += parameter.numel()
    return dict(found.most_common())


def _kind(name: str) -> str:
    if LORA in name:
        return f"LoRA of {name.split(LORA)[0].rpartition('.')[2]}"
    return {"head": "verdict", "views": "heads of views"}.get(name.split(".")[0], name.split(".")[0])


def lora_layers(model: nn.Module) -> tuple[str, ...]:
    """The modules that LoRA is put on, by their names in the model without adapter, in its order."""
    names = (name.split(LORA)[0].rpartition(WRAPPED)[2] for name, _ in model.named_parameters() if LORA in name)
    return tuple(dict.fromkeys(names))


def _parameters(model: nn.Module) -> Iterator[str]:
    found = trainable(model)
    learning, everything = sum(found.values()), sum(parameter.numel() for parameter in model.parameters())
    yield f"Trainable parameters: {learning:,} of {everything:,} ({learning / everything:.2%})"
    yield from (f"  {kind:<24}{count:>14,}" for kind, count in found.items())


def _layers(model: nn.Module) -> Iterator[str]:
    layers = lora_layers(model)
    more = ", …" if len(layers) > NAMED else ""
    yield f"LoRA on {len(layers)} layers: {', '.join(layers[:NAMED])}{more}"


def _verdict(config: LlmConfig, backbone: Backbone) -> Iterator[str]:
    if config.verdict is None:
        yield "Verdict: none"
        return
    spec = config.verdict.spec
    rows = backbone.verdict_rows(spec.rows)
    yield (
        f"Verdict: {spec.kind} over {spec.label_set} ({len(spec.labels)} labels), {spec.rows} unused rows of the "
        f"vocabulary ({rows[0]} to {rows[-1]} of {backbone.rows})"
    )


# ---------------------------------------------------------------- from what


def _data(taught: Taught) -> Iterator[str]:
    yield f"Data: {taught.name}, split {taught.split.name}"
    for part, examples in taught.parts.items():
        told, known = sum(e.teaches_text for e in examples), sum(e.teaches_verdict for e in examples)
        yield f"  {part:<12}{len(examples):>7,} clips, {told:,} with an explanation, {known:,} with a known label"
    if taught.bad:
        yield f"  left out    {len(taught.bad):>7,} clips: {some(f'{one.id} ({one.reason})' for one in taught.bad)}"
    claimed = [claim for e in taught.parts["train"] for claim in claims(e.statements)]
    if claimed:
        shares = Counter(claim.status for claim in claimed)
        told_shares = ", ".join(f"{count / len(claimed):.0%} {status}" for status, count in shares.most_common())
        yield f"  claims in the explanations to learn from: {len(claimed):,} ({told_shares})"


def _labels(config: LlmConfig, taught: Taught) -> Iterator[str]:
    """In how many clips each label holds at all, by part."""
    if config.verdict is None:
        return
    yield f"Labels ({', '.join(taught.parts)}; clips in which each holds)"
    for place, label in enumerate(config.verdict.spec.labels):
        counts = [
            sum(e.target is not None and bool(e.target[place] > 0) for e in examples)
            for examples in taught.parts.values()
        ]
        yield f"  {label:<24}" + "".join(f"{count:>9,}" for count in counts)
    if taught.unmapped:
        words = some(f"{word} ({count})" for word, count in taught.unmapped.items())
        yield f"  words without a label of the set: {len(taught.unmapped)}: {words}; map them by verdict.label_map"


# ---------------------------------------------------------------- how long


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of some examples, everything shown."""

    prompts: tuple[int, ...]
    answers: tuple[int, ...]
    """Of those that have one, the end of the turn included."""
    media: int
    """Tokens of all prompts that stand for sound and pictures."""
    too_long: tuple[str, ...]
    """Ids of those that exceed the model's context, and count in nothing above."""
    failed: Mapping[str, str]
    """Ids of those that cannot be decoded, and why."""


def counted(examples: Sequence[Example], collator: Collator) -> Tokens:
    """Decode and encode examples, and count."""
    rows, too_long, failed = [], [], {}
    for example in examples:
        try:
            rows.append(collator.encoded(Draw(example, training=False)).row)
        except ModelError:
            too_long.append(example.id)
        except (EmerError, OSError) as error:
            failed[example.id] = " ".join(str(error).split())
    tokenizer = collator.backbone.tokenizer
    return Tokens(
        prompts=tuple(len(row.prompt) for row in rows),
        answers=tuple(len(row.answer) for row in rows if row.answer),
        media=sum(len(tokenizer(m.text, add_special_tokens=False)["input_ids"]) for row in rows for m in row.media),
        too_long=tuple(too_long),
        failed=failed,
    )


def _tokens(found: Tokens, context: int) -> Iterator[str]:
    number = len(found.prompts) + len(found.too_long) + len(found.failed)
    yield f"Tokens ({number} training examples, everything shown){'min':>9}{'median':>9}{'95 %':>9}{'max':>9}"
    for name, lengths in (("prompt", found.prompts), ("answer", found.answers)):
        if lengths:
            figures = (min(lengths), np.median(lengths), np.percentile(lengths, 95, method="higher"), max(lengths))
            yield f"  {name:<46}" + "".join(f"{figure:>9,.0f}" for figure in figures)
    if found.prompts:
        yield f"  {found.media / sum(found.prompts):.0%} of the prompts are sound and pictures"
    named = f" ({some(found.too_long)}): they will be left out" if found.too_long else ""
    yield f"  {len(found.too_long)} exceed the context of {context:,} tokens{named}"
    if found.failed:
        reasons = some(f"{name} ({why})" for name, why in found.failed.items())
        yield f"  {len(found.failed)} cannot be decoded: {reasons}"


def _steps(config: LlmConfig, examples: int, processes: int) -> Iterator[str]:
    schedule = config.schedule
    together = schedule.batch_size * schedule.accumulation * processes
    batches = math.ceil(examples / (schedule.batch_size * processes))
    steps = math.ceil(batches / schedule.accumulation)
    total = math.ceil(steps * schedule.epochs)
    if schedule.most_steps is not None:
        total = min(total, schedule.most_steps)
    yield (
        f"Steps: {steps:,} an epoch ({together} clips each: {processes} × {schedule.batch_size} × "
        f"{schedule.accumulation} of processes, batch and accumulation), {total:,} in all"
    )


# ---------------------------------------------------------------- how examples read


def _rendered(example: Example, collator: Collator, config: LlmConfig) -> Iterator[str]:
    """One example as it is drawn in the first epoch."""
    try:
        encoded = collator.encoded(Draw(example))
    except (EmerError, OSError) as error:
        yield f"──── {example.id}: {error}"
        return
    yield f"──── {example.id} as drawn in the first epoch: {_told(encoded.shown)}"
    yield as_read(encoded.row.prompt, collator)
    yield "──── answer to learn"
    yield as_read(encoded.row.answer, collator) if encoded.row.answer else "none: nobody explained this clip"
    if config.verdict is not None:
        yield f"──── verdict to learn: {_target(example, config.verdict.spec.labels)}"


def _told(what: Shown) -> str:
    names = ", ".join(modality for modality in MODALITIES if modality in what.modalities)
    withheld = [
        name for name, kept in (("clue sentences", what.sentences), ("sound and pictures", what.media)) if not kept
    ]
    return names + (f"; without {' and '.join(withheld)}" if withheld else "")


def _target(example: Example, labels: Sequence[str]) -> str:
    if example.target is None:
        return "nothing: nobody's label reaches it"
    held = [f"{label} {share:.2g}" for label, share in zip(labels, example.target, strict=True) if share > 0]
    return ", ".join(held)


def as_read(ids: Sequence[int], collator: Collator) -> str:
    """Ids as text with their control tokens; long runs of one token are counted."""
    tokenizer = collator.backbone.tokenizer
    text, waiting = "", []
    for token, run in groupby(ids):
        times = len(list(run))
        if times < LEAST_RUN:
            waiting += [token] * times
            continue
        text += tokenizer.decode(waiting) + f"{tokenizer.decode([token])} × {times} "
        waiting = []
    return str(text + tokenizer.decode(waiting)).strip()
