"""TiCAL, derived: pseudo-labels and consistency by hand and against scipy, then learning on made and real clips."""

import math
from itertools import combinations
from pathlib import Path

import pseudo_toys as toys
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from torch import Tensor

from emer.config import build, read_yaml
from emer.data import cremad
from emer.data.splits import folds, places
from emer.errors import ConfigError, OpinionError
from emer.evidence import poincare
from emer.evidence.method import Shape
from emer.evidence.pseudo_labels import anchors, consistency, jensen_shannon, prototypes, read, weights
from emer.evidence.tical import Tical, TicalOptions, drawn_in, evenness

PRESET = Path(__file__).parents[2] / "configs" / "heads" / "tical_derived.yaml"
QUICK = TicalOptions(hidden=(16,), width=8, fusion_hidden=(16,), dropout=0.1, warm_up=2, even_from=6)


def made(shape: Shape, options: TicalOptions = QUICK, seed: int = 0) -> Tical:
    torch.manual_seed(seed)
    return Tical(shape, options)


# ---------------------------------------------------------------- anchors and prototypes


def test_anchors_are_the_surest_half_of_the_clips_that_a_view_gets_right() -> None:
    happy = torch.tensor([0.9, 0.6, 0.8, 0.7, 0.3, 0.4])
    p = torch.stack([happy, 1 - happy], dim=-1)[None, :, None]
    gold = torch.tensor([0, 0, 0, 0, 0, 1])
    chosen = anchors(p, torch.eye(2)[gold][:, None], torch.ones(1, 6, dtype=torch.bool), 0.5)
    # Right about happy: clips 0 to 3 (clip 4 is read as sad); the surer half is 0 and 2. Right about sad: clip 5.
    assert chosen[0, :, 0, 0].tolist() == [True, False, True, False, False, False]
    assert chosen[0, :, 0, 1].tolist() == [False, False, False, False, False, True]


def test_an_outcome_that_is_never_read_right_has_all_its_clips_as_anchors_if_the_view_is_there() -> None:
    p = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])[None, :, None]
    target = torch.eye(2)[torch.tensor([0, 1, 1])][:, None]
    chosen = anchors(p, target, torch.tensor([[True, True, False]]), 1.0)
    assert chosen[0, :, 0, 1].tolist() == [False, True, False]


def test_prototypes_are_means_of_anchors_and_unknown_without_any() -> None:
    points = torch.tensor([[[0.5, 0.0], [-0.5, 0.0], [0.0, 0.3]]])
    standing = torch.tensor([[True, False, False], [True, False, False], [False, True, False]])[None, :, None]
    means, known = prototypes(points, standing)
    assert known.flatten().tolist() == [True, True, False]
    # The midpoint of opposite points is the origin; the mean of one point is that point.
    torch.testing.assert_close(means[0, 0, :2], torch.tensor([[0.0, 0.0], [0.0, 0.3]]))


def test_a_clip_is_read_by_the_nearest_prototype_and_unknown_ones_are_no_candidates() -> None:
    means = poincare.exp0(torch.tensor([[1.0, 0.0], [-0.5, 0.0], [0.0, 0.0]]))[None, None]
    origin = torch.zeros(1, 1, 2)
    readings = read(origin, means, torch.tensor([[[True, True, False]]]), temperature=2.0, scale=4.0)
    # Distances from the origin are twice the tangent lengths: 2 and 1.
    soft = torch.tensor([math.exp(-1), math.exp(-0.5), 0])
    assert readings.label.flatten().tolist() == [0, 1, 0]
    torch.testing.assert_close(readings.soft.flatten(), soft / soft.sum())
    assert readings.typicality.item() == pytest.approx(math.exp(-1 / 4))


def test_a_view_without_prototypes_says_nothing() -> None:
    readings = read(torch.zeros(1, 2, 3), torch.zeros(1, 1, 4, 3), torch.zeros(1, 1, 4, dtype=torch.bool))
    assert readings.soft.flatten().tolist() == [0.25] * 8
    assert readings.typicality.abs().max() == 0


# ---------------------------------------------------------------- consistency


def test_the_jensen_shannon_divergence_is_the_square_of_scipys_distance() -> None:
    p, q = torch.distributions.Dirichlet(torch.full((5,), 0.4)).sample((2, 50)).double()
    p[0], q[0] = torch.tensor([1.0, 0, 0, 0, 0]), torch.tensor([0, 0, 0, 0.5, 0.5])
    expected = torch.tensor(jensenshannon(p.numpy(), q.numpy(), axis=-1) ** 2)
    torch.testing.assert_close(jensen_shannon(p, q), expected, rtol=1e-6, atol=1e-7)


