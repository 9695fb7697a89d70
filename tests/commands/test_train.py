"""`emer train` through the command line: folders, scores, seeds, mistakes; then heads that explain a clip."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from emer.cli import main
from emer.data.manifest import read_manifest
from emer.data.table_files import read_table, write_npz
from emer.data.tables import FeatureTable, full_view
from emer.evidence.method_files import load_method
from emer.training.sources import contents

LABELS = ("low", "high")


def table(path: Path, speakers: int = 12, each: int = 20) -> Path:
    """Two views that tell two labels apart, with people who differ."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, speakers * each)
    who = np.repeat(np.arange(speakers), each)
    voice, face = (rng.standard_normal((len(y), 3)) + y[:, None] * shift for shift in (1.0, 0.5))
    write_npz(
        FeatureTable(
            name="toy",
            rows=tuple(f"r{i}" for i in range(len(y))),
            labels=LABELS,
            kind="single",
            target=np.eye(2)[y],
            views={"voice": full_view(("a", "b", "c"), voice), "face": full_view(("d", "e", "f"), face)},
            speakers=tuple(f"p{w:02d}" for w in who),
            licence="CC0",
        ),
        path,
    )
    return path


def trained(tmp_path: Path, *changes: str) -> int:
    data = table(tmp_path / "toy.npz")
    return main(["train", "tmc", f"data={data}", f"out={tmp_path / 'run'}", "training.epochs=4", *changes])


def trained_on(data: Path, out: Path, *changes: str) -> int:
    return main(["train", "tmc", f"data={data}", f"out={out}", "training.epochs=2", "seeds=[0]", *changes])


def test_a_run_keeps_configuration_split_methods_history_and_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained(tmp_path, "seeds=[0,1]") == 0
    run = tmp_path / "run"
    assert (run / "config.resolved.yaml").read_text().startswith("# emer train tmc data=")
    parts = json.loads((run / "split.json").read_text())["split"]
    assert sorted(who for names in parts.values() for who in names) == [f"p{i:02d}" for i in range(12)]
    for seed in (0, 1):
        history = [json.loads(line) for line in (run / f"seed{seed}" / "history.jsonl").read_text().splitlines()]
        assert [line["epoch"] for line in history] == [0, 1, 2, 3]
        assert sum(line["kept"] for line in history) == 1
        method, record = load_method(run / f"seed{seed}")
        assert (record.method, record.seed, record.licence, method.shape.labels) == ("evidential", seed, "CC0", LABELS)
    results = json.loads((run / "results.json").read_text())
    assert len(results["per_seed"]) == 2
    mean = np.mean([one["accuracy"] for one in results["per_seed"]])
    assert results["test"]["accuracy"]["mean"] == pytest.approx(mean)
    printed = capsys.readouterr().out
    assert f"accuracy              {mean:.3f} ±" in printed
    assert "temperature and threshold from calibration rows" in printed


def test_more_seeds_are_added_and_what_is_there_is_kept(tmp_path: Path) -> None:
    assert trained(tmp_path, "seeds=[0]") == 0
    before = (tmp_path / "run" / "seed0" / "method.safetensors").stat().st_mtime_ns
    assert trained(tmp_path, "seeds=[0,1]") == 0
    assert (tmp_path / "run" / "seed0" / "method.safetensors").stat().st_mtime_ns == before
    assert (tmp_path / "run" / "seed1" / "heads.json").is_file()


def test_an_ensemble_is_saved_whole(tmp_path: Path) -> None:
    data = table(tmp_path / "toy.npz")
    out = tmp_path / "run"
    assert main(["train", "softmax_ensemble", f"data={data}", f"out={out}", "training.epochs=2", "seeds=[3]"]) == 0
    method, record = load_method(out / "seed3")
    assert (record.members, len(list(method.members))) == (5, 5)  # type: ignore[union-attr,arg-type]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (["data=nothing.npz"], "there is no file nothing.npz"),
        (["data=mosy"], "data 'mosy' is not known; choose one of handwritten, mosi"),
        (["training.epochs=0", "training.patience=0"], "epochs is 0 and must be at least 1; patience is 0 and must"),
        (["views=[voice,hands]"], "toy has no view hands; it has voice, face"),
        (["split=ravdess"], "the split ravdess does not fit these rows"),
        (["options.hiden=[3]"], "options of evidential has 1 mistake: hiden is not known (did you mean hidden?)"),
        (["method=magic"], "'magic' is not known here; choose one of cmc, evidential"),
        (["task=llm"], "tmc has 1 mistake: task is 'llm'"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: list[str], told: str
) -> None:
    assert trained(tmp_path, *changes) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("run/seed*"))


def test_without_data_or_with_a_bad_table_the_error_says_what_to_give(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "tmc"]) == 2
    assert "data is missing; add data=mosi" in capsys.readouterr().err
    assert main(["train", "tcm", "data=mosi"]) == 2
    assert "there is no configuration tcm" in capsys.readouterr().err
    table(tmp_path / "few.npz", speakers=3)
    assert main(["train", "tmc", f"data={tmp_path / 'few.npz'}", f"out={tmp_path / 'few'}"]) == 2
    assert "3 speakers cannot fill" in capsys.readouterr().err


