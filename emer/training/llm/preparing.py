"""Before a run: what can be wrong is told, clips are measured, the base is loaded, batches are laid out."""

import importlib.util
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from emer.adapters.base_hash import base_sha256
from emer.adapters.rows import scaling_of
from emer.backbones.backbone import Backbone
from emer.backbones.loading import family_of, load
from emer.backbones.opening import transformers
from emer.data.rows import some
from emer.errors import ConfigError, MissingExtra
from emer.prompts import prompt
from emer.training.llm.collating import Collator, Draw
from emer.training.llm.configuration import LlmConfig
from emer.training.llm.dropout import everything, lesson, spoken_labels
from emer.training.llm.example import Example
from emer.training.llm.examples import BadClip, Taught, read_examples
from emer.training.llm.grouping import LengthGroupedBatches, lengths
from emer.training.llm.joint_model import JointModel, make_joint_model
from emer.training.llm.view_heads import columns_of, make_view_heads

logger = logging.getLogger("emer")

OF_VERDICT = ("nll", "accuracy")
"""Figures by which a state can be chosen only where there is a verdict."""
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


def prepare(config: LlmConfig, folder: Path | None, progress: Progress = untold) -> Prepared:
    """Examples and model of a run; a split that has to be made is written to the folder.

    Raises ConfigError, ModelError or MissingExtra for what cannot be used.
    """
    check(config)
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
    refuse_unmeasurable(config.evaluation.choose_by, taught.parts["validation"])
    if state.is_main_process:
        tell_shared(taught)
    progress(f"loading {Path(config.base).name}", 0.0)
    backbone = load(config.base, family=config.family, device=state.device, dtype=dtype_of(config), **options)
    return Prepared(askable(taught, backbone, config), backbone, base_sha256(config.base))


def tell_shared(taught: Taught) -> None:
    """Warns where a recording trains and validates under two ids: the state is chosen by what it was taught."""
    training = {example.row: example.id for example in taught.parts["train"]}
    shared = [(training[each.row], each.id) for each in taught.parts["validation"] if each.row in training]
    if shared:
        told = some(f"{first} and {second}" for first, second in shared)
        logger.warning("%s: %d validation clips are training clips too: %s", taught.name, len(shared), told)


def askable(taught: Taught, backbone: Backbone, config: LlmConfig) -> Taught:
    """Without the clips of which this model can be shown nothing: a silent one, for a model that only reads.

    Raises ConfigError where none is left to train or to validate on.
    """
    bad: list[BadClip] = []
    for example in (each for part in taught.parts.values() for each in part):
        what = everything(example.request, backbone.perceives)
        try:
            lesson(example, what, config.prompt, config.language, perceives=backbone.perceives)
        except ConfigError as error:
            path = example.request.media.facts.path if example.request.media else ""
            bad.append(BadClip(example.id, path, str(error)))
    left = {clip.id for clip in bad}
    parts = {part: tuple(each for each in some if each.id not in left) for part, some in taught.parts.items()}
    if empty := [part for part, examples in parts.items() if not examples]:
        raise ConfigError(f"no clip is left for {' and '.join(empty)}; {bad[0].id}: {bad[0].reason}")
    return replace(taught, parts=parts, bad=(*taught.bad, *bad))


def check(config: LlmConfig) -> None:
    """What can be known to be wrong before clips are measured, which may take hours. Raises ConfigError, ModelError, or
    MissingExtra without transformers."""
    from emer.training.llm.validation import ring_of

    if missing := [name for name in ("base", "data") if not getattr(config, name)]:
        raise ConfigError(
            f"{' and '.join(missing)} missing; add for example base=Qwen/Qwen2.5-Omni-7B data=clips.jsonl"
        )
    if config.views and config.verdict is None:
        raise ConfigError("views need a verdict to be fused with; leave views out, or give verdict settings")
    choose_by = config.evaluation.choose_by
    if config.verdict is None and choose_by in OF_VERDICT:
        raise ConfigError(
            f"evaluation.choose_by={choose_by} is a figure of the verdict, and there is none; choose by text_loss or "
            "wheel_f1"
        )
    ring_of(config.evaluation)
    prompt(config.prompt, "zh" if config.language == "zh" else "en")
    if config.verdict is not None:
        _ = config.verdict.spec
        scaling_of({"peft_type": "LORA", "r": config.lora.rank, "lora_alpha": config.lora.alpha})
    transformers()
    if config.family is None:
        family_of(config.base)


def refuse_unmeasurable(choose_by: str, validation: Sequence[Example]) -> None:
    """Raises ConfigError where the figure that chooses the state cannot be had from these clips: the first evaluation
    would end the run, and what was trained until then were lost."""
    needs = {
        "text_loss": (any(example.teaches_text for example in validation), "an explanation"),
        "wheel_f1": (any(spoken_labels(example.annotation) for example in validation), "a label"),
    } | dict.fromkeys(OF_VERDICT, (any(example.teaches_verdict for example in validation), "a label of the verdict"))
    there, what = needs.get(choose_by, (True, ""))
    if not there:
        raise ConfigError(
            f"{choose_by} cannot be measured: none of the {len(validation)} validation clips has {what}; choose by "
            "another figure with evaluation.choose_by=…"
        )


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


# ---------------------------------------------------------------- where it runs


def dtype_of(config: LlmConfig) -> torch.dtype:
    """What the base computes in; trained numbers are float32 always."""
    precision = config.schedule.precision
    half = precision == "bfloat16" or (precision == "auto" and _gpu_has_bfloat16())
    return torch.bfloat16 if half else torch.float32


def _gpu_has_bfloat16() -> bool:
    return torch.cuda.is_available() and torch.cuda.is_bf16_supported()


def this_process() -> Any:
    """Who of the run's processes this is; `accelerate launch` says it by the environment."""
    try:
        from accelerate import PartialState  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtra(f'training needs accelerate ({error}); run: pip install "emer[mllm]"') from error
    # without a GPU, processes talk by gloo; accelerate has to be told so before it looks
    return PartialState(cpu=not torch.cuda.is_available())
