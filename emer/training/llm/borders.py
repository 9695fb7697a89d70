"""What happens where a run, an epoch or a step begins or ends. Imports transformers, as the loop itself does."""

from typing import TYPE_CHECKING, Any

import emer.torchvision_ops  # noqa: F401  declares operators before transformers looks for them

# isort: split
from transformers import TrainerCallback

from emer.jsonio import dumps

if TYPE_CHECKING:
    from emer.training.llm.trainer import JointTrainer

LOG = "log.jsonl"
"""In a run's folder."""


class Borders(TrainerCallback):  # type: ignore[misc]
    """Tells the trainer, its loader and its log."""

    def __init__(self, trainer: "JointTrainer") -> None:
        self.trainer = trainer

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The log begins with what the checkpoint remembers: lines after it are of steps that are taken again."""
        self.trainer.keep_best()  # a kill may have come between the checkpoint and this
        if state.is_world_process_zero:
            kept = [
                entry for entry in state.log_history if "loss" in entry or any(n.startswith("eval_") for n in entry)
            ]
            (self.trainer.folder / LOG).write_text("".join(dumps(entry) + "\n" for entry in kept), encoding="utf-8")

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        epoch = int(state.epoch or 0)
        for part in (self.trainer.loader.batch_sampler, self.trainer.loader.dataset):
            part.set_epoch(epoch)  # type: ignore[union-attr]

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """The last state is measured and kept, wherever in an epoch it falls."""
        if state.global_step >= state.max_steps:
            control.should_save = True
            control.should_evaluate = self.trainer.validate is not None
        return control
