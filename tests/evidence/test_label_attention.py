"""Attention from labels to steps: padding, empty views and the order of steps; numpy as oracle of the positions."""

import numpy as np
import pytest
import torch
from torch import Tensor

from emer.errors import OpinionError
from emer.evidence.heads import ViewInput
from emer.evidence.label_attention import LabelAttention, StepEmbedding, Steps, VectorTokens, positions

torch.set_num_threads(1)


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def attention() -> LabelAttention:
    torch.manual_seed(0)
    return LabelAttention(width=8, layers=2, heads=2, dropout=0.5).eval()


def test_padding_at_the_end_changes_no_label_whatever_stands_there(attention: LabelAttention) -> None:
    x, queries = drawn(3, 4, 8), drawn(5, 8)
    alone = attention(Steps(x, torch.ones(3, 4, dtype=torch.bool)), queries)
    padded = torch.cat([x, torch.full((3, 6, 8), torch.nan)], dim=1)
    told = attention(Steps(padded, torch.arange(10).expand(3, -1) < 4), queries)
    assert torch.allclose(told, alone, atol=1e-6)


def test_clips_of_a_batch_do_not_see_each_other(attention: LabelAttention) -> None:
    x, queries, mask = drawn(3, 4, 8), drawn(5, 8), torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]]).bool()
    together = attention(Steps(x, mask), queries)
    single = torch.cat([attention(Steps(x[i : i + 1], mask[i : i + 1]), queries) for i in range(3)])
    assert torch.allclose(together, single, atol=1e-6)


def test_clip_without_a_step_gives_a_finite_vector_that_no_value_moves(attention: LabelAttention) -> None:
    nowhere = torch.zeros(2, 4, dtype=torch.bool)
    told = attention(Steps(torch.stack([torch.zeros(4, 8), drawn(4, 8)]), nowhere), drawn(5, 8))
    assert told.isfinite().all()
    assert torch.equal(told[0], told[1])


def test_labels_attend_differently_to_several_steps(attention: LabelAttention) -> None:
    queries = drawn(5, 8) * 3
    steps = Steps(drawn(1, 4, 8) * 3, torch.ones(1, 4, dtype=torch.bool))
    one = Steps(steps.values[:, :1], steps.mask[:, :1])
    x = attention.norm(steps.values)
    _, share = attention.attend(queries[None], x, x)
    assert share.std(1).max() > 0.05
    alone = attention.norm(one.values)
    answered, _ = attention.attend(queries[None], alone, alone)
    assert torch.allclose(answered, answered[:, :1].expand_as(answered), atol=1e-6)


def test_positions_are_those_of_the_paper_in_numpy() -> None:
    places, width = np.arange(50)[:, None], 12
    angle = places / 10_000 ** (2 * np.arange(width // 2) / width)
    expected = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
    assert np.allclose(positions(50, width).numpy(), expected, atol=1e-4)


# ---------------------------------------------------------------- embeddings


def test_steps_are_standardised_over_the_steps_that_are_there() -> None:
    embed = StepEmbedding(("loudness",), 4)
    mask = torch.tensor([[True, True, False], [True, False, False]])
    embed.fit(Steps(torch.tensor([[[1.0], [3.0], [900.0]], [[5.0], [torch.nan], [0.0]]]), mask))
    # Of 1, 3 and 5 the mean is 3 and the standard deviation the root of 8/3.
    assert embed.standardiser.mean.item() == pytest.approx(3)
    assert embed.standardiser.scale.item() == pytest.approx((3 / 8) ** 0.5)


def test_order_of_steps_matters() -> None:
    torch.manual_seed(0)
    embed, attention = StepEmbedding(("a", "b"), 8), LabelAttention(8, 1, 2, 0.0).eval()
    x, mask, queries = drawn(1, 6, 2), torch.ones(1, 6, dtype=torch.bool), drawn(2, 8)
    forward = attention(embed(Steps(x, mask)), queries)
    backward = attention(embed(Steps(x.flip(1), mask)), queries)
    assert (forward - backward).abs().max() > 1e-3


@pytest.mark.parametrize(("most", "steps"), [(2, [True, False]), (1, [True])], ids=["few", "many"])
def test_a_vector_becomes_its_tokens_and_is_missing_where_nothing_was_measured(most: int, steps: list[bool]) -> None:
    embed = VectorTokens(("a", "b"), 4, most)
    rows = ViewInput(torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[True, False], [False, False]]))
    told = embed(rows)
    assert told.values.shape == (2, most, 4)
    assert told.mask.tolist() == [steps, [False] * most]
    other = embed(ViewInput(torch.tensor([[1.0, 99.0], [0.0, 0.0]]), rows.mask))
    assert torch.equal(told.values, other.values)


def test_readings_of_a_long_vector_are_linear_in_its_features() -> None:
    embed = VectorTokens(("a", "b", "c"), 4, 2)
    a, b, everything = drawn(1, 3), drawn(2, 3)[1:], torch.ones(1, 3, dtype=torch.bool)
    of_a, of_b, of_both = (embed(ViewInput(x, everything)).values - embed.bias for x in (a, b, a + 2 * b))
    assert torch.allclose(of_both, of_a + 2 * of_b, atol=1e-5)
    assert of_a.abs().min() > 0


def test_measured_values_that_are_not_finite_are_refused_by_name() -> None:
    embed = StepEmbedding(("loudness", "pitch"), 4)
    with pytest.raises(OpinionError, match="pitch"):
        embed(Steps(torch.tensor([[[0.0, torch.inf]]]), torch.ones(1, 1, dtype=torch.bool)))
