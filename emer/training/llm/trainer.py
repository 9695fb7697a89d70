"""The loop of joint training: transformers' Trainer, with our batches, our loss over whole steps, our checkpoints.

Imports transformers: import it only where a model is trained.
"""

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emer.torchvision_ops  # noqa: F401  declares operators before transformers looks for them

# isort: split
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import Trainer, get_cosine_schedule_with_warmup
from transformers.trainer_callback import PrinterCallback

from emer.backbones.opening import quietly
from emer.errors import ModelError
from emer.evidence.verdict import whole
from emer.jsonio import dumps
from emer.training.llm.arguments import arguments
from emer.training.llm.borders import LOG, Borders
from emer.training.llm.checkpoints import (
    BEST,
    CHECKPOINTS,
    STATE,
    WEIGHTS,
    keep_last,
    load_trained,
    read_weights,
    trained_tensors,
    whole_checkpoint,
    write_weights,
)
from emer.training.llm.configuration import LlmConfig
from emer.training.llm.example import JointBatch
from emer.training.llm.joint_model import Counts, JointModel, JointOutputs, counts_of, warmed
from emer.training.llm.validation import Course, Figures

logger = logging.getLogger("emer")

Watch = Callable[[int, int, str], None]
"""Told (steps done, steps in all, how it stands)."""
Validate = Callable[[], Figures]


def unwatched(step: int, steps: int, told: str) -> None:
    """Nobody watches."""


