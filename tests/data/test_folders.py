"""Where data sets are looked for, and in which order."""

from pathlib import Path

import pytest

from emer.data.folders import folder_of, listed_folders
from emer.errors import ConfigError


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No place is named by the machine that runs the tests."""
    for name in ("EMER_DATA", "EMER_DATASETS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EMER_TEST_DATA", str(tmp_path / "shared"))


def test_the_named_folder_comes_first_then_emer_data_then_the_list_then_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("named", "all/ravdess", "listed/R", "shared/clips/ravdess_speech"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "data.yaml").write_text("ravdess: listed/R\n")
    assert folder_of("ravdess") == tmp_path / "shared"
    monkeypatch.setenv("EMER_DATASETS", str(tmp_path / "data.yaml"))
    assert folder_of("ravdess") == tmp_path / "listed" / "R"
    monkeypatch.setenv("EMER_DATA", str(tmp_path / "all"))
    assert folder_of("ravdess") == tmp_path / "all" / "ravdess"
    assert folder_of("ravdess", tmp_path / "named") == tmp_path / "named"


def test_a_set_that_is_nowhere_is_an_error_that_lists_the_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"music_video is not here \(looked for nothing.*set EMER_DATA"):
        folder_of("music_video")
    monkeypatch.setenv("EMER_DATA", str(tmp_path / "all"))
    with pytest.raises(ConfigError) as caught:
        folder_of("emodb")
    for place in (tmp_path / "all" / "emodb", tmp_path / "shared" / "clips" / "emodb"):
        assert str(place) in str(caught.value)
    with pytest.raises(ConfigError, match=r"there is no folder .*absent; name the one that holds emodb"):
        folder_of("emodb", tmp_path / "absent")


def test_a_wrong_list_of_folders_tells_all_its_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "data.yaml"
    path.write_text("ravdes: /x\nemodb: 3\ncremad: /y\n")
    with pytest.raises(ConfigError, match="'ravdes' is no data set that emer knows; emodb has 3 for a folder"):
        listed_folders(path)
    for content, says in (("- a", "is no list of names"), ("a: [", "is not YAML")):
        path.write_text(content)
        with pytest.raises(ConfigError, match=says):
            listed_folders(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        listed_folders(tmp_path / "absent.yaml")
    path.write_text("emodb: ~/corpora\n")
    assert listed_folders(path)["emodb"] == Path.home() / "corpora"


def test_the_shared_material_holds_three_sets(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMER_TEST_DATA", str(real_data))
    assert {folder_of(name) for name in ("ravdess", "emodb", "cremad", "cremad_voice")} == {real_data}
