"""Adapters of another base, label set or tokenizer are refused, and trainings that cannot be exported."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_models import MOOD, PROMPT, ROWS, Exported, head_for, loaded, make, trained, with_lora

from emer.adapters.base_hash import base_sha256
from emer.adapters.export import adapter_of, export_adapter
from emer.adapters.files import read_adapter
from emer.adapters.record import (
    VerdictRecord,
    refuse_other_base,
    refuse_other_labels,
    refuse_used_rows,
)
from emer.errors import ConfigError, ModelError
from emer.evidence.calibration import Calibration
from emer.evidence.verdict import VerdictSpec

CALIBRATION = Calibration(
    data="made up",
    label_set="other",
    labels=MOOD.labels,
    kind="dirichlet",
    prior_weight=3.0,
    method="temperature",
    n=1,
    sets=(),
    rows=(),
)


# ---------------------------------------------------------------- of something else


def test_an_adapter_for_another_base_is_refused(exports: dict[str, Exported]) -> None:
    one, other = exports["plain"], exports["tied"]
    refuse_other_base(one.record, base_sha256(one.trained.base))
    with pytest.raises(ModelError, match=r"trained on me/tiny \(weights .*…\), and this model has weights .*give that"):
        refuse_other_base(one.record, base_sha256(other.trained.base))


def test_a_verdict_over_another_label_set_is_refused(omni: Exported) -> None:
    refuse_other_labels(omni.record, "mood", ("good", "bad", "flat"))
    with pytest.raises(
        ModelError, match=r"verdict is over mood \(good, bad, flat\), and emer2 \(up, down\) is asked for"
    ):
        refuse_other_labels(omni.record, "emer2", ("up", "down"))
    with pytest.raises(ModelError, match="the adapter has no verdict, and one over emer2 is asked for"):
        refuse_other_labels(replace(omni.record, verdict=None, probe=None), "emer2", ("up", "down"))


def test_a_verdict_row_that_is_a_token_is_refused_and_a_reserved_one_is_not(omni: Exported) -> None:
    refuse_used_rows(omni.record, {"hello": 5, "world": 89})
    with pytest.raises(ModelError, match=r"1 verdict rows are tokens of this tokenizer \(93 is 'hello'\)"):
        refuse_used_rows(omni.record, {"hello": 93})
    refuse_used_rows(omni.record, {"<unused3>": 93}, re.compile(r"<unused\d+>"))


def test_a_calibration_over_other_labels_is_refused(omni: Exported) -> None:
    with pytest.raises(ConfigError, match="the calibration has label_set 'other', and the verdict 'mood'"):
        replace(omni.record, calibration=CALIBRATION)


# ---------------------------------------------------------------- export refuses


def test_a_head_that_the_record_does_not_know_is_refused(exports: dict[str, Exported], tmp_path: Path) -> None:
    run = exports["plain"].trained
    other = head_for(loaded(run), VerdictSpec(label_set="mood", labels=("good", "flat", "bad")), 32)
    with pytest.raises(ConfigError, match=r"the head speaks over .*make the record from the head and the model"):
        export_adapter(tmp_path / "a", run.model, run.record, other)
    with pytest.raises(ConfigError, match="a verdict needs both its head and its place in the record"):
        export_adapter(tmp_path / "a", run.model, run.record, None)
    assert list(tmp_path.iterdir()) == []


def test_a_record_of_another_base_is_refused(exports: dict[str, Exported], tmp_path: Path) -> None:
    run = exports["softcap"].trained
    record = replace(run.record, base=replace(run.record.base, softcap=None))
    with pytest.raises(ConfigError, match=r"the record is of the base .*softcap=None.*softcap=1.5.*by base_record"):
        export_adapter(tmp_path / "a", run.model, record, run.head)


def test_lora_that_diverged_is_not_written(tmp_path: Path) -> None:
    run = trained(tmp_path / "base", make("plain"))
    with torch.no_grad():
        next(each for name, each in run.model.named_parameters() if "lora_A" in name)[0, 0] = torch.nan
    with pytest.raises(
        ConfigError, match=r"1 LoRA tensors are not finite \(first .*lora_A.weight\): training diverged"
    ):
        export_adapter(tmp_path / "a", run.model, run.record, run.head)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("option", "reason"), [({"use_dora": True}, "use_dora"), ({"use_rslora": True}, "use_rslora"), ({"r": 6}, "r 6")]
)
def test_lora_that_cannot_hold_rows_is_refused_at_export(
    exports: dict[str, Exported], option: dict[str, object], reason: str
) -> None:
    run = exports["plain"].trained
    with pytest.raises(ConfigError, match=f"the verdict's rows cannot ride in this LoRA: .*{reason}"):
        adapter_of(with_lora(loaded(run), **option), run.record, run.head)


def test_an_adapter_without_a_verdict_is_plain_lora(exports: dict[str, Exported], tmp_path: Path) -> None:
    run = exports["plain"].trained
    record = replace(run.record, verdict=None)
    export_adapter(tmp_path / "a", run.model, record)
    adapter = read_adapter(tmp_path / "a")
    assert not any("lm_head" in name for name in adapter.tensors)
    assert adapter.record.verdict is None
    assert adapter.record.probe is None
    with pytest.raises(ModelError, match="the adapter has no verdict"):
        _ = adapter.output_lora


def test_verdict_rows_of_a_record_stand_in_the_order_of_the_labels(omni: Exported) -> None:
    assert omni.record.verdict == VerdictRecord(spec=MOOD, rows=ROWS)
    assert omni.record.probe is not None
    assert omni.record.probe.tokens == PROMPT
