"""The tables that ship: whole, without contradiction, in line with the lexicon, and of known content."""

import pytest

from emer.emotions.inflection import sources
from emer.emotions.label_sets import label_set, mapping
from emer.emotions.lexicon import TABLES, lexicon, normal
from emer.emotions.wheel_files import content_hash, load_wheels
from emer.emotions.wheel_own import OWN_WHEELS, inflected, own_tables, wheel_source
from emer.emotions.wheels import WheelTables
from emer.errors import ConfigError
from emer.tables import table

CONTENT = "86292d84280f5a1c7fe07cd834098b3f096299c5442206d54d393650f44a8517"


@pytest.fixture(scope="module")
def own() -> WheelTables:
    return own_tables()


def test_the_content_goes_with_the_name(own: WheelTables) -> None:
    """Scores under one name are from the same tables: whoever changes them gives `OWN_NAME` the next number."""
    assert (own.name, content_hash(own)) == ("emer 1", CONTENT)
    assert own.note is None


def test_they_are_what_is_loaded_without_a_path(own: WheelTables) -> None:
    assert load_wheels() == own
    assert load_wheels(None) == own


def test_every_family_stands_on_every_wheel(own: WheelTables) -> None:
    families = {family for (family,) in own.synonyms.values()}
    for wheel in own.wheels:
        assert set(wheel.rings[0]) == set(wheel.rings[1]) == families, wheel.name


def test_no_form_is_ambiguous(own: WheelTables) -> None:
    """So no score hangs on the alphabet, as it does where a form has several words."""
    assert all(len(words) == 1 for words in (*own.forms.values(), *own.synonyms.values()))
    assert all(word in own.synonyms for (word,) in own.forms.values())


@pytest.mark.parametrize("language", TABLES)
def test_every_word_of_the_lexicon_has_a_place(own: WheelTables, language: str) -> None:
    assert [word for word in lexicon(language).by_word if not own.knows(word)] == []


def test_the_lexicons_look_alikes_have_none_by_inflection(own: WheelTables) -> None:
    """`number` is no numb person."""
    words = lexicon()
    assert [word for word in words.never if word in own.forms and word not in words.by_word] == []


def test_pleasant_words_are_pleasant_on_russells_circle(own: WheelTables) -> None:
    """Against the lexicon's valence, judged without the circle: pity, sympathy and being taken aback differ."""
    differ = set()
    for entry in lexicon().entries:
        place = own.map("case3_wheel5_level1", normal(entry.lemma))
        if (entry.valence > 0 and place.startswith("unpleasant")) or (
            entry.valence < 0 and place.startswith("pleasant")
        ):
            differ.add(entry.lemma)
    assert differ == {"pity", "sympathy", "taken aback"}


@pytest.mark.parametrize("language", TABLES)
def test_basic_emotions_are_those_of_the_lexicons_families(own: WheelTables, language: str) -> None:
    """Ekman's families against the lexicon's clusters of emer8; what differs are stances (criticism, caution)."""
    alike = {
        "happy": {"enjoyment"},
        "calm": {"enjoyment"},
        "neutral": {"neutral"},
        "sad": {"sadness"},
        "angry": {"anger"},
        "fearful": {"fear"},
        "disgust": {"disgust", "contempt"},
        "surprised": {"surprise"},
    }
    entries = lexicon(language).entries
    right = [
        own.map("case3_wheel4_level1", normal(entry.lemma))
        in set().union(*(alike[c] for c in (entry.cluster, *entry.also)))
        for entry in entries
    ]
    assert sum(right) / len(right) > 0.95


