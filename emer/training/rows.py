"""Feature tables as tensors, and the shape of a method that fits them."""

import numpy as np
import torch

from emer.data.tables import FeatureTable
from emer.emotions.label_sets import name_of
from emer.evidence.heads import ViewInput
from emer.evidence.method import Batch, Shape


def batch_of(table: FeatureTable) -> Batch:
    """All rows of a table, in its order."""
    inputs = {
        name: ViewInput(torch.from_numpy(view.values.astype(np.float32)), torch.from_numpy(view.mask))
        for name, view in table.views.items()
    }
    target = torch.from_numpy(table.target.astype(np.float32))
    return Batch(inputs, target, torch.arange(len(table.rows)))


def some_of(rows: Batch, places: torch.Tensor) -> Batch:
    """The rows at these places."""
    inputs = {view: ViewInput(one.values[places], one.mask[places]) for view, one in rows.inputs.items()}
    return Batch(inputs, rows.target[places], rows.place[places])


def shape_of(table: FeatureTable) -> Shape:
    """What goes into a method for this table, and what comes out."""
    return Shape(
        label_set=name_of(table.labels) or table.name,
        labels=table.labels,
        features={view: one.names for view, one in table.views.items()},
        versions=dict(table.versions),
        kind="beta" if table.kind == "multi" else "dirichlet",
    )
