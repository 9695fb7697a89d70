"""A progress bar on stderr, when stderr is a terminal; silence otherwise."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable


@runtime_checkable
class Bar(Protocol):
    """What commands tell of their progress."""

    def stage(self, name: str, share: float) -> None: ...
    def next(self) -> None: ...
    def say(self, line: str) -> None: ...
    def pause(self) -> None: ...


class Silent:
    """No bar: only what must be said."""

    def stage(self, name: str, share: float) -> None:
        """Nobody watches."""

    def next(self) -> None:
        """Nobody watches."""

    def say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def pause(self) -> None:
        """Nothing is drawn that could be in the way."""


class Drawn:
    """A bar for the clips and one for the stage of the present clip."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self.clips = self.progress.add_task("clips", total=total, visible=total > 1)
        self.current = self.progress.add_task("opening", total=1.0)
        self.progress.start()

    def stage(self, name: str, share: float) -> None:
        self.progress.start()
        self.progress.update(self.current, description=name, completed=share)

    def next(self) -> None:
        self.progress.advance(self.clips)

    def say(self, line: str) -> None:
        self.progress.console.print(line, highlight=False, markup=False)

    def pause(self) -> None:
        self.progress.stop()


@contextmanager
def progress_bar(total: int) -> Iterator[Bar]:
    """A bar over `total` clips, gone when the block ends."""
    if not sys.stderr.isatty():
        yield Silent()
        return
    bar = Drawn(total)
    try:
        yield bar
    finally:
        bar.pause()
