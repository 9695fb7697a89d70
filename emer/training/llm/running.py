"""A training run from its configuration to an adapter that was loaded again and proved live.

    folder/   config.resolved.yaml  split.json  log.jsonl  checkpoints/  best.safetensors  adapter/  results.json

Every process of a distributed run calls the same functions; the main one alone writes.
"""

import gc
import importlib.util
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader, Dataset

from emer.adapters.base_hash import base_sha256
from emer.backbones.backbone import Backbone
from emer.backbones.loading import load
from emer.backbones.opening import transformers
from emer.errors import ConfigError, MissingExtra, ModelError
from emer.files import write_text
from emer.jsonio import dumps
from emer.training.llm.checkpoints import BEST, CHECKPOINTS, last_whole, load_trained, read_weights
from emer.training.llm.collating import Collator, Draw
from emer.training.llm.configuration import LlmConfig
from emer.training.llm.example import Example
from emer.training.llm.examples import Taught, read_examples
from emer.training.llm.exporting import export, name_of, prove, record_of
from emer.training.llm.grouping import LengthGroupedBatches, lengths
from emer.training.llm.joint_model import JointModel, make_joint_model
from emer.training.llm.view_heads import columns_of, make_view_heads

if TYPE_CHECKING:
    from emer.training.llm.trainer import JointTrainer

ADAPTER, RESULTS, INPUTS = "adapter", "results.json", "inputs.json"
"""In a run's folder; INPUTS are hashes of data and base, by which a run is taken up on the same ones alone."""

Progress = Callable[[str, float], None]
"""Told (what is done now, share of it that is done)."""


def untold(stage: str, share: float) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Prepared:
    """What a run begins with."""

    taught: Taught
    backbone: Backbone
    base_sha256: str


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


class Draws(Dataset[Draw]):
    """Training examples as they are drawn in the present epoch."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples, self.epoch = tuple(examples), 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, place: int) -> Draw:
        return Draw(self.examples[place], self.epoch, training=True)


# ---------------------------------------------------------------- before


def prepare(config: LlmConfig, folder: Path | None, progress: Progress = untold) -> Prepared:
    """Examples and model of a run; a split that has to be made is written to the folder.

    Raises ConfigError, ModelError or MissingExtra for what cannot be used.
    """
    if not config.base or not config.data:
        missing = [name for name in ("base", "data") if not getattr(config, name)]
        raise ConfigError(
            f"{' and '.join(missing)} missing; add for example base=Qwen/Qwen2.5-Omni-7B data=clips.jsonl"
        )
    transformers()
    options = quantised_options() if config.lora.quantised else {}
    state = this_process()
    with state.main_process_first():
        # the others find the clues of the first in the cache
        taught = read_examples(config, progress, out=folder)
    if config.verdict is not None and not any(example.teaches_verdict for example in taught.parts["train"]):
        raise ConfigError(
            f"no training clip of {config.data} has a label of {config.verdict.label_set}; give labels, or train "
            "without a verdict: verdict=null"
        )
    progress(f"loading {Path(config.base).name}", 0.0)
    backbone = load(config.base, family=config.family, device=state.device, dtype=_dtype(config), **options)
    return Prepared(taught, backbone, base_sha256(config.base))


def quantised_options() -> dict[str, Any]:
    """How to load a base in four bits (QLoRA, Dettmers et al. 2023): the language model's layers, no encoder's, and not
    the output layer, which holds the verdict. Raises MissingExtra without bitsandbytes."""
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtra(
            "lora.quantised needs bitsandbytes and a GPU; run: pip install bitsandbytes, or leave lora.quantised out"
        )
    quantisation = transformers().BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
        llm_int8_skip_modules=["lm_head", "audio_tower", "visual"],
    )
    return {"quantization_config": quantisation}


def joint_of(config: LlmConfig, prepared: Prepared) -> tuple[JointModel, Collator]:
    """The model to be trained and what makes its batches."""
    training = prepared.taught.parts["train"]
    columns = columns_of(training, config.views)
    if columns and config.verdict is None:
        raise ConfigError("views need a verdict to be fused with; leave views out, or give verdict settings")
    heads = None
    if columns and config.verdict is not None:
        heads = make_view_heads(config.verdict.spec, columns, training, config.schedule.seed)
    collator = Collator(prepared.backbone, config, {view: each.names for view, each in columns.items()})
    return make_joint_model(config, prepared.backbone, heads), collator


def loader_of(config: LlmConfig, prepared: Prepared, collator: Collator) -> "DataLoader[Draw]":
    """This process's batches of every epoch, examples of like length together."""
    examples, schedule, state = prepared.taught.parts["train"], config.schedule, this_process()
    known = lengths(examples, prepared.backbone, config) if schedule.group_by_length else (1,) * len(examples)
    sampler = LengthGroupedBatches(
        known,
        schedule.batch_size,
        seed=schedule.seed,
        processes=state.num_processes,
        rank=state.process_index,
        grouped=schedule.group_by_length,
    )
    return DataLoader(
        Draws(examples),
        batch_sampler=sampler,
        collate_fn=collator,
        num_workers=schedule.workers,
        multiprocessing_context="forkserver" if schedule.workers else None,
        # of its own: drawing workers' seeds must not move the random numbers of the model's dropout
        generator=torch.Generator().manual_seed(schedule.seed),
    )


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
    record = record_of(config, prepared.taught, prepared.backbone.model, rows, prepared.base_sha256, figures)
    export(folder / ADAPTER, trainer.joint, record, alone=process.num_processes == 1, main=process.is_main_process)
    steps, left_out = trainer.state.global_step, dict(trainer.left_out)
    # the base is loaded a second time to prove the adapter: first make room
    prepared.backbone.model = None
    del trainer
    gc.collect()
    change = None
    if process.is_main_process:
        change = prove(config, folder / ADAPTER, device=process.device, dtype=_dtype(config))
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

    return JointTrainer(joint, config, loader_of(config, prepared, collator), folder, validate=validation, watch=watch)


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


def _dtype(config: LlmConfig) -> torch.dtype:
    from emer.training.llm.trainer import in_bfloat16

    return torch.bfloat16 if in_bfloat16(config) else torch.float32


def this_process() -> Any:
    """Who of the run's processes this is; `accelerate launch` says it by the environment."""
    try:
        from accelerate import PartialState  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtra(f'training needs accelerate ({error}); run: pip install "emer[mllm]"') from error
    # without a GPU, processes talk by gloo; accelerate has to be told so before it looks
    return PartialState(cpu=not torch.cuda.is_available())


def _gathered(own: list[Any]) -> list[Any]:
    from accelerate.utils import gather_object  # type: ignore[import-untyped]

    return list(gather_object(own))
