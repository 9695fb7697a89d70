"""`emer calibrate ADAPTER`: what a tiny model is asked, what is fitted, where it is written, and every refusal."""

import json
import shutil
import wave
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from adapted_models import Adapted, adapt
from tiny_folders import tiny

from emer.adapters.files import read_adapter, read_record
from emer.adapters.record import AdapterRecord, write_record
from emer.cli import main
from emer.clues.audio import AudioClues
from emer.commands import calibrating
from emer.commands.calibrate_adapter import Said, spoken_of
from emer.commands.calibrating import Wanted, calibrated, refuse_few
from emer.commands.labelled_clips import LabelledClips
from emer.data.rows import Row
from emer.emotions import label_set
from emer.evidence.calibration import Calibration, ViewSet, confidence, read_calibration
from emer.evidence.fusion import fuse
from emer.evidence.head_files import HeadRecord, save_heads
from emer.evidence.heads import HeadSpec, MultiViewHeads
from emer.evidence.opinion import beta, dirichlet
from emer.evidence.rows import clip_row, row_hashes
from emer.evidence.verdict_spec import VerdictSpec
from emer.jsonio import loads
from emer.prompts import prompt
from emer.types import Annotation, Clip, Explanation, Opinion

EMER8 = VerdictSpec(label_set="emer8", labels=label_set("emer8"))
CLIPS = 10
WORDS = ("sad", "furious", "worried", "at sea")
"""Labels of the clips in turn; the last reaches no cluster."""
BOTH, VOICE, TEXT = "verdict(audio+text)", "verdict(audio)", "verdict(text)"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Adapted:
    torch.set_num_threads(1)
    return adapt(tiny(), tmp_path_factory.mktemp("adapter") / "a", EMER8, prompt=prompt("explain").record)


@pytest.fixture
def adapter(made: Adapted, tmp_path: Path) -> Path:
    """A copy that may be written to."""
    return Path(shutil.copytree(made.adapter, tmp_path / "adapter"))


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten half seconds of a tone each, with words of which the manifest tells."""
    folder = tmp_path_factory.mktemp("sounds")
    times = np.arange(8000) / 16000
    for i in range(CLIPS):
        samples = 9000 * np.sin(2 * np.pi * (120 + 20 * i) * times)
        with wave.open(str(folder / f"c{i}.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(samples.astype("<i2").tobytes())
    return folder


@pytest.fixture(autouse=True)
def _few_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrating, "LEAST", 4)


def manifest(folder: Path, sounds: Path, change: Callable[[int], Mapping[str, Any]] = lambda i: {}) -> Path:
    rows = [
        {
            "id": f"clip{i}",
            "path": str(sounds / f"c{i}.wav"),
            "label": WORDS[i % 3],
            "text": f"I have {i} apples.",
            "speaker": f"s{i % 5}",
        }
        | change(i)
        for i in range(CLIPS)
    ]
    path = folder / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def run(adapter: Path, data: Path, *more: str) -> int:
    settings = ("delta=null", "target_risk=0.95", "crossed=true", "engine.dtype=float32", "weights=none")
    return main(["calibrate", str(adapter), f"model={tiny()}", f"data={data}", *settings, *more])


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    line = err.splitlines()[-1]
    assert line.startswith("emer: ")
    return line.removeprefix("emer: ")


def content_of(clip: Path) -> str:
    return clip_row(sha256(clip.read_bytes()).hexdigest())


def changed(folder: Path, **fields: Any) -> AdapterRecord:
    """The adapter's record with other fields, written as it stands."""
    record = replace(read_record(folder), **fields)
    (folder / "emer.json").write_text(write_record(record) + "\n")
    return record


# ---------------------------------------------------------------- from clips to a confidence


