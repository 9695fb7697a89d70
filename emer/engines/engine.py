"""What an engine is, and how one is made from a name and settings."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from emer.errors import ConfigError
from emer.registry import ENGINES, load
from emer.shipped import shipped_adapter
from emer.types import Answer, Request


@runtime_checkable
class Engine(Protocol):
    """Answers requests: one answer each, in their order. Batching and waiting stay inside.

    A request that cannot be answered gives `Answer.error` (with the type of the exception) and never stops the others.
    """

    name: str

    def answer(self, requests: Sequence[Request]) -> Iterator[Answer]: ...


@runtime_checkable
class Preparing(Protocol):
    """An engine that has something to load before it answers."""

    def prepare(self) -> None:
        """Load it now. Raises EmerError where that cannot be."""
        ...


def make_engine(name: str, settings: Mapping[str, object]) -> Any:
    """The engine of a name, or `package.module:Class`, with the settings that are not None.

    A seed is handed to engines that draw. Raises ConfigError for an unknown engine and for a setting that it does not
    take.
    """
    made = load(name, ENGINES)
    given = {key: value for key, value in settings.items() if value is not None}
    takes = _parameters(made)
    if "seed" not in takes:
        given.pop("seed", None)
    if strangers := sorted(set(given) - takes):
        able = " or ".join(sorted(other for other in ENGINES if set(given) <= _parameters(load(other, ENGINES))))
        hint = f"; the engine {able} does" if able else ""
        raise ConfigError(f"{', '.join(strangers)} is set, and the engine {name} takes no such thing{hint}")
    return made(**given)


def record_folder(model: str | None, adapter: str | None) -> str | None:
    """Where `emer.json` lies, which says what a verdict means: with the adapter, also one that ships with the model, or
    with a merged model."""
    adapter = adapter or shipped_adapter(model)
    if adapter is not None:
        return adapter
    return model if model is not None and (Path(model) / "emer.json").is_file() else None


def name_of(model: str | None) -> str | None:
    """The name of a folder without its path, or an id of the hub as it is."""
    return Path(model).resolve().name if model is not None and Path(model).is_dir() else model


def _parameters(made: Any) -> set[str]:
    try:
        return set(inspect.signature(made).parameters)
    except (TypeError, ValueError):  # some built-in types do not tell
        return set()
