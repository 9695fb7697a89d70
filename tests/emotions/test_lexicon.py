"""The lexicon against the lists that it was written from, and against words that only look emotional."""

import math
from itertools import combinations

import pytest

from emer.emotions import Entry, cluster_of, label_set, lexicon
from emer.errors import ConfigError

BOTH = [pytest.param(language, id=language) for language in ("en", "zh")]

# Shaver, Schwartz, Kirson and O'Connor 1987, figure 1: the 135 words under their six clusters.
SHAVER = {
    "love": "adoration affection love fondness liking attraction caring tenderness compassion sentimentality arousal "
    "desire lust passion infatuation longing",
    "joy": "amusement bliss cheerfulness gaiety glee jolliness joviality joy delight enjoyment gladness happiness "
    "jubilation elation satisfaction ecstasy euphoria enthusiasm zeal zest excitement thrill exhilaration contentment "
    "pleasure pride triumph eagerness hope optimism enthrallment rapture relief",
    "surprise": "amazement surprise astonishment",
    "anger": "aggravation irritation agitation annoyance grouchiness grumpiness exasperation frustration anger rage "
    "outrage fury wrath hostility ferocity bitterness hate loathing scorn spite vengefulness dislike resentment "
    "disgust revulsion contempt envy jealousy torment",
    "sadness": "agony suffering hurt anguish depression despair hopelessness gloom glumness sadness unhappiness grief "
    "sorrow woe misery melancholy dismay disappointment displeasure guilt shame regret remorse alienation isolation "
    "neglect loneliness rejection homesickness defeat dejection insecurity embarrassment humiliation insult "
    "pity sympathy",
    "fear": "alarm shock fear fright horror terror panic hysteria mortification anxiety nervousness tenseness "
    "uneasiness apprehension worry distress dread",
}
FAMILIES = {
    "love": {"happy", "calm"},
    "joy": {"happy", "calm"},
    "surprise": {"surprised"},
    "anger": {"angry", "disgust"},
    "sadness": {"sad"},
    "fear": {"fearful"},
}

# Russell 1980, figure 2: angle of each of the 28 words on the circle, 0 pleasant, 90 aroused.
RUSSELL = {
    "happy": 7.8,
    "delighted": 24.9,
    "excited": 48.6,
    "astonished": 69.8,
    "aroused": 73.8,
    "tense": 92.8,
    "alarmed": 96.5,
    "angry": 99.0,
    "afraid": 116.0,
    "annoyed": 123.0,
    "distressed": 138.0,
    "frustrated": 141.0,
    "miserable": 188.7,
    "sad": 207.5,
    "gloomy": 209.0,
    "depressed": 210.0,
    "bored": 242.0,
    "droopy": 256.6,
    "tired": 267.7,
    "sleepy": 271.9,
    "calm": 316.2,
    "relaxed": 318.0,
    "satisfied": 319.0,
    "at ease": 321.0,
    "content": 323.0,
    "serene": 328.6,
    "glad": 349.0,
    "pleased": 353.2,
}

# Plutchik 1980: eight families from intense to mild.
PLUTCHIK = [
    ("ecstasy", "joy", "serenity"),
    ("admiration", "trust", "acceptance"),
    ("terror", "fear", "apprehension"),
    ("amazement", "surprise", "distraction"),
    ("grief", "sadness", "pensiveness"),
    ("loathing", "disgust", "boredom"),
    ("rage", "anger", "annoyance"),
    ("vigilance", "anticipation", "interest"),
]

# Scherer 2005: the families of the Geneva Emotion Wheel.
GENEVA = (
    "interest amusement pride joy pleasure contentment love admiration relief compassion sadness guilt regret shame "
    "disappointment fear disgust contempt hate anger"
)


def entry(word: str) -> Entry:
    found = lexicon().entry(word)
    assert found is not None, f"{word} is missing"
    return found


@pytest.mark.parametrize(("family", "word"), [(f, word) for f, words in SHAVER.items() for word in words.split()])
def test_shavers_words_are_there_under_his_families(family: str, word: str) -> None:
    found = entry(word)
    assert {found.cluster, *found.also} & FAMILIES[family]


