"""LDDU on what people heard and saw: labels of CREMA-D's clips from votes on voice and on face, of new actors."""

from pathlib import Path

import numpy as np
import pytest
import torch

from emer.data import cremad
from emer.data.splits import folds, places
from emer.data.tables import FeatureTable
from emer.evidence.heads import ViewInput
from emer.evidence.lddu import Lddu, LdduOptions
from emer.evidence.method import Batch, Shape
from emer.metrics.multilabel import multilabel

torch.set_num_threads(1)
EPOCHS = 5
TRAINED = 640
"""Rows trained on: a few epochs of them take seconds."""


def rows(table: FeatureTable) -> Batch:
    inputs = {view: ViewInput(torch.tensor(one.values), torch.tensor(one.mask)) for view, one in table.views.items()}
    return Batch(inputs, torch.tensor(table.target).float(), torch.arange(len(table.rows)))


@pytest.fixture(scope="module")
def parts(real_data: Path) -> tuple[Batch, Batch]:
    """Some of the training part and the whole test part of the first fold; no actor is in both."""
    table, fold = cremad.table(real_data, "multi"), folds("cremad")[0]
    at = places(fold, table.rows, table.speakers)
    some = np.random.default_rng(0).permutation(at["train"])[:TRAINED]
    return rows(table.take(some)), rows(table.take(at["test"]))


@pytest.fixture(scope="module")
def trained(parts: tuple[Batch, Batch]) -> Lddu:
    """After a number of epochs set beforehand: nothing is chosen on any part."""
    training, _ = parts
    torch.manual_seed(0)
    features = dict.fromkeys(("voice", "face"), cremad.LABELS)
    lddu = Lddu(
        Shape(label_set="cremad6", labels=cremad.LABELS, features=features, kind="beta"), LdduOptions(queue=256)
    )
    lddu.fit_inputs(training.inputs)
    optimiser, generator = torch.optim.AdamW(lddu.parameters(), lr=2e-3), torch.Generator().manual_seed(0)
    for epoch in range(EPOCHS):
        lddu.begin_epoch(training, epoch)
        for some in torch.randperm(TRAINED, generator=generator).split(64):
            inputs = {view: ViewInput(one.values[some], one.mask[some]) for view, one in training.inputs.items()}
            loss = lddu.loss(Batch(inputs, training.target[some], some), epoch, generator)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return lddu.eval()


def micro_f1(answer: torch.Tensor, rows: Batch) -> float:
    return multilabel(rows.target.numpy(), answer.float().numpy()).micro.f1


def best_constant(rows: Batch) -> float:
    """The best micro-F1 that any one set of labels, the same for all clips, reaches on these very rows."""
    count = rows.target.shape[1]
    sets = torch.tensor([[bool(number >> i & 1) for i in range(count)] for number in range(1, 2**count)])
    return max(micro_f1(one.expand_as(rows.target), rows) for one in sets)


def test_labels_of_new_actors_beat_the_best_constant_answer(parts: tuple[Batch, Batch], trained: Lddu) -> None:
    _, test = parts
    held = trained.speak(test.inputs).fused[..., 0] > 0.5
    constant = best_constant(test)
    assert 0.3 < constant < 0.6
    assert micro_f1(held, test) > constant + 0.15


def test_both_views_together_know_more_than_the_voice_alone(parts: tuple[Batch, Batch], trained: Lddu) -> None:
    _, test = parts
    voice = torch.tensor([[True], [False]]).expand(2, len(test.target))
    p, deaf = (trained.speak(test.inputs, here).fused[..., 0] for here in (None, voice))
    error, without = (torch.nn.functional.binary_cross_entropy(one, test.target) for one in (p, deaf))
    assert error < without - 0.05
