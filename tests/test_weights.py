"""The distribution emer-weights: what the doctor says of it, its card, and that pip installs it."""

import subprocess
import sys
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from test_explain_trained import LABELS, weights

from emer import doctor
from emer.clues.audio import AudioClues
from emer.evidence.model_card import model_card
from emer.evidence.selective import Threshold
from emer.evidence.trained import load_trained

FOLDER = Path(__file__).parents[1] / "weights"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of this name on the path, without heads yet."""
    monkeypatch.setattr("emer.evidence.weights.PACKAGE", "weights_for_test")
    place = tmp_path / "site" / "weights_for_test"
    place.mkdir(parents=True)
    (place / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path / "site")
    return place


def test_the_doctor_names_the_heads_and_their_licence(package: Path) -> None:
    weights(package / "audio")
    weights(package / "audio_baseline", variant="baseline", label=LABELS.index("sad"))
    found = doctor.trained_heads()
    assert found.state == "ok"
    assert (
        "licence CC BY-NC-SA 4.0: plain (trained on acted voices), baseline (trained on acted voices)" in found.detail
    )


def test_the_doctor_finds_heads_of_another_version_and_damaged_ones(package: Path) -> None:
    weights(package / "audio", version="0")
    found = doctor.trained_heads()
    assert found.state == "broken"
    assert f"features of version 0, and this emer measures {AudioClues.version}" in found.detail
    (package / "audio" / "heads.safetensors").write_bytes(b"")
    assert "is not the file that heads.json describes" in doctor.trained_heads().detail


def test_without_the_distribution_the_doctor_says_what_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emer.evidence.weights.PACKAGE", "weights_nowhere")
    monkeypatch.setattr(doctor, "installed", lambda name: None)
    found = doctor.trained_heads()
    assert (found.state, found.needed) == ("absent", False)
    assert "no calibrated confidence is given" in found.detail


def test_the_card_is_written_from_the_record(tmp_path: Path) -> None:
    weights(tmp_path / "audio")
    card = model_card("emer-weights", {"audio": load_trained(tmp_path / "audio")})
    for said in (
        "# emer-weights",
        "**CC BY-NC-SA 4.0**",
        "* labels: neutral, calm, happy, sad, angry, fearful, disgust, surprised",
        "* trained on: acted voices, 1 ids of training and validation rows on record",
        "* calibration: acted voices, temperature, audio (n = 100)",
        "* trust: confidence above 0.30 (at most 0.1 wrong of 60 clips; 50 % covered)",
        "## Limits",
    ):
        assert said in card


def test_the_card_tells_what_the_threshold_comes_to_on_speakers_that_were_not_heard() -> None:
    """By hand: of confidences .9, .8, .7, .2 those above .5 are trusted, and one of the three is wrong."""
    spec = spec_from_file_location("weights_make", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    make = module_from_spec(spec)
    spec.loader.exec_module(make)
    threshold = Threshold(value=0.5, target_risk=0.2, risk=0.1, coverage=0.5, n=60, guarantee=None, rows=())
    calibration = SimpleNamespace(threshold=threshold)
    said = make.trusted_and_wrong(calibration, np.array([0.9, 0.8, 0.7, 0.2]), np.array([True, False, True, True]))
    assert said == "0.333 (asked: at most 0.2; 75% trusted)"


def test_the_licence_file_names_the_licence_and_whose_recordings_it_is_for() -> None:
    text = (FOLDER / "LICENSE").read_text()
    assert "https://creativecommons.org/licenses/by-nc-sa/4.0/legalcode" in text
    assert "RAVDESS" in text


@pytest.mark.long
def test_pip_makes_a_wheel_that_holds_the_heads_and_the_licence(tmp_path: Path) -> None:
    if not (FOLDER / "emer_weights" / "audio" / "heads.json").is_file():
        pytest.skip("the weights were not made: python weights/make.py configs/heads/emer.yaml")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", str(FOLDER), "--no-deps", "--wheel-dir", str(tmp_path)], check=True)
    (wheel,) = tmp_path.glob("emer_weights-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    heads = {f"emer_weights/{folder}/heads.json" for folder in ("audio", "audio_baseline")}
    assert heads <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any(name.endswith((".pkl", ".pt", "make.py")) for name in names)
