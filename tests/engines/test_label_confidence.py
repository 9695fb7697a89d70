"""How sure a model seems of its labels. Token probabilities are held against plain forward passes of the same model."""

from dataclasses import replace
from math import exp, log
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_folders import taught, tiny

from emer.backbones.attached import Conversation
from emer.backbones.backbone import Backbone
from emer.backbones.loading import load
from emer.engines import asking_model
from emer.engines.generation import Writing, Written, write
from emer.engines.label_confidence import Piece, percentages, place_of, sampled_scores, token_scores
from emer.engines.transformers_engine import Transformers
from emer.errors import ConfigError
from emer.evidence.opinion import vacuous
from emer.prompts import prompt
from emer.types import Answer, Clues, Emotion, Message, Request, Span

SHE = (Message("user", "Who?"),)
HE = (Message("user", "What?"),)
KEPT = 'She smiles and is glad.\n\nEmotions: ["glad", "ill at ease"]'
STRAYED = "He looks on and is angry about it."
RATE = prompt("confidence").messages(labels='["glad", "ill at ease"]')


# ---------------------------------------------------------------- tokens


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    torch.set_num_threads(1)
    return load(tiny("text_clues"), dtype=torch.float32)


def written(backbone: Backbone, text: str, writing: Writing, **options: Any) -> Written:
    batch = backbone.encode([Conversation((Message("user", text),))])
    return write(backbone.model, backbone.tokenizer, backbone.lm_head, batch.inputs, writing=writing, **options)[0]


def step_by_step(backbone: Backbone, text: str, steps: int, rows: list[int]) -> list[float]:
    """Log-probabilities of the likeliest tokens, a whole pass for each, without the verdict's rows."""
    ids = backbone.encode([Conversation((Message("user", text),))]).inputs["input_ids"]
    found = []
    with torch.no_grad():
        for _ in range(steps):
            logits = backbone.model(input_ids=ids).logits[0, -1]
            logits[rows] = -torch.inf
            token = int(logits.argmax())
            found.append(float(logits.log_softmax(-1)[token]))
            ids = torch.cat([ids, torch.tensor([[token]])], dim=1)
    return found


def test_probabilities_are_those_of_plain_passes_without_the_rows_of_the_verdict(backbone: Backbone) -> None:
    """The likeliest row of all is among those left out, so that counting it would be seen."""
    batch = backbone.encode([Conversation((Message("user", "a"),))])
    with torch.no_grad():
        first = int(backbone.model(**batch.inputs).logits[0, -1].argmax())
    rows = [first, 7, 300]
    found = written(backbone, "a", Writing(max_new_tokens=10, probabilities=True), rows=rows)
    assert [piece.log_p for piece in found.pieces] == pytest.approx(step_by_step(backbone, "a", 10, rows), abs=1e-4)


def test_a_drawn_token_has_the_probability_of_the_model_and_not_of_the_draw(backbone: Backbone) -> None:
    batch = backbone.encode([Conversation((Message("user", "a"),))])
    with torch.no_grad():
        p = backbone.model(**batch.inputs).logits[0, -1].softmax(-1)
    for seed in range(4):
        hot = Writing(max_new_tokens=1, temperature=2.0, top_p=0.9, probabilities=True)
        (piece,) = written(backbone, "a", hot, seeds=(seed,)).pieces
        assert float((p - exp(piece.log_p)).abs().min()) < 1e-6


def test_the_pieces_of_a_text_lie_end_to_end(backbone: Backbone) -> None:
    """Random bytes among them: parts of one character stand at the same place."""
    hot = Writing(max_new_tokens=24, temperature=1.5, probabilities=True)
    found = written(backbone, "what does she feel?", hot, seeds=(3,))
    assert len(found.text) > 10
    assert len(found.pieces) == found.new_tokens - found.ended  # the end of the turn has no letters
    assert (found.pieces[0].start, found.pieces[-1].end) == (0, len(found.text))
    assert all(after.start <= before.end for before, after in zip(found.pieces, found.pieces[1:], strict=False))
    assert written(backbone, "a", Writing(max_new_tokens=4)).pieces == ()


