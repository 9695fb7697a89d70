"""Hints: little evidence always, in the direction that the published prototypes name."""

from dataclasses import replace

import numpy as np
import pytest

from emer.errors import ConfigError, OpinionError
from emer.evidence import opinion as op
from emer.evidence.conflict import conflict
from emer.evidence.fusion import fuse
from emer.evidence.hints import affect, hint, reasons
from emer.evidence.rule_table import Rule, rule_table
from emer.types import MODALITIES, Features, Modality

NOT_NEGATIVE = ("_share", "_ratio", "_rate", "_count", "jitter_local", "gaze_away", "head_motion", "_sd_db")


def features_of(view: Modality, **values: float) -> Features:
    return Features(view, tuple(values), tuple(values.values()), (True,) * len(values), "test")


def departing(view: Modality, rule: Rule, sds: float = 2.5) -> tuple[Features, Features]:
    """Features on the rule's sides of all norms, so many standard deviations off, and the baseline they need."""
    norms = rule_table(view).norms
    signs = {"high": sds, "low": -sds, "near": 0.0}
    values = {name: norms[name].mean + signs[side] * norms[name].sd for name, side in rule.when.items()}
    own = {name: norms[name].mean for name in rule.when if norms[name].own_only}
    return features_of(view, **values), features_of(view, **own)


def top(opinion: op.Opinion) -> str:
    return opinion.labels[int(np.argmax(opinion.evidence))]


RULES = [(view, rule) for view in MODALITIES for rule in rule_table(view).rules]


# ---------------------------------------------------------------- never more than a hint


@pytest.mark.parametrize("view", MODALITIES)
def test_a_hint_is_uncertain_whatever_was_measured(view: Modality) -> None:
    """Random features from faint to absurd, some of them masked: u >= .8, untrained, finite."""
    rng = np.random.default_rng(0)
    names = tuple(rule_table(view).norms)
    for _ in range(300):
        values = rng.normal(size=len(names)) * 10.0 ** rng.integers(-3, 300)
        mask = rng.random(len(names)) < 0.8
        features = Features(view, names, tuple(np.where(mask, values, 0).tolist()), tuple(mask.tolist()), "test")
        opinion = hint(features)
        assert 0.8 <= op.uncertainty(opinion) <= 1
        assert not opinion.trained
        assert op.probability(opinion).sum() == pytest.approx(1)


@pytest.mark.parametrize("view", MODALITIES)
def test_even_all_rules_at_once_make_no_more_than_a_hint(view: Modality) -> None:
    names = tuple(rule_table(view).norms)
    for sign in (-1e308, 1e308):
        opinion = hint(Features(view, names, (sign,) * len(names), (True,) * len(names), "test"))
        assert opinion.present
        assert 0.8 <= op.uncertainty(opinion) < 1


def test_fused_hints_stay_hints_and_make_no_conflict() -> None:
    opinions = {
        "audio": hint(features_of("audio", f0_iqr_st=9, spectral_tilt_db_oct=9, syllable_rate=9)),
        "visual": hint(features_of("visual", lip_corner_pull_share=1, eye_narrow_share=1)),
        "text": hint(features_of("text", emo_sad=3, compound=-0.9)),
    }
    assert op.uncertainty(fuse(opinions)) >= 0.8
    assert conflict(opinions).degree is None


def test_a_small_change_of_a_feature_makes_a_small_change_of_the_hint() -> None:
    """Evidence follows the smile's share without a jump, and only upwards."""
    steps = [sum(hint(features_of("visual", lip_corner_pull_share=s)).evidence) for s in np.linspace(0, 1, 2001)]
    assert np.all(np.diff(steps) >= 0)
    assert np.max(np.diff(steps)) < 0.02
    assert steps[-1] > steps[0]


# ---------------------------------------------------------------- every rule works


