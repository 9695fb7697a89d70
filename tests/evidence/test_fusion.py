"""Fusion against the papers' formulas on belief masses, worked by hand or written out here independently."""

from itertools import permutations

import numpy as np
import pytest

from emer.errors import ConfigError, OpinionError
from emer.evidence import opinion as op
from emer.evidence.dirichlet import LARGEST
from emer.evidence.fusion import DISCOUNTS, RULES, Views, fuse, views_in_play
from emer.types import Opinion

MOOD = ("good", "bad", "flat")
TRUST = {"audio": 0.9, "visual": 0.4, "text": 0.7}


def mood(*evidence: float, trained: bool = True) -> Opinion:
    return op.dirichlet("mood", MOOD, evidence, trained=trained)


def random_views(rng: np.random.Generator) -> dict[str, Opinion]:
    return {view: mood(*rng.exponential(4.0, 3)) for view in ("audio", "visual", "text")}


def reliabilities(rule: str) -> dict[str, float] | None:
    return TRUST if rule in DISCOUNTS else None


def dempster_on_masses(b1: np.ndarray, u1: float, b2: np.ndarray, u2: float) -> tuple[np.ndarray, float]:
    """Reduced Dempster rule as the papers print it, with its double sum and its normaliser."""
    conflict = sum(b1[i] * b2[j] for i in range(len(b1)) for j in range(len(b2)) if i != j)
    return (b1 * b2 + b1 * u2 + b2 * u1) / (1 - conflict), u1 * u2 / (1 - conflict)


# ---------------------------------------------------------------- Dempster


def test_dempster_by_hand() -> None:
    """Masses (.5, .25 | u .25) and (.25, .25 | u .5) over two labels.

    C = .5*.25 + .25*.25 = .1875, 1 - C = .8125 = 13/16.
    b_good = (.125 + .25 + .0625) / .8125 = 7/13, b_bad = (.0625 + .125 + .0625) / .8125 = 4/13,
    u = .125 / .8125 = 2/13.
    """
    a = op.from_belief("mood", ("good", "bad"), [0.5, 0.25], 0.25)
    b = op.from_belief("mood", ("good", "bad"), [0.25, 0.25], 0.5)
    fused = fuse({"audio": a, "visual": b}, "dempster")
    assert op.belief(fused) == pytest.approx([7 / 13, 4 / 13])
    assert op.uncertainty(fused) == pytest.approx(2 / 13)


def test_dempster_on_evidence_equals_the_printed_rule_on_masses() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        a, b = mood(*rng.exponential(4.0, 3)), mood(*rng.exponential(4.0, 3))
        masses, u = dempster_on_masses(op.belief(a), op.uncertainty(a), op.belief(b), op.uncertainty(b))
        fused = fuse({"audio": a, "visual": b}, "dempster")
        assert op.belief(fused) == pytest.approx(masses)
        assert op.uncertainty(fused) == pytest.approx(u)


