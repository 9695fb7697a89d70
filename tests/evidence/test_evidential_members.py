"""Evidential heads with members and the log-linear pool: weights whose answer is known, and one loss per member."""

import numpy as np
import pytest
import torch

from emer.errors import ConfigError
from emer.evidence.evidential import Evidential, EvidentialOptions, fit_log_linear
from emer.evidence.heads import ViewInput
from emer.evidence.method import Batch, Shape
from emer.evidence.view_losses import Objective

torch.set_num_threads(1)
SHAPE = Shape(label_set="mood", labels=("good", "bad", "flat"), features={"audio": ("a", "b"), "text": ("c",)})


def batch(rows: int = 6) -> Batch:
    generator = torch.Generator().manual_seed(0)
    inputs = {
        view: ViewInput(torch.randn(rows, len(names), generator=generator), torch.ones(rows, len(names)).bool())
        for view, names in SHAPE.features.items()
    }
    return Batch(inputs, torch.eye(3)[torch.arange(rows) % 3], torch.arange(rows))


def method(**options: object) -> Evidential:
    torch.manual_seed(0)
    made = Evidential(SHAPE, EvidentialOptions(hidden=(8,), dropout=0.0, **options))  # type: ignore[arg-type]
    made.fit_inputs(batch().inputs)
    return made


def test_weights_of_the_log_linear_pool_are_found_again() -> None:
    """Labels drawn from the pool with weights 1.5, .5 and 0; what has no weight comes out small."""
    rng = np.random.default_rng(0)
    evidence, prior = rng.gamma(0.5, 20.0, (3, 20_000, 3)), np.array([0.5, 0.3, 0.2])
    score = np.log(prior) + np.tensordot([1.5, 0.5, 0.0], np.log1p(evidence / prior), axes=1)
    label = (score + rng.gumbel(size=score.shape)).argmax(-1)
    found = fit_log_linear(evidence, np.eye(3)[label], prior)
    assert found == pytest.approx([1.5, 0.5, 0.0], abs=0.08)


def test_rows_without_a_fault_do_not_ask_for_endless_weights() -> None:
    evidence = 10 * np.eye(3)[None].repeat(2, axis=0)
    found = fit_log_linear(evidence, np.eye(3), np.full(3, 1 / 3))
    assert found[0] == pytest.approx(found[1])
    assert 0.5 < found[0] < 2


def test_the_loss_of_members_is_the_mean_of_the_losses_of_each() -> None:
    """Member by member through a copy of the method that is shown one member's evidence alone."""
    made = method(members=3, joint=True, fusion="log_linear", objective=Objective(loss="log"))
    rows, generator = batch(), torch.Generator()
    together = made.loss(rows, 0, generator).item()
    said = made.heads.by_member(rows.inputs).evidence
    alone = []
    for member in range(3):
        own = said[:, 6 * member : 6 * member + 6]
        alpha = made.heads.alpha(own)
        pooled = 1 + torch.expm1(torch.log1p(own).mean(0))
        opinions = [*alpha, pooled]
        terms = [-(rows.target * (one / one.sum(-1, keepdim=True)).log()).sum(-1) for one in opinions]
        alone.append(torch.stack(terms).sum(0).mean().item())
    assert together == pytest.approx(np.mean(alone), rel=1e-5)


@pytest.mark.parametrize("reliabilities", ["equal", "learned", "fitted"])
def test_members_and_pool_speak_one_finite_opinion_a_clip(reliabilities: str) -> None:
    made = method(members=4, joint=True, fusion="log_linear", reliabilities=reliabilities).eval()
    made.finish(batch())
    with torch.no_grad():
        spoken = made.speak(batch().inputs)
    assert spoken.alpha.shape == (3, 6, 3)
    assert spoken.fused.shape == (6, 3)
    assert spoken.prior is not None
    assert (spoken.fused >= spoken.prior).all()


def test_rules_without_reliabilities_refuse_them() -> None:
    with pytest.raises(ConfigError, match="takes no reliabilities; choose weighted or log_linear"):
        EvidentialOptions(fusion="dempster", reliabilities="learned")
