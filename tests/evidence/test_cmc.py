"""CMC, derived: fusion and router by hand, pseudo-labels step by step, learning on made and real clips."""

import math
from pathlib import Path

import pseudo_toys as toys
import pytest
import torch
from torch import Tensor

from emer.config import build, read_yaml
from emer.data import cremad
from emer.data.splits import folds, places
from emer.errors import ConfigError
from emer.evidence.cmc import Cmc, CmcOptions, agree, gates, moved
from emer.evidence.method import Shape

PRESET = Path(__file__).parents[2] / "configs" / "heads" / "cmc.yaml"
QUICK = CmcOptions(hidden=(16,), width=8, dropout=0.1, pretrain=2)


def made(shape: Shape, options: CmcOptions = QUICK, seed: int = 0) -> Cmc:
    torch.manual_seed(seed)
    return Cmc(shape, options)


# ---------------------------------------------------------------- fusion without parameters


def test_a_view_is_drawn_towards_those_that_it_resembles_as_worked_by_hand() -> None:
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])[:, None]
    fused = agree(vectors, torch.ones(3, 1, dtype=torch.bool), 0.5)
    # Similarities 1, 1, 0 over the temperature .5: shares e², e², 1.
    like, total = math.exp(2), 2 * math.exp(2) + 1
    torch.testing.assert_close(fused[0, 0], torch.tensor([2 * like / total, 1 / total]))
    # The third view resembles nobody but itself: shares 1, 1, e².
    torch.testing.assert_close(fused[2, 0], torch.tensor([2 / (2 + like), like / (2 + like)]))


def test_a_view_alone_keeps_its_vector_and_absent_views_have_none() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(3, 5, 4), dim=-1)
    fused = agree(vectors, torch.tensor([[False], [True], [False]]).expand(3, 5), 0.3)
    torch.testing.assert_close(fused[1], vectors[1])
    assert fused[[0, 2]].abs().max() == 0


# ---------------------------------------------------------------- router


def test_the_router_keeps_the_top_k_experts_and_their_gates_sum_to_one() -> None:
    logits = torch.tensor([[1.0, 0.0], [3.0, 5.0], [2.0, 4.0], [0.0, 6.0]])
    gate = gates(logits, torch.ones(4, 2, dtype=torch.bool), 2)
    # Clip 0: logits 3 and 2 of views 1 and 2; clip 1: logits 5 and 6 of views 1 and 3. Softmax of two is a sigmoid.
    larger = 1 / (1 + math.exp(-1))
    torch.testing.assert_close(gate[:, 0], torch.tensor([0, larger, 1 - larger, 0]))
    torch.testing.assert_close(gate[:, 1], torch.tensor([0, 1 - larger, 0, larger]))


def test_the_router_never_hears_an_absent_view() -> None:
    logits = torch.tensor([[9.0], [1.0], [0.0]])
    assert gates(logits, torch.tensor([[False], [True], [False]]), 2).flatten().tolist() == [0, 1, 0]
    assert gates(logits, torch.tensor([[False], [True], [True]]), 5)[0].item() == 0
    assert gates(logits, torch.zeros(3, 1, dtype=torch.bool), 2).abs().max() == 0


@pytest.mark.parametrize("top_k", [1, 2, 3, 6])
def test_as_many_experts_are_heard_as_asked(top_k: int) -> None:
    gate = gates(torch.randn(6, 50), torch.ones(6, 50, dtype=torch.bool), top_k)
    assert (gate > 0).sum(0).tolist() == [top_k] * 50
    torch.testing.assert_close(gate.sum(0), torch.ones(50))


# ---------------------------------------------------------------- pseudo-labels


def test_pseudo_labels_move_slowly_towards_what_the_view_says() -> None:
    label, own, target = torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[0.2, 0.8]]]]), torch.tensor([[[1.0, 0.0]]])
    # .9 (1, 0) + .1 (.5 (.2, .8) + .5 (1, 0)) = (.96, .04)
    torch.testing.assert_close(moved(label, own, target, 0.9, 0.5), torch.tensor([[[[0.96, 0.04]]]]))
    # In the end it is half the view's word, half the clip's label.
    for _ in range(200):
        label = moved(label, own, target, 0.9, 0.5)
    torch.testing.assert_close(label, torch.tensor([[[[0.6, 0.4]]]]))


def test_pseudo_labels_of_a_contradicting_view_leave_the_label_of_the_clip() -> None:
    shape = toys.shape_of(2)
    generator = torch.Generator().manual_seed(4)
    label = torch.randint(0, 3, (300,), generator=generator)
    strange = torch.rand(300, generator=generator) < 0.2
    shown = torch.stack([label, torch.where(strange, (label + 1) % 3, label)])
    rows, _ = toys.clouds(shape, 300, seed=4, told=shown)
    method = made(shape, CmcOptions(hidden=(16,), width=8, momentum=0.5, belief=0.8, pretrain=2))
    toys.train(method, rows, epochs=10)
    assert method.pseudo is not None
    kept = method.pseudo.squeeze(2).gather(2, label.expand(2, 300)[..., None]).squeeze(2)
    assert kept[0].min() > 0.8
    assert kept[1, strange].mean() < 0.5
    assert kept[1, ~strange].mean() > kept[1, strange].mean() + 0.2