@pytest.mark.parametrize("word", RUSSELL)
def test_russells_words_lie_in_his_quadrants(word: str) -> None:
    """Where a word lies near an axis (within 24 degrees) Russell's data leave that sign open."""
    angle = math.radians(RUSSELL[word])
    for own, his in ((entry(word).valence, math.cos(angle)), (entry(word).arousal, math.sin(angle))):
        assert abs(his) < 0.4 or own * his > 0


@pytest.mark.parametrize("family", PLUTCHIK)
def test_plutchiks_families_grow_milder(family: tuple[str, str, str]) -> None:
    strong, middle, mild = (entry(word).intensity for word in family)
    assert strong > middle > mild


@pytest.mark.parametrize("word", GENEVA.split())
def test_the_families_of_the_geneva_wheel_are_there(word: str) -> None:
    positive = GENEVA.split().index(word) < 10
    assert (entry(word).valence > 0) == positive


def test_pleasant_words_are_calm_below_and_happy_from_zero_arousal() -> None:
    """The rule that the table states."""
    for each in lexicon().entries:
        if each.cluster == "calm":
            assert each.arousal < 0, each
        if each.cluster == "happy":
            assert each.arousal >= 0, each
            assert each.valence > 0, each


@pytest.mark.parametrize("language", BOTH)
def test_every_row_is_on_its_scales(language: str) -> None:
    steps = {-1.0, -0.5, 0.0, 0.5, 1.0}
    for each in lexicon(language).entries:
        assert {each.valence, each.arousal} <= steps, each
        assert 0 < each.intensity <= 1, each
        assert {each.cluster, *each.also} <= set(label_set("emer8")), each
        assert each.cluster not in each.also, each


@pytest.mark.parametrize("language", BOTH)
def test_unpleasant_clusters_hold_no_pleasant_words(language: str) -> None:
    for each in lexicon(language).entries:
        if each.cluster in ("sad", "angry", "fearful", "disgust"):
            assert each.valence <= 0, each


@pytest.mark.parametrize("language", BOTH)
def test_no_word_stands_under_two_clusters_undeclared(language: str) -> None:
    for one, other in combinations(lexicon(language).entries, 2):
        for word in set(one.words) & set(other.words):
            assert one.cluster == other.cluster or other.cluster in one.also, (word, one.cluster, other.cluster)


@pytest.mark.parametrize("language", BOTH)
def test_every_form_leads_to_its_cluster(language: str) -> None:
    words = lexicon(language)
    for each in words.entries:
        for form in each.words:
            found = words.entry(form)
            assert found is not None
            assert found.cluster == each.cluster, form


@pytest.mark.parametrize("language", BOTH)
def test_no_word_is_listed_and_excluded(language: str) -> None:
    assert not set(lexicon(language).by_word) & lexicon(language).never


def test_the_tables_have_the_size_that_is_claimed() -> None:
    assert len(lexicon().entries) >= 350
    assert len(lexicon().by_word) >= 1000
    assert len(lexicon("zh").by_word) >= 180


@pytest.mark.parametrize(
    ("form", "label"),
    [
        *[("worries", "worried"), ("worriedly", "worried"), ("worrying", "worried"), ("happier", "happy")],
        *[("happiest", "happy"), ("happily", "happy"), ("angrily", "angry"), ("cheerfulness", "cheerful")],
        *[("terrified", "terrified"), ("maddest", "mad"), ("hated", "hateful"), ("hating", "hateful")],
        *[("regretted", "regretful"), ("sobbing", "tearful"), ("wept", "tearful"), ("cries", "tearful")],
        *[("miserably", "miserable"), ("joyfully", "joyful"), ("saddened", "sad"), ("prouder", "proud")],
        *[("panicking", "panicked"), ("Surprises", "surprised"), ("grief-stricken", "grieving"), ("LOVED", "loving")],
        *[("can’t wait", "excited"), ("happyyy", "happy"), ("saaad", "sad"), ("relieved", "relieved")],
        *[("prides", "proud"), ("nostalgic", "nostalgic"), ("boredom", "bored"), ("fed-up", "fed up")],
    ],
)
def test_inflected_words_are_known(form: str, label: str) -> None:
    """Hand-made pairs."""
    assert entry(form).label == label


