"""The engine on real clips with tiny random models, and with a tiny model that was taught its answers."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from adapted_models import Adapted, adapt
from tiny_folders import taught, tiny

from emer import Explainer
from emer import media as media_
from emer.adapters.files import read_adapter, read_record
from emer.adapters.merging import merge, save_merged
from emer.adapters.record import write_record
from emer.backbones.attached import Caps, Conversation
from emer.backbones.attaching import attach
from emer.backbones.loading import load
from emer.emotions import label_set
from emer.engines import asking_model
from emer.engines.asking import messages_of
from emer.engines.transformers_engine import Transformers
from emer.errors import ConfigError, ModelError
from emer.evidence.opinion import evidence
from emer.evidence.verdict import evidence as evidence_of
from emer.evidence.verdict_spec import VerdictSpec
from emer.prompts import prompt
from emer.types import Answer, Clip, Message, PromptRecord, Request

SMALL = Caps(seconds=4.0, frames=2, pixels=8 * 28 * 28)
EMER8 = VerdictSpec(label_set="emer8", labels=label_set("emer8"))
EXPLAIN = prompt("explain").record


@pytest.fixture(scope="module")
def clips(real_data: Path) -> dict[str, Path]:
    """Sound and picture, picture alone, sound alone."""
    folder = real_data / "clips"
    return {
        "both": Path(__file__).parents[2] / "examples" / "talking_face.mp4",
        "picture": folder / "faces" / "single_face.jpg",
        "sound": next((folder / "ravdess_speech").rglob("*.flac")),
    }


@pytest.fixture(scope="module")
def requests(clips: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Request, ...]:
    explainer = Explainer(weights=None, cache=tmp_path_factory.mktemp("clues"))
    opened = [media_.open(Clip(str(path))) for path in clips.values()]
    return tuple(explainer.request(each, explainer.clues(Clip(each.facts.path), each)) for each in opened)


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Adapted:
    torch.set_num_threads(1)
    return adapt(tiny(), tmp_path_factory.mktemp("adapter") / "a", EMER8, prompt=EXPLAIN)


@pytest.fixture(scope="module")
def engine(adapted: Adapted) -> Callable[..., Transformers]:
    """Engines with the adapter, all on one loaded model."""
    given = {"model": str(tiny()), "adapter": str(adapted.adapter), "max_new_tokens": 12, "dtype": "float32"}
    first = Transformers(**(given | {"caps": SMALL}))

    def made(**settings: Any) -> Transformers:
        other = replace(first, **settings)
        vars(other)["tuned"] = first.tuned
        return other

    return made


@pytest.fixture(autouse=True)
def _short_second_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random models never stop by themselves."""
    monkeypatch.setattr(asking_model, "LABEL_TOKENS", 8)


def answers(engine: Transformers, *requests: Request) -> list[Answer]:
    return list(engine.answer(requests))


def strip(answer: Answer) -> tuple[Any, ...]:
    return answer.text, answer.labels, answer.error


# ---------------------------------------------------------------- batches, order, seeds


def test_a_batch_of_clips_gives_the_answers_of_single_clips(
    engine: Callable[..., Transformers], requests: tuple[Request, ...]
) -> None:
    together = answers(engine(), *requests)
    alone = [answers(engine(), request)[0] for request in requests]
    assert [strip(answer) for answer in together] == [strip(answer) for answer in alone]
    assert len({answer.text for answer in together}) == 3
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.verdict.evidence, other.verdict.evidence, atol=1e-4)


def test_drawn_texts_come_again_with_their_seed_in_any_order(
    engine: Callable[..., Transformers], requests: tuple[Request, ...]
) -> None:
    hot = {"temperature": 1.0, "top_p": 0.95}
    first = [answer.text for answer in answers(engine(seed=3, **hot), *requests)]
    assert [answer.text for answer in answers(engine(seed=3, **hot), *reversed(requests))] == first[::-1]
    assert [answer.text for answer in answers(engine(seed=4, **hot), *requests)] != first


def test_pieces_that_are_told_add_up_to_the_text(
    engine: Callable[..., Transformers], requests: tuple[Request, ...]
) -> None:
    pieces: dict[int, list[str]] = {}
    told = engine(told=lambda place, piece: pieces.setdefault(place, []).append(piece), batch_size=2)
    found = answers(told, *requests)
    assert ["".join(pieces[place]) for place in range(3)] == [answer.text for answer in found]
    assert all(len(parts) > 2 for parts in pieces.values())


