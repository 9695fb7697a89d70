"""`emer calibrate` through the command line: what is fitted, on which half, and every refusal as one line."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch

from emer.cli import main
from emer.clues.audio import AudioClues
from emer.clues.voice_features import NAMES
from emer.commands.calibrate import folder_of_heads
from emer.commands.calibrating import right
from emer.data.table_files import write_npz
from emer.data.tables import FeatureTable, View
from emer.errors import ConfigError
from emer.evidence.calibration import Calibration, read_calibration
from emer.evidence.head_files import HeadRecord, save_heads
from emer.evidence.heads import HeadSpec, MultiViewHeads
from emer.evidence.opinion import beta, dirichlet
from emer.evidence.rows import clip_row, row_hashes

torch.set_num_threads(1)
LABELS = ("sad", "angry", "calm")
SPEC = HeadSpec(label_set="mood3", labels=LABELS, features={"audio": ("x", "y", "z"), "visual": ("p",)}, hidden=())
TRUE_TEMPERATURE = 3.0


def network(spec: HeadSpec = SPEC) -> MultiViewHeads:
    """A head whose evidence for label k is exp(3 times feature k), and a face that says nothing of use."""
    made = MultiViewHeads(replace(spec, activation="exp")).eval()
    with torch.no_grad():
        for view, width in (("audio", 3), ("visual", 1)):
            linear = made.heads[view].layers[0]
            linear.weight.copy_(3 * torch.eye(3)[:, :width] if view == "audio" else torch.zeros(3, width))
            linear.bias.zero_()
    return made


def write_heads(folder: Path, trained: tuple[str, ...] = ("t1",)) -> Path:
    made = network()
    save_heads(folder, made, HeadRecord(spec=made.spec, data="made up", trained_rows=row_hashes(trained)))
    return folder


def table(
    n: int, *, seed: int = 0, speakers: int = 8, labels: tuple[str, ...] = LABELS, kind: str = "single"
) -> FeatureTable:
    """Features drawn, labels drawn from softmax(features): the head's evidence is three times too sure."""
    draw = np.random.default_rng(seed)
    features = draw.normal(size=(n, 3)).astype(np.float32) * 1.5
    p = np.exp(features) / np.exp(features).sum(axis=1, keepdims=True)
    right = np.array([draw.choice(3, p=row) for row in p])
    mask = np.ones((n, 1), dtype=bool)
    mask[: n // 4] = False  # a quarter without a face
    return FeatureTable(
        name="mine",
        rows=tuple(f"{seed}-{i}" for i in range(n)),
        labels=labels,
        kind=kind,
        target=np.eye(3)[right],
        views={
            "audio": View(("x", "y", "z"), features, np.ones((n, 3), dtype=bool)),
            "visual": View(("p",), np.zeros((n, 1), dtype=np.float32), mask),
        },
        speakers=tuple(f"s{i % speakers}" for i in range(n)) if speakers else None,
    )


def calibrated(folder: Path, made: FeatureTable, *settings: str) -> int:
    write_npz(made, folder / "mine.npz")
    return main(["calibrate", str(folder / "heads"), f"data={folder / 'mine.npz'}", *settings])


def written(folder: Path) -> Calibration:
    return read_calibration((folder / "heads" / "calibration.json").read_bytes())


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("emer: ")
    return line.removeprefix("emer: ")


# ---------------------------------------------------------------- what is fitted


def test_temperature_and_threshold_are_fitted_on_halves_without_common_speakers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_heads(tmp_path / "heads")
    made = table(800)
    assert calibrated(tmp_path, made, "target_risk=0.3") == 0
    found = written(tmp_path)
    voice, both = found.of(["audio"]), found.of(["audio", "visual"])
    assert voice is not None
    assert both is not None
    assert voice.n + both.n == found.n == 400
    # log alpha is 3 x for large x and flatter below, so that the true temperature lies somewhat under 3
    assert 1.8 < voice.temperature[0] < TRUE_TEMPERATURE + 0.6

    threshold = found.threshold
    assert threshold is not None
    assert threshold.value is not None
    assert threshold.risk is not None
    assert threshold.risk <= 0.3
    assert 0.05 < threshold.coverage < 1
    assert not set(found.rows) & set(threshold.rows)
    speaker = {row_hashes([row])[0]: who for row, who in zip(made.rows, made.speakers or (), strict=True)}
    assert not {speaker[row] for row in found.rows} & {speaker[row] for row in threshold.rows}

    said = capsys.readouterr().out
    assert "800 of 800 rows gave an opinion" in said
    assert "400 rows for the temperature, 400 for the threshold (no one of 8 speakers is in both)" in said
    assert f"audio: temperature {voice.temperature[0]:.2f} (n = {voice.n})" in said
    assert "with probability 0.95 at most 0.3 of trusted clips are wrong" in said
    assert f"wrote {tmp_path / 'heads' / 'calibration.json'}" in said


def test_without_speakers_the_rows_are_cut_by_chance_and_out_takes_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_heads(tmp_path / "heads")
    assert calibrated(tmp_path, table(120, speakers=0), f"out={tmp_path / 'new'}", "name=My clips", "delta=null") == 0
    assert not (tmp_path / "heads" / "calibration.json").exists()
    found = read_calibration((tmp_path / "new" / "calibration.json").read_bytes())
    assert (found.data, found.n) == ("My clips", 60)
    said = capsys.readouterr().out
    assert "cut by chance, speakers unknown" in said
    assert "of at least 50; the temperature of all 60 stands in" in said  # 30 of the rows lack a face: few a set


def test_crossed_halves_fit_both_on_all_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_heads(tmp_path / "heads")
    assert calibrated(tmp_path, table(400), "crossed=true", "target_risk=0.3", "delta=null") == 0
    found = written(tmp_path)
    threshold = found.threshold
    assert threshold is not None
    assert (found.n, threshold.n) == (400, 400)
    assert found.rows == threshold.rows
    assert threshold.risk is not None
    assert threshold.risk <= 0.3
    assert "all 400 rows for both, crossed" in capsys.readouterr().out


def test_a_threshold_that_nothing_reaches_trusts_nobody_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_heads(tmp_path / "heads")
    assert calibrated(tmp_path, table(120), "target_risk=0.01") == 0
    threshold = written(tmp_path).threshold
    assert threshold is not None
    assert threshold.trusts(1.0) is False
    assert "no clip will be trusted" in capsys.readouterr().out


def test_labels_of_a_known_set_are_mapped(tmp_path: Path) -> None:
    spec = replace(SPEC, label_set="emer8", labels=("sad", "angry", "happy"))
    made = network(spec)
    save_heads(tmp_path / "heads", made, HeadRecord(spec=made.spec, data="made up", trained_rows=()))
    four = ("neutral", "happiness", "sadness", "anger")  # emodb4, of which no row here is neutral
    three = table(120)
    target = np.zeros((120, 4))
    target[:, [2, 3, 1]] = three.target
    assert calibrated(tmp_path, replace(three, labels=four, target=target)) == 0
    straight = written(tmp_path).sets
    assert calibrated(tmp_path, replace(three, labels=("sad", "angry", "happy"))) == 0
    assert written(tmp_path).sets == straight


def test_right_is_the_most_frequent_label_or_one_that_holds() -> None:
    sure = dirichlet("mood3", LABELS, [5, 1, 0], trained=True)
    assert right([sure, sure], np.array([[0.6, 0.4, 0.0], [0.2, 0.5, 0.3]])).tolist() == [True, False]
    held = beta("mood3", LABELS, [[1, 4], [6, 1], [2, 2]], trained=True)
    assert right([held, held], np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])).tolist() == [True, False]


