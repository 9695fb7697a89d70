"""What data=… can name, its splits, and the sounds in which nobody speaks."""

from pathlib import Path

import numpy as np
import pytest

from emer.data import cremad
from emer.errors import ConfigError
from emer.training.sources import SOURCES, disagreeing, folds_of, open_data, table_named
from emer.training.strange import music, noise
from emer.types import SAMPLE_RATE


def test_a_public_data_set_comes_with_its_split(real_data: Path) -> None:
    data = open_data("mosi", folder=str(real_data))
    assert {part: len(table.rows) for part, table in data.parts.items()} == {
        "train": 1230, "validation": 217, "test": 752
    }  # fmt: skip


def test_every_public_name_but_the_strange_sounds_has_folds() -> None:
    for name, source in SOURCES.items():
        if source.split:
            assert len(folds_of(name)) == {"mosi": 2, "handwritten": 1, "voices": 1}.get(source.split, 5)
    with pytest.raises(ConfigError, match="data 'mine' has no folds"):
        folds_of("mine")


def test_rows_on_which_people_disagree_are_those_of_the_table(real_data: Path) -> None:
    """By hand from the votes: no label in common among those with most votes for voice and for face."""
    said = cremad.votes(real_data)
    for name in ("cremad", "cremad_multi"):
        table, apart = table_named(name, str(real_data)), disagreeing(name, real_data)
        assert apart is not None
        place = {row: i for i, row in enumerate(said.rows)}
        for row, differs in list(zip(table.rows, apart, strict=True))[::97]:
            voice, face = said.voice[place[row]], said.face[place[row]]
            top = [{k for k in range(6) if votes[k] == votes.max()} for votes in (voice, face)]
            assert differs == (not top[0] & top[1])
    assert disagreeing("mosi", real_data) is None


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="there is no data folder /nowhere; name it with data_folder="):
        table_named("mosi", "/nowhere")


@pytest.mark.parametrize("make", [noise, music])
def test_strange_sounds_are_four_seconds_and_differ_by_seed(make: object) -> None:
    assert callable(make)
    one, same, other = make(0), make(0), make(1)
    assert len(one) == 4 * SAMPLE_RATE
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    level = 20 * np.log10(np.sqrt(np.mean(one**2)))
    assert -36 < level < -11
    assert np.abs(one).max() <= 1


def test_music_has_tones_and_noise_has_none() -> None:
    """Spectral flatness (geometric over arithmetic mean of the power spectrum): near 0 for tones, high for noise."""
    flat = []
    for make in (music, noise):
        power = np.abs(np.fft.rfft(make(3) * np.hanning(4 * SAMPLE_RATE))) ** 2 + 1e-12
        band = power[400:8000]  # 100 Hz to 2 kHz
        flat.append(np.exp(np.log(band).mean()) / band.mean())
    assert flat[0] < 0.1 < 0.2 < flat[1]
