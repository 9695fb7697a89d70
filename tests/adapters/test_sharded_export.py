"""Weights that FSDP has spread over processes are exported whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from small_models import PROMPT, Exported, Trained, head_for, loaded, with_lora

from emer.adapters.export import adapter_of, base_rows
from emer.adapters.files import write_adapter
from emer.adapters.proof import probe_of


@pytest.fixture
def process_group(tmp_path: Path) -> Iterator[None]:
    """A world of one process: its tensors are spread all the same."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


def sharded(run: Trained) -> Trained:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    model = with_lora(loaded(run))
    head = head_for(model, run.head.spec, run.record.base.hidden)
    mesh = init_device_mesh("cpu", (1,))
    fully_shard(model, mesh=mesh)
    fully_shard(head, mesh=mesh)
    return Trained(run.base, model, head, run.record)


def test_a_sharded_model_gives_the_adapter_of_the_whole_one(
    exports: dict[str, Exported], process_group: None, tmp_path: Path
) -> None:
    run = exports["plain"].trained
    spread = sharded(run)
    assert type(spread.head.linear.weight).__name__ == "DTensor"
    ours, theirs = adapter_of(spread.model, spread.record, spread.head), adapter_of(run.model, run.record, run.head)
    assert ours.tensors.keys() == theirs.tensors.keys()
    assert all(type(each) is torch.Tensor for each in ours.tensors.values())
    assert all(torch.equal(ours.tensors[name], theirs.tensors[name]) for name in ours.tensors)
    assert type(base_rows(spread.model, (1, 2))) is torch.Tensor
    write_adapter(tmp_path / "adapter", ours)


def test_a_sharded_model_gives_the_same_probe(exports: dict[str, Exported], process_group: None) -> None:
    run = exports["plain"].trained
    spread = sharded(run)
    assert spread.record.verdict is not None
    probe = probe_of(spread.model, spread.head, spread.record.verdict.rows, "a clip of someone", PROMPT)
    assert exports["plain"].record.probe is not None
    assert probe.logits == pytest.approx(exports["plain"].record.probe.logits, abs=1e-5)
    assert probe.base_logits == pytest.approx(exports["plain"].record.probe.base_logits, abs=1e-5)
