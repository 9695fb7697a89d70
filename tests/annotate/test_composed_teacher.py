"""The composer as a teacher, on real clips: it tells what the composer tells, and concludes with people's emotion."""

import re
from pathlib import Path

import pytest

from emer import media
from emer.annotate.composed import NO_CLUE, ComposedTeacher
from emer.annotate.lessons import Draft, Lesson, Teacher, gold_of, record_of
from emer.data.rows import Row
from emer.emotions import cluster_of
from emer.engines.composer import Composer
from emer.explain import Explainer
from emer.grounding import check, claims
from emer.types import Annotation, Clip, Request


@pytest.fixture(scope="module")
def request_(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Request:
    """A strong angry utterance, by the name of its file."""
    clip = Clip(str(next((real_data / "clips/ravdess_speech").glob("03-01-05-02-01-01-01.flac"))))
    opened, explainer = media.open(clip), Explainer(weights=None, cache=tmp_path_factory.mktemp("cache"))
    return explainer.request(opened, explainer.clues(clip, opened))


def taught(request: Request, *gold: str) -> Draft:
    (draft,) = ComposedTeacher().drafts([Lesson(request, gold)])
    return draft


def test_what_is_told_of_the_voice_is_what_the_composer_tells(request_: Request) -> None:
    own = Composer().compose(request_).text
    first, last = taught(request_, "angry").explanation.split("\n\n")
    assert own.startswith(first)
    assert last.startswith("Taken together, this would fit someone who is ")


@pytest.mark.parametrize("gold", ["angry", "fearful", "happy", "calm", "neutral"])
def test_it_concludes_with_a_word_for_what_people_said(gold: str, request_: Request) -> None:
    draft = taught(request_, gold)
    assert [cluster_of(label) for label in draft.labels] == [gold]
    conclusion = draft.explanation.split("\n\n")[-1]
    assert draft.labels[0] in conclusion
    cited = re.findall(r"\[(\w+)\]", conclusion)
    assert (NO_CLUE in conclusion) == (not cited)
    assert all(claim.status == "grounded" for claim in claims(check(draft.explanation, request_.clues.items)))


def test_several_labels_are_all_named_and_an_unknown_word_stands_for_itself(request_: Request) -> None:
    draft = taught(request_, "angry", "sad", "zorp")
    assert [cluster_of(label) for label in draft.labels] == ["angry", "sad", None]
    assert draft.labels[-1] == "zorp"
    assert all(label in draft.explanation.split("\n\n")[-1] for label in draft.labels)


def test_without_labels_it_takes_the_composers_own(request_: Request) -> None:
    assert taught(request_).labels == tuple(emotion.label for emotion in Composer().compose(request_).labels)


def test_nothing_that_a_model_should_not_repeat_is_in_its_text(request_: Request) -> None:
    assert not re.search(
        r"hint|trained|confidence|in the list|left out|transcript", taught(request_, "sad").explanation
    )


def test_it_is_a_teacher() -> None:
    assert isinstance(ComposedTeacher(), Teacher)
    assert ComposedTeacher().record() == {"by": "composer"}


def test_gold_is_what_most_people_said() -> None:
    assert gold_of(Annotation(("sad", "tired"))) == ("sad", "tired")
    assert gold_of(Annotation(votes={"sad": 2, "angry": 5, "happy": 5})) == ("angry", "happy")
    assert gold_of(Annotation()) == ()


def test_a_row_keeps_all_that_a_manifest_said_of_it(tmp_path: Path) -> None:
    clip = Clip(str(tmp_path / "a" / "x.wav"), 0.5, 2.0, transcript=str(tmp_path / "x.srt"), said="Hi.")
    row = Row("x", clip, Annotation(("sad",), value=0.0), speaker="s", part="test", language="de", licence="CC0")
    assert record_of(row, tmp_path / "out") == {
        "id": "x",
        "path": "../a/x.wav",
        "transcript": "../x.srt",
        "start": 0.5,
        "end": 2.0,
        "text": "Hi.",
        "labels": ["sad"],
        "value": 0.0,
        "speaker": "s",
        "split": "test",
        "language": "de",
        "licence": "CC0",
    }
