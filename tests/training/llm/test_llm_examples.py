"""A manifest becomes examples: who learns, from what, and what is wrong with a manifest or a clip."""

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from clips import make_clip, tone

from emer.clues.cache import Cache
from emer.data.splits import split
from emer.errors import ConfigError
from emer.training.llm.configuration import LlmConfig, VerdictSettings
from emer.training.llm.examples import Taught, read_examples
from emer.types import MODALITIES

EMER8 = VerdictSettings(label_set="emer8", kind="dirichlet")
Row = dict[str, Any]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six short clips, and one that is no clip."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(6):
        make_clip(folder / f"{number}.wav", 0.5, sound=tone(200 + 20 * number))
    (folder / "broken.wav").write_bytes(b"RIFF, and then nothing of it")
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def taught(clips: Path, cache: Cache) -> Callable[..., Taught]:
    """Reads rows as a manifest beside the clips."""

    def read(rows: list[Row], out: Path | None = None, parts: Any = None, **settings: Any) -> Taught:
        manifest = clips / "manifest.jsonl"
        manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
        config = LlmConfig(data=str(manifest), **settings)
        return read_examples(config, cache=cache, out=out, **({} if parts is None else {"parts": parts}))

    return read


def rows(count: int = 6, **more: Any) -> list[Row]:
    """Four to train, the fifth to validate, the sixth to test."""
    parts = ["train"] * 4 + ["validation", "test"]
    return [{"path": f"{i}.wav", "label": "sad", "split": parts[i], "text": "Oh no."} | more for i in range(count)]


def with_row(place: int, **changes: Any) -> list[Row]:
    made = rows()
    made[place] = {key: value for key, value in (made[place] | changes).items() if value is not None}
    return made


# ---------------------------------------------------------------- who learns


def test_rows_come_into_the_parts_that_the_manifest_names_and_test_rows_are_not_read(
    taught: Callable[..., Taught],
) -> None:
    found = taught(with_row(5, path="not there.wav"))
    assert {part: [e.id for e in examples] for part, examples in found.parts.items()} == {
        "train": ["0.wav", "1.wav", "2.wav", "3.wav"],
        "validation": ["4.wav"],
    }
    assert found.bad == ()
    assert [e.id for e in taught(rows(), parts=["train", "validation", "test"]).parts["test"]] == ["5.wav"]


def test_an_example_holds_what_is_measured_and_said_and_no_opinion(taught: Callable[..., Taught]) -> None:
    example = taught(rows()).parts["train"][0]
    assert {clue.modality for clue in example.request.clues.items} <= set(MODALITIES)
    assert example.request.transcript is not None
    assert example.request.transcript.text == "Oh no."
    assert example.request.opinions == {}
    assert set(example.request.clues.features) == {"audio", "text"}
    assert example.row.startswith("clip:")


def test_a_new_split_tears_no_speaker_and_is_written_down(taught: Callable[..., Taught], tmp_path: Path) -> None:
    plain = [{key: value for key, value in row.items() if key != "split"} for row in rows()]
    speakers = [row | {"speaker": f"s{place}"} for place, row in enumerate(plain)]
    found = taught(speakers, out=tmp_path)
    assert found.split == split(str(tmp_path / "split.json"))
    assert [e.speaker for e in found.parts["train"]] == sorted(found.split.train)
    assert taught(speakers).split.train == found.split.train  # made again where there is no folder
    with pytest.raises(ConfigError, match=r"6 of its rows name no speaker \(0.wav, 1.wav, .*split=FILE.json"):
        taught(plain)


