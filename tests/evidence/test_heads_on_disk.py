"""Heads to disk and back, and from the features of a clip to opinions."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from emer.errors import ConfigError, OpinionError, OutputError
from emer.evidence.conflict import conflict
from emer.evidence.fusion import fuse
from emer.evidence.head_files import RECORD, TENSORS, HeadRecord, load_heads, save_heads
from emer.evidence.head_opinions import opinion_of, opinions_of
from emer.evidence.heads import HeadSpec, MultiViewHeads, ViewInput
from emer.evidence.opinion import uncertainty
from emer.evidence.rows import row_hashes
from emer.types import Features

torch.set_num_threads(1)
SPEC = HeadSpec(
    label_set="mood",
    labels=("good", "bad", "flat"),
    features={"audio": ("pitch", "loudness"), "text": ("compound",)},
    versions={"audio": "3"},
    hidden=(4,),
    joint=True,
)
VOICE = Features("audio", ("loudness", "unused", "pitch"), (2.0, 9.0, 1.0), (True, True, True), "3")
WORDS = Features("text", ("compound",), (0.3,), (True,), "any")


def trained() -> MultiViewHeads:
    torch.manual_seed(0)
    network = MultiViewHeads(SPEC)
    rows = torch.randn(20, 3) * 3 + 1
    mask = torch.ones(20, 3, dtype=torch.bool)
    network.fit_standardisation(
        {"audio": ViewInput(rows[:, :2], mask[:, :2]), "text": ViewInput(rows[:, 2:], mask[:, 2:])}
    )
    return network.eval()


def saved(folder: Path) -> HeadRecord:
    record = HeadRecord(
        spec=SPEC, data="made up", trained_rows=row_hashes(["one", "two"]), reliabilities={"audio": 2.0}
    )
    return save_heads(folder, trained(), record)


# ---------------------------------------------------------------- on disk


def test_heads_come_back_from_disk_unchanged(tmp_path: Path) -> None:
    record = saved(tmp_path / "new" / "heads")
    back = load_heads(tmp_path / "new" / "heads")
    assert back.record == record
    assert opinions_of(back.network, {"audio": VOICE, "text": WORDS}) == opinions_of(
        trained(), {"audio": VOICE, "text": WORDS}
    )
    assert sorted(path.name for path in (tmp_path / "new" / "heads").iterdir()) == [RECORD, TENSORS]


def test_the_record_says_what_the_numbers_mean(tmp_path: Path) -> None:
    saved(tmp_path)
    record = json.loads((tmp_path / RECORD).read_text())
    assert record["schema"] == "emer.heads/1"
    assert record["spec"]["features"]["audio"] == ["pitch", "loudness"]
    assert record["spec"]["labels"] == ["good", "bad", "flat"]
    assert record["trained_rows"] == list(row_hashes(["two", "one"]))


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    data = bytearray((tmp_path / TENSORS).read_bytes())
    data[-1] ^= 1
    (tmp_path / TENSORS).write_bytes(data)
    with pytest.raises(ConfigError, match=r"heads.safetensors is not the file that heads.json describes; copy both"):
        load_heads(tmp_path)


def test_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"heads.json: no heads can be read there \(No such file"):
        load_heads(tmp_path)
    saved(tmp_path)
    record = json.loads((tmp_path / RECORD).read_text())
    (tmp_path / RECORD).write_text(json.dumps(record | {"schema": "emer.heads/9"}))
    with pytest.raises(ConfigError, match=r"has schema 'emer.heads/9', and this emer reads emer.heads/1; update emer"):
        load_heads(tmp_path)
    (tmp_path / RECORD).write_text("{}")
    with pytest.raises(ConfigError, match="this is not HeadRecord JSON"):
        load_heads(tmp_path)


def test_a_wrong_spec_on_disk_is_refused_in_words(tmp_path: Path) -> None:
    saved(tmp_path)
    record = json.loads((tmp_path / RECORD).read_text())
    record["spec"]["hidden"] = [5]
    (tmp_path / RECORD).write_text(json.dumps(record))
    with pytest.raises(ConfigError, match=r"does not fit heads.json .* train the heads again"):
        load_heads(tmp_path)
    record["spec"]["hidden"] = [-5]
    (tmp_path / RECORD).write_text(json.dumps(record))
    with pytest.raises(ConfigError, match=r"hidden \[-5\] must be sizes above 0"):
        load_heads(tmp_path)


def test_a_record_of_other_heads_and_a_folder_that_is_a_file_are_refused(tmp_path: Path) -> None:
    record = HeadRecord(spec=replace(SPEC, hidden=(5,)), data="made up", trained_rows=())
    with pytest.raises(ConfigError, match="describes other heads"):
        save_heads(tmp_path, trained(), record)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="heads cannot be written there"):
        save_heads(tmp_path / "file", trained(), replace(record, spec=SPEC))


# ---------------------------------------------------------------- opinions of a clip


def test_features_are_found_by_name_not_by_place() -> None:
    other = Features("audio", ("pitch", "loudness"), (1.0, 2.0), (True, True), "3")
    assert opinion_of(trained(), VOICE) == opinion_of(trained(), other)


def test_an_opinion_of_a_head_is_what_the_network_says_by_itself() -> None:
    network = trained()
    z = network.standardisers["audio"](ViewInput(torch.tensor([[1.0, 2.0]]), torch.tensor([[True, True]])))
    opinion = opinion_of(network, VOICE)
    assert opinion.trained
    assert opinion.evidence == pytest.approx(network.heads["audio"](z)[0].tolist())
    assert (opinion.label_set, opinion.labels, opinion.prior_weight) == ("mood", SPEC.labels, 3.0)


def test_opinions_of_heads_fuse_and_conflict_like_any_other() -> None:
    opinions = opinions_of(trained(), {"audio": VOICE, "text": WORDS})
    assert sorted(opinions) == ["audio", "joint", "text"]
    assert fuse(opinions).trained
    assert conflict(opinions).degree is not None


def test_a_view_that_was_not_measured_is_vacuous() -> None:
    silent = Features("audio", ("pitch", "loudness"), (0.0, 0.0), (False, False), "3")
    assert uncertainty(opinion_of(trained(), silent)) == 1
    opinions = opinions_of(trained(), {"text": WORDS})
    assert {view: o.present for view, o in opinions.items()} == {"audio": False, "text": True, "joint": True}
    assert not any(o.present for o in opinions_of(trained(), {}).values())


def test_beta_heads_give_beta_opinions() -> None:
    network = MultiViewHeads(replace(SPEC, kind="beta", base_rate=(0.2, 0.5, 0.5))).eval()
    opinion = opinion_of(network, WORDS)
    assert (opinion.kind, len(opinion.evidence), opinion.base_rate) == ("beta", 6, (0.2, 0.5, 0.5))


def test_features_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="audio features are of version 4, and the heads were trained on 3"):
        opinion_of(trained(), replace(VOICE, version="4"))
    with pytest.raises(ConfigError, match="text features lack compound, which the heads read"):
        opinion_of(trained(), replace(WORDS, names=("other",)))
    with pytest.raises(ConfigError, match="no head for the view 'smell'; these have audio, text"):
        opinion_of(trained(), replace(WORDS, view="smell"))
    with pytest.raises(OpinionError, match=r"NaN or infinite \(compound\)"):
        opinion_of(trained(), replace(WORDS, values=(float("nan"),)))
    with pytest.raises(ConfigError, match=r"call eval\(\) before asking"):
        opinion_of(trained().train(), WORDS)
