"""The training loop: what it finds, what it keeps, what it repeats, what it refuses."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from emer.data.tables import FeatureTable, full_view
from emer.errors import ConfigError, OpinionError
from emer.evidence.evidential import Evidential, EvidentialOptions
from emer.evidence.method import Method
from emer.evidence.softmax import Softmax, SoftmaxOptions
from emer.training.fit import FitSettings, fit, refuse_one_class, seeded
from emer.training.rows import batch_of, shape_of

LABELS = ("calm", "tense", "glad")


def table(n: int, seed: int, labels: tuple[str, ...] = LABELS) -> FeatureTable:
    """Three overlapping classes in two views; the second view is noisier."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, len(labels), n)
    centres = np.array([[0, 0, 0], [1.5, 0, 1], [0, 1.5, -1]], dtype=float)
    voice = centres[y] + rng.standard_normal((n, 3))
    face = centres[y] + 2 * rng.standard_normal((n, 3))
    return FeatureTable(
        name="toy",
        rows=tuple(f"{seed}-{i}" for i in range(n)),
        labels=labels,
        kind="single",
        target=np.eye(len(labels))[y],
        views={"voice": full_view(("a", "b", "c"), voice), "face": full_view(("d", "e", "f"), face)},
    )


def linear(given: FeatureTable) -> Method:
    return Softmax(shape_of(given), SoftmaxOptions(hidden=(), dropout=0.0))


def test_a_linear_softmax_ends_at_the_logistic_regression_of_scikit_learn() -> None:
    given, held = table(400, 1), table(200, 2)
    method = seeded(lambda: linear(given), 0)
    settings = FitSettings(
        epochs=400, batch_size=400, learning_rate=0.05, weight_decay=0.0, schedule="cosine", patience=400
    )
    fit(method, batch_of(given), batch_of(given), settings, seed=0)
    both = [np.concatenate([t.views["voice"].values, t.views["face"].values], axis=1) for t in (given, held)]
    scale = StandardScaler().fit(both[0])
    other = LogisticRegression(C=1e6, max_iter=2000).fit(scale.transform(both[0]), given.target.argmax(1))
    with torch.no_grad():
        ours = method.speak(batch_of(held).inputs).fused.numpy()
    assert np.abs(ours - other.predict_proba(scale.transform(both[1]))).max() < 0.02


def test_the_best_epoch_on_validation_is_kept_and_training_stops_after_patience() -> None:
    given, held = table(60, 1), table(150, 2)
    method = seeded(lambda: Softmax(shape_of(given), SoftmaxOptions(hidden=(64,), dropout=0.0)), 0)
    fitted = fit(method, batch_of(given), batch_of(held), FitSettings(learning_rate=0.02, patience=5), seed=0)
    scores = [epoch.nll for epoch in fitted.epochs]
    assert fitted.best == int(np.argmin(scores))
    assert len(scores) == fitted.best + 1 + 5
    # what speaks afterwards is that epoch's: its validation NLL, computed by hand at that epoch's temperature
    with torch.no_grad():
        p = method.speak(batch_of(held).inputs).fused.double().numpy()
    powered = p ** (1 / fitted.epochs[fitted.best].temperature)
    by_hand = -np.log((powered / powered.sum(1, keepdims=True))[held.target == 1]).mean()
    assert by_hand == pytest.approx(min(scores), rel=1e-5)


@pytest.mark.parametrize("extras", [{}, {"mixup": 0.4, "average": 0.9, "warm_up": 0.1, "schedule": "cosine"}])
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(extras: dict[str, object]) -> None:
    given, held = table(80, 1), table(80, 2)
    settings = FitSettings(epochs=4, **extras)  # type: ignore[arg-type]

    def trained(seed: int) -> torch.Tensor:
        options = EvidentialOptions(joint=True, reliabilities="learned", view_dropout=0.3)
        method = seeded(lambda: Evidential(shape_of(given), options), seed)
        fit(method, batch_of(given), batch_of(held), settings, seed=seed)
        return torch.cat([weight.flatten() for weight in method.parameters()])

    torch.manual_seed(5)
    first = trained(3)
    torch.rand(7)  # what others draw in between changes nothing
    assert torch.equal(first, trained(3))
    assert not torch.equal(first, trained(4))


