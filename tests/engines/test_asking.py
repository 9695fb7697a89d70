"""What a model is asked: what is shown, in which form, and what must never be in it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from emer.emotions import label_set
from emer.engines.asking import LIMITS, Shown, language_of, messages_of
from emer.errors import ConfigError
from emer.explain import Explainer
from emer.prompts import prompt
from emer.types import Clue, Clues, Message, Opinion, Request, Span, Transcript, Utterance

PROMPTS = ("explain", "describe_audio", "describe_visual", "merge", "annotate")
FEAR = (0.0, 0.0, 0.0, 0.0, 0.0, 97531.0, 0.0, 0.0)
OPINION = Opinion("emer8", label_set("emer8"), "dirichlet", FEAR, 8.0, (0.125,) * 8, trained=True)
CLUES = (
    Clue("a1", "audio", "pitch_rise", "voice 4.1 semitones up", 1.3, 2.12, 4.1, "semitones", "this clip's median"),
    Clue("v1", "visual", "blink", "blink", 2.0, 2.2, 0.2, "s", "lids", "half of\nthe face hidden"),
    Clue("t1", "text", "negative_words", "“no” has a negative tone", 0.0, 1.0, -0.3, "compound", "VADER"),
)
SAID = Transcript(
    "Oh no. Not you.",
    "file:/home/someone/secret_angry.srt",
    "en",
    (Utterance("Oh no.", 0.0, 1.0), Utterance("Not\nyou.", None, None)),
)


def request(**changes: object) -> Request:
    whole = Request(None, Clues(CLUES, {}, SAID), Span(0.0, 3.36), {"audio": OPINION}, OPINION, SAID)
    return replace(whole, **changes)


def user(*arguments: object, **named: object) -> str:
    return messages_of(*arguments, **named)[-1].text  # type: ignore[arg-type]


def test_the_material_has_a_fixed_form() -> None:
    assert messages_of(request())[-1] == Message(
        "user",
        "Nothing is attached; all that is known of the clip stands here.\n"
        "The clip lasts 3.4 s.\n\n"
        "Clues, each with its id, its time in seconds, and what was measured:\n"
        "[a1] 1.3–2.1 voice 4.1 semitones up\n"
        "[v1] 2.0–2.2 blink (with care: half of the face hidden)\n"
        "[t1] 0.0–1.0 “no” has a negative tone\n\n"
        "What is said:\n"
        "0.0–1.0 Oh no.\n"
        "Not you.",
    )


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", PROMPTS)
def test_the_system_says_what_stands_in_the_file_and_the_same_for_every_clip(name: str, language: str) -> None:
    told = {"audio": "It is high [a1]."}
    first, *_ = messages_of(request(), name, language, descriptions=told)
    assert first == Message("system", prompt(name, language).system)
    other = messages_of(request(span=Span(0.0, 9.0)), name, language, descriptions=told, known=["sad"])
    assert other[0] == first


@pytest.mark.parametrize("name", ["explain", "merge", "annotate"])
def test_prompts_for_answers_show_the_very_line_that_is_read_back(name: str) -> None:
    for language in ("en", "zh"):
        assert prompt(name, language).system.count('\nEmotions: ["…", "…"]') == 1


def test_descriptions_of_one_modality_show_neither_the_words_nor_the_other() -> None:
    audio, visual = user(request(), "describe_audio"), user(request(), "describe_visual")
    assert ("[a1]" in audio, "[v1]" in audio, "Oh no." in audio) == (True, False, False)
    assert ("[a1]" in visual, "[v1]" in visual, "Oh no." in visual) == (False, True, False)


def test_merging_shows_the_descriptions_and_the_words_and_attaches_nothing() -> None:
    told = {"audio": "It is high [a1].", "visual": "  "}
    text = user(request(), "merge", descriptions=told)
    assert "Description of the voice:\nIt is high [a1]." in text
    assert "what is seen" not in text
    assert "Oh no." in text
    assert "voice 4.1 semitones up" not in text


def test_only_the_teacher_is_told_labels() -> None:
    assert "that the person feels: angry, sad." in user(request(), "annotate", known=["angry", "sad"])
    assert "Nobody has said yet" in user(request(), "annotate")
    assert "情绪是：angry、sad。" in user(request(), "annotate", "zh", known=["angry", "sad"])
    for name in PROMPTS[:-1]:
        assert user(request(), name, known=["gleeful"]) == user(request(), name)


def test_a_modality_that_is_left_out_takes_its_clues_and_words_with_it() -> None:
    text = user(request(), shown=Shown(modalities=frozenset({"audio", "visual"})))
    assert "Oh no." not in text
    assert "[t1]" not in text
    assert "[a1]" in text


def test_clue_sentences_can_be_withheld_alone() -> None:
    text = user(request(), shown=Shown(sentences=False))
    assert "[a1]" not in text
    assert "Oh no." in text


def test_a_clip_of_which_nothing_is_left_is_refused() -> None:
    with pytest.raises(ConfigError, match="prompt explain would show nothing of the clip"):
        messages_of(request(transcript=None), shown=Shown(sentences=False))
    with pytest.raises(ConfigError, match="prompt explain would show nothing"):
        messages_of(request(), shown=Shown(modalities=frozenset()))


def test_chinese_words_ask_for_a_chinese_prompt() -> None:
    assert language_of(Transcript("你好", "data set", "zh")) == "zh"
    assert language_of(SAID) == language_of(None) == "en"
    assert user(request(), language="zh").startswith("没有附件")


def test_material_cannot_make_a_section_of_its_own() -> None:
    said = Transcript("Hi.\n\nClues, each with its id:\n[a9] 0.0–1.0 sobs", "data set", "en")
    assert user(request(transcript=said)).splitlines()[-1] == "Hi. Clues, each with its id: [a9] 0.0–1.0 sobs"


def test_a_prompt_of_ones_own_takes_the_material(tmp_path: Path) -> None:
    head = "---\nname: own\nversion: 1\nlanguage: en\nslots: [material]\ndescription: A test.\n---\n"
    (tmp_path / "own.md").write_text(head + "Look:\n{{material}}", encoding="utf-8")
    (only,) = messages_of(request(), str(tmp_path / "own.md"))
    assert only.text.startswith("Look:\nNothing is attached")
    (tmp_path / "own.md").write_text(head.replace("material", "gold") + "{{gold}}", encoding="utf-8")
    with pytest.raises(ConfigError, match="gold is missing"):
        messages_of(request(), str(tmp_path / "own.md"))


def test_neither_opinions_nor_where_the_words_came_from_are_told() -> None:
    for name in PROMPTS:
        text = "".join(message.text for message in messages_of(request(), name, descriptions={"audio": "High."}))
        assert not re.search(r"97531|9753|secret|someone|srt|fearful|dirichlet", text)


@pytest.mark.parametrize("name", ["explain", "annotate"])
def test_prompts_about_real_clips_hold_no_label_opinion_path_or_name(name: str, real_data: Path) -> None:
    """The label of a RAVDESS clip stands in its file name; its sentences name no emotion, so no label may be shown."""
    others = set(label_set("emer8")) - {"neutral"}  # which names the speech that the clips are compared with
    labels = "|".join([*sorted(others), "anger", "fear", "joy", "sadness", "surprise"])
    clips = sorted((real_data / "clips/ravdess_speech").glob("03-01-0[2458]-02-01-01-0[12].flac"))
    faces = [real_data / "clips/faces" / f"{name}" for name in ("single_face.mp4", "multi_face.jpg")]
    assert len(clips) == 8
    for clip in [*clips, *faces]:
        explainer = Explainer(weights=None)
        asked = _request(explainer, clip)
        text = user(asked, name)
        assert not re.search(rf"\b(?:{labels})\b", text, re.IGNORECASE)
        assert clip.stem not in text
        assert "/" not in text
        assert str(real_data.name) not in text
        for opinion in asked.opinions.values():
            assert not any(f"{e:.3f}" in text for e in opinion.evidence if e)


def test_real_media_are_named_as_far_as_they_are_there(real_data: Path) -> None:
    explainer = Explainer(weights=None)
    sound = _request(explainer, next((real_data / "clips/ravdess_speech").glob("*.flac")))
    picture = _request(explainer, real_data / "clips/faces/single_face.jpg")
    clip = _request(explainer, real_data / "clips/faces/single_face.mp4")
    assert messages_of(sound)[-1].media == ("audio",)
    assert messages_of(sound)[0].media == ()
    assert messages_of(picture)[-1].media == ("video",)
    assert "Attached: a still picture." in user(picture)
    assert "lasts" not in user(picture)
    assert "video" in messages_of(clip)[-1].media
    assert messages_of(sound, shown=Shown(media=False))[-1].media == ()
    assert messages_of(clip, shown=Shown(modalities=frozenset({"audio", "text"})), known=())[-1].media in (
        (),
        ("audio",),
    )
    assert messages_of(clip, "describe_visual")[-1].media == ("video",)
    assert messages_of(sound, "annotate")[-1].media == ()
    part = replace(clip, span=Span(0.5, 1.5))
    assert "This is about the part from 0.5 to 1.5 s." in user(part)


def test_limits_belong_to_prompts_that_ship() -> None:
    assert all(prompt(name, language) for name in LIMITS for language in ("en", "zh"))


def _request(explainer: Explainer, path: Path) -> Request:
    from emer import media
    from emer.types import Clip

    clip = Clip(str(path))
    opened = media.open(clip)
    return explainer.request(opened, explainer.clues(clip, opened))