# ---------------------------------------------------------------- the whole method


@pytest.mark.parametrize(("kind", "views"), [("dirichlet", 2), ("dirichlet", 6), ("beta", 3)])
def test_it_learns_made_clips_with_a_router(kind: str, views: int) -> None:
    shape = toys.shape_of(views, kind)
    rows, _ = toys.clouds(shape, 200, seed=1)
    method = made(shape)
    toys.train(method, rows, epochs=14, rate=5e-3)
    test, _ = toys.clouds(shape, 200, seed=2)
    spoken = method.speak(test.inputs)
    assert toys.right(spoken, test.target) > 0.95
    assert spoken.prior is None
    assert spoken.views == tuple(shape.features)
    assert (spoken.fused > 0).all()
    torch.testing.assert_close(spoken.alpha.sum(-1), torch.ones_like(spoken.alpha[..., 0]), rtol=0, atol=1e-5)


def test_in_pretraining_the_views_learn_alone_and_the_router_does_not() -> None:
    shape = toys.shape_of(3)
    rows, _ = toys.clouds(shape, 40, seed=1)
    method = made(shape)
    for epoch, learns in ((0, False), (2, True)):
        method.zero_grad()
        method.loss(rows, epoch, torch.Generator().manual_seed(0)).backward()
        moves = method.router.weight.grad is not None and bool(method.router.weight.grad.abs().max() > 0)
        assert moves is learns


def test_with_one_view_present_the_whole_says_what_that_view_says() -> None:
    shape = toys.shape_of(3)
    rows, _ = toys.clouds(shape, 30, seed=1)
    method = made(shape)
    toys.train(method, rows, epochs=3)
    spoken = method.speak(rows.inputs, torch.tensor([[False], [True], [False]]).expand(3, 30))
    torch.testing.assert_close(spoken.fused, spoken.alpha[1])


def answers_of(method: Cmc, rows: toys.Batch, present: Tensor | None = None) -> Tensor:
    spoken = method.speak(rows.inputs, present)
    return torch.cat([spoken.fused, *spoken.alpha])


def test_what_stands_in_an_absent_view_changes_no_expert_and_no_gate() -> None:
    shape = toys.shape_of(3)
    rows, _ = toys.clouds(shape, 60, seed=1)
    trained = []
    for values in (0.0, 1e9):
        method = made(shape)
        toys.train(method, toys.without(rows, "view1", values), epochs=4)
        trained.append(answers_of(method, rows))
    assert torch.equal(*trained)
    zeros = answers_of(method, toys.without(rows, "view1", 0.0))
    assert torch.equal(zeros, answers_of(method, toys.without(rows, "view1", 1e9)))
    assert torch.equal(zeros, answers_of(method, rows, torch.tensor([[True], [False], [True]]).expand(3, 60)))
    assert not torch.equal(zeros, answers_of(method, toys.without(rows, "view0", 0.0)))


def test_a_clip_that_no_expert_sees_has_all_labels_equally_likely() -> None:
    shape = toys.shape_of(2)
    rows, _ = toys.clouds(shape, 40, seed=1)
    method = made(shape)
    toys.train(method, rows, epochs=1)
    spoken = method.speak(rows.inputs, torch.zeros(2, 40, dtype=torch.bool))
    torch.testing.assert_close(spoken.fused, torch.full((40, 3), 1 / 3))


def test_a_saved_router_and_its_experts_speak_as_before() -> None:
    shape = toys.shape_of(2)
    rows, _ = toys.clouds(shape, 60, seed=1)
    method = made(shape)
    toys.train(method, rows, epochs=4)
    again = made(shape, seed=99).eval()
    again.load_state_dict(method.state_dict())
    assert torch.equal(answers_of(method, rows), answers_of(again, rows))


def test_all_mistakes_of_the_options_of_cmc_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        CmcOptions(top_k=0, dropout=1.0, momentum=1.0, belief=2, temperature=0, pretrain=-1, pseudo_weight=0)
    named = ("top_k", "dropout 1", "momentum 1", "belief 2", "temperature 0", "pretrain -1", "pseudo_weight 0")
    assert all(name in str(caught.value) for name in named)


def test_the_preset_of_cmc_fits_its_options_and_says_that_it_is_derived() -> None:
    preset = read_yaml(PRESET)
    assert build(CmcOptions, preset["options"], str(PRESET)).pretrain < preset["training"]["patience"]
    assert preset["method"] == "cmc"
    assert "derived" in PRESET.read_text()


def test_on_human_votes_the_experts_beat_what_most_people_heard(real_data: Path) -> None:
    """CREMA-D, fold 1 (speakers of the test are new); every fourth training clip is enough to beat the voice."""
    table = cremad.table(real_data)
    where = places(folds("cremad")[0], table.rows, table.speakers)
    train, test = toys.batch_of(table, where["train"][::4]), toys.batch_of(table, where["test"])
    shape = Shape(label_set="cremad6", labels=table.labels, features={n: v.names for n, v in table.views.items()})
    method = made(shape, CmcOptions(pretrain=2))
    toys.train(method, train, epochs=6, batch_size=64)
    most_heard = (test.inputs["voice"].values.argmax(1) == test.target.argmax(1)).float().mean()
    assert toys.right(method.speak(test.inputs), test.target) > most_heard + 0.1
