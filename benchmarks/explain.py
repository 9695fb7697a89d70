"""Speed and memory of `emer explain`, with plain baselines in the same run.

    python benchmarks/explain.py            # about five minutes; prints a table, writes benchmarks/results/explain.json

What is measured: seconds per second of 720p clip after warm-up, by stage; the wall time of a first explanation from
a cold process; peak memory for clips of one and of ten minutes. The baseline is OpenCV decoding with FaceMesh on every
frame; f0 has its baseline in benchmarks/prosody.py.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from long_clips import ROOT, looped_720p

import emer

COMMAND = "python benchmarks/explain.py"


def main() -> None:
    """Measure everything; each measurement runs in a process of its own."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--measure", choices=sorted(MEASURES))
    options.add_argument("--clip", type=Path)
    told = options.parse_args()
    if told.measure:
        print(json.dumps(MEASURES[told.measure](told.clip)))
        return
    with tempfile.TemporaryDirectory() as folder:
        one = looped_720p(Path(folder) / "one.mp4", 60)
        ten = looped_720p(Path(folder) / "ten.mp4", 600)
        result = {
            "command": COMMAND,
            "emer": emer.__version__,
            "machine": f"{platform.machine()}, {len(_cores())} cores, Python {platform.python_version()}",
            "stages": in_own_process("stages", one),
            "baselines": in_own_process("baselines", one),
            "first_result_s": first_result(),
            "memory_mb": {"60 s": in_own_process("memory", one), "600 s": in_own_process("memory", ten)},
        }
    place = ROOT / "benchmarks" / "results" / "explain.json"
    place.parent.mkdir(exist_ok=True)
    place.write_text(json.dumps(result, indent=2) + "\n")
    print(table(result))


def _cores() -> set[int]:
    import os

    return os.sched_getaffinity(0)


def in_own_process(measure: str, clip: Path) -> Any:
    """What one measurement gives, from a fresh process."""
    command = [sys.executable, __file__, "--measure", measure, "--clip", str(clip)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{measure} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def first_result() -> list[float]:
    """Wall seconds of `emer explain` on the example clip, three times, nothing cached but the disk."""
    clip = ROOT / "examples" / "talking_face.mp4"
    command = [sys.executable, "-m", "emer.cli", "explain", str(clip), "--no-cache"]
    subprocess.run(command, capture_output=True, check=True)  # warms the disk cache
    return [_timed(lambda: subprocess.run(command, capture_output=True, check=True))[0] for _ in range(3)]


def measure_stages(clip: Path) -> dict[str, float]:
    """Seconds per second of clip, after a warm-up on the example clip."""
    from emer import media
    from emer.clues.audio import AudioClues
    from emer.clues.listening import Listening
    from emer.clues.text import TextClues
    from emer.clues.visual import VisualClues
    from emer.clues.voice_activity import detect
    from emer.explain import Explainer
    from emer.types import Clip

    explainer = Explainer(cache=None)
    explainer.explain(str(ROOT / "examples" / "talking_face.mp4"))
    handle = media.open(Clip(str(clip)))
    length = handle.facts.span.duration
    spent = {}
    spent["decode sound"], _ = _timed(lambda: [None for _ in handle.windows(audio=True)])
    spent["decode picture at 5 fps"], _ = _timed(lambda: [None for _ in handle.windows(audio=False, fps=5.0)])
    spent["voice activity"], activity = _timed(lambda: detect(handle))
    listening = Listening(activity)
    spent["prosody"], _ = _timed(lambda: AudioClues().extract(handle, listening))
    spent["face"], _ = _timed(lambda: VisualClues().extract(handle, listening))
    spent["words"], _ = _timed(lambda: TextClues().extract(handle, listening))
    spent["voice activity"] -= spent["decode sound"]
    spent["prosody"] -= spent["decode sound"]
    spent["face"] -= spent["decode picture at 5 fps"]
    spent["decode sound"] *= 2  # once for voice activity, once for prosody
    spent["whole explanation"], _ = _timed(lambda: explainer.explain(str(clip)))
    return {name: seconds / length for name, seconds in spent.items()}


def measure_baselines(clip: Path) -> dict[str, float]:
    """The plain way of tracking a face beside ours, in seconds per second of clip."""
    import cv2
    import mediapipe

    from emer import media
    from emer.clues.listening import Listening
    from emer.clues.visual import VisualClues
    from emer.types import Clip

    VisualClues().extract(media.open(Clip(str(clip), end=1.0)), Listening(None))
    ours, _ = _timed(lambda: VisualClues().extract(media.open(Clip(str(clip), end=20.0)), Listening(None)))

    def frame_by_frame() -> None:
        video = cv2.VideoCapture(str(clip))
        with mediapipe.solutions.face_mesh.FaceMesh(refine_landmarks=True) as mesh:
            for _ in range(500):  # 20 s at 25 fps
                _, frame = video.read()
                mesh.process(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))

    plain, _ = _timed(frame_by_frame)
    return {"face": ours / 20.0, "face, OpenCV + mesh on every frame": plain / 20.0}


def measure_memory(clip: Path) -> float:
    """Peak resident megabytes of explaining the clip, as Linux keeps it for this program.

    Not getrusage's: its peak is inherited from the process that started this one.
    """
    from emer.explain import Explainer

    Explainer(cache=None).explain(str(clip))
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = act()
    return time.perf_counter() - start, result


def table(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    stages, baselines, memory = result["stages"], result["baselines"], result["memory_mb"]
    whole = stages["whole explanation"]
    parts = {name: value for name, value in stages.items() if name != "whole explanation"}
    lines = [f"On {result['machine']}.", "", "| stage | s per s of clip | share |", "|---|---|---|"]
    lines += [f"| {name} | {value:.4f} | {value / sum(parts.values()):.0%} |" for name, value in parts.items()]
    lines += [f"| **whole explanation** | **{whole:.4f}** (target 0.12) | |", ""]
    lines += ["| against a plain baseline | s per s | ratio |", "|---|---|---|"]
    lines += [f"| {name} | {value:.4f} | {value / baselines['face']:.1f} × |" for name, value in baselines.items()]
    first = ", ".join(f"{s:.2f}" for s in result["first_result_s"])
    ratio = memory["600 s"] / memory["60 s"]
    lines += ["", f"First result from a cold process, warm disk: {first} s (target 6 s).", ""]
    lines += [f"Peak memory: {memory['60 s']:.0f} MB for 60 s, {memory['600 s']:.0f} MB for 600 s: {ratio:.2f} ×", ""]
    return "\n".join(lines)


MEASURES: dict[str, Callable[[Path], Any]] = {
    "stages": measure_stages,
    "baselines": measure_baselines,
    "memory": measure_memory,
}

if __name__ == "__main__":
    main()
