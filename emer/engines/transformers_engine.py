"""The engine with a language model in this process: transformers and PEFT, on a CPU or a GPU.

    engine = Transformers(model="some/folder", adapter="its/adapter")
    for answer in engine.answer(requests): ...

Questions of like length go through the model together. The verdict is read in the very pass over the prompt that the
text begins with. `stages=2` describes voice and face first and asks for the explanation then; `views="full"` also asks
for the verdict with each modality alone. A text that leaves the asked form costs one more, short question.
`label_confidence` asks how sure the model is of its labels by other ways than the verdict.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from emer.engines.asking import language_of
from emer.engines.batches import windows
from emer.engines.engine import record_folder
from emer.engines.label_confidence import WAYS
from emer.engines.model_requests import EXPLAIN, MERGE
from emer.errors import ConfigError, ModelError
from emer.prompts import prompt
from emer.types import Answer, PromptRecord, Request

if TYPE_CHECKING:
    from emer.adapters.record import AdapterRecord
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
    """A prompt that ships, or a file; None takes the one that the adapter was trained with where that ships, else
    `explain`, or with two stages `merge`."""
    language: Literal["en", "zh", "clip"] | None = None
    """In which language to ask; `clip` asks in Chinese where Chinese is spoken, None as the adapter was trained, else
    in English."""
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
    frames: Literal["full", "face", "both"] | None = None
    """The whole picture, the tracked face alone, or both; None as the adapter was trained, else the whole."""
    caps: "Caps | None" = None
    """The most that the model hears and sees of a clip; None as the adapter was trained, else what suits its family."""
    device: str | None = None
    """None takes a GPU where there is one."""
    dtype: str = "auto"
    label_confidence: tuple[str, ...] = ()
    """How sure the model is of its labels is also asked by these ways: token, sampled, verbalised
    (`emer.engines.label_confidence`); the answers stand in `Answer.scores`."""
    samples: int = 5
    """Answers that are drawn for `sampled`."""
    sample_temperature: float = 0.7
    """At which they are drawn (Wang et al. 2022 take .5 to .7)."""
    told: Told | None = None
    """Called with the pieces of the texts as they are written."""

    def __post_init__(self) -> None:
        mistakes = list(_mistakes(self))
        if mistakes:
            raise ConfigError(f"the engine {self.name} cannot be made: {'; '.join(mistakes)}")
        record, folder = self.record, record_folder(self.model, self.adapter)
        if self.views == "full" and (record is None or record.verdict is None):
            raise ConfigError(f"views full reads the verdict by modality, and {folder} has none; train it with one")
        prompt(self.prompt_name, self._language)

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

    def verdicts(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """The verdict on each request alone, by one pass over its prompt: no text is written. Order and errors are
        those of `answer`.

        Raises as `answer`, and ModelError where the model has no verdict.
        """
        from emer.engines.asking_model import Asked  # loads torch

        if self.record is None or self.record.verdict is None:
            raise ModelError(f"{self.adapter or self.model} has no verdict; give an adapter that was trained with one")
        for window in windows(requests, self.batch_size):
            yield from Asked(self, self.tuned, window, 0).verdicts()

    @cached_property
    def tuned(self) -> Any:
        """The model and its adapter (`emer.engines.tuned.Tuned`), loaded once."""
        from emer.engines.tuned import tuned  # loads torch

        return tuned(self.model, self.adapter, self.device, self.dtype)

    @cached_property
    def record(self) -> "AdapterRecord | None":
        """What the adapter, or the merged model, says about itself. Raises ModelError where the adapter is not there,
        before a clip is measured or a model loaded."""
        folder = record_folder(self.model, self.adapter)
        if folder is None:
            return None
        from emer.adapters.files import read_record  # loads torch

        return read_record(folder)

    @property
    def prompt_name(self) -> str:
        """Of the prompt that texts are written from."""
        return self.prompt or (MERGE if self.stages == 2 else self.verdict_prompt)

    @property
    def verdict_prompt(self) -> str:
        """Of the prompt behind which the verdict is read."""
        if self.prompt is not None and self.stages == 1:
            return self.prompt
        return self._own_prompt[0] if self._own_prompt else EXPLAIN

    def language_of(self, request: Request) -> str:
        return language_of(request.transcript) if self.language == "clip" else self._language

    @property
    def _language(self) -> str:
        """The language of the questions, where it is one for all clips."""
        if self.language in ("en", "zh"):
            return self.language
        own = self._own_prompt if self.prompt is None and self.language is None else None
        return own[1] if own else "en"

    @cached_property
    def _own_prompt(self) -> tuple[str, str] | None:
        """Name and language of the prompt that the adapter was trained with, where that very text ships."""
        trained = None if self.record is None else self.record.prompt
        return None if trained is None else shipped_prompt(trained)


def shipped_prompt(record: PromptRecord) -> tuple[str, str] | None:
    """Name and language of a prompt that ships, by its record; None for other texts, and for other versions of it.

    >>> shipped_prompt(prompt("merge", "zh").record), shipped_prompt(PromptRecord("merge.zh", "0" * 64))
    (('merge', 'zh'), None)
    """
    name, _, language = record.name.rpartition(".")
    try:
        found = prompt(name, language)
    except ConfigError:  # it was a file of the user's own
        return None
    return (name, language) if found.sha256 == record.sha256 else None


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
    if engine.language not in (None, "en", "zh", "clip"):
        yield f"language {engine.language!r} is none of en, zh, clip"
    if engine.batch_size < 1 or engine.max_new_tokens < 1:
        yield f"batch_size {engine.batch_size} and max_new_tokens {engine.max_new_tokens} begin at 1"
    if engine.temperature < 0 or not 0 < engine.top_p <= 1:
        yield f"temperature {engine.temperature:g} begins at 0, and top_p {engine.top_p:g} lies above 0 and up to 1"
    if strange := [way for way in engine.label_confidence if way not in WAYS]:
        yield f"label_confidence {', '.join(strange)} is not known; choose among {', '.join(WAYS)}"
    if engine.samples < 1 or engine.sample_temperature <= 0:
        yield f"samples {engine.samples} begin at 1, sample_temperature {engine.sample_temperature:g} is above 0"


def _is_path(model: str) -> bool:
    """Whether a name can only be a folder: hub ids are `name` or `owner/name`."""
    return model.startswith((".", "/", "~")) or model.count("/") > 1
