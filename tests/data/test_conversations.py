"""Files of ms-swift and LLaMA-Factory: every form of their documentation on custom data sets, and every mistake."""

import json
from pathlib import Path
from typing import Any

import pytest

from emer.data.conversations import read_conversations
from emer.data.rows import Row
from emer.errors import ConfigError


def lines(folder: Path, *records: object) -> tuple[Row, ...]:
    path = folder / "train.jsonl"
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    return read_conversations(path)


def asked(answer: str = "Her voice drops.", mark: str = "<video>") -> list[dict[str, Any]]:
    return [{"role": "user", "content": f"{mark}What does she feel?"}, {"role": "assistant", "content": answer}]


def test_messages_with_a_video_become_a_clip_with_explanation_and_labels(tmp_path: Path) -> None:
    answer = 'She smiles [v1], but her voice drops [a2].\nEmotions: ["happy", "ill at ease"]'
    (row,) = lines(tmp_path, {"messages": asked(answer), "videos": ["clips/a.mp4"]})
    assert (row.id, row.clip.path) == ("clips/a.mp4", str(tmp_path / "clips" / "a.mp4"))
    assert row.annotation.explanation == "She smiles [v1], but her voice drops [a2]."
    assert row.annotation.labels == ("happy", "ill at ease")


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [{"role": "system", "content": "Be brief."}, *asked()]},
        {"conversations": [{"from": "human", "value": "<video>What?"}, {"from": "gpt", "value": "Her voice drops."}]},
        {"system": "Be brief.", "conversation": [{"human": "<video>What?", "assistant": "Her voice drops."}]},
        {"instruction": "<video>What does she feel?", "input": "", "output": "Her voice drops."},
        {"query": "<video>What?", "response": "Her voice drops.", "history": [["Who is it?", "A woman."]]},
        {"messages": [{"role": "user", "content": [{"type": "video"}, {"type": "text", "text": "What?"}]}, asked()[1]]},
        {"conversations": [{"from": "human", "value": "<video>"}], "rejected": {"from": "gpt", "value": "No."},
         "chosen": {"from": "gpt", "value": "Her voice drops."}},
        {"instruction": "<video>What?", "chosen": "Her voice drops.", "rejected": "She is happy."},
    ],
)  # fmt: skip
def test_every_documented_form_says_the_same(tmp_path: Path, record: dict[str, Any]) -> None:
    (row,) = lines(tmp_path, record | {"videos": ["a.mp4"]})
    assert (row.clip.path, row.annotation.explanation) == (str(tmp_path / "a.mp4"), "Her voice drops.")


def test_the_last_answer_of_several_rounds_is_the_explanation(tmp_path: Path) -> None:
    rounds = [
        *asked("A woman."),
        {"role": "user", "content": "And then?"},
        {"role": "assistant", "content": "She weeps."},
    ]
    (row,) = lines(tmp_path, {"messages": rounds, "videos": "a.mp4"})
    assert row.annotation.explanation == "She weeps."


def test_a_list_in_one_json_file_reads_like_lines(tmp_path: Path) -> None:
    record = {"messages": asked(mark="<audio>"), "audios": ["mllm_demo_data/1.mp3"]}
    path = tmp_path / "mllm_audio_demo.json"
    path.write_text(json.dumps([record, record], indent=2))
    first, second = read_conversations(path)
    assert (first.id, second.id) == ("mllm_demo_data/1.mp3", "mllm_demo_data/1.mp3#2")
    assert first.clip.path == str(tmp_path / "mllm_demo_data" / "1.mp3")


def test_the_video_comes_before_its_sound_and_pictures(tmp_path: Path) -> None:
    record = {
        "messages": asked(mark="<image><audio><video>"),
        "images": ["f.jpg"],
        "audios": ["a.wav"],
        "videos": ["a.mp4"],
    }
    (row,) = lines(tmp_path, record)
    assert row.id == "a.mp4"
    inside = [{"type": "audio", "audio": "b.wav"}, {"type": "text", "text": "What?"}]
    (row,) = lines(tmp_path, {"messages": [{"role": "user", "content": inside}, asked()[1]]})
    assert row.id == "b.wav"


