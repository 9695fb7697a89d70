"""Answers of models on disk, by a name for everything that they depend on."""

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path

from emer.errors import OutputError
from emer.files import cache_folder, write_text

logger = logging.getLogger("emer")


def default_folder() -> Path:
    """`answers` in the cache folder."""
    return cache_folder() / "answers"


def name_of(body: object) -> str:
    """One name for a request: model, settings and messages, whatever the order of their keys.

    >>> name_of({"model": "m", "seed": 0}) == name_of({"seed": 0, "model": "m"})
    True
    """
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """A folder of answers; `folder` None keeps nothing. The questions are not kept: they may quote people."""

    folder: Path | None

    def get(self, name: str) -> str | None:
        """The answer, or None when there is none that can be read."""
        if self.folder is None:
            return None
        try:
            text = json.loads(self._place(name).read_text(encoding="utf-8"))["text"]
        except (OSError, ValueError, KeyError, TypeError):  # none yet, or a damaged one: it is asked for again
            return None
        return text if isinstance(text, str) else None

    def put(self, name: str, model: str, text: str) -> None:
        """Keep an answer. A folder that cannot be written costs time on the next run, and is warned of."""
        if self.folder is None:
            return
        try:
            write_text(self._place(name), json.dumps({"model": model, "text": text}))
        except OutputError as error:
            logger.warning("answers cannot be kept: %s; set EMER_CACHE to a folder that can be written", error)

    def _place(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / name[:2] / f"{name}.json"
