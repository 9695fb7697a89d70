"""A training run from its configuration to an adapter that was loaded again and proved live.

    folder/   config.resolved.yaml  split.json  log.jsonl  checkpoints/  best.safetensors  adapter/  results.json

Every process of a distributed run calls the same functions; the main one alone writes.
"""

import gc
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from emer.adapters.record import FusionRecord
from emer.errors import ConfigError, ModelError
from emer.files import write_text
from emer.jsonio import dumps
from emer.training.llm.checkpoints import BEST, CHECKPOINTS, last_whole, load_trained, read_weights
from emer.training.llm.configuration import LlmConfig
from emer.training.llm.example import Example
from emer.training.llm.exporting import export, name_of, prove, record_of
from emer.training.llm.fusing import fitted_fusion
from emer.training.llm.preparing import Draws as Draws
from emer.training.llm.preparing import Prepared, Progress, dtype_of, this_process, untold
from emer.training.llm.preparing import joint_of as joint_of
from emer.training.llm.preparing import loader_of as loader_of
from emer.training.llm.preparing import prepare as prepare

if TYPE_CHECKING:
    from emer.training.llm.trainer import JointTrainer

ADAPTER, RESULTS, INPUTS = "adapter", "results.json", "inputs.json"
"""In a run's folder; INPUTS are hashes of data and base, by which a run is taken up on the same ones alone."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run gives."""

    adapter: Path
    clips: Mapping[str, int]
    """How many trained, and how many chose the state."""
    steps: int
    chosen_step: int
    """Whose state is exported."""
    figures: Mapping[str, float]
    """Of that state, on validation rows."""
    course: tuple[Mapping[str, float], ...]
    """Of every evaluation, with its step."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Clips that could not be used, and why."""
    seconds: float
    change: float | None
    """How far the adapter, loaded again, moves the verdict's logits from the base's; None without a verdict."""


# ---------------------------------------------------------------- the run


def train(config: LlmConfig, folder: Path, *, resume: bool = False, progress: Progress = untold) -> Outcome:
    """Train, keep the best state, export it, load it again and prove it live.

    Raises ConfigError where the folder holds another run, ModelError where the loss is not finite, the memory is too
    small or the exported adapter is not live, OutputError where nothing can be written.
    """
    began = time.perf_counter()
    found = last_whole(folder / CHECKPOINTS) if resume else None
    if not resume:
        refuse_used(folder)
    prepared, process = prepare(config, folder, progress), this_process()
    _note_inputs(folder, prepared, resume=found is not None)
    rows = () if config.verdict is None else prepared.backbone.verdict_rows(config.verdict.spec.rows)
    trainer = trainer_of(config, folder, prepared, rows, progress)
    with memory_told(config):
        trainer.train(resume_from_checkpoint=None if found is None else str(found))
    process.wait_for_everyone()
    course = _course(trainer.state.log_history)
    chosen = course[trainer.course.best]
    figures = {name: value for name, value in chosen.items() if name not in ("step", "epoch")}
    progress("exporting", 0.0)
    load_trained(trainer.joint, read_weights(folder / BEST), str(folder))
    fusion = _fusion(trainer, prepared.taught.parts["validation"])
    record = record_of(config, prepared.taught, prepared.backbone, rows, prepared.base_sha256, figures, fusion)
    export(folder / ADAPTER, trainer.joint, record, alone=process.num_processes == 1, main=process.is_main_process)
    steps, left_out = trainer.state.global_step, dict(trainer.left_out)
    # the base is loaded a second time to prove the adapter: first make room
    prepared.backbone.model = None
    del trainer
    gc.collect()
    change = None
    if process.is_main_process:
        change = prove(config, folder / ADAPTER, device=process.device, dtype=dtype_of(config))
    outcome = Outcome(
        adapter=folder / ADAPTER,
        clips={part: len(prepared.taught.parts[part]) for part in ("train", "validation")},
        steps=steps,
        chosen_step=int(chosen["step"]),
        figures=figures,
        course=tuple(course),
        left_out={clip.id: clip.reason for clip in prepared.taught.bad} | left_out,
        seconds=time.perf_counter() - began,
        change=change,
    )
    if process.is_main_process:
        write_text(folder / RESULTS, dumps(_results(config, prepared, outcome)) + "\n")
    process.wait_for_everyone()
    return outcome


