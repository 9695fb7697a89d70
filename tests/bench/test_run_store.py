"""The store of answers: cut at any byte, it ends in the bytes of a run that nobody disturbed."""

import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from emer.bench.prediction_files import PredictionFile, read_lines
from emer.bench.records import Prediction, Refusal
from emer.bench.run_lines import Appended, locked
from emer.errors import OutputError
from emer.types import Emotion

ROWS = ("b.mp4", "a.mp4", "ünïcode", "d")
KEYS = {name: f"key of {name}" for name in ROWS}


def answer(name: str, **changes: object) -> Prediction:
    return replace(Prediction(name, (Emotion("glad", "happy", 0.5),), explanation="a\nb", key=KEYS[name]), **changes)


def opened(folder: Path, rows: Sequence[str] = ROWS, *, retry: bool = False) -> PredictionFile:
    return PredictionFile(folder, "set", "system", {name: KEYS[name] for name in rows}, retry_failed=retry)


def finished(folder: Path, order: Sequence[str] = ROWS, **changes: object) -> bytes:
    """Answer what is left, in some order, and finish."""
    file = opened(folder)
    for name in order:
        if name in file.left:
            file.append(answer(name, **changes))
    file.finish()
    return file.path.read_bytes()


def test_cut_at_any_byte_it_ends_in_the_bytes_of_an_undisturbed_run(tmp_path: Path) -> None:
    calm = finished(tmp_path / "calm")
    assert calm.count(b"\n") == len(ROWS)
    dice = random.Random(3)
    for end in range(len(calm) + 1):
        order = dice.sample(ROWS, len(ROWS))
        disturbed = tmp_path / f"cut{end}"
        place = disturbed / "predictions/set/system.jsonl"
        place.parent.mkdir(parents=True)
        place.write_bytes(calm[:end])
        file = opened(disturbed)
        assert len(file.answered) == calm[:end].count(b"\n")  # whole lines are kept, none is asked again
        file.close()
        assert finished(disturbed, order) == calm


def test_answers_that_came_in_another_order_end_in_the_order_of_the_rows(tmp_path: Path) -> None:
    finished(tmp_path, ROWS[::-1])
    found = [prediction for _, prediction in read_lines(tmp_path / "predictions/set/system.jsonl")]
    assert found == [answer(name) for name in ROWS]


def test_a_damaged_or_doubled_line_in_the_middle_costs_only_itself(tmp_path: Path) -> None:
    calm = finished(tmp_path)
    first, second, *rest = calm.splitlines(keepends=True)
    file = tmp_path / "predictions/set/system.jsonl"
    file.write_bytes(first + first + second[:9] + b"\xff\x00\n" + b"".join(rest))
    again = opened(tmp_path)
    assert (again.left, again.damaged) == ((ROWS[1],), 1)
    again.close()
    assert finished(tmp_path) == calm


def test_an_answer_about_a_clip_that_has_changed_is_asked_for_again(tmp_path: Path) -> None:
    finished(tmp_path)
    changed = PredictionFile(tmp_path, "set", "system", KEYS | {"d": "another"})
    assert (changed.left, changed.stale) == (("d",), 1)


def test_failures_are_kept_unless_they_are_to_be_asked_again(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.append(Prediction("d", error=Refusal("MediaError", "no stream"), key=KEYS["d"]))
    file.append(answer("a.mp4"))
    file.close()
    assert opened(tmp_path).failed == {"d"}
    again = opened(tmp_path, retry=True)
    assert again.left == ("b.mp4", "ünïcode", "d")
    again.append(answer("d"))
    again.close()
    assert opened(tmp_path, retry=True).failed == set()


def test_answers_outside_a_smaller_limit_are_spared_and_come_back(tmp_path: Path) -> None:
    calm = finished(tmp_path)
    fewer = opened(tmp_path, ROWS[1:3])
    assert fewer.complete
    fewer.finish()
    assert fewer.path.read_bytes() == b"".join(calm.splitlines(keepends=True)[1:3])
    all_again = opened(tmp_path)
    assert all_again.complete
    all_again.finish()
    assert all_again.path.read_bytes() == calm


def test_a_full_disk_is_a_clear_error_and_leaves_whole_lines(tmp_path: Path) -> None:
    """The size of files is limited by the system, as a disk is: the line that does not fit is written in part."""
    file = opened(tmp_path)
    file.append(answer("b.mp4"))
    size = file.path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, before[1]))
    try:
        with pytest.raises(OutputError, match=r"cannot be written \(File too large\); make room and run the same"):
            file.append(answer("a.mp4"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert file.path.stat().st_size == size
    assert "a.mp4" in file.left
    file.append(answer("a.mp4"))
    file.close()
    assert opened(tmp_path).answered == {"a.mp4", "b.mp4"}


def test_a_long_torn_line_is_cut_off_before_anything_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"whole": 1}\n' + b"x" * 200_000)
    lines = Appended(path)
    lines.line({"next": 2})
    lines.close()
    assert path.read_bytes() == b'{"whole": 1}\n{"next":2}\n'


def test_two_runs_cannot_write_to_one_folder_and_a_killed_one_does_not_block_it(tmp_path: Path) -> None:
    hold = "import sys, time; from pathlib import Path; from emer.bench.run_lines import locked\n"
    hold += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(OutputError, match="another run is writing to"), locked(tmp_path):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    with locked(tmp_path):
        pass


def test_a_file_that_cannot_be_opened_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(OutputError, match=r"folder.jsonl cannot be written \(Is a directory\); make room and run"):
        Appended(tmp_path / "folder.jsonl").line({"a": 1})


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "run"
    with pytest.raises(OutputError, match=r"cannot be written \(Not a directory\); choose another"), locked(place):
        pass
    with pytest.raises(OutputError, match=r"lines\.jsonl cannot be written \(File exists\)"):
        Appended(tmp_path / "file" / "lines.jsonl").line({})


def test_what_goes_wrong_while_the_lock_is_held_is_not_taken_for_another_run(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), locked(tmp_path):
        raise BlockingIOError("a pipe is full")