class JointTrainer(Trainer):  # type: ignore[misc]
    """Trains a `JointModel` on the batches of a loader, measures it on validation, keeps the best state.

    The loader's batch sampler and data set have `set_epoch`; it gives this process's own batches, as many as every
    other's. A loss that is not finite raises ModelError before it reaches the weights.
    """

    def __init__(
        self,
        joint: JointModel,
        config: LlmConfig,
        loader: "DataLoader[Any]",
        folder: Path,
        *,
        validate: Validate | None = None,
        watch: Watch = unwatched,
    ) -> None:
        self.joint, self.config, self.loader, self.folder = joint, config, loader, folder
        self.validate, self.watch = validate, watch
        self.left_out: dict[str, str] = {}
        """Clips that could not be decoded when their turn came, and why."""
        self._parts: dict[str, Tensor] = {}
        self._step_ids: list[str] = []
        self._began = time.perf_counter()
        with quietly():
            super().__init__(
                model=joint,
                args=arguments(config, folder, len(loader), measures=validate is not None),
                train_dataset=loader.dataset,
                # the loop asks that there is one; `evaluate` below measures by itself
                eval_dataset=loader.dataset if validate is not None else None,
                callbacks=[Borders(self)],
            )
        self.remove_callback(PrinterCallback)
        self.loss_is_scaled_for_ga = True
        self.model_accepts_loss_kwargs = True

    # ------------------------------------------------------------ batches

    def get_train_dataloader(self) -> "DataLoader[Any]":
        """As it is: the batch sampler gives each process its own."""
        return self.loader

    def _prepare_inputs(self, inputs: JointBatch) -> JointBatch:
        return inputs.to(self.args.device, self.joint.backbone.dtype)

    def _get_num_items_in_batch(self, batch_samples: list[JointBatch], device: torch.device) -> Counts | None:
        """What the losses of a whole step are divided by, over all its batches and processes."""
        if not batch_samples:
            return None
        each = [torch.stack(tuple(counts_of(batch))) for batch in batch_samples]
        total = torch.stack(each).sum(0).to(device)
        if self.args.world_size > 1:
            total = self.accelerator.reduce(total, "sum")
        return Counts(total[0], total[1])

    # ------------------------------------------------------------ loss

    def compute_loss(
        self,
        model: nn.Module,
        inputs: JointBatch,
        return_outputs: bool = False,
        num_items_in_batch: Counts | None = None,
    ) -> Any:
        """This batch's share of the step's loss, times the number of processes: gradients are averaged over them."""
        self.left_out.update(inputs.left_out)
        for name, reason in inputs.left_out.items():
            logger.warning("%s is left out of step %d: %s", name, self.state.global_step + 1, reason)
        outputs: JointOutputs = model(
            inputs, self.evidence_weight, counts=num_items_in_batch, epoch=int(self.state.epoch or 0)
        )
        self._step_ids += inputs.ids
        self._refuse_not_finite(outputs.loss, "the loss", inputs.ids)
        self._add(outputs)
        loss = outputs.loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss

    @property
    def evidence_weight(self) -> float:
        """lambda_e at the present step."""
        verdict = self.config.verdict
        if verdict is None:
            return 0.0
        return warmed(verdict.weight, self.state.global_step, verdict.warm_up * self.state.max_steps)

    def _get_grad_norm(self, model: nn.Module, grad_norm: Tensor | float | None = None) -> Tensor:
        """Before the optimizer's step: what is not finite never reaches the weights."""
        norm = whole(torch.as_tensor(super()._get_grad_norm(model, grad_norm=grad_norm)))
        self._refuse_not_finite(norm, "the gradient", tuple(self._step_ids))
        self._step_ids.clear()
        return norm

    def _refuse_not_finite(self, value: Tensor, what: str, ids: tuple[str, ...]) -> None:
        bad = (~value.detach().isfinite()).any().float()
        own = bool(bad)
        if self.args.world_size > 1:
            bad = self.accelerator.reduce(bad, "sum")
        if not bool(bad):
            return
        step = self.state.global_step + 1
        if not own:
            raise ModelError(f"{what} of step {step} is not finite in another process; training stops")
        raise ModelError(
            f"{what} of step {step} is {float(value.detach())} (clips {', '.join(ids)}); nothing of it is saved: look "
            "at these clips, or begin anew with a smaller schedule.learning_rate"
        )

    def _add(self, outputs: JointOutputs) -> None:
        """Parts of the step's loss, for the log."""
        parts = {"text": outputs.text, "verdict": outputs.verdict}
        if self.joint.views is not None:
            parts |= dict(zip((f"view_{view}" for view in self.joint.views.views), outputs.views, strict=True))
            parts["fused"] = outputs.fused
        for name, part in parts.items():
            self._parts[name] = self._parts.get(name, torch.zeros_like(part)) + part

    def floating_point_ops(self, inputs: JointBatch) -> int:
        """Not counted: prompts with sound and pictures do not follow the usual estimate."""
        return 0

    # ------------------------------------------------------------ optimizer

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """AdamW (Loshchilov & Hutter 2019); LoRA has one learning rate, what begins at nothing another."""
        if self.optimizer is None:  # type: ignore[has-type]
            schedule = self.config.schedule
            trained = [(n, p) for n, p in (model or self.model).named_parameters() if p.requires_grad]
            lora = [p for name, p in trained if "lora_" in name]
            heads = [p for name, p in trained if "lora_" not in name]
            groups = [{"params": lora, "lr": schedule.learning_rate}]
            groups += [{"params": heads, "lr": schedule.head_learning_rate}] if heads else []
            self.optimizer = torch.optim.AdamW(groups, weight_decay=schedule.weight_decay)
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Cosine after a linear warm-up, the same for both learning rates."""
        if self.lr_scheduler is None:  # type: ignore[has-type]
            warm = math.ceil(self.config.schedule.warm_up * num_training_steps)
            self.lr_scheduler = get_cosine_schedule_with_warmup(optimizer or self.optimizer, warm, num_training_steps)
            self._created_lr_scheduler = True
        return self.lr_scheduler

    # ------------------------------------------------------------ telling

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """One line a step in `log.jsonl`; validation has lines of its own, with names that begin with `eval_`."""
        is_step = "loss" in logs
        if is_step:
            parts = {name: self._over_processes(part) for name, part in self._parts.items()}
            self._parts.clear()
            logs = {**logs, **parts, "evidence_weight": self._weight_of_last_step()}
        super().log(logs, start_time)
        if self.is_world_process_zero() and (is_step or any(name.startswith("eval_") for name in logs)):
            with (self.folder / LOG).open("a", encoding="utf-8") as file:
                file.write(dumps(self.state.log_history[-1]) + "\n")
        if is_step:
            told = ", ".join(f"{name} {logs[name]:.3f}" for name in ("loss", "text", "verdict") if name in logs)
            self.watch(self.state.global_step, self.state.max_steps, told)

    def _over_processes(self, part: Tensor) -> float:
        return float(self.accelerator.reduce(part, "sum") if self.args.world_size > 1 else part)

    def _weight_of_last_step(self) -> float:
        verdict, step = self.config.verdict, self.state.global_step - 1
        return 0.0 if verdict is None else warmed(verdict.weight, step, verdict.warm_up * self.state.max_steps)

    # ------------------------------------------------------------ validation

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Measure, and stop where another state has long been the best. The next checkpoint keeps a best one."""
        assert self.validate is not None
        figures = {f"eval_{name}": value for name, value in self.validate().items()}
        self.log(figures)
        control: Any = self.control  # type: ignore[has-type]
        self.control = control = self.callback_handler.on_evaluate(self.args, self.state, control, figures)
        course = self.course
        if course.is_over:
            logger.info("no better %s for %d evaluations: stopped", course.choose_by, course.patience)
            control.should_training_stop = True
        return figures

    def _run_epoch(self, *given: Any, **named: Any) -> None:
        """No step, where validation had stopped the run that this one continues: only its export was missing."""
        if self.course.is_over:
            control: Any = self.control
            control.should_training_stop = True
            return
        super()._run_epoch(*given, **named)

    @property
    def course(self) -> Course:
        """All validation so far, also that of the runs which this one continues."""
        settings = self.config.evaluation
        return Course.of(self.state.log_history, settings.choose_by, settings.patience)

    # ------------------------------------------------------------ checkpoints

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        folder, main = self.folder / CHECKPOINTS, self.is_world_process_zero()
        tensors = trained_tensors(self.joint)
        with whole_checkpoint(
            folder, self.state.global_step, main=main, wait=self.accelerator.wait_for_everyone
        ) as draft:
            if main:
                write_weights(draft / WEIGHTS, tensors)
            self._save_optimizer_and_scheduler(str(draft))
            self._save_scaler(str(draft))
            self._save_rng_state(str(draft))
            if main:
                self.state.save_to_json(str(draft / STATE))
        self.keep_best()
        if main:
            keep_last(folder, self.config.evaluation.keep)

    def keep_best(self) -> None:
        """Keep the present state where validation has just liked it best.

        A whole checkpoint remembers that evaluation by now. Kept before, and then killed, the state would outlive its
        figures: the run goes on from an older checkpoint, whose best state is another one.
        """
        measured = [line["step"] for line in self.state.log_history if any(name.startswith("eval_") for name in line)]
        if self.course.newest_is_best and measured[-1] == self.state.global_step:
            tensors = trained_tensors(self.joint)
            if self.is_world_process_zero():
                write_weights(self.folder / BEST, tensors)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        load_trained(
            self.joint, read_weights(Path(resume_from_checkpoint) / WEIGHTS), f"the checkpoint {resume_from_checkpoint}"
        )