@pytest.mark.parametrize("rule", ["dempster", "cumulative"])
def test_dempster_and_cumulative_are_associative(rule: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        a, b, c = random_views(rng).values()
        left = fuse({"x": fuse({"x": a, "y": b}, rule), "y": c}, rule)
        right = fuse({"x": a, "y": fuse({"x": b, "y": c}, rule)}, rule)
        assert left.evidence == pytest.approx(right.evidence)


@pytest.mark.parametrize("rule", ["dempster", "cumulative"])
def test_an_opinion_without_evidence_is_neutral_for_dempster_and_cumulative(rule: str) -> None:
    a = mood(3, 1, 0.5)
    assert fuse({"audio": a, "visual": mood(0, 0, 0)}, rule).evidence == pytest.approx(a.evidence)


def test_dempsters_uncertainty_falls_under_conflict() -> None:
    """The known flaw: two views that contradict each other leave less uncertainty than either had."""
    good, bad = mood(6, 0, 0), mood(0, 6, 0)
    assert op.uncertainty(fuse({"audio": good, "visual": bad}, "dempster")) < op.uncertainty(good)
    assert op.uncertainty(fuse({"audio": good, "visual": bad}, "average")) == pytest.approx(op.uncertainty(good))


# ---------------------------------------------------------------- the other rules


def test_each_rule_by_hand() -> None:
    """e1 = (6, 0, 0), e2 = (0, 3, 0), W = 3.

    Confidences: p1 = 7/9, p2 = 4/6, so confidence-weighted gives 6*(7/9)/(13/9) = 42/13 and 3*(6/9)/(13/9) = 18/13.
    Discount r = (.5, 1): b1 = 6/9 -> 3/9, u1 = 6/9, so e1' = 3*(3/9)/(6/9) = 1.5; e2' = 3. Dempster adds (1.5, 3, 0).
    """
    views = {"audio": mood(6, 0, 0), "visual": mood(0, 3, 0)}
    trust = {"audio": 0.5, "visual": 1.0}
    assert fuse(views, "average").evidence == pytest.approx((3, 1.5, 0))
    assert fuse(views, "cumulative").evidence == pytest.approx((6, 3, 0))
    assert fuse(views, "weighted").evidence == pytest.approx((3, 1.5, 0))
    assert fuse(views, "weighted", {"audio": 1.0, "visual": 2.0}).evidence == pytest.approx((6, 6, 0))
    assert fuse(views, "confidence_weighted").evidence == pytest.approx((42 / 13, 18 / 13, 0))
    assert fuse(views, "discount", trust).evidence == pytest.approx((1.5, 3, 0))
    assert fuse(views, "discount_cumulative", trust).evidence == pytest.approx((1.5, 3, 0))
    assert fuse(views, "discount_average", trust).evidence == pytest.approx((0.75, 1.5, 0))


def test_discounting_scales_belief_and_certainty_by_reliability() -> None:
    """Shafer's definition, b' = r b and u' = 1 - r (1 - u), on a view that is fused with nothing else."""
    rng = np.random.default_rng(2)
    for r in (0.0, 0.3, 1.0):
        a = mood(*rng.exponential(4.0, 3))
        trusted = fuse({"audio": a}, "discount", {"audio": r})
        assert op.belief(trusted) == pytest.approx(r * op.belief(a))
        assert op.uncertainty(trusted) == pytest.approx(1 - r * (1 - op.uncertainty(a)))


def test_confidence_weighting_follows_the_surer_view() -> None:
    fused = fuse({"audio": mood(30, 0, 0), "visual": mood(0, 0.5, 0.5)}, "confidence_weighted")
    mean = fuse({"audio": mood(30, 0, 0), "visual": mood(0, 0.5, 0.5)}, "average")
    assert fused.evidence[0] > mean.evidence[0]


def test_the_log_linear_pool_of_independent_views_is_bayes_rule() -> None:
    """By hand: priors .5, .25, .25; p(label | voice) .6 .3 .1 and p(label | face) .2 .4 .4, each of strength 10.

    p ~ prior * (p_voice / prior) * (p_face / prior) = .24 : .48 : .16, that is .2727 .5455 .1818.
    """
    rate = np.array([0.5, 0.25, 0.25])
    alpha = 10 * np.array([[0.6, 0.3, 0.1], [0.2, 0.4, 0.4]])
    views = Views(alpha - rate, np.ones(2, dtype=bool), rate, 1.0, np.ones(2))
    fused = RULES["log_linear"](views) + rate
    assert fused / fused.sum() == pytest.approx([0.24 / 0.88, 0.48 / 0.88, 0.16 / 0.88])


def test_the_log_linear_pool_without_reliabilities_is_the_geometric_mean_of_alpha() -> None:
    fused = fuse({"audio": mood(3, 0, 1), "visual": mood(0, 8, 1)}, "log_linear")
    assert np.add(fused.evidence, 1) == pytest.approx([2, 3, 2])


@pytest.mark.parametrize("rule", RULES)
def test_the_order_of_the_views_does_not_matter(rule: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(10):
        views = random_views(rng)
        results = {fuse(dict(order), rule, reliabilities(rule)) for order in permutations(views.items())}
        assert len(results) == 1


@pytest.mark.parametrize("rule", RULES)
def test_renaming_the_views_does_not_matter(rule: str) -> None:
    """The views are stacked by name: under other names their order in the arithmetic is another one."""
    rng = np.random.default_rng(4)
    opinions, trust = list(random_views(rng).values()), [0.9, 0.4, 0.7]
    results = []
    for order in permutations("abc"):
        given = dict(zip(order, trust, strict=True)) if rule in DISCOUNTS else None
        results.append(fuse(dict(zip(order, opinions, strict=True)), rule, given).evidence)
    for result in results:
        assert result == pytest.approx(results[0])


@pytest.mark.parametrize("rule", RULES)
def test_one_view_alone_keeps_its_opinion(rule: str) -> None:
    a = mood(3, 1, 0.5)
    trust = {"audio": 1.0} if rule in DISCOUNTS else None
    assert fuse({"audio": a}, rule, trust).evidence == pytest.approx(a.evidence)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "pair",
    [
        ((0, 0, 0), (0, 0, 0)),
        ((1e12, 0, 0), (0, 1e12, 0)),
        ((1e12, 0, 0), (1e12, 0, 0)),
        ((LARGEST, LARGEST, LARGEST), (LARGEST, 0, 0)),
    ],
)
def test_every_rule_is_finite_at_the_edges(rule: str, pair: tuple[tuple[float, ...], ...]) -> None:
    """Among them total conflict, where C comes to 1 as near as a double can."""
    fused = fuse({"audio": mood(*pair[0]), "visual": mood(*pair[1])}, rule, reliabilities(rule))
    assert op.checked(fused) is fused
    assert np.all(np.isfinite([*op.probability(fused), op.uncertainty(fused)]))
    assert op.probability(fused).sum() == pytest.approx(1.0)


def test_total_conflict_leaves_two_equal_halves() -> None:
    fused = fuse({"audio": mood(1e12, 0, 0), "visual": mood(0, 1e12, 0)}, "dempster")
    assert op.probability(fused) == pytest.approx([0.5, 0.5, 0.0], abs=1e-9)


# ---------------------------------------------------------------- who takes part


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_leaves_out_a_view_that_is_not_there(rule: str) -> None:
    rng = np.random.default_rng(5)
    views = random_views(rng)
    there = {view: views[view] for view in ("audio", "visual")}
    missing = there | {"text": op.vacuous("mood", MOOD)}
    assert fuse(missing, rule, reliabilities(rule)) == fuse(there, rule, reliabilities(rule))


def test_a_present_view_without_evidence_does_enter_the_average() -> None:
    """A view that looked and found nothing is not a view that is missing."""
    assert fuse({"audio": mood(4, 0, 0), "visual": mood(0, 0, 0)}, "average").evidence == pytest.approx((2, 0, 0))


@pytest.mark.parametrize("rule", ["average", "weighted", "confidence_weighted", "dempster", "cumulative", "log_linear"])
def test_in_a_batch_each_row_has_its_own_missing_views(rule: str) -> None:
    rng = np.random.default_rng(6)
    evidence = rng.exponential(4.0, (3, 4, 3))
    present = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 1, 0]], dtype=bool)
    batch = RULES[rule](Views(evidence, present, np.full(3, 1 / 3), 3.0))
    for row in range(3):
        views = {str(v): mood(*evidence[v, row]) for v in range(3) if present[v, row]}
        assert batch[row] == pytest.approx(fuse(views, rule).evidence)
    assert batch[3].tolist() == [0.0, 0.0, 0.0]


