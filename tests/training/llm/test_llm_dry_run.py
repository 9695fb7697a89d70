"""What a dry run tells: counted by hand, by PEFT and by the batches themselves."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from clips import make_clip, tone
from tiny_folders import tiny

from emer import media
from emer.backbones.attached import Caps
from emer.backbones.backbone import Backbone
from emer.backbones.loading import load
from emer.data.splits import Split
from emer.emotions import label_set
from emer.evidence.opinion import vacuous
from emer.grounding import check
from emer.training.llm.collating import Collator, Draw
from emer.training.llm.configuration import DropoutSettings, LlmConfig, LoraSettings, Schedule, VerdictSettings
from emer.training.llm.dry_run import as_read, counted, dry_run, lora_layers, trainable
from emer.training.llm.example import Example
from emer.training.llm.examples import BadClip, Taught
from emer.training.llm.joint_model import JointModel, make_joint_model
from emer.types import Annotation, Clip, Clue, Clues, Request, Transcript

CONFIG = LlmConfig(
    verdict=VerdictSettings(label_set="emer8", kind="dirichlet"),
    lora=LoraSettings(rank=4, alpha=8),
    schedule=Schedule(batch_size=1, accumulation=2, epochs=3, checkpointing=False),
    dropout=DropoutSettings(modality=0.0, sentences=0.0, media=0.0),
    caps=Caps(frames=2),
)
RISE = Clue("a1", "audio", "pitch_rise", "voice 5.0 semitones up", 0.2, 0.5, 5.0, "semitones", "this clip's median")
SAID = Transcript("Oh no.", "data set", "en")


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Taught:
    """Five clips to train, one to validate; two without an explanation, one without a known label."""
    folder = tmp_path_factory.mktemp("clips")
    made = []
    for place in range(6):
        path = make_clip(folder / f"{place}.wav", 0.4 + 0.2 * place, sound=tone(200))
        clip = media.open(Clip(str(path)))
        asked = Request(clip, Clues((RISE,), {}, SAID), clip.facts.span, {}, vacuous("emer8", label_set("emer8")), SAID)
        told = None if place in (1, 2) else "The pitch rises [a1]. The voice trembles. She waits."
        made.append(
            Example(
                id=f"clip{place}",
                request=asked,
                annotation=Annotation(("sad",), told),
                statements=check(told or "", (RISE,)),
                target=None if place == 3 else np.eye(8)[3 if place else 4],
            )
        )
    return Taught(
        name="clips",
        parts={"train": tuple(made[:5]), "validation": tuple(made[5:])},
        split=Split("clips", "row", tuple(e.id for e in made[:5]), ("clip5",), (), ()),
        unmapped={"xyzzy": 2},
        bad=(BadClip("gone", "gone.wav", "gone.wav does not exist"),),
        data_sha256="0" * 64,
    )


@pytest.fixture(scope="module")
def joint() -> JointModel:
    return make_joint_model(CONFIG, load(tiny(), dtype=torch.float32))


@pytest.fixture(scope="module")
def report(taught: Taught, joint: JointModel) -> str:
    return dry_run(CONFIG, joint.backbone, taught, joint)


def line(report: str, start: str) -> str:
    return next(each for each in report.splitlines() if each.strip().startswith(start))


def test_trainable_parameters_are_those_that_peft_counts_and_the_verdict(joint: JointModel, report: str) -> None:
    learning, everything = joint.model.get_nb_trainable_parameters()  # type: ignore[operator]
    rows = 8 * joint.backbone.hidden_size
    assert line(report, "Trainable").startswith(f"Trainable parameters: {learning + rows:,} of {everything + rows:,} (")
    assert trainable(joint)["verdict"] == rows
    assert sum(trainable(joint).values()) == learning + rows


def test_layers_are_named_as_the_model_without_adapter_names_them(joint: JointModel, report: str) -> None:
    # Two layers of seven projections each.
    layers = lora_layers(joint)
    assert len(layers) == 14
    plain = {name for name, _ in load(tiny(), dtype=torch.float32).model.named_modules()}
    assert set(layers) <= plain
    assert "LoRA on 14 layers: model.layers.0.self_attn.q_proj, " in report


def test_data_and_labels_are_counted(report: str) -> None:
    assert "Data: clips, split clips" in report
    told = "train 5 clips, 3 with an explanation, 4 with a known label"
    assert " ".join(line(report, "train").split()) == told
    assert "1 clips: gone (gone.wav does not exist)" in report
    # Three explanations of two claims each: one is borne out, of the other no clue knows.
    assert "claims in the explanations to learn from: 6 (50% grounded, 50% unsupported)" in report
    assert line(report, "sad").split() == ["sad", "3", "1"]
    assert line(report, "angry").split() == ["angry", "1", "0"]
    assert "words without a label of the set: 1: xyzzy (2)" in report
    assert re.search(r"Verdict: dirichlet over emer8 \(8 labels\), 8 unused rows of the vocabulary", report)


def test_tokens_are_those_of_the_batches(taught: Taught, joint: JointModel, report: str) -> None:
    collator = Collator(joint.backbone, CONFIG)
    batches = [collator([Draw(example, training=False)]) for example in taught.parts["train"]]
    prompts = [int(batch.batch.last_prompt[0]) + 1 for batch in batches]
    heard = sum(int((b.batch.inputs["input_ids"] == joint.model.config.audio_token_index).sum()) for b in batches)
    found = counted(taught.parts["train"], collator)
    assert list(found.prompts) == prompts
    assert found.media == heard
    assert len(found.answers) == 3
    numbers = line(report, "prompt").replace(",", "").split()[1:]
    assert numbers == [str(n) for n in (min(prompts), sorted(prompts)[2], max(prompts), max(prompts))]
    assert f"{heard / sum(prompts):.0%} of the prompts are sound and pictures" in report
    assert "0 exceed the context of 4,096 tokens" in report


def test_steps_follow_from_clips_batches_and_epochs(taught: Taught, joint: JointModel, report: str) -> None:
    # Five clips, two a step: three steps an epoch, nine in three; for two processes two and six.
    assert "Steps: 3 an epoch (2 clips each: 1 × 1 × 2 of processes, batch and accumulation), 9 in all" in report
    assert "Steps: 2 an epoch (4 clips each: 2 ×" in dry_run(CONFIG, joint.backbone, taught, joint, processes=2)
    short = replace(CONFIG, schedule=replace(CONFIG.schedule, most_steps=4))
    assert "4 in all" in dry_run(short, joint.backbone, taught, joint)


def test_three_examples_read_as_the_model_reads_them(report: str) -> None:
    assert re.findall(r"──── (clip\d) as drawn in the first epoch: audio, text", report) == ["clip0", "clip2", "clip4"]
    assert re.search(r"<\|audio_bos\|><\|AUDIO\|> × \d+ <\|audio_eos\|>Attached: the sound\.", report)
    assert 'The pitch rises [a1]. The voice trembles. She waits.\n\nEmotions: ["sad"]<|im_end|>' in report
    assert "none: nobody explained this clip" in report
    assert "──── verdict to learn: angry 1" in report


def test_an_example_reads_as_its_ids_do(taught: Taught, joint: JointModel) -> None:
    collator = Collator(joint.backbone, CONFIG)
    row = collator.encoded(Draw(taught.parts["train"][0])).row
    read = as_read(row.prompt, collator)
    whole = re.sub(r"(<\|AUDIO\|>) × (\d+) ", lambda found: found[1] * int(found[2]), read)
    assert whole == joint.backbone.tokenizer.decode(row.prompt).strip()


def test_examples_that_do_not_fit_are_counted(
    taught: Taught, joint: JointModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backbone, "context", property(lambda self: 300))
    told = dry_run(CONFIG, joint.backbone, taught, joint)
    assert "5 exceed the context of 300 tokens (clip0, clip1, clip2, clip3, clip4): they will be left out" in told
    assert "──── clip0: prompt and answer take" in told


def test_clips_that_are_gone_are_told(taught: Taught, joint: JointModel, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "lost.wav", 0.5)
    clip = media.open(Clip(str(path)))
    path.unlink()
    lost = replace(taught.parts["train"][0], request=replace(taught.parts["train"][0].request, media=clip), id="lost")
    told = dry_run(CONFIG, joint.backbone, replace(taught, parts={**taught.parts, "train": (lost,)}), joint)
    assert re.search(r"1 cannot be decoded: lost \(.*lost\.wav", told)


def test_without_a_verdict_none_is_told_of(taught: Taught, joint: JointModel) -> None:
    told = dry_run(replace(CONFIG, verdict=None), joint.backbone, taught, joint)
    assert "Verdict: none" in told
    assert "Labels (" not in told
    assert "verdict to learn" not in told
