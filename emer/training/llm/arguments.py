"""What transformers' loop is told of a configuration. Imports transformers: import it only where a model is trained."""

import math
from pathlib import Path
from typing import Any

import emer.torchvision_ops  # noqa: F401  declares operators before transformers looks for them

# isort: split
import torch
from transformers import TrainingArguments

from emer.training.llm.checkpoints import CHECKPOINTS
from emer.training.llm.configuration import LlmConfig
from emer.training.llm.preparing import dtype_of


def arguments(config: LlmConfig, folder: Path, batches: int, *, measures: bool) -> Any:
    """What transformers' loop is told; `batches` is how many a process has in an epoch."""
    schedule = config.schedule
    steps = math.ceil(batches / schedule.accumulation)
    every = max(1, round(config.evaluation.every * steps))
    made = TrainingArguments(
        output_dir=str(folder / CHECKPOINTS),
        per_device_train_batch_size=schedule.batch_size,
        gradient_accumulation_steps=schedule.accumulation,
        num_train_epochs=schedule.epochs,
        # given alone, transformers would take so many steps however few the epochs have
        max_steps=-1 if schedule.most_steps is None else min(schedule.most_steps, math.ceil(schedule.epochs * steps)),
        learning_rate=schedule.learning_rate,
        max_grad_norm=schedule.largest_gradient,
        seed=schedule.seed,
        bf16=dtype_of(config) == torch.bfloat16,
        use_cpu=not torch.cuda.is_available(),
        logging_steps=1,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if measures else "no",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,
        dataloader_num_workers=schedule.workers,
        report_to="none",
        disable_tqdm=True,
    )
    if made.n_gpu > 1:
        # one process a device, by `accelerate launch`; torch's DataParallel would tear batches apart
        made._n_gpu = 1
    return made
