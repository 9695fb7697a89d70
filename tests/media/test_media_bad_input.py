"""Bad input: one line that says what happened, and nothing on stderr."""

import os
from pathlib import Path

import pytest
from bad_inputs import BadInput, make_bad_inputs
from clips import make_clip

from emer import media
from emer.errors import EmerError, MediaError, TranscriptError
from emer.types import Clip


def clip_of(bad: BadInput) -> Clip:
    """What the command line makes of the row's arguments."""
    options: dict[str, list[str]] = {}
    words = [word for argument in bad.arguments for word in argument.split("=", 1)]
    for option, value in zip(words[::2], words[1::2], strict=True):
        options.setdefault(option, []).append(value)
    return Clip(
        bad.path,
        start=float(options["--start"][0]) if "--start" in options else None,
        end=float(options["--end"][0]) if "--end" in options else None,
        transcript=options.get("--transcript", [None])[0],
        without=frozenset(options.get("--without", [])),
    )


@pytest.fixture(scope="module")
def bad_inputs(tmp_path_factory: pytest.TempPathFactory) -> list[BadInput]:
    return make_bad_inputs(tmp_path_factory.mktemp("bad"))


def test_the_table_has_enough_different_rows(bad_inputs: list[BadInput]) -> None:
    assert len({bad.name for bad in bad_inputs}) == len(bad_inputs) >= 40


def test_every_bad_input_gives_one_line_that_names_the_trouble(
    bad_inputs: list[BadInput], capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = []
    for bad in bad_inputs:
        try:
            media.open(clip_of(bad))
            wrong.append(f"{bad.name}: was opened")
        except EmerError as error:
            line = str(error)
            if bad.says not in line or "\n" in line or len(line) > 300:
                wrong.append(f"{bad.name}: {line}")
    assert not wrong, "\n".join(wrong)
    assert capfd.readouterr() == ("", "")


def test_transcript_trouble_is_told_from_clip_trouble(bad_inputs: list[BadInput]) -> None:
    for bad in bad_inputs:
        with pytest.raises(TranscriptError if "--transcript" in bad.arguments else MediaError):
            media.open(clip_of(bad))


def test_a_path_with_a_null_character_or_a_line_break_stays_one_line() -> None:
    for path in ("clip\0.mp4", "clip\n.mp4", ""):
        with pytest.raises(MediaError) as raised:
            media.open(Clip(path))
        assert "\n" not in str(raised.value)
        assert "\0" not in str(raised.value)


def test_a_file_without_read_permission_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 0.5)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may read everything
    with pytest.raises(MediaError, match="may not be read"):
        media.open(Clip(str(clip)))


def test_limits_are_settings(tmp_path: Path) -> None:
    clip = Clip(str(make_clip(tmp_path / "clip.mp4", 2.0)))
    for limits, says in (
        (
            media.Limits(duration=1.0),
            "2 s to read, more than the limit of 1 s; read a part of it with --start and --end",
        ),
        (media.Limits(pixels=1000), "frames of 64×48 pixels, more than the limit of 1,000"),
        (media.Limits(streams=1), "holds 2 streams, more than the limit of 1"),
    ):
        with pytest.raises(MediaError) as raised:
            media.open(clip, limits)
        assert says in str(raised.value)
    part = media.open(Clip(clip.path, start=0.5, end=1.5), media.Limits(duration=1.0))
    assert part.facts.span.duration == 1.0


def test_a_clip_that_vanishes_between_passes_is_named(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", 1.0)
    handle = media.open(Clip(str(path)))
    path.unlink()
    with pytest.raises(MediaError, match=r"clip\.mp4 was there a moment ago and is gone"):
        list(handle.windows())


def test_a_numbered_name_is_one_file_and_no_series(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "photo.jpg", 0.04, sound=None).rename(tmp_path / "photo%03d.jpg")
    assert media.open(Clip(str(path))).facts.is_image
