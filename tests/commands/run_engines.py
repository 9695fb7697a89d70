"""An engine for tests of `emer bench run`: it does what the transcript says."""

import errno
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from emer.errors import ConfigError, EmerError
from emer.types import Answer, Emotion, Request


class Obedient:
    """`die` kills its process, `break` raises, `wait` sleeps, `once FILE` dies unless FILE is there."""

    name = "obedient"

    def answer(self, requests: Sequence[Request]) -> Iterator[Answer]:
        for request in requests:
            words = request.transcript.text.split() if request.transcript else [""]
            if words[0] == "die" or (words[0] == "once" and _is_new(Path(words[1]))):
                os.kill(os.getpid(), signal.SIGKILL)
            if words[0] == "break":
                raise RuntimeError("it broke\nin two lines")
            if words[0] == "settings":
                raise ConfigError("a setting is wrong; mend it")
            if words[0] == "full":
                raise EmerError("a model could not be kept") from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if words[0] == "wait":
                time.sleep(60)
            yield Answer(f"{request.messages} {request.settings} {words}", (Emotion("happy", "happy"),))


def _is_new(path: Path) -> bool:
    there = path.exists()
    path.touch()
    return not there
