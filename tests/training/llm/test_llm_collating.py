"""Examples as tensors: the ids of the stock processor, targets and features in their places, bad clips left out."""

import pickle
import re
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from clips import make_clip, tone
from tiny_folders import tiny
from torch.utils.data import DataLoader

from emer import media
from emer.backbones.attached import Caps, Conversation
from emer.backbones.attaching import attach
from emer.backbones.backbone import Backbone
from emer.backbones.encoding import IGNORED
from emer.backbones.loading import load
from emer.emotions import label_set
from emer.engines.asking import Shown
from emer.evidence.opinion import vacuous
from emer.grounding import check
from emer.training.llm.collating import Collator, Draw, without_weights
from emer.training.llm.configuration import DropoutSettings, LlmConfig, VerdictSettings
from emer.training.llm.dropout import everything, lesson
from emer.training.llm.example import Example, JointBatch
from emer.types import Annotation, Clip, Clue, Clues, Features, Request, Transcript

WHOLE = DropoutSettings(modality=0.0, sentences=0.0, media=0.0)
CONFIG = LlmConfig(verdict=VerdictSettings(label_set="emer8", kind="dirichlet"), dropout=WHOLE, caps=Caps(frames=2))
RISE = Clue("a1", "audio", "pitch_rise", "voice 5.0 semitones up", 0.2, 0.5, 5.0, "semitones", "this clip's median")
SAID = Transcript("Oh no.", "data set", "en")
TOLD = "The pitch rises [a1]."
NAMES = ("f0_median_st", "hnr_db")


