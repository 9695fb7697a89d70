"""A speaker's neutral voice from one recording or a folder; medians by numpy."""

from pathlib import Path
from shutil import copy

import numpy as np
import pytest

from emer.clues.baseline import measure
from emer.clues.voice_description import NAMES
from emer.errors import MediaError
from emer.types import Features

NEUTRAL = ("03-01-01-01-01-01-03.flac", "03-01-01-01-01-02-03.flac", "03-01-01-01-02-01-03.flac")


@pytest.fixture(scope="module")
def alone(real_data: Path) -> list[Features]:
    return [measure(real_data / "clips/ravdess_speech" / name) for name in NEUTRAL]


def test_one_recording_gives_its_features(alone: list[Features]) -> None:
    assert alone[0].names == NAMES
    assert alone[0].get("f0_median_st") is not None


def test_a_folder_gives_the_median_of_each_feature(alone: list[Features], real_data: Path, tmp_path: Path) -> None:
    for name in NEUTRAL:
        copy(real_data / "clips/ravdess_speech" / name, tmp_path)
    (tmp_path / "notes.txt").write_text("no recording")
    together = measure(tmp_path)
    for name in ("f0_median_st", "intensity_mean_db", "hnr_db", "syllable_rate"):
        assert together.get(name) == pytest.approx(np.median([f.get(name) for f in alone]))


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no recording in this folder"):
        measure(tmp_path)


def test_a_recording_without_speech_is_refused(real_data: Path) -> None:
    with pytest.raises(MediaError, match="no speech"):
        measure(real_data / "clips/faces/WolfgangLanger_Pexels.mp4")


def test_a_clip_without_sound_is_refused(real_data: Path) -> None:
    with pytest.raises(MediaError, match="no sound"):
        measure(real_data / "clips/faces/single_face.jpg")


def test_a_missing_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        measure(tmp_path / "gone.wav")
