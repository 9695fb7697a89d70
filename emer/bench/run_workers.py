"""Processes that explain clips side by side, one thread each; one that dies fails the clip it had, and no other.

Each worker has a pipe of its own and one task at a time, so that it is known which clip a death belongs to (a pool
of `concurrent.futures` breaks as a whole). A worker is told a clip and nothing of what people said about it. It ends
with its parent, however the parent ends.
"""

import errno
import logging
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from emer.bench.records import Prediction
from emer.bench.run_configuration import RunSystem
from emer.bench.run_systems import TooSlow, WorkerDied, answered, explainer_of, refused
from emer.errors import ConfigError, EmerError, MissingExtra, OutputError
from emer.explain import Explainer
from emer.jsonio import dumps
from emer.types import Clip

logger = logging.getLogger("emer")

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
OF_THE_RUN = (ConfigError, MissingExtra)
"""Mistakes in a setting or in what is installed: they are no clip's fault, and end the run."""
ENDING = 5.0
"""Seconds in which a process that has closed its pipe may come to its end."""
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE})


@dataclass(frozen=True, slots=True)
class Task:
    """One clip to be explained by one system. `name` and `key` only come back; no explainer sees them."""

    system: int
    data: int
    name: str
    key: str
    clip: Clip


@dataclass(frozen=True, slots=True)
class Done:
    """An answer, and the seconds that it took."""

    task: Task
    prediction: Prediction
    seconds: float


@dataclass(frozen=True, slots=True)
class Setting:
    """What every worker is started with."""

    systems: Sequence[RunSystem]
    seed: int
    log: Path
    """Where libraries and crashes may write; the terminal is for progress."""
    timeout: float | None = None


@dataclass(slots=True)
class Worker:
    """A process, its end of the pipe, and the task that it has in hand."""

    process: BaseProcess
    pipe: Connection
    ready: bool = False
    task: Task | None = None
    since: float = 0.0
    ended: bool = False

    def end(self) -> None:
        """Kill it, where it still lives, and let go of it."""
        self.process.kill()
        self.process.join()
        self.pipe.close()
        self.ended = True


def explained(tasks: Iterable[Task], setting: Setting, workers: int) -> Generator[Done, None, None]:
    """The answers to all tasks, as they come. Closing the iterator ends the workers.

    Raises ConfigError or MissingExtra where a setting is wrong, OutputError where the machine has no room left, and
    EmerError where no worker can start.
    """
    waiting = deque(tasks)
    team: list[Worker] = []
    try:
        while waiting or any(worker.task is not None for worker in team):
            wanted = len(waiting) + sum(worker.task is not None for worker in team)
            team += [_started(setting) for _ in range(min(workers, wanted) - len(team))]
            for worker in team:
                if waiting and worker.ready and worker.task is None and _given(worker, waiting[0]):
                    waiting.popleft()
            for worker in _heard(team, setting.timeout):
                if (done := _outcome(worker, setting)) is not None:
                    yield done
            team = [worker for worker in team if not worker.ended]
    finally:
        for worker in team:
            worker.end()


def _started(setting: Setting) -> Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    # Not a daemon: daemons may have no processes of their own, and engines may want some.
    process = context.Process(target=serve, args=(theirs, setting))
    with _environment(ONE_THREAD):  # libraries read it when they are imported, which is before `serve` begins
        try:
            process.start()
        except OSError as error:
            raise EmerError(f"no worker could be started ({error.strerror}); ask for fewer with workers=1") from error
    theirs.close()
    return Worker(process, ours)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _given(worker: Worker, task: Task) -> bool:
    """Hand a task over; False where the worker has died since its last answer, which is no fault of this clip."""
    try:
        worker.pipe.send(task)
    except OSError:
        worker.end()
        return False
    worker.task, worker.since = task, time.monotonic()
    return True


def _heard(team: Sequence[Worker], timeout: float | None) -> list[Worker]:
    """Workers that have said something, have died, or have had their time; waits until there is one."""
    listened = [worker for worker in team if not worker.ended and (worker.task is not None or not worker.ready)]
    if not listened:
        return []
    busy = [worker.since for worker in listened if worker.task is not None]
    left = None if timeout is None or not busy else min(busy) + timeout - time.monotonic()
    told = connection.wait([worker.pipe for worker in listened], left)
    return [worker for worker in listened if worker.pipe in told or _is_late(worker, timeout)]


def _is_late(worker: Worker, timeout: float | None) -> bool:
    return worker.task is not None and timeout is not None and time.monotonic() - worker.since >= timeout


def _outcome(worker: Worker, setting: Setting) -> Done | None:
    """What a worker has to say: an answer, or None that it is ready. One that is dead or late is at its end."""
    task, seconds = worker.task, time.monotonic() - worker.since
    if not worker.pipe.poll() and _is_late(worker, setting.timeout):
        worker.end()
        return _failed(task, TooSlow(f"it took longer than the {setting.timeout:g} s of timeout"), seconds)
    try:
        told = worker.pipe.recv()
    except (EOFError, OSError):
        worker.process.join(ENDING)  # it closes its pipe before it has an exit code; killed now, it would have another
        worker.end()
        return _failed(task, _death(worker, setting), seconds)
    if isinstance(told, Exception):
        raise told
    worker.ready, worker.task = True, None
    return None if told is None else Done(_known(task), *told)


def _failed(task: Task | None, error: EmerError, seconds: float) -> Done:
    if task is None:  # it has died before it was given anything: the next one would too
        raise error
    return Done(task, refused(error, task.name, task.key), seconds)


def _known(task: Task | None) -> Task:
    assert task is not None, "an answer that nobody asked for"
    return task


def _death(worker: Worker, setting: Setting) -> WorkerDied:
    code = worker.process.exitcode or 0
    name = next((known.name for known in signal.Signals if known == -code), f"signal {-code}")
    how = f"was ended by {name}" if code < 0 else f"ended with exit code {code}"
    hint = " (out of memory, perhaps)" if code == -signal.SIGKILL else ""
    return WorkerDied(f"the worker process {how}{hint}; {setting.log.name} may say more")


# ---------------------------------------------------------------- inside a worker


def serve(pipe: Connection, setting: Setting) -> None:
    """Explain clip after clip, as they come through the pipe, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it too, and ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _write_to(setting.log)
    made: tuple[int, Explainer] | None = None
    pipe.send(None)
    while True:
        try:
            task: Task = pipe.recv()
        except EOFError:
            return
        start = time.monotonic()
        try:
            if made is None or made[0] != task.system:
                made = None  # what the system before holds is let go of first
                made = task.system, explainer_of(setting.systems[task.system], setting.seed)
            prediction = answered(made[1].explain(task.clip), task.name, task.key)
            dumps(prediction)  # what cannot be written, half a character say, fails its clip and not the run
        except OF_THE_RUN as error:
            pipe.send(error)
            continue
        except Exception as error:
            logger.warning("%s could not be explained", task.name, exc_info=True)
            if (lacking := _lack_of_room(error)) is not None:
                pipe.send(lacking)
                continue
            prediction = refused(error, task.name, task.key)
        pipe.send((prediction, time.monotonic() - start))


def _lack_of_room(error: BaseException | None) -> OutputError | None:
    """A full disk, or too many open files, below whatever was made of it: no clip's fault either."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return OutputError(
                f"the machine has no room left for explaining clips ({error.strerror}); make room and run the same "
                "command again: every answer so far is kept"
            )
        error = error.__cause__ or error.__context__
    return None


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _write_to(log: Path) -> None:
    """What this process prints, and what libraries print past Python, goes to a file."""
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)
