"""Small manifests and configurations for whole runs of `emer train` on tiny models."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from clips import make_clip, tone
from tiny_folders import tiny

LABELS = ("happy", "sad", "angry", "neutral")
SMALL: dict[str, Any] = {
    "task": "llm",
    "lora": {"rank": 4, "alpha": 8},
    "verdict": {"label_set": "emer8", "kind": "dirichlet", "prior_weight": 0.8},
    "schedule": {"epochs": 2, "batch_size": 2, "accumulation": 1, "learning_rate": 1e-3, "checkpointing": False},
    "evaluation": {"generate": 0, "every": 0.5, "patience": None, "keep": 9},
}


def manifest(folder: Path, *, training: int = 8, validation: int = 2, sound: bool = False) -> Path:
    """Clips of a tone each (one file for all, unless the `sound` is to be listened to) and what was said of them."""
    rows = []
    for i in range(training + validation):
        name = f"tone{i if sound else 0}.wav"
        if not (folder / name).exists():
            make_clip(folder / name, 0.5, sound=tone(150 + 40 * i))
        row: dict[str, Any] = {"id": f"clip{i}", "path": name, "speaker": f"s{i}", "text": f"I am here for the {i}."}
        row["split"] = "train" if i < training else "validation"
        if i % 4 != 3:
            row["label"] = LABELS[i % 4]
        if i % 3 != 2:
            row["explanation"] = "They say that they are here, and leave it at that."
        rows.append(row)
    path = folder / "clips.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def configuration(folder: Path, **changes: Any) -> Path:
    """`SMALL` as a file, with other values for some keys; mappings are merged."""
    values = dict(SMALL)
    for key, value in changes.items():
        values[key] = {**SMALL[key], **value} if isinstance(SMALL.get(key), dict) and value is not None else value
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def command(folder: Path, *more: str, family: str = "text_clues", out: str = "run") -> list[str]:
    """The arguments of `emer` that train in this folder."""
    base = [f"base={tiny(family)}", f"data={folder / 'clips.jsonl'}", f"out={folder / out}"]
    return ["train", str(folder / "small.yaml"), *base, *more]


def environment(folder: Path) -> dict[str, str]:
    """One thread, a cache of its own, tiny models that are made once."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "EMER_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}


def launched(arguments: list[str], folder: Path, launcher: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    """`emer` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", *launcher, "emer.cli", *arguments],
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def losses(folder: Path, out: str = "run") -> dict[int, dict[str, float]]:
    """Step to what the log says of it."""
    lines = [json.loads(line) for line in (folder / out / "log.jsonl").read_text().splitlines()]
    return {line["step"]: line for line in lines if "loss" in line}
