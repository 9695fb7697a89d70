"""The adapter folder: written whole or not at all, read with suspicion."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_models import MOOD, Exported, loaded

from emer.adapters.files import CONFIG, read_adapter, read_heads, write_adapter
from emer.adapters.merging import merge, save_merged
from emer.adapters.record import (
    AdapterRecord,
    FusionRecord,
    parse_record,
    write_record,
)
from emer.backbones.opening import transformers
from emer.errors import OutputError
from emer.evidence.calibration import Calibration, ViewSet
from emer.evidence.head_files import HeadRecord, TrainedHeads
from emer.evidence.heads import HeadSpec, MultiViewHeads
from emer.evidence.rows import row_hashes
from emer.evidence.selective import Threshold
from emer.types import PromptRecord

CALIBRATION = Calibration(
    data="made up",
    label_set="mood",
    labels=MOOD.labels,
    kind="dirichlet",
    prior_weight=3.0,
    method="temperature",
    n=40,
    sets=(
        ViewSet(views=("audio", "verdict"), n=25, temperature=(1.5,)),
        ViewSet(views=("verdict",), n=15, temperature=(2.25,), fallback=("too few rows",)),
    ),
    rows=row_hashes(["c1", "c2"]),
    threshold=Threshold(
        value=0.6, target_risk=0.1, risk=0.08, coverage=0.5, n=40, guarantee=None, rows=row_hashes(["c1"])
    ),
)


def full_record(one: Exported) -> AdapterRecord:
    return replace(
        one.record,
        prompt=PromptRecord("explain.en", "ab" * 32),
        fusion=FusionRecord(rule="weighted", reliabilities={"audio": 1.0, "verdict": 2.5}),
        calibration=CALIBRATION,
        data="made up",
        trained_rows=row_hashes(["a", "b"]),
        seed=3,
        licence="CC-BY-NC-SA-4.0",
        figures={"accuracy": "0.61 [0.55, 0.67], n = 240"},
        limits=("It was made in a test.",),
    )


def heads() -> TrainedHeads:
    torch.manual_seed(0)
    spec = HeadSpec(label_set="mood", labels=MOOD.labels, features={"audio": ("pitch",)}, hidden=(3,))
    return TrainedHeads(MultiViewHeads(spec), HeadRecord(spec=spec, data="made up", trained_rows=()))


# ---------------------------------------------------------------- written


def test_an_adapter_comes_back_unchanged(omni: Exported, tmp_path: Path) -> None:
    before = replace(read_adapter(omni.folder), record=full_record(omni))
    written = write_adapter(tmp_path / "new" / "adapter", before, heads=heads(), licence="Share alike.\n")
    after = read_adapter(tmp_path / "new" / "adapter")
    assert after.record == written
    assert after.record == replace(full_record(omni), files=written.files)
    assert after.config == before.config
    assert after.tensors.keys() == before.tensors.keys()
    assert all(torch.equal(after.tensors[name], before.tensors[name]) for name in before.tensors)
    again = read_heads(tmp_path / "new" / "adapter")
    assert again is not None
    assert torch.equal(
        next(iter(again.network.state_dict().values())), next(iter(heads().network.state_dict().values()))
    )
    assert sorted(path.name for path in (tmp_path / "new" / "adapter").iterdir()) == [
        "LICENSE",
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "emer.json",
        "heads.json",
        "heads.safetensors",
    ]


def test_an_adapter_without_heads_has_none(omni: Exported) -> None:
    assert read_heads(omni.folder) is None


def test_the_record_keeps_calibration_prompt_and_fusion(omni: Exported) -> None:
    record = full_record(omni)
    assert parse_record(write_record(record)) == record
    told = json.loads(write_record(record))
    assert told["schema"] == "emer.adapter/1"
    assert [one["temperature"] for one in told["calibration"]["sets"]] == [[1.5], [2.25]]
    assert told["calibration"]["threshold"]["rows"] == list(row_hashes(["c1"]))
    assert told["prompt"] == {"name": "explain.en", "sha256": "ab" * 32}
    assert told["fusion"] == {"rule": "weighted", "reliabilities": {"audio": 1.0, "verdict": 2.5}, "fitted": ""}
    assert set(told["versions"]) == {"torch", "transformers", "peft"}


def test_no_file_names_a_place_on_this_machine(omni: Exported) -> None:
    places = (str(omni.folder.parent), str(Path.home()), "/tmp")
    for file in omni.folder.iterdir():
        data = file.read_bytes()
        assert not any(place.encode() in data for place in places), file.name
    assert json.loads((omni.folder / CONFIG).read_text())["base_model_name_or_path"] == "me/tiny"


def test_the_card_tells_base_labels_calibration_figures_and_limits(omni: Exported, tmp_path: Path) -> None:
    write_adapter(tmp_path / "a", replace(read_adapter(omni.folder), record=full_record(omni)))
    card = (tmp_path / "a" / "README.md").read_text()
    front = card.split("---")[1]
    assert "base_model: me/tiny" in front
    assert "library_name: peft" in front
    for line in (
        "* label set: mood (good, bad, flat); one right label",
        "* vocabulary rows: 90, 93, 91; they must never be generated",
        "* fused by the rule weighted with audio 1.00, verdict 2.50",
        "* audio + verdict: made up, n = 25, temperature 1.50",
        "* trust: confidence above 0.60",
        "| accuracy | 0.61 [0.55, 0.67], n = 240 |",
        "* It was made in a test.",
        "* licence: CC-BY-NC-SA-4.0",
    ):
        assert line in card.splitlines()


def test_an_older_adapter_is_replaced_and_other_folders_are_not(omni: Exported, tmp_path: Path) -> None:
    adapter = read_adapter(omni.folder)
    write_adapter(tmp_path / "a", adapter, licence="old")
    write_adapter(tmp_path / "a", adapter)
    assert not (tmp_path / "a" / "LICENSE").exists()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").write_text("x")
    with pytest.raises(OutputError, match=r"photos holds other files, and no emer.json: it is not replaced"):
        write_adapter(tmp_path / "photos", adapter)
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="file is a file; give the name of a folder"):
        write_adapter(tmp_path / "file", adapter)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "file", "photos"]


# ---------------------------------------------------------------- a full disk


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file can grow beyond so many bytes, as on a disk that fills up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 700, 5000])
def test_a_full_disk_leaves_nothing_behind(omni: Exported, tmp_path: Path, size: int) -> None:
    adapter = read_adapter(omni.folder)
    with room_for(size), pytest.raises(OutputError, match=r"a cannot be written \(File too large\); choose another"):
        write_adapter(tmp_path / "a", adapter)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_keeps_the_older_adapter(omni: Exported, copy: Path) -> None:
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    with room_for(5000), pytest.raises(OutputError, match="cannot be written"):
        write_adapter(copy, read_adapter(omni.folder), licence="new")
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


def test_a_full_disk_leaves_no_merged_model(exports: dict[str, Exported], tmp_path: Path) -> None:
    one = exports["plain"]
    merged = merge(loaded(one.trained), read_adapter(one.folder))
    transformers().utils.logging.disable_progress_bar()  # its pipe is no file, but a redirected one would be
    try:
        with room_for(20_000), pytest.raises(OutputError, match="merged cannot be written"):
            save_merged(tmp_path / "merged", merged, one.record)
    finally:
        transformers().utils.logging.enable_progress_bar()
    assert list(tmp_path.iterdir()) == []