def test_after_calibration_an_explanation_has_confidence_and_trust(
    adapter: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tensors = (adapter / "adapter_model.safetensors").read_bytes()
    files = read_record(adapter).files
    assert run(adapter, manifest(tmp_path, sounds), "name=Apples") == 0
    said = capsys.readouterr().out
    assert "10 of 10 clips gave a verdict; 30 opinions with those on parts of them" in said
    assert "all 10 rows for both, crossed" in said
    assert f"wrote {adapter / 'emer.json'}" in said

    record = read_adapter(adapter).record  # reads the tensors too, and holds them against their hashes
    found = record.calibration
    assert found is not None
    assert record.files == files
    assert (adapter / "adapter_model.safetensors").read_bytes() == tensors
    assert (found.data, found.n, {one.views for one in found.sets}) == ("Apples", 10, {(BOTH,), (VOICE,), (TEXT,)})
    assert {one.n for one in found.sets} == {10}
    assert found.prompt == prompt("explain").record.sha256
    contents = [content_of(sounds / f"c{i}.wav") for i in range(CLIPS)]
    assert set(found.rows) == set(row_hashes([*(f"clip{i}" for i in range(CLIPS)), *contents]))
    assert f"* {VOICE}: Apples, n = 10" in (adapter / "README.md").read_text()

    # temperature 50 leaves next to nothing; set by hand, so that the confidence can be followed
    sharp = tuple(replace(one, temperature=(0.5,)) for one in found.sets)
    assert found.threshold is not None
    changed(adapter, calibration=replace(found, sets=sharp, threshold=replace(found.threshold, value=0.01)))
    clip = ["explain", str(sounds / "c3.wav"), "--model", str(tiny()), "--adapter", str(adapter), "--json"]
    assert main([*clip, "--weights", "none"]) == 0
    told = loads(capsys.readouterr().out, Explanation)
    assert (told.calibrated, told.trusted, told.out_of_domain) == (True, True, False)
    verdict = np.array(told.opinions["verdict"].evidence) + 1  # alpha: W a = 8 / 8
    assert told.confidence == pytest.approx((verdict**2 / (verdict**2).sum()).max())
    assert told.provenance.calibration is not None
    assert told.provenance.calibration.views == (VOICE,)


def test_an_adapters_own_heads_are_calibrated_with_its_verdict_and_the_verdict_alone_as_well(
    adapter: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Explanations fuse them where no other heads were asked for, and say so."""
    spec = HeadSpec(
        label_set=EMER8.label_set,
        labels=EMER8.labels,
        features={"audio": ("speech_ratio",)},
        versions={"audio": AudioClues.version},
        hidden=(),
    )
    save_heads(adapter, MultiViewHeads(spec).eval(), HeadRecord(spec=spec, data="made up", trained_rows=()))
    assert run(adapter, manifest(tmp_path, sounds), "shown=[text]", "weights=installed") == 0
    found = read_record(adapter).calibration
    assert found is not None
    assert {one.views for one in found.sets} == {("audio", BOTH), (BOTH,), (TEXT,)}
    assert "10 of 10 clips gave a verdict; 30 opinions with those on parts of them" in capsys.readouterr().out
    said = tmp_path / "c3.txt"
    said.write_text("I have 3 apples.")
    clip = ["explain", str(sounds / "c3.wav"), "--transcript", str(said), "--model", str(tiny())]
    assert main([*clip, "--adapter", str(adapter), "--json"]) == 0
    told = loads(capsys.readouterr().out, Explanation)
    assert told.provenance.calibration is not None
    assert told.provenance.calibration.views == ("audio", BOTH)
    assert told.fused == fuse({view: told.opinions[view] for view in ("audio", "verdict")})
    seen = HeadRecord(spec=spec, data="made up", trained_rows=row_hashes([content_of(sounds / "c2.wav")]))
    save_heads(adapter, MultiViewHeads(spec).eval(), seen)
    assert run(adapter, manifest(tmp_path, sounds), "weights=installed") == 2
    assert "1 of the recordings to calibrate on served in training, under whatever id (clip2)" in refusal(capsys)


def test_only_the_sets_that_are_named_are_asked_besides_the_whole(adapter: Path, sounds: Path, tmp_path: Path) -> None:
    out = tmp_path / "new"
    assert run(adapter, manifest(tmp_path, sounds), "shown=[text]", f"out={out}") == 0
    found = read_calibration((out / "calibration.json").read_bytes())
    assert {one.views for one in found.sets} == {(BOTH,), (TEXT,)}
    assert read_record(adapter).calibration is None


def test_a_clip_that_cannot_be_read_and_labels_out_of_the_set_are_told_and_stop_no_other(
    adapter: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    odd = {0: {"path": str(tmp_path / "broken.wav")}, 1: {"label": "at sea"}}
    data = manifest(tmp_path, sounds, lambda i: odd.get(i, {}))
    card = (adapter / "README.md").read_text() + "\nmy own words\n"
    (adapter / "README.md").write_text(card)
    assert run(adapter, data, "shown=[]") == 0
    out, err = capsys.readouterr()
    assert err.startswith("row clip0 is left out: ")
    assert "labels that are not in the set, and in how many rows: at sea 1" in out
    assert "1 rows have no label in the set and are left out (clip1)" in out
    assert "8 of 9 clips gave a verdict; 8 opinions with those on parts of them" in out
    assert "README.md is not the card that emer would write and stays as it is" in out
    assert (adapter / "README.md").read_text() == card
    assert run(adapter, data, "shown=[]", "label_map.at sea=sad") == 0
    assert "9 of 10 clips gave a verdict" in capsys.readouterr().out


# ---------------------------------------------------------------- what is refused


def test_rows_that_training_saw_are_refused_by_name_and_by_content(
    adapter: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = manifest(tmp_path, sounds)
    changed(adapter, trained_rows=row_hashes(["clip4"]))
    assert run(adapter, data) == 2
    assert "1 row of calibration was seen in training (clip4); take it out" in refusal(capsys)
    content = content_of(sounds / "c7.wav")
    changed(adapter, trained_rows=row_hashes([content]))
    assert run(adapter, data) == 2
    assert "1 of the recordings to calibrate on served in training, under whatever id (clip7)" in refusal(capsys)
    assert read_record(adapter).calibration is None


def test_rows_of_the_calibration_part_are_taken_and_others_never(
    adapter: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = manifest(tmp_path, sounds, lambda i: {"split": "test" if i % 5 else "train"})
    assert run(adapter, parts) == 2
    assert "marks its rows as train, test, and none as calibration" in refusal(capsys)
    split = {"name": "mine", "about": "", "made_by": "", "unit": "speaker", "seed": 0}
    split["split"] = {"train": ["s0"], "validation": [], "calibration": ["s1", "s2"], "test": ["s3", "s4"]}
    (tmp_path / "split.json").write_text(json.dumps(split | {"schema": "emer.splits/1"}))
    assert run(adapter, parts, f"split={tmp_path / 'split.json'}") == 2
    assert "4 rows are too few to calibrate on; give at least 8 with an opinion" in refusal(capsys)


def test_adapters_settings_and_labels_that_do_not_fit_are_one_line(
    adapter: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = manifest(tmp_path, sounds)
    assert main(["calibrate", str(adapter), f"data={data}"]) == 2
    assert refusal(capsys) == f"the adapter needs its base ({tiny().name}); give model=FOLDER or model=HUB-ID"
    assert run(adapter, data, "shown=[smell]") == 2
    assert refusal(capsys) == "shown 'smell': smell is none of audio, visual, text"
    assert run(adapter, data, "engine.stages=7") == 2
    assert "stages 7 is neither 1 nor 2" in refusal(capsys)
    assert run(adapter, manifest(tmp_path, sounds, lambda i: {"label": "at sea"})) == 2
    assert "no label of these 10 rows reaches emer8 (at sea); give label_map.WORD=LABEL" in refusal(capsys)
    twice = manifest(tmp_path, sounds, lambda i: {"path": str(sounds / "c1.wav")} if i == 2 else {})
    assert run(adapter, twice) == 2
    assert refusal(capsys) == "clip1 and clip2 are the same recording; give each clip once"
    changed(adapter, verdict=None)
    assert run(adapter, data) == 2
    assert "has no verdict: there is nothing to calibrate" in refusal(capsys)


# ---------------------------------------------------------------- what is fitted, on drawn verdicts


def drawn(n: int, temperatures: Mapping[str, float], kind: str = "dirichlet") -> tuple[LabelledClips, list[Said]]:
    """Clips of ten speakers; each set of modalities has verdicts of its own that are too sure by its temperature."""
    draw = np.random.default_rng(0)
    odds = draw.normal(size=(n, 3)) * 1.5
    p = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    right = np.array([draw.choice(3, p=row) for row in p])
    rows = tuple(Row(f"r{i}", Clip(f"{i}.wav"), Annotation(), speaker=f"s{i % 10}") for i in range(n))
    said = [
        Said(i, sure(odds[i] * temperature), (view,), partial=place > 0)
        for i in range(n)
        for place, (view, temperature) in enumerate(temperatures.items())
    ]
    return LabelledClips(rows, np.eye(3)[right], (), {}), said


def sure(log_alpha: np.ndarray) -> Opinion:
    """An opinion with these log-odds: all of them may be moved by one number, so that evidence is never negative."""
    alpha = np.exp(log_alpha - log_alpha.min() + 0.01)
    return dirichlet("mood", ("a", "b", "c"), alpha - 1, trained=True)


def fitted(clips: LabelledClips, said: list[Said], **wanted: Any) -> tuple[Calibration, list[str]]:
    spoken = spoken_of(clips, {row.id: f"clip:{row.id}" for row in clips.rows}, said, "drawn")
    refuse_few(spoken, ("a", "b", "c"))
    return calibrated(spoken, (), Wanted(**wanted))


def temperature_of(calibration: Calibration, view: str) -> float:
    one = calibration.of((view,))
    assert isinstance(one, ViewSet)
    return one.temperature[0]


def test_each_set_of_modalities_gets_the_temperature_that_its_verdicts_were_drawn_with() -> None:
    clips, said = drawn(2000, {BOTH: 2.5, VOICE: 0.6, TEXT: 1.0})
    found, told = fitted(clips, said)
    for view, temperature in ((BOTH, 2.5), (VOICE, 0.6), (TEXT, 1.0)):
        assert temperature_of(found, view) == pytest.approx(temperature, rel=0.12)
        assert f"{view}: temperature {temperature_of(found, view):.2f} (n = 1000)" in told
    assert found.out_of_domain(("verdict(visual)",))


def test_the_threshold_counts_each_clip_once_and_halves_share_no_clip() -> None:
    clips, said = drawn(600, {BOTH: 2.5, VOICE: 0.6, TEXT: 1.0})
    nobody = replace(clips, rows=tuple(replace(row, speaker=None) for row in clips.rows))
    for these in (clips, nobody):
        found, _ = fitted(these, said, target_risk=0.4)
        threshold = found.threshold
        assert threshold is not None
        assert (found.n, threshold.n) == (300, 300)
        assert not set(found.rows) & set(threshold.rows)
        assert len(found.rows) + len(threshold.rows) == 2 * 600  # each by its id and by its content


def test_the_risk_of_trusted_clips_is_that_of_whole_clips_by_a_plain_count() -> None:
    clips, said = drawn(600, {BOTH: 2.5, VOICE: 0.6})
    found, _ = fitted(clips, said, target_risk=0.3, delta=None, crossed=True)
    threshold = found.threshold
    assert threshold is not None
    assert threshold.value is not None
    assert threshold.n == 600
    assert threshold.risk is not None
    whole = [each for each in said if not each.partial]
    numbers = np.array([confidence(each.opinion, found, each.views) or 0.0 for each in whole])
    wrong = np.array([np.argmax(e.opinion.evidence) != clips.target[e.row].argmax() for e in whole])
    kept = numbers > threshold.value
    assert kept.mean() == pytest.approx(threshold.coverage, abs=0.03)  # its own numbers came from the other half
    assert wrong[kept].mean() == pytest.approx(threshold.risk, abs=0.03)


def test_a_beta_verdict_is_right_by_the_label_of_which_it_is_surest_after_its_temperatures() -> None:
    """Label a: odds 9 to 1 that are even in truth; label b: odds 3 to 1 that hold. Before, a is the surest label of all
    clips and right in half of them; after, b is, and right in three of four."""
    n = 400
    opinion = beta("mood", ("a", "b"), [[8.0, 0.0], [5.0, 1.0]], trained=True)  # alpha (9, 1) and (6, 2), W = 2
    held = np.array([[i % 2 == 0, i % 4 != 3] for i in range(n)], dtype=float)
    rows = tuple(Row(f"r{i}", Clip(f"{i}.wav"), Annotation(), speaker=f"s{i % 8 // 4}") for i in range(n))
    clips = LabelledClips(rows, held, (), {})
    said = [Said(i, opinion, (BOTH,), partial=False) for i in range(n)]
    found, _ = fitted(clips, said, target_risk=0.26, delta=None)
    assert confidence(opinion, found, (BOTH,)) == pytest.approx(0.75, abs=0.01)
    assert found.threshold is not None
    assert found.threshold.risk == pytest.approx(0.25)
