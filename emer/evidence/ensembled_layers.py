"""Many networks at about the price of one: members share their weights and have small adapters of their own.

A layer of member m computes `s_m * (W (r_m * x)) + b_m`: its weights are `W` times the rank-1 matrix `s_m r_m^T`
(BatchEnsemble, Wen, Tran & Ba 2020, equation 1). The first `r` starts from signs drawn by chance, so that the members
see different inputs from the start; every other adapter starts at 1, and each member has an output layer of its own
(TabM, Gorishniy, Kotelnikov & Babenko 2024, section 3).
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

Adapters = Literal["signs", "ones"]


class EnsembledLinear(nn.Module):
    """A linear layer whose weight all members share, with scales of inputs and outputs and a bias of each member."""

    def __init__(self, inputs: int, outputs: int, members: int, adapters: Adapters = "ones") -> None:
        super().__init__()
        plain = nn.Linear(inputs, outputs)
        self.weight = plain.weight
        scale = torch.ones(members, inputs)
        if adapters == "signs":
            scale = torch.randint(2, (members, inputs)) * 2.0 - 1.0
        self.scale_in = nn.Parameter(scale)
        self.scale_out = nn.Parameter(torch.ones(members, outputs))
        self.bias = nn.Parameter(plain.bias.detach().repeat(members, 1))

    def forward(self, inputs: Float[Tensor, "member batch input"]) -> Float[Tensor, "member batch output"]:
        shared = nn.functional.linear(inputs * self.scale_in[:, None], self.weight)
        return shared * self.scale_out[:, None] + self.bias[:, None]


class SeparateLinear(nn.Module):
    """A linear layer of each member's own, side by side."""

    def __init__(self, inputs: int, outputs: int, members: int) -> None:
        super().__init__()
        plain = [nn.Linear(inputs, outputs) for _ in range(members)]
        self.weight = nn.Parameter(torch.stack([one.weight.detach() for one in plain]))
        self.bias = nn.Parameter(torch.stack([one.bias.detach() for one in plain]))

    def forward(self, inputs: Float[Tensor, "member batch input"]) -> Float[Tensor, "member batch output"]:
        return torch.baddbmm(self.bias[:, None], inputs, self.weight.mT)


def ensembled_perceptron(
    inputs: int, hidden: tuple[int, ...], outputs: int, members: int, dropout: float
) -> nn.Sequential:
    """Hidden layers with GELU and dropout, then a linear one, for all members at once: "member batch feature" in.

    Without hidden layers every member is a linear model of its own.
    """
    layers: list[nn.Module] = []
    for place, size in enumerate(hidden):
        layers += [EnsembledLinear(inputs, size, members, "ones" if place else "signs"), nn.GELU(), nn.Dropout(dropout)]
        inputs = size
    return nn.Sequential(*layers, SeparateLinear(inputs, outputs, members))


def mean_opinion(
    evidence: Float[Tensor, "member *batch outcome"], weight: Float[Tensor, "*weight"] | float
) -> Float[Tensor, "*batch outcome"]:
    """The members' evidence as one opinion: the mean of their beliefs and of their uncertainties.

    With `S_m = W + sum_k e_mk`, `b_m = e_m / S_m` and `u_m = W / S_m` the answer is `e = W mean(b) / mean(u)`. So its
    probabilities are the mean of the members' (as in a deep ensemble, Lakshminarayanan et al. 2017), and one sure
    member cannot outvote the others, as it would in a mean of evidence.
    """
    share = 1 / (weight + evidence.sum(-1, keepdim=True))
    return (evidence * share).mean(0) / share.mean(0)
