"""Which opinions are fused with a model's verdict, and between which there is conflict; numbers by hand."""

import pytest

from emer.engines.verdicts import conflict_among, fusable
from emer.evidence.fusion import fuse
from emer.evidence.opinion import beta, dirichlet
from emer.types import Opinion

MOOD = ("good", "bad")


def mood(good: float, bad: float, *, trained: bool = True, prior_weight: float = 2.0) -> Opinion:
    return dirichlet("mood", MOOD, [good, bad], trained=trained, prior_weight=prior_weight)


def test_without_a_verdict_everything_is_as_it_was() -> None:
    opinions = {"audio": mood(4, 0), "text": beta("mood", MOOD, [1, 0, 0, 1])}
    assert fusable(opinions) == (opinions, ())


def test_a_verdict_is_fused_with_heads_of_its_form_and_not_with_itself_by_modality() -> None:
    opinions = {"audio": mood(4, 0), "verdict": mood(0, 2), "model_audio": mood(9, 9)}
    together, notices = fusable(opinions)
    assert set(together) == {"audio", "verdict"}
    assert notices == ()
    assert fuse(together).evidence == (2.0, 1.0)  # the mean of (4, 0) and (0, 2)


@pytest.mark.parametrize(
    "other", [mood(4, 0, prior_weight=0.5), beta("mood", MOOD, [4, 0, 0, 1], trained=True)], ids=["weight", "kind"]
)
def test_a_head_of_another_form_is_left_out_and_named(other: Opinion) -> None:
    together, (notice,) = fusable({"audio": other, "verdict": mood(0, 2)})
    assert set(together) == {"verdict"}
    assert notice.code == "not_fused"
    assert "(audio)" in notice.text


def test_hints_of_another_form_are_left_out_without_a_word() -> None:
    hint = dirichlet("other", ("x", "y"), [0.1, 0.2])
    together, notices = fusable({"text": hint, "verdict": mood(0, 2)})
    assert (set(together), notices) == ({"verdict"}, ())


def test_the_verdict_conflicts_with_nobody_and_the_model_by_modality_may() -> None:
    """1/2 (.75 + .75) with p = (7/8, 1/8) and (1/8, 7/8), times (1 - 1/4) twice: .421875, as `degree` has it."""
    opinions = {"verdict": mood(0, 6), "model_audio": mood(6, 0), "model_visual": mood(0, 6)}
    found = conflict_among(opinions)
    assert found.degree == pytest.approx(0.421875)
    assert found.between == ("model_audio", "model_visual")
    assert conflict_among({"verdict": mood(0, 6), "audio": mood(6, 0)}).degree is None
