"""Our prosody against Praat, on RAVDESS and EmoDB. The gates are the project's, in the issue that asked for prosody."""

import random
from pathlib import Path

import pytest
from praat_reference import Compared, agreement, compare, compare_all, files_of


def assert_gates(compared: list[Compared]) -> None:
    found = agreement(compared)
    assert found.gross_errors <= 0.03, found
    assert found.voicing_differs <= 0.12, found
    assert min(found.jitter, found.shimmer, found.hnr) >= 0.8, found
    assert found.intensity >= 0.98, found
    assert found.unmeasured <= 0.01 * found.files, found


def test_prosody_agrees_with_praat_on_sixty_files(real_data: Path) -> None:
    assert_gates([compare(file) for file in random.Random(20).sample(files_of(real_data), 60)])


@pytest.mark.long
def test_prosody_agrees_with_praat_on_all_files(real_data: Path) -> None:
    files = files_of(real_data)
    assert len(files) > 1400
    assert_gates(compare_all(files))
