"""Supervised contrastive loss with a queue: vectors of one class move together, those of other classes apart.

Sources: Khosla et al. 2020, "Supervised contrastive learning" (the loss); He et al. 2020, "Momentum contrast" (the
queue of earlier vectors, here without a second network).
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

Vectors = Float[Tensor, "vector size"]
Classes = Int[Tensor, "vector"]


def supervised_contrastive(
    anchors: Vectors,
    classes: Classes,
    earlier: Float[Tensor, "key size"],
    earlier_classes: Int[Tensor, "key"],
    temperature: float,
) -> Float[Tensor, ""]:
    """Mean loss of the anchors that have a companion in their class; 0 when none has (Khosla et al. 2020, L_out).

        L_i = -1/|P(i)| sum_{p in P(i)} log( exp(z_i z_p / t) / sum_{a != i} exp(z_i z_a / t) )

    z are vectors of length 1, P(i) the others of the class of i, a all others: anchors and `earlier` vectors alike.

    >>> z = torch.eye(2)[[0, 0, 1]]
    >>> round(supervised_contrastive(z, torch.tensor([0, 0, 1]), z[:0], torch.tensor([]).long(), 1.0).item(), 4)
    0.3133
    """
    keys, key_classes = torch.cat([anchors, earlier]), torch.cat([classes, earlier_classes])
    if len(keys) < 2:
        return anchors.sum() * 0
    # The mean over companions of z_i z_p is z_i times their mean: sums per class spare a table of all pairs.
    one_of = functional.one_hot(key_classes).to(keys.dtype)
    companions = one_of.sum(0)[classes] - 1
    near = anchors * ((one_of.T @ keys)[classes] - anchors)
    likeness = (anchors / temperature) @ keys.T
    total = likeness.fill_diagonal_(-torch.inf).logsumexp(1)
    has = companions > 0
    losses = total - near.sum(1) / companions.clamp(min=1) / temperature
    return torch.where(has, losses, 0.0).sum() / has.sum().clamp(min=1)


class Queue(nn.Module):
    """The latest vectors and their classes, oldest overwritten first. Holds no gradient; not saved with weights."""

    vectors: Tensor
    classes: Tensor

    def __init__(self, capacity: int, size: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(capacity, size), persistent=False)
        self.register_buffer("classes", torch.zeros(capacity, dtype=torch.long), persistent=False)
        self.pushed = 0
        """How many vectors ever came in."""

    def clear(self) -> None:
        self.pushed = 0

    def content(self) -> tuple[Vectors, Classes]:
        """Copies of what is in it, in no particular order: at most `capacity` vectors."""
        filled = min(self.pushed, len(self.classes))
        return self.vectors[:filled].clone(), self.classes[:filled].clone()

    @torch.no_grad()
    def push(self, vectors: Vectors, classes: Classes) -> None:
        """Put vectors in; of more than fit, the last ones."""
        capacity = len(self.classes)
        if capacity == 0:
            return
        kept = slice(max(0, len(classes) - capacity), None)
        first = self.pushed + kept.start
        places = torch.arange(first, self.pushed + len(classes), device=classes.device) % capacity
        self.vectors[places] = vectors[kept].detach()
        self.classes[places] = classes[kept]
        self.pushed += len(classes)
