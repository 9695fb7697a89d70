"""Which clips a PATH stands for."""

from argparse import Namespace
from pathlib import Path

import pytest

from emer.commands.explain import outputs_of
from emer.commands.sources import clips_of, is_batch, sources_of
from emer.errors import ConfigError, EmerError, MediaError, OutputError
from emer.types import Clip


def asked(path: Path | str, **more: object) -> Namespace:
    told: dict[str, object] = {"path": str(path), "start": None, "end": None, "transcript": None}
    told |= {"speaker_baseline": None, "without": [], "out": None, "html": False, "export": ""}
    return Namespace(**(told | more))


def test_a_file_is_one_clip_with_the_options_given() -> None:
    options = asked("clip.mp4", start=1.0, end=2.5, without=["text"])
    assert clips_of(options) == [Clip("clip.mp4", 1.0, 2.5, without=frozenset({"text"}))]
    assert not is_batch("clip.mp4")


def test_a_folder_stands_for_its_media_files_in_order(tmp_path: Path) -> None:
    for name in ("b.mp4", "a.WAV", "notes.txt", "a.srt", "deep/c.mov"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [Path(clip.path).relative_to(tmp_path).as_posix() for clip in clips_of(asked(tmp_path))]
    assert found == ["a.WAV", "b.mp4", "deep/c.mov"]
    assert is_batch(str(tmp_path))


def test_a_folder_without_media_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="holds no media files"):
        clips_of(asked(tmp_path))


def test_a_manifest_row_overrides_the_options_and_its_paths_are_relative_to_it(tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"path": "a.mp4", "end": 3}\n\n{"path": "b.mp4", "transcript": "b.txt"}\n')
    first, second = clips_of(asked(manifest, end=9.0))
    assert (first.path, first.end) == (str(tmp_path / "a.mp4"), 3)
    assert (second.path, second.end, second.transcript) == (str(tmp_path / "b.mp4"), 9.0, str(tmp_path / "b.txt"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no rows"),
        ("{", "line 1: this is not JSON"),
        ('{"path": ""}\n[1]', "line 2: this is not an object"),
        ('{"clip": "a"}', "line 1: it has no path"),
        ('{"path": "a.mp4", "strat": 3}', "line 1: strat is not known here; write start"),
        ('{"path": "a", "start": "soon"}', "start is 'soon', not a number"),
    ],
)
def test_a_manifest_without_one_good_row_is_an_error_that_names_the_line(tmp_path: Path, text: str, says: str) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text(text)
    with pytest.raises(ConfigError, match=says):
        clips_of(asked(manifest))


def test_bad_rows_stop_no_other_row_and_are_named(tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text(
        '{"path": "a.mp4", "mood": 7, "label": 3}\n{"path": "b.mp4", "strat": 1}\n{\n{"path": "c.mp4"}\n'
    )
    sources = sources_of(asked(manifest))
    assert [Path(clip.path).name for clip in sources.clips] == ["a.mp4", "c.mp4"]
    (first, why), (second, _) = sources.unread
    assert (first, second) == (str(tmp_path / "b.mp4"), f"{manifest}, line 3")
    assert str(why) == f"{manifest}, line 2: strat is not known here; write start"


def test_a_csv_manifest_is_a_batch_whose_notes_are_let_be(tmp_path: Path) -> None:
    manifest = tmp_path / "clips.csv"
    manifest.write_text("path,start,mood,text\na.mp4,1.5,gloomy,Let us go.\nb.mp4,soon,,\nc.mp4,,,\n")
    assert is_batch(str(manifest))
    sources = sources_of(asked(manifest, end=9.0))
    assert sources.clips == [
        Clip(str(tmp_path / "a.mp4"), 1.5, 9.0, said="Let us go."),
        Clip(str(tmp_path / "c.mp4"), None, 9.0),
    ]
    assert "line 3: start is 'soon'" in str(sources.unread[0][1])


def test_a_slip_in_a_column_name_is_an_error_before_any_clip_is_read(tmp_path: Path) -> None:
    manifest = tmp_path / "clips.csv"
    manifest.write_text("path,strat\na.mp4,1.5\n")
    with pytest.raises(ConfigError, match="line 1: strat is not known here; write start"):
        sources_of(asked(manifest))


def test_a_missing_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        clips_of(asked(tmp_path / "none.jsonl"))


def test_clips_of_one_stem_get_names_of_their_own() -> None:
    clips = [Clip("x/a.mp4"), Clip("x/a.wav"), Clip("y/a.wav"), Clip("b.mp4", 0.0, 1.0), Clip("b.mp4", 1.0, 2.0)]
    names = outputs_of(asked("d", out="o"), clips, batch=True).names
    assert [names[clip] for clip in clips] == ["a.mp4", "x_a.wav", "y_a.wav", "b_0-1", "b_1-2"]


@pytest.mark.parametrize(
    ("options", "batch", "error", "says"),
    [
        ({}, True, OutputError, "--out DIR"),
        ({"out": __file__}, False, OutputError, "is a file; name a folder"),
        ({"export": "pdf"}, False, ConfigError, "--export pdf is not known"),
    ],
)
def test_wrong_outputs_are_refused_before_any_clip_is_read(
    options: dict[str, object], batch: bool, error: type[EmerError], says: str
) -> None:
    with pytest.raises(error, match=says):
        outputs_of(asked("x.mp4", **options), [Clip("x.mp4")], batch)


def test_a_folder_that_cannot_be_written_is_refused_before_any_clip_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write everywhere, so the system's answer is given here."""
    monkeypatch.setattr("os.access", lambda place, mode: str(place) != str(tmp_path))
    with pytest.raises(OutputError, match=f"{tmp_path} cannot be written"):
        outputs_of(asked("x.mp4", out=str(tmp_path / "new" / "deep")), [Clip("x.mp4")], batch=False)
