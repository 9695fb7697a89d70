"""`emer bench run` killed with SIGKILL again and again ends in the bytes of a run that nobody disturbed."""

import json
import random
import resource
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

WEIGHTS = Path(__file__).parents[2] / "weights" / "emer_weights"
PATIENCE = 120.0
"""Seconds after which a run that says nothing has hung."""


def config(folder: Path, data: str, systems: str, workers: int) -> Path:
    path = folder / "run.yaml"
    path.write_text(f"task: predict\ndata: [{data}]\nsystems: [{systems}]\nworkers: {workers}\nout: unset\n")
    return path


def started(path: Path, out: Path, stderr: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "emer.cli", "bench", "run", str(path), f"out={out}"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)


def lines(out: Path) -> dict[str, bytes]:
    """Whole lines of all files of predictions, by system and clip."""
    found = {}
    for file in sorted(out.glob("predictions/*/*.jsonl")):
        for line in file.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                key = f"{file.parent.name}/{file.stem}/{json.loads(line)['name']}"
                assert key not in found, "a clip was answered twice"
                found[key] = line
    return found


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def killed(path: Path, out: Path, *, after: int, pause: float) -> dict[str, bytes]:
    """Run until so many answers are there and a moment longer, then SIGKILL; what is there once workers are gone."""
    before, process = lines(out), started(path, out)
    limit = time.monotonic() + PATIENCE
    while len(lines(out)) < after and process.poll() is None:
        assert time.monotonic() < limit, "no answer came"
        time.sleep(0.01)
    time.sleep(pause)
    assert process.poll() in (None, 0), "it ended by itself, and badly"
    workers = children(process.pid) if process.poll() is None else []
    process.send_signal(signal.SIGKILL)
    process.wait()
    while any(is_running(worker) for worker in workers):
        assert time.monotonic() < limit, "a worker has outlived its run"
        time.sleep(0.01)
    found = lines(out)
    assert found.items() >= before.items(), "an answer was lost or changed"
    return found


def files(out: Path) -> dict[str, bytes]:
    """All that a run leaves and that must not depend on what happened to it."""
    kinds = ("predictions", "gold", "clips", "missing", "data", "systems", "spare")
    return {str(path.relative_to(out)): path.read_bytes() for kind in kinds for path in sorted(out.glob(f"{kind}/*/*"))}


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six short sounds that nobody disturbed, in `out` beside its configuration."""
    folder = tmp_path_factory.mktemp("calm")
    rows = []
    for number in range(6):
        hum = np.sin(np.arange(16_000) * (100 + 50 * number) * 2 * np.pi / 16_000) * np.linspace(1000, 20_000, 16_000)
        with wave.open(str(folder / f"{number}.wav"), "wb") as sound:
            sound.setparams((1, 2, 16_000, 0, "NONE", ""))
            sound.writeframes(hum.astype("<i2").tobytes())
        rows.append(json.dumps({"path": f"{number}.wav", "id": f"hum{number}", "label": "sad"}))
    (folder / "clips.jsonl").write_text("\n".join(rows))
    system = "{name: voice, weights: none, without: [visual, text]}"
    assert started(config(folder, f"{{name: {folder / 'clips.jsonl'}}}", system, 1), folder / "out").wait(PATIENCE) == 0
    assert len(lines(folder / "out")) == 6
    return folder


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children of a process are looked up in /proc")
def test_killed_twice_a_run_of_six_clips_ends_as_if_nothing_had_happened(calm: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert len(killed(calm / "run.yaml", out, after=1, pause=0.0)) < 6
    killed(calm / "run.yaml", out, after=3, pause=random.Random(11).uniform(0, 0.05))
    assert started(calm / "run.yaml", out).wait(PATIENCE) == 0
    assert files(out) == files(calm / "out")


def test_after_a_full_disk_the_same_command_goes_on(calm: Path, tmp_path: Path) -> None:
    """No file may grow beyond what the system allows, as on a disk that is full after the third answer."""
    out = tmp_path / "out"
    whole = (calm / "out/predictions/clips/voice.jsonl").read_bytes().splitlines(keepends=True)
    room = len(b"".join(whole[:3])) + 40
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))  # the child has it from its parent
    try:
        stopped = started(calm / "run.yaml", out, subprocess.PIPE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    _, told = stopped.communicate(timeout=PATIENCE)
    assert stopped.returncode == 2
    assert "(File too large); make room and run the same command again" in told.decode()
    assert (out / "predictions/clips/voice.jsonl").read_bytes() == b"".join(whole[:3])
    assert started(calm / "run.yaml", out).wait(PATIENCE) == 0
    assert files(out) == files(calm / "out")


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children of a process are looked up in /proc")
def test_killed_ten_times_a_run_on_voices_and_faces_ends_as_if_nothing_had_happened(
    tmp_path: Path, real_data: Path
) -> None:
    """RAVDESS test actors and clips of faces, the composer with the trained heads and without any."""
    dice = random.Random(7)
    faces = sorted(path for path in (real_data / "clips" / "faces").iterdir() if path.stem != "WolfgangLanger_Pexels")
    rows = [json.dumps({"path": str(path), "id": path.name, "label": "neutral"}) for path in faces]
    (tmp_path / "faces.jsonl").write_text("\n".join(rows))
    data = f"{{name: ravdess, part: test, limit: 12, folder: {real_data}}}, {{name: {tmp_path / 'faces.jsonl'}}}"
    path = config(tmp_path, data, f"{{name: heads, weights: {WEIGHTS}}}, {{name: hints, weights: none}}", 2)
    out, calm, total = tmp_path / "out", tmp_path / "calm", 2 * (12 + len(faces))
    seen = [killed(path, out, after=0, pause=dice.uniform(0.5, 3.0))]
    for moment in sorted(dice.sample(range(1, total), 9)):
        seen.append(killed(path, out, after=moment, pause=dice.uniform(0.0, 0.3)))
    assert len(seen[3]) < total, "all was done before the kills were"
    assert started(path, out).wait(PATIENCE) == 0
    assert started(path, calm).wait(PATIENCE) == 0
    assert files(out) == files(calm)
    assert len(lines(out)) == total
