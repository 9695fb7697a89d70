"""What the benchmark reads off a model, against plain passes of the same model."""

from pathlib import Path

import numpy as np
import pytest
import torch
from adapted_models import adapt
from alongside_asking import answer_ids, answer_losses, label_place, label_tokens, opening
from alongside_says import LABELS
from alongside_training import lines_of, posthoc
from tiny_folders import tiny

from emer.backbones.attached import Conversation
from emer.backbones.backbone import Backbone
from emer.backbones.loading import load
from emer.emotions import label_set
from emer.engines.reading_answers import whole_answer
from emer.evidence.opinion import vacuous
from emer.evidence.verdict_spec import VerdictSpec
from emer.training.llm.configuration import LlmConfig, Schedule, VerdictSettings
from emer.training.llm.example import Example
from emer.types import Annotation, Clues, Message, Request, Span

ASKED = [Conversation((Message("user", text),)) for text in ("How is she?", "And how does he sound to you today?")]
TEXTS = ["The voice is low [a1].", "It rises."]


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    torch.set_num_threads(1)
    return load(tiny("text_clues"), dtype=torch.float32)


def example(*labels: str) -> Example:
    nothing = vacuous("emer8", label_set("emer8"))
    request = Request(None, Clues((), {}), Span(0, 1), {}, nothing)
    return Example(id="-".join(labels), request=request, annotation=Annotation(labels))


