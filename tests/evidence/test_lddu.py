"""LDDU by hand-worked numbers, torch.distributions, and what masks, padding and toy labels must do."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, kl_divergence
from torch.nn.functional import binary_cross_entropy

from emer.errors import ConfigError
from emer.evidence.contrastive import Queue
from emer.evidence.heads import ViewInput
from emer.evidence.label_attention import Steps
from emer.evidence.lddu import Lddu, LdduOptions, Reading, SequenceLddu, contrasted, fuse, objective, ordinality
from emer.evidence.method import Batch, Shape

torch.set_num_threads(1)
SMALL = LdduOptions(width=8, heads=2, tokens=2, dropout=0.0, queue=32)
FEATURES = {"voice": ("v0", "v1", "v2"), "face": ("f0", "f1")}


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def rows(count: int) -> dict[str, ViewInput]:
    return {
        view: ViewInput(drawn(count, len(names), seed=seed), torch.ones(count, len(names), dtype=torch.bool))
        for seed, (view, names) in enumerate(FEATURES.items())
    }


def method(kind: str = "beta", options: LdduOptions = SMALL, labels: int = 3) -> Lddu:
    torch.manual_seed(0)
    names = tuple(f"label{i}" for i in range(labels))
    shape = Shape(label_set="toy", labels=names, features=FEATURES, kind="beta" if kind == "beta" else "dirichlet")
    return Lddu(shape, options)


def reading(present: list[list[bool]] | None = None) -> Reading:
    """Two views, three clips, two labels, width 2."""
    here = torch.tensor(present or [[True] * 3] * 2)
    mean, spread = drawn(2, 3, 2, 2), drawn(2, 3, 2, 2, seed=1).exp()
    s, p_mean, p_spread = (drawn(3, 2, seed=seed).sigmoid() for seed in (2, 3, 4))
    seen = here[..., None, None]
    return Reading(mean * seen, spread * seen, here, s, p_mean, p_spread)


# ---------------------------------------------------------------- formulas


def test_fusion_by_hand() -> None:
    s, p_mean, p_spread = torch.tensor([0.25, 1.0, 0.0]), torch.tensor([0.8, 0.6, 0.1]), torch.tensor([0.4, 0.9, 0.7])
    # .25 * .8 + .75 * .4 = .5; at s = 1 the mean speaks alone, at s = 0 the spread.
    assert torch.allclose(fuse(s, p_mean, p_spread), torch.tensor([0.5, 0.6, 0.7]))


def test_ordinality_is_the_symmetric_divergence_of_torch_distributions() -> None:
    size, s = drawn(7, 3).exp(), drawn(7, 3, seed=1).sigmoid()
    a, b = Categorical(logits=size.T), Categorical(logits=s.T)
    expected = (kl_divergence(a, b) + kl_divergence(b, a)).mean() / 2
    assert ordinality(size, s).item() == pytest.approx(expected.item(), rel=1e-5)


def test_ordinality_is_zero_where_clips_differ_alike_and_ignores_what_all_clips_share() -> None:
    s = drawn(7, 3).sigmoid()
    assert ordinality(s + torch.tensor([1.0, 5.0, 0.0]), s).item() == pytest.approx(0, abs=1e-6)


def test_classes_of_the_contrast_are_view_label_and_presence_by_hand() -> None:
    target = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.5, 0.49]])
    vectors, classes = contrasted(reading([[True, False, True], [True, True, True]]), target)
    # 2 (2 view + label) + holds, clips in order, the second clip without the first view.
    assert classes.tolist() == [1, 2, 1, 2, 5, 6, 4, 6, 5, 6]
    assert torch.allclose(vectors.norm(dim=1), torch.ones(10))


def test_contrasted_vectors_compare_directions_of_mean_and_spread_in_equal_parts() -> None:
    told = reading()
    vectors, _ = contrasted(told, torch.zeros(3, 2))
    likeness = (vectors[0] * vectors[3]).sum()
    cosines = [torch.cosine_similarity(part[0, 0, 0], part[0, 1, 1], dim=0) for part in (told.mean, told.spread)]
    assert likeness.item() == pytest.approx(float(sum(cosines)) / 2, rel=1e-5)


def test_objective_adds_its_parts_with_the_weights_of_the_paper() -> None:
    told, target = reading(), torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])

    def alone(**weights: float) -> float:
        none = {"common": 0.0, "contrastive": 0.0, "ordinality": 0.0} | weights
        return objective(told, target, Queue(8, 4), LdduOptions(**none)).item()

    first = binary_cross_entropy(told.fused, target).item()
    assert alone() == pytest.approx(first, rel=1e-5)
    assert alone(common=1.0) - first == pytest.approx(binary_cross_entropy(told.common, target).item(), rel=1e-4)
    size = torch.cat([told.spread[0], told.spread[1]], dim=-1).norm(dim=-1)
    assert alone(ordinality=1.0) - first == pytest.approx(ordinality(size, told.common).item(), rel=1e-4)
    parts = [alone(**{name: 1.0}) - first for name in ("common", "contrastive", "ordinality")]
    assert parts[1] > 0.1
    whole = first + 0.3 * parts[0] + 1.0 * parts[1] + 0.3 * parts[2]
    defaults = LdduOptions()
    assert alone(
        common=defaults.common, contrastive=defaults.contrastive, ordinality=defaults.ordinality
    ) == pytest.approx(whole, rel=1e-4)


# ---------------------------------------------------------------- masks and padding


@pytest.mark.parametrize("kind", ["beta", "dirichlet"])
def test_values_of_masked_views_change_nothing(kind: str) -> None:
    lddu, inputs = method(kind).eval(), rows(4)
    absent = torch.tensor([True, False, True, False])
    masked = dict(inputs, face=ViewInput(inputs["face"].values, inputs["face"].mask & ~absent[:, None]))
    shouting = dict(
        masked, face=ViewInput(torch.where(absent[:, None], 1e6, masked["face"].values), masked["face"].mask)
    )
    told, loud = lddu.speak(masked).fused, lddu.speak(shouting).fused
    assert torch.equal(told, loud)
    taken_out = lddu.speak(inputs, torch.stack([torch.ones(4, dtype=torch.bool), ~absent])).fused
    assert torch.allclose(told, taken_out, atol=1e-6)
    assert not torch.allclose(told[0], lddu.speak(inputs).fused[0], atol=1e-4)


def test_a_missing_view_enters_neither_contrast_nor_queue() -> None:
    lddu, inputs = method(), rows(4)
    inputs["face"] = ViewInput(inputs["face"].values, torch.zeros(4, 2, dtype=torch.bool))
    lddu.loss(Batch(inputs, torch.ones(4, 3), torch.arange(4)), 0, torch.Generator())
    assert sorted(set(lddu.queue.content()[1].tolist())) == [1, 3, 5]
    assert lddu.queue.pushed == 4 * 3


@pytest.mark.parametrize(("kind", "even"), [("beta", [0.5, 0.5]), ("dirichlet", 1 / 3)])
def test_clip_without_any_view_is_even_between_all_outcomes(kind: str, even: object) -> None:
    told = method(kind).eval().speak(rows(2), torch.zeros(2, 2, dtype=torch.bool))
    assert torch.allclose(told.fused, torch.tensor(even).expand_as(told.fused))


def test_sequences_with_padding_are_read_as_those_without() -> None:
    torch.manual_seed(0)
    lddu = SequenceLddu(FEATURES, 3, SMALL).eval()
    clips = {view: Steps(drawn(2, 5, len(names)), torch.ones(2, 5).bool()) for view, names in FEATURES.items()}
    lddu.fit_inputs(clips)
    padded = {
        view: Steps(
            torch.cat([each.values, torch.full((2, 3, each.values.shape[2]), torch.nan)], 1),
            torch.arange(8).expand(2, -1) < 5,
        )
        for view, each in clips.items()
    }
    assert torch.allclose(lddu(padded).fused, lddu(clips).fused, atol=1e-6)
    gone = dict(clips, face=Steps(clips["face"].values, torch.zeros(2, 5).bool()))
    assert lddu(gone).present.tolist() == [[True, True], [False, False]]
    assert not torch.allclose(lddu(gone).fused, lddu(clips).fused, atol=1e-4)


# ---------------------------------------------------------------- what it says


def test_it_speaks_as_a_whole_and_without_evidence() -> None:
    beta, single = method("beta").eval().speak(rows(5)), method("dirichlet").eval().speak(rows(5))
    assert beta.views == single.views == ()
    assert beta.prior is single.prior is None
    assert beta.alpha.shape == (0, 5, 3, 2)
    assert single.present.shape == (0, 5)
    assert torch.allclose(beta.fused.sum(-1), torch.ones(5, 3))
    # The same network: single-label probabilities are those of the labels, made to sum to 1.
    assert torch.allclose(single.fused, beta.fused[..., 0] / beta.fused[..., 0].sum(-1, keepdim=True))


def test_same_seed_gives_the_same_loss_and_dropout_of_views_draws_from_the_generator() -> None:
    options = LdduOptions(width=8, heads=2, dropout=0.0, view_dropout=0.5, queue=0)
    batch = Batch(rows(16), torch.ones(16, 3), torch.arange(16))
    lddu = method(options=options)
    losses = [lddu.loss(batch, 0, torch.Generator().manual_seed(seed)).item() for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]


def test_training_starts_with_an_empty_queue() -> None:
    lddu, batch = method(), Batch(rows(4), torch.ones(4, 3), torch.arange(4))
    lddu.loss(batch, 0, torch.Generator())
    lddu.begin_epoch(batch, 1)
    assert lddu.queue.pushed == 4 * 2 * 3
    lddu.begin_epoch(batch, 0)
    assert lddu.queue.pushed == 0


def test_all_mistakes_of_the_options_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as told:
        LdduOptions(width=9, heads=2, tokens=0, dropout=1.0, temperature=0.0, queue=-1)
    for word in ("width 9", "tokens 0", "dropout 1", "temperature 0", "queue -1"):
        assert word in str(told.value)


# ---------------------------------------------------------------- learning


def test_it_learns_labels_that_need_both_views_above_the_best_constant() -> None:
    inputs = rows(96)
    voice, face = inputs["voice"].values, inputs["face"].values
    target = torch.stack([voice[:, 0] > 0, face[:, 0] > 0.5, voice[:, 1] + face[:, 1] > 0], dim=1).float()
    lddu = method()
    lddu.fit_inputs(inputs)
    _train(lddu, lambda: lddu.loss(Batch(inputs, target, torch.arange(96)), 0, torch.Generator()))
    p = lddu.eval().speak(inputs).fused[..., 0]
    share = target.mean(0).expand_as(target)
    assert binary_cross_entropy(p, target) < 0.5 * binary_cross_entropy(share, target)
    assert ((p > 0.5) == target.bool()).float().mean() > 0.9 > ((share > 0.5) == target.bool()).float().mean() + 0.2


def test_on_sequences_it_finds_a_step_wherever_it_stands() -> None:
    # A label holds where a loud step occurs anywhere among twelve quiet ones.
    loud = torch.arange(128) % 2 == 0
    values = drawn(128, 12, 3) * 0.3
    places = torch.randint(12, (128,), generator=torch.Generator().manual_seed(0))
    values[loud, places[loud]] += 4
    clips = {"voice": Steps(values, torch.ones(128, 12).bool())}
    torch.manual_seed(0)
    lddu = SequenceLddu({"voice": FEATURES["voice"]}, 1, SMALL)
    lddu.fit_inputs(clips)
    _train(lddu, lambda: lddu.loss(clips, loud[:, None].float()))
    assert ((lddu.eval()(clips).fused[:, 0] > 0.5) == loud).float().mean() > 0.95
    assert math.isfinite(lddu.loss(clips, loud[:, None].float()).item())


def _train(network: torch.nn.Module, loss: object, steps: int = 60) -> None:
    assert callable(loss)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
