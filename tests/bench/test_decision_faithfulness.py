"""Clues taken away from real clips, for hints and for the engine that is asked again."""

from dataclasses import replace
from pathlib import Path

import pytest

from emer import Explainer
from emer.bench.decision_faithfulness import decision_faithfulness, removals
from emer.errors import ConfigError
from emer.jsonio import dumps
from emer.score.options import Options
from emer.types import Clip

FAST = Options(bootstrap=20)


@pytest.fixture
def clip(example_clip: Path) -> Clip:
    return Clip(str(example_clip), without=frozenset({"visual"}))


@pytest.fixture(scope="module")
def explainer(tmp_path_factory: pytest.TempPathFactory) -> Explainer:
    """All tests here share the measured clues."""
    return Explainer(weights=None, cache=tmp_path_factory.mktemp("faithfulness"))


def test_the_score_is_the_mean_of_the_clips_and_says_on_what_it_rests(explainer: Explainer, clip: Clip) -> None:
    clips = [clip, replace(clip, end=4.0), Clip("nowhere.wav")]
    found = decision_faithfulness(explainer, clips, draws=5, speakers=["ann", "bo", "cy"], options=FAST)
    each = removals(explainer, clips, by="opinion", chosen="cited", draws=5)
    assert found.score == pytest.approx(sum(one.difference for one in each.clips) / 2)
    assert (found.n_scored, found.n_skipped, found.skipped) == (2, 1, {"no answer (MediaError)": 1})
    assert found.interval is not None
    assert found.interval[0] <= found.score <= found.interval[1]
    assert (found.detail["resampled"], found.detail["by"], found.detail["chosen"]) == ("speakers", "opinion", "cited")
    assert "total variation" in dumps(found)


def test_the_composer_decides_by_labels_when_it_is_asked_again(explainer: Explainer, clip: Clip) -> None:
    """Without its cited clues the example is not the same emotion: the labels change wholly or not at all."""
    found = decision_faithfulness(explainer, [clip], by="engine", draws=3, options=Options(bootstrap=0))
    assert found.interval is None
    assert found.detail["cited_change"]["score"] in (0.0, 0.5, 1.0)


def test_reasons_are_fewer_than_citations(explainer: Explainer, clip: Clip) -> None:
    all_of_them, given = (
        decision_faithfulness(explainer, [clip], chosen=chosen, draws=3, options=FAST).detail["cited_per_clip"]
        for chosen in ("cited", "reasons")
    )
    assert 0 < given < all_of_them


def test_where_nothing_can_be_compared_the_reasons_are_told(explainer: Explainer) -> None:
    with pytest.raises(ConfigError, match=r"without its clues: no answer \(MediaError\) \(2\)"):
        decision_faithfulness(explainer, [Clip("nowhere.wav"), Clip("nowhere.mp4")])
