"""Label sets and their mappings: whole, explicit, and of one mind with the lexicon."""

import pytest

from emer.emotions import cluster_of, label_set, mapping
from emer.errors import ConfigError
from emer.tables import table

TABLE = table("emer.emotions", "label_sets.yaml")
SETS = TABLE["sets"]
PAIRS = [(source, target) for source, targets in TABLE["mappings"].items() for target in targets]


def test_emer8_is_the_canonical_set_in_its_order() -> None:
    """The order of the contract, which is that of RAVDESS's codes 01 to 08."""
    assert label_set("emer8") == ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")


@pytest.mark.parametrize("name", SETS)
def test_a_set_names_each_label_once(name: str) -> None:
    assert len(set(label_set(name))) == len(label_set(name)) >= 3


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_mapping_speaks_of_every_label_and_leads_into_its_target(source: str, target: str) -> None:
    written = TABLE["mappings"][source][target]
    assert set(written) == set(label_set(source))
    assert set(mapping(source, target).values()) <= set(label_set(target))


@pytest.mark.parametrize("name", [name for name in SETS if name != "sentiment3"])
def test_mappings_to_emer8_agree_with_the_lexicon(name: str) -> None:
    assert mapping(name, "emer8") == {label: cluster_of(label) for label in label_set(name)}


@pytest.mark.parametrize("name", [target for source, target in PAIRS if source == "emer8" and target != "sentiment3"])
def test_a_mapping_out_of_emer8_undoes_the_one_into_it(name: str) -> None:
    out, back = mapping("emer8", name), mapping(name, "emer8")
    for label, other in out.items():
        assert back[other] == label or label == "calm", f"{label} goes to {other} and comes back as {back[other]}"


def test_a_label_without_counterpart_is_absent() -> None:
    assert "fearful" not in mapping("emer8", "iemocap4")
    assert "surprised" not in mapping("emer8", "sentiment3")


def test_a_set_maps_to_itself_unchanged() -> None:
    assert mapping("mosei6", "mosei6") == {label: label for label in label_set("mosei6")}


def test_an_unknown_set_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no label set is called 'emer9'; choose one of .*emer8"):
        label_set("emer9")


def test_a_mapping_that_is_not_written_down_is_refused() -> None:
    with pytest.raises(ConfigError, match="no mapping from music6 to iemocap4 is written down; music6 maps to emer8"):
        mapping("music6", "iemocap4")
