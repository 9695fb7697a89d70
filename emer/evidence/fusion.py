"""Several views' opinions become one: seven rules, and who takes part.

All rules work on evidence (`emer.evidence.dirichlet`); in a batch each row has its own mask of present views.

    dempster              e = e1 + e2 + e1 e2 / W, label by label, view after view
    average               e = mean_v e_v
    cumulative            e = sum_v e_v
    weighted              e = sum_v r_v e_v; without reliabilities, the average
    discount              e_v -> W r_v e_v / (W + (1 - r_v) sum e_v), then Dempster (or the rule that is named)
    confidence_weighted   e = sum_v c_v e_v / sum_v c_v, c_v = the largest probability of view v
    log_linear            W a + e = W a prod_v (1 + e_v / (W a))^r_v; without reliabilities, r_v = 1 / present views

Views are rarely independent: what two of them read twice, cumulative and Dempster count twice. Hence the
default is `weighted`. Without reliabilities all views weigh the same and the weights add to 1 over the views
that are present, so that three hints of uncertainty .8 or more fuse to one of .8 or more. Fitted reliabilities
are used as they are: when a view is missing, its share of the evidence is missing, and uncertainty is larger.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float

from emer.errors import ConfigError, OpinionError
from emer.evidence import dirichlet
from emer.evidence.opinion import base_rate, checked, evidence, refuse_unlike, vacuous
from emer.types import Opinion


@dataclass(frozen=True, slots=True)
class Views:
    """Evidence of several views over the same outcomes. What stands where `present` is False is not looked at."""

    evidence: Float[np.ndarray, "view *batch outcome"]
    present: Bool[np.ndarray, "view *batch"]
    base_rate: Float[np.ndarray, "*#batch outcome"]
    prior_weight: float
    reliability: Float[np.ndarray, "view"] | None = None

    @property
    def seen(self) -> Float[np.ndarray, "view *batch outcome"]:
        """Evidence with zeros for what is missing: the vacuous opinion."""
        return np.where(self.present[..., None], self.evidence, 0.0)


Fused = Float[np.ndarray, "*batch outcome"]
Rule = Callable[[Views], Fused]


# ---------------------------------------------------------------- who takes part


def views_in_play(opinions: Mapping[str, Opinion]) -> dict[str, Opinion]:
    """The views that are fused: those present; and as soon as one of them is trained, the trained ones alone."""
    present = {view: o for view, o in opinions.items() if o.present}
    return {view: o for view, o in present.items() if o.trained} or present


def fuse(
    opinions: Mapping[str, Opinion], rule: str = "weighted", reliabilities: Mapping[str, float] | None = None
) -> Opinion:
    """One opinion from those of several views. The order of the views does not matter.

    Absent views are left out, and untrained ones too where a trained one is there. When no view is present the
    result is vacuous. `reliabilities` are numbers from 0 up per view (to 1 for the discount rules), for the rules
    that take them: `weighted`, `log_linear`, `discount`, `discount_average`, `discount_cumulative`.

    Raises OpinionError when views differ in label set, kind, prior weight or base rate, or lack a reliability;
    ConfigError for a rule that does not exist or takes no reliabilities.

    >>> from emer.evidence.opinion import dirichlet, uncertainty
    >>> voice, face = dirichlet("mood", ["good", "bad"], [4, 0]), dirichlet("mood", ["good", "bad"], [0, 2])
    >>> fuse({"audio": voice, "visual": face}).evidence
    (2.0, 1.0)
    >>> fuse({"audio": voice, "visual": face}, "weighted", {"audio": 1.0, "visual": 2.0}).evidence
    (4.0, 4.0)
    >>> fuse({"audio": voice, "visual": voice}, "dempster").evidence
    (16.0, 0.0)
    """
    refuse_rule(rule, reliabilities)
    if not opinions:
        raise OpinionError("there is no opinion to fuse; give at least one view")
    playing = views_in_play(opinions)
    like = _alike(playing or opinions)
    if not playing:
        return vacuous(like.label_set, like.labels, like.kind, like.prior_weight, like.base_rate)
    fused = np.minimum(RULES[rule](_stacked(playing, reliabilities)), dirichlet.LARGEST)
    return Opinion(
        label_set=like.label_set,
        labels=like.labels,
        kind=like.kind,
        evidence=tuple(fused.ravel().tolist()),
        prior_weight=like.prior_weight,
        base_rate=like.base_rate,
        trained=like.trained,
    )


def refuse_rule(rule: str, reliabilities: Mapping[str, float] | None) -> None:
    """Raises ConfigError for a rule that does not exist, and for reliabilities that it does not take or lacks."""
    if rule not in RULES:
        raise ConfigError(f"fusion rule {rule!r} is not known; choose one of {', '.join(RULES)}")
    if reliabilities is not None and rule not in TAKES_RELIABILITIES:
        raise ConfigError(f"fusion rule {rule!r} takes no reliabilities; choose {', '.join(TAKES_RELIABILITIES)}")
    if reliabilities is None and rule in DISCOUNTS:
        raise ConfigError(f"fusion rule {rule!r} needs reliabilities: one number between 0 and 1 per view")


def _alike(opinions: Mapping[str, Opinion]) -> Opinion:
    """One of the opinions, after it was made sure that all are valid and speak of the same thing."""
    refuse_unlike(opinions, ("label_set", "labels", "kind", "prior_weight", "base_rate"))
    for opinion in opinions.values():
        checked(opinion)
    return next(iter(opinions.values()))


def _stacked(opinions: Mapping[str, Opinion], reliabilities: Mapping[str, float] | None) -> Views:
    views = sorted(opinions)  # so that rounding does not depend on the order either
    numbers = np.stack([evidence(opinions[view]) for view in views])
    return Views(
        evidence=numbers,
        present=np.ones(numbers.shape[:-1], dtype=bool),
        base_rate=base_rate(opinions[views[0]]),
        prior_weight=opinions[views[0]].prior_weight,
        reliability=None if reliabilities is None else _reliability(views, reliabilities),
    )


def _reliability(views: list[str], reliabilities: Mapping[str, float]) -> Float[np.ndarray, "view"]:
    if missing := [view for view in views if view not in reliabilities]:
        raise OpinionError(f"no reliability for {', '.join(missing)}; it has {', '.join(reliabilities) or 'none'}")
    return np.asarray([reliabilities[view] for view in views], dtype=float)


# ---------------------------------------------------------------- the rules


def dempster(views: Views) -> Fused:
    """Reduced Dempster rule of the trusted multi-view papers (Han et al. 2021, equation 4), on evidence.

    With belief b and uncertainty u they write `b_k = (b1_k b2_k + b1_k u2 + b2_k u1) / (1 - C)` and
    `u = u1 u2 / (1 - C)`. In `e_k = W b_k / u_k` the normaliser 1 - C cancels: `e = e1 + e2 + e1 e2 / W`.
    So nothing is divided by a vanishing 1 - C under total conflict, and what has to be clamped is the product
    of very large evidence. Commutative, associative, vacuous is neutral. Uncertainty shrinks under conflict too.
    """
    fused: Fused = np.zeros_like(views.seen[0])
    for one in views.seen:
        fused = np.minimum(fused + one + fused * (one / views.prior_weight), dirichlet.LARGEST)
    return fused


def average(views: Views) -> Fused:
    """Averaging belief fusion (Xu et al. 2024, method ECML): the true mean over the views that are present."""
    return _weighted_mean(views, np.ones(views.present.shape))


def cumulative(views: Views) -> Fused:
    """Cumulative belief fusion (Jøsang 2016, section 12.3): evidence adds up. Associative, vacuous is neutral."""
    return np.asarray(views.seen.sum(axis=0))


def weighted(views: Views) -> Fused:
    """Evidence times reliability, added up; without reliabilities, the average of the views that are present."""
    if views.reliability is None:
        return average(views)
    _refuse_reliability(views.reliability, highest=np.inf)
    return np.asarray(np.tensordot(views.reliability, views.seen, axes=1))


def discount(views: Views, then: Rule) -> Fused:
    """Trust discounting (Shafer 1976, chapter 11), then another rule: `b' = r b`, `u' = 1 - r (1 - u)`.

    On evidence, with E the sum over labels: `e' = W r e / (W + (1 - r) E)`.
    """
    if views.reliability is None:
        raise OpinionError("discounting needs reliabilities: one number between 0 and 1 per view")
    _refuse_reliability(views.reliability, highest=1.0)
    r = views.reliability.reshape(-1, *[1] * (views.evidence.ndim - 1))
    total = views.seen.sum(axis=-1, keepdims=True)
    trusted = views.prior_weight * r * views.seen / (views.prior_weight + (1 - r) * total)
    return then(Views(np.asarray(trusted), views.present, views.base_rate, views.prior_weight))


def confidence_weighted(views: Views) -> Fused:
    """Mean weighed by each view's confidence, its largest probability (TER 2025, derived from its abstract)."""
    p = dirichlet.probability(views.seen, views.base_rate[None], views.prior_weight)
    return _weighted_mean(views, p.max(axis=-1))