def test_a_split_of_a_file_is_held_against_the_rows(taught: Callable[..., Taught], tmp_path: Path) -> None:
    parts = {"train": ["a"], "validation": ["b"], "calibration": [], "test": ["c"]}
    file = tmp_path / "mine.json"
    kept = {"name": "mine", "about": "", "made_by": "hand", "unit": "speaker", "seed": 0, "split": parts}
    file.write_text(json.dumps(kept | {"folds": [], "halves": [], "schema": "emer.splits/1"}))
    named = [row | {"speaker": "aaabbc"[place]} for place, row in enumerate(rows())]
    for row in named:
        del row["split"]
    found = taught(named, split=str(file))
    assert [len(examples) for examples in found.parts.values()] == [3, 2]
    with pytest.raises(ConfigError, match="no part of it holds the speaker z"):
        taught([named[0] | {"speaker": "z"}, *named[1:]], split=str(file))


def test_parts_without_clips_are_refused(taught: Callable[..., Taught]) -> None:
    with pytest.raises(ConfigError, match="leaves no clips for validation; name another"):
        taught(rows(4))


def test_conversations_are_read_too(clips: Path, cache: Cache, tmp_path: Path) -> None:
    manifest = clips / "talks.jsonl"
    talk = {
        "messages": [
            {"role": "user", "content": "<audio>What does she feel?"},
            {"role": "assistant", "content": 'Her voice is flat. Emotions: ["sad"]'},
        ]
    }
    manifest.write_text("".join(json.dumps(talk | {"audios": [f"{i}.wav"]}) + "\n" for i in range(3)))
    parts = {"train": ["0.wav"], "validation": ["1.wav"], "calibration": [], "test": ["2.wav"]}
    kept = {"name": "mine", "about": "", "made_by": "hand", "unit": "row", "seed": 0, "split": parts}
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(kept | {"folds": [], "halves": [], "schema": "emer.splits/1"}))
    found = read_examples(LlmConfig(data=str(manifest), split=str(file), verdict=EMER8), cache=cache)
    (example,) = found.parts["train"]
    assert (example.annotation.explanation, example.annotation.labels) == ("Her voice is flat.", ("sad",))
    assert example.target is not None
    assert example.target.tolist() == [0, 0, 0, 1, 0, 0, 0, 0]


# ---------------------------------------------------------------- what a row teaches


def test_votes_become_shares_and_words_without_a_label_are_counted(taught: Callable[..., Taught]) -> None:
    votes: Mapping[str, int] = {"worried": 3, "glad": 1}
    made = rows()
    made[0] = {key: value for key, value in made[0].items() if key != "label"} | {"votes": votes}
    made[1] = made[1] | {"label": "xyzzy", "explanation": "It is so."}
    made[2] = {key: value for key, value in made[2].items() if key != "label"} | {"explanation": "It is so."}
    found = taught(made)
    spec = VerdictSettings().spec
    first, second, third, fourth = found.parts["train"]
    # Three of four say worried, which Plutchik's fear holds; one says glad, which is joy.
    assert first.target is not None
    assert dict(zip(spec.labels, first.target.tolist(), strict=True)) == {
        label: {"fear": 0.75, "joy": 0.25}.get(label, 0.0) for label in spec.labels
    }
    assert (second.target, second.teaches_text, third.target, third.teaches_text) == (None, True, None, True)
    assert (fourth.teaches_verdict, fourth.teaches_text) == (True, False)
    assert found.unmapped == {"xyzzy": 1}


def test_sentences_know_the_clues_that_they_cite(taught: Callable[..., Taught]) -> None:
    told = "The voice is high [a1] and loud [a2]. She is tired."
    example = taught(with_row(0, explanation=told)).parts["train"][0]
    assert [(s.text, s.clue_ids) for s in example.statements] == [
        ("The voice is high [a1] and loud [a2].", ("a1", "a2")),
        ("She is tired.", ()),
    ]


def test_rows_that_teach_nothing_are_named_together(taught: Callable[..., Taught]) -> None:
    bare = with_row(0, label=None)
    bare[1] = bare[1] | {"label": "xyzzy"}
    with pytest.raises(ConfigError) as caught:
        taught(bare, verdict=EMER8)
    told = str(caught.value)
    assert "has 2 rows that would teach nothing (map words by verdict.label_map.WORD=LABEL" in told
    assert "row 0.wav has neither a label nor an explanation" in told
    assert "row 1.wav has no explanation, and no label of emer8 for xyzzy" in told