# ---------------------------------------------------------------- verdict


def test_the_verdict_is_the_trainers_head_on_the_state_behind_the_prompt(
    adapted: Adapted, engine: Callable[..., Transformers], requests: tuple[Request, ...]
) -> None:
    """By another way: the state by one pass without generation, then the head as it was trained, outside of LoRA."""
    backbone = load(adapted.model, dtype=torch.float32, adapter=adapted.adapter)
    for request, answer in zip(requests, answers(engine(), *requests), strict=True):
        seen = attach(request.media, request.span, SMALL)
        batch = backbone.encode([Conversation(messages_of(request), seen)])
        with torch.no_grad():
            states = backbone.hidden_at(batch, batch.last_prompt)
            expected = evidence_of(adapted.head(states), EMER8)[0]
        assert answer.verdict is not None
        assert answer.verdict.trained
        np.testing.assert_allclose(evidence(answer.verdict), expected.numpy(), rtol=1e-3, atol=1e-4)


def test_a_merged_model_has_its_adapters_verdict_and_needs_no_adapter(
    adapted: Adapted, engine: Callable[..., Transformers], requests: tuple[Request, ...], tmp_path: Path
) -> None:
    base = load(adapted.model, dtype=torch.float32)
    adapter = read_adapter(adapted.adapter)
    merged = merge(base.model, adapter)
    save_merged(tmp_path / "merged", merged, adapter.record, processor=base.processor)
    alone = Transformers(model=str(tmp_path / "merged"), max_new_tokens=4, caps=SMALL, views="full")
    (one,), (other,) = answers(engine(), requests[1]), answers(alone, requests[1])
    assert other.error is None
    assert set(other.alone) == {"model_visual"}
    np.testing.assert_allclose(one.verdict.evidence, other.verdict.evidence, atol=1e-3)


def test_an_adapter_that_is_given_as_a_model_is_told_apart(adapted: Adapted) -> None:
    with pytest.raises(ModelError, match="is an adapter and no model; give it as --adapter"):
        Transformers(model=str(adapted.adapter)).prepare()


def test_without_an_adapter_there_is_no_verdict(requests: tuple[Request, ...]) -> None:
    plain = Transformers(model=str(tiny()), max_new_tokens=4, caps=SMALL)
    (answer,) = answers(plain, requests[1])
    assert (answer.verdict, dict(answer.alone), answer.error) == (None, {}, None)


def test_asked_by_modality_each_view_is_the_verdict_of_a_clip_that_has_no_other(
    engine: Callable[..., Transformers], requests: tuple[Request, ...]
) -> None:
    """Of a recording, the view of the voice alone is the verdict on the same recording without its words."""
    full = answers(engine(views="full"), *requests)
    assert [set(answer.alone) for answer in full] == [
        {"model_audio", "model_visual", "model_text"},
        {"model_visual"},
        {"model_audio"},
    ]
    assert full[0].alone["model_audio"] != full[0].alone["model_visual"]
    assert requests[2].transcript is None
    np.testing.assert_allclose(full[2].alone["model_audio"].evidence, full[2].verdict.evidence, atol=1e-4)


def test_two_stages_read_the_verdict_where_one_stage_does(
    engine: Callable[..., Transformers], requests: tuple[Request, ...]
) -> None:
    one, two = answers(engine(), *requests), answers(engine(stages=2), *requests)
    assert [answer.error for answer in two] == [None] * 3
    assert {answer.prompt for answer in two} == {prompt("merge").record}
    for first, second in zip(one, two, strict=True):
        np.testing.assert_allclose(first.verdict.evidence, second.verdict.evidence, atol=1e-4)
        assert second.usage["prompt_tokens"] > first.usage["prompt_tokens"]


def test_a_verdict_behind_another_prompt_than_its_own_is_warned_of(
    tmp_path: Path, requests: tuple[Request, ...]
) -> None:
    other = adapt(tiny(), tmp_path / "other", EMER8, prompt=PromptRecord("explain.en", "0" * 64))
    asking = Transformers(model=str(tiny()), adapter=str(other.adapter), max_new_tokens=4, caps=SMALL)
    (answer,) = answers(asking, requests[1])
    assert "other_prompt" in {notice.code for notice in answer.warnings}


