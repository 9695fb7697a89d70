"""Members that share weights: each computes what a plain network with its own weights would, and they differ."""

import pytest
import torch
from torch import nn

from emer.evidence.ensembled_layers import EnsembledLinear, SeparateLinear, ensembled_perceptron, mean_opinion

torch.set_num_threads(1)


def shaken(layer: nn.Module) -> nn.Module:
    """The layer with every parameter drawn anew: at first most adapters are 1, and a wrong axis would not show."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return layer


def plain(layer: nn.Module, member: int) -> nn.Linear:
    """A member as torch's own linear layer, its weights written out."""
    if isinstance(layer, EnsembledLinear):
        weight = layer.weight * torch.outer(layer.scale_out[member], layer.scale_in[member])
    else:
        assert isinstance(layer, SeparateLinear)
        weight = layer.weight[member]
    made = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        made.weight.copy_(weight)
        made.bias.copy_(layer.bias[member])
    return made


@pytest.mark.parametrize("hidden", [(), (7,), (7, 4)])
def test_each_member_is_a_plain_network_with_its_own_weights(hidden: tuple[int, ...]) -> None:
    """Against torch's nn.Linear, member after member."""
    network = shaken(ensembled_perceptron(5, hidden, 3, 4, dropout=0.5)).eval()
    rows = torch.randn(4, 6, 5)
    together = network(rows)
    assert isinstance(network, nn.Sequential)
    for member in range(4):
        layers = [plain(one, member) if isinstance(one, EnsembledLinear | SeparateLinear) else one for one in network]
        assert torch.allclose(together[member], nn.Sequential(*layers)(rows[member]), atol=1e-4)


def test_gradients_of_a_member_reach_the_shared_weight_and_its_own_adapters_alone() -> None:
    layer = EnsembledLinear(5, 3, 2, "signs")
    layer(torch.randn(2, 6, 5))[1].square().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.abs().sum() > 0
    for own in (layer.scale_in, layer.scale_out, layer.bias):
        assert own.grad is not None
        assert own.grad[0].abs().sum() == 0
        assert own.grad[1].abs().sum() > 0


def test_members_differ_from_the_start_and_only_the_first_layer_draws_signs() -> None:
    torch.manual_seed(0)
    network = ensembled_perceptron(20, (7, 7), 3, 4, dropout=0.0)
    first, second = network[0], network[3]
    assert isinstance(first, EnsembledLinear)
    assert isinstance(second, EnsembledLinear)
    assert set(first.scale_in.flatten().tolist()) == {-1.0, 1.0}
    assert (second.scale_in == 1).all()
    said = network(torch.randn(1, 6, 20).expand(4, 6, 20))
    assert all(not torch.allclose(said[0], said[member]) for member in range(1, 4))


def test_members_cost_little_more_than_one_network() -> None:
    """Counted by hand for 100 inputs, 64 hidden units, 2 labels and 8 members.

    Shared 100 * 64; per member 100 + 64 + 64 in the hidden layer and 64 * 2 + 2 after it. One network has 6,594.
    """
    count = sum(one.numel() for one in ensembled_perceptron(100, (64,), 2, 8, dropout=0.0).parameters())
    assert count == 6_400 + 8 * (228 + 130)


# ---------------------------------------------------------------- the members' mean


def test_members_speak_with_the_mean_of_their_probabilities_and_uncertainties() -> None:
    """By hand, W = 2: evidence (6, 0) and (0, 2) have p (7/8, 1/8) and (1/4, 3/4), u 1/4 and 1/2."""
    mean = mean_opinion(torch.tensor([[[6.0, 0.0]], [[0.0, 2.0]]]), 2.0)
    strength = 2 + mean.sum()
    assert ((mean[0] + 1) / strength).tolist() == pytest.approx([9 / 16, 7 / 16])
    assert (2 / strength).item() == pytest.approx(3 / 8)


def test_members_of_one_mind_speak_as_each_does() -> None:
    evidence = torch.tensor([[3.0, 0.5, 0.0]])
    assert torch.allclose(mean_opinion(evidence.expand(5, 1, 3), 3.0), evidence)


def test_without_evidence_the_mean_is_vacuous() -> None:
    assert (mean_opinion(torch.zeros(3, 2, 4), 4.0) == 0).all()
