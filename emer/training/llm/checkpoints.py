"""What a run needs to go on after it was killed: trained weights, optimizer, schedule, random numbers, its course.

A checkpoint is a folder `checkpoint-STEP`. It is written beside its place and renamed when it is whole, so that a full
disk or a kill leaves the older ones as they were. Weights are safetensors; the other files are torch's, and are read as
plain data (`weights_only`).
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from emer.errors import ModelError, OutputError
from emer.evidence.verdict import whole
from emer.files import write_bytes

CHECKPOINTS, BEST = "checkpoints", "best.safetensors"
"""In a run's folder: the checkpoints, and the weights that validation liked best."""
WEIGHTS, STATE = "weights.safetensors", "trainer_state.json"
"""In a checkpoint."""
_NAME = re.compile(r"checkpoint-(\d+)")


# ---------------------------------------------------------------- weights


def trained_tensors(joint: nn.Module) -> dict[str, Tensor]:
    """What training changes, by name, on the CPU: LoRA, the verdict's rows, heads of views.

    Where FSDP has spread weights over processes, all of them must call this. Raises ModelError for numbers that are
    not finite: such a state is kept nowhere.
    """
    tensors = {
        name: whole(each.detach()).cpu().contiguous() for name, each in joint.named_parameters() if each.requires_grad
    }
    if broken := [name for name, each in tensors.items() if not each.isfinite().all()]:
        raise ModelError(
            f"{len(broken)} trained tensors are not finite (first {broken[0]}), so nothing is saved; lower "
            "schedule.learning_rate or schedule.head_learning_rate"
        )
    return tensors


def load_trained(joint: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    """Put saved weights back. Raises ModelError where they are not those of this configuration."""
    own = {name: each for name, each in joint.named_parameters() if each.requires_grad}
    odd = sorted(set(own) ^ set(tensors))
    odd += [name for name in own if name in tensors and own[name].shape != tensors[name].shape]
    if odd:
        raise ModelError(f"{where} is of another model or configuration ({len(odd)} tensors differ, first {odd[0]})")
    with torch.no_grad():
        for name, each in own.items():
            each.copy_(_spread_like(each, tensors[name]))


def _spread_like(like: Tensor, tensor: Tensor) -> Tensor:
    """The tensor as FSDP has spread the weight that it goes into; as it is where nothing is spread."""
    mesh = getattr(like, "device_mesh", None)
    if mesh is None:
        return tensor
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(tensor.to(like.device), mesh, like.placements)  # type: ignore[attr-defined]


def write_weights(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Whole or not at all. Raises OutputError."""
    write_bytes(path, save_tensors(dict(tensors)))


def read_weights(path: Path) -> dict[str, Tensor]:
    """Raises ModelError for a file that is not there or not whole."""
    try:
        return dict(load_tensors(path.read_bytes()))
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"the weights {path} cannot be read ({error}); delete that checkpoint and resume again"
        ) from error


# ---------------------------------------------------------------- folders


@contextmanager
def whole_checkpoint(folder: Path, step: int, *, main: bool, wait: Callable[[], None]) -> Iterator[Path]:
    """A folder to write a checkpoint into, which appears under its name when the block ends well, else leaves nothing.

    Every process of a run enters; `main` makes and renames, `wait` is a barrier. Raises OutputError where it cannot be
    written.
    """
    target = folder / f"checkpoint-{step}"
    draft = folder / f".checkpoint-{step}.part"
    try:
        if main:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
        wait()
        yield draft
        wait()
        if main:
            _flush(draft)
            shutil.rmtree(target, ignore_errors=True)
            draft.rename(target)
        wait()
    # torch reports a failed write as a RuntimeError, safetensors by an error of its own
    except (OSError, RuntimeError, SafetensorError, OutputError) as error:
        last = last_whole(folder)
        kept = f"{last.name} is whole" if last else "there is none yet"
        raise OutputError(
            f"the checkpoint of step {step} cannot be written to {folder} ({_reason(error)}); {kept}: make room, then "
            "continue with --resume"
        ) from error
    finally:
        if main:
            shutil.rmtree(draft, ignore_errors=True)


def checkpoints(folder: Path) -> list[Path]:
    """The whole checkpoints of a run, the earliest first."""
    found = {int(name.group(1)): path for path in folder.glob("*") if (name := _NAME.fullmatch(path.name))}
    return [path for _, path in sorted(found.items()) if (path / STATE).is_file() and (path / WEIGHTS).is_file()]


def last_whole(folder: Path) -> Path | None:
    """The checkpoint to go on from; None where there is none."""
    return next(reversed(checkpoints(folder)), None)


def keep_last(folder: Path, count: int) -> None:
    """Delete all but the last checkpoints; at least one stays."""
    for path in checkpoints(folder)[: -max(1, count)]:
        shutil.rmtree(path, ignore_errors=True)


def _flush(folder: Path) -> None:
    """Onto the disk, before the name says that it is there."""
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())


def _reason(error: Exception) -> str:
    told = getattr(error, "strerror", None) or str(error).strip().splitlines()[0]
    return str(told)
