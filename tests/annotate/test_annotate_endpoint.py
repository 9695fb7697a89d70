"""A chat model as teacher, behind a real HTTP server: right answers, bad forms, labels that it is and is not told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_server import Body, Sent, last, refused, said, serving

from emer.cli import main
from emer.data.manifest import read_manifest

Talk = Callable[..., Path]
ROWS: list[dict[str, object]] = [
    {"id": "glad", "text": "I am so glad, this is wonderful!", "label": "happy"},
    {"id": "sad", "text": "I am sad and lonely.", "label": "sad"},
]
LINE = 'Emotions: ["{}"]'
TONES = {"glad": ("positive", "relieved and happy", '"joyful"'), "sad": ("negative", "down and sad", '"gloomy"')}


def teacher(body: Body) -> Sent:
    """Cites the clue about the tone of the words, as a teacher should, and adds one sentence that no clue bears out."""
    name = "glad" if "glad" in last(body) else "sad"
    tone, feels, label = TONES[name]
    clue = next((line for line in last(body).splitlines() if f"the words are {tone} on the whole" in line), "[t0]")
    cited = clue[: clue.index("]") + 1]
    return said(
        f"The words are {tone} on the whole {cited}. The voice trembles [a9].\n\n"
        f"Taken together, the speaker feels {feels}.\n\nEmotions: [{label}]"
    )


def run(manifest: Path, out: Path, url: str, *more: str) -> int:
    command = ["annotate", str(manifest), "--out", str(out), "--by", "endpoint", "--url", url, "--model", "small"]
    return main([*command, "--weights", "none", "--least-grounded", "0.5", *more])


def reasons(out: Path) -> dict[str, str]:
    lines = (out / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["id"]: row["reason"] for row in map(json.loads, lines)}


def test_a_model_teaches_and_what_it_made_up_is_taken_out(talk: Talk, tmp_path: Path) -> None:
    with serving(teacher) as server:
        assert run(talk(ROWS), tmp_path / "out", server.url) == 0
    glad, sad = read_manifest(tmp_path / "out" / "manifest.jsonl")
    assert glad.annotation.labels == ("happy", "joyful")
    assert sad.annotation.labels == ("sad", "gloomy")
    text = glad.annotation.explanation or ""
    assert text.startswith("The words are positive on the whole [t")
    assert text.endswith("\n\nTaken together, the speaker feels relieved and happy.")
    assert "trembles" not in text
    stats = json.loads((tmp_path / "out" / "stats.json").read_text())
    assert stats["sentences_dropped"] == {"unsupported": 2}
    assert (stats["claims_of_drafts"], stats["grounded_of_drafts"], stats["grounded_kept"]) == (4, 0.5, 1.0)
    made_by = stats["made_by"]
    assert (made_by["model"], made_by["seed"], list(made_by["prompts"])) == ("small", 0, ["annotate.en"])
    assert server.url not in (tmp_path / "out" / "config.resolved.yaml").read_text()


def test_the_model_is_told_labels_but_neither_names_nor_paths_and_nothing_where_it_is_blind(
    talk: Talk, tmp_path: Path
) -> None:
    manifest = talk(ROWS)
    with serving(teacher) as server:
        assert run(manifest, tmp_path / "told", server.url) == 0
        told = [last(body) for body in server.asked]
        server.asked.clear()
        assert run(manifest, tmp_path / "blind", server.url, "--blind") == 0
        blind = [last(body) for body in server.asked]
    assert sum("that the person feels: happy." in text for text in told) == 1
    assert all("Nobody has said yet" in text for text in blind)
    for text in (*told, *blind):
        assert "wav" not in text
        assert str(tmp_path) not in text
    assert not any("feels: " in text for text in blind)


BAD: list[tuple[str, str]] = [
    ("", "unanswered"),
    ("I cannot help with that.", "no_label"),
    ('Emotions: ["happy"]', "no_explanation"),
    ('The words are positive on the whole [t4].\nEmotions: ["furious"]', "other_emotion"),
    ('The words are positive on the whole [t4].\nEmotions: ["zorp"]', "unknown_labels"),
    ('The speaker is happy.\nEmotions: ["happy"]', "no_claim"),
    ('The eyebrows fall [v9]. The voice trembles [a9].\nEmotions: ["happy"]', "few_grounded"),
    ("[" * 3000, "no_label"),
]


@pytest.mark.parametrize(("reply", "reason"), BAD, ids=[reason + str(i) for i, (_, reason) in enumerate(BAD)])
def test_answers_in_bad_forms_are_rejected_with_their_reason(
    reply: str, reason: str, talk: Talk, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with serving(lambda body: said(reply)) as server:
        code = run(talk(ROWS[:1]), out, server.url)
    assert code == (1 if reason == "unanswered" else 0)
    assert reasons(out) == {"glad": reason}
    assert (out / "manifest.jsonl").read_text() == ""


def test_a_chatty_answer_is_used_as_far_as_it_goes_and_counted(talk: Talk, tmp_path: Path) -> None:
    def chatty(body: Body) -> Sent:
        text = json.loads(teacher(body).body)["choices"][0]["message"]["content"]
        return said(f"<think>Let me see.</think>{text}\n\nI hope this helps!")

    with serving(chatty) as server:
        assert run(talk(ROWS), tmp_path / "out", server.url) == 0
    assert json.loads((tmp_path / "out" / "stats.json").read_text())["strayed"] == 2
    for row in read_manifest(tmp_path / "out" / "manifest.jsonl"):
        assert "hope" not in (row.annotation.explanation or "")
        assert "think" not in (row.annotation.explanation or "")


def test_two_stages_describe_the_voice_alone_and_then_settle_it_by_the_words(
    talk: Talk, real_data: Path, tmp_path: Path
) -> None:
    voice = next((real_data / "clips/ravdess_speech").glob("03-01-05-02-*.flac"))
    rows = [{**ROWS[0], "path": str(voice)}, ROWS[1]]

    def answer(body: Body) -> Sent:
        system = body["messages"][0]["content"]
        return (
            said("<think>So.</think>A steady tone, perhaps tense.")
            if system.startswith("You describe")
            else teacher(body)
        )

    with serving(answer) as server:
        assert run(talk(rows), tmp_path / "out", server.url, "--stages", "2") == 0
        asked: list[tuple[str, str]] = [(body["messages"][0]["content"], last(body)) for body in server.asked]
    described = [text for system, text in asked if "how the main voice" in system]
    settled = [text for system, text in asked if system.startswith("You write explanations")]
    assert (len(described), len(settled)) == (1, 2), "the tone has no voice to be described"
    assert "[a1]" in described[0]
    assert not any("glad" in text or "lonely" in text or "[t" in text or "feels" in text for text in described)
    assert any("Description of the voice:\nA steady tone, perhaps tense." in text for text in settled)
    prompts = json.loads((tmp_path / "out" / "stats.json").read_text())["made_by"]["prompts"]
    assert list(prompts) == ["annotate.en", "describe_audio.en", "describe_visual.en"]


def test_chinese_is_asked_for_in_chinese(talk: Talk, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"id": "zh", "text": "我今天真的非常高兴，谢谢你们！", "label": "happy"}, ROWS[1]]
    asked: list[Any] = []

    def answer(body: Body) -> Sent:
        asked.append(body["messages"][0]["content"][:6])
        return said('她说了“非常高兴”[t1]，很高兴。\nEmotions: ["高兴"]') if "高兴" in last(body) else teacher(body)

    with serving(answer) as server:
        assert run(talk(rows), tmp_path / "out", server.url, "--language", "said") == 0
    assert sorted(asked) == sorted(["你写的解释将", "You wr"])
    chinese, english = read_manifest(tmp_path / "out" / "manifest.jsonl")
    assert chinese.annotation.labels == ("happy", "高兴")
    assert chinese.annotation.explanation == "她说了“非常高兴”[t1]，很高兴。"
    assert english.annotation.labels == ("sad", "gloomy")


def test_clips_without_an_answer_are_asked_about_again(talk: Talk, tmp_path: Path) -> None:
    out, manifest = tmp_path / "out", talk(ROWS)
    with serving(lambda body: refused(400, "too long") if "sad" in last(body) else teacher(body)) as server:
        assert run(manifest, out, server.url) == 1
    assert reasons(out) == {"sad": "unanswered"}
    with serving(teacher) as server:
        assert run(manifest, out, server.url) == 0
        assert len(server.asked) == 1
    assert [row.id for row in read_manifest(out / "manifest.jsonl")] == ["glad", "sad"]
