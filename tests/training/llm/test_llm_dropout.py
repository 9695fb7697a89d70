"""Who sees what in one step, and which answer is right then."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from clips import make_clip

from emer import media
from emer.emotions import label_set
from emer.engines.asking import Shown
from emer.engines.composer import Composer
from emer.evidence.opinion import vacuous
from emer.grounding import check
from emer.training.llm.configuration import DropoutSettings
from emer.training.llm.dropout import Lesson, everything, explanation, lesson, shown, spoken_labels, visible
from emer.training.llm.example import Example
from emer.types import Annotation, Clip, Clue, Clues, Media, Request, Span, Transcript

MEDIAN = "this clip's median"
CLUES = (
    Clue("a1", "audio", "pitch_rise", f"voice 5.0 semitones above {MEDIAN}", 0.2, 0.5, 5.0, "semitones", MEDIAN),
    Clue("a2", "audio", "loudness_level", "loudness 7.0 dB above quiet speech", 0.0, 1.0, 7.0, "dB", "quiet speech"),
    Clue("v1", "visual", "brow_raise", "brows raised by 6.0 %", 0.3, 0.6, 6.0, "inter-ocular %", "neutral"),
    Clue("t1", "text", "negative_words", "“Oh no” has a negative tone", 0.0, 1.0, -0.6, "compound", "VADER"),
)
SAID = Transcript("Oh no.", "data set", "en")
RISES = "The pitch rises by 5 semitones [a1]."
BROWS = "The brows are raised [v1]."
WORDS = "“Oh no” is a negative sentence [t1]."
TOGETHER = "Both the voice [a1] and the brows [v1] would fit surprise."
PLAIN = "Something has gone wrong."
COMPOSED = f"{RISES} {BROWS}\n\n{WORDS}\n\n{TOGETHER} {PLAIN}"
ALL = Shown()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Media:
    return media.open(Clip(str(make_clip(tmp_path_factory.mktemp("film") / "film.mp4", 1.0))))


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Media:
    return media.open(Clip(str(make_clip(tmp_path_factory.mktemp("voice") / "voice.wav", 1.0))))


def example(
    clip: Media | None, text: str | None = COMPOSED, *, labels: tuple[str, ...] = ("surprised",), name: str = "clip",
    clues: tuple[Clue, ...] = CLUES, said: Transcript | None = SAID,
) -> Example:  # fmt: skip
    span = clip.facts.span if clip else Span(0.0, 1.0)
    asked = Request(clip, Clues(clues, {}, said), span, {}, vacuous("emer8", label_set("emer8")), said)
    statements = check(text or "", clues, said.text if said else "")
    return Example(id=name, request=asked, annotation=Annotation(labels, text), statements=statements)


def binomial(p: float, n: int) -> float:
    """Five standard deviations of a share: wrong about once in two million draws of the test."""
    return 5 * math.sqrt(p * (1 - p) / n)


# ---------------------------------------------------------------- who sees what


def test_the_same_epoch_draws_the_same_and_another_draws_anew(film: Media) -> None:
    drawn = [[shown(example(film), DropoutSettings(), seed=0, epoch=e) for e in range(40)] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) > 4
    assert drawn[0] != [shown(example(film), DropoutSettings(), seed=1, epoch=e) for e in range(40)]
    assert drawn[0] != [shown(example(film, name="other"), DropoutSettings(), seed=0, epoch=e) for e in range(40)]


def test_modalities_are_dropped_as_often_as_asked_and_one_always_stays(film: Media) -> None:
    p, n = 0.3, 2000
    settings = DropoutSettings(modality=p, sentences=0.0, media=0.0)
    whole = example(film)
    drawn = [shown(whole, settings, seed=3, epoch=e).modalities for e in range(n)]
    # All three fall at p³, and one of them, by chance, comes back.
    expected = p - p**3 / 3
    for modality in ("audio", "visual", "text"):
        dropped = sum(modality not in each for each in drawn) / n
        assert dropped == pytest.approx(expected, abs=binomial(expected, n))
    assert all(drawn)


def test_sentences_and_media_are_withheld_independently_where_words_are_there(film: Media) -> None:
    n = 2000
    settings = DropoutSettings(modality=0.0, sentences=0.3, media=0.3)
    whole = example(film)
    drawn = [shown(whole, settings, seed=3, epoch=e) for e in range(n)]
    for p, count in (
        (0.3, sum(not each.sentences for each in drawn)),
        (0.3, sum(not each.media for each in drawn)),
        (0.09, sum(not each.media and not each.sentences for each in drawn)),
    ):
        assert count / n == pytest.approx(p, abs=binomial(p, n))


def test_without_words_sentences_and_media_are_never_both_withheld(voice: Media) -> None:
    n = 2000
    settings = DropoutSettings(modality=0.0, sentences=0.3, media=0.3)
    wordless = example(voice, clues=CLUES[:2], said=None)
    drawn = [shown(wordless, settings, seed=3, epoch=e) for e in range(n)]
    assert not any(not each.sentences and not each.media for each in drawn)
    # .3 · .7 by itself, and half of the .3 · .3 of both, where media came back.
    share = sum(not each.sentences for each in drawn) / n
    assert share == pytest.approx(0.255, abs=binomial(0.255, n))


def test_something_is_shown_whatever_is_dropped(film: Media, voice: Media) -> None:
    settings = DropoutSettings(modality=0.9, sentences=0.9, media=0.9)
    for each in (example(film), example(voice, clues=CLUES[:2], said=None), example(voice, clues=(), said=None)):
        for epoch in range(100):
            what = shown(each, settings, seed=0, epoch=epoch)
            assert visible(each.request, what)
            assert lesson(each, what).messages  # raises where nothing is shown


def test_a_modality_that_the_clip_lacks_is_not_the_one_that_stays(voice: Media) -> None:
    deaf = example(voice, clues=CLUES[:2], said=None)
    settings = DropoutSettings(modality=0.9, sentences=0.0, media=0.0)
    drawn = [shown(deaf, settings, seed=0, epoch=e) for e in range(50)]
    assert all(each.modalities == {"audio"} for each in drawn)


def test_a_model_that_reads_only_is_never_left_with_media_alone(voice: Media) -> None:
    wordless = example(voice, clues=CLUES[:2], said=None)
    settings = DropoutSettings(modality=0.0, sentences=0.9, media=0.0)
    for epoch in range(50):
        what = shown(wordless, settings, seed=0, epoch=epoch, perceives={"text"})
        assert (what.sentences, what.media) == (True, False)


def test_at_validation_everything_is_shown_but_what_the_user_left_out(film: Media) -> None:
    asked = example(film).request
    assert everything(asked) == Shown()
    assert everything(asked, {"text"}) == Shown(media=False, streams=frozenset())
    less = replace(asked, settings={"without": frozenset({"visual"})})
    assert everything(less).modalities == {"audio", "text"}


def test_a_model_that_sees_nothing_is_told_of_no_picture_and_still_reads_what_was_seen(film: Media) -> None:
    listening = example(film)
    taught = lesson(listening, everything(listening.request, {"audio", "text"}), perceives={"audio", "text"})
    assert taught.media == {"audio"}
    assert "picture" not in taught.messages[-1].text
    assert BROWS in str(taught.answer)
    untold = Shown(sentences=False, streams=frozenset({"audio"}))
    assert visible(listening.request, untold) == {"audio", "text"}


def test_a_dropped_modality_leaves_no_trace_in_the_conversation(film: Media) -> None:
    each = example(film)
    for dropped, traces in {
        "audio": ("[a", "sound", "semitones"),
        "visual": ("[v", "picture", "brows"),
        "text": ("[t", "Oh no", "negative"),
    }.items():
        taught = lesson(each, Shown(frozenset({"audio", "visual", "text"} - {dropped})))
        said = taught.messages[-1].text + str(taught.answer)
        assert not [trace for trace in traces if trace in said]
        assert taught.media == {"audio", "video"} - {{"audio": "audio", "visual": "video"}.get(dropped)}


# ---------------------------------------------------------------- what is right to say


def test_an_answer_of_which_everything_is_shown_is_the_very_explanation(film: Media) -> None:
    taught = lesson(example(film), ALL)
    assert taught == Lesson(taught.messages, f'{COMPOSED}\n\nEmotions: ["surprised"]', True)


def test_sentences_that_cite_what_is_not_shown_go_and_the_others_keep_their_paragraphs(film: Media) -> None:
    unseen = Shown(frozenset({"audio", "text"}))
    assert explanation(example(film), unseen, "en") == f"{RISES}\n\n{WORDS}\n\n{PLAIN}"
    alone = Shown(frozenset({"visual"}))
    assert explanation(example(film), alone, "en") == f"{BROWS}\n\n{PLAIN}"


def test_without_clue_sentences_the_answer_tells_generally_what_is_heard_and_seen(film: Media) -> None:
    # By hand from heard_words.yaml; 7 dB are more than the scale of 6, hence "loud" and not "rather loud".
    general = "The voice is loud. The pitch rises.\n\nThe brows are raised.\n\nThe wording is negative."
    assert explanation(example(film), Shown(sentences=False), "en") == f"{general}\n\n{PLAIN}"
    unheard = Shown(frozenset({"visual"}), sentences=False)
    assert explanation(example(film), unheard, "en") == f"The brows are raised.\n\n{PLAIN}"


def test_general_words_are_borne_out_by_the_clues_that_are_withheld(film: Media) -> None:
    text = explanation(example(film), Shown(sentences=False), "en")
    assert [s.status for s in check(text, CLUES)] == ["grounded"] * 4 + ["uncheckable"]


def test_where_only_the_words_are_left_only_they_are_told_of(film: Media) -> None:
    reading = Shown(sentences=False, media=False)
    assert explanation(example(film), reading, "en") == f"The wording is negative.\n\n{PLAIN}"


def test_an_id_that_no_clue_has_is_never_taught(film: Media) -> None:
    other = example(film, f"The voice trembles [a9]. {RISES}")
    assert explanation(other, ALL, "en") == RISES


def test_what_people_wrote_without_citations_is_kept_as_far_as_it_can_be_known(film: Media) -> None:
    told = "She frowns. Her voice trembles. She has just lost her keys."
    human = example(film, told)
    assert explanation(human, ALL, "en") == told
    assert explanation(human, Shown(sentences=False), "en") == told
    unseen = Shown(frozenset({"audio", "text"}))
    assert explanation(human, unseen, "en") == "Her voice trembles. She has just lost her keys."
    reading = Shown(frozenset({"text"}))
    assert explanation(human, reading, "en") == "She has just lost her keys."


def test_who_hears_the_voice_hears_the_words(film: Media) -> None:
    human = example(film, "The wording is harsh.")
    assert explanation(human, Shown(frozenset({"audio"})), "en") == "The wording is harsh."
    assert explanation(human, Shown(frozenset({"audio"}), media=False), "en") == "The voice is loud. The pitch rises."


def test_an_answer_is_never_empty(film: Media) -> None:
    bare = example(film, "She frowns.", clues=())
    assert explanation(bare, Shown(frozenset({"audio"})), "en") == "Nothing about the voice stands out."
    assert explanation(bare, Shown(frozenset({"audio"})), "zh") == "声音没有特别之处。"


def test_chinese_is_taken_apart_likewise(film: Media) -> None:
    told = "她的语调上扬[a1]。她扬起眉毛[v1]。事情不太顺利。"
    chinese = example(film, told, labels=("惊讶",))
    assert explanation(chinese, ALL, "zh") == told
    assert explanation(chinese, Shown(frozenset({"audio", "text"})), "zh") == "她的语调上扬[a1]。事情不太顺利。"
    heard = lesson(chinese, Shown(frozenset({"audio"}), sentences=False), language="zh")
    assert heard.answer == '声音响亮。音调上扬。\n\n事情不太顺利。\n\nEmotions: ["惊讶"]'
    assert "没有附件" not in heard.messages[-1].text


def test_the_language_may_be_that_of_the_clip(film: Media) -> None:
    chinese = example(film, said=Transcript("糟糕。", "data set", "zh"))
    assert "视频" in lesson(chinese, ALL, language="clip").messages[0].text
    assert "short video clip" in lesson(example(film), ALL, language="clip").messages[0].text


def test_labels_alone_teach_no_text(film: Media) -> None:
    assert lesson(example(film, None), ALL).answer is None


def test_an_explanation_without_labels_does_not_teach_to_end_without_them(film: Media) -> None:
    taught = lesson(example(film, RISES, labels=()), ALL)
    assert (taught.answer, taught.stops) == (RISES, False)


def test_the_answers_labels_are_those_given_or_most_voted_in_the_form_of_the_prompt() -> None:
    assert spoken_labels(Annotation(("Happy", "ill  at ease", "happy"))) == ("happy", "ill at ease")
    assert spoken_labels(Annotation(votes={"sad": 2, "angry": 1, "Tired": 2})) == ("sad", "tired")
    assert spoken_labels(Annotation(votes={"sad": 0.0})) == ()


def test_labels_stay_whatever_is_dropped(film: Media) -> None:
    for epoch in range(60):
        each = example(film)
        answer = lesson(each, shown(each, DropoutSettings(modality=0.5), seed=0, epoch=epoch)).answer
        assert answer is not None
        assert answer.endswith('\n\nEmotions: ["surprised"]')
        assert not answer.startswith("\n")


def test_no_answer_cites_what_its_conversation_does_not_list(film: Media) -> None:
    request = example(film).request
    composed = Composer().compose(request).text.rpartition("\n\n")[0]
    each = example(film, composed)
    assert len(re.findall(r"\[[avt]\d+\]", composed)) >= 4
    cited = 0
    for epoch in range(200):
        taught = lesson(each, shown(each, DropoutSettings(modality=0.4), seed=0, epoch=epoch))
        listed = set(re.findall(r"^\[([avt]\d+)\]", taught.messages[-1].text, re.MULTILINE))
        found = set(re.findall(r"\[([avt]\d+)\]", str(taught.answer)))
        assert found <= listed
        cited += bool(found)
    assert cited > 20


def test_a_prompt_that_shows_less_asks_for_less(film: Media) -> None:
    taught = lesson(example(film), ALL, "describe_audio")
    assert taught.media == {"audio"}
    assert str(taught.answer).startswith(f"{RISES}\n\n{PLAIN}")


def test_a_request_without_media_is_taught_by_its_clues() -> None:
    taught = lesson(example(None), ALL)
    assert taught.media == frozenset()
    assert RISES in str(taught.answer)


def test_a_folder_of_paths_is_not_part_of_what_is_said(film: Media) -> None:
    said = " ".join(message.text for message in lesson(example(film), ALL).messages)
    assert Path(film.facts.path).name not in said