@pytest.mark.parametrize(("view", "rule"), RULES, ids=lambda x: x.name if isinstance(x, Rule) else x)
def test_every_rule_can_fire_and_then_says_what_its_row_says(view: Modality, rule: Rule) -> None:
    features, baseline = departing(view, rule)
    fired = {reason.rule: reason for reason in reasons(features, baseline)}
    assert fired[rule.name].strength == pytest.approx(1.0)
    assert set(fired[rule.name].labels) == set(rule.says)
    assert fired[rule.name].kinds == rule.kinds
    assert sum(hint(features, baseline).evidence) > 0 or not rule.says


@pytest.mark.parametrize(("view", "rule"), RULES, ids=lambda x: x.name if isinstance(x, Rule) else x)
def test_every_rule_can_begin_to_hold_within_what_is_physically_possible(view: Modality, rule: Rule) -> None:
    """Rates, counts and shares are not below 0, shares not above 1: one sd off the norm must still be possible."""
    for name, value in zip(departing(view, rule, 1.0)[0].names, departing(view, rule, 1.0)[0].values, strict=True):
        if name.endswith(NOT_NEGATIVE):
            assert value >= 0, name
        if name.endswith(("_share", "_ratio", "gaze_away")):
            assert value <= 1, name


@pytest.mark.parametrize("view", MODALITIES)
def test_features_near_the_norm_speak_for_neutral(view: Modality) -> None:
    norms = rule_table(view).norms
    assert top(hint(features_of(view, **{name: norm.mean for name, norm in norms.items()}))) == "neutral"


# ---------------------------------------------------------------- published prototypes


@pytest.mark.parametrize(
    ("shown", "label"),
    [
        (("lip_corner_pull",), "happy"),
        (("lip_corner_pull", "eye_narrow"), "happy"),
        (("brow_lower", "lip_press"), "angry"),
        (("brow_lower", "lip_press", "eye_narrow"), "angry"),
        (("brow_raise", "jaw_drop", "eye_open"), "surprised"),
        (("lip_corner_depress",), "sad"),
        (("brow_lower", "lip_corner_depress"), "sad"),
    ],
)
def test_prototypical_faces_are_hinted_at(shown: tuple[str, ...], label: str) -> None:
    """The configurations of EMFACS and of Du, Tao & Martinez 2014, table 1, as far as they are measured."""
    activations = ("brow_raise", "brow_lower", "lip_corner_pull", "lip_corner_depress", "lip_press", "eye_open")
    shares = {f"{name}_share": 0.4 if name in shown else 0.0 for name in (*activations, "eye_narrow", "jaw_drop")}
    assert top(hint(features_of("visual", face_coverage=1.0, **shares))) == label


@pytest.mark.parametrize("label", ["calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"])
def test_an_emotion_word_hints_at_its_own_category(label: str) -> None:
    words = {f"emo_{name}": float(name == label) for name in ("calm", "happy", "sad", "angry", "fearful", "disgust")}
    assert top(hint(features_of("text", **words, emo_surprised=float(label == "surprised")))) == label


HOT = {"f0_median_st": 1.2, "f0_iqr_st": 1.5, "intensity_sd_db": 2, "spectral_centroid_hz": 2, "syllable_rate": 1}


def voice(departures: dict[str, float]) -> Features:
    norms = rule_table("audio").norms
    return features_of("audio", **{name: norms[name].mean + z * norms[name].sd for name, z in departures.items()})


def test_a_hot_voice_is_aroused_and_a_drooping_voice_is_not() -> None:
    """Juslin & Laukka 2003, table 11: anger is high, varied, bright and fast; sadness the opposite of each."""
    drooping = {name: -z for name, z in HOT.items()}
    assert affect({"audio": voice(HOT)}).arousal > 0.5
    assert affect({"audio": voice(drooping)}).arousal < -0.5
    assert top(hint(voice(HOT))) == "angry"
    assert top(hint(voice(drooping))) == "sad"


def test_a_smile_is_pleasant_and_unpleasant_words_are_not() -> None:
    assert affect({"visual": features_of("visual", lip_corner_pull_share=0.5)}).valence > 0.5
    assert affect({"text": features_of("text", compound=-0.8)}).valence < -0.4


