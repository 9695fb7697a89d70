"""Clues taken away: the table of kinds and features against the rule tables, and what is masked, by hand."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

import pytest

from emer import Explainer, media
from emer.clues import face_features, text, voice_description
from emer.engines.composer import Composer
from emer.errors import EmerError
from emer.evidence.opinion import dirichlet
from emer.evidence.rule_table import Rule, rule_table
from emer.kinds import kinds
from emer.metrics.faithfulness import Faithfulness, faithfulness, faithfulness_scores, why_not
from emer.score.removal import by_engine, by_opinion, cited, reached, reasons, without
from emer.tables import table
from emer.types import (
    Answer,
    Clip,
    Clue,
    Clues,
    Emotion,
    Features,
    Modality,
    Opinion,
    Request,
    Segment,
    Span,
    Statement,
)

NAMES = {"audio": voice_description.NAMES, "visual": face_features.NAMES, "text": text.NAMES}
RULES = [rule for view in NAMES for rule in rule_table(view).rules]
AT_REST = ("resting_face",)
"""Its kind says that a face was seen; what makes it a resting one is that nothing was told of it."""


def told(name: str) -> bool:
    return any(name in reached(kind, (name,)) for kind in kinds())


def left_out(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in table("emer.score", "kind_features.yaml")["none"])


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize("view", NAMES)
def test_every_feature_is_told_of_by_a_kind_or_listed_as_told_by_none_and_never_both(view: str) -> None:
    assert [name for name in NAMES[view] if told(name) == left_out(name)] == []


def test_every_feature_of_the_rule_tables_is_there() -> None:
    features = {feature for view in NAMES for feature in rule_table(view).norms}
    assert [name for name in features if not told(name)] == ["first_person_ratio"]
    assert left_out("first_person_ratio")


def test_every_kind_measures_something_of_its_own_modality_and_no_row_is_without_effect() -> None:
    rows = table("emer.score", "kind_features.yaml")["features"]
    assert set(rows) == set(kinds())
    for kind, patterns in rows.items():
        names = NAMES[kinds()[kind].modality]
        assert [p for p in patterns if not any(fnmatchcase(name, p) for name in names)] == [], kind


@pytest.mark.parametrize("rule", [rule for rule in RULES if len(rule.when) == 1], ids=lambda rule: rule.name)
def test_each_kind_that_a_rule_names_measures_its_single_condition(rule: Rule) -> None:
    (feature,) = rule.when
    assert [kind for kind in rule.kinds if feature not in reached(kind, (feature,))] == []


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.name not in AT_REST], ids=lambda rule: rule.name)
def test_a_rule_falls_silent_without_the_clues_that_it_names(rule: Rule) -> None:
    assert any(reached(kind, tuple(rule.when)) for kind in rule.kinds)


# ---------------------------------------------------------------- removal


def features(view: str, **values: float) -> Features:
    return Features(view, tuple(values), tuple(values.values()), (True,) * len(values), "1")


def clue(name: str, kind: str, start: float = 0.0, end: float = 4.0) -> Clue:
    modality: dict[str, Modality] = {"a": "audio", "v": "visual", "t": "text"}
    return Clue(name, modality[name[0]], kind, f"{kind} told", start, end, 1.0, "", "")


VOICE = features("audio", f0_slope_st_s=1.0, syllable_rate=4.0, pause_ratio=0.1, mfcc_mean_01=3.0)
FACE = features("visual", lip_corner_pull_share=0.4, blink_rate=20.0)
PARTS = tuple(Segment(Span(start, start + 2), "", {"audio": VOICE, "visual": FACE}) for start in (0.0, 2.0))
CLUES = Clues(
    (clue("a1", "pitch_rise", 2.5, 3.0), clue("a2", "speech_rate"), clue("v1", "lip_corner_pull", 0.0, 2.2)),
    {"audio": VOICE, "visual": FACE},
    segments=PARTS,
)


def test_a_removed_clue_takes_its_features_with_it_and_leaves_the_others() -> None:
    left = without(CLUES, {"a2", "a9"})
    assert [item.id for item in left.items] == ["a1", "v1"]
    assert left.features["audio"].mask == (True, False, True, True)
    assert left.features["audio"].values == (1.0, 0.0, 0.1, 3.0)
    assert left.features["visual"] == FACE


def test_segments_lose_what_lies_in_them() -> None:
    first, second = without(CLUES, {"a1", "v1"}).segments
    assert (first.features["audio"], second.features["visual"]) == (VOICE, FACE)
    assert second.features["audio"].get("f0_slope_st_s") is None
    assert first.features["visual"].get("lip_corner_pull_share") is None


def test_a_clue_of_the_whole_clip_is_gone_from_both_of_its_halves() -> None:
    assert [part.features["audio"].get("syllable_rate") for part in without(CLUES, {"a2"}).segments] == [None, None]


def test_nothing_removed_is_nothing_changed() -> None:
    assert without(CLUES, {"a9"}) is CLUES


def test_a_list_of_ids_makes_nothing_of_its_clues() -> None:
    said = (
        Statement("The pitch rises [a1], and she says “so happy” [t1].", ("a1", "t1")),
        Statement("A further 2 clues of the voice can be read in the list [a2] [a3].", ("a2", "a3")),
        Statement("A further 1 clue of the voice can be read in the list [a4].", ("a4",)),
        Statement("It is a fine day.", ()),
        Statement("声音颤抖 [a7]。", ("a7",)),
    )
    assert cited(said) == {"a1", "t1", "a7"}


def test_reasons_stand_beside_an_emotion() -> None:
    said = (
        Statement("The pitch rises above neutral read speech [a1].", ("a1",)),
        Statement("The wide pitch range [a4] and the smile [v1] point towards joy.", ("a4", "v1")),
        Statement("The low pitch [a2] speaks for a neutral state.", ("a2",)),
        Statement("皱眉 [v3] 表明他很生气。", ("v3",)),
    )
    assert reasons(said) == {"a4", "v1", "a2", "v3"}


# ---------------------------------------------------------------- decisions


@dataclass(frozen=True)
class Parrot:
    """Names an emotion for each clue that it is told of."""

    names: tuple[tuple[str, str | None], ...] = (("pitch_rise", "surprised"), ("lip_corner_pull", "happy"))
    verdict: Opinion | None = None
    error: str | None = None
    name: str = "parrot"

    def answer(self, requests: Sequence[Request]) -> Iterator[Answer]:
        for request in requests:
            there = {item.kind for item in request.clues.items}
            labels = tuple(Emotion(kind, cluster) for kind, cluster in self.names if kind in there)
            yield Answer("", labels, verdict=self.verdict, error=self.error)


LABELS = ("happy", "surprised")


def ask(clues: Clues) -> Request:
    return Request(None, clues, Span(0.0, 4.0), {}, dirichlet("two", LABELS, [float(len(clues.items)), 0.0]))


def test_the_decision_of_opinions_is_the_probability_that_follows_from_what_is_left() -> None:
    """By hand, e = 3 or 1 with prior weight 2 over two labels: 4/5 and 2/3."""
    decide = by_opinion(CLUES, ask)
    assert decide(frozenset()) == pytest.approx([4 / 5, 1 / 5])
    assert decide(frozenset({"a1", "a2"})) == pytest.approx([2 / 3, 1 / 3])


def test_an_engine_that_is_asked_again_decides_by_its_labels() -> None:
    decide = by_engine(CLUES, ask, Parrot())
    assert decide(frozenset()) == [0.5, 0.5, 0, 0]
    assert decide(frozenset({"v1"})) == [0, 1, 0, 0]
    assert decide(frozenset({"v1", "a1"})) == [0, 0, 0, 1]  # no label at all
    stranger = by_engine(CLUES, ask, Parrot((("pitch_rise", None), ("lip_corner_pull", "happy"))))
    assert stranger(frozenset()) == [0.5, 0, 0.5, 0]


def test_a_verdict_goes_before_labels_and_is_made_a_distribution() -> None:
    beta = Opinion("two", LABELS, "beta", (2.0, 0.0, 2.0, 0.0), 2.0, (0.5, 0.5))  # each label holds with 3/4
    assert by_engine(CLUES, ask, Parrot(verdict=beta))(frozenset()) == pytest.approx([0.5, 0.5])


def test_an_engine_that_cannot_answer_is_an_error_of_the_user() -> None:
    with pytest.raises(EmerError, match="parrot could not answer without 1 clues: ValueError: no"):
        by_engine(CLUES, ask, Parrot(error="ValueError: no"))(frozenset({"a1"}))


# ---------------------------------------------------------------- real clips


def measured(explainer: Explainer, path: Path, without_: Sequence[Modality] = ()) -> Faithfulness | str:
    """Of the hints and of the composer's own citations; a text where nothing can be compared."""
    clip = Clip(str(path), without=frozenset(without_))
    opened = media.open(clip)
    clues = explainer.clues(clip, opened)
    request = partial(explainer.request, opened)
    composed = next(iter(Composer().answer([request(clues)])))
    told_of = cited(composed.statements)
    return why_not(clues.items, told_of) or faithfulness(by_opinion(clues, request), clues.items, told_of)


def test_the_example_rests_on_what_it_cites(example_clip: Path) -> None:
    found = measured(Explainer(weights=None), example_clip, ("visual",))
    assert isinstance(found, Faithfulness)
    assert found.n_cited >= 4
    assert found.cited_change > found.uncited_change


@pytest.mark.long
def test_on_forty_real_voices_hints_rest_on_the_cited_clues_more_than_on_others(real_data: Path) -> None:
    folder = real_data / "clips" / "ravdess_speech"
    paths = random.Random(4).sample(sorted(folder.rglob("*.flac")), 40)
    results = [measured(replace(Explainer(weights=None), cache=None), path) for path in paths]
    comparable = [found for found in results if isinstance(found, Faithfulness)]
    assert {found for found in results if isinstance(found, str)} <= {"cites every clue", "cites no clue"}
    scores = faithfulness_scores(comparable)
    assert scores.n >= 10
    assert scores.everything.score > scores.cited_change.score > 0
    assert scores.difference.score > 0