def test_no_view_at_all_gives_the_vacuous_opinion() -> None:
    absent = op.vacuous("mood", MOOD, prior_weight=0.3)
    assert fuse({"audio": absent, "text": absent}) == absent


def test_hints_leave_the_fusion_as_soon_as_one_view_is_trained() -> None:
    trained, hint = mood(5, 0, 0), mood(0, 1, 0, trained=False)
    assert views_in_play({"audio": trained, "visual": hint}) == {"audio": trained}
    assert fuse({"audio": trained, "visual": hint}) == trained
    assert views_in_play({"visual": hint, "audio": op.vacuous("mood", MOOD)}) == {"visual": hint}


def test_a_fused_opinion_is_trained_only_when_its_views_are() -> None:
    assert fuse({"audio": mood(1, 0, 0)}).trained
    assert not fuse({"audio": mood(1, 0, 0, trained=False)}).trained


def test_three_hints_of_little_evidence_stay_hints_after_fusion() -> None:
    """Total evidence 0.75 of W = 3 is u = .8; the default rule must not add hints up."""
    hints = {view: mood(0.75, 0, 0, trained=False) for view in ("audio", "visual", "text")}
    assert op.uncertainty(fuse(hints)) == pytest.approx(0.8)


def test_a_missing_view_lowers_the_evidence_under_fitted_reliabilities() -> None:
    views = {"audio": mood(4, 0, 0), "visual": mood(4, 0, 0)}
    both = fuse(views, "weighted", {"audio": 0.6, "visual": 0.4})
    alone = fuse({"audio": views["audio"]}, "weighted", {"audio": 0.6, "visual": 0.4})
    assert op.uncertainty(alone) > op.uncertainty(both)


