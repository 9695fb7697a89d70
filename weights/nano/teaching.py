"""What nano learns from: explained recordings of training speakers, and invented lessons of text alone.

    rows.jsonl          the recordings of RAVDESS and EmoDB with labels, speakers and parts (configs/splits/voices.json)
    taught/             the same, explained by the composer (`emer annotate`)
    invented.jsonl      clue sets drawn at random, explained by the composer

Test speakers stand in none of these files.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from invented import invent

from emer.annotate.annotating import Annotating, annotate
from emer.annotate.composed import ComposedTeacher
from emer.annotate.lessons import key_of, record_of
from emer.annotate.outputs import MANIFEST, summary, write
from emer.annotate.records import Journal
from emer.commands.progress import Silent
from emer.data import emodb, ravdess
from emer.data.manifest import read_manifest
from emer.data.splits import split
from emer.emotions import mapping
from emer.engines.asking import messages_of
from emer.engines.reading_answers import whole_answer
from emer.explain import Explainer
from emer.files import write_text
from emer.types import Message

PROMPT = "explain_brief"
PARTS = ("train", "validation", "calibration")
IN_EMER8 = mapping("emodb4", "emer8")
ROWS, INVENTED, NAMED = "rows.jsonl", "invented.jsonl", "RAVDESS_and_EmoDB.jsonl"


@dataclass(frozen=True, slots=True)
class Lesson:
    """A conversation without media and the answer that it should get."""

    messages: tuple[Message, ...]
    answer: str


def write_rows(folder: Path, data: Path) -> Path:
    """The manifest of all recordings but those of test speakers."""
    parts = split("voices")
    part_of = {speaker: part for part in PARTS for speaker in getattr(parts, part)}
    rows = [row for row in (*ravdess.clips(data), *emodb.clips(data)) if row.speaker in part_of]
    lines = [
        {
            "id": row.id,
            "path": row.clip.path,
            "label": IN_EMER8.get(row.annotation.labels[0], row.annotation.labels[0]),
            "speaker": row.speaker,
            "split": part_of[row.speaker or ""],
        }
        for row in rows
    ]
    path = folder / ROWS
    write_text(path, "".join(json.dumps(line) + "\n" for line in lines))
    return path


def explain_rows(folder: Path, data: Path) -> Path:
    """The manifest of recordings with explanations; taken up where it stopped."""
    rows = read_manifest(write_rows(folder, data))
    out = folder / "taught"
    out.mkdir(parents=True, exist_ok=True)
    journal, teacher = Journal(out), ComposedTeacher()
    annotate(rows, Annotating(teacher, Explainer(weights=None), journal), Silent())
    lines = [journal.lines[key_of(record_of(row, out))] for row in rows]
    print(summary(write(out, lines, (), teacher.record())))
    named = out / NAMED  # the adapter's card names its data by the file
    write_text(named, (out / MANIFEST).read_text(encoding="utf-8"))
    return named


def write_invented(folder: Path, count: int, seed: int, name: str = INVENTED) -> Path:
    """`count` invented lessons; an existing file of them is kept."""
    path = folder / name
    if not path.exists():
        made = (
            {"asked": [(m.role, m.text) for m in messages_of(request, PROMPT)], "answer": whole_answer(text, labels)}
            for request, text, labels in invent(count, seed)
        )
        write_text(path, "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in made))
    return path


def read_invented(path: Path) -> Iterator[Lesson]:
    """The lessons of a file that `write_invented` wrote."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            read = json.loads(line)
            yield Lesson(tuple(Message(role, text) for role, text in read["asked"]), read["answer"])
