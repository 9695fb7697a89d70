"""The figures of a 7B model on real weights by one command: train, calibrate, export, explain the test clips, score.

    make reproduce-7b BASE=Qwen/Qwen2.5-Omni-7B DATA=clips.jsonl
    python benchmarks/reproduce_7b.py BASE clips.jsonl --out runs/reproduce-7b engine.batch_size=16

`clips.jsonl` names the part of each row: "split": "train", "validation", "calibration" or "test". Every stage is a
command of emer. A stage that is done is skipped, so the same line goes on where it was broken off; with other inputs it
is refused. Changes begin with what they are for: `train.`, `calibrate.`, `bench.`, or `engine.`, which is how the model
is asked in both.

It was rehearsed on a tiny random model of the same family (`make check`). Nobody has run it on real weights yet.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from emer.adapters.base_hash import base_sha256
from emer.adapters.files import read_record
from emer.bench.environment import environment
from emer.config import overridden, shipped
from emer.data.manifest import read_manifest
from emer.data.rows import PARTS
from emer.errors import ConfigError, EmerError
from emer.files import write_text

CONFIG = "qwen2.5-omni-7b_lora"
OUT = Path("runs") / "reproduce-7b"
INPUTS, STAGES, LOGS, PAGE = "inputs.json", "stages", "logs", "README.md"
"""In the folder of results."""
AIMS = ("train", "calibrate", "bench", "engine")
SOME_CLIPS_FAILED = 1
"""What emer exits with where some of many clips could not be explained; the others are scored."""


@dataclass(frozen=True)
class Job:
    """What is reproduced, and where the results go."""

    base: str
    data: Path
    out: Path
    changes: Mapping[str, tuple[str, ...]]
    """By what they are for."""

    @property
    def adapter(self) -> Path:
        return self.out / "train" / "adapter"


@dataclass(frozen=True)
class Stage:
    """One command of emer."""

    name: str
    arguments: tuple[str, ...]
    good: tuple[int, ...] = (0,)
    """Exit codes after which the next stage may begin."""
    again: tuple[str, ...] = ()
    """Further arguments where it was broken off before."""


def main(words: Sequence[str] | None = None) -> int:
    """Run what is not done yet, and write the page of results."""
    parser = argparse.ArgumentParser(description="Train, calibrate and score a 7B model; broken off, it goes on.")
    parser.add_argument("base", help="folder or hub id of the model")
    parser.add_argument("data", type=Path, help="manifest (.jsonl or .csv) whose rows name their split")
    parser.add_argument("changes", nargs="*", metavar="FOR.KEY=VALUE", help=f"FOR is one of {', '.join(AIMS)}")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder of results (default {OUT})")
    options = parser.parse_intermixed_args(words)
    try:
        job = Job(options.base, options.data, options.out, sorted_changes(options.changes))
        return reproduced(job)
    except EmerError as error:
        print(f"reproduce_7b: {error}", file=sys.stderr)
        return 2


def sorted_changes(changes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Changes by what they are for. Raises ConfigError for any other."""
    parted = [change.partition(".") for change in changes]
    if odd := [change for change, (aim, _, _) in zip(changes, parted, strict=True) if aim not in AIMS]:
        raise ConfigError(f"{', '.join(odd)}: a change begins with {'., '.join(AIMS)}., as in train.schedule.epochs=1")
    return {aim: tuple(rest for found, _, rest in parted if found == aim) for aim in AIMS}


def reproduced(job: Job) -> int:
    """All stages in their order; the exit code of the first that fails, else 0."""
    keep_inputs(job)
    write_text(job.out / "bench.yaml", yaml.safe_dump(bench_config(job), sort_keys=False))
    for stage in stages_of(job):
        if (job.out / STAGES / f"{stage.name}.json").is_file():
            print(f"{stage.name}: done before", file=sys.stderr)
        elif (code := ran(stage, job.out)) not in stage.good:
            print(f"reproduce_7b: {stage.name} ended with {code}; the same command goes on from here", file=sys.stderr)
            return code
    write_text(job.out / PAGE, "\n".join(page(job)) + "\n")
    print(job.out / PAGE)
    return 0


# ---------------------------------------------------------------- what goes in


def keep_inputs(job: Job) -> None:
    """Note what the results are made of. Raises ConfigError where the folder's are made of something else, and for
    data without one of the parts."""
    there = {row.part for row in read_manifest(job.data, missing_clips=True)}
    if missing := [part for part in PARTS if part not in there]:
        raise ConfigError(f"{job.data} has no rows with split {' or '.join(missing)}; name the part of each row")
    if not Path(job.base).is_dir():
        from huggingface_hub import snapshot_download

        snapshot_download(job.base)
    now = {
        "base": Path(job.base).name if Path(job.base).is_dir() else job.base,
        "base_sha256": base_sha256(job.base),
        "data": job.data.name,
        "data_sha256": hashlib.sha256(job.data.read_bytes()).hexdigest(),
        "config_sha256": hashlib.sha256(shipped(".", CONFIG).read_bytes()).hexdigest(),
        "changes": {aim: list(changes) for aim, changes in job.changes.items()},
    }
    path = job.out / INPUTS
    if path.is_file():
        before = json.loads(path.read_text(encoding="utf-8"))
        if other := [name for name in now if now[name] != before.get(name)]:
            raise ConfigError(f"{job.out} was begun with other inputs ({', '.join(other)}); name another with --out")
    write_text(path, json.dumps(now, indent=2, ensure_ascii=False) + "\n")