def test_a_label_has_the_tokens_that_hold_its_letters_by_hand() -> None:
    """["释然", "sad"]: the first character took three tokens; the quotation marks of "sad" came with its letters."""
    pieces = [Piece(0, 2, -9), *(Piece(2, 3, log(0.5)) for _ in range(3)), Piece(3, 4, log(0.5)), Piece(4, 7, -9)]
    pieces += [Piece(7, 9, log(0.9)), Piece(9, 12, log(0.4)), Piece(12, 13, -9)]
    found = token_scores('["释然", "sad"]', pieces, ["释然", "sad", "glad"])
    assert found["释然"] == pytest.approx({"token": 0.5, "token_plain": 0.5**4})
    assert found["sad"] == pytest.approx({"token": 0.6, "token_plain": 0.36})
    assert "glad" not in found


@pytest.mark.parametrize(
    ("text", "label", "found"),
    [
        ('sad.\nEmotions: ["sad"]', "sad", (17, 20)),
        ('["unhappy", "happy"]', "happy", (13, 18)),
        ("Emotions: happy, sad", "sad", (17, 20)),
        ('["Ill  at ease"]', "ill at ease", (2, 14)),
        ("sadness", "sad", None),
    ],
)
def test_labels_are_found_where_they_were_written(text: str, label: str, found: tuple[int, int] | None) -> None:
    assert place_of(text, label) == found


# ---------------------------------------------------------------- samples and words


def test_samples_count_the_label_or_its_cluster_by_hand() -> None:
    glad, odd = Emotion("glad", "happy"), Emotion("at sea")
    samples = [[Emotion("cheerful", "happy")], [odd, glad], [Emotion("lost")], []]
    assert sampled_scores([glad, odd], samples) == {"glad": 0.5, "at sea": 0.25}
    assert sampled_scores([glad], []) == {}


@pytest.mark.parametrize(
    ("reply", "shares"),
    [
        ("[100, 0]", (1.0, 0.0)),
        (" [85,40.5] ", (0.85, 0.405)),
        ("[85]", None),
        ("[85, 40] I think", None),
        ("[85, 101]", None),
        ("[85, -1]", None),
        ("[85, NaN]", None),
        ("[85, true]", None),
        ('["85", 40]', None),
        ('{"glad": 85}', None),
        ("85 and 40", None),
        ("[" * 20_000, None),
    ],
)
def test_only_a_list_of_percentages_is_one(reply: str, shares: tuple[float, ...] | None) -> None:
    assert percentages(reply, 2) == shares


def test_both_languages_ask_for_a_list_and_show_nothing_but_the_labels() -> None:
    for language in ("en", "zh"):
        (turn,) = prompt("confidence", language).messages(labels='["担忧"]')
        assert turn.role == "user"
        assert '["担忧"]' in turn.text
        assert "[85, 40]" in turn.text


# ---------------------------------------------------------------- through the engine