@pytest.mark.parametrize(
    "text",
    [
        "I like it. Well, that is kind of blue, as it were.",
        "Fine, cool, hot, cold, down, low: a fair mean of the lot.",
        "He kept still; the content of the box moved and touched the wall.",
        "The interest on the trust fund will hopefully be lower; cheers!",
        "A number of patients were crossing. Please be patient, Miss Jones.",
        "What a lovely, stunning thriller; he was sober, sorry and lost.",
        "It is a terribly good joist, awfully nice, dreadfully simple.",
        "The terrorist hit a glade in Madrid; the crisis weakened no agonist.",
        "He is a wonderful, amazing, tender, gross, bitter, cross and sick man.",
        "Dear old friend, take care; I am Frank only in name.",
        "Kids are talking by the door. Dogs are sitting by the door.",
        "Ask not what your country can do for you, ask what you can do for your country.",
    ],
)
def test_words_of_other_senses_are_no_clues(text: str) -> None:
    assert [text[m.start : m.end] for m in lexicon().find(text)] == []


def test_finding_gives_places_and_the_longest_phrase() -> None:
    text = "Oh my God, I’m over the moon; she was scared to death, then happy."
    found = [(text[m.start : m.end], m.entry.label) for m in lexicon().find(text)]
    assert found == [
        ("Oh my God", "amazed"),
        ("over the moon", "overjoyed"),
        ("scared to death", "petrified"),
        ("happy", "happy"),
    ]


def test_a_phrase_does_not_reach_over_punctuation() -> None:
    assert [m.entry.label for m in lexicon().find("He was over. The moon rose. Fed. Up.")] == []


def test_near_gives_labels_of_the_cluster_nearest_first() -> None:
    """Places of worried, terrified and furious in the plane as the table has them."""
    assert lexicon().near("fearful", -0.5, 0.5, 2) == ("worried", "anxious")
    assert "terrified" in lexicon().near("fearful", -1, 1, 5)
    assert "furious" in lexicon().near("angry", -1, 1, 3)
    assert "annoyed" in lexicon().near("angry", -0.4, 0.4, 2)
    assert lexicon().near("sad", -1, -0.5, 1) == ("sad",)


def test_near_is_deterministic_and_never_leaves_the_cluster() -> None:
    for cluster in label_set("emer8"):
        labels = lexicon().near(cluster, 0.1, -0.2, 1000)
        assert labels == lexicon().near(cluster, 0.1, -0.2, 1000)
        assert len(set(labels)) == len(labels) >= 10
        own = {each.label for each in lexicon().entries if each.cluster == cluster}
        assert set(labels) == own


def test_chinese_is_cut_by_longest_match() -> None:
    """By hand: lovely, hobby and "I am afraid that" hold the characters for love and fear, but say neither."""
    text = "他很可爱，有爱好，恐怕他不爱我，我害怕"
    assert [text[m.start : m.end] for m in lexicon("zh").find(text)] == ["爱", "害怕"]


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(ConfigError, match="no emotion words for language 'de'; choose one of en, zh"):
        lexicon("de")


@pytest.mark.parametrize(
    ("label", "cluster"),
    [
        *[("worried", "fearful"), ("Relief", "calm"), ("pride", "happy"), ("nostalgia", "sad"), ("boredom", "sad")],
        *[("very worried", "fearful"), ("a deep sense of relief", "calm"), ("slightly annoyed", "angry")],
        *[("angry, furious", "angry"), ("blue", "sad"), ("content", "calm"), ("neutral", "neutral")],
        *[("担心", "fearful"), ("有点失望", "sad"), ("contempt", "disgust"), ("frustrated", "angry")],
        *[("like", None), ("well", None), ("kind", None), ("table", None), ("", None), ("mixed feelings", None)],
        *[("not happy", None), ("happy and sad", None), ("happy about the cake", None), ("桌子", None)],
    ],
)
def test_labels_reach_a_cluster_or_none(label: str, cluster: str | None) -> None:
    assert cluster_of(label) == cluster
