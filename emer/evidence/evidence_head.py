"""One head: a small network whose outputs are made positive, so that they can be read as evidence."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from emer.evidence.ensembled_layers import ensembled_perceptron

Activation = Literal["softplus", "exp"]
LARGEST_LOG_EVIDENCE = 10.0
"""Where exp is cut: evidence of 22,026, beyond which more of it changes nothing."""


class EvidenceHead(nn.Module):
    """A network from numbers to evidence: hidden layers with GELU, then softplus, or exp with its argument cut.

    ReLU would leave labels without evidence and without gradient (Pandey & Yu 2023), so it is not offered. With
    `members`, several such networks that share weights.
    """

    def __init__(
        self,
        inputs: int,
        labels: int,
        *,
        hidden: tuple[int, ...] = (64,),
        kind: Literal["dirichlet", "beta"] = "dirichlet",
        activation: Activation = "softplus",
        dropout: float = 0.0,
        members: int = 1,
    ) -> None:
        super().__init__()
        self.labels, self.kind, self.activation, self.members = labels, kind, activation, members
        outputs = labels if kind == "dirichlet" else 2 * labels
        if members > 1:
            self.layers = ensembled_perceptron(inputs, hidden, outputs, members, dropout)
            return
        layers: list[nn.Module] = []
        for size in hidden:
            layers += [nn.Linear(inputs, size), nn.GELU(), nn.Dropout(dropout)]
            inputs = size
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, outputs))

    def forward(self, inputs: Float[Tensor, "*batch feature"]) -> Float[Tensor, "*batch_and_outcome"]:
        """Evidence, from 0 up: "batch label", or "batch label 2" for a beta head; the axis of members comes first
        where there are several, going in and coming out."""
        logits = self.layers(inputs)
        if self.activation == "softplus":
            evidence = nn.functional.softplus(logits)
        else:
            evidence = logits.clamp(max=LARGEST_LOG_EVIDENCE).exp()
        return evidence if self.kind == "dirichlet" else evidence.reshape(*evidence.shape[:-1], self.labels, 2)