@cache
def backbone(family: str = "qwen2_5_omni") -> Backbone:
    return load(tiny(family), dtype=torch.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of one second, one of half a second, and a voice."""
    made = tmp_path_factory.mktemp("clips")
    make_clip(made / "film.mp4", 1.0)
    make_clip(made / "short.mp4", 0.5, sound=tone(300))
    make_clip(made / "voice.wav", 0.7)
    return made


def example(
    path: Path, *, told: str | None = TOLD, place: int | None = 3, labels: tuple[str, ...] = ("sad",)
) -> Example:
    clip = media.open(Clip(str(path)))
    features = {"audio": Features("audio", NAMES, (3.5, 0.0), (True, False), "1")}
    asked = Request(
        clip, Clues((RISE,), features, SAID), clip.facts.span, {}, vacuous("emer8", label_set("emer8")), SAID
    )
    target = None if place is None else np.eye(8)[place]
    statements = check(told or "", (RISE,), SAID.text)
    return Example(
        id=path.name, request=asked, annotation=Annotation(labels, told), statements=statements, target=target
    )


def conversation(each: Example, config: LlmConfig = CONFIG) -> tuple[Conversation, str | None]:
    """What the engine would say to a model, and the answer to learn."""
    taught = lesson(each, everything(each.request), config.prompt)
    assert each.request.media is not None
    return Conversation(taught.messages, attach(each.request.media, each.request.span, config.caps)), taught.answer


def same(one: JointBatch, other: JointBatch) -> bool:
    """Whether two batches hold the same tensors and the same words."""
    equal = one.batch.inputs.keys() == other.batch.inputs.keys() and all(
        torch.equal(value, other.batch.inputs[name]) for name, value in one.batch.inputs.items()
    )
    return (
        equal
        and torch.equal(one.batch.labels, other.batch.labels)
        and torch.equal(one.target, other.target)
        and (one.ids, one.left_out) == (other.ids, other.left_out)
    )


# ---------------------------------------------------------------- what a batch holds


def test_a_batch_is_what_the_backbone_encodes(folder: Path) -> None:
    examples = [example(folder / name) for name in ("film.mp4", "voice.wav", "short.mp4")]
    found = Collator(backbone(), CONFIG)([Draw(each) for each in examples])
    spoken = [conversation(each) for each in examples]
    expected = backbone().encode([c for c, _ in spoken], [a for _, a in spoken], side="right")
    assert found.batch.inputs.keys() == expected.inputs.keys()
    for name, value in expected.inputs.items():
        assert torch.equal(found.batch.inputs[name], value), name
    assert expected.labels is not None
    assert found.batch.labels is not None
    assert torch.equal(found.batch.labels, expected.labels)
    assert torch.equal(found.batch.last_prompt, expected.last_prompt)
    assert found.ids == ("film.mp4", "voice.wav", "short.mp4")
    assert found.lengths is not None
    assert found.lengths.tolist() == expected.inputs["attention_mask"].sum(-1).tolist()


def test_ids_are_those_of_the_stock_processor_and_its_chat_template(folder: Path) -> None:
    each = example(folder / "voice.wav")
    found = Collator(backbone(), CONFIG)([Draw(each)])
    spoken, answer = conversation(each)
    system, user = spoken.messages
    processor = backbone().processor
    text = processor.apply_chat_template(
        [
            {"role": "system", "content": [{"type": "text", "text": system.text}]},
            {"role": "user", "content": [{"type": "audio"}, {"type": "text", "text": user.text}]},
            {"role": "assistant", "content": [{"type": "text", "text": answer}]},
        ],
        tokenize=False,
    )
    stock = processor(text=text, audio=[spoken.attached.samples], return_tensors="pt")["input_ids"][0].tolist()
    ids = found.batch.inputs["input_ids"][0].tolist()
    # The template ends the turn with a line break that no model has to write.
    assert stock[: len(ids)] == ids
    assert backbone().tokenizer.decode(stock[len(ids) :]).strip() == ""
    assert found.batch.labels is not None
    taught = [token for token in found.batch.labels[0].tolist() if token != IGNORED]
    assert backbone().tokenizer.decode(taught) == f"{answer}<|im_end|>"


def test_targets_and_features_stand_in_the_rows_of_their_clips(folder: Path) -> None:
    examples = [example(folder / "film.mp4"), example(folder / "voice.wav", place=None)]
    found = Collator(backbone(), CONFIG, {"audio": ("hnr_db", "f0_median_st", "new"), "visual": ("x",)})(
        [Draw(each) for each in examples]
    )
    assert found.target.tolist() == [[0, 0, 0, 1, 0, 0, 0, 0], [0] * 8]
    assert found.known.tolist() == [True, False]
    # By name: the second number was not measured, the third is unknown to this extractor.
    assert found.features["audio"].tolist() == [[0.0, 3.5, 0.0]] * 2
    assert found.measured["audio"].tolist() == [[False, True, False]] * 2
    assert found.measured["visual"].tolist() == [[False]] * 2


def test_a_dropped_modality_takes_its_features_and_its_sound_with_it(folder: Path) -> None:
    each = example(folder / "voice.wav")
    dropping = replace(CONFIG, dropout=DropoutSettings(modality=0.6, sentences=0.0, media=0.0))
    collator = Collator(backbone(), dropping, {"audio": NAMES})
    seen = set()
    for epoch in range(12):
        found = collator([Draw(each, epoch=epoch)])
        heard = "input_features" in found.batch.inputs
        assert bool(found.measured["audio"].any()) == heard
        seen.add(heard)
        assert same(found, collator([Draw(each, epoch=epoch)]))
    assert seen == {True, False}
    validated = collator([Draw(each, epoch=epoch, training=False)])
    assert "input_features" in validated.batch.inputs


def test_rows_without_an_explanation_have_no_labels_and_the_same_prompt(folder: Path) -> None:
    told, untold = example(folder / "film.mp4"), example(folder / "film.mp4", told=None)
    found = Collator(backbone(), CONFIG)([Draw(told), Draw(untold)])
    assert found.batch.labels is not None
    assert (found.batch.labels[1] == IGNORED).all()
    first, second = found.batch.last_prompt.tolist()
    assert first == second
    ids = found.batch.inputs["input_ids"]
    assert torch.equal(ids[0, : first + 1], ids[1, : first + 1])


def test_an_answer_without_labels_does_not_teach_to_end(folder: Path) -> None:
    found = Collator(backbone(), CONFIG)([Draw(example(folder / "film.mp4", labels=()))])
    assert found.batch.labels is not None
    taught = [token for token in found.batch.labels[0].tolist() if token != IGNORED]
    assert backbone().tokenizer.decode(taught) == TOLD


def test_without_a_verdict_nothing_is_known_of_it(folder: Path) -> None:
    found = Collator(backbone(), replace(CONFIG, verdict=None))([Draw(example(folder / "voice.wav"))])
    assert (tuple(found.target.shape), found.known.tolist()) == ((1, 0), [False])


def test_a_model_that_reads_only_is_given_text_only(folder: Path) -> None:
    found = Collator(backbone("text_clues"), CONFIG)([Draw(example(folder / "film.mp4"))])
    assert set(found.batch.inputs) == {"input_ids", "attention_mask"}
    text = backbone("text_clues").tokenizer.decode(found.batch.inputs["input_ids"][0])
    assert "Nothing is attached" in text


# ---------------------------------------------------------------- clips that fail


def test_a_clip_that_fails_now_is_left_out_and_told(folder: Path, tmp_path: Path) -> None:
    lost = tmp_path / "lost.mp4"
    shutil.copy(folder / "film.mp4", lost)
    gone = example(lost)
    lost.unlink()
    good = example(folder / "voice.wav")
    found = Collator(backbone(), CONFIG)([Draw(gone), Draw(good)])
    assert same(replace(found, left_out={}), Collator(backbone(), CONFIG)([Draw(good)]))
    assert list(found.left_out) == ["lost.mp4"]
    assert "lost.mp4" in found.left_out["lost.mp4"]


def test_a_clip_cut_off_after_it_was_measured_is_told(folder: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.wav"
    shutil.copy(folder / "voice.wav", cut)
    each = example(cut)
    cut.write_bytes(cut.read_bytes()[:60])
    found = Collator(backbone(), CONFIG)([Draw(each)])
    assert list(found.left_out) == ["cut.wav"]


def test_a_batch_whose_clips_all_fail_still_has_every_tensor(folder: Path, tmp_path: Path) -> None:
    lost = tmp_path / "lost.mp4"
    shutil.copy(folder / "film.mp4", lost)
    gone = example(lost)
    lost.unlink()
    found = Collator(backbone(), CONFIG, {"audio": NAMES})([Draw(gone)])
    assert found.batch.labels is not None
    assert (found.batch.labels == IGNORED).all()
    assert found.ids == ()
    assert found.known.tolist() == [False]
    assert tuple(found.target.shape) == (1, 8)
    assert tuple(found.features["audio"].shape) == tuple(found.measured["audio"].shape) == (1, 2)
    assert found.lengths is not None
    assert len(found.lengths) == len(found.batch.last_prompt) == len(found.batch.inputs["input_ids"]) == 1
    assert backbone().outputs_at(found.batch, found.batch.last_prompt).hidden.isfinite().all()


def test_a_prompt_longer_than_the_context_is_left_out_whole(folder: Path) -> None:
    small = without_weights(backbone())
    config = small.model.config.__class__.from_dict(small.model.config.to_dict())
    small.model.config = config
    config.get_text_config().max_position_embeddings = 500
    found = Collator(small, CONFIG)([Draw(example(folder / "voice.wav"))])
    told = found.left_out["voice.wav"]
    more, context = re.search(r"take [\d,]+ tokens, (\d+) more than the model's context of ([\d,]+)", told).groups()  # type: ignore[union-attr]
    whole = Collator(backbone(), CONFIG)([Draw(example(folder / "voice.wav"))])
    assert whole.lengths is not None
    assert (int(more), context) == (int(whole.lengths[0]) - 500, "500")


# ---------------------------------------------------------------- in other processes


def test_what_is_sent_to_other_processes_holds_no_weights(folder: Path) -> None:
    collator = Collator(backbone(), CONFIG)
    sent = pickle.dumps(collator)
    weights = sum(parameter.numel() * 4 for parameter in backbone().model.parameters())
    assert len(sent) < weights / 4
    draws = [Draw(example(folder / "film.mp4"))]
    assert same(pickle.loads(sent)(draws), collator(draws))


@pytest.mark.long
@pytest.mark.parametrize("context", ["forkserver"])
def test_a_loader_with_processes_gives_what_one_without_gives(folder: Path, context: str) -> None:
    draws = [Draw(example(folder / name)) for name in ("film.mp4", "voice.wav", "short.mp4", "film.mp4")]
    collator = Collator(backbone(), CONFIG)
    settings: dict[str, Any] = {"batch_size": 2, "collate_fn": collator}
    alone = list(DataLoader(draws, **settings))  # type: ignore[arg-type]
    several = list(DataLoader(draws, num_workers=2, multiprocessing_context=context, **settings))  # type: ignore[arg-type]
    assert all(same(one, other) for one, other in zip(alone, several, strict=True))


@pytest.mark.parametrize("family", ["qwen3_omni", "gemma4"])
def test_other_families_are_collated_as_they_encode(folder: Path, family: str) -> None:
    each = example(folder / "film.mp4")
    found = Collator(backbone(family), CONFIG)([Draw(each)])
    spoken, answer = conversation(each)
    expected = backbone(family).encode([spoken], [answer], side="right")
    for name, value in expected.inputs.items():
        assert torch.equal(found.batch.inputs[name], value), name


def test_an_example_can_be_looked_at_by_itself(folder: Path) -> None:
    encoded = Collator(backbone(), CONFIG).encoded(Draw(example(folder / "voice.wav")))
    assert encoded.shown == Shown(frozenset({"audio", "text"}))  # it has no picture
    assert encoded.lesson.media == {"audio"}
    assert [medium.kind for medium in encoded.row.media] == ["audio"]


def test_real_voices_are_collated(real_data: Path) -> None:
    paths = sorted((real_data / "clips" / "ravdess_speech").glob("03-01-0[1-3]-01-01-01-01.flac"))
    found = Collator(backbone(), CONFIG)([Draw(example(path)) for path in paths])
    assert found.left_out == {}
    assert len(found.ids) == 3
    # Twenty-five vectors a second, as the family's report has it.
    heard = (found.batch.inputs["input_ids"] == backbone().model.config.audio_token_index).sum(-1)
    seconds = [media.open(Clip(str(path))).facts.span.duration for path in paths]
    assert heard.tolist() == pytest.approx([25 * each for each in seconds], abs=1.5)
