"""A system of a run as an `Explainer`, and all that its answers depend on, so that no file mixes two systems."""

from collections.abc import Sequence
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from emer.bench.records import Prediction, Refusal
from emer.bench.run_configuration import RunSystem
from emer.data.rows import refuse
from emer.errors import ConfigError, EmerError, ModelError
from emer.evidence.fusion import refuse_rule
from emer.evidence.weights import find_weights
from emer.explain import Explainer
from emer.prompts import prompt
from emer.registry import TRANSCRIBERS, load
from emer.shipped import shipped_adapter
from emer.types import MODALITIES, Explanation
from emer.version import __version__

OWN = ("cache", "limits", "progress")
"""Arguments of the explainer that are no part of what a system says."""
OF_MODELS = ("prompt", "adapter", "model", "url")


def explainer_of(system: RunSystem, seed: int) -> Explainer:
    """The explainer of a system. Raises ConfigError for what this emer's explainer does not take."""
    known = {field.name for field in fields(Explainer)} - {*OWN, "settings"}
    given: dict[str, Any] = {name: getattr(system, name) for name in OF_MODELS}
    given = {name: value for name, value in given.items() if value is not None} | dict(system.settings)
    # What the explainer does not know is for its engine, which refuses what it does not take.
    own = {name: value for name, value in given.items() if name in known}
    return Explainer(
        engine=system.engine,
        weights=system.weights,
        fusion=system.fusion,
        transcriber=system.transcriber,
        seed=seed,
        settings={name: value for name, value in given.items() if name not in known},
        **own,
    )


def check(systems: Sequence[RunSystem], seed: int) -> None:
    """Raises ConfigError that lists every system that cannot be made, before any clip is looked at."""
    refuse(mistakes_of(systems, seed), "systems with mistakes")


def mistakes_of(systems: Sequence[RunSystem], seed: int) -> list[str]:
    """What is wrong with each system: the last of many must not be found out after the others took days."""
    mistakes = []
    for system in systems:
        for proved in (_engine, _heads, _fusion, _transcriber, _modalities):
            try:
                proved(system, seed)
            except ConfigError as error:
                mistakes.append(f"{system.name}: {error}")
    return mistakes


def _engine(system: RunSystem, seed: int) -> None:
    _ = explainer_of(system, seed).answering


def _heads(system: RunSystem, seed: int) -> None:
    find_weights(system.weights)


def _fusion(system: RunSystem, seed: int) -> None:
    if system.fusion is not None:
        refuse_rule(system.fusion, system.settings.get("reliabilities"))


def _transcriber(system: RunSystem, seed: int) -> None:
    if system.transcriber is not None:
        load(system.transcriber.partition(":")[0], TRANSCRIBERS)


def _modalities(system: RunSystem, seed: int) -> None:
    if set(system.without) >= set(MODALITIES):
        raise ConfigError(f"without has {', '.join(MODALITIES)}, so nothing remains; leave out two at most")


def record_of(system: RunSystem, seed: int) -> dict[str, Any]:
    """All that a system's answers depend on beside the clip; with another record, answers are of another system."""
    weights = find_weights(system.weights)
    adapter = system.adapter or shipped_adapter(system.model)
    return {
        "emer": __version__,
        "engine": system.engine,
        "weights": None
        if weights is None
        else {"name": weights.name, "sha256": _contents(weights.plain, weights.baseline)},
        "fusion": system.fusion,
        "transcriber": system.transcriber,
        "without": sorted(system.without),
        **{name: getattr(system, name) for name in OF_MODELS},
        "model_sha256": _model_hash(system.model),
        "adapter_sha256": None if adapter is None else _contents(Path(adapter)),
        "prompt": None if system.prompt is None else {"name": system.prompt, "sha256": prompt(system.prompt).sha256},
        "settings": dict(system.settings),
        "seed": seed,
    }


def _model_hash(model: str | None) -> str | None:
    """Of the weights of a model, sampled; None without one, and for one that is elsewhere: a server's."""
    if model is None:
        return None
    from emer.adapters.base_hash import base_sha256

    try:
        return base_sha256(model)
    except ModelError:
        return None


def _contents(*folders: Path | None) -> str:
    """One hash over the files of folders, by their names and contents."""
    files = [path for folder in folders if folder is not None for path in sorted(folder.rglob("*")) if path.is_file()]
    told = "".join(f"{path.parent.name}/{path.name} {sha256(path.read_bytes()).hexdigest()}\n" for path in files)
    return sha256(told.encode()).hexdigest()


# ---------------------------------------------------------------- from explanation to answer


def answered(explanation: Explanation, name: str, key: str) -> Prediction:
    """What is kept of an explanation."""
    failed = tuple(f"{failure.extractor}_failed" for failure in explanation.failed)
    return Prediction(
        name,
        emotions=explanation.emotions,
        explanation=explanation.explanation,
        statements=explanation.statements,
        confidence=explanation.confidence,
        trusted=explanation.trusted,
        out_of_domain=explanation.out_of_domain,
        clip_sha256=explanation.clip.sha256,
        warnings=(*(notice.code for notice in explanation.warnings), *failed),
        key=key,
    )


def refused(error: BaseException, name: str, key: str) -> Prediction:
    """A clip that could not be explained. A bug is a failure of its clip too, and keeps its name."""
    told = " ".join(str(error).split()) or "no reason was given"
    # A file name may hold bytes that are no UTF-8; what is written down must.
    reason = told.encode("utf-8", "replace").decode()
    return Prediction(name, error=Refusal(type(error).__name__, reason), key=key)


class WorkerDied(EmerError):
    """The process that explained a clip ended: out of memory, or a crash in a library."""


class TooSlow(EmerError):
    """A clip took longer than the run allows."""