def test_label_tokens_are_read_right_behind_the_opening_of_the_line(backbone: Backbone) -> None:
    """Oracle: a pass over one unpadded row that ends where the label would begin, all logits."""
    ids = list(range(20))
    states, probability = label_place(backbone, ASKED, TEXTS, ids)
    for row, (asked, text) in enumerate(zip(ASKED, TEXTS, strict=True)):
        made = backbone.row(asked, whole_answer(text, ["happy"]))
        before = made.answer[: opening(backbone, text)]
        assert backbone.tokenizer.decode(before).endswith('Emotions: ["')
        with torch.no_grad():
            logits = backbone.model(torch.tensor([[*made.prompt, *before]])).logits[0, -1]
            hidden = backbone.model.model(torch.tensor([made.prompt])).last_hidden_state[0, -1]
        torch.testing.assert_close(probability[row], logits.softmax(-1)[ids], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(states[row], hidden, atol=1e-4, rtol=1e-4)


def test_label_tokens_are_those_that_the_tokenizer_puts_there(backbone: Backbone) -> None:
    found = label_tokens(backbone, [example("happy"), example("happy"), example("sad")])
    behind = {answer_ids(backbone, f'Emotions: ["{word}"]')[len(_shared(backbone))] for word in ("happy", "sad")}
    assert set(found.ids) == behind
    assert found.shares.sum() == len(found.ids)


def _shared(backbone: Backbone) -> tuple[int, ...]:
    """Ids of the opening by themselves, without the end of the turn."""
    return answer_ids(backbone, 'Emotions: ["')[:-1]


def test_the_loss_of_an_answer_is_that_of_transformers(backbone: Backbone) -> None:
    """Oracle: the model's own loss over labels, one row at a time."""
    found = answer_losses(backbone, ASKED, TEXTS)
    for (total, count), asked, text in zip(found, ASKED, TEXTS, strict=True):
        batch = backbone.encode([asked], [text])
        assert batch.labels is not None
        with torch.no_grad():
            theirs = backbone.model(**batch.inputs, labels=batch.labels).loss
        assert count == int((batch.labels >= 0).sum())
        assert total / count == pytest.approx(float(theirs), rel=1e-4)


def test_evidence_of_the_verdict_takes_no_probability_from_words(tmp_path: Path) -> None:
    """Oracle: the same LoRA without the verdict's rows, by transformers, over the words alone."""
    spec = VerdictSpec(label_set="emer8", labels=LABELS, kind="dirichlet", prior_weight=0.8)
    made = adapt(tiny("text_clues"), tmp_path / "adapter", spec)
    served = load(made.model, dtype=torch.float32, adapter=made.adapter)
    with torch.no_grad():
        head = served.lm_head.lora_A["default"].weight  # type: ignore[union-attr, index]
        head *= 20  # rows as large as after long training
    found = answer_losses(served, ASKED, TEXTS, made.rows)
    with torch.no_grad():
        head.zero_()
    for (total, count), asked, text in zip(found, ASKED, TEXTS, strict=True):
        batch = served.encode([asked], [text])
        assert batch.labels is not None
        with torch.no_grad():
            logits = served.model(**batch.inputs).logits[0, :-1].double()
        wanted = batch.labels[0, 1:]
        words = [word for word in range(served.rows) if word not in made.rows]
        log_p = logits[wanted >= 0].gather(1, wanted[wanted >= 0][:, None])[:, 0]
        assert count == len(log_p)
        assert total == pytest.approx(float((logits[wanted >= 0][:, words].logsumexp(1) - log_p).sum()), rel=1e-5)


def test_the_post_hoc_head_learns_what_frozen_states_hold_and_stops_where_validation_says() -> None:
    rng = np.random.default_rng(0)
    centres = 3 * rng.normal(size=(8, 16))
    labels = rng.integers(0, 8, 400)
    states = torch.tensor(centres[labels] + rng.normal(size=(400, 16)), dtype=torch.float32)
    target = torch.eye(8)[labels]
    config = LlmConfig(verdict=VerdictSettings(label_set="emer8", kind="dirichlet", prior_weight=0.8))
    rows, epoch = posthoc(states[:300], target[:300], states[300:], target[300:], config, seed=0)
    assert ((states[300:] @ rows.T).argmax(1) == target[300:].argmax(1)).float().mean() > 0.95
    noise, none = posthoc(states[:300], target[torch.randperm(300)], states[300:], target[300:], config, seed=0)
    assert none < epoch
    assert rows.shape == noise.shape == (len(LABELS), 16)


def test_the_post_hoc_head_decays_as_the_configuration_has_the_joint_head_decay() -> None:
    """AdamW shrinks weights by 1 - rate x decay a step (Loshchilov & Hutter 2019): by half here, so that they hardly
    grow; without decay they do."""
    states, target = 3 * torch.eye(8).repeat(8, 1), torch.eye(8).repeat(8, 1)
    sizes = []
    for decay in (0.0, 500.0):
        schedule = Schedule(weight_decay=decay, head_learning_rate=1e-3)
        verdict = VerdictSettings(label_set="emer8", kind="dirichlet", prior_weight=0.8)
        rows, _ = posthoc(states, target, states, target, LlmConfig(verdict=verdict, schedule=schedule), seed=0)
        sizes.append(float(rows.abs().max()))
    assert sizes[0] == pytest.approx(0.06, rel=0.1)  # sixty steps of the learning rate, all in one direction
    assert sizes[1] <= 2.1e-3  # each step adds 1e-3 and halves what was there


def test_no_test_actor_teaches(real_data: object) -> None:
    """Parts as `configs/splits/voices.json` has them; EmoDB's calibration and test speakers are left out altogether."""
    lines = lines_of(real_data)  # type: ignore[arg-type]
    speakers = {part: {line["speaker"] for line in lines if line["split"] == part} for part in ("train", "validation")}
    assert speakers["train"] == {*(f"actor{n:02d}" for n in range(1, 13)), "03", "08", "09", "10"}
    assert speakers["validation"] == {"actor13", "actor14", "11"}
    asked = [line for line in lines if line["split"] in ("calibration", "test")]
    assert len(asked) == 360
    assert {line["speaker"] for line in asked} == {f"actor{n}" for n in range(15, 21)}
    assert {line["text"] for line in asked} == {"Kids are talking by the door", "Dogs are sitting by the door"}


def test_a_rehearsal_takes_several_labels_of_every_speaker(real_data: object) -> None:
    lines = lines_of(real_data, most=3)  # type: ignore[arg-type]
    by_speaker: dict[str, set[str]] = {}
    for line in lines:
        by_speaker.setdefault(line["speaker"], set()).add(line["label"])
    assert {len(labels) for labels in by_speaker.values()} == {3}
