"""Trains LoRA and an evidential verdict together, in a loop of one's own, with the losses of `emer train`.

    python examples/finetune_peft.py Qwen/Qwen2.5-Omni-7B clips.jsonl my_adapter

`clips.jsonl` has a line for each clip: {"id": "1", "path": "a.mp4", "explanation": "…", "labels": ["sad"], "split":
"train"}; labels or explanation may be missing. A step, of several clips, minimises the mean cross-entropy of the
answers' tokens, plus a weight times the mean evidential loss of the clips whose label is known.
"""

import json
import math
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import emer.torchvision_ops  # noqa: F401  transformers starts with it where torchvision was built for another torch

# isort: split
import torch
from peft import LoraConfig, get_peft_model
from torch.nn.functional import cross_entropy, pad
from transformers import get_cosine_schedule_with_warmup

from emer import Clip, Explainer, media
from emer.adapters.base_hash import base_sha256
from emer.adapters.export import base_record, export_adapter
from emer.adapters.record import AdapterRecord, VerdictRecord
from emer.backbones.attached import Conversation
from emer.backbones.attaching import attach
from emer.backbones.backbone import Backbone, Batch
from emer.backbones.encoding import IGNORED
from emer.backbones.loading import load
from emer.evidence.rows import clip_row, row_hashes
from emer.evidence.verdict import VerdictHead, verdict_loss
from emer.evidence.verdict_labels import LabelMap, default_spec, targets
from emer.evidence.view_losses import Objective
from emer.grounding import check
from emer.prompts import prompt
from emer.training.llm.configuration import DropoutSettings
from emer.training.llm.dropout import lesson, shown
from emer.training.llm.example import Example
from emer.types import Annotation, Message

LABEL_SET = "ring1/plutchik"
RANK, LORA_DROPOUT = 16, 0.05  # alpha is twice the rank: a power of two, so that the verdict's rows ride in it exactly
EPOCHS, CLIPS_A_STEP, SEED = 3, 8, 0
LEARNING_RATE, HEAD_LEARNING_RATE = 1e-4, 1e-3  # the verdict's rows begin at zero
WARM_UP, EVIDENCE_WARM_UP = 0.03, 0.1  # shares of the steps: learning rates, and the weight, grow from 0 over them
PROBE = "What does the person in this clip feel?"  # by the verdict on this, exports are proved live