def test_the_verdict_alone_is_that_of_the_whole_answer_and_nothing_is_written(
    engine: Callable[..., Transformers], requests: tuple[Request, ...]
) -> None:
    whole, alone = answers(engine(), *requests), list(engine().verdicts(requests))
    assert [answer.shown for answer in alone] == [("audio", "visual", "text"), ("visual",), ("audio",)]
    for one, other in zip(whole, alone, strict=True):
        np.testing.assert_allclose(one.verdict.evidence, other.verdict.evidence, atol=1e-4)
        assert (one.shown, one.prompt) == (other.shown, other.prompt)
        assert (other.text, other.labels, other.usage["new_tokens"]) == ("", (), 1.0)


def test_what_is_left_out_or_asked_in_ones_own_words_is_not_called_shown(
    engine: Callable[..., Transformers], requests: tuple[Request, ...]
) -> None:
    quiet = replace(requests[0], settings={"without": frozenset({"audio"})})
    own = replace(requests[0], messages=(Message("user", "Well?"),))
    assert [answer.shown for answer in engine().verdicts([quiet, own])] == [("visual", "text"), ()]


def test_without_a_verdict_nobody_is_asked_for_one(requests: tuple[Request, ...]) -> None:
    with pytest.raises(ModelError, match="has no verdict; give an adapter that was trained with one"):
        list(Transformers(model=str(tiny())).verdicts(requests))


# ---------------------------------------------------------------- prompts


def trained_with(adapted: Adapted, folder: Path, record: PromptRecord | None) -> str:
    """The folder of an adapter that was trained with this prompt; its tensors are not needed to ask for its name."""
    folder.mkdir()
    changed = replace(read_record(adapted.adapter), prompt=record)
    (folder / "emer.json").write_text(write_record(changed))
    return str(folder)


@pytest.mark.parametrize(
    ("trained", "settings", "asked"),
    [
        (prompt("merge", "zh").record, {}, ("merge", "merge", "zh")),
        (prompt("merge", "zh").record, {"language": "en"}, ("merge", "merge", "en")),
        (prompt("merge", "zh").record, {"prompt": "explain"}, ("explain", "explain", "en")),
        (prompt("annotate").record, {"stages": 2}, ("merge", "annotate", "en")),
        (PromptRecord("merge.zh", "0" * 64), {}, ("explain", "explain", "en")),
        (PromptRecord("mine.md", "0" * 64), {}, ("explain", "explain", "en")),
        (None, {}, ("explain", "explain", "en")),
    ],
    ids=["as it was trained", "language", "prompt", "two stages", "another version", "its own file", "not on record"],
)
def test_an_adapter_is_asked_with_the_prompt_that_it_was_trained_with_where_that_text_ships(
    adapted: Adapted,
    tmp_path: Path,
    requests: tuple[Request, ...],
    trained: PromptRecord | None,
    settings: dict[str, Any],
    asked: tuple[str, str, str],
) -> None:
    found = Transformers(model=str(tiny()), adapter=trained_with(adapted, tmp_path / "a", trained), **settings)
    assert (found.prompt_name, found.verdict_prompt, found.language_of(requests[0])) == asked


# ---------------------------------------------------------------- form


SHE = (Message("user", "Who?"),)
HE = (Message("user", "What?"),)
KEPT = 'She smiles and is glad.\n\nEmotions: ["glad"]'
STRAYED = "He looks on and is angry about it."