# ---------------------------------------------------------------- beta opinions


@pytest.mark.parametrize("rule", RULES)
def test_beta_opinions_are_fused_label_by_label(rule: str) -> None:
    """Each label must come out as the two-outcome Dirichlet opinion of (for, against) does."""
    rng = np.random.default_rng(7)
    numbers = rng.exponential(3.0, (2, 3, 2))
    trust = {"audio": 0.9, "visual": 0.4} if rule in DISCOUNTS else None
    fused = fuse({v: op.beta("moods", MOOD, numbers[i]) for i, v in enumerate(("audio", "visual"))}, rule, trust)
    for label in range(3):
        pairs = {
            v: op.dirichlet("one", ("for", "against"), numbers[i, label]) for i, v in enumerate(("audio", "visual"))
        }
        assert op.evidence(fused)[label] == pytest.approx(fuse(pairs, rule, trust).evidence)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (op.dirichlet("weather", MOOD, [1, 1, 1]), "label_set"),
        (op.dirichlet("mood", ("good", "flat", "bad"), [1, 1, 1]), "labels"),
        (op.beta("mood", MOOD, [1, 1, 1, 1, 1, 1]), "kind"),
        (op.dirichlet("mood", MOOD, [1, 1, 1], prior_weight=1.0), "prior_weight"),
        (op.dirichlet("mood", MOOD, [1, 1, 1], base_rate=[0.5, 0.25, 0.25]), "base_rate"),
    ],
)
def test_opinions_that_do_not_speak_of_the_same_thing_are_refused(other: Opinion, field: str) -> None:
    with pytest.raises(OpinionError) as caught:
        fuse({"audio": mood(1, 0, 0, trained=False), "visual": other})
    assert str(caught.value).startswith(f"audio has {field} ")
    assert "visual has " in str(caught.value)


def test_an_invalid_opinion_is_refused_before_it_is_fused() -> None:
    wrong = Opinion("mood", MOOD, "dirichlet", (1.0, -1.0, 0.0), 3.0, (1 / 3, 1 / 3, 1 / 3), trained=True)
    with pytest.raises(OpinionError, match="evidence 'bad' is -1"):
        fuse({"audio": wrong})


def test_unknown_rules_and_reliabilities_that_do_not_fit_are_refused() -> None:
    views = {"audio": mood(1, 0, 0), "visual": mood(0, 1, 0)}
    with pytest.raises(ConfigError, match="fusion rule 'yager' is not known; choose one of weighted, average,"):
        fuse(views, "yager")
    with pytest.raises(ConfigError, match="'average' takes no reliabilities; choose weighted,"):
        fuse(views, "average", TRUST)
    with pytest.raises(ConfigError, match="'discount' needs reliabilities"):
        fuse(views, "discount")
    with pytest.raises(OpinionError, match="no reliability for visual; it has audio"):
        fuse(views, "weighted", {"audio": 1.0})
    with pytest.raises(OpinionError, match=r"must be numbers between 0 and 1"):
        fuse(views, "discount", {"audio": 1.0, "visual": 1.5})
    with pytest.raises(OpinionError, match=r"must be numbers from 0 up"):
        fuse(views, "weighted", {"audio": 1.0, "visual": -0.5})
    with pytest.raises(OpinionError, match="there is no opinion to fuse"):
        fuse({})
