"""What holds for every data set of the registry, whoever reads it."""

from pathlib import Path

import pytest

from emer.data.dataset import about, open_dataset
from emer.emotions import label_set
from emer.errors import ConfigError
from emer.registry import DATASETS
from emer.score.scoring import METRICS


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_an_empty_folder_is_told_what_it_should_hold(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=str(tmp_path)) as caught:
        open_dataset(name, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_a_set_names_a_metric_and_labels_that_emer_has(name: str) -> None:
    said = about(name)
    assert said.metric in METRICS
    assert said.label_set is None or len(label_set(said.label_set)) > 1
    assert said.licence
    assert said.verified or said.note, "what was not held against the release says what is doubtful"


def test_a_folder_that_is_absent_and_a_set_that_is_unknown_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no folder .*absent; name the one that holds RAVDESS"):
        open_dataset("ravdess", tmp_path / "absent")
    with pytest.raises(ConfigError, match="'ravdes' is not known here; choose one of"):
        open_dataset("ravdes", tmp_path)
