"""Pictures are drawn, small, say how much stands behind them, and never change from run to run."""

import sys
from pathlib import Path

import numpy as np
import pytest
from made_predictions import human_folds, made_folds

from emer.bench import plots
from emer.bench.answers import Answers, answers
from emer.bench.scoring import Scores, scores
from emer.errors import ConfigError, MissingExtra

LIMIT = 150_000
"""Bytes of one picture."""


@pytest.fixture(scope="module")
def methods() -> dict[str, list[Answers]]:
    names = ["emer", *(f"method_{i}" for i in range(8))]
    return {name: [answers(made_folds(seed, skill=1.0 + i)) for seed in (0, 1)] for i, name in enumerate(names)}


@pytest.fixture(scope="module")
def scored(methods: dict[str, list[Answers]]) -> dict[str, list[Scores]]:
    return {name: [scores(each) for each in methods[name]] for name in ("emer", "method_3")}


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_every_picture_is_drawn_and_small(
    ending: str, methods: dict[str, list[Answers]], scored: dict[str, list[Scores]], tmp_path: Path
) -> None:
    drawn = [tmp_path / f"{name}.{ending}" for name in "abcde"]
    plots.reliability_diagrams(methods, drawn[0])
    plots.risk_coverage_curves(methods, drawn[1], shown=["emer", "method_1"])
    plots.corruption_curves([0, 1], {n: [s, s] for n, s in scored.items()}, drawn[2], axis="noise")
    plots.missing_views({n: {"all views": s, "face": s} for n, s in scored.items()}, drawn[3])
    confidence = methods["emer"][0].confidence
    plots.out_of_domain({"emer": {"known": confidence, "noise": confidence**2}}, drawn[4])
    sizes = [path.stat().st_size for path in drawn]
    assert max(sizes) < LIMIT
    assert min(sizes) > 5_000
    start = {"png": b"\x89PNG", "svg": b"<?xml"}[ending]
    assert all(path.read_bytes().startswith(start) for path in drawn)


def test_a_picture_says_how_many_clips_speakers_and_seeds_stand_behind_it(
    methods: dict[str, list[Answers]], tmp_path: Path
) -> None:
    plots.risk_coverage_curves(methods, tmp_path / "a.svg", shown=["emer"], note="Made data.")
    text = (tmp_path / "a.svg").read_text()
    assert "n = 400 test clips of 100 speakers; 2 seeds. Made data." in text
    assert "other methods" in text
    area = np.mean([scores(each).aurc for each in methods["emer"]])
    assert f"emer  {area:.4f}" in text


def test_the_same_results_give_the_same_file(methods: dict[str, list[Answers]], tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        plots.reliability_diagrams({"emer": methods["emer"]}, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_label_sets_are_drawn_with_their_own_words(tmp_path: Path) -> None:
    sets = {"emer": [answers(made_folds(kind="beta"))]}
    plots.risk_coverage_curves(sets, tmp_path / "a.svg")
    assert "F1 of the label set" in (tmp_path / "a.svg").read_text()


def test_wrong_endings_and_missing_levels_are_refused(scored: dict[str, list[Scores]], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"give \.png or \.svg"):
        plots.missing_views({n: {"all views": s} for n, s in scored.items()}, tmp_path / "a.gif")
    with pytest.raises(ConfigError, match="emer has scores at 1 levels instead of 2"):
        plots.corruption_curves([0, 1], {n: [s] for n, s in scored.items()}, tmp_path / "a.png", axis="noise")
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_letter_names_the_extra(
    methods: dict[str, list[Answers]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"pip install 'emer\[plots\]'"):
        plots.reliability_diagrams(methods, tmp_path / "a.png")


def test_human_votes_are_drawn(real_data: Path, tmp_path: Path) -> None:
    votes = {f"face x{weight:g}": [answers(human_folds(real_data, face=weight))] for weight in (1.0, 2.0)}
    plots.reliability_diagrams(votes, tmp_path / "a.png")
    plots.risk_coverage_curves(votes, tmp_path / "b.png")
    assert all(5_000 < path.stat().st_size < LIMIT for path in tmp_path.glob("*.png"))
