"""`emer annotate`: clips in, explanations to learn from out, and a page to review them; then the reviewed manifest."""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emer.annotate.annotating import Annotating, annotate
from emer.annotate.decisions import REVIEWED, apply, read_decisions
from emer.annotate.lessons import Teacher, key_of, record_of
from emer.annotate.outputs import MANIFEST, REJECTED, summary, write
from emer.annotate.records import DONE, Journal, read_lines
from emer.annotate.review import write_pages
from emer.bench.run_lines import locked
from emer.commands.progress import progress_bar
from emer.commands.sources import clips_of
from emer.data.manifest import BadRow, is_manifest, read_rows
from emer.data.rows import Row
from emer.errors import ConfigError, OutputError
from emer.explain import Explainer
from emer.files import cache_folder
from emer.runs import CONFIG, run_folder
from emer.types import Annotation


@dataclass(frozen=True, slots=True)
class AnnotateConfig:
    """What the lines of one folder have in common; a folder refuses another."""

    teacher: dict[str, object] = field(default_factory=dict)
    least_grounded: float = 0.6
    blind: bool = False
    weights: str = "installed"
    transcriber: str | None = None


def run(options: Namespace) -> int:
    """Annotate, or apply what a person decided. Exit code 1 where clips failed; rejected ones are no failure."""
    if options.out is None:
        raise OutputError("name the folder for the teaching data with --out DIR")
    return _apply(options) if options.apply else _annotate(options)


def _annotate(options: Namespace) -> int:
    rows, bad = rows_of(options)
    folder, teacher = Path(options.out), teacher_of(options)
    if not 0 <= options.least_grounded <= 1:
        raise ConfigError(f"--least-grounded is {options.least_grounded}; give a share from 0 to 1")
    config = AnnotateConfig(dict(teacher.record()), options.least_grounded, options.blind, options.weights, options.asr)
    with locked(folder):
        if not (folder / DONE).exists():  # a mistake, in the name of the model for instance, may still be mended
            (folder / CONFIG).unlink(missing_ok=True)
        run_folder(folder, config, "emer annotate")
        figures, pages = _written(options, folder, teacher, rows, bad)
    print(summary(figures))
    for path in (folder / MANIFEST, folder / REJECTED, *pages):
        print(f"wrote {path}", file=sys.stderr)
    return 1 if figures["failed"] else 0


def _written(
    options: Namespace, folder: Path, teacher: Teacher, rows: Sequence[Row], bad: Sequence[BadRow]
) -> tuple[dict[str, Any], list[Path]]:
    """The figures of the run, and its review pages, after everything was written."""
    journal = Journal(folder)
    with progress_bar(len(rows)) as bar:
        for row in bad:
            bar.say(f"emer: {options.path}, {row.reason}")
        explainer = Explainer(
            weights=options.weights,
            transcriber=options.asr,
            cache=None if options.no_cache else cache_folder(),
            progress=bar.stage,
        )
        annotate(rows, Annotating(teacher, explainer, journal, options.least_grounded, options.blind), bar)
    lines = [journal.lines[key_of(record_of(row, folder))] for row in rows]
    return write(folder, lines, bad, teacher.record()), write_pages(folder, lines)


def _apply(options: Namespace) -> int:
    folder = Path(options.out)
    if not (folder / DONE).is_file():
        raise ConfigError(f"{folder} holds no drafts ({DONE}); name the folder that emer annotate wrote with --out")
    latest = {line.key: line for line in read_lines(folder / DONE)}
    decisions = [decision for path in options.apply for decision in read_decisions(Path(path))]
    reviewed = apply(folder, list(latest.values()), decisions)
    for told in reviewed.doubtful:
        print(f"note: the clues do not bear out the edit of {told}", file=sys.stderr)
    print(", ".join(f"{count} {name}" for name, count in reviewed.counts.items()))
    print(f"wrote {folder / REVIEWED}", file=sys.stderr)
    return 0


def rows_of(options: Namespace) -> tuple[Sequence[Row], Sequence[BadRow]]:
    """The rows of a manifest, or the media files of a folder as rows of which nobody has said anything."""
    if options.path is None:
        raise ConfigError("name the clips: a manifest, a folder or a file; or decisions with --apply")
    if is_manifest(options.path):
        rows, bad = read_rows(options.path)
    else:
        told = dict.fromkeys(("start", "end", "transcript", "speaker_baseline"))
        clips = clips_of(Namespace(path=options.path, without=[], **told))
        base = options.path if os.path.isdir(options.path) else os.path.dirname(options.path) or "."
        rows, bad = tuple(Row(os.path.relpath(clip.path, base), clip, Annotation()) for clip in clips), ()
    return rows[: options.limit], bad


def teacher_of(options: Namespace) -> Teacher:
    """Who writes. Raises ConfigError where options do not go together."""
    if options.by == "composer":
        if options.url or options.model or options.stages != 1:
            raise ConfigError("--url, --model and --stages are for --by endpoint; the composer asks nobody")
        if options.language != "en":
            raise ConfigError(f"the composer writes English; for --language {options.language} use --by endpoint")
        from emer.annotate.composed import ComposedTeacher

        return ComposedTeacher()
    if not (options.url and options.model):
        raise ConfigError("--by endpoint needs both --url and --model")
    from emer.annotate.asked import AskedTeacher
    from emer.endpoint import Endpoint

    return AskedTeacher(Endpoint(options.url, options.model), options.stages, options.language)