@pytest.fixture(scope="module")
def pupil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It keeps the form for one question and goes on behind it; for the other it gives no labels until asked again."""
    again = prompt("extract_labels").messages(text=STRAYED)
    lessons = {SHE: f"{KEPT} and so on and so on", HE: STRAYED, again: '["furious"]'}
    return taught(tmp_path_factory.mktemp("pupil") / "model", lessons)


def test_writing_stops_at_the_line_of_labels_and_labels_have_clusters(
    pupil: Path, requests: tuple[Request, ...]
) -> None:
    (answer,) = answers(Transformers(model=str(pupil), dtype="float32"), replace(requests[1], messages=SHE))
    assert answer.text == KEPT
    assert [(label.label, label.cluster, label.confidence) for label in answer.labels] == [("glad", "happy", None)]
    assert [statement.text for statement in answer.statements] == ["She smiles and is glad."]
    assert answer.warnings == ()
    assert answer.prompt is None  # the messages were the caller's own


def test_labels_that_are_missing_are_asked_for_once_more(pupil: Path, requests: tuple[Request, ...]) -> None:
    (answer,) = answers(Transformers(model=str(pupil), dtype="float32"), replace(requests[1], messages=HE))
    assert answer.text == f'{STRAYED}\n\nEmotions: ["furious"]'
    assert [label.cluster for label in answer.labels] == ["angry"]
    assert [notice.code for notice in answer.warnings] == ["answer_form"]
    assert "asked for once more" in answer.warnings[0].text


# ---------------------------------------------------------------- what goes wrong


def test_one_bad_request_of_three_stops_no_other(
    engine: Callable[..., Transformers], requests: tuple[Request, ...], clips: dict[str, Path], tmp_path: Path
) -> None:
    gone = tmp_path / "gone.mp4"
    shutil.copy(clips["both"], gone)
    bad = replace(requests[0], media=media_.open(Clip(str(gone))))
    gone.unlink()
    first, second, third = answers(engine(), requests[1], bad, requests[2])
    assert (first.error, third.error) == (None, None)
    assert second.error is not None
    assert second.error.partition(":")[0] in ("MediaError", "FileNotFoundError")
    assert strip(first) == strip(answers(engine(), requests[1])[0])


def test_a_prompt_longer_than_the_context_says_by_how_much(
    engine: Callable[..., Transformers], requests: tuple[Request, ...]
) -> None:
    long = replace(requests[1], messages=(Message("user", "word " * 6000),))
    bad, good = answers(engine(), long, requests[1])
    assert bad.error is not None
    assert "more than the model's context of 4,096" in bad.error
    assert good.error is None


def test_a_clip_of_which_nothing_is_left_has_no_answer(
    engine: Callable[..., Transformers], requests: tuple[Request, ...]
) -> None:
    nothing = replace(requests[2], settings={"without": frozenset({"audio", "visual", "text"})})
    (answer,) = answers(engine(), nothing)
    assert answer.error is not None
    assert "leave less out" in answer.error


def test_without_room_for_a_batch_each_clip_is_asked_alone(
    engine: Callable[..., Transformers], requests: tuple[Request, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [strip(answer) for answer in answers(engine(), *requests)]
    write = asking_model.write

    def full(*arguments: Any, **options: Any) -> Any:
        if len(arguments[3]["input_ids"]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return write(*arguments, **options)

    monkeypatch.setattr(asking_model, "write", full)
    assert [strip(answer) for answer in answers(engine(), *requests)] == expected


def test_a_verdict_that_is_not_finite_is_an_error_of_its_clip(
    engine: Callable[..., Transformers], requests: tuple[Request, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = asking_model.write

    def broken(*arguments: Any, **options: Any) -> Any:
        return [replace(one, logits=(float("nan"),) * len(one.logits)) for one in write(*arguments, **options)]

    monkeypatch.setattr(asking_model, "write", broken)
    (answer,) = answers(engine(), requests[1])
    assert answer.error is not None
    assert "not finite" in answer.error


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "it needs a model"),
        ({"model": "./nowhere"}, "there is no folder ./nowhere"),
        ({"model": "x", "stages": 3, "batch_size": 0, "top_p": 0.0}, "stages 3 is neither 1 nor 2; batch_size 0"),
        ({"model": "x", "views": "full"}, "views full reads the verdict by modality, which needs an adapter"),
        ({"model": "x", "prompt": "nothing_such"}, "there is no prompt nothing_such.en"),
        ({"model": "x", "adapter": "/nowhere"}, "no adapter can be read there"),
    ],
)
def test_settings_that_cannot_be_are_told_before_a_model_is_loaded(settings: dict[str, Any], told: str) -> None:
    with pytest.raises((ConfigError, ModelError), match=told.replace(".", r"\.")):
        Transformers(**settings)


def test_a_model_that_is_not_there_is_told_in_one_line(
    requests: tuple[Request, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="no-such-owner/no-such-model is no model that transformers can open"):
        answers(Transformers(model="no-such-owner/no-such-model"), requests[1])


def test_an_adapter_of_another_base_is_refused(adapted: Adapted, tmp_path: Path, requests: tuple[Request, ...]) -> None:
    from emer.backbones.tiny import make_tiny

    other = make_tiny("qwen2_5_omni", tmp_path / "other", seed=1)
    with pytest.raises((ModelError, ConfigError), match="was trained on"):
        answers(Transformers(model=str(other), adapter=str(adapted.adapter)), requests[1])