def train(base: str, manifest: str, folder: str) -> list[tuple[float, float]]:
    """Text and verdict loss of each step; the adapter is written after the last one."""
    gpu = torch.cuda.is_available()
    backbone = load(base, device="cuda" if gpu else "cpu", dtype=torch.bfloat16 if gpu else torch.float32)
    spec = default_spec(LABEL_SET)
    examples = list(read_examples(Path(manifest), LabelMap(spec)))
    torch.manual_seed(SEED)
    lora = LoraConfig(r=RANK, lora_alpha=2 * RANK, lora_dropout=LORA_DROPOUT, target_modules=backbone.lora_layers())
    model = backbone.model = get_peft_model(backbone.model, lora)
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.train()
    head = VerdictHead(backbone.hidden_size, spec, softcap=backbone.softcap).to(backbone.device)  # float32 always
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [{"params": trained, "lr": LEARNING_RATE}, {"params": head.parameters(), "lr": HEAD_LEARNING_RATE}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.0)
    steps = EPOCHS * math.ceil(len(examples) / CLIPS_A_STEP)
    schedule = get_cosine_schedule_with_warmup(optimizer, math.ceil(WARM_UP * steps), steps)

    course: list[tuple[float, float]] = []
    for epoch, taken in steps_of(examples):
        weight = min(1.0, len(course) / (EVIDENCE_WARM_UP * steps))
        batches = [encoded(backbone, example, epoch) for example in taken]
        tokens = max(1, sum(int((batch.labels != IGNORED).sum()) for batch in batches))
        known = max(1, sum(example.teaches_verdict for example in taken))
        told = torch.zeros(2)
        for batch, example in zip(batches, taken, strict=True):
            with torch.autocast(backbone.device.type, torch.bfloat16, enabled=gpu):
                text, verdict = losses(backbone, head, batch, example)
            (text / tokens + weight * verdict / known).backward()
            told += torch.stack([text / tokens, verdict / known]).detach().cpu()
        torch.nn.utils.clip_grad_norm_([*trained, *head.parameters()], 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        course.append((float(told[0]), float(told[1])))
        print(f"step {len(course)} of {steps}: text {told[0]:.4f}, verdict {told[1]:.4f}", flush=True)

    origin = base_record(model, Path(base).name if Path(base).is_dir() else base, base_sha256(base))
    where = VerdictRecord(spec=spec, rows=backbone.verdict_rows(spec.rows))
    seen, asked = row_hashes(example.row for example in examples), prompt("explain").record
    record = AdapterRecord(base=origin, verdict=where, prompt=asked, data=Path(manifest).stem, trained_rows=seen)
    probe = (PROBE, backbone.row(Conversation((Message("user", PROBE),))).prompt)
    export_adapter(folder, model, record, head, probe=probe)  # stock PEFT loads it; `emer export` makes it a server's
    return course


def read_examples(manifest: Path, words: LabelMap) -> Iterator[Example]:
    """The training rows, with clues that are measured here: their sentences stand in the question beside the media."""
    rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines() if line.strip()]
    rows = [row for row in rows if row.get("split", "train") == "train"]
    said = [Annotation(tuple(row.get("labels", ())), row.get("explanation")) for row in rows]
    made = targets(said, words)
    explainer = Explainer(weights=None)
    for row, annotation, numbers, known in zip(rows, said, made.target, made.known, strict=True):
        clip = Clip(str(manifest.parent / row["path"]), row.get("start"), row.get("end"), said=row.get("text"))
        opened = media.open(clip)
        request = explainer.request(opened, explainer.clues(clip, opened))
        spoken = request.transcript.text if request.transcript else ""
        cited = check(annotation.explanation or "", request.clues.items, spoken)
        taught = {"annotation": annotation, "statements": cited, "target": numbers if known else None}
        yield Example(id=row["id"], request=request, row=clip_row(opened.facts.sha256, clip.start, clip.end), **taught)


def steps_of(examples: list[Example]) -> Iterator[tuple[int, list[Example]]]:
    """Epoch and clips of each step: those that `emer train schedule.group_by_length=false` takes."""
    for epoch in range(EPOCHS):
        order = list(examples)
        random.Random(f"{SEED}/{epoch}").shuffle(order)
        yield from ((epoch, order[i : i + CLIPS_A_STEP]) for i in range(0, len(order), CLIPS_A_STEP))


def encoded(backbone: Backbone, example: Example, epoch: int) -> Batch:
    """One clip: sound and pictures decoded, prompt and answer as tokens; labels are the answer's alone."""
    what = shown(example, DropoutSettings(), seed=SEED, epoch=epoch, perceives=backbone.perceives)
    taught = lesson(example, what, perceives=backbone.perceives)  # what is not shown is not cited in the answer
    asked = Conversation(taught.messages, attach(example.request.media, None, backbone.caps))
    batch = backbone.encode([asked], [taught.answer], side="right")
    if not taught.stops:  # without labels the answer lacks its last line: it does not teach to end there
        batch.labels[:, -1] = IGNORED
    return batch.to(backbone.device, backbone.dtype)


def losses(backbone: Backbone, head: VerdictHead, batch: Batch, example: Example) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-entropy summed over the answer's tokens, and the evidential loss of the verdict."""
    wanted = pad(batch.labels[:, 1:], (0, 1), value=IGNORED)  # at each place the token that follows
    places = wanted != IGNORED
    places[0, batch.last_prompt] = True  # before any answer: here the verdict is read
    read = backbone.outputs_at(batch, places)  # one pass; logits at these places, not at thousands of the prompt
    text = cross_entropy(read.logits.float(), wanted[places], ignore_index=IGNORED, reduction="sum")
    nobody = [0.0] * len(head.spec.labels)  # adds nothing, but stays in the graph
    target = torch.tensor([nobody if example.target is None else example.target.tolist()], device=text.device)
    known = torch.tensor([example.teaches_verdict], device=text.device)
    return text, verdict_loss(head(read.hidden[:1]), target, known, head.spec, Objective()).sum()


if __name__ == "__main__":
    train(*sys.argv[1:]) if len(sys.argv) == 4 else sys.exit(__doc__)