def test_consistency_weighs_pairs_by_their_typicality_as_worked_by_hand() -> None:
    soft = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])[:, None, None]
    typicality = torch.tensor([1.0, 0.5, 0.25])[:, None, None]
    here = torch.ones(3, 1, dtype=torch.bool)
    # Views 0 and 1 agree fully (weight .5), views 0, 2 and 1, 2 not at all (weights .25 and .125): .5 / .875.
    assert consistency(soft, typicality, here).item() == pytest.approx(4 / 7)
    # Without view 1 the only pair disagrees; with one view alone nothing does.
    assert consistency(soft, typicality, torch.tensor([[True], [False], [True]])).item() == pytest.approx(0, abs=1e-6)
    assert consistency(soft, typicality, torch.tensor([[True], [False], [False]])).item() == 1


def test_consistency_is_the_sum_over_pairs_with_scipys_divergence() -> None:
    soft = torch.distributions.Dirichlet(torch.ones(3)).sample((4, 6, 2)).double()
    typicality = torch.rand(4, 6, 2).double()
    for clip in range(6):
        for group in range(2):
            t, q = typicality[:, clip, group].tolist(), soft[:, clip, group].numpy()
            pairs = [(t[m] * t[n], 1 - jensenshannon(q[m], q[n], base=2) ** 2) for m, n in combinations(range(4), 2)]
            expected = sum(w * a for w, a in pairs) / sum(w for w, _ in pairs)
            here = torch.ones(4, 6, dtype=torch.bool)
            assert consistency(soft, typicality, here)[clip, group].item() == pytest.approx(expected)


def test_consistent_clips_count_first_and_all_alike_in_the_end() -> None:
    kappa = torch.tensor([[0.1], [0.4], [1.0]])
    assert weights(kappa, 0.0).flatten().tolist() == pytest.approx([0.2, 0.8, 2.0])
    assert weights(kappa, 0.5).flatten().tolist() == pytest.approx([0.6, 0.9, 1.5])
    assert weights(kappa, 1.0).flatten().tolist() == [1, 1, 1]


def test_the_schedule_starts_from_consistency_after_the_warm_up_and_ends_even() -> None:
    shares = [evenness(epoch, 3, 8) for epoch in range(12)]
    assert shares[:3] == [1, 1, 1]
    assert shares[3] == 0
    assert shares[3:9] == sorted(shares[3:9])
    assert shares[8:] == [1, 1, 1, 1]


def test_long_vectors_are_drawn_in_and_stay_in_order() -> None:
    v = torch.tensor([0.0, 1e-6, 1.0, 3.0, 100.0])[:, None] * torch.tensor([[0.6, -0.8]])
    # Lengths n / (1 + n / 3): 1 becomes 3/4, 3 becomes 3/2.
    torch.testing.assert_close(drawn_in(v, 3.0).norm(dim=1), torch.tensor([0.0, 1e-6, 0.75, 1.5, 300 / 103]))


# ---------------------------------------------------------------- the whole method


@pytest.mark.parametrize(("kind", "views"), [("dirichlet", 2), ("dirichlet", 6), ("beta", 3)])
def test_it_learns_made_clips(kind: str, views: int) -> None:
    shape = toys.shape_of(views, kind)
    rows, _ = toys.clouds(shape, 200, seed=1)
    method = made(shape)
    toys.train(method, rows, epochs=12)
    test, _ = toys.clouds(shape, 200, seed=2)
    spoken = method.speak(test.inputs)
    assert toys.right(spoken, test.target) > 0.95
    assert spoken.prior is None
    assert spoken.views == tuple(shape.features)
    assert (spoken.fused > 0).all()
    torch.testing.assert_close(spoken.alpha.sum(-1), torch.ones_like(spoken.alpha[..., 0]), rtol=0, atol=1e-5)


def test_pseudo_labels_are_what_each_view_shows_where_views_contradict_the_clip() -> None:
    shape = toys.shape_of(2)
    generator = torch.Generator().manual_seed(4)
    label = torch.randint(0, 3, (400,), generator=generator)
    strange = torch.rand(400, generator=generator) < 0.2
    rows, shown = toys.clouds(
        shape, 400, seed=4, told=torch.stack([label, torch.where(strange, (label + 1) % 3, label)])
    )
    method = made(shape)
    toys.train(method, rows, epochs=10)
    readings = method.readings(rows.inputs)
    found = readings.label.squeeze(2).argmax(-1)
    assert (found[1, strange] == shown[1, strange]).float().mean() > 0.95
    kappa = consistency(readings.soft, readings.typicality, torch.ones(2, 400, dtype=torch.bool)).squeeze(1)
    assert kappa[strange].mean() < kappa[~strange].mean() - 0.2


def test_shares_of_votes_are_learned_as_shares() -> None:
    shape = toys.shape_of(2)
    rows, label = toys.clouds(shape, 300, seed=3)
    votes = torch.tensor([[0.6, 0.4, 0.0], [0.0, 0.7, 0.3], [0.1, 0.1, 0.8]])[label[0]]
    method = made(shape)
    toys.train(method, toys.Batch(rows.inputs, votes, rows.place), epochs=15)
    assert (method.speak(rows.inputs).fused - votes).abs().mean() < 0.1


