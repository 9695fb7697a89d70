"""`emer bench run`: explain the clips of data sets into a folder that can be taken up again."""

import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from emer.bench.run_configuration import read_run
from emer.bench.running import Run, Step, opened

EVERY = 15.0
"""Seconds between two lines of progress where stderr is no terminal."""


def run(options: Namespace) -> int:
    """Exit code 1 when clips failed, in this run or an earlier one; what did not fail is kept."""
    config = read_run(options.config, changes_of(options))
    command = " ".join(["emer bench run", options.config, *changes_of(options)])
    with opened(config, command, say, retry_failed=options.retry_failed) as work:
        with _bar(work) as bar:
            for note in work.notes:
                bar.say(note)
            for step in work.steps():
                bar.step(step)
        for line in work.summary():
            print(line)
        again = " (--retry-failed asks again)" if work.failed else ""
        print(f"{work.answered} of {work.total} answers in {config.out}, {work.failed} failed{again}")
        print(f"emer bench report {config.out} scores them")
        return 1 if work.failed else 0


def changes_of(options: Namespace) -> list[str]:
    """The options of the command line that stand for keys of the configuration, as changes to it."""
    short = {name: getattr(options, name) for name in ("limit", "seed", "workers")}
    return [*options.changes, *(f"{name}={value}" for name, value in short.items() if value is not None)]


# ---------------------------------------------------------------- progress


@dataclass(slots=True)
class Pace:
    """How fast it goes: by the answers since the first one of this run, since workers take a while to start."""

    total: int
    answered: int
    failed: int = 0
    first: float | None = None
    """When the first answer came, in seconds of a clock that only runs forward."""
    since: int = 0
    """Answers since then."""

    def add(self, step: Step, now: float) -> None:
        self.answered += 1
        self.failed += step.reason is not None
        if self.first is None:
            self.first = now
        else:
            self.since += 1

    def line(self, now: float) -> str:
        """Where it stands.

        >>> Pace(total=100, answered=60, first=0.0, since=20, failed=1).line(now=10.0)
        '60 of 100 answers, 2.0 a second, 20 s left, 1 failed'
        >>> Pace(total=1000, answered=10, first=0.0, since=10).line(now=100.0)
        '10 of 1000 answers, 6.0 a minute, 2 h 45 min left, 0 failed'
        >>> Pace(total=1000, answered=10).line(now=100.0)
        '10 of 1000 answers, 0 failed'
        """
        told = [f"{self.answered} of {self.total} answers"]
        if self.first is not None and self.since and now > self.first:
            rate = self.since / (now - self.first)
            told.append(f"{rate:.1f} a second" if rate >= 1 else f"{60 * rate:.1f} a minute")
            told.append(f"{_duration((self.total - self.answered) / rate)} left")
        return ", ".join([*told, f"{self.failed} failed"])


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


@runtime_checkable
class RunBar(Protocol):
    """What tells of the progress of a run."""

    def say(self, line: str) -> None: ...
    def step(self, step: Step) -> None: ...


class Lines:
    """For logs: failures as they come, and a line now and then."""

    def __init__(self, pace: Pace) -> None:
        self.pace, self.last = pace, time.monotonic()

    def say(self, line: str) -> None:
        say(line)

    def step(self, step: Step) -> None:
        now = time.monotonic()
        self.pace.add(step, now)
        if step.reason is not None:
            self.say(failure(step))
        if now - self.last >= EVERY:
            self.last = now
            self.say(self.pace.line(now))


class Drawn:
    """For terminals: one bar over all answers, with rate, remaining time and failures."""

    def __init__(self, pace: Pace) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self.pace = pace
        self.progress = Progress(
            BarColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True
        )
        self.task = self.progress.add_task("starting", total=pace.total, completed=pace.answered)
        self.progress.start()

    def say(self, line: str) -> None:
        self.progress.console.print(line, highlight=False, markup=False)

    def step(self, step: Step) -> None:
        now = time.monotonic()
        self.pace.add(step, now)
        if step.reason is not None:
            self.say(failure(step))
        self.progress.update(self.task, advance=1, description=self.pace.line(now))

    def close(self) -> None:
        self.progress.stop()


def say(line: str) -> None:
    """A line for people, beside the results."""
    print(line, file=sys.stderr, flush=True)


def failure(step: Step) -> str:
    """One line about a clip that failed."""
    return f"{step.data}, {step.system}: {step.name} failed: {step.reason}"


@contextmanager
def _bar(work: Run) -> Iterator[RunBar]:
    pace = Pace(work.total, work.answered, work.failed)
    if not sys.stderr.isatty():
        yield Lines(pace)
        return
    bar = Drawn(pace)
    try:
        yield bar
    finally:
        bar.close()