# ---------------------------------------------------------------- what is refused


def test_rows_seen_in_training_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_heads(tmp_path / "heads", trained=("0-7", "0-9"))
    assert calibrated(tmp_path, table(120)) == 2
    assert refusal(capsys).startswith("2 rows of calibration were seen in training (0-7, 0-9); take them out")


def test_too_few_rows_and_a_single_label_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_heads(tmp_path / "heads")
    assert calibrated(tmp_path, table(39)) == 2
    assert refusal(capsys) == "39 rows are too few to calibrate on; give at least 40 with an opinion"
    assert calibrated(tmp_path, replace(table(120), target=np.eye(3)[np.ones(120, dtype=int)])) == 2
    assert refusal(capsys) == "all 120 calibration rows are angry; give at least two labels"
    one_speaks_most = replace(table(120), speakers=("a",) * 110 + ("b",) * 10)
    assert calibrated(tmp_path, one_speaks_most) == 2
    assert refusal(capsys) == "a half of these rows holds only 10 of at least 20; give more rows or speakers"


def test_rows_of_which_nothing_was_measured_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_heads(tmp_path / "heads")
    empty = {
        name: View(view.names, np.zeros_like(view.values), np.zeros_like(view.mask))
        for name, view in table(120).views.items()
    }
    assert calibrated(tmp_path, replace(table(120), views=empty)) == 2
    assert refusal(capsys) == "the heads say nothing of all 120 rows: too little of each was measured"