def bench_config(job: Job) -> dict[str, Any]:
    """The tuned model beside its base and beside the composer with trained heads, on the test rows."""
    engine = overridden({}, job.changes["engine"])
    model = {"engine": "transformers", "model": job.base, "weights": "none", "settings": engine}
    return {
        "task": "predict",
        "data": [{"name": str(job.data.resolve()), "part": "test"}],
        "systems": [
            {"name": "tuned", **model, "adapter": str(job.adapter)},
            {"name": "base", **model},
            {"name": "composer", "engine": "composer"},
        ],
        "out": str(job.out / "bench"),
    }


def stages_of(job: Job) -> tuple[Stage, ...]:
    """What is done, in order."""
    adapter, data, changes = str(job.adapter), str(job.data), job.changes
    engine = [f"engine.{change}" for change in changes["engine"]]
    train = ("train", CONFIG, f"base={job.base}", f"data={data}", f"out={job.out / 'train'}", *changes["train"])
    calibrate = ("calibrate", adapter, f"model={job.base}", f"data={data}", "weights=none")
    return (
        Stage("train", train, again=("--resume",)),
        Stage("calibrate", (*calibrate, *engine, *changes["calibrate"])),
        Stage("export", ("export", adapter, "--to", "vllm", "--base", job.base, "--out", str(job.out / "vllm"))),
        Stage("explain", ("bench", "run", str(job.out / "bench.yaml"), *changes["bench"]), (0, SOME_CLIPS_FAILED)),
        Stage("score", ("bench", "report", str(job.out / "bench"))),
    )


def ran(stage: Stage, out: Path) -> int:
    """Run one stage; what it prints is kept in logs/, and how long it took in stages/."""
    begun, log = out / STAGES / f"{stage.name}.begun", out / LOGS / f"{stage.name}.txt"
    resumed = begun.is_file()
    write_text(begun, "")
    arguments = [*stage.arguments, *(stage.again if resumed else ())]
    print(f"{stage.name}: emer {' '.join(arguments)}", file=sys.stderr)
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "emer.cli", *arguments], stdout=subprocess.PIPE, text=True, check=False
    )
    print(done.stdout, end="", file=sys.stderr)
    write_text(log, done.stdout)
    if done.returncode in stage.good:
        told = {"seconds": round(time.monotonic() - start, 1), "resumed": resumed, "exit": done.returncode}
        write_text(out / STAGES / f"{stage.name}.json", json.dumps({**told, "command": ["emer", *arguments]}) + "\n")
    return done.returncode


# ---------------------------------------------------------------- what comes out


def page(job: Job) -> Iterator[str]:
    """The results as Markdown."""
    inputs = json.loads((job.out / INPUTS).read_text(encoding="utf-8"))
    yield f"# {inputs['base']}, tuned on {inputs['data']}\n"
    yield f"Base weights `{inputs['base_sha256']}`, data `{inputs['data_sha256']}`. {made_with()}\n"
    yield "| stage | seconds | |\n|---|---:|---|"
    for stage in stages_of(job):
        done = json.loads((job.out / STAGES / f"{stage.name}.json").read_text(encoding="utf-8"))
        notes = ["taken up again: its last part alone"] if done["resumed"] else []
        notes += ["some clips failed"] if done["exit"] == SOME_CLIPS_FAILED else []
        yield f"| {stage.name} | {done['seconds']:,.1f} | {'; '.join(notes)} |"
    yield "\n## Validation, which chose the state\n\n| figure | value |\n|---|---:|"
    course = json.loads((job.out / "train" / "results.json").read_text(encoding="utf-8"))
    yield from (f"| {name.replace('_', ' ')} | {value:.3f} |" for name, value in course["validation"].items())
    told = (job.out / LOGS / "calibrate.txt").read_text(encoding="utf-8").splitlines()
    lines = "\n".join(line for line in told if not line.startswith("wrote "))  # a path of this machine
    yield f"\n## Calibration\n\n```text\n{lines}\n```"
    yield "\n## Test clips\n\n| system | score | value | 95 % | n | best floor |\n|---|---|---:|---|---:|---:|"
    results = json.loads((job.out / "bench" / "results.json").read_text(encoding="utf-8"))
    for data in results["data"].values():
        for system, found in data["systems"].items():
            yield from (score_row(system, name, score) for name, score in found["scores"].items())
    yield "\nAll tables and pictures: [bench/report.md](bench/report.md). The adapter: `train/adapter`; with vLLM's"
    yield f"names: `vllm`. Trained rows on record: {len(read_record(job.adapter).trained_rows)}."


def score_row(system: str, name: str, score: Mapping[str, Any]) -> str:
    """One score with its interval, and the best that an answer without looking reaches."""
    interval = score.get("interval")
    band = "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
    floors = score.get("floors") or {}
    floor = f"{max(floors.values()):.3f}" if floors else ""
    return f"| {system} | {name} | {score['score']:.3f} | {band} | {score['n_scored']} | {floor} |"


def made_with() -> str:
    """Versions, commit and device, in a sentence."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    found = environment()
    return f"emer {found['emer']} (commit {found['commit']}), torch {found['torch']}, {device}."


if __name__ == "__main__":
    sys.exit(main())
