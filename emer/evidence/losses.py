"""What a head is trained on: pure functions of the Dirichlet parameters and what people said, one number per clip.

`alpha = e + W a` (`emer.evidence.dirichlet`), `S = sum(alpha)`, `p = alpha / S`. The target `y` is a distribution
over the labels: one-hot, or the shares of the raters' votes.

A beta opinion is the case of two outcomes, (for, against), label by label. So every function here serves it too:
give alpha of shape "batch label 2" and the target of `two_sided`, and add the answers up over the labels
(`emer.evidence.view_losses` does). For the digamma loss that is the multi-label loss of the literature,
`y (psi(a+b) - psi(a)) + (1-y) (psi(a+b) - psi(b))`.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from emer.errors import ConfigError

Alpha = Float[Tensor, "*batch outcome"]
Target = Float[Tensor, "*batch outcome"]
PerClip = Float[Tensor, "*batch"]
Loss = Callable[[Tensor, Tensor], Tensor]


# ---------------------------------------------------------------- targets


def one_hot(label: Int[Tensor, "*batch"], labels: int) -> Float[Tensor, "*batch label"]:
    """The target of clips with one right label each, given by its place in the label set."""
    return torch.nn.functional.one_hot(label, labels).float()


def two_sided(target: Float[Tensor, "*batch label"]) -> Float[Tensor, "*batch label two=2"]:
    """(y, 1 - y) label by label: the target of beta opinions. `y` in [0, 1], the share of raters who see the label."""
    return torch.stack([target, 1 - target], dim=-1)


# ---------------------------------------------------------------- losses of one opinion


def digamma(alpha: Alpha, target: Target) -> PerClip:
    """Bayes risk of cross-entropy, `E[-sum_k y_k log p_k] = sum_k y_k (psi(S) - psi(alpha_k))`.

    Sensoy, Kaplan & Kandemir 2018, equation 4; the loss of TMC, ETMC and ECML.
    """
    return (target * (torch.digamma(_strength(alpha)) - torch.digamma(alpha))).sum(-1)


def log(alpha: Alpha, target: Target) -> PerClip:
    """Type II maximum likelihood, `sum_k y_k (log S - log alpha_k)` (Sensoy et al. 2018, equation 3).

    It is the cross-entropy of the mean p, so it asks for no more evidence than p needs.
    """
    return (target * (_strength(alpha).log() - alpha.log())).sum(-1)


def squared(alpha: Alpha, target: Target) -> PerClip:
    """Bayes risk of the squared error, `sum_k (y_k - p_k)^2 + p_k (1 - p_k) / (S + 1)` (Sensoy et al. 2018, eq. 5)."""
    return _squared_terms(alpha, target).sum(-1)


def redl(alpha: Alpha, target: Target) -> PerClip:
    """Squared error of the mean, `sum_k (y_k - p_k)^2`: R-EDL (Chen, Gao & Xu 2024, section 4) drops the variance.

    Its other half is the prior weight, `W = lambda K` with lambda about 0.1: that is the head's.
    """
    return (target - _mean(alpha)).square().sum(-1)


def iedl(alpha: Alpha, target: Target, log_det: float = 0.01) -> PerClip:
    """Squared error weighed by Fisher information: I-EDL (Deng et al. 2023, equations 9 to 12).

        sum_k [(y_k - p_k)^2 + p_k (1 - p_k) / (S + 1)] psi'(alpha_k) - log_det * log |I(alpha)|

    A label with little evidence carries more information and so counts more.
    """
    weight = torch.polygamma(1, alpha)
    return (weight * _squared_terms(alpha, target)).sum(-1) - log_det * log_det_fisher(alpha)


def log_det_fisher(alpha: Alpha) -> PerClip:
    """Logarithm of the determinant of Dirichlet's Fisher information, `I = diag(psi'(alpha)) - psi'(S) 1 1^T`.

    By the matrix determinant lemma it is `sum_k log psi'(alpha_k) + log(1 - psi'(S) sum_k 1 / psi'(alpha_k))`. The last
    difference vanishes with growing evidence (about (K - 1) / (2 S)), so it is taken in double precision.
    """
    exact = alpha.double()
    information = torch.polygamma(1, exact)
    rest = 1 - (torch.polygamma(1, _strength(exact)) / information).sum(-1)
    return (information.log().sum(-1) + rest.log()).to(alpha.dtype)


# ---------------------------------------------------------------- what holds evidence back


def misleading_kl(alpha: Alpha, target: Target, prior: Float[Tensor, "... outcome"]) -> PerClip:
    """KL divergence to the prior of what speaks for wrong labels: 0 when all evidence is for the right one.

    `KL(Dir(prior + (1 - y) (alpha - prior)) || Dir(prior))` with `prior = W a`; for W = K and an even base rate that
    is the regulariser of Sensoy et al. 2018, `KL(Dir(y + (1 - y) alpha) || Dir(1))`. Votes keep of each label's
    evidence the share of raters who did not choose it.
    """
    return kl_dirichlet(prior + (1 - target) * (alpha - prior), prior.expand_as(alpha))


def kl_dirichlet(alpha: Alpha, other: Alpha) -> PerClip:
    """KL(Dir(alpha) || Dir(other)); at least 0. In double precision: the log-gammas of much evidence nearly cancel."""
    a, b = alpha.double(), other.double()
    total_a, total_b = _strength(a), _strength(b)
    volume = torch.lgamma(total_a) - torch.lgamma(total_b) + (torch.lgamma(b) - torch.lgamma(a)).sum(-1, keepdim=True)
    pull = ((a - b) * (torch.digamma(a) - torch.digamma(total_a))).sum(-1, keepdim=True)
    return (volume + pull).squeeze(-1).to(alpha.dtype)


def annealed(largest: float, epoch: int, over: int) -> float:
    """Weight of a regulariser in an epoch (counted from 0): it grows evenly to `largest` in `over` epochs.

    >>> [annealed(0.1, epoch, 2) for epoch in range(4)]
    [0.0, 0.05, 0.1, 0.1]
    """
    return largest * min(1.0, epoch / over) if over > 0 else largest


# ---------------------------------------------------------------- by name


LOSSES: dict[str, Loss] = {"digamma": digamma, "log": log, "squared": squared, "redl": redl, "iedl": iedl}


def loss_named(name: str) -> Loss:
    """A loss of `LOSSES`. Raises ConfigError for another name."""
    if name not in LOSSES:
        raise ConfigError(f"loss {name!r} is not known; choose one of {', '.join(LOSSES)}")
    return LOSSES[name]


# ---------------------------------------------------------------- shared terms


def _strength(alpha: Alpha) -> Float[Tensor, "*batch 1"]:
    return alpha.sum(-1, keepdim=True)


def _mean(alpha: Alpha) -> Alpha:
    return alpha / _strength(alpha)


def _squared_terms(alpha: Alpha, target: Target) -> Alpha:
    p = _mean(alpha)
    return (target - p).square() + p * (1 - p) / (_strength(alpha) + 1)
