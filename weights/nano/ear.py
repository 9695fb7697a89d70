"""Teaches nano's ear before it is given to the language model: to measure voices, and at the end to name emotions.

720 acted utterances are too few to learn listening from their labels. They are many seconds of sound, though, for which
emer's clues give curves per 40 ms and 389 features of the utterance: that is what the tower learns to say first, of
utterances retold in other sizes, tempi, rooms and levels. Labels and the opinions of the shipped audio head come last.

    teach_ear(Path("build"), Path("../shared/data"))

writes `build/ear.safetensors`, the state of a stock `Qwen2_5OmniAudioEncoder`, and `build/ear.json`, what it reached.
Each epoch ends in a checkpoint, so that the same call takes up what was stopped.
"""

import logging
from dataclasses import asdict
from pathlib import Path

import torch
from ear_course import Course, Lesson
from ear_measures import heard, measures, references
from ear_model import Scale, scale_of, to_unit_variance
from ear_targets import Round, measured
from safetensors.torch import save_file
from sounds import SPLIT, read_sounds

from emer.files import replacing, write_text
from emer.jsonio import dumps

logger = logging.getLogger("emer")

WEIGHTS = Path(__file__).parents[1] / "emer_weights"
TENSORS, RECORD, CHECKPOINT = "ear.safetensors", "ear.json", "ear_checkpoint.pt"
EVERY = 10
"""Epochs between two notes of what was reached."""
Material = tuple[Round, Round, list[Round]]


def teach_ear(folder: Path, data: Path, lesson: Lesson | None = None) -> Path:
    """Train, measure on validation speakers, and write tower and record into `folder`; the path of the tower.

    `data` is the folder of public data sets. Raises ConfigError where its recordings are missing, or where `folder`
    holds the checkpoint of another lesson.
    """
    lesson = lesson or Lesson()
    sounds = material(folder, data, lesson.rounds)
    course, train, scale = taught(folder, sounds, lesson)
    tower = course.kept.tower
    to_unit_variance(tower, torch.cat(heard(course.kept, train, scale)))
    with replacing(folder / TENSORS) as path:
        save_file({name: value.contiguous() for name, value in tower.state_dict().items()}, path)
    without = {name: round(found, 4) for name, found in references(train, sounds[1], scale).items()}
    write_text(folder / RECORD, dumps(record_of(course) | {"uar_without_this_ear": without}) + "\n")
    return folder / TENSORS


def taught(folder: Path, sounds: Material, lesson: Lesson) -> tuple[Course, Round, Scale]:
    """A course to its end, with notes of what was reached on the way; checkpoints lie in `folder`."""
    torch.set_num_threads(1)
    train, validation, retold = sounds
    scale = scale_of(train)
    course = Course(lesson, folder / CHECKPOINT)
    while not course.finished:
        lost = course.epoch(retold[course.done % len(retold)], scale)
        if course.done % EVERY == 0 or course.finished:
            reached = asdict(measures(course.kept, train, validation, scale))
            course.notes.append({"epoch": course.done} | {name: round(value, 4) for name, value in reached.items()})
            logger.info("ear: %s; losses %s", course.notes[-1], {name: round(x, 3) for name, x in lost.items()})
        course.save()
    return course, train, scale


def material(folder: Path, data: Path, rounds: int) -> Material:
    """Recordings of training and validation speakers as they are, and the former retold `rounds` times."""
    sounds = read_sounds(data, "train", folder)
    train = measured(sounds, folder / "train.safetensors", WEIGHTS)
    validation = measured(read_sounds(data, "validation", folder), folder / "validation.safetensors", WEIGHTS)
    places = [folder / f"round_{i:02d}.safetensors" for i in range(rounds)]
    return train, validation, [measured(sounds, place, WEIGHTS, seed) for seed, place in enumerate(places)]


def record_of(course: Course) -> dict[str, object]:
    """How the ear was taught and what it reached, for the model card."""
    return {
        "schema": "emer.ear/1",
        "split": SPLIT,
        "measured_on": "validation speakers (RAVDESS actors 13 and 14, EmoDB 11), recordings as they are",
        "lesson": asdict(course.lesson),
        "epochs": course.done,
        "seconds": round(course.seconds),
        "reached": course.notes,
    }
