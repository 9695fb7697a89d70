"""The verdict: a language model's own opinion, read at the last token of its prompt.

    z = softcap(H h)        h: the state after the last norm, which also feeds the output layer; H: the verdict's rows
    e = softplus(z)         or exp(z), cut (`emer.evidence.evidence_head`)
    alpha = e + W a         the opinion (`emer.evidence.dirichlet`)

The state at that place is the same with an answer after it and without, so training reads what serving reads, and the
written explanation cannot leak into it. Rows are trained in float32 whatever the model computes in, and exported as a
part of the LoRA adapter (`emer.adapters.rows`), where the same logits come out of the output layer itself.

Sources: evidence from logits, Sensoy, Kaplan & Kandemir 2018; the soft cap `c tanh(z / c)`, Gemma 2 (2024).
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from emer.errors import ConfigError, OpinionError
from emer.evidence import opinion
from emer.evidence.evidence_head import LARGEST_LOG_EVIDENCE
from emer.evidence.losses import two_sided
from emer.evidence.verdict_spec import VerdictSpec as VerdictSpec
from emer.evidence.view_losses import Objective, opinion_loss
from emer.types import Opinion

Logits = Float[Tensor, "*batch row"]


class VerdictHead(nn.Module):
    """The rows H, in float32, and the soft cap of the model's output layer (None where it has none).

    Rows begin at zero: every clip has the same opinion then, and the first steps train the rows before they pull at
    the states (a random head would first distort them: Kumar et al. 2022).
    """

    def __init__(self, hidden: int, spec: VerdictSpec, *, softcap: float | None = None) -> None:
        super().__init__()
        if softcap is not None and not 0 < softcap < torch.inf:
            raise ConfigError(f"verdict: the soft cap is {softcap:g}; give the model's, a number above 0, or none")
        self.spec, self.softcap = spec, softcap
        self.linear = nn.Linear(hidden, spec.rows, bias=False, dtype=torch.float32)
        nn.init.zeros_(self.linear.weight)

    @property
    def rows(self) -> Float[Tensor, "row hidden"]:
        """H as it stands, apart from the graph, in float32 on the CPU."""
        return whole(self.linear.weight.detach()).float().cpu().clone()

    def forward(self, states: Float[Tensor, "*batch hidden"]) -> Logits:
        """Logits in float32 of states of any precision, also inside autocast."""
        with torch.autocast(states.device.type, enabled=False):
            logits = nn.functional.linear(states.float(), self.linear.weight.float())
        return logits if self.softcap is None else capped(logits, self.softcap)


def whole(weight: Tensor) -> Tensor:
    """A weight as one tensor, where FSDP has spread it over processes (all of them must ask); others as they are."""
    gather = getattr(weight, "full_tensor", None)
    return weight if gather is None else gather()


def capped(logits: Logits, softcap: float) -> Logits:
    """`c tanh(z / c)`: about z where it is small, never beyond c.

    >>> [round(z, 4) for z in capped(torch.tensor([0.3, 1000.0]), 30.0).tolist()]
    [0.3, 30.0]
    """
    return softcap * torch.tanh(logits / softcap)


# ---------------------------------------------------------------- from logits to opinions


def evidence(logits: Logits, spec: VerdictSpec) -> Float[Tensor, "*batch_and_outcome"]:
    """Evidence, from 0 up: "batch label", or "batch label 2" (for, against) for a beta verdict."""
    if logits.shape[-1] != spec.rows:
        raise ConfigError(f"{logits.shape[-1]} logits for a verdict of {spec.rows} rows; read {_listed(spec)}")
    if spec.activation == "softplus":
        positive = nn.functional.softplus(logits)
    else:
        positive = logits.clamp(max=LARGEST_LOG_EVIDENCE).exp()
    return positive if spec.kind == "dirichlet" else positive.reshape(*logits.shape[:-1], len(spec.labels), 2)


def prior(spec: VerdictSpec, like: Tensor) -> Float[Tensor, "*outcome"]:
    """`W a`, alpha without evidence, in the shape of the outcomes, on the device of `like`."""
    rates = torch.tensor(spec.rates, dtype=torch.float32, device=like.device)
    return spec.weight * (rates if spec.kind == "dirichlet" else two_sided(rates))


def alpha(logits: Logits, spec: VerdictSpec) -> Float[Tensor, "*batch_and_outcome"]:
    """Parameters of the Dirichlet distribution, or of one Beta distribution per label: evidence plus prior."""
    return evidence(logits, spec) + prior(spec, logits)


def opinions(logits: Float[Tensor, "batch row"], spec: VerdictSpec) -> tuple[Opinion, ...]:
    """One trained opinion per row of logits, whoever computed them. Raises OpinionError where they are not finite."""
    exact = logits.detach().double().cpu()
    if not exact.isfinite().all():
        place = int((~exact.isfinite()).any(-1).nonzero()[0, 0])
        raise OpinionError(
            f"the verdict of answer {place} is not finite ({exact[place].tolist()}); the model or its adapter is broken"
        )
    make = opinion.dirichlet if spec.kind == "dirichlet" else opinion.beta
    return tuple(
        make(spec.label_set, spec.labels, each, prior_weight=spec.weight, base_rate=spec.rates, trained=True)
        for each in evidence(exact, spec).numpy()
    )


# ---------------------------------------------------------------- what it is trained on


def verdict_loss(
    logits: Float[Tensor, "batch row"],
    target: Float[Tensor, "batch label"],
    known: Bool[Tensor, "batch"],
    spec: VerdictSpec,
    objective: Objective,
    epoch: int = 0,
) -> Float[Tensor, "batch"]:
    """The evidential loss of each clip; 0 and without gradient where nobody said what is right (`known` False).

    `target` is a distribution over the labels (dirichlet), or the share of raters who see each label (beta);
    `emer.evidence.verdict_labels.targets` makes both. Always part of the graph, so that a batch without labels
    trains like any other in distributed runs.
    """
    wanted = target if spec.kind == "dirichlet" else two_sided(target)
    loss = opinion_loss(alpha(logits.float(), spec), wanted.float(), prior(spec, logits), objective, epoch)
    return torch.where(known, loss, torch.zeros_like(loss))


def _listed(spec: VerdictSpec) -> str:
    return f"one per row: {', '.join(spec.row_names)}"