def spoken_numbers(method: Tical, rows: toys.Batch, present: Tensor | None = None) -> Tensor:
    spoken = method.speak(rows.inputs, present)
    return torch.cat([spoken.fused, *spoken.alpha])


def test_what_stands_in_an_absent_view_changes_nothing_and_taking_it_out_is_the_same() -> None:
    shape = toys.shape_of(3)
    rows, _ = toys.clouds(shape, 60, seed=1)
    method = made(shape)
    toys.train(method, toys.without(rows, "view1", 0.0), epochs=4)
    zeros = spoken_numbers(method, toys.without(rows, "view1", 0.0))
    assert torch.equal(zeros, spoken_numbers(method, toys.without(rows, "view1", 1e9)))
    out = torch.tensor([[True], [False], [True]]).expand(3, 60)
    assert torch.equal(zeros, spoken_numbers(method, rows, out))
    assert method.speak(rows.inputs, out).present.tolist() == out.tolist()
    assert not torch.equal(zeros, spoken_numbers(method, toys.without(rows, "view0", 0.0)))


def test_training_does_not_look_at_absent_views_either() -> None:
    shape = toys.shape_of(2)
    rows, _ = toys.clouds(shape, 60, seed=1)
    answers = []
    for values in (0.0, 1e9):
        method = made(shape)
        toys.train(method, toys.without(rows, "view1", values), epochs=4)
        answers.append(spoken_numbers(method, rows))
    assert torch.equal(*answers)


def test_a_clip_without_any_view_has_all_labels_equally_likely() -> None:
    shape = toys.shape_of(2)
    rows, _ = toys.clouds(shape, 40, seed=1)
    method = made(shape)
    toys.train(method, rows, epochs=1)
    spoken = method.speak(rows.inputs, torch.zeros(2, 40, dtype=torch.bool))
    torch.testing.assert_close(spoken.fused, torch.full((40, 3), 1 / 3))


def test_a_saved_method_speaks_and_reads_as_before() -> None:
    shape = toys.shape_of(2)
    rows, _ = toys.clouds(shape, 60, seed=1)
    method = made(shape)
    toys.train(method, rows, epochs=4)
    again = made(shape, seed=99).eval()
    again.load_state_dict(method.state_dict())
    assert torch.equal(spoken_numbers(method, rows), spoken_numbers(again, rows))
    assert torch.equal(method.readings(rows.inputs).soft, again.readings(rows.inputs).soft)


def test_the_generator_alone_decides_what_is_left_out() -> None:
    shape = toys.shape_of(2)
    rows, _ = toys.clouds(shape, 60, seed=1)
    method = made(shape, TicalOptions(dropout=0.5, view_dropout=0.3))
    losses = []
    for seed, elsewhere in ((5, 1), (5, 2), (6, 1)):
        torch.manual_seed(elsewhere)
        losses.append(method.loss(rows, 0, torch.Generator().manual_seed(seed)).item())
    assert losses[0] == losses[1] != losses[2]


def test_features_that_are_not_finite_are_refused_by_name() -> None:
    shape = toys.shape_of(2)
    rows, _ = toys.clouds(shape, 20, seed=1)
    rows.inputs["view1"].values[3, 2] = math.nan
    with pytest.raises(OpinionError, match="1 rows have features that are NaN or infinite \\(f1_2\\)"):
        made(shape).fit_inputs(rows.inputs)


def test_all_mistakes_of_the_options_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        TicalOptions(width=0, dropout=1.0, curvature=-1, anchors=0, warm_up=9, even_from=3, pseudo_weight=-1)
    for name in ("width", "dropout 1", "curvature -1", "anchors 0", "warm_up 9", "even_from 3", "pseudo_weight -1"):
        assert name in str(caught.value)


def test_the_preset_fits_its_options_and_says_that_it_is_derived() -> None:
    preset = read_yaml(PRESET)
    assert build(TicalOptions, preset["options"], str(PRESET)).warm_up < preset["training"]["epochs"]
    assert preset["method"] == "tical"
    assert "erived" in PRESET.read_text()


# ---------------------------------------------------------------- real votes


def test_on_human_votes_it_beats_what_most_people_heard(real_data: Path) -> None:
    """CREMA-D, fold 1 (speakers of the test are new); every fourth training clip is enough to beat the voice."""
    table = cremad.table(real_data)
    where = places(folds("cremad")[0], table.rows, table.speakers)
    train, test = toys.batch_of(table, where["train"][::4]), toys.batch_of(table, where["test"])
    method = made(
        Shape(label_set="cremad6", labels=table.labels, features={n: v.names for n, v in table.views.items()})
    )
    toys.train(method, train, epochs=4, batch_size=64)
    spoken = method.speak(test.inputs)
    most_heard = (test.inputs["voice"].values.argmax(1) == test.target.argmax(1)).float().mean()
    assert toys.right(spoken, test.target) > most_heard + 0.1
