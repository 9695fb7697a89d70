"""The clue cache: what is kept comes back equal, and nothing that is broken is believed."""

import errno
import logging
import os
from pathlib import Path

import pytest

from emer.clues.cache import Cache, key_of
from emer.types import Clue, Extract, Features, Span, Track

EXTRACT = Extract(
    clues=(Clue("", "audio", "pitch_rise", "voice rises", 0.5, 1.0, 4.1, "semitones", "this clip's median"),),
    features=Features("audio", ("f0",), (180.5,), (True,), "1"),
    tracks=(Track("pitch", "audio", "Hz", 0.0, 0.01, (180.0, None)),),
)


def test_an_entry_comes_back_equal(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(key_of("a"), EXTRACT)
    assert cache.get(key_of("a"), Extract) == EXTRACT


def test_another_key_finds_nothing(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(key_of("a", "version 1"), EXTRACT)
    assert cache.get(key_of("a", "version 2"), Extract) is None


@pytest.mark.parametrize("damage", [b"", b"\xc1", b"\x93\x01\x02"])
def test_a_damaged_entry_is_measured_anew_and_said(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    cache = Cache(tmp_path)
    cache.put(key_of("a"), EXTRACT)
    (place,) = tmp_path.rglob("*.msgpack")
    place.write_bytes(damage)
    with caplog.at_level(logging.WARNING, "emer"):
        assert cache.get(key_of("a"), Extract) is None
    assert "measured again" in caplog.text


def test_a_folder_that_cannot_be_made_costs_only_the_cache(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    Cache(tmp_path / "file").put(key_of("a"), EXTRACT)
    assert "EMER_CACHE" in caplog.text


def test_no_folder_keeps_nothing() -> None:
    cache = Cache(None)
    cache.put(key_of("a"), EXTRACT)
    assert cache.get(key_of("a"), Extract) is None


def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    Cache(tmp_path).put(key_of("a"), EXTRACT)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
    assert "No space left on device" in caplog.text


def test_keys_know_every_part() -> None:
    parts = [("x",), ("x", 1), ("x", Span(0, 1)), ("x", Span(0, 2)), ("x", None), ("y",)]
    assert len({key_of(*p) for p in parts}) == len(parts)
