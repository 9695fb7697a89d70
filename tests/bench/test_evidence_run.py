"""`emer bench evidence` as a whole, on MOSI with two quick methods: pieces, resumption, report."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emer.bench.configuration import read_bench
from emer.bench.evidence import folds_of_seed
from emer.bench.predictions import read
from emer.bench.training import Piece, done, pieces, trainings
from emer.cli import main
from emer.data import mosi
from emer.errors import ConfigError

METHOD = "task: heads\nmethod: {method}\noptions: {{hidden: []}}\ntraining: {{epochs: 3}}\n"


@pytest.fixture(scope="module")
def bench(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of two methods from two seeds; the folder holds the configuration and `out`."""
    folder = tmp_path_factory.mktemp("bench")
    for name, method in (("plain", "softmax"), ("ours", "evidential")):
        (folder / f"{name}.yaml").write_text(METHOD.format(method=method))
    (folder / "bench.yaml").write_text(
        f"methods: [{folder}/plain.yaml, {folder}/ours.yaml]\n"
        "baselines: [plain]\nsingle: [plain]\nours: ours\nseeds: [0, 1]\nreplicates: 50\nworkers: 1\n"
        "corruptions: {gaussian: [2.0], swapped: [1.0]}\n"
        "data: [{name: mosi, title: Reviews, corrupted: true, unseen: [main], note: A note.}]\n"
        f"data_folder: {real_data}\nout: {folder}/out\n"
    )
    assert main(["bench", "evidence", str(folder / "bench.yaml")]) == 0
    return folder


def test_every_piece_is_a_file_of_all_rows_that_were_not_trained_on(bench: Path, real_data: Path) -> None:
    config, _ = read_bench(bench / "bench.yaml")
    assert len(list(pieces(config))) == 2 * 2  # methods × seeds: the two halves of MOSI share one training
    held = read(Piece("mosi", "ours", "main", 1).file(bench / "out"))
    table = mosi.table(real_data)
    assert len(held.rows) == 217 + 752  # validation and test, counted in configs/splits/mosi.json
    assert not set(held.rows) & set(trainings("mosi")["main"][0].train)
    assert np.array_equal(held.target, table.target[[table.rows.index(row) for row in held.rows]])


def test_each_half_of_mosi_is_calibrated_on_the_other(bench: Path) -> None:
    config, _ = read_bench(bench / "bench.yaml")
    first, second = folds_of_seed(config, config.data[0], "plain", 0)
    assert set(first.calibration.rows) == set(second.test.rows)
    assert set(first.test.rows) == set(second.calibration.rows)
    assert len({*first.test.rows, *second.test.rows}) == 752


def test_the_report_holds_tables_claims_pictures_and_its_command(bench: Path) -> None:
    text = (bench / "out" / "report.md").read_text()
    assert f"emer bench evidence {bench}/bench.yaml" in text
    assert "n = 752 clips" in text
    assert "ours: best AURC, or not shown worse than the best (on main)" in text
    numbers = json.loads((bench / "out" / "results.json").read_text())
    assert len(numbers["data"]["mosi"]["all"]["methods"]["ours"]) == 2
    assert numbers["data"]["mosi"]["disturbed"]["missing"]["levels"] == ["all views", "audio", "text", "video"]
    for path in ("plots/mosi-gaussian.png", "plots/mosi-missing.png", "plots/mosi-reliability.png"):
        assert f"]({path})" in text
        assert (bench / "out" / path).stat().st_size < 150_000
    assert "data:image/png;base64," in (bench / "out" / "report.html").read_text()


def test_accuracy_in_the_report_is_that_of_the_predictions(bench: Path) -> None:
    """By hand: the share of the 752 test rows whose likeliest label is the gold one."""
    held = read(Piece("mosi", "plain", "main", 0).file(bench / "out"))
    test = [i for i, row in enumerate(held.rows) if row.startswith("test")]
    right = (held.fused.argmax(1) == held.target.argmax(1))[test]
    numbers = json.loads((bench / "out" / "results.json").read_text())
    assert numbers["data"]["mosi"]["all"]["methods"]["plain"][0]["accuracy"] == pytest.approx(right.mean())