def test_heads_are_calibrated_on_the_calibration_part_of_the_file_they_were_trained_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Expected count by hand: the rows of the speakers that split.json keeps for calibration."""
    data = table(tmp_path / "toy.npz", each=60)
    assert trained_on(data, tmp_path / "run") == 0
    keep = json.loads((tmp_path / "run" / "split.json").read_text())["split"]["calibration"]
    capsys.readouterr()
    assert main(["calibrate", str(tmp_path / "run" / "seed0"), f"data={data}", "target_risk=0.4"]) == 0
    count = 60 * len(keep)
    assert f"{count} of {count} rows gave an opinion" in capsys.readouterr().out


def test_a_file_that_changed_since_is_not_mixed_into_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trained_on(table(tmp_path / "toy.npz"), tmp_path / "run") == 0
    table(tmp_path / "toy.npz", each=25)
    assert trained_on(tmp_path / "toy.npz", tmp_path / "run", "seeds=[0,1]") == 2
    assert "holds seeds trained on other rows or features (0)" in capsys.readouterr().err
    assert not (tmp_path / "run" / "seed1").exists()


def test_a_mistake_before_the_first_result_does_not_lock_the_folder(tmp_path: Path) -> None:
    data = table(tmp_path / "toy.npz")
    assert trained_on(data, tmp_path / "run", "views=[hands]") == 2
    assert trained_on(data, tmp_path / "run", "views=[voice]") == 0
    assert trained_on(data, tmp_path / "run", "views=[face]") == 2


def test_a_view_that_is_left_out_takes_its_version_along(tmp_path: Path) -> None:
    made = read_table(table(tmp_path / "toy.npz"))
    write_npz(replace(made, versions={"voice": "1", "face": "2"}), tmp_path / "toy.npz")
    assert trained_on(tmp_path / "toy.npz", tmp_path / "run", "views=[voice]") == 0
    assert load_method(tmp_path / "run" / "seed0")[1].shape.versions == {"voice": "1"}


def test_clips_that_trained_are_recorded_by_their_content_too(tmp_path: Path) -> None:
    """Oracle: hashlib on the bytes of the clip."""
    (tmp_path / "a.wav").write_bytes(b"one")
    (tmp_path / "b.wav").write_bytes(b"two")
    manifest = tmp_path / "clips.jsonl"
    manifest.write_text('{"path": "a.wav", "label": "low"}\n{"path": "b.wav", "label": "high", "start": 1.5}\n')
    assert contents(str(manifest), {"a.wav"}) == (f"clip:{sha256(b'one').hexdigest()}",)
    (_, second) = contents(str(manifest), {row.id for row in read_manifest(manifest)})
    assert second == f"clip:{sha256(b'two').hexdigest()}#1.5-"
    assert contents("mosi", {"a.wav"}) == ()


@pytest.mark.long
def test_heads_trained_on_clips_explain_a_clip_with_confidence_once_calibrated(
    real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The story of the README on 180 real clips: train, calibrate, explain; and a clip unlike them is not read."""
    names = {"03": "cheerful", "04": "low", "05": "cross"}
    lines = [
        {"path": str(clip), "label": names[codes[2]], "speaker": codes[6]}
        for clip in sorted((real_data / "clips/ravdess_speech").iterdir())
        if (codes := clip.stem.split("-"))[2] in names and (codes[4], codes[5]) != ("02", "02")
    ]
    manifest = tmp_path / "clips.jsonl"
    manifest.write_text("\n".join(json.dumps(line) for line in lines))
    run = tmp_path / "run"
    assert main(["train", "emer", f"data={manifest}", "seeds=[0]", f"out={run}"]) == 0
    assert "accuracy" in capsys.readouterr().out
    split = json.loads((run / "split.json").read_text())["split"]
    held = [line for line in lines if line["speaker"] in {*split["calibration"], *split["test"]}]
    manifest.write_text("\n".join(json.dumps(line) for line in held))
    assert main(["calibrate", str(run / "seed0"), f"data={manifest}", "target_risk=0.3"]) == 0
    capsys.readouterr()
    new = real_data / "clips/ravdess_speech/03-01-05-02-02-02-18.flac"
    assert main(["explain", str(new), "--json", "--weights", str(run / "seed0")]) == 0
    explained = json.loads(capsys.readouterr().out)
    assert explained["opinions"]["audio"]["labels"] == ["cheerful", "cross", "low"]
    assert explained["calibrated"]
    assert 1 / 3 <= explained["confidence"] <= 1
    foreign = real_data / "clips/speech/jfk.flac"
    assert main(["explain", str(foreign), "--json", "--weights", str(run / "seed0")]) == 0
    explained = json.loads(capsys.readouterr().out)
    assert (explained["out_of_domain"], explained["confidence"]) == (True, None)
