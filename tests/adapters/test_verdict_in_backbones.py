"""Every family of backbones, tiny and random: verdict rows that its tokenizer leaves free, adapter, merged model."""

from pathlib import Path

import pytest
import torch
from small_models import MOOD, PROMPT, Exported, Trained, exported, head_for, last_logits, tied_embeddings, with_lora

from emer.adapters.base_hash import base_sha256
from emer.adapters.export import base_record
from emer.adapters.files import read_adapter
from emer.adapters.merging import merge, save_merged
from emer.adapters.proof import last_state, prove_in_transformers
from emer.adapters.record import AdapterRecord, VerdictRecord, refuse_used_rows
from emer.backbones.loading import load
from emer.backbones.tiny import RECIPES, make_tiny


@pytest.fixture(scope="module", params=RECIPES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """One family's tiny model after training, and the folder of its adapter."""
    folder = tmp_path_factory.mktemp(request.param)
    base = make_tiny(request.param, folder / "base")
    fresh = load(base, dtype=torch.float32)
    rows = fresh.verdict_rows(MOOD.rows)
    record = AdapterRecord(
        base=base_record(fresh.model, "me/tiny", base_sha256(base)), verdict=VerdictRecord(spec=MOOD, rows=rows)
    )
    refuse_used_rows(record, fresh.tokenizer.get_vocab(), fresh.reserved)
    head = head_for(fresh.model, MOOD, fresh.hidden_size)
    model = with_lora(fresh.model, target_modules=fresh.lora_targets)
    return exported(folder / "adapter", Trained(base, model, head, record))


def wanted(one: Exported) -> list[float]:
    logits: list[float] = one.trained.head(last_state(one.trained.model, PROMPT)).tolist()
    return logits


def test_a_loaded_adapter_speaks_the_verdict_and_is_live(made: Exported) -> None:
    assert made.record.verdict is not None
    with tied_embeddings():
        served = load(made.trained.base, dtype=torch.float32, adapter=made.folder)
    assert last_logits(served.model)[list(made.record.verdict.rows)].tolist() == pytest.approx(wanted(made), abs=1e-4)
    assert prove_in_transformers(served.model, made.record).error < 1e-4


def test_a_merged_model_speaks_the_verdict_by_itself(made: Exported, tmp_path: Path) -> None:
    assert made.record.verdict is not None
    fresh = load(made.trained.base, dtype=torch.float32)
    save_merged(
        tmp_path / "merged", merge(fresh.model, read_adapter(made.folder)), made.record, processor=fresh.processor
    )
    again = load(tmp_path / "merged", dtype=torch.float32)
    assert last_logits(again.model)[list(made.record.verdict.rows)].tolist() == pytest.approx(wanted(made), abs=1e-4)
    assert again.tokenizer.get_vocab() == fresh.tokenizer.get_vocab()
