"""Teaching data, the trainings, and what the other heads need: the stages before anything is asked."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alongside_plan import Heads, Plan, Rows, System

from emer.adapters.base_hash import base_sha256
from emer.data import emodb, ravdess
from emer.data.rows import PARTS, Part, Row
from emer.data.splits import split
from emer.errors import ConfigError
from emer.evidence.weights import INSTALLED, find_weights
from emer.files import write_text
from emer.training.llm.configuration import LlmConfig
from emer.training.llm.example import Example

if TYPE_CHECKING:
    from torch import Tensor

SPLIT = "voices"
EMER = (sys.executable, "-m", "emer.cli")
EPOCHS = 60
"""Of the post-hoc head; validation clips choose among them."""
BATCH = 64


# ---------------------------------------------------------------- teaching data


def teach(plan: Plan, data: Path) -> None:
    """The manifest: training and validation speakers of RAVDESS and EmoDB, calibration and test actors of RAVDESS.

    The composer writes the explanations of all of them, so that the loss of an explanation can be told on test actors.
    """
    if plan.manifest.is_file():
        return
    rows = plan.folder / "rows.jsonl"
    write_text(rows, "".join(json.dumps(line) + "\n" for line in lines_of(data, plan.most)))
    command = [*EMER, "annotate", str(rows), "--by", "composer", "--out", str(plan.manifest.parent)]
    subprocess.run(command, check=True, stdout=sys.stderr)


def lines_of(data: Path, most: int | None = None) -> list[dict[str, str]]:
    """A line of a manifest for each recording; `most` a speaker."""
    parts = split(SPLIT)
    of = {speaker: part for part in PARTS for speaker in parts.members(part)}
    known = [
        *ravdess.clips(data),
        *(row for row in emodb.clips(data) if of[str(row.speaker)] in ("train", "validation")),
    ]
    taken: dict[str, int] = {}
    lines = []
    for row in spread(known):
        speaker = str(row.speaker)
        taken[speaker] = taken.get(speaker, 0) + 1
        if speaker in of and (most is None or taken[speaker] <= most):
            lines.append(line_of(row, of[speaker]))
    return lines


def spread(rows: Sequence[Row]) -> list[Row]:
    """The rows label by label in turn, so that the first few of a speaker have several labels."""
    seen: dict[tuple[str | None, str], int] = {}
    place = {}
    for row in rows:
        key = (row.speaker, row.annotation.labels[0])
        seen[key] = seen.get(key, 0) + 1
        place[row.id] = seen[key]
    return sorted(rows, key=lambda row: place[row.id])


def line_of(row: Row, part: Part) -> dict[str, str]:
    said = {"text": ravdess.SENTENCES[row.id.split("-")[4]]} if row.id.startswith("03-") else {}
    path = str(Path(row.clip.path).resolve())
    return {
        "id": row.id,
        "path": path,
        "label": row.annotation.labels[0],
        "speaker": str(row.speaker),
        "split": part,
    } | said


def examples(config: LlmConfig, parts: Sequence[Part]) -> dict[Part, tuple[Example, ...]]:
    """The clips of these parts, measured."""
    from emer.training.llm.examples import read_examples

    return dict(read_examples(config, parts=parts, jobs=1).parts)


# ---------------------------------------------------------------- trainings


def refuse_other_base(plan: Plan) -> None:
    """Raises ConfigError where the folder was begun with other weights of that name: its pieces would tell of those."""
    now, path = base_sha256(plan.base), plan.folder / "base.sha256"
    if path.is_file() and path.read_text().strip() != now:
        raise ConfigError(f"{plan.folder} was begun with other weights of {plan.base}; name another folder with out=…")
    write_text(path, f"{now}\n")


def train(plan: Plan, system: System, seed: int) -> float | None:
    """One training by `emer train`, taken up where it stopped; its seconds, or None where it was done before."""
    if (plan.trained(system, seed) / "adapter" / "emer.json").is_file():
        return None
    began = time.perf_counter()
    changes = plan.training(system, seed)
    resume = ["--resume"] if any((plan.trained(system, seed) / "checkpoints").glob("*")) else []
    subprocess.run([*EMER, "train", plan.config, *changes, *resume], check=True, stdout=sys.stderr)
    return time.perf_counter() - began


# ---------------------------------------------------------------- the post-hoc head


def posthoc(
    states: "Tensor", target: "Tensor", validation: "Tensor", truth: "Tensor", config: LlmConfig, seed: int
) -> tuple["Tensor", int]:
    """Rows of a verdict head, "label hidden", trained on states that stay as they are; and the epoch that was best.

    The loss, learning rate, weight decay and zero rows at the beginning are those of the joint head; the epoch is
    chosen by the likelihood of validation clips. States are "clip hidden", targets "clip label".
    """
    import torch

    from emer.evidence.verdict import VerdictHead, alpha, verdict_loss

    settings = config.verdict
    if settings is None:
        raise ConfigError("the post-hoc head learns by the verdict's settings; name a configuration that has them")
    spec = settings.spec
    head, schedule = VerdictHead(states.shape[1], spec), config.schedule
    optimizer = torch.optim.AdamW(head.parameters(), lr=schedule.head_learning_rate, weight_decay=schedule.weight_decay)
    drawn = torch.Generator().manual_seed(seed)
    best, rows, chosen = float("inf"), head.rows, 0
    for epoch in range(EPOCHS):
        for some in torch.split(torch.randperm(len(states), generator=drawn), BATCH):
            known = torch.ones(len(some), dtype=torch.bool)
            loss = verdict_loss(head(states[some]), target[some], known, spec, settings.objective, epoch).mean()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        with torch.no_grad():
            said = alpha(head(validation), spec)
        nll = -(truth * (said / said.sum(dim=1, keepdim=True)).log()).sum(dim=1).mean().item()
        if nll < best:
            best, rows, chosen = nll, head.rows, epoch + 1
    return rows, chosen


def posthoc_rows(
    plan: Plan, states: "Tensor", validation: "Tensor", of: Mapping[Part, Sequence[Example]], seed: int
) -> Rows:
    """The post-hoc head of a seed; `states` are of the training clips, draw after draw."""
    import torch

    began = time.perf_counter()
    target, truth = (
        torch.stack([torch.as_tensor(example.target, dtype=torch.float32) for example in of[part]])
        for part in ("train", "validation")
    )
    target = target.repeat(len(states) // len(target), 1)
    rows, chosen = posthoc(states, target, validation, truth, plan.llm("joint", seed), seed)
    return Rows(tuple(map(tuple, rows.tolist())), chosen, time.perf_counter() - began)


# ---------------------------------------------------------------- the frozen heads


def frozen_heads(clips: Sequence[Example]) -> Heads:
    """What the shipped audio head says. Raises ConfigError where emer-weights is not installed."""
    from emer.evidence.trained import hear

    began = time.perf_counter()
    weights = find_weights(INSTALLED)
    if weights is None:
        raise ConfigError("the table sets the shipped audio head beside the verdict; install emer-weights")
    found = [hear(weights, each.request.clues.features, None).opinions.get("audio") for each in clips]
    said = [opinion if opinion is not None and opinion.present else None for opinion in found]
    weight = next((opinion.prior_weight for opinion in said if opinion is not None), 1.0)
    return Heads(
        tuple(each.id for each in clips),
        tuple(None if opinion is None else opinion.evidence for opinion in said),
        weight,
        weights.name,
        time.perf_counter() - began,
    )