def trainer_of(
    config: LlmConfig, folder: Path, prepared: Prepared, rows: Sequence[int], progress: Progress = untold
) -> "JointTrainer":
    """The loop of a run; `rows` are the verdict's, which no answer may hold."""
    from emer.training.llm.trainer import JointTrainer
    from emer.training.llm.validation import Processes, Validation

    joint, collator = joint_of(config, prepared)
    process = this_process()
    processes = Processes(process.process_index, process.num_processes, _gathered)
    validation = Validation(joint, config, collator, prepared.taught.parts["validation"], rows, processes)

    def watch(step: int, steps: int, told: str) -> None:
        progress(f"step {step} of {steps}: {told}", step / steps)

    trainer = JointTrainer(
        joint, config, loader_of(config, prepared, collator), folder, validate=validation, watch=watch
    )
    validation.left_out = trainer.left_out  # told together at the end
    return trainer


def refuse_used(folder: Path) -> None:
    """Raises ConfigError for a folder in which a run was begun."""
    if last_whole(folder / CHECKPOINTS) or (folder / ADAPTER).exists():
        raise ConfigError(f"{folder} holds a run; continue it with --resume, or name another folder with out=…")


@contextmanager
def memory_told(config: LlmConfig) -> Iterator[None]:
    """Turns a full memory into a ModelError that says what to change."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"a step with batch_size {config.schedule.batch_size} does not fit into the device's memory; begin anew "
            "with a smaller schedule.batch_size or caps.frames, with schedule.checkpointing, or with lora.quantised"
        ) from error


def _fusion(trainer: "JointTrainer", examples: Sequence[Example]) -> FusionRecord:
    """How verdict and heads are fused, by what they say of the validation clips."""
    from emer.training.llm.validation import Validation

    assert isinstance(trainer.validate, Validation)
    return fitted_fusion(trainer.joint, examples, trainer.validate.verdicts())


def _results(config: LlmConfig, prepared: Prepared, outcome: Outcome) -> dict[str, Any]:
    taught = prepared.taught
    return {
        "data": taught.name,
        "data_sha256": taught.data_sha256,
        "base": name_of(config.base),
        "base_sha256": prepared.base_sha256,
        "seed": config.schedule.seed,
        "clips": outcome.clips,
        "left_out": outcome.left_out,
        "unmapped": taught.unmapped,
        "steps": outcome.steps,
        "chosen_by": config.evaluation.choose_by,
        "chosen_step": outcome.chosen_step,
        "validation": outcome.figures,
        "course": outcome.course,
        "proof": None if outcome.change is None else {"largest_change": outcome.change},
        "seconds": round(outcome.seconds, 1),
    }


def _course(log: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """The evaluations of a log, under the figures' own names."""
    lines = [line for line in log if any(name.startswith("eval_") for name in line)]
    return [{name.removeprefix("eval_"): float(value) for name, value in line.items()} for line in lines]


def _note_inputs(folder: Path, prepared: Prepared, *, resume: bool) -> None:
    """Raises ConfigError where a run would go on with other data or another base than it began with."""
    now = {"data_sha256": prepared.taught.data_sha256, "base_sha256": prepared.base_sha256}
    path = folder / INPUTS
    if resume and path.is_file():
        before = json.loads(path.read_text(encoding="utf-8"))
        if other := [name.removesuffix("_sha256") for name in now if now[name] != before.get(name)]:
            raise ConfigError(
                f"{folder} was begun with other {' and '.join(other)}; give the same, or name another folder with out=…"
            )
    if this_process().is_main_process:
        write_text(path, dumps(now) + "\n")


def _gathered(own: list[Any]) -> list[Any]:
    from accelerate.utils import gather_object  # type: ignore[import-untyped]

    return list(gather_object(own))
