"""The path as a whole, on real and made clips."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from emer import Clip, Explainer
from emer.clues import extract as extract_module
from emer.errors import EmerError
from emer.types import Answer, Explanation, Media, Request


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Explanation:
    clip = Path(__file__).parents[1] / "examples" / "talking_face.mp4"
    return Explainer(cache=tmp_path_factory.mktemp("cache")).explain(clip)


def test_all_three_modalities_give_clues_and_hints(explained: Explanation) -> None:
    assert {clue.modality for clue in explained.clues} == {"audio", "visual", "text"}
    assert all(opinion.present and not opinion.trained for opinion in explained.opinions.values())
    assert explained.failed == ()


def test_untrained_hints_claim_nothing(explained: Explanation) -> None:
    assert explained.confidence is None
    assert explained.trusted is None
    assert explained.conflict.degree is None
    evidence = sum(explained.fused.evidence)
    assert explained.fused.prior_weight / (evidence + explained.fused.prior_weight) >= 0.8


def test_every_citation_names_a_clue_that_exists(explained: Explanation) -> None:
    known = {clue.id for clue in explained.clues}
    cited = {clue_id for statement in explained.statements for clue_id in statement.clue_ids}
    assert cited
    assert cited <= known


def test_the_composer_says_nothing_ungrounded(explained: Explanation) -> None:
    for explanation in (explained, *(explained.segments or ())):
        assert {s.status for s in explanation.statements} <= {"grounded", "uncheckable"}


def test_two_sentences_are_two_segments_whose_ids_are_the_whole_clips(explained: Explanation) -> None:
    assert explained.segments is not None
    assert len(explained.segments) == 2
    known = {clue.id for clue in explained.clues}
    assert all({clue.id for clue in part.clues} <= known for part in explained.segments)


def test_cached_clues_give_the_same_explanation(
    example_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    explainer = Explainer(cache=tmp_path)
    first = explainer.explain(example_clip)

    def unheard(media: Media) -> None:
        raise AssertionError("voice activity was measured again")

    monkeypatch.setattr("emer.clues.voice_activity.detect", unheard)
    assert explainer.explain(example_clip) == first


def test_a_part_of_a_clip_has_clues_of_that_part_only(example_clip: Path) -> None:
    explanation = Explainer(cache=None).explain(Clip(str(example_clip), start=1.0, end=3.0))
    assert (explanation.clip.start, explanation.clip.end) == (1.0, 3.0)
    assert all(0.9 <= clue.start <= clue.end <= 3.1 for clue in explanation.clues)


def test_a_failing_extractor_is_named_and_the_others_go_on(example_clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extract_module.EXTRACTORS, "visual", f"{__name__}:Falling")
    explanation = Explainer(cache=None).explain(example_clip)
    (failure,) = explanation.failed
    assert (failure.extractor, failure.reason) == ("visual", "ValueError: the tracker fell over")
    assert {clue.modality for clue in explanation.clues} == {"audio", "text"}


class Falling:
    name, version = "falling", "1"

    def extract(self, media: Media, listening: object) -> None:
        raise ValueError("the tracker fell over")


class Mute:
    """An engine that answers with an error."""

    def answer(self, requests: Sequence[Request]) -> Iterator[Answer]:
        return (Answer("", error="no server") for _ in requests)


def test_an_engine_that_fails_is_an_error_with_its_reason(example_clip: Path) -> None:
    explainer = Explainer(engine=f"{__name__}:Mute", cache=None)
    with pytest.raises(EmerError, match="could not answer: no server"):
        explainer.explain(Clip(str(example_clip), without=frozenset({"visual"})))


def test_a_picture_is_explained_and_its_silence_said(real_data: Path) -> None:
    explanation = Explainer(cache=None).explain(real_data / "clips" / "faces" / "single_face.jpg")
    assert "Emotions:" in explanation.explanation
    assert "no_audio" in {notice.code for notice in explanation.warnings}
    assert not explanation.opinions["audio"].present
