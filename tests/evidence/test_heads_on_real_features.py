"""The whole chain on CMU-MOSI's features: heads, losses, fusion, calibration, label sets; test speakers are new.

Early stopping and tables are for the benchmark; here a short training must beat chance clearly and calibration
must help on the half of the test rows that it has not seen.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from emer.errors import ConfigError
from emer.evidence.calibrate import calibrate
from emer.evidence.calibration import probabilities, refuse_fitted_rows
from emer.evidence.conformal import coverage, fit_conformal, label_sets
from emer.evidence.heads import HeadSpec, MultiViewHeads, ViewInput
from emer.evidence.losses import one_hot
from emer.evidence.opinion import dirichlet
from emer.evidence.rows import row_hashes
from emer.evidence.targets import label_target
from emer.evidence.tensor_fusion import Reliabilities, TensorViews, fuse_tensors
from emer.evidence.view_losses import Objective, total_loss

torch.set_num_threads(1)
VIEWS = ("audio", "text", "video")
LABELS = ("negative", "positive")


@dataclass(frozen=True)
class Trained:
    network: MultiViewHeads
    reliabilities: Reliabilities
    test: dict[str, ViewInput]
    right: np.ndarray

    def fused(self, without: str | None = None) -> np.ndarray:
        """Fused evidence of the test rows, with one view taken out if asked."""
        here = torch.tensor([[view != without] for view in VIEWS]).expand(-1, len(self.right))
        with torch.no_grad():
            spoken = self.network(self.test, here)
            views = TensorViews(spoken.evidence, spoken.present, self.network.prior, self.reliabilities())
            return fuse_tensors(views).double().numpy()


@pytest.fixture(scope="module")
def mosi(real_data: Path) -> Trained:
    data = np.load(real_data / "features" / "mosi.npz")
    train, test = ({view: _rows(data[f"{view}_{part}"]) for view in VIEWS} for part in ("train", "test"))
    names = {view: tuple(f"{view}_{i}" for i in range(train[view].values.shape[1])) for view in VIEWS}
    torch.manual_seed(0)
    network = MultiViewHeads(
        HeadSpec(label_set="polarity", labels=LABELS, features=names, dropout=0.5, view_dropout=0.2, joint=True)
    )
    network.fit_standardisation(train)
    trust = Reliabilities(len(network.views))
    label = one_hot(torch.tensor(data["y_train"]), 2)
    optimiser = torch.optim.AdamW([*network.parameters(), *trust.parameters()], lr=2e-3)
    for epoch in range(8):
        for rows in torch.randperm(len(label)).split(64):
            spoken = network({view: ViewInput(each.values[rows], each.mask[rows]) for view, each in train.items()})
            fused = fuse_tensors(TensorViews(spoken.evidence, spoken.present, network.prior, trust()))
            alpha = network.alpha(spoken.evidence)
            loss = total_loss(
                alpha[:3],
                spoken.present[:3],
                label[rows],
                network.prior,
                Objective(kl=0.02),
                joint=alpha[3],
                fused=network.alpha(fused),
                epoch=epoch,
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return Trained(network.eval(), trust, test, data["y_test"])


def _rows(values: np.ndarray) -> ViewInput:
    return ViewInput(torch.tensor(values), torch.ones(values.shape, dtype=torch.bool))


def test_fused_opinions_beat_the_majority_of_new_speakers(mosi: Trained) -> None:
    accuracy = (mosi.fused().argmax(1) == mosi.right).mean()
    majority = np.bincount(mosi.right).max() / len(mosi.right)
    assert majority < 0.65
    assert accuracy > 0.74


def test_without_the_text_accuracy_falls_and_uncertainty_rises(mosi: Trained) -> None:
    whole, deaf = mosi.fused(), mosi.fused(without="text")
    assert (deaf.argmax(1) == mosi.right).mean() < (whole.argmax(1) == mosi.right).mean() - 0.05
    assert deaf.sum(1).mean() < 0.8 * whole.sum(1).mean()


def test_calibration_and_label_sets_hold_on_rows_that_they_have_not_seen(mosi: Trained) -> None:
    evidence, ids = mosi.fused(), [f"test-{i}" for i in range(len(mosi.right))]
    order = np.random.default_rng(0).permutation(len(ids))
    first, second, third = np.split(order, [376, 564])
    target = label_target([LABELS[i] for i in mosi.right], LABELS)
    calibration = calibrate(
        [dirichlet("polarity", LABELS, evidence[i], trained=True) for i in first],
        [VIEWS] * len(first),
        target[first],
        [ids[i] for i in first],
        data="CMU-MOSI test, half",
        trained_rows=row_hashes(["train-0"]),
    )
    raw = (evidence + 1) / (evidence + 1).sum(1, keepdims=True)
    told = probabilities(evidence + 1, calibration, VIEWS)
    rest = np.concatenate([second, third])
    assert _nll(told[rest], mosi.right[rest]) < _nll(raw[rest], mosi.right[rest]) - 0.005
    right = told[rest].argmax(1) == mosi.right[rest]
    assert told[rest].max(1).mean() == pytest.approx(right.mean(), abs=3 * right.std() / np.sqrt(len(rest)))

    sets = fit_conformal(
        told[second],
        mosi.right[second],
        [ids[i] for i in second],
        LABELS,
        data="CMU-MOSI test, a quarter",
        used_rows=calibration.rows,
    )
    held = coverage(label_sets(sets, told[third]), mosi.right[third])
    # Both the quantile (188 rows) and the count (188 rows) are drawn: standard deviation .9 * .1 / 188 each.
    assert held.coverage > 0.9 - 3 * np.sqrt(2 * 0.9 * 0.1 / 188)
    with pytest.raises(ConfigError, match="376 rows of scoring were seen in calibration"):
        refuse_fitted_rows(calibration, ids)


def _nll(p: np.ndarray, right: np.ndarray) -> float:
    return float(-np.log(p[np.arange(len(right)), right]).mean())
