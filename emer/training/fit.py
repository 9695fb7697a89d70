"""The training loop: one for all methods. The epoch that validation likes best is kept.

Validation is scored after its own temperature, so that a method is not stopped for being over-confident, which
calibration mends afterwards. Test rows are no argument of anything here.
"""

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from emer.errors import ConfigError
from emer.evidence.heads import ViewInput
from emer.evidence.method import Batch, Method
from emer.evidence.temperature import fit_temperature, negative_log_likelihood, tempered
from emer.training.rows import some_of

Watch: TypeAlias = Callable[[int, "Epoch"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How a method is trained."""

    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warm_up: float = 0.0
    """Share of all steps over which the learning rate rises from 0."""
    schedule: Literal["constant", "cosine"] = "constant"
    """What the learning rate does after warming up; cosine falls to 0 at the last epoch."""
    average: float = 0.0
    """Decay of the moving average of the weights, which is what is kept; 0 keeps the weights themselves."""
    mixup: float = 0.0
    """Parameter of the Beta distribution from which pairs of clips are mixed (Zhang et al. 2018); 0 mixes none."""
    monitor: Literal["nll", "brier", "error"] = "nll"
    """What early stopping looks at on validation; all after a temperature of their own, smaller is better."""
    patience: int = 15
    """Epochs without a better one after which training ends."""
    largest_gradient: float = 5.0
    """Gradients are scaled to at most this norm."""

    def __post_init__(self) -> None:
        if mistakes := list(_mistakes(self)):
            raise ConfigError("; ".join(mistakes))


def _mistakes(settings: FitSettings) -> list[str]:
    least_one = ("epochs", "batch_size", "patience")
    mistakes = [
        f"{name} is {getattr(settings, name)} and must be at least 1"
        for name in least_one
        if getattr(settings, name) < 1
    ]
    for name in ("learning_rate", "largest_gradient"):
        if not 0 < getattr(settings, name) < math.inf:
            mistakes.append(f"{name} is {getattr(settings, name)} and must be above 0")
    for name in ("weight_decay", "mixup"):
        if not 0 <= getattr(settings, name) < math.inf:
            mistakes.append(f"{name} is {getattr(settings, name)} and must be a number from 0 up")
    for name in ("warm_up", "average"):
        if not 0 <= getattr(settings, name) < 1:
            mistakes.append(f"{name} is {getattr(settings, name)} and must lie from 0 to below 1")
    return mistakes


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch came to, on training and on validation rows."""

    loss: float
    nll: float
    """Negative log-likelihood per clip, at `temperature`."""
    brier: float
    error: float
    """Share of wrong first labels; for kind beta, of wrong decisions about a label."""
    temperature: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """How training went."""

    best: int
    """The epoch that was kept, from 0."""
    epochs: tuple[Epoch, ...]


def fit(
    method: Method,
    training: Batch,
    validation: Batch,
    settings: FitSettings,
    *,
    seed: int,
    watch: Watch | None = None,
) -> Fitted:
    """Train a method in place. The same seed gives the same weights on the same machine.

    Raises ConfigError for validation rows that cannot choose an epoch, or a loss that is not finite;
    OpinionError for features that are not finite.
    """
    refuse_one_class(validation.target)
    generator = torch.Generator().manual_seed(seed)
    method.fit_inputs(training.inputs)
    steps = math.ceil(len(training.target) / settings.batch_size)
    optimiser = torch.optim.AdamW(
        method.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    pace = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _pace(step, steps * settings.epochs, settings))
    averaged = _averaged(method, settings)
    kept, best, epochs = deepcopy(method.state_dict()), 0, list[Epoch]()
    for number in range(settings.epochs):
        method.begin_epoch(training, number)
        loss = _one_epoch(method, training, settings, number, generator, optimiser, pace, averaged)
        judged = _refresh_buffers(method, averaged)
        epochs.append(judge(judged, validation, loss))
        if watch:
            watch(number, epochs[-1])
        if getattr(epochs[-1], settings.monitor) < getattr(epochs[best], settings.monitor) or number == 0:
            kept, best = deepcopy(judged.state_dict()), number
        if number - best >= settings.patience:
            break
    method.load_state_dict(kept)
    method.eval()
    method.finish(validation)
    return Fitted(best, tuple(epochs))


def seeded(make: Callable[[], Method], seed: int) -> Method:
    """A method whose first weights depend on the seed alone; the random state of others is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def judge(method: Method, rows: Batch, loss: float) -> Epoch:
    """How well a method speaks of rows, after the temperature that suits them best."""
    method.eval()
    with torch.no_grad():
        fused = method.speak(rows.inputs).fused.double().numpy()
    if not np.isfinite(fused).all():
        raise ConfigError("the method's opinions are not finite; take a smaller learning_rate")
    target = rows.target.double().numpy()
    if method.shape.kind == "beta":
        fused, target = fused.reshape(-1, 2), np.stack([target, 1 - target], axis=-1).reshape(-1, 2)
    temperature = fit_temperature(fused, target)
    p = tempered(fused, temperature)
    return Epoch(
        loss=loss,
        nll=negative_log_likelihood(fused, target, temperature),
        brier=float(np.square(p - target).sum(-1).mean()),
        error=float((p.argmax(-1) != target.argmax(-1)).mean()),
        temperature=temperature,
    )


def refuse_one_class(target: Tensor) -> None:
    """Raises ConfigError when validation rows cannot choose an epoch: none of them, or only one label."""
    if not len(target):
        raise ConfigError("there are no validation rows; early stopping needs some that are not trained on")
    if (target == target[0]).all():
        raise ConfigError(
            f"all {len(target)} validation rows have the same label; early stopping needs rows of at least two"
        )


def _one_epoch(
    method: Method,
    training: Batch,
    settings: FitSettings,
    number: int,
    generator: torch.Generator,
    optimiser: torch.optim.Optimizer,
    pace: torch.optim.lr_scheduler.LambdaLR,
    averaged: torch.optim.swa_utils.AveragedModel | None,
) -> float:
    """Train on every row once; the answer is the mean loss."""
    method.train()
    order = torch.randperm(len(training.target), generator=generator)
    total = 0.0
    # Dropout layers draw from torch's own state; it is set from the generator and given back afterwards.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))
        for places in torch.split(order, settings.batch_size):
            batch = some_of(training, places)
            loss = method.loss(_mixed(batch, settings.mixup, generator), number, generator)
            if not loss.isfinite():
                raise ConfigError(f"the loss is {loss.item()} in epoch {number}; take a smaller learning_rate")
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(method.parameters(), settings.largest_gradient)
            optimiser.step()
            pace.step()
            if averaged is not None:
                averaged.update_parameters(method)
            total += loss.item() * len(places)
    return total / len(order)


def _pace(step: int, steps: int, settings: FitSettings) -> float:
    """The learning rate at a step, as a share of the largest."""
    warm = settings.warm_up * steps
    if step < warm:
        return (step + 1) / (warm + 1)
    if settings.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1.0, steps - warm))))


def _averaged(method: Method, settings: FitSettings) -> torch.optim.swa_utils.AveragedModel | None:
    if settings.average == 0:
        return None
    mean = torch.optim.swa_utils.get_ema_multi_avg_fn(settings.average)  # type: ignore[no-untyped-call]
    return torch.optim.swa_utils.AveragedModel(method, multi_avg_fn=mean)


def _refresh_buffers(method: Method, averaged: torch.optim.swa_utils.AveragedModel | None) -> Method:
    """The method to be judged: the averaged one, with the buffers (prototypes, pseudo-labels) as they are now."""
    if averaged is None:
        return method
    for own, other in zip(averaged.module.buffers(), method.buffers(), strict=True):
        own.copy_(other)
    assert isinstance(averaged.module, Method)
    return averaged.module


def _mixed(batch: Batch, strength: float, generator: torch.Generator) -> Batch:
    """Each clip mixed with another, features and target alike; a feature that only one of them has stays its own.

    The share is drawn once for the batch, as Zhang et al. do.
    """
    if strength == 0:
        return batch
    share = float(torch.distributions.Beta(strength, strength).sample())
    share = max(share, 1 - share)
    other = some_of(batch, torch.randperm(len(batch.target), generator=generator))
    inputs = {
        view: ViewInput(
            torch.where(
                one.mask & other.inputs[view].mask, torch.lerp(other.inputs[view].values, one.values, share), one.values
            ),
            one.mask,
        )
        for view, one in batch.inputs.items()
    }
    return Batch(inputs, torch.lerp(other.target, batch.target, share), batch.place)