@pytest.mark.parametrize(
    ("label", "clusters"),
    [
        ("afraid", ("fear", "fear", "unpleasant and not in control", "fear", "unpleasant and aroused")),
        ("gratefully", ("trust", "love", "pleasant and not in control", "enjoyment", "pleasant and quiet")),
        ("self-pity", ("sadness", "sadness", "unpleasant and not in control", "sadness", "unpleasant and quiet")),
        ("furious", ("anger", "anger", "unpleasant and in control", "anger", "unpleasant and aroused")),
        ("neutral", ("neutral", "neutral", "none", "neutral", "neither")),
        ("担心", ("fear", "fear", "unpleasant and not in control", "fear", "unpleasant and aroused")),
        ("開心", ("joy", "joy", "pleasant and in control", "enjoyment", "pleasant and aroused")),
        ("table", ("", "", "", "", "")),
    ],
)
def test_labels_stand_where_the_theories_put_them(own: WheelTables, label: str, clusters: tuple[str, ...]) -> None:
    """By hand, from the sources of the wheels."""
    assert tuple(own.map(name, label) for name in own.ring(1)) == clusters


def test_fear_is_fear_here(own: WheelTables) -> None:
    """In the tables of 2025 `fear` is happy, joyful or genius on four wheels: it counts as a form of `fearless`."""
    assert {
        own.map(name, "fear") for name in ("case3_wheel1_level1", "case3_wheel2_level1", "case3_wheel4_level1")
    } == {"fear"}


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("worry", {"worries", "worried", "worrying", "worriness"}),
        ("rage", {"rages", "raged", "raging"}),
        ("sad", {"sadder", "saddest", "sadly", "sadness"}),
        ("envy", {"envies", "envied", "envying"}),
        ("humble", {"humbly", "humbler", "humbling"}),
        ("joy", {"joys", "joyful"}),
    ],
)
def test_words_are_inflected_as_english_spells_them(word: str, forms: set[str]) -> None:
    assert forms - {"worriness"} <= set(inflected(word))


def test_inflection_forwards_and_backwards_agree(own: WheelTables) -> None:
    """`inflection.py` takes endings off by rules of its own; nearly every form that is made here leads back."""
    words = [word for word in own.synonyms if word.isascii() and word.isalpha()]
    made = [(word, form) for word in words for form in inflected(word)]
    back = sum(word in sources(form) for word, form in made)
    assert back / len(made) > 0.95


# ---------------------------------------------------------------- as label sets


@pytest.mark.parametrize(
    ("wheel", "count"), [("plutchik", 9), ("shaver", 7), ("geneva", 5), ("ekman", 8), ("russell", 5)]
)
def test_a_ring_is_a_label_set(own: WheelTables, wheel: str, count: int) -> None:
    """Eight primaries, six prototypes, four quadrants, seven basic emotions, four quadrants; and one for none each."""
    labels = label_set(f"ring1/{wheel}")
    assert len(labels) == count
    assert set(labels) == set(own.wheels[OWN_WHEELS.index(wheel)].rings[0].values())


def test_every_named_set_has_a_place_on_every_wheel_but_for_sentiments() -> None:
    for name in table("emer.emotions", "label_sets.yaml")["sets"]:
        for wheel in OWN_WHEELS:
            lost = set(label_set(name)) - set(mapping(name, f"ring1/{wheel}"))
            assert not lost, f"{name} on {wheel}"


def test_ekmans_seven_are_clusters_of_ekmans_wheel_by_any_name() -> None:
    """By hand; calm and happy are both enjoyment."""
    assert mapping("emer8", "ring1/ekman") == {
        "neutral": "neutral",
        "calm": "enjoyment",
        "happy": "enjoyment",
        "sad": "sadness",
        "angry": "anger",
        "fearful": "fear",
        "disgust": "disgust",
        "surprised": "surprise",
    }


def test_each_wheel_names_its_source() -> None:
    for wheel in OWN_WHEELS:
        assert any(year in wheel_source(wheel) for year in ("1980", "1987", "1992", "2005")), wheel


def test_an_unknown_wheel_is_refused() -> None:
    with pytest.raises(ConfigError, match="no wheel 'willcox'; choose one of plutchik, shaver, geneva, ekman, russell"):
        label_set("ring1/willcox")
