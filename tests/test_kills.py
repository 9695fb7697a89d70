"""Killed at any moment, emer leaves whole files or none, and the next run is as if nothing had happened."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emer.jsonio import loads


def run(clip: Path, out: Path, cache: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "emer.cli", "explain", str(clip), "--html", "--export", "csv", "--out", str(out)]
    env = os.environ | {"EMER_CACHE": str(cache)}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)


@pytest.mark.long
def test_sigkill_at_random_moments_leaves_nothing_half_written(example_clip: Path, tmp_path: Path) -> None:
    start = time.monotonic()
    assert run(example_clip, tmp_path / "calm", tmp_path / "calm-cache").wait() == 0
    whole = time.monotonic() - start
    expected = loads((tmp_path / "calm" / "talking_face.json").read_text())
    dice = random.Random(7)
    for _ in range(12):
        process = run(example_clip, tmp_path / "out", tmp_path / "cache")
        time.sleep(dice.uniform(0.3, 1.0) * whole)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for path in (tmp_path / "out").glob("talking_face.*"):
            if path.suffix == ".json":
                assert loads(path.read_text()) == expected
            elif path.suffix == ".html":
                assert path.read_text().rstrip().endswith("</html>")
    assert run(example_clip, tmp_path / "out", tmp_path / "cache").wait() == 0
    after = json.loads((tmp_path / "out" / "talking_face.json").read_text())
    assert after == json.loads((tmp_path / "calm" / "talking_face.json").read_text())