def test_with_a_map_of_their_own_users_leave_words_out(taught: Callable[..., Taught]) -> None:
    mapped = VerdictSettings(label_set="emer8", kind="dirichlet", label_map={"xyzzy": "angry"})
    made = with_row(0, label="xyzzy")
    made[1] = made[1] | {"label": "plugh"}
    found = taught(made, verdict=mapped)
    first = found.parts["train"][0]
    assert first.target is not None
    assert first.target.tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    assert [(one.id, one.reason) for one in found.bad] == [("1.wav", "its labels reach none of emer8")]


def test_an_empty_explanation_is_a_mistake_of_the_manifest(taught: Callable[..., Taught]) -> None:
    with pytest.raises(ConfigError, match="line 1: explanation is '', not a text"):
        taught(with_row(0, explanation=""))


def test_without_a_verdict_only_explanations_teach(taught: Callable[..., Taught]) -> None:
    made = with_row(0, explanation="She is sad.")
    made[4]["explanation"] = "He is glad."
    found = taught(made, verdict=None)
    assert [e.id for e in found.parts["train"]] == ["0.wav"]
    assert {one.reason for one in found.bad} == {"it has no explanation, and no verdict learns its labels"}


def test_no_data_is_told() -> None:
    with pytest.raises(ConfigError, match="data is missing; add data="):
        read_examples(LlmConfig())


# ---------------------------------------------------------------- clips


def test_clips_that_cannot_be_read_are_told_by_id_and_left_out(
    taught: Callable[..., Taught], caplog: pytest.LogCaptureFixture
) -> None:
    made = with_row(0, path="not there.wav", id="gone")
    made[1]["path"], made[1]["id"] = "broken.wav", "broken"
    with caplog.at_level(logging.WARNING, "emer"):
        found = taught(made)
    assert [one.id for one in found.bad] == ["gone", "broken"]
    assert "does not exist" in found.bad[0].reason
    assert [e.id for e in found.parts["train"]] == ["2.wav", "3.wav"]
    assert "2 of 5 clips are left out: gone (" in caplog.text


def test_a_run_without_any_clip_left_ends(taught: Callable[..., Taught]) -> None:
    made = rows()
    for place in range(4):
        made[place] |= {"path": "not there.wav", "id": str(place)}
    with pytest.raises(ConfigError, match="leaves no clips for train; 4 clips were left out, the first because"):
        taught(made)


def test_data_are_known_by_what_they_teach_wherever_they_lie(taught: Callable[..., Taught]) -> None:
    first = taught(rows()).data_sha256
    assert taught(rows()).data_sha256 == first
    assert taught(with_row(0, label="happy")).data_sha256 != first
    assert taught(with_row(0, path="5.wav", id="0.wav")).data_sha256 != first  # another content under the same id
    assert taught(with_row(5, label="happy")).data_sha256 == first  # nobody learns from test rows


@pytest.mark.long
def test_several_processes_measure_what_one_does(real_data: Path, tmp_path: Path) -> None:
    actors = sorted((real_data / "clips" / "ravdess_speech").glob("*-01-01-0[12].flac"))[:18]
    manifest = tmp_path / "voices.jsonl"
    made = [
        {"path": str(path), "label": "sad", "split": "train" if place else "validation", "id": path.stem}
        for place, path in enumerate(actors)
    ]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in made))
    config = LlmConfig(data=str(manifest))
    alone, together = (
        read_examples(config, cache=Cache(tmp_path / str(jobs)), jobs=jobs).parts["train"] for jobs in (1, 2)
    )
    assert len(alone) == 17
    for one, other in zip(alone, together, strict=True):
        assert (one.id, one.row, one.request.clues) == (other.id, other.row, other.request.clues)
