"""`emer bench run`: data sets × systems, clip by clip, into a folder that can be taken up again at any point.

    with opened(config, command) as run:
        for step in run.steps():          # each answer is on the disk before it is told of
            ...

What is asked follows from the data sets (`run_data`), who answers from the configuration (`run_systems`), what is left
from the answers that are there (`prediction_files`); workers do the rest (`run_workers`).
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from emer.bench.prediction_files import PredictionFile
from emer.bench.run_configuration import MAY_CHANGE, RunConfig, RunData
from emer.bench.run_data import Asked, asked
from emer.bench.run_lines import Appended, locked
from emer.bench.run_seen import met_before, seen
from emer.bench.run_systems import mistakes_of, record_of
from emer.bench.run_workers import Done, Setting, Task, explained
from emer.clues.cache import key_of
from emer.data.folders import folder_of, listed_folders
from emer.data.rows import refuse
from emer.emotions.wheel_files import load_wheels
from emer.errors import ConfigError, MissingExtra
from emer.evidence.weights import find_weights
from emer.files import write_text
from emer.jsonio import dumps
from emer.registry import DATASETS, load
from emer.runs import run_folder
from emer.score.scoring import metric_of

Say = Callable[[str], None]
Place = tuple[RunData, Path | None]
"""A data set and its folder; a manifest has none."""


@dataclass(frozen=True, slots=True)
class Step:
    """One clip that has been answered, or could not be."""

    data: str
    system: str
    name: str
    reason: str | None
    """Why it failed; None where it did not."""


@dataclass(frozen=True, slots=True)
class Job:
    """One system on one data set."""

    system: int
    data: int
    file: PredictionFile
    timings: Appended
    """Seconds of each answer: what differs from run to run, and may lack the last lines after a kill."""

    def finish(self) -> None:
        """Where every row is answered, the answers take the order of the rows."""
        if self.file.complete:
            self.file.finish()
            self.timings.close()


@dataclass(frozen=True)
class Run:
    """A run folder that is open: what is asked, of whom, and what is answered so far."""

    config: RunConfig
    sets: tuple[Asked, ...]
    jobs: tuple[Job, ...]
    notes: tuple[str, ...]
    """What the user should know before it begins: sets that are skipped, clips that are missing or have changed."""

    @property
    def total(self) -> int:
        """Answers of a finished run."""
        return sum(len(job.file.keys) for job in self.jobs)

    @property
    def answered(self) -> int:
        """Answers that are there, failures included."""
        return sum(len(job.file.answered) for job in self.jobs)

    @property
    def failed(self) -> int:
        return sum(len(job.file.failed) for job in self.jobs)

    def steps(self) -> Iterator[Step]:
        """Explain what is left. Stopped at any point, nothing that was told of is lost."""
        jobs = {(job.system, job.data): job for job in self.jobs}
        for job in self.jobs:
            job.finish()  # a run may have been killed after its last answer
        log = Path(self.config.out) / "workers.log"
        setting = Setting(self.config.systems, self.config.seed, log, self.config.timeout)
        with closing(explained(self._tasks(), setting, self.config.workers)) as answers:
            for done in answers:
                job = jobs[done.task.system, done.task.data]
                job.file.append(done.prediction)
                job.timings.line({"name": done.task.name, "seconds": done.seconds})
                job.finish()
                yield self._step(done)

    def summary(self) -> Iterator[str]:
        """A line for each system on each data set."""
        for job in self.jobs:
            file, asked_ = job.file, self.sets[job.data]
            failed = f", {len(file.failed)} of them failures" if file.failed else ""
            lacking = f"; {len(file.left)} left" if not file.complete else ""
            missing = f"; {len(asked_.missing)} clips are missing" if asked_.missing else ""
            name = f"{asked_.data.stem}, {self.config.systems[job.system].name}"
            yield f"{name}: {len(file.answered)} answers{failed}{lacking}{missing}"

    def _tasks(self) -> Iterator[Task]:
        for job in self.jobs:
            rows = {row.id: row for row in self.sets[job.data].rows}
            without = frozenset(self.config.systems[job.system].without)
            for name in job.file.left:
                clip = rows[name].clip
                clip = replace(clip, without=clip.without | without)
                yield Task(job.system, job.data, name, job.file.keys[name], clip)

    def _step(self, done: Done) -> Step:
        error = done.prediction.error
        data, system = self.sets[done.task.data].data.stem, self.config.systems[done.task.system].name
        return Step(data, system, done.task.name, None if error is None else error.reason)


@contextmanager
def opened(config: RunConfig, command: str, say: Say = print, *, retry_failed: bool = False) -> Iterator[Run]:
    """The folder of a run, made or taken up again; with `retry_failed`, failures are asked about once more.

    Looking at many clips for the first time takes a while; `say` is told how far it is.

    Raises ConfigError for systems that cannot be made, data that cannot be read and a folder of another run, and
    OutputError for one that cannot be written or is in use.
    """
    _refuse_mistakes(config)
    present, skipped = _present(config)
    refuse([] if present else _told(skipped), "there is nothing to explain")
    folder = Path(config.out)
    with locked(folder), ExitStack() as stack:
        run_folder(folder, config, command, may_change=MAY_CHANGE)
        records = _records(config, folder)
        sets = tuple(_read(config, present, say))
        skipped |= {one.data.stem: _nothing_there(one) for one in sets if not one.rows}
        sets = tuple(one for one in sets if one.rows)
        write_text(
            folder / "skipped.jsonl", "".join(dumps({"data": n, "reason": r}) + "\n" for n, r in skipped.items())
        )
        refuse([] if sets else _told(skipped), "there is nothing to explain")
        jobs = []
        for system, record in enumerate(records):
            for data, one in enumerate(sets):
                keys = {name: key_of(content, record) for name, content in one.contents.items()}
                name = config.systems[system].name
                file = PredictionFile(folder, one.data.stem, name, keys, retry_failed=retry_failed)
                timings = Appended(folder / "timings" / one.data.stem / f"{name}.jsonl", sync=False)
                stack.callback(file.close)
                stack.callback(timings.close)
                jobs.append(Job(system, data, file, timings))
        yield Run(config, sets, tuple(jobs), (*_told(skipped), *_notes(config, sets, jobs), *_met(config, sets)))


def _present(config: RunConfig) -> tuple[list[Place], dict[str, str]]:
    """The data sets whose folder is there, and why the others are skipped."""
    if listed := os.environ.get("EMER_DATASETS"):
        listed_folders(listed)  # one that cannot be read is a mistake, where a folder that is not there is none
    present, skipped = [], {}
    for data in config.data:
        try:
            folder = None if data.is_manifest else folder_of(data.name, config.folder_named(data))
        except ConfigError as error:
            skipped[data.stem] = f"{error}; here: folders.{data.name}=DIR"
        else:
            present.append((data, folder))
    return present, skipped


def _refuse_mistakes(config: RunConfig) -> None:
    """Raises ConfigError with all that would go wrong later, when it has cost hours: systems, data sets, scores."""
    mistakes = mistakes_of(config.systems, config.seed)
    for data in config.data:
        if not data.is_manifest:  # a slip in a name must not look like a set that is absent
            mistakes += _told_by(partial(load, data.name, DATASETS), f"data set {data.name}")
        for metric in (data.metric, *data.metrics):
            if metric is not None:
                mistakes += _told_by(partial(metric_of, metric), f"data set {data.stem}")
    if config.wheels is not None:
        mistakes += _told_by(partial(load_wheels, config.wheels), "wheels")
    refuse(mistakes, "the run cannot be made so")


def _told_by(prove: Callable[[], object], what: str) -> list[str]:
    try:
        prove()
    except (ConfigError, MissingExtra) as error:
        return [f"{what}: {error}"]
    return []


def _told(skipped: Mapping[str, str]) -> list[str]:
    return [f"{name} is skipped: {reason}" for name, reason in skipped.items()]


def _read(config: RunConfig, present: Sequence[Place], say: Say) -> list[Asked]:
    found, mistakes = [], []
    for data, folder in present:
        try:
            found.append(asked(config, data, folder, say))
        except ConfigError as error:
            mistakes.append(str(error))
    refuse(mistakes, "data that cannot be read")
    return found


def _records(config: RunConfig, folder: Path) -> list[dict[str, object]]:
    """What each system is; a folder with answers of another system of this name is refused."""
    records = [record_of(system, config.seed) for system in config.systems]
    for system, record in zip(config.systems, records, strict=True):
        run_folder(folder / "systems" / system.name, record, f"the system {system.name}")
    return records


def _met(config: RunConfig, sets: Sequence[Asked]) -> Iterator[str]:
    """What heads have met before is written down for the report, and told."""
    for system in config.systems:
        weights = find_weights(system.weights)
        for one in sets:
            found = seen(weights, one.files)
            write_text(Path(config.out) / "seen" / one.data.stem / f"{system.name}.json", dumps(found) + "\n")
            if words := met_before(found, f"{one.data.stem}, {system.name}", len(one.rows)):
                yield words


def _nothing_there(one: Asked) -> str:
    return f"none of its {len(one.missing)} clips is there, the first at {one.missing[0].clip.path}"


def _notes(config: RunConfig, sets: Sequence[Asked], jobs: Sequence[Job]) -> Iterator[str]:
    for one in sets:
        if one.missing:
            place = Path(config.out) / "missing" / f"{one.data.stem}.txt"
            total = len(one.rows) + len(one.missing)
            yield f"{one.data.stem}: {len(one.missing)} of {total} clips are missing; {place} names them"
    for job in jobs:
        name = f"{sets[job.data].data.stem}, {config.systems[job.system].name}"
        if job.file.stale:
            yield f"{name}: {job.file.stale} clips have changed since they were explained, and are explained again"
        if job.file.damaged:
            yield f"{name}: {job.file.damaged} answers could not be read (torn or damaged), and are asked for again"
