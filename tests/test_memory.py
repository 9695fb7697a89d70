"""Memory does not grow with the length of a clip: processes of their own, their peak as the kernel counts it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from long_clips import looped_720p

ROOT = Path(__file__).parents[1]


def peak_megabytes(clip: Path) -> float:
    command = [sys.executable, str(ROOT / "benchmarks" / "explain.py"), "--measure", "memory", "--clip", str(clip)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.long
def test_ten_minutes_take_no_more_memory_than_one(real_data: Path, tmp_path: Path) -> None:
    one = peak_megabytes(looped_720p(tmp_path / "one.mp4", 60))
    ten = peak_megabytes(looped_720p(tmp_path / "ten.mp4", 600))
    assert ten < 1000  # the bounds of the issue that asked for it: 1 GB, and 10 % between the two
    assert ten < 1.1 * one
