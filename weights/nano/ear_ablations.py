"""What each ingredient of the ear's lesson is worth: short courses without it, measured on validation speakers.

python weights/nano/ear_ablations.py FOLDER DATA

FOLDER is where `teach_ear` worked: its measured recordings are used again. Writes FOLDER/ear_ablations.json; courses
that were finished are not run again. One seed each: differences of a few points in the recall of 155 utterances tell
nothing.
"""

import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ear import material, taught
from ear_course import Lesson

from emer.errors import EmerError
from emer.files import write_text
from emer.jsonio import dumps

SHORT = Lesson(epochs=15, rounds=4)
COURSES: dict[str, Lesson] = {
    "all of it": SHORT,
    "labels alone": replace(SHORT, curves=0.0, features=0.0, opinion=0.0, labels_from=0.0),
    "without curves": replace(SHORT, curves=0.0),
    "without features": replace(SHORT, features=0.0),
    "without labels and opinions": replace(SHORT, opinion=0.0, label=0.0),
}
NOT_RETOLD = "recordings as they are"
RESULT = "ear_ablations.json"


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 2:
        print(f"usage: python {Path(__file__).name} FOLDER DATA", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        compare(Path(arguments[0]), Path(arguments[1]))
    except EmerError as error:
        print(f"ear: {error}", file=sys.stderr)
        return 2
    return 0


def compare(folder: Path, data: Path) -> None:
    """Every course in turn; the table is written anew after each."""
    train, validation, retold = material(folder, data, SHORT.rounds)
    table = {}
    for name, lesson in {**COURSES, NOT_RETOLD: SHORT}.items():
        rounds = [train] if name == NOT_RETOLD else retold
        own = folder / "ablations" / name.replace(" ", "_")
        own.mkdir(parents=True, exist_ok=True)
        course, _, _ = taught(own, (train, validation, rounds), lesson)
        table[name] = course.notes[-1]
        shown = {"epochs": SHORT.epochs, "seeds": 1, "reached": table}
        write_text(folder / RESULT, dumps({"schema": "emer.ear_ablations/1"} | shown) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
