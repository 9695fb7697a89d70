"""What the verdict costs while a language model is trained, and what emer's loop saves against a plain one.

    python benchmarks/llm_training.py            # about twenty minutes; writes benchmarks/results/llm_training.json

A random Qwen2.5-Omni of 9 million numbers learns from real utterances, strung together to 3 to 20 seconds, with
explanations that the composer wrote. Every measurement is a process of its own with one thread, and kinds take turns:

    head       emer's step with the verdict head and without it, on the same batches (aim: within 2 %)
    loop       emer's trainer (logits at answers alone, batches of like length) and transformers' own Trainer (all
               logits, batches as they come), both with the same LoRA on the same clips

Times are of the processor, which other programs disturb little; memory is the peak of the process.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

import emer
from emer.data import ravdess
from emer.data.rows import Part
from emer.data.splits import split
from emer.files import write_text
from emer.training.llm.configuration import LlmConfig, LoraSettings, Schedule, VerdictSettings

if TYPE_CHECKING:
    import torch

    from emer.training.llm.running import Prepared

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
WORK = ROOT / "runs" / "bench" / "llm_training"
KINDS = {"head": ("joint", "sft"), "loop": ("emer", "plain")}
RUNS = {"head": 10, "loop": 5}
AIM = 0.02
BATCHES, STEPS, WARM = 2, 4, 1
"""Batches of the head's measurement, timed steps over them, and steps before the clock runs."""
LOOP_STEPS = 8
BATCH = 2
CLIPS, VALIDATION = 48, 4
LONGEST = 5
"""Utterances of one speaker that are strung together at most."""


