"""nano as it ships: small, whole, loadable by stock transformers, and with a verdict that knows its base."""

import json
from pathlib import Path

import pytest

pytest.importorskip("peft", reason="peft is not installed: nano's adapter is one of it")

from make import ADAPTER, BASE

from emer.adapters.base_hash import base_sha256
from emer.adapters.files import read_adapter, read_record
from emer.adapters.record import refuse_other_base
from emer.backbones.loading import load
from emer.data.splits import split
from emer.prompts import prompt

LARGEST = 30_000_000
"""Bytes, of both folders together."""


def test_both_folders_stay_small() -> None:
    files = [path for folder in (BASE, ADAPTER) for path in folder.rglob("*") if path.is_file()]
    assert files
    assert sum(path.stat().st_size for path in files) <= LARGEST


def test_no_file_tells_of_the_machine_that_made_it() -> None:
    for path in (*BASE.glob("*.json"), *ADAPTER.glob("*.json"), *BASE.glob("*.md"), *ADAPTER.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        assert not any(place in text for place in ("/tmp/", "/home/", "/root/", "/work/")), path


def test_the_configuration_is_the_full_models_so_that_servers_take_it() -> None:
    config = json.loads((BASE / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["Qwen2_5OmniForConditionalGeneration"]
    assert config["model_type"] == "qwen2_5_omni"
    assert config["enable_audio_output"] is False


def test_it_perceives_sound_and_text_and_leaves_rows_for_verdicts() -> None:
    backbone = load(BASE)
    assert backbone.perceives == {"audio", "text"}
    assert len(backbone.verdict_rows(64)) == 64


def test_the_adapter_belongs_to_this_base_and_is_calibrated() -> None:
    record = read_adapter(ADAPTER).record
    refuse_other_base(record, base_sha256(BASE))
    assert record.verdict is not None
    assert record.verdict.spec.label_set == "emer8"
    assert record.verdict.spec.prior_weight == pytest.approx(0.8)
    assert record.calibration is not None
    assert record.prompt == prompt("explain_brief", "en").record
    assert record.licence == "CC BY-NC-SA 4.0"


def test_neither_test_nor_calibration_clips_trained_it(real_data: Path) -> None:
    """The oracle: the split file, and every clip's own hash."""
    from emer.data import ravdess
    from emer.evidence.rows import row_hashes
    from emer.training.sources import clip_contents

    held_out = {*split("voices").members("test"), *split("voices").members("calibration")}
    clips = [row.clip for row in ravdess.clips(real_data) if row.speaker in held_out][::20]
    assert clips
    seen = set(read_record(ADAPTER).trained_rows)
    assert seen
    assert not set(row_hashes(clip_contents(clips))) & seen
