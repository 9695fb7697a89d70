"""Damaged clips: what is left is read, and the damage is counted. Nothing else may happen."""

import random
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip

from emer import media
from emer.errors import EmerError
from emer.media.decoding import steady
from emer.media.survey import Extent
from emer.types import SAMPLE_RATE, Clip, Faults, Window

NOISE = np.random.default_rng(0).integers(0, 255, (40, 48, 64, 3), dtype=np.uint8)


def noisy(time: float) -> np.ndarray:
    """Pictures that do not compress, so that damage hits them."""
    return NOISE[round(time * 25) % len(NOISE)]


def read(path: Path) -> tuple[media.MediaFile, list[Window]]:
    handle = media.open(Clip(str(path)))
    return handle, list(handle.windows(seconds=2, fps=5))


def test_a_sound_clip_has_no_faults(tmp_path: Path) -> None:
    handle, _ = read(make_clip(tmp_path / "clip.mp4", 2.0))
    assert handle.faults == Faults(0, 0, 2.0, 2.0)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts", "clip.avi"])
def test_a_cut_off_clip_is_read_to_where_it_ends(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    options = {"movflags": "faststart"} if name == "clip.mp4" else None
    path = make_clip(tmp_path / name, 10.0, picture=noisy, rate=48_000, options=options)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    handle, windows = read(path)
    end = handle.facts.span.end
    assert 4.0 < end < 8.0  # 60 % of the bytes hold about 60 % of the time
    assert windows[-1].end == end
    assert sum(len(window.samples) for window in windows) == round(end * SAMPLE_RATE)
    assert any(frame.time > 4.0 for window in windows for frame in window.frames)
    assert max(handle.faults.decoded_audio, handle.faults.decoded_video) == pytest.approx(end, abs=0.2)
    if name in ("clip.mp4", "clip.mkv"):  # the others have no header that states a duration
        assert handle.facts.container_duration == pytest.approx(10.0, abs=0.1)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts", "clip.avi"])
def test_damage_in_the_middle_is_counted_and_read_past(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = make_clip(tmp_path / name, 10.0, picture=noisy, rate=48_000)
    content = bytearray(path.read_bytes())
    dice = random.Random(3)
    for _ in range(200):
        content[dice.randrange(len(content) * 4 // 10, len(content) * 6 // 10)] ^= 1 << dice.randrange(8)
    path.write_bytes(content)
    handle, windows = read(path)
    assert handle.faults.bad_packets + handle.faults.corrupt_frames > 3
    assert handle.facts.span.end == pytest.approx(10.0, abs=0.2)
    times = [frame.time for window in windows for frame in window.frames]
    assert min(times) < 1.0
    assert max(times) > 9.0
    assert capfd.readouterr() == ("", "")


def test_reading_twice_does_not_count_damage_twice(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mkv", 4.0, picture=noisy)
    content = bytearray(path.read_bytes())
    dice = random.Random(4)
    for _ in range(100):
        content[dice.randrange(len(content) // 3, len(content) * 2 // 3)] ^= 255
    path.write_bytes(content)
    handle, _ = read(path)
    once = handle.faults
    list(handle.windows(fps=5))
    handle.sample(3)
    assert handle.faults == once
    assert once.bad_packets + once.corrupt_frames > 0


def test_corrupt_frames_are_marked(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.ts", 10.0, picture=noisy, sound=None)
    content = bytearray(path.read_bytes())
    dice = random.Random(5)
    for _ in range(60):
        content[dice.randrange(len(content) * 4 // 10, len(content) * 6 // 10)] ^= 1 << dice.randrange(8)
    path.write_bytes(content)
    handle = media.open(Clip(str(path)))
    frames = [frame for window in handle.windows(fps=100) for frame in window.frames]
    assert handle.faults.corrupt_frames == sum(frame.corrupt for frame in frames) > 0
    assert not any(frame.corrupt for frame in frames if frame.time < 3.0 or frame.time > 8.0)


def test_a_damaged_file_that_announces_new_streams_on_its_way_is_read(tmp_path: Path) -> None:
    """Of 60 such files 4 or more do so, and made PyAV fail. x264 writes other bytes at each run, and in one of 60
    files several damaged timestamps in a row bear each other out: the end is then too late, never too early."""
    content = make_clip(tmp_path / "clip.ts", 10.0, picture=noisy, rate=48_000).read_bytes()
    path = tmp_path / "damaged.ts"
    ends = []
    for seed in range(60):
        dice, changed = random.Random(seed), bytearray(content)
        for _ in range(200):
            changed[dice.randrange(len(content) * 4 // 10, len(content) * 6 // 10)] ^= 1 << dice.randrange(8)
        path.write_bytes(changed)
        ends.append(media.open(Clip(str(path))).facts.span.end)
    assert min(ends) >= 9.8
    assert sum(end <= 10.2 for end in ends) >= 55


@pytest.mark.parametrize(
    ("times", "kept"),
    [
        ([0.0, 0.5, 50.0, 1.0, 1.5], [0.0, 0.5, 1.0, 1.5]),  # one damaged time
        ([0.0, 20.0, 40.0], [0.0, 20.0, 40.0]),  # a show of slides
        ([0.0, 0.5, 9.0, 9.5], [0.0, 0.5, 9.0, 9.5]),  # a hole
        ([30.0, 30.5], [30.0, 30.5]),  # a late beginning
    ],
)
def test_a_time_that_jumps_ahead_is_believed_when_the_next_does_not_go_back(
    times: list[float], kept: list[float]
) -> None:
    assert [time for time, _ in steady([(time, None) for time in times])] == kept


def test_one_damaged_timestamp_makes_no_clip_of_hours() -> None:
    extent = Extent(0.0, 0.04, 0.04)
    for begin in (0.04, 0.08, 11_934.0, 0.12):
        extent.add(begin, begin + 0.04)
    assert (extent.last, extent.claimed) == (0.16, 11_934.04)
    for begin in (60.0, 61.0):  # a second packet there bears the jump out
        extent.add(begin, begin + 0.04)
    assert extent.last == 61.04


def damaged(content: bytes, dice: random.Random) -> bytes:
    """Cut off, with bits flipped, with a wrong header, or with a stretch of noise."""
    kind, size = dice.randrange(4), len(content)
    changed = bytearray(content)
    if kind == 0:
        return content[: dice.randrange(1, size)]
    if kind == 1:
        for _ in range(dice.choice([1, 5, 50])):
            changed[dice.randrange(size // 5, size)] ^= 1 << dice.randrange(8)
    elif kind == 2:
        for _ in range(dice.choice([1, 3, 10])):
            changed[dice.randrange(min(2000, size))] ^= 1 << dice.randrange(8)
    else:
        at = dice.randrange(size)
        changed[at : at + dice.randrange(2000)] = dice.randbytes(dice.randrange(2000))
    return bytes(changed)


def try_damage(folder: Path, name: str, rounds: int, seed: int) -> list[str]:
    """Read many damaged copies; what went wrong beyond a refusal in one line."""
    cues = [(0.5, 2.0, "Hello you"), (3.0, 5.0, "Good bye")] if name.endswith((".mp4", ".mkv", ".webm")) else []
    content = make_clip(folder / name, 6.0, rate=48_000, cues=cues).read_bytes()
    dice, wrong = random.Random(seed), []
    path = folder / f"damaged_{name}"
    for number in range(rounds):
        path.write_bytes(damaged(content, dice))
        try:
            handle, windows = read(path)
        except EmerError as error:
            if "\n" in str(error):
                wrong.append(f"{name} {number}: {error}")
            continue
        handle.sample(3)
        span = handle.facts.span
        edges = [span.start, *(window.end for window in windows)]
        if [window.start for window in windows] != edges[:-1] or edges[-1] != span.end or span.end > 60:
            wrong.append(f"{name} {number}: windows {edges} of {span}")
    return wrong


NAMES = ["clip.mp4", "clip.mkv", "clip.webm", "clip.avi", "clip.ts", "clip.wav", "clip.flac", "clip.mp3", "clip.ogg"]


@pytest.mark.parametrize("name", NAMES)
def test_any_damage_is_read_or_refused_in_one_line(tmp_path: Path, name: str) -> None:
    assert try_damage(tmp_path, name, 12, seed=1) == []


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_much_more_damage_is_read_or_refused_in_one_line(tmp_path: Path, name: str) -> None:
    assert try_damage(tmp_path, name, 150, seed=2) == []