def test_other_labels_kinds_and_views_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_heads(tmp_path / "heads")
    assert calibrated(tmp_path, table(120, labels=("sad", "angry", "bored"))) == 2
    assert refusal(capsys) == "mine has labels that the heads do not know: bored; they know sad, angry, calm"
    assert calibrated(tmp_path, table(120, kind="multi")) == 2
    assert "targets of the kind multi, and these heads want one label or shares of votes" in refusal(capsys)
    smell = {"smell": table(120).views["audio"]}
    assert calibrated(tmp_path, replace(table(120), views=smell)) == 2
    assert refusal(capsys) == "mine has the views smell, the heads audio, visual"
    fewer = {"audio": View(("x", "y"), table(120).views["audio"].values[:, :2], np.ones((120, 2), dtype=bool))}
    assert calibrated(tmp_path, replace(table(120), views=fewer)) == 2
    assert "audio features lack z, which the heads read" in refusal(capsys)


def test_wrong_settings_folders_and_files_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heads = str(write_heads(tmp_path / "heads"))
    assert main(["calibrate", heads]) == 2
    assert refusal(capsys) == "emer calibrate has 1 mistake: data is missing"
    assert main(["calibrate", heads, "data=a.npz", "target=0.1"]) == 2
    assert "target is not known (did you mean target_risk?)" in refusal(capsys)
    assert calibrated(tmp_path, table(120), "target_risk=1.5") == 2
    assert "target risk 1.5" in refusal(capsys)
    assert main(["calibrate", heads, "data=absent.npz"]) == 2
    assert "there is no file absent.npz" in refusal(capsys)
    assert main(["calibrate", str(tmp_path / "none"), "data=a.npz"]) == 2
    assert "none holds neither heads (heads.json) nor an adapter or merged model (emer.json)" in refusal(capsys)
    write_heads(tmp_path / "several" / "audio")
    with pytest.raises(ConfigError, match=r"several holds several heads; name one of .*several/audio"):
        folder_of_heads(tmp_path / "several")


# ---------------------------------------------------------------- clips


def voice_heads(folder: Path, trained: tuple[str, ...], variant: str = "plain") -> Path:
    spec = HeadSpec(label_set="mood3", labels=LABELS, features={"audio": NAMES}, versions={"audio": AudioClues.version})
    record = HeadRecord(spec=spec, data="made up", trained_rows=row_hashes(trained), variant=variant)
    save_heads(folder, MultiViewHeads(spec).eval(), record)
    return folder


def manifest(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "clips.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_a_clip_seen_in_training_is_known_by_its_content(
    tmp_path: Path, example_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = sha256(example_clip.read_bytes()).hexdigest()
    heads = voice_heads(tmp_path / "heads", trained=(clip_row(content),))
    renamed = tmp_path / "renamed.mp4"
    renamed.write_bytes(example_clip.read_bytes())
    mine = manifest(tmp_path, {"path": "renamed.mp4", "label": "sad"})
    assert main(["calibrate", str(heads), f"data={mine}"]) == 2
    assert refusal(capsys).startswith(f"1 row of calibration was seen in training (clip:{content})")


def test_a_clip_that_cannot_be_read_is_told_of_and_stops_no_other(
    tmp_path: Path, example_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = str(voice_heads(tmp_path / "heads", trained=()))
    (tmp_path / "broken.mp4").write_bytes(b"not a clip")
    broken = {"path": "broken.mp4", "label": "sad", "id": "bad one"}
    mine = manifest(tmp_path, broken, {"path": str(example_clip), "label": "sad", "id": "good one"})
    assert main(["calibrate", heads, f"data={mine}"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("row bad one is left out: ")
    assert "broken.mp4" in first
    assert second.startswith("emer: 1 rows are too few to calibrate on")  # the good one was measured
    mine = manifest(tmp_path, broken)
    assert main(["calibrate", heads, f"data={mine}"]) == 2
    assert "none of the 1 clips of" in capsys.readouterr().err.splitlines()[-1]


def test_clips_that_cannot_serve_are_refused_by_name(
    tmp_path: Path, example_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = str(voice_heads(tmp_path / "heads", trained=()))
    mine = manifest(tmp_path, *({"path": str(example_clip), "label": "sad", "id": name} for name in ("one", "two")))
    assert main(["calibrate", heads, f"data={mine}"]) == 2
    assert refusal(capsys) == "one and two are the same recording; give each clip once"
    mine = manifest(tmp_path, {"path": str(example_clip), "label": "bored"})
    assert main(["calibrate", heads, f"data={mine}"]) == 2
    assert "line 1: the label 'bored' is not one of sad, angry, calm" in refusal(capsys)
    mine = manifest(tmp_path, {"path": str(example_clip)})
    assert main(["calibrate", heads, f"data={mine}"]) == 2
    assert "have not just one label" in refusal(capsys)
    own = str(voice_heads(tmp_path / "own", trained=(), variant="baseline"))
    mine = manifest(tmp_path, {"path": str(example_clip), "label": "sad", "id": "one"})
    assert main(["calibrate", own, f"data={mine}"]) == 2
    assert refusal(capsys).startswith("row one: these heads read differences from the speaker's neutral voice")
