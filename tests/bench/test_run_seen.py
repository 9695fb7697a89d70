"""Clips that heads were trained or calibrated on are told of by the run and by its report."""

import json
from pathlib import Path

import pytest

from emer.bench.report import report
from emer.bench.run_configuration import RunConfig, RunData, RunSystem
from emer.bench.run_data import ClipFile
from emer.bench.run_seen import Seen, met_before, seen
from emer.bench.running import opened
from emer.errors import ConfigError
from emer.evidence.rows import clip_row, row_hashes
from emer.evidence.weights import Weights

WEIGHTS = Path(__file__).parents[2] / "weights" / "emer_weights"


def heads(folder: Path, trained: tuple[str, ...], calibrated: tuple[str, ...]) -> Weights:
    folder.mkdir()
    (folder / "heads.json").write_text(json.dumps({"trained_rows": row_hashes(trained)}))
    (folder / "calibration.json").write_text(json.dumps({"rows": row_hashes(calibrated)}))
    return Weights("made", folder, None)


def clip(name: str, sha256: str | None, start: float | None = None) -> ClipFile:
    return ClipFile(name, f"/clips/{name}.wav", start, None, 1, 1, sha256)


def test_a_clip_is_known_again_by_its_id_and_by_its_content(tmp_path: Path) -> None:
    weights = heads(tmp_path / "heads", ("by id", clip_row("c0ffee"), clip_row("cafe", 2.0)), ("another",))
    files = [
        clip("by id", "1"),
        clip("renamed", "c0ffee"),
        clip("a part", "cafe", 2.0),
        clip("another part", "cafe", 3.0),
        clip("another", "2"),
        clip("unread", None),
    ]
    assert seen(weights, files) == Seen(training=3, calibration=1)
    assert seen(None, files) == Seen()


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    weights = heads(tmp_path / "heads", (), ())
    (tmp_path / "heads" / "heads.json").write_text("[]")
    with pytest.raises(ConfigError, match=r"heads\.json cannot be read"):
        seen(weights, [])


def test_nothing_is_said_of_clips_that_no_head_has_met() -> None:
    assert met_before(Seen(), "heads", 9) == ""
    assert met_before(Seen(calibration=2), "heads", 9).startswith("heads: its heads were calibrated on 2 of these 9")


def test_a_run_over_the_actors_that_trained_the_heads_says_so(real_data: Path, tmp_path: Path) -> None:
    """One clip each of actor 1 (training), 15 (calibration) and 20 (test), by the split in configs/splits."""
    folder = real_data / "clips" / "ravdess_speech"
    names = [f"03-01-03-01-01-01-{actor}" for actor in ("01", "15", "20")]
    rows = [{"path": str(folder / f"{name}.flac"), "id": name, "labels": ["happy"]} for name in names]
    (tmp_path / "three.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    systems = (RunSystem(name="heads", weights=str(WEIGHTS)), RunSystem(name="hints", weights="none"))
    data = (RunData(name=str(tmp_path / "three.jsonl")),)
    with opened(RunConfig(data=data, systems=systems, out=str(tmp_path / "out")), "emer bench run") as run:
        list(run.steps())
        (note,) = (note for note in run.notes if "trained" in note)
    told = (
        "heads: its heads were trained on 1 of these 3 clips and calibrated on 1, so its scores here are no clean test"
    )
    assert note == f"three, {told}"
    page = report(tmp_path / "out")[1].read_text(encoding="utf-8")
    assert told in page
    assert "hints: its heads" not in page