def test_training_leaves_the_random_state_of_others_alone() -> None:
    given = table(40, 1)
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    fit(seeded(lambda: linear(given), 0), batch_of(given), batch_of(given), FitSettings(epochs=2, mixup=0.2), seed=0)
    assert torch.equal(torch.rand(3), expected)


def test_the_learning_rate_rises_and_then_falls() -> None:
    from emer.training.fit import _pace

    settings = FitSettings(warm_up=0.1, schedule="cosine")
    rates = [_pace(step, 100, settings) for step in range(101)]
    assert all(a < b for a, b in pairwise(rates[:10]))
    assert all(a > b for a, b in pairwise(rates[10:]))
    assert rates[100] == pytest.approx(0.0, abs=1e-12)
    # torch's own schedule, after the warm-up
    weight = torch.nn.Parameter(torch.zeros(1))
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser := torch.optim.SGD([weight], lr=1.0), 90)
    for rate in rates[10:]:
        assert rate == pytest.approx(theirs.get_last_lr()[0], abs=1e-9)
        optimiser.step()
        theirs.step()


def test_an_averaged_method_is_the_moving_average_of_its_weights() -> None:
    given = table(64, 1)
    settings = FitSettings(epochs=1, batch_size=64, learning_rate=0.1, weight_decay=0.0)
    start = seeded(lambda: linear(given), 0)
    plain, mean = seeded(lambda: linear(given), 0), seeded(lambda: linear(given), 0)
    fit(plain, batch_of(given), batch_of(given), settings, seed=0)
    fit(mean, batch_of(given), batch_of(given), replace(settings, average=0.9), seed=0)
    # one step: torch's average takes the first weights as they are
    for a, b, c in zip(start.parameters(), plain.parameters(), mean.parameters(), strict=True):
        assert torch.allclose(b, c)
        assert not torch.equal(a, b)


# ---------------------------------------------------------------- bad input


def test_validation_rows_of_one_label_cannot_choose_an_epoch() -> None:
    given, held = table(30, 1), table(30, 2)
    same = held.take(np.flatnonzero(held.target[:, 1] == 1))
    with pytest.raises(ConfigError, match=rf"all {len(same.rows)} validation rows have the same label"):
        fit(linear(given), batch_of(given), batch_of(same), FitSettings(), seed=0)


def test_one_label_that_holds_or_not_can_choose_an_epoch() -> None:
    refuse_one_class(torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    with pytest.raises(ConfigError, match="all 2 validation rows have the same label"):
        refuse_one_class(torch.tensor([[1.0, 0.0], [1.0, 0.0]]))


def test_features_that_are_not_finite_are_refused_by_name() -> None:
    given = table(30, 1)
    rows = batch_of(given)
    rows.inputs["face"].values[3, 1] = float("nan")
    with pytest.raises(OpinionError, match=r"1 rows have features that are NaN or infinite \(e\)"):
        fit(linear(given), rows, batch_of(given), FitSettings(), seed=0)


def test_a_loss_that_is_not_finite_stops_training_and_says_what_to_do() -> None:
    given = table(30, 1)

    class Broken(Softmax):
        def loss(self, *arguments: object) -> torch.Tensor:  # type: ignore[override]
            return torch.tensor(float("inf"), requires_grad=True)

    with pytest.raises(ConfigError, match="the loss is inf in epoch 0; take a smaller learning_rate"):
        fit(Broken(shape_of(given), SoftmaxOptions()), batch_of(given), batch_of(given), FitSettings(), seed=0)


def test_settings_tell_all_their_mistakes() -> None:
    with pytest.raises(ConfigError, match=r"epochs is 0 and must be at least 1; learning_rate is -1 .*; average is 1 "):
        FitSettings(epochs=0, learning_rate=-1, average=1)
