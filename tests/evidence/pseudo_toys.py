"""Made clips for methods with pseudo-labels, and a short training loop for them."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from emer.data.tables import FeatureTable
from emer.evidence.heads import ViewInput
from emer.evidence.method import Batch, Method, Shape, Spoken

torch.set_num_threads(1)
LABELS = ("happy", "sad", "angry")


def shape_of(views: int, kind: str = "dirichlet", features: int = 4) -> Shape:
    names = {f"view{i}": tuple(f"f{i}_{j}" for j in range(features)) for i in range(views)}
    return Shape(label_set="toy", labels=LABELS, features=names, kind="beta" if kind == "beta" else "dirichlet")


def clouds(shape: Shape, rows: int, seed: int, told: Tensor | None = None) -> tuple[Batch, Tensor]:
    """Clips whose views each lie around a place of their label, and those labels ("view batch").

    `told[v, i]` is the label that view v shows in clip i; without it all views show the clip's label. For kind beta
    the labels happy and sad hold where features 0 and 1 lie high, angry where both do.
    """
    generator = torch.Generator().manual_seed(seed)
    views, noise = len(shape.features), 0.5
    width = len(next(iter(shape.features.values())))
    if shape.kind == "beta":
        two = torch.randint(0, 2, (rows, 2), generator=generator).float()
        target = torch.cat([two, two.prod(1, keepdim=True)], dim=1)
        shown = torch.nn.functional.pad(two * 3, (0, width - 2)).expand(views, rows, width)
        label = target.argmax(1).expand(views, rows)
    else:
        label = torch.randint(0, 3, (rows,), generator=generator).expand(views, rows) if told is None else told
        target = torch.eye(3)[label[0]]
        shown = torch.nn.functional.pad(torch.eye(3) * 3, (0, width - 3))[label]
    values = shown + noise * torch.randn(views, rows, width, generator=generator)
    inputs = {view: ViewInput(values[i], torch.ones_like(values[i]).bool()) for i, view in enumerate(shape.features)}
    return Batch(inputs, target, torch.arange(rows)), label


def train(method: Method, rows: Batch, epochs: int, *, seed: int = 0, batch_size: int = 32, rate: float = 3e-3) -> None:
    """AdamW, all epochs, no early stopping; everything random comes from one generator."""
    generator = torch.Generator().manual_seed(seed)
    method.fit_inputs(rows.inputs)
    optimiser = torch.optim.AdamW(method.parameters(), lr=rate)
    for epoch in range(epochs):
        method.begin_epoch(rows, epoch)
        for places in torch.randperm(len(rows.target), generator=generator).split(batch_size):
            loss = method.loss(taken(rows, places), epoch, generator)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    method.eval()


def taken(rows: Batch, places: Tensor) -> Batch:
    inputs = {view: ViewInput(each.values[places], each.mask[places]) for view, each in rows.inputs.items()}
    return Batch(inputs, rows.target[places], rows.place[places])


def without(rows: Batch, view: str, values: float) -> Batch:
    """The same clips with one view masked, and a number in its features that nobody may look at."""
    masked = ViewInput(torch.full_like(rows.inputs[view].values, values), rows.inputs[view].mask & False)
    return replace(rows, inputs={**rows.inputs, view: masked})


def right(spoken: Spoken, target: Tensor) -> float:
    """Accuracy of the fused answer; for kind beta over all labels."""
    if spoken.fused.ndim == 3:
        return float(((spoken.fused[..., 0] > spoken.fused[..., 1]) == (target > 0.5)).float().mean())
    return float((spoken.fused.argmax(-1) == target.argmax(-1)).float().mean())


def batch_of(table: FeatureTable, places: np.ndarray) -> Batch:
    """Rows of a real table."""
    inputs = {
        name: ViewInput(torch.tensor(view.values[places]), torch.tensor(view.mask[places]))
        for name, view in table.views.items()
    }
    return Batch(inputs, torch.tensor(table.target[places], dtype=torch.float32), torch.arange(len(places)))