def test_labels_beside_the_conversation_are_read_and_numbers_are_not_labels(tmp_path: Path) -> None:
    base = {"messages": asked(), "videos": ["a.mp4"]}
    told = (
        {"label": "Sad"},
        {"labels": ["Sad", "Tired"]},
        {"openset": "['sad', 'tired']"},
        {"label": 1},
        {"label": False},
    )
    rows = lines(tmp_path, *(base | extra for extra in told))
    assert [row.annotation.labels for row in rows] == [("sad",), ("sad", "tired"), ("sad", "tired"), (), ()]


def test_objects_take_the_place_of_their_marks(tmp_path: Path) -> None:
    messages = [
        {"role": "user", "content": "<image>Find the <ref-object>"},
        {"role": "assistant", "content": "The <ref-object> at <bbox> smiles."},
    ]
    objects = {"ref": ["face", "woman"], "bbox": [[1, 2, 3, 4]]}
    (row,) = lines(tmp_path, {"messages": messages, "images": ["a.jpg"], "objects": objects})
    assert row.annotation.explanation == "The woman at [1, 2, 3, 4] smiles."
    with pytest.raises(ConfigError, match="line 1: its objects do not fit the marks"):
        lines(tmp_path, {"messages": messages, "images": ["a.jpg"], "objects": {"ref": ["face"]}})


def test_dataset_info_names_columns_and_roles(tmp_path: Path) -> None:
    info = {
        "emotions": {
            "file_name": "train.jsonl",
            "formatting": "sharegpt",
            "columns": {"messages": "talk", "videos": "films"},
            "tags": {"role_tag": "who", "content_tag": "says", "user_tag": "asker", "assistant_tag": "seer"},
        }
    }
    (tmp_path / "dataset_info.json").write_text(json.dumps(info))
    talk = [{"who": "asker", "says": "<video>What?"}, {"who": "seer", "says": "Her voice drops."}]
    (row,) = lines(tmp_path, {"talk": talk, "films": ["a.mp4"], "id": 7})
    assert (row.id, row.annotation.explanation) == ("7", "Her voice drops.")
    (tmp_path / "dataset_info.json").write_text("{")
    with pytest.raises(ConfigError, match=r"dataset_info\.json cannot be read as JSON"):
        lines(tmp_path, {})


def test_every_conversation_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    wrong = {
        "it names no video, sound or picture": {"messages": asked(mark="")},
        "it is about 2 videos, and a row is one clip": {"messages": asked(), "videos": ["a.mp4", "b.mp4"]},
        "it has 2 marks <video> and 1 videos": {"messages": asked(mark="<video><video>"), "videos": ["a.mp4"]},
        "nobody answers in it": {"messages": asked()[:1], "videos": ["a.mp4"]},
        "its messages are no list of objects": {"messages": "hello", "videos": ["a.mp4"]},
        "a message of 'user' has no text": {"messages": [{"role": "user", "content": 3}], "videos": ["a.mp4"]},
        "it has neither messages nor an answer": {"instruction": "What?", "videos": ["a.mp4"]},
        "its history is no list of pairs": {"query": "?", "response": "!", "history": [["x"]], "videos": ["a.mp4"]},
        "its clip lies at https://x/a.mp4": {"messages": asked(), "videos": ["https://x/a.mp4"]},
        "this is not an object": [1],
    }
    with pytest.raises(ConfigError) as caught:
        lines(tmp_path, *wrong.values())
    told = str(caught.value)
    for number, says in enumerate(wrong, start=1):
        assert f"line {number}: {says}" in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", b"{}", r"ends in \.jsonl or \.json"),
        ("a.jsonl", b"\xff\xfe", "UTF-8"),
        ("a.jsonl", b"\n\n", "has no conversations"),
        ("a.jsonl", b"{", "line 1: this is not JSON"),
        ("a.json", b"[{]", "the list: this is not JSON"),
        ("a.json", b"[3]", "item 1: this is not an object"),
        ("a.jsonl", b'{"a":' * 100_000, "this is not JSON"),
    ],
)
def test_what_is_no_file_of_conversations_is_refused_in_one_line(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=says):
        read_conversations(tmp_path / name)