def test_what_is_done_is_not_done_again(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = Piece("mosi", "ours", "main", 0).file(bench / "out")
    before = file.stat().st_mtime_ns
    other = Piece("mosi", "ours", "main", 1).file(bench / "out")
    same = read(other).fused
    other.unlink()
    assert main(["bench", "evidence", str(bench / "bench.yaml")]) == 0
    assert file.stat().st_mtime_ns == before
    assert np.array_equal(read(other).fused, same)  # the same seed says the same again


def test_a_piece_without_a_file_that_is_now_asked_for_is_done_again(bench: Path) -> None:
    config, _ = read_bench(bench / "bench.yaml")
    piece = Piece("mosi", "ours", "main", 0)
    assert done(piece, config)
    assert not done(piece, replace(config, corruptions=replace(config.corruptions, gaussian=(2.0, 3.0))))


def test_claims_on_folds_that_do_not_exist_are_refused(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (bench / "bench.yaml").read_text()
    (bench / "other.yaml").write_text(text.replace("unseen: [main]", "unseen: [fold9]"))
    assert main(["bench", "evidence", str(bench / "other.yaml")]) == 2
    assert "mosi has no fold fold9; it has main" in capsys.readouterr().err


def test_pieces_of_other_rows_are_not_taken_up(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = bench / "out" / "data" / "mosi" / "config.resolved.yaml"
    before = kept.read_text()
    kept.write_text(before.replace("sha256: ", "sha256: 0"))
    assert main(["bench", "evidence", str(bench / "bench.yaml")]) == 2
    assert "holds a run with another configuration (sha256 was" in capsys.readouterr().err
    kept.write_text(before)


def test_another_configuration_of_a_method_is_refused(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = bench / "plain.yaml"
    text = path.read_text()
    path.write_text(text.replace("epochs: 3", "epochs: 4"))
    assert main(["bench", "evidence", str(bench / "bench.yaml")]) == 2
    assert "holds a run with another configuration (training was" in capsys.readouterr().err
    path.write_text(text)


def test_a_piece_that_fails_stops_no_other(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = bench / "broken.yaml"
    broken.write_text("task: heads\nmethod: softmax\noptions: {hiden: [4]}\n")
    methods = f"methods=[{bench}/plain.yaml, {bench}/ours.yaml, {broken}]"
    assert main(["bench", "evidence", str(bench / "bench.yaml"), methods]) == 1
    assert "softmax has 1 mistake: hiden is not known (did you mean hidden?)" in capsys.readouterr().err
    failures = [json.loads(line) for line in (bench / "out" / "failures.jsonl").read_text().splitlines()]
    assert {(one["method"], one["seed"]) for one in failures} == {("broken", 0), ("broken", 1)}
    assert "Not finished, hence not shown: broken" in (bench / "out" / "report.md").read_text()


def test_a_configuration_tells_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "bench.yaml"
    path.write_text("methods: [tmc]\ndata: [{name: mosi, titel: x}]\nworkers: 0\n")
    with pytest.raises(
        ConfigError, match=r"data\[0\].titel is not known \(did you mean title\?\); data\[0\].title is missing"
    ):
        read_bench(path)
    path.write_text("methods: [tmc]\ndata: [{name: mosi, title: x}]\nworkers: 0\n")
    with pytest.raises(ConfigError, match=r"softmax_concat.* must stand among the methods too; workers is 0"):
        read_bench(path)


def test_methods_that_are_no_list_are_refused() -> None:
    for changes in (["methods=3"], ["methods=emer"]):
        with pytest.raises(ConfigError, match="and must be a list"):
            read_bench("evidence", changes)