def test_words_of_a_long_talk_are_counted_per_twenty_five_words() -> None:
    """One word of joy in 100 words is a quarter of one in 25; in five words it is still one."""
    short = hint(features_of("text", emo_happy=1.0, word_count=25))
    assert hint(features_of("text", emo_happy=1.0, word_count=5)) == short
    assert hint(features_of("text", emo_happy=4.0, word_count=100)) == short
    assert sum(hint(features_of("text", emo_happy=1.0, word_count=100)).evidence) < sum(short.evidence)


# ---------------------------------------------------------------- baseline and what is missing


def test_a_high_voice_is_no_hint_when_it_is_the_speakers_own() -> None:
    high = features_of("audio", f0_median_st=20)
    assert sum(hint(high).evidence) > 0
    assert sum(hint(high, baseline=high).evidence) == 0
    raised = hint(features_of("audio", f0_median_st=26), baseline=high)
    assert top(raised) == "fearful"


def test_loudness_counts_only_against_the_speakers_own() -> None:
    """Decibels relative to full scale depend on the recording: without a baseline they say nothing."""
    loud, own = features_of("audio", intensity_mean_db=-10), features_of("audio", intensity_mean_db=-30)
    assert not hint(loud).present
    assert top(hint(loud, own)) == "angry"
    assert affect({"audio": loud}).arousal is None
    assert affect({"audio": loud}, {"audio": own}).arousal > 0.5


def test_nothing_measured_gives_the_vacuous_opinion() -> None:
    blind = features_of("visual", face_coverage=0.0, lip_corner_pull_share=0.0)
    nothing = replace(blind, mask=(False, False))
    assert hint(nothing) == op.vacuous("emer8", hint(blind).labels)
    assert reasons(nothing) == ()
    assert affect({"visual": nothing}).arousal is None
    assert affect({"visual": nothing}).valence is None


def test_something_measured_without_departure_is_present_and_empty() -> None:
    opinion = hint(features_of("audio", f0_median_st=rule_table("audio").norms["f0_median_st"].mean))
    assert opinion.present
    assert sum(opinion.evidence) == 0
    assert affect({"audio": voice({"f0_median_st": 0})}).arousal == 0


def test_a_masked_feature_speaks_for_nothing() -> None:
    seen = features_of("visual", lip_corner_pull_share=0.9, brow_lower_share=0.9)
    assert top(hint(replace(seen, mask=(False, True), values=(0.0, 0.9)))) == "angry"


def test_a_face_that_was_hardly_seen_hints_less() -> None:
    often = features_of("visual", face_coverage=1.0, lip_corner_pull_share=0.9)
    rarely = features_of("visual", face_coverage=0.1, lip_corner_pull_share=0.9)
    assert op.uncertainty(hint(rarely)) > op.uncertainty(hint(often))
    assert reasons(rarely)[0].strength == pytest.approx(0.1)


def test_reasons_come_strongest_first_and_name_clues_and_source() -> None:
    """Half the way from 0.5 sd to 2 sd is a strength of one half."""
    norm = rule_table("visual").norms["lip_press_share"]
    found = reasons(
        features_of("visual", lip_press_share=norm.mean + 1.25 * norm.sd, lip_corner_pull_share=norm.mean + 9 * norm.sd)
    )
    assert [(r.rule, round(r.strength, 6)) for r in found] == [("smile", 1.0), ("pressed_lips", 0.5)]
    assert found[0].kinds == ("lip_corner_pull",)
    assert "Du, Tao & Martinez 2014" in found[0].source


def test_affect_says_why() -> None:
    both = affect(
        {"visual": features_of("visual", lip_corner_pull_share=0.5), "text": features_of("text", emo_sad=0.5)}
    )
    assert both.because == ("visual: lip corners pulled up", "text: words of sadness")
    assert -1 <= both.valence <= 1


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(OpinionError, match="text feature compound is nan; mask what could not be measured"):
        hint(features_of("text", compound=float("nan")))


def test_features_of_an_unknown_view_are_refused() -> None:
    with pytest.raises(ConfigError, match="no rules for the view 'joint'"):
        hint(Features("joint", ("x",), (1.0,), (True,), "test"))
