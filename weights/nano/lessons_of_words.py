"""The two courses of nano's language model: reading, from invented lessons alone; then speaking of what is heard."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hearing
import torch
from assemble import make_model
from ear import TENSORS, material
from hearing import BOTH, HEARD, READ
from sounds import read_sounds
from teaching import INVENTED, Lesson, read_invented, write_invented
from tokenizer import make_processor, train_tokenizer
from words import Course, Item, drills, teach

from emer.backbones.attached import Conversation
from emer.backbones.opening import open_processor
from emer.backbones.templates import Template

LESSONS, HELD_OUT, DRILLS = 20_000, 300, 7_000
VALIDATION = "invented_validation.jsonl"
PROCESSOR, READING, SPEAKING = "processor", "reading.pt", "speaking.pt"
LEARNED_FROM = 6_000
"""Invented lessons that the tokenizer learns from."""
ROUNDS = 6
"""Retellings of each recording that the language model hears."""
KEPT = 6_000
"""Invented lessons that go on while it learns to listen, so that it does not forget how to read."""
READING_COURSE = Course(steps=1_600, rate=2e-3)
SPEAKING_COURSE = Course(steps=900, rate=2e-3, seed=1)


def prepare(work: Path, manifest: Path) -> None:
    """Invented lessons and the tokenizer."""
    write_invented(work, HELD_OUT, 1, VALIDATION)
    lessons = list(read_invented(write_invented(work, LESSONS, 0)))
    if not (work / PROCESSOR).exists():
        make_processor(train_tokenizer(_texts(lessons[:LEARNED_FROM], manifest))).save_pretrained(work / PROCESSOR)


def _texts(lessons: Sequence[Lesson], manifest: Path) -> Iterator[str]:
    """What the tokenizer learns from: invented lessons, and the explanations of training speakers alone."""
    for lesson in lessons:
        yield from (message.text for message in lesson.messages)
        yield lesson.answer
    with manifest.open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["split"] == "train":
                yield row["explanation"]


def teach_reading(work: Path) -> Path:
    """The first course, from its checkpoint on; the checkpoint at its end."""
    processor, template = _opened(work)
    taught = [_item(template, lesson) for lesson in read_invented(work / INVENTED)]
    held_out = [_item(template, lesson) for lesson in read_invented(work / VALIDATION)]
    taught += drills(processor.tokenizer, DRILLS, seed=0)
    teach(make_model(processor), taught, held_out, READING_COURSE, work / READING)
    return work / READING


def speak(work: Path, data: Path, manifest: Path) -> Path:
    """The second course, from its checkpoint on, or from the end of the first; the checkpoint at its end."""
    processor, template = _opened(work)
    items, held_out = heard_items(work, data, manifest, template, processor.audio_token)
    lessons = list(read_invented(work / INVENTED))[:KEPT]
    model = make_model(processor)
    model.model.load_state_dict(torch.load(work / READING, weights_only=True)["words"])
    taught = items + [_item(template, lesson) for lesson in lessons]
    teach(model, taught, held_out, SPEAKING_COURSE, work / SPEAKING)
    return work / SPEAKING


def heard_items(
    work: Path, data: Path, manifest: Path, template: Template, token: str
) -> tuple[list[Item], list[Item]]:
    """Lessons with sound of training recordings, as they are and retold, and of validation recordings as they are."""
    taught = hearing.read_taught(manifest)
    ear = work / "ear"
    tower = hearing.load_ear(ear / TENSORS)
    train, validation, retold = material(ear, data, ROUNDS)
    items: list[Item] = []
    for place, sounds in enumerate((train, *retold)):
        vectors = dict(zip(_ids(data, "train", ear), hearing.heard(tower, sounds), strict=True))
        ways = (BOTH, HEARD, READ) if place == 0 else (BOTH, HEARD) if place % 2 else (HEARD,)
        items += hearing.items_of(taught.parts["train"], vectors, ways, template, token)
    vectors = dict(zip(_ids(data, "validation", ear), hearing.heard(tower, validation), strict=True))
    held_out = hearing.items_of(taught.parts["validation"], vectors, (BOTH, HEARD), template, token)
    return items, list(held_out)


def _ids(data: Path, role: Any, ear: Path) -> list[str]:
    return [sound.id for sound in read_sounds(data, role, ear)]


def _opened(work: Path) -> tuple[Any, Template]:
    processor = open_processor(work / PROCESSOR, "Qwen2_5OmniProcessor")
    return processor, Template(processor, processor.tokenizer)


def _item(template: Template, lesson: Lesson) -> Item:
    prompt = template.prompt(Conversation(lesson.messages), [], [0] * len(lesson.messages))
    return Item(prompt, template.answer(lesson.answer))
