"""What may be believed of trained views that were fused in another way than in calibration."""

from dataclasses import replace

from emer.evidence.calibration import Calibration, ViewSet
from emer.evidence.fusion import fuse
from emer.evidence.judgement import Heard, judge
from emer.evidence.opinion import dirichlet
from emer.evidence.selective import Threshold
from emer.types import Opinion, PromptRecord

LABELS = ("good", "bad")


def opinion(good: float, bad: float) -> Opinion:
    return dirichlet("mood", LABELS, [good, bad], trained=True)


def calibration(*views: str) -> Calibration:
    return Calibration(
        data="mine",
        label_set="mood",
        labels=LABELS,
        kind="dirichlet",
        prior_weight=2.0,
        method="temperature",
        n=100,
        sets=(ViewSet(views=views, n=100, temperature=(1.0,)),),
        rows=(),
    )


def test_a_calibration_holds_for_the_fusion_it_was_fitted_with() -> None:
    """By hand: the average of (4, 0) and (2, 0) is alpha (4, 1), so 4/5; by Dempster's rule there is no number."""
    two = {"audio": opinion(4, 0), "text": opinion(2, 0)}
    heard = Heard(opinions=two, calibration=calibration("audio", "text"), fusion="average")
    assert round(judge(heard, two, fuse(two, "average")).confidence or 0, 9) == 0.8
    other = judge(heard, two, fuse(two, "dempster"), as_calibrated=False)
    assert (other.confidence, other.trusted, other.record) == (None, None, None)
    assert [notice.code for notice in other.notices] == ["not_calibrated"]


def test_where_calibration_found_no_threshold_it_is_not_said_that_a_clip_lies_below_one() -> None:
    """3 of 4 for good: 4/5 at temperature 1. Nothing is trusted, and the reason is the calibration and not the clip."""
    one = {"audio": opinion(3, 0)}
    none = Threshold(value=None, target_risk=0.2, risk=None, coverage=0.0, n=100, guarantee=None, rows=())
    heard = Heard(opinions=one, calibration=replace(calibration("audio"), threshold=none))
    found = judge(heard, one, fuse(one))
    assert (round(found.confidence or 0, 9), found.trusted) == (0.8, False)
    assert [(notice.code, notice.text) for notice in found.notices] == [
        ("no_threshold", "no threshold kept the errors among trusted clips to 20 % at calibration: no clip is trusted")
    ]
    some = replace(none, value=0.9)
    below = judge(replace(heard, calibration=replace(calibration("audio"), threshold=some)), one, fuse(one))
    assert (below.trusted, below.notices) == (False, ())


def test_a_verdict_behind_another_prompt_than_in_calibration_has_no_confidence() -> None:
    """3 of 4 for good behind the same prompt, and for heads behind any: 4/5."""
    said, hashed = {"verdict": opinion(3, 0)}, "a" * 64
    made = replace(calibration("verdict"), prompt=hashed)
    heard, fused = Heard(calibration=made), fuse(said)
    same = judge(heard, said, fused, behind=PromptRecord("mine", hashed))
    assert round(same.confidence or 0, 9) == 0.8
    for behind in (PromptRecord("other", "b" * 64), None):
        found = judge(heard, said, fused, behind=behind)
        assert (found.confidence, found.trusted, [n.code for n in found.notices]) == (None, None, ["not_calibrated"])
    heads = {"audio": opinion(3, 0)}
    of_heads = Heard(opinions=heads, calibration=replace(calibration("audio"), prompt=hashed))
    assert round(judge(of_heads, heads, fuse(heads)).confidence or 0, 9) == 0.8


def test_one_view_alone_is_the_same_whatever_the_rule() -> None:
    one = {"audio": opinion(3, 0)}
    heard = Heard(opinions=one, calibration=calibration("audio"))
    assert round(judge(heard, one, fuse(one, "dempster"), as_calibrated=False).confidence or 0, 9) == 0.8