@pytest.fixture(scope="module")
def pupil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It keeps the form for one question and rates its labels; for the other it gives labels when asked again."""
    torch.set_num_threads(1)
    again = prompt("extract_labels").messages(text=STRAYED)
    rating = (*SHE, Message("assistant", KEPT), *RATE)
    lessons = {SHE: KEPT, HE: STRAYED, again: '["furious"]', rating: "[85, 40]"}
    return taught(tmp_path_factory.mktemp("sure") / "model", lessons)


@pytest.fixture(scope="module")
def engine(pupil: Path) -> Transformers:
    return Transformers(model=str(pupil), dtype="float32", label_confidence=("token",))


def other(engine: Transformers, **settings: Any) -> Transformers:
    made = replace(engine, **settings)
    vars(made)["tuned"] = engine.tuned
    return made


def asked(engine: Transformers, messages: tuple[Message, ...]) -> Answer:
    request = Request(None, Clues((), {}), Span(0, 4), {}, vacuous("emer8", ("happy", "sad")), messages=messages)
    (answer,) = engine.answer([request])
    assert answer.error is None
    return answer


def test_the_score_of_a_label_is_that_of_its_tokens_in_one_pass_over_the_whole_answer(
    engine: Transformers,
) -> None:
    """The tokenizer tells which of the answer's tokens hold the label; the model's one pass their probabilities."""
    answer = asked(engine, SHE)
    assert answer.text == KEPT
    backbone = engine.tuned.backbone
    batch = backbone.encode([Conversation(SHE)], [KEPT])
    with torch.no_grad():
        log_p = backbone.model(**batch.inputs).logits[0].log_softmax(-1)
    places = backbone.tokenizer(KEPT, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    ids = batch.inputs["input_ids"][0]
    first = int(batch.last_prompt[0]) + 1
    for label in ("glad", "ill at ease"):
        start = KEPT.rindex(label)
        own = [i for i, (a, b) in enumerate(places) if a < start + len(label) and b > start]
        expected = [float(log_p[first + i - 1, ids[first + i]]) for i in own]
        assert answer.scores[label]["token_plain"] == pytest.approx(exp(sum(expected)), rel=1e-3)
        assert answer.scores[label]["token"] == pytest.approx(exp(sum(expected) / len(own)), rel=1e-3)


def test_labels_of_a_second_question_are_scored_where_they_were_written(engine: Transformers) -> None:
    answer = asked(engine, HE)
    assert [label.label for label in answer.labels] == ["furious"]
    assert answer.scores["furious"]["token"] > 0.9  # learned by heart


def test_the_model_is_asked_for_a_number_in_the_turn_behind_its_answer(engine: Transformers) -> None:
    answer = asked(other(engine, label_confidence=("verbalised",)), SHE)
    assert answer.scores == {"glad": {"verbalised": 0.85}, "ill at ease": {"verbalised": 0.4}}
    assert answer.text == KEPT


def test_a_reply_that_is_no_list_of_numbers_gives_none_and_is_told_of(
    engine: Transformers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emer.engines.making_answers.percentages", lambda reply, count: None)
    answer = asked(other(engine, label_confidence=("verbalised",)), SHE)
    assert answer.scores == {}
    assert [notice.code for notice in answer.warnings] == ["label_confidence"]
    assert "by verbalised" in answer.warnings[0].text


def test_samples_are_drawn_anew_and_counted_by_hand(engine: Transformers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four answers are put in its mouth: two hold a word of the cluster of "glad", one holds "ill at ease"."""
    drawn = ['Emotions: ["happy"]', 'Emotions: ["cheerful", "ill at ease"]', 'Emotions: ["sad"]', "Emotions: []"]
    real, seeds, heat = asking_model.write, [], set()

    def said(*arguments: Any, writing: Writing, **options: Any) -> list[Written]:
        if writing.temperature == 0:
            return real(*arguments, writing=writing, **options)
        seeds.append(tuple(options["seeds"]))
        heat.add(writing.temperature)
        return [Written(drawn[len(seeds) - 1], (), 1, 1, 0.1, True)]

    monkeypatch.setattr(asking_model, "write", said)
    answer = asked(other(engine, label_confidence=("sampled",), samples=4, sample_temperature=0.6), SHE)
    assert answer.text == KEPT
    assert {label: found["sampled"] for label, found in answer.scores.items()} == {"glad": 0.5, "ill at ease": 0.25}
    assert (len(set(seeds)), heat) == (4, {0.6})


def test_real_samples_of_a_model_that_knows_its_answer_agree(engine: Transformers) -> None:
    answer = asked(other(engine, label_confidence=("token", "sampled"), samples=2, sample_temperature=0.05), SHE)
    assert set(answer.scores["glad"]) == {"token", "token_plain", "sampled"}
    assert answer.scores["glad"]["sampled"] == 1.0


def test_nothing_is_asked_unless_it_is_asked_for(engine: Transformers) -> None:
    answer = asked(other(engine, label_confidence=()), SHE)
    assert (answer.scores, answer.warnings) == ({}, ())


def test_wrong_settings_are_told_at_once() -> None:
    with pytest.raises(ConfigError, match=r"label_confidence logits is not known; choose among token, sampled, verb"):
        Transformers(model="x", label_confidence=("token", "logits"))
    with pytest.raises(ConfigError, match="samples 0 begin at 1, sample_temperature 0 is above 0"):
        Transformers(model="x", samples=0, sample_temperature=0.0)
