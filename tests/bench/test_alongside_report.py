"""The report on training alongside, from pieces made by hand: what stands in it can be counted."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from alongside_plan import Answered, Heads, Losses, Plan, ReadOff, Said, once
from alongside_report import report
from alongside_results import FUSED, HEAD, JOINT, POSTHOC, STATED, TOKENS, VOTES, Pieces
from alongside_says import LABELS, Asked
from alongside_training import refuse_other_base
from tiny_folders import tiny

from emer.errors import ConfigError
from emer.files import write_text
from emer.jsonio import dumps

SPEAKERS = tuple(f"actor{number}" for number in range(15, 21))
CLIPS = tuple(f"{speaker}-{label}" for speaker in SPEAKERS for label in LABELS)
ASKED = Asked(CLIPS, tuple(clip.split("-")[0] for clip in CLIPS), tuple(clip.split("-")[1] for clip in CLIPS))
WRONG = ("happy", "calm")
"""Clips with these labels are called angry by everybody but the frozen head."""


def say(clip: str) -> str:
    label = clip.split("-")[1]
    return "angry" if label in WRONG else label


def spread(best: str, sure: float) -> tuple[float, ...]:
    return tuple(sure if label == best else (1 - sure) / 7 for label in LABELS)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    config = tmp_path / "config.yaml"
    config.write_text(
        "task: llm\nverdict:\n  label_set: emer8\n  kind: dirichlet\n  prior_weight: 0.8\n  label_map: {}\n"
    )
    made = Plan(
        base="base", config=str(config), out=str(tmp_path / "run"), seeds=(0, 1), conditions=("all_told", "shuffled"),
        sampled=("all_told",), samples=2,
    )  # fmt: skip
    pieces(made)
    return made


def put(path: Path, piece: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, dumps(piece))


def pieces(plan: Plan) -> None:
    alone = tuple(
        Said(clip, "It is so [a1].", (say(clip),), 2, 1, scores={say(clip): {"token": 0.7, "verbalised": 0.6}})
        for clip in CLIPS
    )
    joint = tuple(replace(each, evidence=tuple(8 * p for p in spread(say(each.name), 0.8))) for each in alone)
    for seed in plan.seeds:
        for system, said in (("sft", alone), ("joint", joint)):
            put(plan.piece(system, seed, "losses"), Losses(CLIPS[16:], (20.0,) * 32, (10,) * 32, 0.0))
            for name in plan.conditions:
                put(plan.piece(system, seed, name), Answered(said, 1.0))
        for draw in (1, 2):
            put(plan.piece("sft", seed, f"all_told-sample{draw}"), Answered(alone, 1.0))
        read = tuple(spread(say(clip), 0.7) for clip in CLIPS)
        for name in plan.conditions:
            put(plan.piece("sft", seed, f"{name}-read"), ReadOff(read, read, 1.0))
    right = tuple(tuple(20 * p for p in spread(clip.split("-")[1], 0.9)) for clip in CLIPS)
    put(plan.folder / "pieces" / "heads.json", Heads(CLIPS, (None, *right[1:]), 0.8, "heads", 0.0))


def test_the_report_tells_what_the_pieces_hold(plan: Plan) -> None:
    """By hand: two of eight labels are called wrongly, one of two claims is grounded, 20 nats on 10 tokens."""
    report(Pieces(plan, ASKED), plan.folder, "the command")
    numbers = json.loads((plan.folder / "results.json").read_text())
    told = numbers["verdicts"]["all_told"]
    assert set(told) == {TOKENS, POSTHOC, JOINT, VOTES, STATED}
    assert {each["accuracy"]["score"] for each in told.values()} == {0.75}
    assert numbers["n"] == {"calibration": 16, "test": 32}
    assert set(numbers["verdicts"]["shuffled"]) == {TOKENS, POSTHOC, JOINT}
    assert numbers["beside_heads"][HEAD]["accuracy"]["score"] == 1
    assert numbers["beside_heads"][FUSED]["accuracy"]["score"] == 1
    assert [each["right"] for each in numbers["labels"]["all_told"][VOTES]] == [0.75, 0.75]
    assert numbers["texts"]["joint/all_told"]["grounded"]["score"] == 0.5
    assert numbers["agreement"]["all_told"]["score"] == 1
    assert numbers["explanation_loss"]["joint"]["score"] == 2.0
    text = (plan.folder / "report.md").read_text()
    assert "**Held**: labels agree with the verdict" in text
    assert "**Missed**: 95 % of claims are grounded. 0.500 [0.500, 0.500], 2.0 [2.0, 2.0] claims a clip." in text
    assert "**Missed**: verdict accuracy within three points of the frozen audio head. 0.750" in text
    assert "best text_loss (SFT) or nll (joint) on validation clips" in text
    assert (plan.folder / "risk.png").stat().st_size > 1000


def test_a_run_is_not_continued_on_other_weights_of_the_same_name(plan: Plan) -> None:
    own = replace(plan, base=str(tiny("text_clues")))
    refuse_other_base(own)
    refuse_other_base(own)
    with pytest.raises(ConfigError, match="was begun with other weights of"):
        refuse_other_base(replace(plan, base=str(tiny("qwen2_5_omni"))))


def test_pieces_about_other_clips_are_refused(plan: Plan) -> None:
    other = Asked(CLIPS[1:], ASKED.speakers[1:], ASKED.gold[1:])
    with pytest.raises(ConfigError, match="pieces about other clips"):
        report(Pieces(plan, other), plan.folder, "the command")


def test_a_verdict_over_other_labels_is_refused(plan: Plan) -> None:
    with pytest.raises(ConfigError, match=r"verdict\.label_set=emer8"):
        _ = replace(plan, changes=("verdict.label_set=ring1/plutchik",)).spec


def test_a_condition_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="conditions asleep do not exist; choose of all_told"):
        Plan(conditions=("asleep",))


def test_a_piece_is_made_once(tmp_path: Path) -> None:
    path, calls = tmp_path / "sft-seed0" / "losses.json", []

    def make(tokens: int) -> Losses:
        calls.append(tokens)
        return Losses(("a",), (1.0,), (tokens,), 0.0)

    first = once(path, Losses, make, 3)
    assert once(path, Losses, make, 4) == first == Losses(("a",), (1.0,), (3,), 0.0)
    assert calls == [3]


def test_only_the_whole_run_on_nano_is_kept_beside_the_code() -> None:
    assert Plan(out="elsewhere", jobs=1).is_whole
    assert not any(Plan(**part).is_whole for part in ({"seeds": (0,)}, {"most": 4}, {"base": "x"}, {"samples": 3}))
