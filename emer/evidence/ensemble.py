"""Several methods trained from different seeds, speaking as one: the mean of their probabilities.

Source: Lakshminarayanan et al. 2017 (deep ensembles). As dear as its members together; a yardstick, not a method.
"""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from emer.errors import ConfigError
from emer.evidence.heads import ViewInput
from emer.evidence.method import Method, Spoken


class Ensemble(nn.Module):
    """Members with one shape. It speaks like a method; each member is trained by itself."""

    def __init__(self, members: Sequence[Method]) -> None:
        super().__init__()
        if not members:
            raise ConfigError("an ensemble needs members; give at least one")
        self.members = nn.ModuleList(members)
        self.shape = members[0].shape

    def speak(self, inputs: Mapping[str, ViewInput], present: Bool[Tensor, "view batch"] | None = None) -> Spoken:
        """The mean of the members' fused probabilities; views of its own it has none, and no evidence."""
        spoken = [member.speak(inputs, present) for member in self.members if isinstance(member, Method)]
        shares = torch.stack([one.fused / one.fused.sum(-1, keepdim=True) for one in spoken]).mean(0)
        return Spoken((), shares[None][:0], spoken[0].present[:0], shares, None)