def log_linear(views: Views) -> Fused:
    """Log-linear pool of alpha relative to the prior, label by label (Genest & Zidek 1986, section 3; Bordley 1982).

    `alpha = W a prod_v (alpha_v / (W a))^r_v`. With every r = 1 it is Bayes' rule for views that are independent
    given the label; smaller r take back what views have in common. A vacuous view is neutral, evidence is never
    negative, and reliabilities that add up to 1 keep alpha between the smallest and the largest of the views'.
    """
    count = np.maximum(views.present.sum(axis=0), 1)[..., None]
    prior = views.prior_weight * views.base_rate
    gain = np.log1p(views.seen / prior)
    if views.reliability is None:
        total = gain.sum(axis=0) / count
    else:
        _refuse_reliability(views.reliability, highest=np.inf)
        total = np.tensordot(views.reliability, gain, axes=1)
    return np.asarray(prior * np.expm1(np.minimum(total, np.log(dirichlet.LARGEST))))


def _weighted_mean(views: Views, weight: Float[np.ndarray, "view *batch"]) -> Fused:
    shares = np.where(views.present, weight, 0.0)
    total = shares.sum(axis=0)
    shares = shares / np.where(total > 0, total, 1.0)
    return np.asarray((shares[..., None] * views.seen).sum(axis=0))


def _refuse_reliability(reliability: Float[np.ndarray, "view"], highest: float) -> None:
    if not (np.all(np.isfinite(reliability)) and np.all((reliability >= 0) & (reliability <= highest))):
        bound = "from 0 up" if np.isinf(highest) else f"between 0 and {highest:g}"
        raise OpinionError(f"reliabilities {reliability.tolist()} must be numbers {bound}")


RULES: dict[str, Rule] = {
    "weighted": weighted,
    "average": average,
    "cumulative": cumulative,
    "dempster": dempster,
    "confidence_weighted": confidence_weighted,
    "log_linear": log_linear,
    "discount": partial(discount, then=dempster),
    "discount_average": partial(discount, then=average),
    "discount_cumulative": partial(discount, then=cumulative),
}
DISCOUNTS = ("discount", "discount_average", "discount_cumulative")
TAKES_RELIABILITIES = ("weighted", "log_linear", *DISCOUNTS)
