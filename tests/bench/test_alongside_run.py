"""The whole of benchmarks/alongside.py on a tiny random model: what it trains, asks and tells, and takes up again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_folders import tiny

ROOT = Path(__file__).parents[2]


def run(out: Path, data: Path) -> str:
    """What the command said on standard error."""
    few = ("schedule.most_steps=2", "schedule.batch_size=4", "schedule.accumulation=1")
    changes = (
        f"base={tiny('qwen2_5_omni')}", "most=2", "seeds=[0]", "conditions=[all_told,shuffled]", "sampled=[all_told]",
        "samples=2", "max_new_tokens=16", f"changes=[{','.join(few)}]", "jobs=1", f"out={out}",
    )  # fmt: skip
    command = [sys.executable, str(ROOT / "benchmarks" / "alongside.py"), *changes]
    environment = {**os.environ, "EMER_TEST_DATA": str(data), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stderr


@pytest.mark.long
def test_a_rehearsal_trains_asks_and_tells_and_does_nothing_twice(tmp_path: Path, real_data: Path) -> None:
    first = run(tmp_path / "run", real_data)
    made = ("sft-seed0 training", "joint-seed0 training", "sft-seed0 posthoc", "sft-seed0 all_told-sample2")
    assert all(f"{piece}: " in first for piece in made)
    numbers = json.loads((tmp_path / "run" / "results.json").read_text())
    assert numbers["n"] == {"calibration": 4, "test": 8}
    assert set(numbers["verdicts"]) == {"all_told", "shuffled"}
    assert len(numbers["verdicts"]["all_told"]) == 5
    # The plan of a run that stopped is kept: only what is missing is made.
    (tmp_path / "run" / "pieces" / "sft-seed0" / "shuffled-read.json").unlink()
    again = run(tmp_path / "run", real_data)
    assert [line for line in again.splitlines() if line.startswith(("sft-", "joint-"))] == [
        line for line in again.splitlines() if line.startswith("sft-seed0 shuffled-read: ")
    ]
    assert json.loads((tmp_path / "run" / "results.json").read_text())["verdicts"] == numbers["verdicts"]
