"""The engine with a language model in this process: transformers and PEFT, on a CPU or a GPU.

    engine = Transformers(model="some/folder", adapter="its/adapter")
    for answer in engine.answer(requests): ...

Questions of like length go through the model together. The verdict is read in the very pass over the prompt that the
text begins with. `stages=2` describes voice and face first and asks for the explanation then; `views="full"` also asks
for the verdict with each modality alone. A text that leaves the asked form costs one more, short question.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from emer.engines.asking import language_of
from emer.engines.batches import windows
from emer.engines.engine import record_folder
from emer.engines.model_requests import EXPLAIN, MERGE
from emer.errors import ConfigError
from emer.prompts import prompt
from emer.types import Answer, Request

if TYPE_CHECKING:
    from emer.backbones.attached import Caps

Told = Callable[[int, str], None]
"""Told (place of the request, piece): the pieces of a request make up the text of its answer."""


@dataclass(frozen=True, kw_only=True)
class Transformers:
    """Answers with a model that is loaded when it is first asked. Raises ConfigError that lists every wrong setting."""

    name: str = "transformers"
    model: str = ""
    """A folder, or an id of the Hugging Face hub."""
    adapter: str | None = None
    """The folder of an adapter that emer trained; without one, or one merged into the model, there is no verdict."""
    prompt: str | None = None
    """A prompt that ships, or a file; None takes `explain`, or with two stages `merge`."""
    language: Literal["en", "zh", "clip"] = "en"
    """In which language to ask; `clip` asks in Chinese where Chinese is spoken."""
    stages: int = 1
    views: Literal["together", "full"] = "together"
    seed: int = 0
    """Every request has random numbers of its own, made from this, from the clip and from what is asked."""
    temperature: float = 0.0
    """0 takes the likeliest word each time."""
    top_p: float = 1.0
    max_new_tokens: int = 512
    batch_size: int = 4
    """The most requests at once; fewer where memory does not suffice."""
    frames: Literal["full", "face", "both"] = "full"
    caps: "Caps | None" = None
    """The most that the model hears and sees of a clip; None takes what suits its family."""
    device: str | None = None
    """None takes a GPU where there is one."""
    dtype: str = "auto"
    told: Told | None = None
    """Called with the pieces of the texts as they are written."""

    def __post_init__(self) -> None:
        mistakes = list(_mistakes(self))
        if mistakes:
            raise ConfigError(f"the engine {self.name} cannot be made: {'; '.join(mistakes)}")
        prompt(self.prompt_name, "zh" if self.language == "zh" else "en")
        if (folder := record_folder(self.model, self.adapter)) is not None:
            self._check_record(folder)

    def prepare(self) -> None:
        """Load the model now, so that its absence is told before clips are measured. Raises as `answer`."""
        _ = self.tuned

    def answer(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """One answer a request, in order. What goes wrong with one request stays with it (`Answer.error`).

        Raises ModelError or ConfigError where nobody can be answered: no such model, an adapter that does not fit.
        """
        from emer.engines.asking_model import Asked  # loads torch

        first = 0
        for window in windows(requests, self.batch_size):
            yield from Asked(self, self.tuned, window, first).answers()
            first += len(window)

    @cached_property
    def tuned(self) -> Any:
        """The model and its adapter (`emer.engines.tuned.Tuned`), loaded once."""
        from emer.engines.tuned import tuned  # loads torch

        return tuned(self.model, self.adapter, self.device, self.dtype)

    @property
    def prompt_name(self) -> str:
        """Of the prompt that texts are written from."""
        return self.prompt or (MERGE if self.stages == 2 else EXPLAIN)

    def language_of(self, request: Request) -> str:
        return language_of(request.transcript) if self.language == "clip" else self.language

    def _check_record(self, folder: str) -> None:
        """Raises ModelError for an adapter that is not there, before a clip is measured or a model loaded."""
        from emer.adapters.files import read_record

        record = read_record(folder)
        if self.views == "full" and record.verdict is None:
            raise ConfigError(f"views full reads the verdict by modality, and {folder} has none; train it with one")


def _mistakes(engine: Transformers) -> Iterator[str]:
    if not engine.model:
        yield "it needs a model; give --model with a folder or hub id"
    elif _is_path(engine.model) and not Path(engine.model).is_dir():
        yield f"there is no folder {engine.model}"
    if engine.stages not in (1, 2):
        yield f"stages {engine.stages} is neither 1 nor 2"
    if engine.views not in ("together", "full"):
        yield f"views {engine.views!r} is neither together nor full"
    if engine.views == "full" and record_folder(engine.model, engine.adapter) is None:
        yield "views full reads the verdict by modality, which needs an adapter; give --adapter"
    if engine.language not in ("en", "zh", "clip"):
        yield f"language {engine.language!r} is none of en, zh, clip"
    if engine.batch_size < 1 or engine.max_new_tokens < 1:
        yield f"batch_size {engine.batch_size} and max_new_tokens {engine.max_new_tokens} begin at 1"
    if engine.temperature < 0 or not 0 < engine.top_p <= 1:
        yield f"temperature {engine.temperature:g} begins at 0, and top_p {engine.top_p:g} lies above 0 and up to 1"


def _is_path(model: str) -> bool:
    """Whether a name can only be a folder: hub ids are `name` or `owner/name`."""
    return model.startswith((".", "/", "~")) or model.count("/") > 1