def main() -> None:
    """All measurements, or one of them in its own process."""
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))
        return
    data = Path(os.environ.get("EMER_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (data / ravdess.FOLDER).is_dir():
        raise SystemExit("this benchmark needs real clips: set EMER_TEST_DATA to the folder that holds clips/")
    teach(data)
    found = {of: turns(KINDS[of], RUNS[of]) for of in KINDS}
    result = {
        "command": "python benchmarks/llm_training.py",
        "emer": emer.__version__,
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}",
        "runs": found,
        "ratios": {of: ratios(found[of], *KINDS[of]) for of in KINDS},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "llm_training.json").write_text(json.dumps(result, indent=2) + "\n")
    print("\n".join(told(found)))


def turns(kinds: Sequence[str], runs: int) -> dict[str, list[dict[str, float]]]:
    """Every kind so many times, one after the other, each pair in the other order than the one before."""
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for run in range(runs):
        for kind in kinds if run % 2 == 0 else reversed(kinds):
            command = [sys.executable, __file__, "--measure", kind, str(run)]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
            found[kind].append(json.loads(done.stdout.splitlines()[-1]))
            print(f"{kind} {run}: {found[kind][-1]}", file=sys.stderr, flush=True)
    return found


# ---------------------------------------------------------------- data


def teach(data: Path) -> None:
    """The manifest of strung clips, explained by the composer; made once."""
    if (WORK / "taught" / "manifest.jsonl").is_file():
        return
    lines = list(strung(data, WORK / "clips"))
    write_text(WORK / "rows.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    command = [sys.executable, "-m", "emer.cli", "annotate", str(WORK / "rows.jsonl"), "--out", str(WORK / "taught")]
    subprocess.run([*command, "--by", "composer"], check=True, stdout=sys.stderr)


def strung(data: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """CLIPS recordings: 1 to LONGEST utterances of one actor with one label, one after the other."""
    import av

    from emer import media
    from emer.types import SAMPLE_RATE

    folder.mkdir(parents=True, exist_ok=True)
    parts = split("ravdess")
    rows = {
        who: [row for row in ravdess.clips(data) if row.speaker == who] for who in (*parts.train, *parts.validation)
    }
    for place in range(CLIPS):
        part: Part = "validation" if place >= CLIPS - VALIDATION else "train"
        speakers, count = parts.members(part), 1 + place % LONGEST
        who = speakers[place % len(speakers)]
        label = rows[who][7 * place % 60].annotation.labels[0]
        some = [row for row in rows[who] if row.annotation.labels[0] == label][:count]
        sound = np.concatenate([w.samples for row in some for w in media.open(row.clip).windows(audio=True)])
        path = folder / f"{place:02d}.wav"
        with av.open(str(path), "w") as out:
            stream = out.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
            frame = av.AudioFrame.from_ndarray((sound * 32767).astype(np.int16)[None], format="s16", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            out.mux([*stream.encode(frame), *stream.encode(None)])
        yield {"id": path.stem, "path": str(path), "label": label, "speaker": who, "split": part}


# ---------------------------------------------------------------- one measurement


def settings(kind: str, seed: int) -> LlmConfig:
    """The configuration of a kind; the plain loop takes its LoRA and its learning rate from it."""
    verdict = None if kind in ("sft", "plain") else VerdictSettings(label_set="emer8", kind="dirichlet")
    schedule = Schedule(
        epochs=100, most_steps=LOOP_STEPS, batch_size=BATCH, accumulation=1, checkpointing=False, seed=seed,
        precision="float32", group_by_length=kind != "plain",
    )  # fmt: skip
    manifest = str(WORK / "taught" / "manifest.jsonl")
    return LlmConfig(
        base="random",
        prompt="explain_brief",
        data=manifest,
        verdict=verdict,
        schedule=schedule,
        lora=LoraSettings(rank=8, alpha=16, dropout=0),
    )


def measure(kind: str, seed: int) -> dict[str, float]:
    """Figures of one kind: `seconds` a step, `peak_mb`, `tokens_per_s` (padding does not count)."""
    import torch
    from random_omni import SMALL, random_omni

    from emer.training.llm.examples import read_examples
    from emer.training.llm.running import Prepared

    torch.set_num_threads(1)
    config = settings(kind, seed)
    prepared = Prepared(read_examples(config, jobs=1), random_omni(SMALL), "")
    return steps_of(config, prepared) if kind in KINDS["head"] else loop_of(kind, config, prepared)


def steps_of(config: LlmConfig, prepared: "Prepared") -> dict[str, float]:
    """Forward, backward and update of emer's joint model over the same few batches; the median step."""
    import torch

    from emer.training.llm.running import joint_of, loader_of

    joint, collator = joint_of(config, prepared)
    loader = loader_of(config, prepared, collator)
    batches = [batch for _, batch in zip(range(BATCHES), loader, strict=False)]
    optimizer = torch.optim.AdamW([p for p in joint.parameters() if p.requires_grad], lr=1e-4)
    joint.train()
    took = []
    for step in range(WARM + STEPS):
        began = time.process_time()
        joint(batches[step % len(batches)]).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        took.append(time.process_time() - began)
    tokens = sum(float(batches[step % len(batches)].lengths.sum()) for step in range(WARM, WARM + STEPS))
    timed = took[WARM:]
    return {"seconds": float(np.median(timed)), "tokens_per_s": tokens / sum(timed), "peak_mb": peak_mb()}


def loop_of(kind: str, config: LlmConfig, prepared: "Prepared") -> dict[str, float]:
    """A whole trainer, decoding included: tokens a second between the first step and the last."""
    import tempfile

    from emer.training.llm.running import joint_of, loader_of

    joint, collator = joint_of(config, prepared)
    counted = Counting(collator)
    with tempfile.TemporaryDirectory() as folder:
        if kind == "emer":
            from emer.training.llm.trainer import JointTrainer

            trainer: Any = JointTrainer(joint, config, loader_of(config, prepared, cast(Any, counted)), Path(folder))
        else:
            trainer = plain_trainer(prepared, counted, config, folder)
        clock = watched(trainer)
        trainer.train()
    tokens, seconds = counted.tokens[: len(clock)], clock[-1] - clock[0]
    return {
        "seconds": seconds / (len(clock) - 1),
        "tokens_per_s": sum(tokens[1:]) / seconds,
        "padding": 1 - sum(counted.tokens) / sum(counted.places),
        "peak_mb": peak_mb(),
    }


class Counting:
    """A collator that counts the tokens of its batches, and their places with padding."""

    def __init__(self, collator: Any) -> None:
        self.collator, self.tokens, self.places = collator, list[int](), list[int]()

    def __call__(self, draws: Sequence[Any]) -> Any:
        joint = self.collator(draws)
        mask = joint.batch.inputs["attention_mask"]
        self.tokens.append(int(mask.sum()))
        self.places.append(mask.numel())
        return joint


def plain_trainer(prepared: "Prepared", counted: Counting, config: LlmConfig, folder: str) -> Any:
    """transformers' Trainer as its documentation shows it: the model's own loss over all logits, shuffled batches."""
    from transformers import Trainer, TrainingArguments
    from transformers.trainer_callback import PrinterCallback

    from emer.training.llm.running import Draws

    def collate(draws: Sequence[Any]) -> "dict[str, torch.Tensor]":
        batch = counted(draws).batch
        return {**batch.inputs, "labels": batch.labels}

    schedule = config.schedule
    trainer = Trainer(
        model=prepared.backbone.model,
        args=TrainingArguments(
            output_dir=folder, per_device_train_batch_size=BATCH, max_steps=LOOP_STEPS, use_cpu=True, report_to="none",
            learning_rate=schedule.learning_rate, remove_unused_columns=False, seed=schedule.seed, save_strategy="no",
            disable_tqdm=True, logging_strategy="no",
        ),
        train_dataset=Draws(prepared.taught.parts["train"]),
        data_collator=collate,
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    return trainer


def watched(trainer: Any) -> list[float]:
    """Processor seconds at the end of each step, filled while the trainer runs."""
    from transformers import TrainerCallback

    clock: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            clock.append(time.process_time())

    trainer.add_callback(Clock())
    return clock


def peak_mb() -> float:
    """The most memory that this process ever had."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


# ---------------------------------------------------------------- figures


def ratios(found: dict[str, list[dict[str, float]]], ours: str, theirs: str) -> dict[str, dict[str, float]]:
    """Ours over theirs, run by run: the median and its interval, for every figure that both have."""
    names = [name for name in found[ours][0] if name in found[theirs][0]]
    return {
        name: dict(
            zip(
                ("median", "low", "high", "level"),
                median_interval([a[name] / b[name] for a, b in zip(found[ours], found[theirs], strict=True)]),
                strict=True,
            )
        )
        for name in names
    }


def median_interval(values: Sequence[float], least: float = 0.95) -> tuple[float, float, float, float]:
    """Median, the narrowest pair of order statistics around it that holds at least `least`, and what it holds.

    The k-th smallest and k-th largest of n hold the median with probability 1 - 2 P(B < k), B binomial (n, 1/2)
    (David & Nagaraja 2003, Order statistics, 7.1). Few values do not reach `least`: then all of them are the pair.

    >>> median_interval([1.0, 1.1, 0.9, 1.2, 0.8, 1.3, 0.7, 1.4, 0.6, 1.5])
    (1.05, 0.7, 1.4, 0.978515625)
    """
    from scipy.stats import binom

    ordered, n = sorted(values), len(values)
    holds = [1 - 2 * float(binom.cdf(k - 1, n, 0.5)) for k in range(1, n // 2 + 1)]
    k = max([place for place, level in enumerate(holds, start=1) if level >= least], default=1)
    level = holds[k - 1] if holds else 0.0
    return float(np.median(ordered)), ordered[k - 1], ordered[n - k], level


def told(found: dict[str, dict[str, list[dict[str, float]]]]) -> Iterator[str]:
    """The tables."""
    yield "The same batches with the verdict head and without it:"
    yield ""
    yield from table(found["head"], ("seconds", "peak_mb"), *KINDS["head"])
    yield ""
    worst = max(ratios(found["head"], *KINDS["head"])[name]["median"] for name in ("seconds", "peak_mb"))
    yield f"The aim of {AIM:.0%} more is {'kept' if worst <= 1 + AIM else 'missed'}."
    yield ""
    yield "emer's loop and transformers' Trainer with all logits and no grouping:"
    yield ""
    yield from table(found["loop"], ("tokens_per_s", "padding", "peak_mb"), *KINDS["loop"])
    yield ""
    yield (
        "Processor seconds, one thread; medians over runs in turn, ratios run by run with the interval of their "
        f"median. {shares()}"
    )


def table(found: dict[str, list[dict[str, float]]], names: Sequence[str], ours: str, theirs: str) -> Iterator[str]:
    """A line a figure."""
    level = ratios(found, ours, theirs)[names[0]]["level"]
    yield f"| | {ours} | {theirs} | ratio | {level:.0%} | runs |"
    yield "|---|---:|---:|---:|---:|---:|"
    units = {"seconds": "seconds a step", "peak_mb": "peak MB", "tokens_per_s": "tokens a second", "padding": "padding"}
    for name in names:
        a, b = (float(np.median([run[name] for run in found[kind]])) for kind in (ours, theirs))
        r = ratios(found, ours, theirs)[name]
        interval = f"[{r['low']:.3f}, {r['high']:.3f}]"
        yield f"| {units[name]} | {a:.4g} | {b:.4g} | {r['median']:.3f} | {interval} | {len(found[ours])} |"


def shares() -> str:
    """How much of a token's work the output layer is, here and at 7B."""
    from random_omni import SEVEN_B, SMALL, multiplied

    here, there = (out / (layers + out) for layers, out in map(multiplied, (SMALL, SEVEN_B)))
    return (
        f"The output layer is {here:.0%} of the language model's multiplications here and {there:.0%} at 7B: speed "
        "gains less there, memory more (152,064 logits a token instead of 16,384)."
    )


if __name__ == "__main__":
    main()
