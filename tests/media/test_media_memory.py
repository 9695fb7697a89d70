"""Memory does not grow with the length of a clip."""

import subprocess
import sys
from pathlib import Path

import pytest
from clips import grey, make_clip

PASS = """
import sys
from emer import media
from emer.types import Clip
handle = media.open(Clip(sys.argv[1]))
seconds = sum(window.end - window.start for window in handle.windows(seconds=10, fps=2))
handle.sample(4)
status = open("/proc/self/status").read()
print(seconds, status.split("VmHWM:")[1].split()[0])
"""


def peak(path: Path) -> tuple[float, int]:
    """Seconds read and peak resident memory in kB of a process of its own that reads the whole clip."""
    done = subprocess.run(
        [sys.executable, "-c", PASS, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stderr == ""
    seconds, kilobytes = done.stdout.split()
    return float(seconds), int(kilobytes)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc, which Linux has")
def test_ten_minutes_need_no_more_memory_than_one(tmp_path: Path) -> None:
    """Held as a whole, the ten minutes of sound alone would be 38 MB more, the pictures 11 MB."""
    small = {"picture": grey(64, 48), "fps": 2, "gop": 10, "rate": 8000}
    one, kilobytes_one = peak(make_clip(tmp_path / "one.mp4", 60.0, **small))
    ten, kilobytes_ten = peak(make_clip(tmp_path / "ten.mp4", 600.0, **small))
    assert (one, ten) == pytest.approx((60.0, 600.0), abs=0.2)
    assert kilobytes_ten - kilobytes_one < 8_000
    assert kilobytes_ten < 1.1 * kilobytes_one


def test_opening_and_reading_load_no_heavy_package(tmp_path: Path) -> None:
    code = (
        PASS.split("status =")[0]
        + 'print(sorted({"torch", "transformers", "mediapipe", "matplotlib"} & set(sys.modules)))'
    )
    path = make_clip(tmp_path / "clip.mp4", 0.5)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
