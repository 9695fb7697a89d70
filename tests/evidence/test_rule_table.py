"""Rule tables: the three that ship are sound, and a wrong one is told everything at once."""

import re
from pathlib import Path

import pytest

from emer.emotions import label_set
from emer.errors import ConfigError
from emer.evidence.rule_table import read_table, rule_table
from emer.types import MODALITIES

ROOT = Path(__file__).parents[2]
SMALL = """
view: text
label_set: emer8
sources: {me2020: "Me 2020, A paper"}
norms:
  compound: {mean: 0, sd: 0.3, sd_own: 0.3, source: by definition}
rules:
  - {name: glad, title: glad words, when: {compound: high}, says: {happy: 1}, kinds: [sentiment], source: [me2020]}
"""


@pytest.mark.parametrize("view", MODALITIES)
def test_the_tables_that_ship_speak_of_emer8_and_of_their_own_view(view: str) -> None:
    table = rule_table(view)
    assert table.view == view
    assert table.labels == label_set("emer8")


@pytest.mark.parametrize("view", MODALITIES)
def test_every_rule_has_a_source_with_authors_and_a_year(view: str) -> None:
    table = rule_table(view)
    for rule in table.rules:
        for key in rule.source:
            assert re.match(r"[A-Z][\w'-]+.*\b(19|20)\d\d", table.sources[key]), (rule.name, key)


@pytest.mark.parametrize("view", MODALITIES)
def test_every_feature_that_rules_read_is_one_that_extractors_write(view: str) -> None:
    """ARCHITECTURE.md lists them; `X_share` stands there for each of the facial activations."""
    section = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("## Features")[1].split("##")[0]
    written = set(re.findall(r"\w+", section.split(f"* `{view}`:")[1].split("* `")[0]))
    for feature in [*rule_table(view).norms, rule_table(view).weigh_by or next(iter(rule_table(view).norms))]:
        assert feature in written or feature.removesuffix("_share") in written, feature


@pytest.mark.parametrize("view", MODALITIES)
def test_every_norm_is_used_by_a_rule(view: str) -> None:
    table = rule_table(view)
    assert set(table.norms) == {feature for rule in table.rules for feature in rule.when}


def test_between_them_the_tables_can_speak_for_every_label() -> None:
    for view in MODALITIES:
        spoken = {label for rule in rule_table(view).rules for label in rule.says}
        assert spoken == set(label_set("emer8"))


def test_a_small_table_is_read() -> None:
    table = read_table(SMALL, "small.yaml")
    assert table.rules[0].when == {"compound": "high"}
    assert table.norms["compound"].sd == 0.3


@pytest.mark.parametrize(
    ("wrong", "right", "letter"),
    [
        ("happy: 1", "joyous: 1", "rule glad: unknown label joyous"),
        ("happy: 1", "happy: -1", "rule glad: weight of happy must be above 0"),
        ("compound: high", "tone: high", "rule glad: no norm for tone"),
        ("compound: high", "compound: loud", "rule glad: invalid enum value 'loud' - at `$.when[...]`"),
        ("kinds: [sentiment]", "kinds: [pitch_rise]", "rule glad: pitch_rise is no kind of text clue"),
        ("source: [me2020]", "source: [you2021]", "rule glad: unknown source you2021"),
        ("says: {happy: 1}", "arousal: 2", "rule glad: arousal and valence must lie between -1 and 1"),
        ("says: {happy: 1}", "arousal: 0", "rule glad: says nothing"),
        ("title: glad words", "heading: glad words", "rule glad: no title; rule glad: unknown key heading"),
        ("sd: 0.3,", "sd: 0,", "norm compound: sd and sd_own must be above 0"),
        ("sd: 0.3,", "sd: 0.3, per: word_count, within: 0,", "norm compound: within must be above 0"),
        ("label_set: emer8", "label_set: emer9", "no label set is called 'emer9'"),
        ("view: text", "view: smell", "invalid enum value 'smell'"),
    ],
)
def test_a_wrong_table_is_refused_with_the_place_of_the_mistake(wrong: str, right: str, letter: str) -> None:
    assert SMALL.count(wrong) == 1
    with pytest.raises(ConfigError) as caught:
        read_table(SMALL.replace(wrong, right), "small.yaml")
    assert str(caught.value).startswith("small.yaml: ")
    assert letter in str(caught.value)


def test_all_mistakes_of_a_table_are_told_at_once() -> None:
    wrong = SMALL.replace("happy: 1", "joyous: 1").replace("sentiment", "smell").replace("sd: 0.3", "sd: -1")
    with pytest.raises(ConfigError) as caught:
        read_table(wrong + SMALL.splitlines()[-1], "small.yaml")
    for part in ("sd and sd_own", "joyous", "smell is no kind", "glad: stands there twice"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("a: [", "small.yaml: this is not YAML"),
        ("just words", "the table must be a mapping"),
        (SMALL.replace("rules:\n  -", "rules:\n  first:"), "norms must be a mapping and rules a list"),
        (SMALL + "  - glad\n", "rule 2: must be a mapping, not 'glad'"),
    ],
)
def test_what_is_no_table_is_refused(text: str, letter: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(letter)):
        read_table(text, "small.yaml")


def test_a_view_without_rules_is_refused() -> None:
    with pytest.raises(ConfigError, match="no rules for the view 'joint'; choose one of audio, visual, text"):
        rule_table("joint")
